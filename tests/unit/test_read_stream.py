"""Standard input in batches as it comes, and files in batches of so many articles."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samestory.config import Config
from samestory.errors import InputError, SchemaError
from samestory.read import stream as stream_module
from samestory.read.arrivals import Arrivals
from samestory.read.stream import ArticleStream, LineFeed
from samestory.schema import ARTICLE

LONG_AGO = 0.0
"""Seconds to wait for more: none."""


def rows_of(data: bytes, monkeypatch: pytest.MonkeyPatch, most: int = 100, **settings: Any) -> ArticleStream:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    return ArticleStream(Config(**settings), most, 5.0)


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


class Pieces(io.RawIOBase):
    """A stream that hands out given pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = list(pieces)

    def read(self, size: int = -1) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def gathered(feed: LineFeed, most: int, seconds: float = 5.0) -> Iterator[tuple[bytes, int]]:
    while (one := feed.gather(most, seconds)) is not None:
        yield one.data, one.n_before


@given(
    st.lists(st.sampled_from([b"{}", b" ", b"", b"x" * 40, b"\r", b"ab\r"]), max_size=20),
    st.booleans(),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_every_line_comes_once_with_its_number(parts: list[bytes], ended: bool, most: int, rng: Any) -> None:
    data = b"\n".join(parts) + (b"\n" if ended else b"")
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(5))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    want = [(n, line) for n, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    found: list[tuple[int, bytes]] = []
    for block, n_before in gathered(LineFeed(Pieces([piece for piece in pieces if piece])), most):
        own = [(n, line) for n, line in enumerate(block.split(b"\n"), n_before + 1) if line.strip()]
        assert 1 <= len(own) <= most
        found += own
    assert found == want


def test_a_batch_does_not_wait_for_the_next_line() -> None:
    mine, theirs = os.pipe()
    with os.fdopen(mine, "rb") as source, os.fdopen(theirs, "wb", buffering=0) as sink:
        feed = LineFeed(source)
        rescue = threading.Timer(30, sink.close)  # so that it fails rather than hangs
        rescue.start()
        sink.write(b"one\ntwo\nhal")
        begin = time.monotonic()
        first = feed.gather(100, 0.2)
        assert first is not None
        assert (first.data, first.n_before) == (b"one\ntwo\n", 0)
        assert 0.15 < time.monotonic() - begin < 5
        sink.write(b"f\n\nfour\nfive\n")
        assert next(gathered(feed, 2)) == (b"half\n\nfour\n", 2)
        rescue.cancel()
        sink.close()
        assert list(gathered(feed, 2)) == [(b"five\n", 5)]


def test_lines_that_keep_coming_do_not_hold_up_the_first() -> None:
    class Drip(Pieces):
        def read(self, size: int = -1) -> bytes:
            time.sleep(0.02)
            return b"line\n"

    begin = time.monotonic()
    one = LineFeed(Drip([])).gather(10_000, 0.2)
    assert one is not None
    assert 2 <= one.data.count(b"\n") < 1000
    assert time.monotonic() - begin < 5


def test_blank_lines_are_not_kept() -> None:
    feed = LineFeed(Pieces([b"\n" * 1000] * 50 + [b"end"]))
    assert list(gathered(feed, 5)) == [(b"end", 50_000)]


def test_long_lines_make_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_MOST_BYTES", 100)
    feed = LineFeed(Pieces([b"a" * 60 + b"\n"] * 4 + [b"b" * 300]))
    assert [len(data) for data, _ in gathered(feed, 1000)] == [122, 122, 300]


def test_a_stream_that_breaks_off() -> None:
    class Broken(Pieces):
        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(InputError, match=r"standard input: .*Input/output error"):
        LineFeed(Broken([])).gather(5, 1.0)


def test_articles(monkeypatch: pytest.MonkeyPatch) -> None:
    data = lines({"id": 1, "body": "One", "date": "2025-03-01"}, {"id": 2, "body": "Two"})
    (batch,) = rows_of(data, monkeypatch).batches()
    assert batch.schema == ARTICLE
    assert batch["doc_id"].to_pylist() == ["1", "2"]
    assert batch["text"].to_pylist() == ["One", "Two"]
    assert [str(when)[:10] for when in batch["published_at"].to_pylist()] == ["2025-03-01", "None"]


def test_columns_that_appear_later(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"id": "a", "text": "A"},
        {"text": "B", "headline": "Late", "id": "b"},
        {"id": "c", "title": "No"},
    ]
    stream = rows_of(lines(*rows), monkeypatch, 1)
    found = pa.Table.from_batches(list(stream.batches()))
    assert found["title"].to_pylist() == [None, "Late", None]
    assert found["text"].to_pylist() == ["A", "B", None]
    assert stream.columns["title"] == "headline"


def test_a_named_column_may_come_late_or_never(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": "a", "text": "A"}, {"id": "b", "text": "B", "kicker": "K"}]
    stream = rows_of(lines(*rows), monkeypatch, 1, title_column="kicker", source_column="desk")
    found = pa.Table.from_batches(list(stream.batches()))
    assert found["title"].to_pylist() == [None, "K"]
    assert stream.warnings == ["no line had the column 'desk'"]


@pytest.mark.parametrize(
    ("row", "named"), [({"text": "A"}, "--id-column"), ({"id": 1, "n": 2}, "--text-column")]
)
def test_what_cannot_be_an_article(row: Any, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SchemaError, match=named):
        list(rows_of(lines(row), monkeypatch).batches())


def test_a_named_text_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SchemaError, match="no column 'words'"):
        list(rows_of(lines({"id": 1, "text": "A"}), monkeypatch, text_column="words").batches())


def test_broken_lines_have_the_numbers_of_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    good = lines({"id": "a", "text": "A"})
    data = (
        good + b"\n" + good + b"not json\n" + lines({"id": None, "text": "x"}, {"id": "b", "text": 5}) + good
    )
    with pytest.raises(InputError, match=r"^-:4: not valid JSON"):
        list(rows_of(data, monkeypatch, 2).batches())
    for most in (1, 2, 100):
        stream = rows_of(data, monkeypatch, most, on_error="skip")
        found = 0
        places = []
        for batch in stream.batches():
            found += len(batch)
            places += [(reject.file, reject.row) for reject in stream.rejects]
            stream.rejects.clear()
        assert (found, places) == (3, [("-", 4), ("-", 5), ("-", 6)])


def test_nothing_but_broken_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = rows_of(b"{\n[]\n", monkeypatch, on_error="skip")
    assert [len(batch) for batch in stream.batches()] == [0]
    assert [reject.row for reject in stream.rejects] == [1, 2]


def test_dates_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": n, "text": "A", "date": "soon" if n else "2025-03-01"} for n in range(3)]
    stream = rows_of(lines(*rows), monkeypatch, 1)
    list(stream.batches())
    (warning,) = stream.warnings
    assert warning.startswith("2 dates")
    assert "-:2" in warning


@pytest.mark.parametrize("rows", [1, 3, 7, 100])
def test_files_in_batches_of_so_many(rows: int, tmp_path: Path) -> None:
    for k in range(3):
        ids = [f"{k}-{n}" for n in range(5)]
        pq.write_table(pa.table({"id": ids, "text": ids}), tmp_path / f"{k}.parquet")
    batches = list(Arrivals([str(tmp_path)], Config(), rows=rows, seconds=LONG_AGO).batches())
    assert [doc_id for batch in batches for doc_id in batch["doc_id"].to_pylist()] == [
        f"{k}-{n}" for k in range(3) for n in range(5)
    ]
    assert {len(batch) for batch in batches[:-1]} <= {rows}
    assert all(len(batch) for batch in batches)


def test_an_id_may_come_again_whatever_is_done_with_broken_rows(tmp_path: Path) -> None:
    (tmp_path / "n.jsonl").write_bytes(lines({"id": 1, "text": "A"}, {"id": 1, "text": "B"}) + b"oops\n")
    arrivals = Arrivals([str(tmp_path / "n.jsonl")], Config(on_error="skip"), rows=10, seconds=LONG_AGO)
    batches = list(arrivals.batches())
    assert pa.Table.from_batches(batches)["text"].to_pylist() == ["A", "B"]
    assert [(reject.row, "JSON" in reject.reason) for reject in arrivals.take_rejects()] == [(3, True)]
    assert arrivals.take_rejects() == []


def test_files_and_standard_input_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "n.jsonl").write_bytes(lines({"id": "file", "text": "A"}))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines({"id": "in", "text": "B"}))))
    arrivals = Arrivals(["-", str(tmp_path / "n.jsonl")], Config(), rows=10, seconds=LONG_AGO)
    assert [batch["doc_id"].to_pylist() for batch in arrivals.batches()] == [["in"], ["file"]]
    with pytest.raises(InputError, match="more than once"):
        Arrivals(["-", "-"], Config(), rows=10, seconds=LONG_AGO)


def test_delimited_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"id,text\n1,A\n2,B\n")))
    arrivals = Arrivals(["-"], Config(format="csv"), rows=1, seconds=LONG_AGO)
    assert [batch["doc_id"].to_pylist() for batch in arrivals.batches()] == [["1"], ["2"]]


def test_delimited_standard_input_without_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    # Ids made of places would be those of the stream before.
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"text\nA\n")))
    with pytest.raises(SchemaError, match="no ids"):
        list(Arrivals(["-"], Config(format="csv"), rows=1, seconds=LONG_AGO).batches())
