"""Tables written by the tasks that make their rows."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from samestory.engines import writing
from samestory.engines.facts import add_up, count_articles
from samestory.engines.frames import Frames
from samestory.engines.writing import Rows, write_part
from samestory.errors import OutputError
from samestory.schema import CLUSTERS

cloudpickle = pytest.importorskip("pyspark.cloudpickle")
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # which the workers cannot import
FIELDS = pa.schema([pa.field("n", pa.int64(), nullable=False), pa.field("name", pa.string())])


def as_they_are(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    return iter(batches)


def numbers(*counts: int) -> list[pa.RecordBatch]:
    ends = np.cumsum(counts)
    return [
        pa.RecordBatch.from_pydict({"n": list(range(end - n, end)), "name": [None] * n}, FIELDS)
        for n, end in zip(counts, ends, strict=True)
    ]


def count(table: pa.Table) -> dict[str, Any]:
    return {"rows": len(table), "first": table["n"][0].as_py()}


def test_row_groups_are_whole_however_the_rows_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "GROUP_ROWS", 10)
    (told,) = write_part(numbers(3, 0, 25, 4), as_they_are, FIELDS, str(tmp_path), count)
    (path,) = tmp_path.iterdir()
    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)] == [10, 10, 10, 2]
    assert file.read()["n"].to_pylist() == list(range(32))
    assert told.column("n").to_pylist() == [32]
    facts = json.loads(told.column("facts")[0].as_py())
    assert facts == [{"rows": 10 if k < 3 else 2, "first": 10 * k} for k in range(4)]


def test_no_rows_make_no_file(tmp_path: Path) -> None:
    assert list(write_part(numbers(0, 0), as_they_are, FIELDS, str(tmp_path), count)) == []
    assert not list(tmp_path.iterdir())


def test_what_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        list(write_part(numbers(5), as_they_are, FIELDS, str(tmp_path), None))
    assert not list(tmp_path.iterdir())


def halves(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        ids = batch.column("id")
        names = pa.array([f"row {k}" for k in ids.to_pylist()])
        yield pa.RecordBatch.from_arrays([ids, names], schema=FIELDS)


def only_large(batches: Iterable[pa.RecordBatch], least: int) -> Iterator[pa.RecordBatch]:
    for batch in halves(batches):
        yield batch.filter(pa.compute.greater_equal(batch.column("n"), least))


@pytest.mark.parametrize(("least", "n_files"), [(0, 4), (60, 2), (100, 1)])
def test_files_are_in_order_and_one_is_there_at_least(
    spark: Any, tmp_path: Path, least: int, n_files: int
) -> None:
    rows = Rows(spark.range(0, 100, 1, 4), only_large, FIELDS, {"least": least})
    written = rows.write(Frames(spark), tmp_path / "out", {b"made": b"here"}, count)
    paths = sorted((tmp_path / "out").iterdir())
    assert len(paths) == n_files
    assert all(pq.read_schema(path).metadata[b"made"] == b"here" for path in paths)
    table = pa.concat_tables([pq.read_table(path) for path in paths])
    assert table["n"].to_pylist() == list(range(least, 100))
    assert table.schema.remove_metadata() == FIELDS
    assert sum(n for n, _ in written) == 100 - least
    assert rows.as_frame(Frames(spark)).count() == 100 - least


def test_a_folder_that_is_not_shared_is_told(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Rows(spark.range(0, 10, 1, 2), halves, FIELDS, {})
    there = Path.glob

    def all_but_one(self: Path, pattern: str) -> Iterator[Path]:  # the other is on another machine
        return iter(sorted(there(self, pattern))[1:])

    monkeypatch.setattr(Path, "glob", all_but_one)
    with pytest.raises(OutputError, match="not all that the workers have written can be seen"):
        rows.write(Frames(spark), tmp_path / "out", {})


def test_facts_of_parts_add_up_to_those_of_the_whole() -> None:
    rows = [
        {
            "doc_id": f"d{k}",
            "cluster_id": f"c{k % 9}",
            "cluster_size": 2000 - k % 9 if k % 9 else 1,
            "representative_id": "r",
            "relation": "unique" if k % 9 == 0 else ("representative" if k < 9 else "near"),
            "jaccard": 1.0,
            "containment": 1.0,
            "n_shingles": k % 4,
            "boilerplate_ratio": 0.0,
        }
        for k in range(90)
    ]
    table = pa.Table.from_pylist(rows, schema=CLUSTERS)
    parts = [count_articles(table.slice(begin, 7)) for begin in range(0, 90, 7)]
    assert add_up(json.loads(json.dumps(parts))) == add_up([count_articles(table)])
    facts = add_up(parts)
    assert facts["articles"] == 90
    assert facts["empty"] == sum(k % 4 == 0 for k in range(90))
    assert facts["relations"]["near"] == 72
    assert facts["largest"] == [(f"c{k}", 2000 - k) for k in range(1, 6)]
