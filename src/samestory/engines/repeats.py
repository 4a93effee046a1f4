"""Ids that occur more than once: found by their hashes, and then told by the ids themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import xxhash

from samestory.engines.blobs import blob_rows, blobs_in, pack, slots_of
from samestory.engines.bundles import Numbering, collected, numbered_in
from samestory.engines.rows import numbers_of

REPEATED: Final = pa.schema([pa.field("doc", pa.int64(), nullable=False)])
"""An article whose id has a hash that that of another has."""
NAMED: Final = pa.schema([pa.field("doc", pa.int64(), nullable=False), pa.field("doc_id", pa.string())])
_IDS: Final = 1


def route_ids(
    batches: Iterable[pa.RecordBatch], n_partitions: int, numbering: Numbering
) -> Iterator[pa.RecordBatch]:
    """Send the hashes of the ids to the partitions of these."""
    slots = slots_of(n_partitions)
    for articles in collected(numbered_in(batches, numbering)):
        docs = numbers_of(articles.column("doc"), np.int64)
        ids = articles.column("doc_id").cast(pa.binary()).to_pylist()
        hashes = np.array([xxhash.xxh3_64_intdigest(one) for one in ids], dtype=np.uint64)
        targets = (hashes % np.uint64(n_partitions)).astype(np.int64)
        order = np.argsort(targets, kind="stable")
        present, begins = np.unique(targets[order], return_index=True)
        parts = np.split(order, begins[1:])
        payloads = [pack(hash=hashes[part], doc=docs[part]) for part in parts]
        yield blob_rows([slots[target] for target in present.tolist()], _IDS, payloads)


def find_repeats(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the articles whose hash another has."""
    blobs = [arrays for _, arrays in blobs_in(batches)]
    if not blobs:
        return
    hashes, docs = (np.concatenate([arrays[name] for arrays in blobs]) for name in ("hash", "doc"))
    order = np.argsort(hashes, kind="stable")
    is_next = hashes[order[1:]] == hashes[order[:-1]]
    repeated = np.zeros(len(order), dtype=np.bool_)
    repeated[1:] |= is_next
    repeated[:-1] |= is_next
    if repeated.any():
        yield pa.RecordBatch.from_arrays([pa.array(docs[order[repeated]])], schema=REPEATED)


def name_articles(batches: Iterable[pa.RecordBatch], numbering: Numbering) -> Iterator[pa.RecordBatch]:
    """Yield the articles' ids, a row each."""
    for articles in numbered_in(batches, numbering):
        yield articles.select(NAMED.names).cast(NAMED)
