"""Articles in bundles: cut, sent and taken apart again, without Spark."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from samestory.engines import bundles
from samestory.engines.blobs import slots_of
from samestory.engines.bundles import (
    ROUTED,
    Numbering,
    articles_in,
    assigned_in,
    bundle_up,
    bundles_in,
    clean_bundles,
    collected,
    cuts_of,
    numbered_in,
    places_of,
    rows_of_bundles,
    send,
)
from samestory.engines.rows import CLEAN, rows_from

ROWS = rows_of_bundles(["doc", "doc_id", "text"], ROUTED)


def articles(n: int, size: int = 10, first: int = 0) -> pa.RecordBatch:
    texts = [bytes([97 + k % 26]) * (size + k % 3) for k in range(n)]
    docs = np.arange(first, first + n)
    columns = [pa.array(docs), pa.array([f"é{k}" for k in docs]), pa.array(texts, pa.binary())]
    return pa.RecordBatch.from_arrays(columns, ["doc", "doc_id", "text"])


def rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    return batch.select(["doc", "doc_id", "text"]).to_pylist()


@pytest.mark.parametrize("n", [1, 3, bundles.BUNDLE_ROWS, bundles.BUNDLE_ROWS + 1, 10_000])
def test_articles_come_back_in_their_order(n: int) -> None:
    given = articles(n)
    packed = bundle_up(given, ROWS, cuts_of(given))
    assert len(packed) == -(-n // bundles.BUNDLE_ROWS)
    found = [row for batch in articles_in([packed.slice(0, 1), packed.slice(1)]) for row in rows(batch)]
    assert found == rows(given)


def test_a_bundle_has_no_more_bytes_than_it_may_and_one_article_at_least() -> None:
    sizes = [10, bundles.BUNDLE_BYTES - 10, 1, 3 * bundles.BUNDLE_BYTES, 5, 0]
    column = pa.array([b"x" * size for size in sizes], pa.binary())
    given = pa.RecordBatch.from_arrays([column], ["text"])
    assert cuts_of(given).tolist() == [0, 2, 3, 4, 6]
    assert cuts_of(given.slice(2)).tolist() == [0, 1, 2, 4]
    assert cuts_of(given, np.array([1, 2])).tolist() == [0, 1, 2, 3, 4, 6]


def test_those_of_one_key_go_to_one_partition_also_with_a_sign() -> None:
    given = articles(1000)
    keys = np.random.default_rng(3).integers(-50, 50, 1000)
    packed = send(given, ROWS, keys, 7)
    slots = slots_of(7)
    seen: dict[int, int] = {}
    for bundle in bundles_in([packed]):
        for doc in bundle.articles.column("doc").to_pylist():
            seen[doc] = bundle.head("slot")
    assert sorted(seen) == list(range(1000))
    assert all(seen[k] == slots[int(key) % 7] for k, key in enumerate(keys))


def test_rows_that_are_no_bundles_and_columns_without_values_are_passed_over() -> None:
    given = articles(5)
    packed = bundle_up(given.drop_columns(["doc_id"]), ROWS, cuts_of(given))
    both = pa.concat_batches([rows_from(ROWS, 2), packed])
    (bundle,) = bundles_in([both])
    assert bundle.articles.schema.names == ["doc", "text"]
    assert bundle.articles.column("text").to_pylist() == given.column("text").to_pylist()


def test_what_is_kept_of_a_bundle_does_not_hold_the_batch_it_came_in() -> None:
    given = articles(500, size=2000)
    packed = bundle_up(given, ROWS, cuts_of(given))
    (found,) = articles_in([packed])
    docs = found.column("doc").buffers()[1].address
    for column in packed.columns:
        for buffer in filter(None, column.buffers()):
            assert not buffer.address <= docs < buffer.address + buffer.size


def test_batches_are_joined_up_to_a_size() -> None:
    parts = [articles(10, size=100, first=10 * k) for k in range(10)]
    most = 3 * parts[0].nbytes + 100
    found = list(collected(parts, most))
    assert [len(batch) for batch in found] == [30, 30, 30, 10]
    assert [row for batch in found for row in rows(batch)] == [row for part in parts for row in rows(part)]
    assert len(list(collected(parts, 1))) == 10


def read(n: int, unit: int, place: int, *, named: bool) -> pa.RecordBatch:
    docs = (unit << bundles.PLACE_BITS) + place + np.arange(n)
    ids = [f"a{unit}-{place + k}" if named else None for k in range(n)]
    given = pa.RecordBatch.from_arrays([pa.array(docs), pa.array(ids, pa.string())], ["doc", "doc_id"])
    return bundle_up(given, ROWS, cuts_of(given))


@pytest.mark.parametrize("named", [True, False])
def test_articles_are_numbered_by_unit_and_place(named: bool) -> None:
    batches = [read(2, 1, 3, named=named), read(1, 0, 0, named=named)]
    found = list(numbered_in(batches, Numbering(np.array([0, 40]), named)))
    assert [batch.column("doc").to_pylist() for batch in found] == [[43, 44], [0]]
    ids = [batch.column("doc_id").to_pylist() for batch in found]
    assert ids == ([["a1-3", "a1-4"], ["a0-0"]] if named else [["table:44", "table:45"], ["table:1"]])


def clean(docs: list[int]) -> pa.RecordBatch:
    given = rows_from(
        CLEAN,
        len(docs),
        doc=np.array(docs),
        text=pa.array([b"x" * (doc + 1) for doc in docs], pa.binary()),
        n_removed=pa.array([doc % 2 for doc in docs], pa.int32()),
        n_units=pa.array([10] * len(docs), pa.int32()),
    )
    return clean_bundles(given)


def test_bundles_tell_sums_over_their_articles() -> None:
    (row,) = clean([4, 7, 9]).drop_columns(CLEAN.names).to_pylist()
    sums = {"size": 23, "n_changed": 2, "n_removed_in_all": 2, "n_units_in_all": 30}
    assert row == {"key": 4, "n": 3, "facts": None, **sums}


def test_values_reach_the_articles_they_are_of() -> None:
    batch = clean([4, 7, 9])
    (places,) = places_of([batch])
    assert places.to_pylist() == [{"doc": doc, "key": 4, "at": at} for at, doc in enumerate([4, 7, 9])]
    kind = pa.list_(pa.struct([("at", pa.int32()), ("comp", pa.int64())]))
    told = pa.array([[{"at": 2, "comp": 5}, {"at": 0, "comp": 4}]], kind)
    (found,) = assigned_in([batch.append_column("assigned", told)], "comp")
    assert found.select(["doc", "comp"]).to_pylist() == [{"doc": 4, "comp": 4}, {"doc": 9, "comp": 5}]
    assert list(assigned_in([batch.append_column("assigned", pa.nulls(1, kind))], "comp")) == []
