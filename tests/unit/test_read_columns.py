"""Which column is what, and which types can serve."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from samestory.config import Config
from samestory.errors import SchemaError
from samestory.read import open_source

TEXTS = [
    "Brand in Porto, niemand verletzt.",
    None,
    "Пожар в порту потушен за час.",
    "Incendie maîtrisé à Marseille.",
]


def read(data, **settings) -> pa.Table:
    with open_source(data, Config(**settings)) as source:
        return pa.Table.from_batches(list(source.batches()))


def test_names_in_any_case_first_alias_wins():
    table = pa.table(
        {"ID": ["1"], "Content": ["b"], "TEXT": ["a"], "Headline": ["h"], "Outlet": ["o"], "LINK": ["l"]}
    )
    with open_source(table, Config()) as source:
        assert source.columns == {
            "doc_id": "ID",
            "text": "TEXT",
            "title": "Headline",
            "source": "Outlet",
            "url": "LINK",
            "published_at": None,
        }


def test_exact_spelling_goes_first():
    table = pa.table({"Text": ["no"], "text": ["yes"]})
    assert read(table)["text"].to_pylist() == ["yes"]


def test_settings_name_columns():
    table = pa.table({"id": ["1"], "nr": [9], "text": ["a"], "Volltext": ["b"], "wann": ["2020-02-03"]})
    got = read(table, id_column="nr", text_column="volltext", date_column="wann").to_pylist()[0]
    assert (got["doc_id"], got["text"], got["published_at"].day) == ("9", "b", 3)


def test_one_column_in_two_roles(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": 1, "text": "x"}\n')
    got = read(tmp_path / "a.jsonl", title_column="id", source_column="text").to_pylist()[0]
    assert (got["doc_id"], got["title"], got["source"]) == ("1", "1", "x")


def test_missing_column_is_told_with_those_there_are():
    with pytest.raises(SchemaError, match=r"'corpo'.*'id', 'testo'.*\n.*--text-column"):
        read(pa.table({"id": ["1"], "testo": ["a"]}), text_column="corpo")


def test_neither_text_nor_title():
    with pytest.raises(SchemaError, match="--text-column"):
        read(pa.table({"id": ["1"], "n": [3]}))
    assert read(pa.table({"id": ["1"], "headline": ["Just this"]}))["text"].to_pylist() == [None]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.dictionary(pa.int32(), pa.string()),
        pa.dictionary(pa.int8(), pa.large_string()),
    ],
)
def test_string_types(kind, tmp_path):
    column = pa.array(TEXTS, pa.string()).cast(kind)
    table = pa.table(
        {"id": pa.array(list("abcd")).cast(kind), "text": column, "title": column, "source": column}
    )
    for data in (table, table.slice(1)):
        got = read(data)
        for name in ("text", "title", "source"):
            assert got[name].to_pylist() == data["text"].to_pylist()
        assert got["doc_id"].to_pylist() == data["id"].to_pylist()
    pq.write_table(table, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet")["text"].to_pylist() == TEXTS


def test_string_views():
    table = pa.table(
        {"id": pa.array(list("abcd"), pa.string_view()), "text": pa.array(TEXTS, pa.string_view())}
    )
    got = read(table)
    assert (got["doc_id"].to_pylist(), got["text"].to_pylist()) == (list("abcd"), TEXTS)


def test_null_columns():
    got = read(pa.table({"id": ["a"], "text": pa.nulls(1), "title": ["t"], "date": pa.nulls(1)}))
    assert got.to_pylist()[0]["text"] is None
    assert got.to_pylist()[0]["published_at"] is None


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint64(), pa.int64()])
def test_whole_numbers_as_ids(kind):
    assert read(pa.table({"id": pa.array([1, 120], kind), "text": ["a", "b"]}))["doc_id"].to_pylist() == [
        "1",
        "120",
    ]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("id", pa.array([1.5])),
        ("id", pa.array([True])),
        ("text", pa.array([3])),
        ("text", pa.array([["a"]])),
        ("text", pa.array([b"a"])),
        ("title", pa.array([["a"]])),
        ("url", pa.array([{"a": 1}])),
        ("date", pa.array([{"a": 1}])),
        ("date", pa.array([True])),
    ],
)
def test_types_that_cannot_serve(name, values):
    columns = {"id": pa.array(["1"]), "text": pa.array(["a"])} | {name: values}
    with pytest.raises(SchemaError, match=re.escape(f"'{name}' is of type {values.type}")):
        read(pa.table(columns))


def test_other_scalars_as_title():
    assert read(pa.table({"id": ["1"], "text": ["a"], "title": [1984]}))["title"].to_pylist() == ["1984"]


def test_two_columns_of_the_name():
    table = pa.Table.from_arrays(
        [pa.array(["1"]), pa.array(["a"]), pa.array(["b"])], names=["id", "text", "text"]
    )
    with pytest.raises(SchemaError, match="more than one"):
        read(table)


def test_without_ids_the_place_is_the_id(tmp_path, monkeypatch):
    table = pa.table({"text": ["a", "b"]})
    assert read(table)["doc_id"].to_pylist() == ["table:1", "table:2"]
    pq.write_table(table, tmp_path / "x.parquet")
    (tmp_path / "y.jsonl").write_text('{"text": "c"}\n\n{"text": "d"}\n')
    assert read(tmp_path)["doc_id"].to_pylist() == ["x.parquet:1", "x.parquet:2", "y.jsonl:1", "y.jsonl:3"]
    monkeypatch.chdir(tmp_path)
    assert read("y.jsonl")["doc_id"].to_pylist() == ["y.jsonl:1", "y.jsonl:3"]


def test_each_file_has_its_own_columns(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "1", "body": "eins"}\n')
    (tmp_path / "b.csv").write_text("guid,content,headline\n2,zwei,Titel\n")
    with open_source(tmp_path, Config()) as source:
        assert source.columns["text"] == "body"
        got = pa.Table.from_batches(list(source.batches())).to_pylist()
    assert [(row["doc_id"], row["text"], row["title"]) for row in got] == [
        ("1", "eins", None),
        ("2", "zwei", "Titel"),
    ]


def test_text_is_not_copied_where_its_layout_fits():
    table = pa.table({"id": ["1"], "text": pa.array(["some text " * 10], pa.large_string())})
    with open_source(table, Config()) as source:
        batch = next(source.batches())
    assert batch.column("text").buffers()[2].address == table["text"].chunk(0).buffers()[2].address
