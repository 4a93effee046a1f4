"""On a terminal: progress, 80 columns, and nothing that the input makes the terminal obey."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from command import FERRY, ROWS, call, run, run_on_terminal, write_lines

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
EVIL = "\x1b]0;owned\x07\x1b[2J\u202egnp\x9b31m"
OBEYED = ("\x1b]0;", "\x1b[2J", "\x07", "\u202e", "\x9b")


def lines_of(shown: str) -> list[str]:
    return [part for line in ESCAPES.sub("", shown).split("\n") for part in line.split("\r")]


@pytest.mark.parametrize("options", [[], ["-v"]])
def test_the_summary_fits_80_columns(tmp_path: Path, options: list[str]) -> None:
    path = write_lines(tmp_path / "n.jsonl", [{**row, "date": "no date at all"} for row in ROWS])
    ran = run_on_terminal("cluster", path, "-o", tmp_path / "o", "--no-progress", *options)
    assert ran.code == 0
    shown = [line for line in lines_of(ran.err) if str(tmp_path) not in line]
    assert any("articles" in line for line in shown)
    assert any("Warning: " in line for line in shown)
    assert max(map(len, shown)) <= 80


def test_the_summary_fits_80_columns_of_a_pipe(news: Path, tmp_path: Path) -> None:
    ran = run("cluster", news, "-o", tmp_path / "o", COLUMNS="80")
    assert max(len(line) for line in ran.err.splitlines() if str(tmp_path) not in line) <= 80


def test_progress_on_a_terminal_alone(news: Path, tmp_path: Path) -> None:
    on_terminal = run_on_terminal("cluster", news, "-o", tmp_path / "one")
    assert "Reading" in on_terminal.err
    assert on_terminal.out == ""
    assert max(len(line) for line in lines_of(on_terminal.err) if str(tmp_path) not in line) <= 80
    in_pipe = call("cluster", news, "-o", tmp_path / "two")
    assert in_pipe.err.startswith("articles")
    assert "Reading" not in in_pipe.err
    assert "\x1b" not in in_pipe.err


@pytest.mark.parametrize("option", ["--no-progress", "--quiet"])
def test_no_progress_where_not_wanted(news: Path, tmp_path: Path, option: str) -> None:
    ran = run_on_terminal("cluster", news, "-o", tmp_path / "o", option)
    assert ran.code == 0
    assert "Reading" not in ran.err
    if option == "--quiet":
        assert ran.err == ""


def test_progress_where_asked_for(news: Path, tmp_path: Path) -> None:
    ran = run("cluster", news, "-o", tmp_path / "o", "--progress", "--json")
    assert "Reading" in ran.err
    assert ran.out.startswith("{")


def assert_harmless(shown: str) -> None:
    assert [sequence for sequence in OBEYED if sequence in shown] == []


def test_ids_in_errors(tmp_path: Path) -> None:
    rows = [{"id": EVIL, "text": FERRY}, {"id": EVIL, "text": "Another"}]
    ran = run_on_terminal("cluster", write_lines(tmp_path / "n.jsonl", rows), "-o", tmp_path / "o")
    assert ran.code == 2
    assert "owned" in ran.err
    assert_harmless(ran.err)


def test_broken_lines_in_errors(tmp_path: Path) -> None:
    (tmp_path / "n.jsonl").write_text(f'{{"id": "a", "text": {EVIL}\n')
    ran = run_on_terminal("cluster", tmp_path / "n.jsonl", "-o", tmp_path / "o")
    assert ran.code == 2
    assert_harmless(ran.err)


def test_names_of_columns_and_files(tmp_path: Path) -> None:
    rows = [{"id": "a", "text": FERRY, EVIL: "x", "date": EVIL}]
    path = write_lines(tmp_path / f"{EVIL}.jsonl", rows)
    for more in (
        ["-v"],
        ["--overwrite", "--title-column", EVIL, "-v"],
        ["--overwrite", "--text-column", "none"],
    ):
        ran = run_on_terminal("cluster", path, "-o", tmp_path / "o", "--no-progress", *more)
        assert ran.code in (0, 2)
        assert_harmless(ran.err)


def test_names_in_a_settings_file(news: Path, tmp_path: Path) -> None:
    escaped = EVIL.encode("unicode_escape").decode().replace("\\x", "\\u00")
    (tmp_path / "s.toml").write_text(f'"{escaped}" = 5\n')
    ran = run_on_terminal("cluster", news, "-o", tmp_path / "o", "--config", tmp_path / "s.toml")
    assert ran.code == 2
    assert "owned" in ran.err
    assert_harmless(ran.err)


@pytest.mark.parametrize("option", ["--format", "--threshold", "--config", "--shingle", "--"])
def test_words_of_the_command_line(news: Path, tmp_path: Path, option: str) -> None:
    words = [f"--{EVIL}"] if option == "--" else [option, EVIL]
    ran = run_on_terminal("cluster", news, "-o", tmp_path / "o", *words)
    assert ran.code == 2
    assert_harmless(ran.err)
