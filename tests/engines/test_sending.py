"""Articles on their way from where they are read, without Spark."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from samestory.engines import sending
from samestory.engines.arriving import ARRIVING, FACTS, IDS, OUTLETS, PRINTS, SINGLES, payload_rows
from samestory.engines.blobs import blobs_in, by_slot, slots_of
from samestory.engines.bundles import PLACE_BITS, bundles_in
from samestory.engines.rows import READ, as_words, rows_from
from samestory.engines.sending import Sender, counted_beside, digest, move
from samestory.sites import MOST_OUTLETS

N_PARTITIONS = 5


def read(ids: list[str], hosts: list[int], outlets: list[int]) -> pa.RecordBatch:
    n = len(ids)
    texts = pa.array([f"text of {one}".encode() for one in ids], pa.binary())
    prints = as_words(np.arange(3 * n, dtype=np.uint64) << np.uint64(40), np.arange(n + 1) * 3)
    return rows_from(
        READ,
        n,
        doc=np.zeros(n, np.int64),
        doc_id=pa.array(ids),
        text=texts,
        prints=prints,
        host=np.array(hosts),
        outlet=np.array(outlets),
    )


def sent(unit: int, *batches: pa.RecordBatch, by_site: bool = True, named: bool = True) -> list[Any]:
    sender = Sender(unit, N_PARTITIONS, by_site=by_site, named=named)
    rows = [row for batch in batches for row in sender.add(batch)]
    return [*rows, *sender.rest(), sender.told({"text_bytes": 7})]


def by_partition(batches: list[pa.RecordBatch]) -> list[pa.Table]:
    """Do what Spark does with rows of a slot."""
    table = pa.Table.from_batches(batches, ARRIVING)
    return [table.filter(pa.compute.equal(table["slot"], slot)) for slot in slots_of(N_PARTITIONS)]


def of_kinds(table: pa.Table, *kinds: int) -> list[pa.RecordBatch]:
    return table.filter(pa.compute.is_in(table["kind"], pa.array(kinds, pa.int32()))).to_batches()


def where_articles_are(batches: list[pa.RecordBatch]) -> dict[str, int]:
    return {
        one: p
        for p, table in enumerate(by_partition(batches))
        for bundle in bundles_in(table.to_batches())
        for one in bundle.articles.column("doc_id").to_pylist()
    }


def digested(batches: list[pa.RecordBatch]) -> dict[int, list[dict[str, Any]]]:
    found = defaultdict(list)
    for table in by_partition(batches):
        for batch in digest(of_kinds(table, FACTS, IDS, OUTLETS)):
            for row in batch.to_pylist():
                found[row["kind"]].append(row)
    return found


def test_each_article_arrives_once_with_those_of_its_site() -> None:
    hosts = [k % 7 for k in range(40)]  # 0: none, so that the outlet is the site
    outlets = [100 + k % 3 for k in range(40)]
    batches = sent(2, read([f"a{k}" for k in range(40)], hosts, outlets))
    places = where_articles_are(batches)
    assert sorted(places) == sorted(f"a{k}" for k in range(40))
    assert len(set(places.values())) > 1
    for k in range(40):
        assert places[f"a{k}"] == (hosts[k] or outlets[k]) % N_PARTITIONS


def test_numbers_tell_unit_and_place_across_batches() -> None:
    batches = sent(3, read(["a", "b"], [1, 1], [0, 0]), read(["c"], [1], [0]))
    (bundle,) = bundles_in(batches)
    assert bundle.articles.column("doc").to_pylist() == [(3 << PLACE_BITS) + k for k in range(3)]


def test_much_is_sent_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ROUTED_BYTES", 1)
    batches = sent(0, *(read([f"{k}"], [1], [2]) for k in range(4)))
    assert [len(bundle.articles) for bundle in bundles_in(batches)] == [1, 1, 1, 1]
    assert digested(batches)[FACTS][0]["facts"] == '{"text_bytes": 7, "n": 4}'


def test_without_sites_articles_are_spread_and_nothing_else_is_sent() -> None:
    n = 3 << sending._RUN_BITS
    batches = sent(0, read([f"a{k}" for k in range(n)], [1] * n, [2] * n), by_site=False)
    assert len(set(where_articles_are(batches).values())) == 3
    kinds = {kind for batch in batches for kind in batch.column("kind").to_pylist()}
    assert kinds == {None, IDS, FACTS}


def test_ids_that_were_not_given_are_not_compared() -> None:
    batches = sent(0, read(["a", "a"], [1, 1], [2, 2]), named=False)
    assert not digested(batches)[IDS]


def test_repeated_ids_are_found_wherever_they_are() -> None:
    ids = [f"a{k}" for k in range(30)]
    batches = [
        *sent(0, read(ids, [1] * 30, [0] * 30)),
        *sent(1, read(["new", "a7", "é"], [2] * 3, [0] * 3), read(["é"], [3], [0])),
    ]
    found = sorted(row["value"] for row in digested(batches)[IDS])
    assert found == [7, *((1 << PLACE_BITS) + k for k in (1, 2, 3))]


def test_hosts_of_many_outlets_are_found_across_units() -> None:
    most = [*range(1, MOST_OUTLETS + 1)]
    batches = [
        *sent(0, read([f"a{k}" for k in most], [11] * len(most), most)),
        *sent(1, read(["b", "c"], [11, 11], [1, 99])),  # one more outlet
        *sent(2, read([f"d{k}" for k in most], [12] * len(most), most)),
        *sent(3, read(["e", "f"], [12, 12], [1, 0])),  # none more
    ]
    assert [row["value"] for row in digested(batches)[OUTLETS]] == [11]


def test_articles_of_shared_hosts_move_on_with_their_counts() -> None:
    hosts, outlets = [11, 12, 11, 0], [21, 22, 23, 24]
    batches = sent(0, read(["a", "b", "c", "d"], hosts, outlets))
    moved = []
    for p, table in enumerate(by_partition(batches)):
        docs = [
            doc for one in bundles_in(table.to_batches()) for doc in one.articles.column("doc").to_pylist()
        ]
        counts = {"doc": np.array(docs, np.int64), "n_single": np.array(docs, np.int64) + 5}
        slots = np.full(len(docs), slots_of(N_PARTITIONS)[p])
        told = payload_rows(SINGLES, *by_slot(slots, **counts))
        moved += list(move([*table.to_batches(), told], N_PARTITIONS, np.array([11])))
    places = where_articles_are(moved)
    assert places == {"a": 21 % 5, "b": 12 % 5, "c": 23 % 5, "d": 24 % 5}
    for p, table in enumerate(by_partition(moved)):
        counted: list[dict[str, Any]] = []
        rows = list(counted_beside(table.to_batches(), counted))
        assert sum(map(len, rows)) == len(table)
        docs = {
            doc: n
            for one in counted
            for doc, n in zip(one["doc"].tolist(), one["n_single"].tolist(), strict=True)
        }
        here = [one for one, place in places.items() if place == p]
        assert docs == {"abcd".index(one): "abcd".index(one) + 5 for one in here}


def test_fingerprints_go_by_their_keys_with_the_place_of_their_article() -> None:
    batches = sent(0, read(["a", "b"], [1, 2], [0, 0]))
    rows = [row for table in by_partition(batches) for row in of_kinds(table, PRINTS)]
    found = [arrays for _, arrays in blobs_in(iter(rows))]
    assert sum(len(arrays["entries"]) for arrays in found) == 6
    slots = slots_of(N_PARTITIONS)
    for arrays in found:
        assert [slots[doc + 1] for doc in arrays["doc"].tolist()] == arrays["slot"].tolist()
