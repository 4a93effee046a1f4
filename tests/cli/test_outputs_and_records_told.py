"""What is told of crawls and addresses; outputs that are addresses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import call, write_lines

from loopback import web_server
from webpages import Response, page, stories, write_warc


def test_records_that_are_passed_over_are_told(tmp_path: Path) -> None:
    crawl = write_warc(tmp_path / "crawl.warc", [Response(page(stories(1)[0]).encode())])
    ran = call("cluster", crawl, "-o", tmp_path / "out", "--no-progress")
    assert "passed over" in ran.err
    stats = json.loads((tmp_path / "out" / "run.json").read_text())
    assert stats["passed_over"] == {"request": 1, "warcinfo": 1}


@pytest.mark.parametrize(
    "words",
    [
        ("cluster", "news.jsonl", "-o", "s3://news/out"),
        ("dedup", "news.jsonl", "-o", "s3://news/kept.parquet"),
        ("ingest", "news.jsonl", "--index", "s3://news/index"),
        ("ingest", "news.jsonl", "--index", "index", "-o", "https://u:secret@h/kept.parquet"),
    ],
)
def test_outputs_elsewhere_are_refused(
    news: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(news.parent)
    ran = call(*words, "--no-progress")
    assert ran.code == 2
    error, hint = ran.err.splitlines()
    assert "outputs are written to this machine, not to addresses" in error
    assert "secret" not in ran.err
    assert hint.startswith("Hint: name a place here")
    assert list(news.parent.iterdir()) == [news]


def test_signatures_of_addresses_are_not_told_by_ingest(tmp_path: Path) -> None:
    with web_server(tmp_path) as pages:
        write_lines(tmp_path / "a.jsonl")
        given = f"{pages.url}/a.jsonl?sig=abcdef123"
        ran = call("ingest", given, "--index", tmp_path / "index", "--json", "--no-progress")
    assert ran.code == 0, ran.err
    assert "abcdef123" not in ran.out + ran.err
