"""Broken rows: named and fatal, or set aside, and the same ones on every pass."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from samestory.config import Config
from samestory.errors import InputError
from samestory.read import open_source

SKIP = Config(on_error="skip")
GOOD = b'{"id": "a", "text": "Streik in Turin."}\n'
LAST = b'{"id": "z", "text": "Strajk w Turynie."}\n'

BROKEN_LINES = {
    "cut off": (b'{"id": "b", "text": "half a li', "JSON"),
    "garbage after": (b'{"id": "b", "text": "x"} extra', "JSON"),
    "two objects": (b'{"id": "b", "text": "x"}{"id": "c", "text": "y"}', "JSON"),
    "list": (b'["b", "x"]', "not a JSON object"),
    "null": (b"null", "not a JSON object"),
    "number": (b"17", "not a JSON object"),
    "bare words": (b"hello there", "JSON"),
    "too deep": (b'{"id": "b", "text": "x", "more": ' + b"[" * 100_000 + b"}", "JSON"),
    "text is number": (b'{"id": "b", "text": 5}', "'text' is a number"),
    "text is list": (b'{"id": "b", "text": ["x"]}', "'text' is a list"),
    "text is truth value": (b'{"id": "b", "text": true}', "'text' is a truth value"),
    "title is object": (b'{"id": "b", "text": "x", "title": {"en": "y"}}', "'title' is an object"),
    "date is list": (b'{"id": "b", "text": "x", "date": []}', "'date' is a list"),
    "id is float": (b'{"id": 1.5, "text": "x"}', "'id' is a number"),
    "id is truth value": (b'{"id": false, "text": "x"}', "'id' is a truth value"),
    "null id": (b'{"id": null, "text": "x"}', "null"),
    "no id": (b'{"text": "x"}', "null"),
    "empty id": (b'{"id": "", "text": "x"}', "empty"),
    "bad UTF-8": (b'{"id": "b", "text": "caf\xe9"}', "UTF-8"),
    "lone surrogate": (b'{"id": "b", "text": "\\ud83d"}', "Unicode"),
    "lone low surrogate": (b'{"id": "b", "text": "\\udc00"}', "Unicode"),
}  # fmt: skip

# A head that shows all columns, so that each is known when its broken value comes.
HEAD = b'{"id": "head", "text": "Huelga.", "title": "t", "date": "2020-01-01"}\n'


@pytest.mark.parametrize("case", BROKEN_LINES)
def test_broken_line(case, tmp_path):
    line, reason = BROKEN_LINES[case]
    path = tmp_path / "news.jsonl"
    path.write_bytes(HEAD + GOOD + b"\n" + line + b"\n" + LAST)
    with open_source(path, Config()) as source, pytest.raises(InputError) as caught:
        list(source.batches())
    assert "news.jsonl:4: " in str(caught.value)
    assert reason in str(caught.value)
    assert "--on-error skip" in str(caught.value)
    assert len(str(caught.value)) < 600
    with open_source(path, SKIP) as source:
        ids = [row["doc_id"] for batch in source.batches() for row in batch.to_pylist()]
        assert ids == ["head", "a", "z"]
        assert [reject.row for reject in source.rejects] == [4]
        assert reason in source.rejects[0].reason
        assert source.rejects[0].raw == line.decode("utf-8", "replace")[:65536]
        assert source.locate(2).endswith("news.jsonl:5")


def test_value_in_a_message_is_short_and_on_one_line(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(GOOD + b'{"id": 4, "text": "\x1b[31m' + b"x" * 5000 + b"\n")
    with pytest.raises(InputError) as caught, open_source(tmp_path / "a.jsonl", Config()) as source:
        list(source.batches())
    assert "\x1b" not in str(caught.value)
    assert len(caught.value.message) < 400
    assert "\n" not in caught.value.message


def test_control_characters_in_strings_do_no_harm(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"id": "a", "text": "one\ttwo"}\n')
    with open_source(tmp_path / "a.jsonl", Config()) as source:
        assert next(source.batches())["text"].to_pylist() == ["one\ttwo"]


def test_only_broken_lines(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"nothing\nof use\n")
    with open_source(tmp_path / "a.jsonl", SKIP) as source:
        assert list(source.batches()) == []
        assert [reject.row for reject in source.rejects] == [1, 2]
    with (
        pytest.raises(InputError, match=r"a\.jsonl:1"),
        open_source(tmp_path / "a.jsonl", Config()) as source,
    ):
        list(source.batches())


def test_first_lines_broken(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"no\n" * 3 + GOOD)
    with open_source(tmp_path / "a.jsonl", SKIP) as source:
        assert source.columns["text"] == "text"
        assert [row["doc_id"] for batch in source.batches() for row in batch.to_pylist()] == ["a"]


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_csv_with_too_few_and_too_many_fields(tmp_path, ending):
    rows = ["id,text", '1,"two\nlines"', "2", '3,"a\nb",c', "4,ok", "", "5,ok,", ",no id"]
    if ending == "tsv":
        rows = [row.replace(",", "\t") for row in rows]
    path = tmp_path / f"news.{ending}"
    path.write_text("\n".join(rows) + "\n")
    with (
        pytest.raises(InputError, match=rf"news\.{ending}:2: 1 fields.*2"),
        open_source(path, Config()) as source,
    ):
        list(source.batches())
    with open_source(path, SKIP) as source:
        assert [row["doc_id"] for batch in source.batches() for row in batch.to_pylist()] == ["1", "4"]
        assert [(reject.row, reject.reason[:8]) for reject in source.rejects] == [
            (2, "1 fields"),
            (3, "3 fields"),
            (5, "3 fields"),
            (6, "the id ("),
        ]
        assert [source.locate(i).rpartition(":")[2] for i in (0, 1)] == ["1", "4"]


def test_csv_with_bad_utf8_loses_only_that_row(tmp_path):
    (tmp_path / "news.csv").write_bytes(b"id,text\n1,gut\n2,caf\xe9\n3,\xc3\xbcbel\n")
    with pytest.raises(InputError, match=r"news\.csv:2: column 'text' is not valid UTF-8"):
        list(open_source(tmp_path / "news.csv", Config()).batches())
    with open_source(tmp_path / "news.csv", SKIP) as source:
        assert [row["text"] for batch in source.batches() for row in batch.to_pylist()] == ["gut", "übel"]
        assert json.loads(source.rejects[0].raw) == {"id": "2", "text": "caf\ufffd"}


def unchecked(*texts: bytes) -> pa.Array:
    return pa.array(texts, pa.binary()).view(pa.string())


@pytest.mark.parametrize("column", ["id", "text", "title", "url", "date"])
def test_bad_utf8_in_parquet(tmp_path, column):
    columns = {"id": ["1", "2", "3"], "text": ["a", "b", "c"], "date": ["2020-01-01"] * 3}
    # The two halves of one character in two rows: valid only if one looks at the buffer as a whole.
    columns[column] = unchecked(b"fine", b"half \xc3", b"\xa9 other half")
    pq.write_table(pa.table(columns), tmp_path / "news.parquet")
    with pytest.raises(InputError, match=r"news\.parquet:2.*UTF-8"):
        list(open_source(tmp_path / "news.parquet", Config()).batches())
    with open_source(tmp_path / "news.parquet", SKIP) as source:
        assert sum(batch.num_rows for batch in source.batches()) == 1
        assert [reject.row for reject in source.rejects] == [2, 3]


def test_null_and_empty_ids():
    table = pa.table({"id": ["a", None, "", "b"], "text": list("wxyz")})
    with pytest.raises(InputError, match=r"table:2.*null"):
        list(open_source(table, Config()).batches())
    with open_source(table, SKIP) as source:
        assert [row["text"] for batch in source.batches() for row in batch.to_pylist()] == ["w", "z"]
        assert [(reject.file, reject.row) for reject in source.rejects] == [("table", 2), ("table", 3)]


def test_repeated_ids_are_set_aside_with_the_first_place(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"id": 1, "text": "x"}\n{"id": 2, "text": "y"}\n{"id": 1, "text": "z"}\n'
    )
    (tmp_path / "b.csv").write_text("id,text\n3,u\n2,v\n3,w\n")
    with open_source(tmp_path, SKIP) as source:
        texts = [row["text"] for batch in source.batches() for row in batch.to_pylist()]
        assert texts == ["x", "y", "u"]
        assert [(r.file, r.row, r.reason) for r in source.rejects] == [
            ("a.jsonl", 3, "the id '1' is that of a.jsonl:1"),
            ("b.csv", 2, "the id '2' is that of a.jsonl:2"),
            ("b.csv", 3, "the id '3' is that of b.csv:1"),
        ]
        assert source.rejects[0].raw == '{"id": 1, "text": "z"}'


def test_repeated_ids_are_left_to_the_pipeline_otherwise():
    table = pa.table({"id": ["a", "a"], "text": ["x", "y"]})
    with open_source(table, Config()) as source:
        assert sum(batch.num_rows for batch in source.batches()) == 2
        assert source.locate(1) == "table:2"


def broken_mixture(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(HEAD + b"broken\n" + GOOD + b'{"id": "q", "text": 4}\n\n' + LAST)
    (tmp_path / "b.csv").write_text("id,text,lang\nb1,x,de\nb2,y\nb3,z,fr\n,w,fr\nb1,again,de\n")
    pq.write_table(
        pa.table({"id": ["c1", None, "c3"], "text": unchecked(b"x", b"y", b"\xff"), "n": [1, 2, 3]}),
        tmp_path / "c.parquet",
    )
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "1.txt").write_bytes(b"\xff")
    (tmp_path / "d" / "2.txt").write_text("Üb immer Treu")
    return tmp_path


def rows_of(batches):
    return [row for batch in batches for row in batch.to_pylist()]


def test_every_pass_gives_the_same(tmp_path):
    with open_source(broken_mixture(tmp_path), SKIP) as source:
        first = rows_of(source.batches())
        rejects = list(source.rejects)
        assert [row["doc_id"] for row in first] == ["head", "a", "z", "b1", "b3", "c1", "d/2.txt"]
        assert len(rejects) == 8
        assert rows_of(source.batches()) == first
        assert [row["text"] for row in rows_of(source.batches(("text",)))] == [row["text"] for row in first]
        raw = rows_of(source.raw_batches())
        assert [row.get("id") or row["doc_id"] for row in raw] == [row["doc_id"] for row in first]
        assert raw[3] == {"id": "b1", "text": "x", "lang": "de"}
        assert source.rejects == rejects
        places = [source.locate(i) for i in range(len(first))]
    assert places == ["a.jsonl:1", "a.jsonl:3", "a.jsonl:6", "b.csv:1", "b.csv:3", "c.parquet:1", "d/2.txt:1"]


@pytest.mark.parametrize("how", ["text", "raw", "broken off"])
def test_first_pass_of_another_kind(tmp_path, how):
    with open_source(broken_mixture(tmp_path), SKIP) as source:
        if how == "text":
            assert len(rows_of(source.batches(("text",)))) == 7
        elif how == "raw":
            assert len(rows_of(source.raw_batches())) == 7
        else:
            next(source.batches())
        assert len(rows_of(source.batches())) == 7
        assert len(source.rejects) == 8
        assert len(rows_of(source.raw_batches())) == 7


def test_raw_lines_leave_out_the_same(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(HEAD + b"broken\n" + GOOD + b"\r\n" + LAST.rstrip())
    with open_source(tmp_path / "a.jsonl", SKIP) as source:
        assert b"".join(b"".join(lines.to_pylist()) for lines in source.raw_lines()) == HEAD + GOOD + LAST
