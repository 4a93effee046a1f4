"""Buckets: from band keys to edges, each article of a bucket with the least of it.

What a task has of a bucket it first joins to the least article of its own, and sends only that one on:
a bucket of a million equal articles costs its next partition an entry a task.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.engines.blobs import blob_rows, blobs_in, pack, slots_of
from samestory.engines.bundles import articles_in
from samestory.engines.rows import Ints, Words, numbers_of, rows_of
from samestory.kernels.buckets import link_buckets
from samestory.kernels.clusters import settle

KEYS: Final = 1
EDGES: Final = 2
_DOCS_AT_ONCE: Final = 1 << 19
_DENSE_BITS: Final = 24
"""Of up to two to this many articles, an array has a place for each."""


def index_bits_of(n: int) -> int:
    """Return the bits for an article's number, which shorten the keys as `samestory.band` does it."""
    return max(1, (n - 1).bit_length())


def route_bands(
    batches: Iterable[pa.RecordBatch], n_bands: int, n_partitions: int, index_bits: int
) -> Iterator[pa.RecordBatch]:
    """Send the band keys of the articles to the partitions of their band, and the edges found here.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Of bundles with the columns `doc`, `bands` and `n_shingles`.
    """
    docs: list[Ints] = []
    keys: list[Words] = []
    for batch in articles_in(batches):
        has_any = numbers_of(batch.column("n_shingles"), np.int32) > 0
        docs.append(numbers_of(batch.column("doc"), np.int64)[has_any])
        keys.append(rows_of(batch.column("bands"), n_bands)[has_any])
        if sum(map(len, docs)) >= _DOCS_AT_ONCE:
            yield from _route(docs, keys, n_partitions, index_bits)
            docs, keys = [], []
    if docs:
        yield from _route(docs, keys, n_partitions, index_bits)


def _route(
    docs: list[Ints], keys: list[Words], n_partitions: int, index_bits: int
) -> Iterator[pa.RecordBatch]:
    numbers, matrix = np.concatenate(docs), np.concatenate(keys)
    order = np.argsort(numbers, kind="stable")
    numbers, matrix = numbers[order], matrix[order]
    if not len(numbers):
        return
    n_bands = matrix.shape[1]
    n_slices = max(1, -(-n_partitions // n_bands))
    slots = slots_of(n_partitions)
    low = np.uint64((1 << index_bits) - 1)
    parents = np.arange(len(numbers), dtype=np.int32)
    chosen, payloads = [], []
    for band in range(n_bands):
        packed = (matrix[:, band] & ~low) | np.arange(len(numbers), dtype=np.uint64)
        packed.sort()
        _link(packed, index_bits, parents)
        is_first = np.ones(len(packed), dtype=np.bool_)
        is_first[1:] = (packed[1:] ^ packed[:-1]) & ~low != 0
        firsts = packed[is_first]
        slices = ((firsts >> np.uint64(32)) * np.uint64(n_slices)) >> np.uint64(32)
        bounds = np.searchsorted(slices, np.arange(n_slices + 1, dtype=np.uint64))
        for s in range(n_slices):
            own = firsts[bounds[s] : bounds[s + 1]]
            if len(own):
                blob = pack(band=np.array([band]), key=own & ~low, doc=numbers[(own & low).astype(np.int64)])
                payloads.append(blob)
                chosen.append(slots[(band * n_slices + s) % n_partitions])
    yield blob_rows(chosen, KEYS, payloads)
    first, second = forest(numbers, parents)
    if len(first):
        yield blob_rows([slots[0]], EDGES, [pack(first=first, second=second)])


def _link(packed: Words, index_bits: int, parents: NDArray[np.int32]) -> None:
    """Join the articles of each bucket of one band: all here have a shingle."""
    link_buckets(packed, index_bits, np.ones(len(parents), dtype=np.int32), parents)


def forest(docs: Ints, parents: NDArray[Any]) -> tuple[Ints, Ints]:
    """Return an edge from the least of its group to each other article, of a union-find over some."""
    roots = parents.astype(np.int64)
    settle(roots)
    others = np.flatnonzero(roots != np.arange(len(roots)))
    return docs[roots[others]], docs[others]


def link_partition(batches: Iterator[pa.RecordBatch], index_bits: int) -> Iterator[pa.RecordBatch]:
    """Join the articles of the buckets of one partition; yield edges."""
    by_band: dict[int, list[tuple[Words, Ints]]] = {}
    edges: list[tuple[Ints, Ints]] = []
    for kind, arrays in blobs_in(batches):
        if kind == EDGES:
            edges.append((arrays["first"], arrays["second"]))
        else:
            by_band.setdefault(int(arrays["band"][0]), []).append((arrays["key"], arrays["doc"]))
    yield from (edge_rows(*edge) for edge in edges)
    if not by_band:
        return
    docs = _docs_of(by_band, index_bits)
    parents = np.arange(len(docs), dtype=np.int32)
    for parts in by_band.values():
        keys: Words = np.concatenate([key for key, _ in parts])
        own = np.concatenate([doc for _, doc in parts])
        places = own if index_bits <= _DENSE_BITS else np.searchsorted(docs, own)
        packed: Words = np.bitwise_or(keys, places.view(np.uint64))
        packed.sort()
        _link(packed, index_bits, parents)
    yield edge_rows(*forest(docs, parents))


def _docs_of(by_band: dict[int, list[tuple[Words, Ints]]], index_bits: int) -> Ints:
    """Return the articles of a partition, or simply all where there are few enough."""
    if index_bits <= _DENSE_BITS:
        return np.arange(1 << index_bits)
    return np.unique(np.concatenate([part for parts in by_band.values() for _, part in parts]))


EDGE: Final = pa.schema(
    [pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.int64(), nullable=False)]
)
"""An edge between two articles, the lesser first."""


def edge_rows(first: Ints, second: Ints) -> pa.RecordBatch:
    """Return edges as rows."""
    return pa.RecordBatch.from_arrays([pa.array(first), pa.array(second)], schema=EDGE)
