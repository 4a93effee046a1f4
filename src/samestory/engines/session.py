"""Spark there and Java found, or a clear word about what is missing; the session of the command line."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from samestory.config import Config
from samestory.engines.classdata import reading_options
from samestory.engines.frames import BATCH_BYTES
from samestory.errors import ConfigError, MissingDependencyError, SamestoryError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LEAST_JAVA: Final = 17
_HINT: Final = f"install a Java runtime of version {LEAST_JAVA} or later, and put it on PATH or set JAVA_HOME"
_VERSION: Final = re.compile(r'version "(?:1\.)?(\d+)')
_LEAST_JVM: Final = 1 << 30
_MALLOC: Final = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
"""For the JVM and its workers: buffers of megabytes are asked for all the time, and the system clears the
pages of each that was given back in between: of 440 seconds of processor time for a million articles some 30.
"""


def check_installed() -> None:
    """Raise unless PySpark is installed.

    Raises
    ------
    MissingDependencyError
        It, or what it needs, is not.
    """
    for name in ("pyspark", "pandas"):
        try:
            found = importlib.util.find_spec(name) is not None
        except (ImportError, ValueError):
            found = False
        if not found:
            raise MissingDependencyError(
                f"the Spark engine needs {name}, which is not installed",
                hint="pip install 'samestory[spark]'",
            )


def check_java() -> str:
    """Return what a Java says of its version; raise unless Spark can run on it.

    That is told sooner, and in plainer words, than Spark would.

    Raises
    ------
    SamestoryError
        There is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    where = f"JAVA_HOME is {home}" if home else "there is no `java` on PATH, and JAVA_HOME is not set"
    if java is None:
        raise SamestoryError(f"the Spark engine needs Java, which is not found: {where}", hint=_HINT)
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = f"the Spark engine needs Java, but {java} cannot be run: {where}"
        raise SamestoryError(problem, hint=_HINT) from error
    said = done.stderr + done.stdout
    found = _VERSION.search(said)
    if done.returncode or found is None:
        problem = f"the Spark engine needs Java, but {java} does not tell its version: {said.strip()[:200]}"
        raise SamestoryError(problem, hint=_HINT)
    if int(found[1]) < LEAST_JAVA:
        raise SamestoryError(
            f"the Spark engine needs Java {LEAST_JAVA} or later; {java} is version {found[1]}", hint=_HINT
        )
    return said


def open_session(
    config: Config, partitions: int | None, *, is_small: bool = False
) -> tuple[SparkSession, bool]:
    """Return the session to work in, and whether it is our own, to be stopped.

    Under ``spark-submit``, or where a session is there already, it is that one; else one of this
    machine, with as many threads as the configuration says. Of a small input the JVM's second compiler
    would cost more than it brings.

    Raises
    ------
    MissingDependencyError, SamestoryError
        PySpark, or Java, is not there, or the JVM does not start.
    """
    check_installed()
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")  # which is not used
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        return active, False
    if not is_submitted():
        options = [reading_options(check_java()), *(["-XX:TieredStopAtLevel=1"] if is_small else [])]
        return start_session(config, partitions, options), True
    builder = SparkSession.builder.appName("samestory")
    for name, value in _settings(config, partitions).items():
        builder = builder.config(name, value)
    return builder.getOrCreate(), True


def start_session(config: Config, partitions: int | None, java_options: list[str]) -> SparkSession:
    """Start a session on this machine, of the settings that fit it and further options of Java's."""
    settings = _settings(config, partitions)
    settings["spark.driver.extraJavaOptions"] = " ".join(
        [settings["spark.driver.extraJavaOptions"], *filter(None, java_options)]
    )
    return _start(settings)


def _start(settings: dict[str, str]) -> SparkSession:
    """Start a JVM of our own. What it and its workers say goes to a file; errors come back to us anyway."""
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    conf = SparkConf().setAppName("samestory").setAll(list(settings.items()))
    with tempfile.TemporaryFile() as said:
        try:
            with _environment(_MALLOC):
                gateway = launch_gateway(conf=conf, popen_kwargs={"stderr": said})
        except (PySparkException, OSError) as error:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise SamestoryError(
                f"Spark does not start: {lines[-1] if lines else error}", hint=_HINT
            ) from error
    return SparkSession(SparkContext(conf=conf, gateway=gateway))


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for processes started here, those that are not set already."""
    chosen = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(chosen)
    try:
        yield
    finally:
        for name in chosen:
            os.environ.pop(name, None)


def is_submitted() -> bool:
    """Whether this process runs under ``spark-submit``, which says where and with what memory."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _settings(config: Config, partitions: int | None) -> dict[str, str]:
    """Return the settings of a session; where it runs, only if nobody else has said so."""
    chosen = {
        "spark.sql.execution.arrow.maxRecordsPerBatch": "8192",
        "spark.sql.execution.arrow.maxBytesPerBatch": str(BATCH_BYTES),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(partitions or 4 * config.n_threads),
        "spark.sql.autoBroadcastJoinThreshold": str(64 << 20),
        # The rows that the JVM looks at are few, and compiling each plan anew costs more than they do.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.inMemoryColumnarStorage.compressed": "false",
        # A task that runs again may bundle the same articles in another way, which is no mistake.
        "spark.sql.shuffle.orderIndependentChecksum.enabled": "false",
        "spark.sql.shuffle.orderIndependentChecksum.enableFullRetryOnMismatch": "false",
        "spark.sql.shuffle.orderIndependentChecksum.enableQueryLevelRollbackOnMismatch": "false",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.ui.showConsoleProgress": "false",
    }
    if is_submitted():
        return chosen
    scratch = {} if config.scratch is None else {"spark.local.dir": config.scratch}
    # The workers beside the JVM, of which there is one a thread, take the greater part.
    jvm = max(_LEAST_JVM, config.memory_bytes // 2)
    return {
        **chosen,
        **scratch,
        # Java's own serializer takes bytes a kilobyte at a time, and holds the last hundred objects.
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        # Between tasks of one machine, compressing and summing up costs more than the bytes do.
        "spark.rdd.compress": "false",
        "spark.shuffle.compress": "false",
        "spark.shuffle.checksum.enabled": "false",
        "spark.master": os.environ.get("MASTER", f"local[{config.n_threads}]"),
        "spark.driver.memory": f"{jvm >> 20}m",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.python.daemon.module": "samestory.engines.daemon",
        # Where it is known (from 4.1 on); what the workers get and give is most of what is moved.
        "spark.python.unix.domain.socket.enabled": "true",
        # Arrays of megabytes are no exception here, as the usual collector takes them to be.
        "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
    }


def check_partitions(partitions: int | None) -> None:
    """Raise unless a number of partitions is one."""
    if partitions is not None and (not isinstance(partitions, int) or not 1 <= partitions <= 1 << 20):
        raise ConfigError(f"partitions is {partitions!r}, not a whole number from 1 to {1 << 20:,}")
