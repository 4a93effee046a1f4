"""`samestory example`: a file to try the others on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import call, read_lines, run


def test_writes_articles(tmp_path: Path) -> None:
    ran = run("example", tmp_path / "news.jsonl")
    assert (ran.code, ran.out) == (0, "")
    assert "news.jsonl" in ran.err
    rows = read_lines((tmp_path / "news.jsonl").read_text(encoding="utf-8"))
    assert len(rows) >= 40
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(row["text"] or row["title"] for row in rows)


def test_they_show_copies_of_every_kind(tmp_path: Path) -> None:
    call("example", tmp_path / "news.jsonl")
    ran = call("cluster", tmp_path / "news.jsonl", "-o", tmp_path / "out", "--json")
    counts = json.loads(ran.out)["counts"]
    assert ran.code == 0
    assert counts["relations"]["exact"] >= 1
    assert counts["relations"]["near"] >= 3
    assert counts["relations"]["unique"] >= 15


@pytest.mark.parametrize("overwrite", [False, True])
def test_another_file_is_not_replaced_unasked(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "mine.jsonl").write_text("my own\n")
    ran = call("example", tmp_path / "mine.jsonl", *["--overwrite"] * overwrite)
    assert ran.code == (0 if overwrite else 2)
    assert ((tmp_path / "mine.jsonl").read_text() == "my own\n") == (not overwrite)


def test_twice_is_no_error(tmp_path: Path) -> None:
    assert [call("example", tmp_path / "news.jsonl").code for _ in range(2)] == [0, 0]


def test_where_it_cannot_write(tmp_path: Path) -> None:
    ran = call("example", tmp_path / "absent/news.jsonl")
    assert ran.code == 2
    assert ran.err.startswith("Error: ")
    assert "Traceback" not in ran.err


def test_quiet(tmp_path: Path) -> None:
    ran = call("example", tmp_path / "news.jsonl", "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
