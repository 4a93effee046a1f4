"""Rows in memory, streams, and standard input."""

from __future__ import annotations

import io
import os
from tempfile import TemporaryFile as temporary_file  # noqa: N813

import pyarrow as pa
import pytest

from samestory.config import Config
from samestory.errors import InputError
from samestory.read import open_source

TABLE = pa.table(
    {"id": [str(i) for i in range(50)], "text": [f"Spiel {i} endet unentschieden." * 9 for i in range(50)]}
)


class Stream:
    """Exports its rows once, as a query's result does."""

    def __init__(self, reader):
        self.reader = reader

    def __arrow_c_stream__(self, requested_schema=None):
        return self.reader.__arrow_c_stream__(requested_schema)


def stream():
    return pa.RecordBatchReader.from_batches(TABLE.schema, TABLE.to_batches(max_chunksize=7))


def ids(source):
    return [row for batch in source.batches() for row in batch["doc_id"].to_pylist()]


@pytest.mark.parametrize(
    "make", [lambda: TABLE, stream, lambda: Stream(stream()), lambda: TABLE.to_batches()[0]]
)
def test_tables_and_streams_can_be_read_again(make):
    with open_source(make(), Config()) as source:
        assert source.inputs == ["table"]
        assert source.n_bytes >= TABLE.nbytes
        for _ in range(2):
            assert ids(source) == TABLE["id"].to_pylist()
            assert pa.Table.from_batches(list(source.raw_batches())).equals(TABLE)
        assert source.locate(49) == "table:50"


@pytest.mark.parametrize("limit", [0, 3000])
def test_long_streams_go_to_a_file_without_a_name(tmp_path, monkeypatch, limit):
    monkeypatch.setattr("samestory.read.spool.SPOOL_BYTES", limit)
    opened = []

    def note(**settings):
        opened.append(settings["dir"])
        return temporary_file(**settings)

    monkeypatch.setattr("samestory.read.spool.tempfile.TemporaryFile", note)
    with open_source(stream(), Config(), scratch=tmp_path) as source:
        assert opened == [tmp_path]
        assert os.listdir(tmp_path) == []
        one, other = source.batches(), source.batches()
        next(one)
        assert sum(batch.num_rows for batch in other) == 50
        assert ids(source) == TABLE["id"].to_pylist()
        assert [row["text"] for batch in source.raw_batches() for row in batch.to_pylist()] == TABLE[
            "text"
        ].to_pylist()
    with pytest.raises((InputError, ValueError)):
        list(source.batches())


LINES = b'{"id": 1, "text": "Eins."}\n\n{"id": 2, "text": "\xd0\x94\xd0\xb2\xd0\xb0."}\n'


def give_stdin(monkeypatch, data: bytes):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize("limit", [1 << 20, 5])
def test_standard_input(monkeypatch, tmp_path, limit):
    monkeypatch.setattr("samestory.read.spool.SPOOL_BYTES", limit)
    monkeypatch.setattr("samestory.read.spool._READ_BYTES", 16)
    give_stdin(monkeypatch, LINES)
    with open_source("-", Config(), scratch=tmp_path) as source:
        assert source.inputs == ["-"]
        assert source.n_bytes == len(LINES)
        for _ in range(2):
            assert ids(source) == ["1", "2"]
        assert source.locate(1) == "-:3"
        assert os.listdir(tmp_path) == []


def test_standard_input_without_ids_and_as_csv(monkeypatch):
    give_stdin(monkeypatch, b'{"text": "x"}\n')
    assert ids(open_source("-", Config())) == ["-:1"]
    give_stdin(monkeypatch, b"id,text\n7,x\n")
    assert ids(open_source("-", Config(format="csv"))) == ["7"]
    give_stdin(monkeypatch, b"")
    assert ids(open_source("-", Config())) == []


def test_standard_input_can_stand_among_files(monkeypatch, tmp_path):
    (tmp_path / "a.csv").write_text("id,text\n0,x\n")
    give_stdin(monkeypatch, LINES)
    assert ids(open_source([tmp_path / "a.csv", "-"], Config())) == ["0", "1", "2"]
    with pytest.raises(InputError, match="once"):
        open_source(["-", "-"], Config())
    with pytest.raises(InputError, match="parquet"):
        open_source("-", Config(format="parquet"))


@pytest.mark.parametrize("data", [42, None, {"text": ["x"]}])
def test_what_is_no_input(data):
    with pytest.raises(InputError, match="type"):
        open_source(data, Config())
