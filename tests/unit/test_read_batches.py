"""Batches are bounded by bytes, whatever the input's own cut."""

from __future__ import annotations

import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from samestory.config import Config
from samestory.read import open_source
from samestory.read.chunk import MAX_ROWS, TARGET_BYTES
from samestory.read.places import Places

SLACK = TARGET_BYTES * 5 // 4


def sizes(source):
    return [(batch.num_rows, sum(map(len, batch["text"].to_pylist()))) for batch in source.batches()]


def write(path, table, ending):
    if ending == "parquet":
        pq.write_table(table, path, row_group_size=table.num_rows)
    else:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)


@pytest.mark.parametrize("ending", ["parquet", "arrow", "table"])
def test_big_row_group_in_bounded_batches(tmp_path, ending):
    table = pa.table({"text": [f"{i:05d} " + "w" * 3000 for i in range(5000)]})
    path = tmp_path / f"a.{ending}"
    if ending != "table":
        write(path, table, ending)
    with open_source(table if ending == "table" else path, Config()) as source:
        found = sizes(source)
        assert sum(rows for rows, _ in found) == 5000
        assert all(n_bytes <= SLACK for _, n_bytes in found)
        assert len(found) <= 8
        texts = [text for batch in source.batches(("text",)) for text in batch["text"].to_pylist()]
    assert texts == table["text"].to_pylist()


def test_parquet_does_not_decode_a_row_group_at_once(tmp_path):
    table = pa.table({"text": ["w" * 20_000 + str(i) for i in range(8000)]})  # 160 MB
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=8000, use_dictionary=False)
    del table
    with open_source(tmp_path / "a.parquet", Config(threads=1)) as source:
        before, peak = pa.total_allocated_bytes(), 0
        for batch in source.batches():
            peak = max(peak, pa.total_allocated_bytes() - before)
            del batch
    assert peak < 60 << 20


def test_dictionary_that_hides_big_rows(tmp_path):
    texts = ["a" * 200_000, "b" * 200_000]
    encoded = pa.array(texts).dictionary_encode()
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1] * 600, pa.int32()), encoded.dictionary)
    # 240 MB when decoded, 0.4 MB in the file.
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet", store_schema=False)
    with open_source(tmp_path / "a.parquet", Config(threads=1)) as source:
        n_rows = 0
        for batch in source.batches(("text",)):
            assert batch.num_rows <= TARGET_BYTES * 5 // 4 // 200_000
            assert batch["text"][0].as_py()[0] == "ab"[n_rows % 2]
            n_rows += batch.num_rows
    assert n_rows == 1200


def test_rows_of_very_different_size_in_one_row_group(tmp_path):
    texts = ["s" * 10 + str(i) for i in range(20_000)] + ["L" * 300_000 + str(i) for i in range(200)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", use_dictionary=False)
    with open_source(tmp_path / "a.parquet", Config()) as source:
        assert [text for batch in source.batches() for text in batch["text"].to_pylist()] == texts
        assert [source.locate(i) for i in (0, 20_199)] == [
            f"{tmp_path}/a.parquet:1",
            f"{tmp_path}/a.parquet:20200",
        ]
        assert all(n_bytes <= SLACK for _, n_bytes in sizes(source))


def test_one_big_row_is_a_batch_of_its_own():
    texts = ["x" * 100, "y" * (2 * TARGET_BYTES), "z" * (TARGET_BYTES // 2)]
    with open_source(pa.table({"text": texts}), Config()) as source:
        assert [rows for rows, _ in sizes(source)] == [1, 1, 1]


def test_at_most_so_many_rows():
    with open_source(pa.table({"text": ["k"] * 50_000}), Config()) as source:
        assert [batch.num_rows for batch in source.batches()] == [MAX_ROWS] * 3 + [50_000 - 3 * MAX_ROWS]


def test_small_batches_are_put_together():
    table = pa.table({"text": [f"t{i}" for i in range(1000)]})
    small = pa.Table.from_batches(table.to_batches(max_chunksize=3))
    with open_source(small, Config()) as source:
        (batch,) = source.batches()
    assert batch["text"].to_pylist() == table["text"].to_pylist()


def test_no_python_object_for_each_row(tmp_path):
    n = 20_000
    table = pa.table(
        {"id": [f"i{k}" for k in range(n)], "text": ["Les prix montent."] * n, "date": ["2020-01-01"] * n}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    with open_source(tmp_path / "a.parquet", Config()) as source:
        list(source.batches())
        tracemalloc.start()
        for batch in source.batches():
            del batch
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < n * 24


def test_places():
    import numpy as np

    places = Places()
    places.add(0, np.array([1, 2, 4, 5]))
    places.add(0, np.array([6]))
    places.add(1, np.array([1]))
    places.add(1, np.array([], np.int64))
    places.add(1, np.array([3]))
    assert [places.find(i) for i in range(7)] == [(0, 1), (0, 2), (0, 4), (0, 5), (0, 6), (1, 1), (1, 3)]
    assert len(places._starts) == 4
    with pytest.raises(IndexError):
        places.find(7)
