"""`--json`: of every command exactly one object on standard output, which any reader of JSON takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import FERRY, call, write_lines

from samestory.cli.facts import print_json


def strictly(text: str) -> dict[str, Any]:
    """Read one object on one line, without NaN and the like, in characters that can be written anywhere."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    assert text.count("\n") == 1
    assert text.isascii()
    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("cluster news.jsonl -o out", "counts"),
        ("cluster news.jsonl -o out --dry-run", "dry_run"),
        ("dedup news.jsonl -o kept.jsonl", "counts"),
        ("dedup news.jsonl -o kept.jsonl --dry-run", "dry_run"),
        ("ingest news.jsonl --index new", "articles"),
        ("index info ix", "articles"),
        ("index verify ix", "sound"),
        ("index compact ix", "bytes_after"),
        ("index expire ix --before 1990-01-01", "expired"),
        ("index export ix -o out", "counts"),
        ("index delete ix c", "deleted"),
        ("index resolve ix a", "a"),
        ("explain run a b", "scores"),
        ("explain ix a b", "scores"),
        ("report run -o page.html", "bytes"),
        ("evaluate run --truth labels.csv", "pairwise"),
        ("evaluate run --truth labels.csv --sweep", "sweep"),
        ("example more.jsonl", "articles"),
    ],
)
def test_every_command_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, key: str) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"id": name, "text": FERRY, "title": "Tïtle \u202e"} for name in "ab"]
    write_lines(tmp_path / "news.jsonl", [*rows, {"id": "c", "text": "Quite another text, about a bridge."}])
    (tmp_path / "labels.csv").write_text("id,label\na,x\nb,x\nc,y\n")
    if " run" in line:
        assert call("cluster", "news.jsonl", "-o", "run", "-q").code == 0
    if " ix" in line:
        assert call("ingest", "news.jsonl", "--index", "ix", "-q").code == 0
    ran = call(*line.split(), "--json")
    assert (ran.code, ran.err) == (0, "")
    assert key in strictly(ran.out)


def test_what_json_has_no_words_for(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": "\udc80", "e": "é"}})
    text = capsys.readouterr().out
    assert "\\udc80" in text
    assert strictly(text) == {"a": None, "b": [None, 1.5], "c": {"d": "\udc80", "e": "é"}}
