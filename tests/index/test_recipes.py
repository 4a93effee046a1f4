"""The README's recipes for pipelines run as they stand, with stand-ins for what is not installed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import samestory
from samestory.examples import example_text

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = re.search(r"^## In a pipeline\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
TEXT = SECTION[1] if SECTION else ""
KCAT = """#!{python}
import sys
if "-C" in sys.argv:
    print(open("news.jsonl", encoding="utf-8").read(), end="")
else:
    open("answered.jsonl", "w", encoding="utf-8").write(sys.stdin.read())
"""

pytestmark = [
    pytest.mark.skipif(SECTION is None, reason="the README has no section 'In a pipeline'"),
    pytest.mark.skipif(sys.platform == "win32", reason="the recipes are for a POSIX shell"),
]


def blocks(kind: str, word: str) -> list[str]:
    """The code blocks of one language that have a word."""
    return [code for code in re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL) if word in code]


def block(kind: str, word: str) -> str:
    """The one code block of a language that has a word."""
    (code,) = blocks(kind, word)
    return code


def shown_after(code: str) -> str:
    """What the README says that a block prints."""
    found = re.match(r"```\n\n```text\n(.*?)```", TEXT[TEXT.index(code) + len(code) :], re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the example articles and the programs that the recipes call."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in {
        "samestory": f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m samestory "$@"\n',
        "kcat": KCAT.format(python=sys.executable),
    }.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    home = str(Path(samestory.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", f"{home}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("COLUMNS", "80")
    work = tmp_path / "work"
    work.mkdir()
    (work / "news.jsonl").write_text(example_text(), encoding="utf-8")
    monkeypatch.chdir(work)
    return work


def sh(command: str) -> str:
    """Run a command as cron does; what it said on standard error."""
    done = subprocess.run(["sh", "-eu", "-c", command], capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()
    return done.stderr.decode()


def test_no_command_is_left_out() -> None:
    known = ("mkdir -p incoming", "kcat")
    commands = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    assert commands
    assert all(any(word in code for word in known) for code in commands)


def without_time(shown: str) -> list[str]:
    return [line.rstrip() for line in shown.splitlines() if not line.startswith("time ")]


def test_the_folder(folder: Path) -> None:
    code = block("bash", "mkdir -p incoming")
    assert without_time(sh(code)) == without_time(shown_after(code))
    assert pq.read_metadata(folder / "assigned.parquet").num_rows == 47


def test_the_crontab(folder: Path) -> None:
    (folder / "incoming").mkdir()
    (folder / "news.jsonl").rename(folder / "incoming/news.jsonl")
    # Cron takes a percent sign for itself unless it is escaped.
    commands = [
        re.sub(r"^(\S+\s+){5}", "", line).replace("\\%", "%").replace("/srv/news", str(folder))
        for line in block("crontab", "ingest").splitlines()
    ]
    assert len(commands) == 2
    for _ in range(2):
        assert sh(commands[0]) == ""
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 2
    assert pq.read_metadata(folder / "assigned.parquet").num_rows == 47
    if "GNU" in subprocess.run(["date", "--version"], capture_output=True, text=True).stdout:
        assert sh(commands[1]) == ""
        with samestory.Index.open("news.index", readonly=True) as index:
            # The undated came just now.
            assert len(index) == sum(
                not json.loads(line)["published_at"] for line in example_text().splitlines()
            )


def test_the_stream(folder: Path) -> None:
    assert sh(block("bash", "kcat")) == ""
    assert (folder / "answered.jsonl").read_text(encoding="utf-8").count("\n") == 47


@pytest.mark.parametrize("word", ["def assign(", "json.loads"])
@pytest.mark.usefixtures("folder")
def test_python_prints_what_is_shown(word: str) -> None:
    (code,) = [code for code in blocks("python", word) if "print(" in code]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec", dont_inherit=True), {"__name__": "__main__"})
    assert printed.getvalue() == shown_after(code)


@pytest.fixture
def pipeline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder where pipeline.py stands and can be imported."""
    (folder / "pipeline.py").write_text(block("python", "def assign("), encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("pipeline", None)


def run_here(code: str, folder: Path) -> dict[str, Any]:
    """Run a block with the test's folder in place of the README's; its names."""
    path = folder / "recipe.py"
    path.write_text(code.replace("/srv/news", str(folder)), encoding="utf-8")
    names: dict[str, Any] = {"__name__": "recipe", "__file__": str(path)}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True), names)
    return names


class Passing:
    """Stands in for a module: what is called of it as a decorator hands back the function."""

    def __init__(self) -> None:
        self.functions: dict[str, Callable[..., Any]] = {}
        self.called_with: list[tuple[Any, ...]] = []

    def dag(self, **settings: Any) -> Callable[[Any], Any]:
        return lambda function: function

    def task(self, **settings: Any) -> Callable[[Any], Any]:
        def keep(function: Callable[..., Any]) -> Callable[..., None]:
            self.functions[function.__name__] = function
            return lambda *arguments: self.called_with.append(arguments)

        return keep

    def asset(self, **settings: Any) -> Callable[[Any], Any]:
        return lambda function: function


def test_the_task_of_airflow_as_a_function(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passing = Passing()
    sdk = types.ModuleType("airflow.sdk")
    sdk.__dict__.update(dag=passing.dag, task=passing.task)
    monkeypatch.setitem(sys.modules, "airflow", types.ModuleType("airflow"))
    monkeypatch.setitem(sys.modules, "airflow.sdk", sdk)
    run_here(block("python", "airflow.sdk import"), pipeline)
    assert passing.called_with == [(f"{pipeline}/{{{{ ds }}}}.jsonl",)]
    for _ in range(2):
        answers = passing.functions["assign_day"](str(pipeline / "news.jsonl"))
        assert pq.read_metadata(answers).num_rows == 47


def test_the_asset_of_dagster_as_a_function(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dagster = types.ModuleType("dagster")
    dagster.__dict__.update(
        asset=Passing().asset,
        AssetExecutionContext=object,
        DailyPartitionsDefinition=lambda **settings: settings,
        RetryPolicy=lambda **settings: settings,
    )
    monkeypatch.setitem(sys.modules, "dagster", dagster)
    names = run_here(block("python", "import dagster"), pipeline)
    answers = names["assigned"](types.SimpleNamespace(partition_key="news"))
    assert pq.read_metadata(answers).num_rows == 47


@pytest.mark.slow
def test_the_task_in_airflow(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(pipeline / "airflow"))
    pytest.importorskip("airflow.sdk", reason="needs Airflow 3, which is not among the tests' packages")
    code = block("python", "airflow.sdk import").replace("\nnews()\n", "\nmade = news()\n")
    made = run_here(code, pipeline)["made"]
    task = made.get_task("assign_day")
    assert list(task.op_args) == [f"{pipeline}/{{{{ ds }}}}.jsonl"]
    assert pq.read_metadata(task.python_callable(str(pipeline / "news.jsonl"))).num_rows == 47


@pytest.mark.slow
def test_the_asset_in_dagster(pipeline: Path) -> None:
    dagster = pytest.importorskip("dagster", reason="needs Dagster, which is not among the tests' packages")
    (pipeline / "news.jsonl").rename(pipeline / "2026-11-02.jsonl")
    asset = run_here(block("python", "import dagster"), pipeline)["assigned"]
    with dagster.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            done = dagster.materialize([asset], partition_key="2026-11-02", instance=instance)
            assert done.success
    assert pq.read_metadata(pipeline / "2026-11-02.assigned.parquet").num_rows == 47
