"""Mistakes of somebody who begins: what is wrong, where, and a remedy, in one style."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import FERRY, Ran, call, write_lines


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a beginner has tried this and that."""
    monkeypatch.chdir(tmp_path)
    write_lines(tmp_path / "news.jsonl")
    assert call("cluster", "news.jsonl", "-o", "run", "-q").code == 0
    assert call("ingest", "news.jsonl", "--index", "ix", "-q").code == 0
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/readme.md").write_text("x")
    write_lines(tmp_path / "nothing.jsonl", [{"id": "a", "words": FERRY}])
    (tmp_path / "not.jsonl.gz").write_text("not gzip")
    (tmp_path / "labels.csv").write_text("id,label\na,x\nb,x\n")
    return tmp_path


def in_style(ran: Ran) -> tuple[str, str]:
    """The error and the hint, where there are these two lines and nothing else."""
    assert (ran.code, ran.out) == (2, "")
    error, hint = ran.err.splitlines()
    assert error.startswith("Error: ")
    assert hint.startswith("Hint: ")
    assert not error.endswith(".")
    return error.removeprefix("Error: "), hint.removeprefix("Hint: ")


@pytest.mark.parametrize(
    ("line", "error", "hint"),
    [
        ("cluster missing.jsonl -o o", "missing.jsonl: no such file", "check the path"),
        ("cluster notes -o o", "notes: empty", "readable are .parquet"),
        ("cluster notes/readme.md -o o", "does not tell the format", "--format"),
        ("cluster nothing.jsonl -o o", "the columns are 'id', 'words'", "--text-column"),
        ("cluster news.jsonl -o o --text-column body", "no column 'body'", "--text-column"),
        ("cluster not.jsonl.gz -o o", "not.jsonl.gz", "damaged"),
        ("cluster news.jsonl -o run", "run is not empty", "--overwrite"),
        ("cluster news.jsonl -o news.jsonl", "a file, not a folder", "name a folder"),
        ("cluster news.jsonl -o o --threshold 70", "threshold is 70", "for 70 % write 0.7"),
        ("cluster news.jsonl -o o --format xml", "'xml' is not one of", "`samestory cluster --help`"),
        ("cluster news.jsonl -o o --treshold 1", "no option --treshold", "did you mean --"),
        ("cluster news.jsonl -o", "'-o' requires an argument", "`samestory cluster --help`"),
        ("cluster news.jsonl", "option -o or --output is missing", "`samestory cluster --help`"),
        ("cluster", "argument INPUT... is missing", "`samestory cluster --help`"),
        ("cluster news.jsonl news.jsonl -o o", "duplicate ids", "given more than once"),
        ("cluster run -o o", "run: a result of samestory", "inputs"),
        ("cluster ix -o o", "ix: an index of samestory", "index export"),
        ("dedup news.jsonl -o kept", "tell a format", ".jsonl"),
        ("dedup news.jsonl -o - --json", "both write to standard output", "leave out"),
        ("ingest news.jsonl --index news.jsonl", "a file, not the folder", "name a folder"),
        ("ingest news.jsonl --index run", "run is not an index", "a new or an empty folder"),
        ("ingest - --index ix --json", "both write to standard output", "-o"),
        ("index info run", "no index at run", "the result of a run"),
        ("index info nowhere", "no index at nowhere", "check the path"),
        ("index delete ix", "no id is given", "--ids-from"),
        ("index delete ix --ids-from no.txt", "no.txt: cannot be read", "check the path"),
        ("index compat ix", "no command 'compat'", "did you mean compact?"),
        ("clutser news.jsonl", "no command 'clutser'", "did you mean cluster?"),
        ("explain run a nobody", "no article 'nobody'", "ids"),
        ("explain notes a b", "neither a result nor an index", "samestory cluster"),
        ("report notes -o r.html", "no run.json", "samestory cluster"),
        ("report ix -o r.html", "no run.json", "it is an index"),
        ("report run -o r.txt", "not that of a page", ".html"),
        ("evaluate run --truth labels.csv --plot p.png", "--plot is for a sweep", "--sweep"),
        ("evaluate run --truth labels.csv --fail-under 90", "no score can be", "for 90 % write 0.9"),
        ("evaluate run --truth no.csv", "no.csv: no such file", "--truth"),
        ("example - --json", "both write to standard output", "leave out --json"),
        ("example run", "run: cannot be written", "check the path"),
        ("--what", "no option --what", "`samestory --help`"),
    ],
)
def test_mistakes(place: Path, line: str, error: str, hint: str) -> None:
    told = in_style(call(*line.split()))
    assert error in told[0]
    assert hint in told[1]
    assert not (place / "o").exists()


def test_the_example_on_standard_output(place: Path) -> None:
    ran = call("example", "-")
    assert (ran.code, ran.err) == (0, "")
    assert len([json.loads(line) for line in ran.out.splitlines()]) == 47
    assert call("example", "copy.jsonl", "-q").code == 0
    assert (place / "copy.jsonl").read_text(encoding="utf-8") == ran.out
