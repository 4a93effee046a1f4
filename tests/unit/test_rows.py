"""The input's own rows and columns, less those that are not kept."""

from __future__ import annotations

import gzip
import io
import json
import os
from datetime import datetime, timezone

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from samestory.config import Config
from samestory.errors import InputError, OutputError
from samestory.leftovers import SUFFIX, hidden_prefix
from samestory.read import open_source
from samestory.rows import check_output, write_kept_rows

ROWS = [
    {"id": "1", "text": "Le pont est fermé.", "lang": "fr", "tags": ["pont"], "n": 1},
    {"id": "2", "text": "The bridge, \"closed\"\nsince May.", "lang": "en", "tags": [], "n": None},
    {"id": "3", "text": "Мост закрыт.", "lang": "ru", "tags": ["мост", "город"], "n": 3},
    {"id": "4", "text": "橋は閉鎖中。", "lang": None, "tags": None, "n": 4},
]  # fmt: skip
KEEP = np.array([True, False, True, True])
KEPT = [ROWS[0], ROWS[2], ROWS[3]]


def write(data, keep, path, *, overwrite=False, **settings):
    with open_source(data, Config(**settings)) as source:
        return write_kept_rows(source, np.asarray(keep), path, overwrite=overwrite)


def rows_in(path) -> list[dict]:
    with open_source(path, Config(id_column="id")) as source:
        return [row for batch in source.raw_batches() for row in batch.to_pylist()]


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "name", ["out.parquet", "out.arrow", "out.feather", "out.jsonl", "out.ndjson.gz", "out.jsonl.zst"]
)
@pytest.mark.parametrize("from_table", [True, False])
def test_rows_and_columns_as_they_were(tmp_path, lines, name, from_table):
    data = pa.Table.from_pylist(ROWS) if from_table else lines
    assert write(data, KEEP, tmp_path / name) == 3
    assert rows_in(tmp_path / name) == KEPT


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.csv.gz", "out.tsv.bz2"])
def test_delimited_with_lists_as_json(tmp_path, lines, name):
    assert write(lines, [True] * 4, tmp_path / name) == 4
    got = rows_in(tmp_path / name)
    assert [row["text"] for row in got] == [row["text"] for row in ROWS]
    assert [row["n"] for row in got] == ["1", None, "3", "4"]
    assert [json.loads(row["tags"] or "null") for row in got] == [row["tags"] for row in ROWS]


def test_csv_keeps_values_as_they_are_spelt(tmp_path):
    (tmp_path / "in.csv").write_text('id,text,code,when\n1,a,007,2020-01-01\n2,"b, ""c""",,soon\n')
    write(tmp_path / "in.csv", [True, True], tmp_path / "out.csv")
    assert rows_in(tmp_path / "out.csv") == rows_in(tmp_path / "in.csv")
    assert rows_in(tmp_path / "out.csv")[0]["code"] == "007"


def test_lines_are_copied_byte_for_byte(tmp_path):
    odd = [
        b'{ "nr":1.0e0,  "text" : "caf\\u00e9", "x": 1.10}\r\n',
        b'{"text": "x", "y": 12345678901234567890123}\n',
        b'  {"text": "\xd0\xb4\\/", "x": NaN}\n',
        b'{"text": "no end of line"}',
    ]
    (tmp_path / "in.jsonl").write_bytes(b"\xef\xbb\xbf" + odd[0] + b"\n" + odd[1] + odd[2] + odd[3])
    write(tmp_path / "in.jsonl", [True, False, True, True], tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == odd[0] + odd[2] + odd[3] + b"\n"
    write(tmp_path / "in.jsonl", [True] * 4, tmp_path / "out.jsonl.gz")
    assert gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes()) == b"".join(odd) + b"\n"


def test_many_blocks_of_lines(tmp_path, monkeypatch):
    monkeypatch.setattr("samestory.read.jsonlines._PARSE_BYTES", 500)
    written = [f'{{"id": {i}, "text": "{"t" * (i % 90)}"}}\n' for i in range(300)]
    (tmp_path / "in.jsonl").write_text("".join(written))
    keep = np.arange(300) % 3 == 0
    assert write(tmp_path / "in.jsonl", keep, tmp_path / "out.jsonl", threads=1) == 100
    assert (tmp_path / "out.jsonl").read_text() == "".join(written[::3])


def test_files_of_different_columns_are_put_together(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text("id,text,n\n1,a,one\n")
    pq.write_table(pa.table({"text": ["b"], "id": ["2"], "n": [2], "x": [2.5]}), folder / "b.parquet")
    (folder / "c.jsonl").write_text('{"id": 3, "text": "c", "x": 7, "y": {"z": true}}\n')
    assert write(folder, [True] * 3, tmp_path / "out.parquet") == 3
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [
        {"id": "1", "text": "a", "n": "one", "x": None, "y": None},
        {"id": "2", "text": "b", "n": "2", "x": 2.5, "y": None},
        {"id": "3", "text": "c", "n": None, "x": 7.0, "y": {"z": True}},
    ]
    write(folder, [True] * 3, tmp_path / "out.jsonl")
    assert [json.loads(line)["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()] == [
        "1",
        "2",
        3,
    ]


def test_types_that_change_within_json_lines(tmp_path, monkeypatch):
    monkeypatch.setattr("samestory.read.jsonlines._PARSE_BYTES", 60)
    values = [1, 2.5, "three", None, [4], {"five": 5}, True]
    rows = [{"id": str(i), "text": "t", "v": value} for i, value in enumerate(values)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write(tmp_path / "in.jsonl", [True] * 7, tmp_path / "out.parquet", threads=1)
    got = pq.read_table(tmp_path / "out.parquet")["v"].to_pylist()
    assert [None if v is None else v.strip('"').lower() for v in got] == [
        "1",
        "2.5",
        "three",
        None,
        "[4]",
        '{"five": 5}',
        "true",
    ]


def test_json_lines_from_columns_of_every_kind(tmp_path):
    moment = datetime(2020, 1, 2, 3, tzinfo=timezone.utc)
    table = pa.table(
        {
            "id": pa.array(["1"], pa.dictionary(pa.int32(), pa.string())),
            "text": pa.array([b"caf\xe9"], pa.binary()).view(pa.string()),
            "title": ["ok"],
            "when": [moment],
            "blob": [b"\x00\xff"],
            "nan": [float("nan")],
            "deep": [{"inf": [float("inf"), 1.0]}],
        }
    )
    # The text is broken, but here only a title is asked for: what is copied must still be JSON.
    with open_source(table, Config(text_column="title")) as source:
        write_kept_rows(source, np.array([True]), tmp_path / "out.jsonl", overwrite=False)
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert row["text"] == "caf\ufffd"
    assert row["when"] == moment.isoformat()
    assert (row["blob"], row["nan"], row["deep"]) == ("AP8=", None, {"inf": [None, 1.0]})


@pytest.mark.parametrize("name", ["out.parquet", "out.arrow", "out.csv"])
def test_dictionaries_that_differ_from_batch_to_batch(tmp_path, name):
    batches = [pa.table({"id": [i], "text": pa.array([f"t{i}"]).dictionary_encode()}) for i in "abc"]
    assert write(pa.concat_tables(batches), [True] * 3, tmp_path / name) == 3
    assert [row["text"] for row in rows_in(tmp_path / name)] == ["ta", "tb", "tc"]


def test_text_files_give_two_columns(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.txt").write_text(f"Article {name}")
    assert write(folder, [False, True], tmp_path / "out.jsonl") == 1
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {"doc_id": "b.txt", "text": "Article b"}


@pytest.mark.parametrize("name", ["out.parquet", "out.jsonl", "out.csv", "out.arrow"])
def test_nothing_kept(tmp_path, lines, name):
    assert write(lines, [False] * 4, tmp_path / name) == 0
    assert (tmp_path / name).exists()
    if name != "out.jsonl":
        with open_source(tmp_path / name, Config()) as source:
            assert source.columns["text"] == "text"
            assert list(source.batches()) == []


def test_parquet_in_few_row_groups(tmp_path):
    table = pa.table({"id": [str(i) for i in range(5000)], "text": ["x" * 3000] * 5000})
    write(table, np.ones(5000, bool), tmp_path / "out.parquet")
    assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups == 1


def test_standard_output(lines, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr("sys.stdout", out)
    assert write(lines, KEEP, "-") == 3
    assert [json.loads(line) for line in out.buffer.getvalue().splitlines()] == KEPT


def test_existing_file_is_kept_without_overwrite(tmp_path, lines):
    path = tmp_path / "out.jsonl"
    path.write_text("mine")
    for call in (lambda: check_output(path, False), lambda: write(lines, KEEP, path)):
        with pytest.raises(OutputError, match="--overwrite"):
            call()
    assert path.read_text() == "mine"
    check_output(path, True)
    assert write(lines, KEEP, path, overwrite=True) == 3
    assert len(path.read_text().splitlines()) == 3


def test_input_can_be_its_own_output(tmp_path, lines):
    assert write(lines, KEEP, lines, overwrite=True) == 3
    assert rows_in(lines) == KEPT


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.txt", "ending"),
        ("out", "ending"),
        ("none/out.csv", "no directory"),
        ("dir.csv", "is a directory"),
    ],
)
def test_outputs_that_cannot_be(tmp_path, lines, name, message):
    (tmp_path / "dir.csv").mkdir()
    with pytest.raises(OutputError, match=message):
        write(lines, KEEP, tmp_path / name, overwrite=True)


@pytest.mark.parametrize("name", ["out.parquet", "out.jsonl", "out.csv.gz", "out.arrow"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device"), RuntimeError])
def test_whole_or_not_at_all(tmp_path, lines, monkeypatch, name, error):
    def fail(*_):
        raise error

    before = set(os.listdir(tmp_path))
    monkeypatch.setattr("samestory.rows.os.fsync", fail)
    with pytest.raises(OutputError if isinstance(error, OSError) else error):
        write(lines, KEEP, tmp_path / name)
    assert set(os.listdir(tmp_path)) == before


def test_what_a_killed_run_left_is_no_hindrance(tmp_path, lines):
    dead = 2**22 + 1  # beyond the numbers that Linux gives
    (tmp_path / f"{hidden_prefix(tmp_path / 'out.jsonl')}{dead}{SUFFIX}").write_text("left over " * 1000)
    assert write(lines, KEEP, tmp_path / "out.jsonl") == 3
    assert rows_in(tmp_path / "out.jsonl") == KEPT
    assert sorted(os.listdir(tmp_path)) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize("n", [3, 5])
@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_input_that_changed_meanwhile(tmp_path, lines, n, name):
    with pytest.raises(InputError, match="more rows" if n == 3 else "fewer rows"):
        write(lines, [True] * n, tmp_path / name)
    assert os.listdir(tmp_path) == ["in.jsonl"]


def test_rows_set_aside_are_not_written(tmp_path):
    (tmp_path / "in.jsonl").write_text(
        '{"id": 1, "text": "a"}\nbroken\n{"id": 1, "text": "b"}\n{"id": 2, "text": "c"}\n'
    )
    for name in ("out.jsonl", "out.parquet"):
        assert write(tmp_path / "in.jsonl", [True, True], tmp_path / name, on_error="skip") == 2
        assert [row["text"] for row in rows_in(tmp_path / name)] == ["a", "c"]
