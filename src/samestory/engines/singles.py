"""Fingerprints that no other article of the whole input has: counted by key, told to the article's site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.engines.blobs import blob_rows, blobs_in, pack, slots_of
from samestory.engines.bundles import Numbering
from samestory.engines.gathered import as_sample
from samestory.engines.placing import with_sites
from samestory.engines.rows import Ints, Words, numbers_of, words_of
from samestory.fingerprints import sort_postings
from samestory.kernels.runs import LOCAL_BITS
from samestory.threads import InPlace

PRINTS: Final = 1
SINGLES: Final = 2
_ENTRIES_AT_ONCE: Final = 1 << 22
_MOST_RANK_BITS: Final = 28


def rank_bits_of(n: int) -> int:
    """Return the bits for an article's rank, as `samestory.fingerprints.sort_postings` chooses them.

    They shorten the keys, and so which keys are taken for one; with more articles than one machine's
    memory has room for, the keys are shortened no further.
    """
    return min(_MOST_RANK_BITS, max(1, (n - 1).bit_length())) if n else 1


def route_prints(
    batches: Iterable[pa.RecordBatch], n_partitions: int, numbering: Numbering, shared: Ints
) -> Iterator[pa.RecordBatch]:
    """Send the fingerprints of the articles to the partitions of their keys, as blobs.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Of bundles of `samestory.engines.bundles.READ_BUNDLES` with the columns `prints`, `host` and
        `outlet`.
    n_partitions : int
    numbering : Numbering
    shared : int64 array
        Hosts that many outlets share.
    """
    held: list[pa.RecordBatch] = []
    n_entries = n_docs = 0
    for batch in with_sites(batches, numbering, shared):
        held.append(batch)
        n_entries += batch.column("prints").nbytes // 8
        n_docs += len(batch)
        if n_entries >= _ENTRIES_AT_ONCE or n_docs >= 1 << (LOCAL_BITS - 2):
            yield _route(held, n_partitions)
            held, n_entries, n_docs = [], 0, 0
    if held:
        yield _route(held, n_partitions)


def _route(held: list[pa.RecordBatch], n_partitions: int) -> pa.RecordBatch:
    parts = [words_of(batch.column("prints")) for batch in held]
    entries = np.concatenate([np.zeros(0, np.uint64), *(values for values, _ in parts)])
    counts = np.concatenate([np.zeros(0, np.int64), *(np.diff(offsets) for _, offsets in parts)])
    docs, sites = (
        np.concatenate([numbers_of(batch.column(name), np.int64) for batch in held])
        for name in ("doc", "site")
    )
    slots = np.array(slots_of(n_partitions), dtype=np.int64)[sites % n_partitions]
    return send_entries(entries, counts, {"doc": docs, "slot": slots}, n_partitions)


def send_entries(entries: Words, counts: Ints, columns: dict[str, Ints], n_partitions: int) -> pa.RecordBatch:
    """Return blobs of the fingerprints of some articles, by the partition of the key.

    Keys that are shortened alike have the high half in common, by which they are parted.
    """
    owners = np.repeat(np.arange(len(counts)), counts)
    slots = slots_of(n_partitions)
    targets = ((entries >> np.uint64(32)) * np.uint64(n_partitions)) >> np.uint64(32)
    # Of 16 bits NumPy sorts by radix.
    narrow = np.uint16 if n_partitions <= 1 << 16 else np.int32
    order = np.argsort(targets.astype(narrow), kind="stable")
    entries, owners = entries[order], owners[order]
    bounds = np.searchsorted(targets[order], np.arange(n_partitions + 1, dtype=np.uint64))
    chosen, payloads = [], []
    for p in range(n_partitions):
        low, high = int(bounds[p]), int(bounds[p + 1])
        if low == high:
            continue
        docs, places = np.unique(owners[low:high], return_inverse=True)
        along = {name: column[docs] for name, column in columns.items()}
        payloads.append(pack(entries=entries[low:high] | places.reshape(-1).astype(np.uint64), **along))
        chosen.append(slots[p])
    return blob_rows(chosen, PRINTS, payloads)


def count_singles(batches: Iterator[pa.RecordBatch], rank_bits: int) -> Iterator[pa.RecordBatch]:
    """Count for each article the fingerprints of this partition that no other has; send them on."""
    blobs = [arrays for _, arrays in blobs_in(batches)]
    if not blobs:
        return
    # An article may have come in more than one blob where Spark has run two partitions together.
    every = np.concatenate([arrays["doc"] for arrays in blobs])
    docs, ranks = np.unique(every, return_inverse=True)
    slots = np.zeros(len(docs), dtype=np.int64)
    slots[ranks] = np.concatenate([arrays["slot"] for arrays in blobs])
    samples = [as_sample(arrays["entries"]) for arrays in blobs]
    counts = [len(arrays["doc"]) for arrays in blobs]
    postings = sort_postings(
        samples, counts, ranks.reshape(-1).astype(np.int32), InPlace(), rank_bits=rank_bits
    )
    n_single = postings.n_single[: len(docs)]
    yield from _send_counts(docs, slots, n_single)


def _send_counts(docs: Ints, slots: Ints, counts: NDArray[Any]) -> Iterator[pa.RecordBatch]:
    order = np.argsort(slots, kind="stable")
    chosen, firsts = np.unique(slots[order], return_index=True)
    parts = np.split(order, firsts[1:])
    payloads = [pack(doc=docs[part], n_single=counts[part].astype(np.int64)) for part in parts]
    yield blob_rows(chosen.tolist(), SINGLES, payloads)
