"""No Java, an old Java, no PySpark: a clear word, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

JSON = '{"id": "a", "text": "the ferry between the islands runs again from Monday"}\n'


def run(folder: Path, environment: dict[str, str], *before: str) -> subprocess.CompletedProcess[str]:
    (folder / "in.jsonl").write_text(JSON, encoding="utf-8")
    command = [sys.executable, *(before or ("-m", "samestory"))]
    arguments = ["cluster", str(folder / "in.jsonl"), "-o", str(folder / "out"), "--engine", "spark"]
    kept = {name: value for name, value in os.environ.items() if name not in ("JAVA_HOME", "PATH")}
    return subprocess.run(
        [*command, *arguments], env={**kept, **environment}, capture_output=True, text=True, check=False
    )


def fake_java(folder: Path, says: str) -> dict[str, str]:
    program = folder / "home" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\n", encoding="utf-8")
    program.chmod(0o755)
    return {"JAVA_HOME": str(folder / "home"), "PATH": "/bin:/usr/bin"}


def test_without_java_it_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, {"PATH": str(tmp_path)})
    assert done.returncode == 2
    assert "needs Java, which is not found" in done.stderr
    assert "17" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_old_java_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, fake_java(tmp_path, 'openjdk version "1.8.0_392"'))
    assert done.returncode == 2
    assert "needs Java 17 or later" in done.stderr
    assert "is version 8" in done.stderr


def test_a_java_home_without_java_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, {"JAVA_HOME": str(tmp_path / "nowhere"), "PATH": os.environ["PATH"]})
    assert done.returncode == 2
    assert f"JAVA_HOME is {tmp_path / 'nowhere'}" in done.stderr


@pytest.mark.parametrize("name", ["pyspark", "pandas"])
def test_without_the_extra_it_names_the_command(tmp_path: Path, name: str) -> None:
    code = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        f"u.find_spec = lambda n, *a: None if n == {name!r} else find(n, *a)\n"
        "from samestory.cli import main; main()"
    )
    done = run(tmp_path, {"PATH": os.environ["PATH"]}, "-c", code)
    assert done.returncode == 2
    assert f"needs {name}, which is not installed" in done.stderr
    assert "pip install 'samestory[spark]'" in done.stderr
