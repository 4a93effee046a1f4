"""What Java has loaded of Spark, kept for the next start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyspark")

from samestory.engines import classdata
from samestory.engines.classdata import archive_path, reading_options
from samestory.engines.session import check_java

STARTED = """
import sys
from samestory.config import Config
from samestory.engines.classdata import reading_options
from samestory.engines.session import check_java, start_session

options = reading_options(check_java())
print(bool(options))
session = start_session(Config(threads=1), None, [options, "-Xlog:class+load:file=" + sys.argv[1]])
print(session.range(3).count())
session.stop()
"""


def test_each_java_has_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one, other = archive_path("version 17.0.1"), archive_path("version 17.0.2")
    assert one != other
    assert one.parent == other.parent == tmp_path / "samestory"
    assert archive_path("version 17.0.1") == one


def test_it_is_used_where_it_is_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert reading_options("java") == ""
    path = archive_path("java")
    path.parent.mkdir()
    path.touch(0o600)
    assert f"-XX:SharedArchiveFile={path}" in reading_options("java")
    path.chmod(0o620)  # somebody else may have written what is to be run
    assert reading_options("java") == ""
    path.chmod(0o600)
    if hasattr(os, "getuid"):
        own = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: own + 1)
        assert reading_options("java") == ""


def test_what_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(classdata, "_IN_A_JOB", "raise SystemExit(1)")
    assert not classdata.write_archive("java", classdata.pa.table({"text": ["one"]}))
    assert not list((tmp_path / "samestory").iterdir())


@pytest.mark.slow
@pytest.mark.usefixtures("spark")  # or there is no Java
def test_a_session_starts_from_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from samestory.compile import prepare_spark

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("SPARK_CONF_DIR", raising=False)
    assert prepare_spark() is not None
    (archive,) = (tmp_path / "samestory").iterdir()
    assert archive == archive_path(check_java())
    log = tmp_path / "loaded"
    done = subprocess.run(
        [sys.executable, "-c", STARTED, str(log)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "3"]
    loaded = log.read_text(encoding="utf-8").splitlines()
    from_it = [line for line in loaded if "shared objects file (top)" in line]
    assert len(from_it) > len(loaded) / 4
    assert any(" org.apache.spark.sql.classic.SparkSession " in line for line in from_it)
