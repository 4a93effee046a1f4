"""Sending articles from where they are read: to their sites, and what is asked of all of them elsewhere.

Text crosses this exchange once, before it is known how many articles there are, and which hosts many outlets
share: an article's number is that of its unit and its place in that, and where such hosts are found their
articles move on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from samestory.engines.arriving import ARRIVING, FACTS, IDS, OUTLETS, PRINTS, SINGLES, payload_rows
from samestory.engines.blobs import blobs_in, by_slot, slots_of
from samestory.engines.bundles import PLACE_BITS, ROUTED_BYTES, articles_in, collected, send
from samestory.engines.placing import HOSTS, crowded_hosts, pairs_of, sites_of
from samestory.engines.repeats import hashes_of, repeated
from samestory.engines.rows import Ints, numbers_of, rows_from, words_of
from samestory.engines.singles import by_key

DIGEST: Final = pa.schema(
    [
        pa.field("kind", pa.int32(), nullable=False),
        pa.field("unit", pa.int32()),
        pa.field("facts", pa.string()),
        pa.field("value", pa.int64()),
    ]
)
"""Facts; articles whose ids may occur twice, of the kind `IDS`; hosts that many outlets share, `OUTLETS`."""
DIGESTED: Final = ("kind", "payload", "unit", "facts")
"""The columns of what came in from which that is made."""
_RUN_BITS: Final = 10
NO_HOSTS: Final = np.zeros(0, np.int64)


class Sender:
    """Sends the articles of one unit on their way, some megabytes at a time.

    Parameters
    ----------
    unit : int
    n_partitions : int
    by_site : bool
        Whether articles of one site go to one partition, as far as that can be told before all hosts are
        known, and their fingerprints are sent too.
    named : bool
        Whether they have ids.
    """

    def __init__(self, unit: int, n_partitions: int, *, by_site: bool, named: bool) -> None:
        self._unit = unit
        self._n_partitions = n_partitions
        self._by_site = by_site
        self._named = named
        self._held: list[pa.RecordBatch] = []
        self._size = 0
        self.n = 0

    def add(self, articles: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Take articles of the columns of `rows.READ`, the next of the unit; yield what is to be sent."""
        docs = (self._unit << PLACE_BITS) + self.n + np.arange(len(articles))
        articles = articles.set_column(0, "doc", pa.array(docs))
        if self._held and self._size + articles.nbytes > ROUTED_BYTES:
            yield from self.rest()
        self._held.append(articles)
        self._size += articles.nbytes
        self.n += len(articles)

    def rest(self) -> Iterator[pa.RecordBatch]:
        """Yield what is left to be sent."""
        if self._held:
            articles = pa.concat_batches(self._held)
            self._held, self._size = [], 0
            yield from self._sent(articles)

    def told(self, facts: dict[str, Any]) -> pa.RecordBatch:
        """Return a row of facts of the unit."""
        return rows_from(
            ARRIVING,
            1,
            slot=np.array(slots_of(self._n_partitions)[:1]),
            kind=np.array([FACTS]),
            unit=np.array([self._unit]),
            facts=pa.array([json.dumps({**facts, "n": self.n})]),
        )

    def _sent(self, articles: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        docs, hosts, outlets = (numbers_of(articles.column(name), np.int64) for name in ("doc", *HOSTS.names))
        keys = sites_of(hosts, outlets, NO_HOSTS)[0] if self._by_site else docs >> _RUN_BITS
        yield send(articles, ARRIVING, keys, self._n_partitions)
        if self._named:
            hashes = hashes_of(articles.column("doc_id"))
            yield self._by_key(IDS, hashes.view(np.int64), hash=hashes, doc=docs)
        if self._by_site:
            pairs = pairs_of(hosts, outlets)
            yield self._by_key(OUTLETS, pairs["host"], **pairs)
            entries, offsets = words_of(articles.column("prints"))
            slots = np.array(slots_of(self._n_partitions), dtype=np.int32)[keys % self._n_partitions]
            columns = {"doc": docs, "slot": slots}
            yield payload_rows(PRINTS, *by_key(entries, np.diff(offsets), columns, self._n_partitions))

    def _by_key(self, kind: int, keys: Ints, **columns: Any) -> pa.RecordBatch:
        """Return columns as rows by the partition of a key."""
        slots = np.array(slots_of(self._n_partitions))[keys % self._n_partitions]
        return payload_rows(kind, *by_slot(slots, **columns))


def digest(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Turn rows of `FACTS`, `IDS` and `OUTLETS` that came to one partition into those of `DIGEST`."""
    held: dict[int, list[dict[str, Any]]] = {IDS: [], OUTLETS: []}
    for batch in batches:
        is_told = batch.column("kind").to_numpy() == FACTS
        told = batch.filter(pa.array(is_told)).select(["kind", "unit", "facts"])
        yield rows_from(DIGEST, len(told), **{name: told.column(name) for name in told.schema.names})
        for kind, arrays in blobs_in(iter([batch.filter(pa.array(~is_told))])):
            held[kind].append(arrays)
    for kind, found in ((IDS, repeated(held[IDS])), (OUTLETS, crowded_hosts(held[OUTLETS]))):
        yield rows_from(DIGEST, len(found), kind=np.full(len(found), kind), value=found)


def move(batches: Iterable[pa.RecordBatch], n_partitions: int, shared: Ints) -> Iterator[pa.RecordBatch]:
    """Send articles on to the partitions of their sites, now that all hosts are known, and their counts.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Of bundles and rows of `SINGLES`, those of articles that are here.
    n_partitions : int
    shared : int64 array
        Hosts that many outlets share.
    """
    counts: list[dict[str, Any]] = []
    docs, slots = [NO_HOSTS], [NO_HOSTS]
    of_partitions = np.array(slots_of(n_partitions), dtype=np.int64)
    for articles in collected(articles_in(counted_beside(batches, counts))):
        numbers, hosts, outlets = (
            numbers_of(articles.column(name), np.int64) for name in ("doc", *HOSTS.names)
        )
        sites = sites_of(hosts, outlets, shared)[0]
        docs.append(numbers)
        slots.append(of_partitions[sites % n_partitions])
        yield send(articles, ARRIVING, sites, n_partitions)
    every, to = np.concatenate(docs), np.concatenate(slots)
    order = np.argsort(every)
    for one in counts:
        places = order[np.searchsorted(every[order], one["doc"])]
        yield payload_rows(SINGLES, *by_slot(to[places], **one))


def counted_beside(
    batches: Iterable[pa.RecordBatch], counts: list[dict[str, Any]]
) -> Iterator[pa.RecordBatch]:
    """Yield rows as they are, and put the arrays of those of `SINGLES` aside."""
    for batch in batches:
        is_count = pc.fill_null(pc.equal(batch.column("kind"), SINGLES), False)
        counts.extend(arrays for _, arrays in blobs_in(iter([batch.filter(is_count)])))
        yield batch
