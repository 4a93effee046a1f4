"""Every format gives the same articles."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from samestory import schema
from samestory.config import Config
from samestory.errors import InputError, SchemaError
from samestory.read import open_source

ROWS = [
    {"id": "lima-1", "text": "The river rose by two metres, the mayor said.", "title": "Flood in Lima"},
    {"id": "köln-2", "text": "Der Dom bleibt bis Montag zu.\nGrund ist \"ein Riss\".", "title": "Dom zu"},
    {"id": "омск-3", "text": "Мост через Иртыш откроют осенью; «раньше не выйдет».", "title": None},
    {"id": "kyoto-4", "text": "京都の新しい図書館が開館した、午前九時に。", "title": "図書館"},
    {"id": "cairo-5", "text": "", "title": "افتتاح المتحف"},
]  # fmt: skip


def table_of(rows=ROWS) -> pa.Table:
    return pa.Table.from_pylist(rows)


def jsonl_of(rows=ROWS) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def csv_of(rows=ROWS, delimiter=",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def articles(data, columns=None, **settings) -> list[dict]:
    with open_source(data, Config(**settings)) as source:
        batches = list(source.batches(columns))
        if columns is None:
            assert all(batch.schema == schema.ARTICLE for batch in batches)
        return [row for batch in batches for row in batch.to_pylist()]


def brief(rows) -> list[tuple]:
    return [(row["doc_id"], row["text"] or "", row["title"] or "") for row in rows]


EXPECTED = [(row["id"], row["text"], row["title"] or "") for row in ROWS]


def zstd(data: bytes) -> bytes:
    return pa.compress(data, "zstd", asbytes=True)


@pytest.mark.parametrize(
    ("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".zst", zstd)]
)
@pytest.mark.parametrize(
    ("ending", "make"),
    [(".jsonl", jsonl_of), (".ndjson", jsonl_of), (".csv", csv_of), (".tsv", lambda: csv_of(delimiter="\t"))],
)  # fmt: skip
def test_text_formats_plain_and_compressed(tmp_path, ending, make, suffix, pack):
    path = tmp_path / f"news{ending}{suffix}"
    path.write_bytes(pack(make()))
    assert brief(articles(path)) == EXPECTED


def test_name_in_capitals_tells_the_format(tmp_path):
    path = tmp_path / "NEWS.JSONL.GZ"
    path.write_bytes(gzip.compress(jsonl_of()))
    assert brief(articles(path)) == EXPECTED


def test_parquet(tmp_path):
    pq.write_table(table_of(), tmp_path / "news.parquet")
    assert brief(articles(tmp_path / "news.parquet")) == EXPECTED


@pytest.mark.parametrize("ending", [".arrow", ".feather"])
@pytest.mark.parametrize("opener", [pa.ipc.new_file, pa.ipc.new_stream])
def test_arrow_file_and_stream(tmp_path, ending, opener):
    path = tmp_path / f"news{ending}"
    with pa.OSFile(str(path), "wb") as sink, opener(sink, table_of().schema) as writer:
        writer.write_table(table_of(), 2)
    assert brief(articles(path)) == EXPECTED
    assert [row["text"] for row in articles(path, ("text",))] == [row["text"] for row in ROWS]


def test_format_setting_overrides_the_name(tmp_path):
    path = tmp_path / "news.data"
    path.write_bytes(jsonl_of())
    with pytest.raises(InputError, match="--format"):
        articles(path)
    assert brief(articles(path, format="jsonl")) == EXPECTED


def test_directory_of_text_files(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfRegen in Ulm.\n")
    (tmp_path / "b" / "c.txt").write_text("Снег в Омске.", encoding="utf-8")
    expected = [("a.txt", "Regen in Ulm.\n"), ("b/c.txt", "Снег в Омске.")]
    assert [(row["doc_id"], row["text"]) for row in articles(tmp_path)] == expected
    assert [(row["doc_id"], row["text"]) for row in articles(str(tmp_path / "**" / "*.txt"))] == expected
    with open_source(tmp_path, Config()) as source:
        assert source.locate(1) == "b/c.txt:1"


def test_text_file_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / "good.txt").write_text("Tout va bien.")
    (tmp_path / "odd.txt").write_bytes("Café fermé".encode("latin-1"))
    with pytest.raises(InputError, match=r"odd\.txt:1.*UTF-8"):
        articles(tmp_path)
    with open_source(tmp_path, Config(on_error="skip")) as source:
        assert [row["doc_id"] for batch in source.batches() for row in batch.to_pylist()] == ["good.txt"]
        assert [(reject.file, reject.row) for reject in source.rejects] == [("odd.txt", 1)]


def test_text_files_are_read_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("samestory.read.textfiles.TARGET_BYTES", 100)
    for i in range(10):
        (tmp_path / f"{i}.txt").write_text("x" * 60)
    with open_source(tmp_path, Config()) as source:
        chunks = list(source._readers[0].chunks(None))
    assert [chunk.batch.num_rows for chunk in chunks] == [1] * 10


@pytest.mark.parametrize(
    ("name", "data", "cut"),
    [
        ("news.jsonl.gz", gzip.compress(jsonl_of(ROWS * 50)), 20),
        ("news.csv.bz2", bz2.compress(csv_of(ROWS * 50)), 20),
        ("news.jsonl.zst", zstd(jsonl_of(ROWS * 50)), 20),
    ],
)
def test_cut_off_compressed_file_is_named(tmp_path, name, data, cut):
    (tmp_path / name).write_bytes(data[:-cut])
    with pytest.raises(InputError, match=name):
        articles(tmp_path / name)


def test_damaged_parquet_is_named(tmp_path):
    path = tmp_path / "news.parquet"
    pq.write_table(table_of(ROWS * 100), path, compression="none", use_dictionary=False)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(InputError, match=r"news\.parquet"):
        articles(path)
    path.write_bytes(whole[:4] + bytes(2000) + whole[2004:])
    with pytest.raises(InputError, match=r"news\.parquet"):
        articles(path)


def test_damaged_arrow_is_named(tmp_path):
    (tmp_path / "news.arrow").write_bytes(b"not arrow at all, by any means")
    with pytest.raises(InputError, match=r"news\.arrow"):
        articles(tmp_path / "news.arrow")


@pytest.mark.parametrize("name", ["empty.jsonl", "empty.csv"])
def test_empty_files_have_no_rows(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert articles(tmp_path / name) == []


def test_csv_header_without_rows(tmp_path):
    for i, data in enumerate((b"id,text", b"id,text\n", b"\xef\xbb\xbfid,text\r\n")):
        path = tmp_path / f"{i}.csv"
        path.write_bytes(data)
        with open_source(path, Config()) as source:
            assert source.columns["doc_id"] == "id"
            assert list(source.batches()) == []


def test_csv_without_header_is_told(tmp_path):
    (tmp_path / "bare.csv").write_text("1,Feuer in Lyon\n2,Feuer in Nancy\n")
    with pytest.raises(SchemaError, match="header"):
        articles(tmp_path / "bare.csv")


def test_csv_quotes_line_breaks_and_long_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("samestory.read.delimited._BLOCK_BYTES", 4096)
    texts = ['He said "no"\r\nand, then, left.', "x" * 50_000, "short", "y" * 3000 + "\n" * 2000, "ünd"]
    rows = [{"id": str(i), "text": text} for i, text in enumerate(texts * 5)]
    (tmp_path / "news.csv").write_bytes(csv_of(rows))
    assert [(row["doc_id"], row["text"]) for row in articles(tmp_path / "news.csv")] == [
        (row["id"], row["text"]) for row in rows
    ]


def test_csv_row_numbers_survive_longer_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("samestory.read.delimited._BLOCK_BYTES", 2048)
    lines = ["id,text"] + [f"{i},text {i}" if i % 7 else f"{i},one,too many" for i in range(1, 400)]
    lines[250] = "250," + "z" * 9000
    (tmp_path / "news.csv").write_text("\n".join(lines) + "\n")
    with open_source(tmp_path / "news.csv", Config(on_error="skip")) as source:
        ids = [row["doc_id"] for batch in source.batches() for row in batch.to_pylist()]
        assert ids == [str(i) for i in range(1, 400) if i % 7 or i == 250]
        assert [reject.row for reject in source.rejects] == [i for i in range(7, 400, 7) if i != 250]
        assert source.locate(ids.index("250")).endswith("news.csv:250")
        assert source.locate(ids.index("398")).endswith("news.csv:398")


def test_jsonl_blocks_blank_lines_and_long_lines(tmp_path, monkeypatch):
    monkeypatch.setattr("samestory.read.jsonlines._PARSE_BYTES", 1000)
    rows = [{"id": i, "text": "long " * (i * 37 % 900)} for i in range(100)]
    lines = jsonl_of(rows).decode().splitlines()
    text = "\n\r\n".join(lines[:50]) + "\n   \n" + "\n".join(lines[50:])
    (tmp_path / "news.jsonl").write_bytes(b"\xef\xbb\xbf" + text.encode())
    for threads in (1, 4):
        read = articles(tmp_path / "news.jsonl", threads=threads)
        assert [(row["doc_id"], row["text"]) for row in read] == [(str(r["id"]), r["text"]) for r in rows]
    with open_source(tmp_path / "news.jsonl", Config()) as source:
        assert [source.locate(i).rpartition(":")[2] for i in (0, 1, 49, 50, 99)] == [
            "1",
            "3",
            "99",
            "101",
            "150",
        ]


def test_jsonl_line_over_16_mb(tmp_path):
    rows = [{"id": "a", "text": "kurz"}, {"id": "b", "text": "ä" * (9 << 20)}, {"id": "c", "text": "kurz"}]
    (tmp_path / "news.jsonl").write_bytes(jsonl_of(rows))
    assert [len(row["text"]) for row in articles(tmp_path / "news.jsonl")] == [4, 9 << 20, 4]


def test_jsonl_numbers_and_mixed_types(tmp_path):
    rows = [
        {"id": 7, "text": "a", "title": 24, "source": True},
        {"id": "7b", "text": None, "title": "24", "source": "x"},
        {"id": 12345678901234567890123, "text": "c", "title": 1.5, "source": None},
    ]
    (tmp_path / "news.jsonl").write_bytes(jsonl_of(rows))
    read = articles(tmp_path / "news.jsonl")
    assert [row["doc_id"] for row in read] == ["7", "7b", "12345678901234567890123"]
    assert [row["title"] for row in read] == ["24", "24", "1.5"]
    assert [row["source"] for row in read] == ["true", "x", None]
    assert [row["text"] for row in read] == ["a", None, "c"]


def test_jsonl_column_that_comes_late(tmp_path):
    rows = [{"id": 1, "text": "a"}, {"id": 2, "text": "b", "title": "Später"}]
    (tmp_path / "news.jsonl").write_bytes(jsonl_of(rows))
    assert [row["title"] for row in articles(tmp_path / "news.jsonl")] == [None, "Später"]


def test_parquet_with_hive_partitions(tmp_path):
    for day, text in (("2024-05-01", "Wahl in Riga"), ("2024-05-02", "Sturm in Gdańsk")):
        folder = tmp_path / f"date={day}" / "outlet=daily%20news"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"id": [day], "text": [text]}), folder / "part-0.parquet")
    (tmp_path / "_SUCCESS").touch()
    read = articles(tmp_path)
    assert [(row["doc_id"], row["source"], row["published_at"].day) for row in read] == [
        ("2024-05-01", "daily news", 1),
        ("2024-05-02", "daily news", 2),
    ]
    assert [row["source"] for row in articles(tmp_path, ("source",))] == ["daily news"] * 2
    with open_source(tmp_path, Config()) as source:
        assert next(source.raw_batches()).to_pylist() == [
            {"id": "2024-05-01", "text": "Wahl in Riga", "date": "2024-05-01", "outlet": "daily news"}
        ]


def test_columns_subset_in_schema_order(tmp_path):
    (tmp_path / "news.jsonl").write_bytes(jsonl_of())
    with open_source(tmp_path / "news.jsonl", Config()) as source:
        batches = list(source.batches(("title", "doc_id")))
        assert batches[0].schema.names == ["doc_id", "title"]
        with pytest.raises(ValueError, match="colour"):
            source.batches(("colour",))


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv", "arrow"])
def test_absent_columns_alone_still_count_rows(tmp_path, ending):
    path = Path(tmp_path / f"news.{ending}")
    if ending == "parquet":
        pq.write_table(table_of(), path)
    elif ending == "arrow":
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table_of().schema) as writer:
            writer.write_table(table_of())
    else:
        path.write_bytes(jsonl_of() if ending == "jsonl" else csv_of())
    assert articles(path, ("url",)) == [{"url": None}] * len(ROWS)
