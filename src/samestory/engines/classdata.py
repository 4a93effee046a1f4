"""What Java has loaded of Spark, kept on disk for the next start: its class-data archive (JEP 350).

Of sixteen seconds until a session has started and done its first work, some seven go into finding, reading
and checking classes. ``python -m samestory.compile`` writes the archive; without it, and where it does not
fit any more, which Java looks after by itself, all goes on as slowly as ever.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

QUIET: Final = "-Xlog:disable"
"""Java would tell on standard output of each class that it cannot archive, and of an archive too old."""
_SECONDS: Final = 300
_ARTICLES: Final = "articles.parquet"
_IN_A_JOB: Final = """
import sys
from samestory.engines.classdata import run_example
run_example(*sys.argv[1:])
"""


def archive_path(java_said: str) -> Path:
    """Return where the archive is, for a Java that says so of itself and the Spark that is installed."""
    import pyspark
    from pyspark.find_spark_home import _find_spark_home

    about = "\n".join([java_said, pyspark.__version__, _find_spark_home()])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "samestory" / f"spark-{hashlib.sha256(about.encode()).hexdigest()[:16]}.jsa"


def reading_options(java_said: str) -> str:
    """Return Java's options to start from the archive; none where there is no archive of ours."""
    path = archive_path(java_said)
    return f"-XX:SharedArchiveFile={path} {QUIET}" if _is_ours(path) and " " not in str(path) else ""


def _is_ours(path: Path) -> bool:
    """Whether a file is there that no other user has written: what is in it will be run."""
    try:
        status = path.stat()
    except OSError:
        return False
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)


def write_archive(java_said: str, articles: pa.Table) -> bool:
    """Run a small job in a session of its own and keep what it has loaded; return whether that was done.

    It is not where another folder is on Java's class path, as that of SPARK_CONF_DIR is.
    """
    path = archive_path(java_said)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            fresh = Path(folder) / path.name
            pq.write_table(articles, Path(folder) / _ARTICLES)
            subprocess.run(
                [sys.executable, "-c", _IN_A_JOB, str(fresh), folder],
                capture_output=True,
                timeout=_SECONDS,
                check=True,
            )
            fresh.replace(path)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def run_example(archive: str, folder: str) -> None:
    """Cluster a few articles in a session whose Java writes an archive as it ends; wait until it has."""
    from samestory.config import Config
    from samestory.engines.folder import cluster_to_folder
    from samestory.engines.session import start_session
    from samestory.progress import ignore_progress

    config = Config(threads=1, level="story")
    session = start_session(config, None, [f"-XX:ArchiveClassesAtExit={archive}", QUIET])
    cluster_to_folder(
        [str(Path(folder) / _ARTICLES)],
        config,
        str(Path(folder) / "out"),
        overwrite=False,
        partitions=2,
        observer=ignore_progress,
    )
    _end(session)


def _end(session: Any) -> None:
    """Stop a session, and its JVM, which lives as long as its standard input is open."""
    gateway = session.sparkContext._gateway
    session.stop()
    with contextlib.suppress(Exception):
        gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(_SECONDS)
