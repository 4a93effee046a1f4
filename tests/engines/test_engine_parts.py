"""Blobs, slots and columns, without Spark."""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
import pytest

from samestory.engines.banding import link_partition, route_bands
from samestory.engines.blobs import SENT, _spark_hash, bytes_column, pack, slots_of, unpack
from samestory.engines.bundles import bundle_up, cuts_of, rows_of_bundles
from samestory.engines.connecting import finish
from samestory.engines.rows import as_rows, as_words, rows_of, words_of
from samestory.engines.session import _environment


def test_arrays_come_back_from_bytes() -> None:
    arrays = {
        "a": np.arange(5, dtype=np.int32),
        "b": np.arange(6, dtype=np.uint64).reshape(2, 3),
        "none": np.zeros(0, np.int64),
    }
    found = unpack(pack(**arrays))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
        assert found[name].flags.writeable
        assert found[name].flags.aligned


def test_the_hash_is_that_of_spark() -> None:
    # SELECT hash(0), hash(1), hash(42)
    assert [_spark_hash(k) for k in (0, 1, 42)] == [933211791, -559580957, 29417773]


def test_every_partition_has_a_number_of_its_own() -> None:
    for n in (1, 2, 7, 100):
        slots = slots_of(n)
        assert [_spark_hash(slot) % n for slot in slots] == list(range(n))


def test_columns_of_words_come_back_from_slices() -> None:
    values = np.arange(10, dtype=np.uint64)
    column = as_words(values, np.array([0, 3, 3, 10]))
    found, offsets = words_of(column.slice(1))
    assert found.tolist() == list(range(3, 10))
    assert offsets.tolist() == [0, 0, 7]
    matrix = values.reshape(5, 2)
    np.testing.assert_array_equal(rows_of(as_rows(matrix).slice(2), 2), matrix[2:])


def test_a_bucket_of_equal_articles_costs_its_partition_an_entry() -> None:
    n = 5000
    bands = np.full((n, 3), 7 << 40, dtype=np.uint64)
    articles = pa.RecordBatch.from_arrays(
        [pa.array(np.arange(n)), as_rows(bands), pa.array(np.ones(n, np.int32))],
        names=["doc", "bands", "n_shingles"],
    )
    bundles = bundle_up(articles, rows_of_bundles(articles.schema.names), cuts_of(articles))
    assert len(bundles) == 2
    routed = list(route_bands([bundles], 3, 2, 13))
    keys = [unpack(value.as_buffer())["key"] for value in routed[0].column("payload")]
    assert [len(key) for key in keys] == [1, 1, 1]
    edges = list(link_partition(iter(routed), 13))
    (found, roots) = finish(edges)
    assert len(found) == n - 1
    assert set(found.column("a").to_pylist()) == {0}
    assert roots.column("b").to_pylist() == [0]


def test_what_goes_about_is_any_bytes_as_a_string() -> None:
    values = [b"\xff\x00\xfe", b"", "é".encode(), bytes(range(256))]
    column = bytes_column(values, SENT)
    assert column.type == pa.string()
    assert [one.as_buffer().to_pybytes() for one in column] == values
    assert [one.as_buffer().to_pybytes() for one in column[1:3]] == values[1:3]


def test_the_environment_of_the_jvm_is_not_that_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMESTORY_TEST_SET", "theirs")
    monkeypatch.delenv("SAMESTORY_TEST_UNSET", raising=False)
    with _environment({"SAMESTORY_TEST_SET": "ours", "SAMESTORY_TEST_UNSET": "ours"}):
        assert os.environ["SAMESTORY_TEST_SET"] == "theirs"
        assert os.environ["SAMESTORY_TEST_UNSET"] == "ours"
    assert os.environ["SAMESTORY_TEST_SET"] == "theirs"
    assert "SAMESTORY_TEST_UNSET" not in os.environ
