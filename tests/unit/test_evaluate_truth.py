"""Labels: which columns, which formats, what they mean, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from samestory.errors import ConfigError, InputError, SamestoryError, SchemaError
from samestory.evaluate import ClusterTruth, PairTruth, read_truth

ROWS = [
    {"id": "1", "truth": "x, \"y\"", "text": "one\ntwo"},
    {"id": "2", "truth": "x, \"y\"", "text": ""},
    {"id": "3", "truth": None, "text": "é"},
    {"id": "4", "truth": "z", "text": "d"},
]  # fmt: skip


def clusters(source: Any, **options: Any) -> ClusterTruth:
    truth = read_truth(source, **options)
    assert isinstance(truth, ClusterTruth)
    return truth


def pairs(source: Any, **options: Any) -> PairTruth:
    truth = read_truth(source, **options)
    assert isinstance(truth, PairTruth)
    return truth


def pair_table(*rows: tuple[Any, Any, Any]) -> pa.Table:
    a, b, labels = map(list, zip(*rows, strict=True))
    return pa.table({"doc_id_a": a, "doc_id_b": b, "label": labels})


def write_delimited(path: Path) -> None:
    mark = "\t" if ".tsv" in path.name else ","
    quoted = [[f'"{(row[name] or "").replace(chr(34), chr(34) * 2)}"' for name in row] for row in ROWS]
    lines = [mark.join(ROWS[0]), *(mark.join(row) for row in quoted)]
    path.write_bytes(("\ufeff" + "\n".join(lines) + "\n").encode())


def write_json(path: Path) -> None:
    lines = [json.dumps({name: value for name, value in row.items() if value is not None}) for row in ROWS]
    path.write_bytes(("\ufeff" + "\n\n".join(lines)).encode())


def compressed(write: Callable[[Path], None], compress: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def written(path: Path) -> None:
        write(path)
        path.write_bytes(compress(path.read_bytes()))

    return written


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.parquet", lambda path: pq.write_table(pa.Table.from_pylist(ROWS), path)),
        ("t.arrow", lambda path: feather.write_feather(pa.Table.from_pylist(ROWS), path)),
        ("t.jsonl", write_json),
        ("T.NDJSON", write_json),
        ("t.jsonl.zst", compressed(write_json, lambda data: pa.compress(data, "zstd", asbytes=True))),
        ("t.csv", write_delimited),
        ("t.tsv", write_delimited),
        ("t.csv.gz", compressed(write_delimited, gzip.compress)),
        ("t.jsonl.bz2", compressed(write_json, bz2.compress)),
    ],
)
def test_formats(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    truth = clusters(tmp_path / name)
    assert truth.doc_ids.to_pylist() == ["1", "2", "4"]
    assert truth.labels.tolist() == [0, 0, 1]
    assert truth.n_unlabelled == 1
    assert truth.where == f"{tmp_path / name} (column 'truth')"


class Exported:
    """A table of another library."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("wrap", [lambda table: table, Exported])
def test_tables(wrap: Callable[[pa.Table], Any]) -> None:
    assert clusters(wrap(pa.Table.from_pylist(ROWS))).labels.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("labels", "codes", "n_unlabelled"),
    [
        (pa.array([7, 7, None, 9]), [0, 0, 1], 1),
        (pa.array([7.0, float("nan"), None, 7.0]), [0, 0], 2),
        (pa.array([True, False, True, None]), [0, 1, 0], 1),
        (pa.array(["x", " ", "", "x"]).dictionary_encode(), [0, 0], 2),
        (pa.array(["x", "X", "x ", "x"], pa.large_string()), [0, 1, 2, 0], 0),
        (pa.array(["x", "x", None, "y"], pa.string_view()), [0, 0, 1], 1),
    ],
)
def test_types_of_labels(labels: pa.Array, codes: list[int], n_unlabelled: int) -> None:
    truth = clusters(pa.table({"doc_id": [1, 2, 3, 4], "label": labels}))
    assert (truth.labels.tolist(), truth.n_unlabelled) == (codes, n_unlabelled)


def test_json_labels_of_several_types(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text(
        '{"id": 1, "label": 5}\n{"id": "2", "label": "5"}\n{"id": 3, "label": true}'
    )
    truth = clusters(tmp_path / "t.jsonl")
    assert truth.doc_ids.to_pylist() == ["1", "2", "3"]
    assert truth.labels.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("names", "options", "found"),
    [
        (["id", "class", "Truth", "label"], {}, "Truth"),
        (["UID", "event", "cluster_id"], {}, "cluster_id"),
        (["id", "truth", "topic"], {"truth_column": "topic"}, "topic"),
        (["id", "name", "gold"], {"id_column": "name"}, "gold"),
        (["doc_id_a", "doc_id_b", "name", "gold"], {"id_column": "name"}, "gold"),
        (["id", "a", "b", "label"], {}, "label"),
    ],
)
def test_columns_of_articles(names: list[str], options: dict[str, str], found: str) -> None:
    table = pa.table({name: [name + "1", name + "2"] for name in names})
    truth = clusters(table, **options)
    assert truth.where.endswith(f"(column '{found}')")
    assert truth.doc_ids.to_pylist()[0] == options.get("id_column", names[0]) + "1"


@pytest.mark.parametrize("names", [("doc_id_a", "doc_id_b"), ("ID_A", "id_b"), ("a", "b"), ("Left", "Right")])
def test_columns_of_pairs(names: tuple[str, str]) -> None:
    truth = pairs(pa.table({names[0]: [1, 2], names[1]: [2, 3], "truth": [True, False]}))
    assert (truth.ids_a.to_pylist(), truth.ids_b.to_pylist()) == (["1", "2"], ["2", "3"])
    assert truth.same.tolist() == [True, False]


def test_clear_names_of_pairs_go_before_an_id() -> None:
    table = pair_table(("a", "b", 1)).append_column("id", pa.array([17]))
    assert pairs(table).ids_a.to_pylist() == ["a"]


@pytest.mark.parametrize(
    ("labels", "same"),
    [
        ([True, False], [True, False]),
        ([1, 0], [True, False]),
        ([1.0, 0.0], [True, False]),
        (["Yes", "no"], [True, False]),
        (["same", "different"], [True, False]),
        ([" duplicate", "NOT"], [True, False]),
        (["copy", "copy"], [True, True]),
        (["TRUE", "False"], [True, False]),
    ],
)
def test_words_that_mean_same_or_different(labels: list[Any], same: list[bool]) -> None:
    assert pairs(pair_table(("a", "b", labels[0]), ("c", "d", labels[1]))).same.tolist() == same


GRADED = pair_table(("a", "b", "heavy"), ("c", "d", "light"), ("e", "f", "non"), ("g", "h", "light"))


def test_labels_of_which_the_meaning_is_not_clear() -> None:
    with pytest.raises(ConfigError, match=r"'light' \(2\), 'heavy' \(1\), 'non' \(1\)") as caught:
        read_truth(GRADED)
    assert "--positive" in str(caught.value.hint)


def test_labels_chosen_to_mean_the_same() -> None:
    assert pairs(GRADED, positive=["light", "heavy"]).same.tolist() == [True, True, False, True]
    assert pairs(GRADED, positive="light").same.tolist() == [False, True, False, True]
    assert pairs(GRADED, positive=["light"]).counts == {"heavy": 1, "light": 2, "non": 1}
    with pytest.raises(ConfigError, match=r"no pair is labelled 'lihgt'; the labels are 'light' \(2\)"):
        read_truth(GRADED, positive=["lihgt"])


def test_many_labels_are_not_all_listed() -> None:
    with pytest.raises(ConfigError, match=r"'l29' \(1\) and 10 more"):
        read_truth(pair_table(*((f"a{i}", f"b{i}", f"l{i + 10}") for i in range(30))))


def test_positive_is_for_pairs() -> None:
    with pytest.raises(ConfigError, match="labels of articles"):
        read_truth(pa.Table.from_pylist(ROWS), positive=["x"])


def test_a_pair_given_again_counts_once() -> None:
    truth = pairs(pair_table(("b", "a", 1), ("a", "b", 1), ("c", "d", 0), ("b", "a", 1)))
    assert (truth.ids_a.to_pylist(), truth.ids_b.to_pylist()) == (["b", "c"], ["a", "d"])
    assert truth.counts == {"1": 1, "0": 1}


def test_unlabelled_rows_are_left_out_before_anything_is_checked() -> None:
    truth = pairs(pair_table(("a", "a", None), (None, "b", ""), ("a", "b", "yes"), ("b", "a", None)))
    assert (len(truth.same), truth.n_unlabelled) == (1, 3)
    articles = pa.table({"id": ["a", "a", None, "b"], "truth": ["x", None, None, "x"]})
    assert clusters(articles).doc_ids.to_pylist() == ["a", "b"]


@pytest.mark.parametrize(
    ("table", "error", "says"),
    [
        (pa.table({"id": ["a", "b", "a"], "truth": [1, 2, 1]}), InputError, "more than once: 'a'"),
        (pa.table({"id": ["a", None], "truth": [1, 2]}), InputError, "row 2 has a label but no id"),
        (pa.table({"id": ["a"], "truth": [None]}), InputError, "no row has a label"),
        (pa.table({"id": [], "truth": []}), InputError, "no row has a label"),
        (pa.table({"id": [1.5], "truth": [1]}), SchemaError, "double, which cannot be ids"),
        (pa.table({"id": ["a"], "truth": [[1]]}), SchemaError, "cannot be labels"),
        (pa.table({"id": ["a"], "truth": [b"x"]}), SchemaError, "cannot be labels"),
        (pa.table({"id": ["a"], "topic": ["x"]}), SchemaError, "the columns are 'id', 'topic'"),
        (pa.table({"name": ["a"], "truth": ["x"]}), SchemaError, "the columns are 'name', 'truth'"),
        (pa.table({}), SchemaError, "there are no columns"),
        (
            pa.table([["a"], ["b"], [1]], names=["id", "id", "truth"]),
            SchemaError,
            "more than one column 'id'",
        ),
        (pair_table(("a", "b", 1), ("b", "a", 0)), InputError, "both the same and different: 'b' and 'a'"),
        (pair_table(("a", "a", 1)), InputError, "'a' is paired with itself"),
        (pair_table(("a", None, 1)), InputError, "row 1 has a label but no id"),
    ],
)
def test_tables_that_cannot_be_labels(table: pa.Table, error: type[SamestoryError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        read_truth(table)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.docx", b"", "does not tell a format"),
        ("t.parquet.gz", b"", "does not tell a format"),
        ("t.parquet", b"nothing", "cannot be read as parquet"),
        ("t.arrow", b"nothing", "cannot be read as arrow"),
        ("t.csv", b"", "there are no columns"),
        ("t.csv", b"id,truth\n", "no row has a label"),
        ("t.csv", b"id,truth\na,1,2\n", "cannot be read as csv"),
        ("t.csv", b"id,truth\n\xff,1\n", "cannot be read as csv"),
        ("t.csv", b"id,truth,id\na,1,b\n", "more than one column 'id'"),
        ("t.csv.gz", b"id,truth\n", "cannot be read as csv"),
        ("t.jsonl", b"", "there are no columns"),
        ("t.jsonl", b'{"id": "a", "truth": 1}\n{"id"', r"t\.jsonl:2: not valid JSON"),
        ("t.jsonl", b"[1]", r"t\.jsonl:1: not a JSON object"),
        ("t.jsonl", b'{"id": "a", "truth": {}}', r"t\.jsonl: row 1 has more than one value for 'truth'"),
        ("t.jsonl", b'{"id": "\\ud800", "truth": 1}', "cannot be read as jsonl"),
        ("t.jsonl", b'{"id": "\xff", "truth": 1}', r"t\.jsonl:1: not valid JSON"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SamestoryError, match=says) as caught:
        read_truth(tmp_path / name)
    assert caught.value.hint
    assert name in caught.value.message


def test_what_is_wrong_with_other_columns_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"id": "a", "truth": 1, "event": {"at": "sea"}, "story": ["x"]}')
    assert clusters(tmp_path / "t.jsonl").labels.tolist() == [0]
    (tmp_path / "t.csv").write_text("id,truth,story,story\na,1,x,y\n")
    assert clusters(tmp_path / "t.csv").labels.tolist() == [0]
    table = pa.table([["a"], [1], ["x"], ["y"]], names=["id", "truth", "story", "story"])
    pq.write_table(table, tmp_path / "t.parquet")
    assert clusters(tmp_path / "t.parquet").labels.tolist() == clusters(table).labels.tolist() == [0]


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_truth(tmp_path / "t.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_truth(str(tmp_path))
