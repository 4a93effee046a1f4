"""`samestory report`: what it says, what it refuses, and what it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from command import ROWS, call, environment, run, run_on_terminal, write_lines

from samestory.cli import app

EVIL = "\x1b]0;owned\x07\x1b[2J\u202egnp\x9b31m"
OBEYED = ("\x1b]0;", "\x1b[2J", "\x07", "\u202e", "\x9b")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three articles, two of them copies."""
    folder = tmp_path_factory.mktemp("report")
    assert call("cluster", write_lines(folder / "news.jsonl"), "-o", folder / "out", "-q").code == 0
    return folder / "out"


def test_it_says_what_it_has_written(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    ran = run("report", out, "-o", file)
    assert (ran.code, ran.out) == (0, "")
    told = {line.split()[0]: line.split()[1:] for line in ran.err.splitlines()}
    assert told["articles"] == ["3", "2", "of", "them", "in", "the", "list"]
    assert told["clusters"] == ["1", "all", "listed"]
    assert told["Written:"] == [str(file)]
    assert max(map(len, ran.err.splitlines()[:-1])) <= 80
    assert file.read_bytes().startswith(b"<!DOCTYPE html>")


def test_json(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    ran = call("report", out, "-o", file, "--json")
    found = json.loads(ran.out)
    assert (ran.code, ran.err, ran.out.count("\n")) == (0, "", 1)
    assert found == {
        "file": str(file), "bytes": file.stat().st_size, "articles": 3, "articles_listed": 2, "clusters": 1,
        "clusters_listed": 1, "stories": 0, "stories_listed": 0, "comparisons": 1, "why_no_texts": None,
    }  # fmt: skip


def test_quiet(out: Path, tmp_path: Path) -> None:
    ran = call("report", out, "-o", tmp_path / "report.html", "-q", "--no-text")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_it_does_not_overwrite(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("mine")
    ran = call("report", out, "-o", file)
    assert (ran.code, ran.out, file.read_text()) == (2, "", "mine")
    assert "Hint: use --overwrite to replace it" in ran.err
    assert call("report", out, "-o", file, "--overwrite", "-q").code == 0
    assert file.read_text(encoding="utf-8") != "mine"


def test_inputs_that_have_moved(tmp_path: Path) -> None:
    news = write_lines(tmp_path / "news.jsonl")
    assert call("cluster", news, "-o", tmp_path / "out", "-q").code == 0
    moved = news.rename(tmp_path / "moved.jsonl")
    ran = call("report", tmp_path / "out", "-o", tmp_path / "a.html")
    assert ran.code == 0
    assert "no texts: the articles of" in " ".join(ran.err.split())
    ran = call("report", tmp_path / "out", "-o", tmp_path / "b.html", "--input", moved, "--json")
    assert json.loads(ran.out)["comparisons"] == 1


@pytest.mark.parametrize(
    "words",
    [
        ["none", "-o", "r.html"],
        [".", "-o", "r.html"],
        [".", "-o", "r.pdf"],
        ["."],
        ["-o", "r.html"],
        [EVIL, "-o", "r.html"],
        [".", "-o", EVIL + ".html/r.html"],
    ],
)
def test_what_cannot_be(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = call("report", *words)
    assert (ran.code, ran.out) == (2, "")
    assert "Error: " in ran.err
    assert "Traceback" not in ran.err
    assert [sequence for sequence in OBEYED if sequence in ran.err] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("module", "name"), [("jinja2", "Jinja2"), ("matplotlib", "Matplotlib")])
def test_a_missing_extra_is_one_line(module: str, name: str, out: Path, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        f"sys.argv = ['samestory', 'report', {str(out)!r}, '-o', {str(tmp_path / 'r.html')!r}]\n"
        "from samestory.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), timeout=60
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [
        f"Error: a report needs {name}, which is not installed", "Hint: pip install 'samestory[report]'",
    ]  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_progress_on_a_terminal(out: Path, tmp_path: Path) -> None:
    ran = run_on_terminal("report", out, "-o", tmp_path / "report.html")
    assert ran.code == 0
    assert "Drawing" in ran.err
    assert "Written:" in ran.err
    lines = call("report", out, "-o", tmp_path / "two.html", "--progress").err
    assert [line for line in lines.splitlines() if line.endswith(" ...")][-2:] == [
        "Drawing ...",
        "Writing the page ...",
    ]


def test_hostile_names_do_not_reach_the_terminal(tmp_path: Path) -> None:
    news = write_lines(tmp_path / "news.jsonl", [{**row, "title": EVIL} for row in ROWS])
    assert call("cluster", news, "-o", tmp_path / "out", "-q").code == 0
    news.unlink()
    ran = call("report", tmp_path / "out", "-o", tmp_path / f"{EVIL.replace('/', '')}.html")
    assert ran.code == 0
    assert [sequence for sequence in OBEYED if sequence in ran.err] == []


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(flag: str) -> None:
    shown = CliRunner().invoke(app, ["report", flag], prog_name="samestory")
    assert shown.exit_code == 0
    assert "samestory report " in shown.output.partition("Examples:")[2]
    assert max(map(len, shown.output.splitlines())) <= 80
    for option in ("-o, --output", "--text / --no-text", "--input", "--overwrite", "--json", "-q, --quiet"):
        assert option in shown.output


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['samestory', 'report', '--help']\n"
        "from samestory.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'numpy', 'pyarrow', 'numba', 'matplotlib', 'jinja2', 'rich'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), timeout=60
    )
    assert ran.stdout.splitlines()[-1] == "[]"
