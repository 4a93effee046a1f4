"""Fingerprints that no other article of the whole input has: counted by key, told to the article's site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.engines.arriving import SINGLES, payload_rows
from samestory.engines.blobs import blobs_in, by_slot, pack, slots_of
from samestory.engines.gathered import as_sample
from samestory.engines.rows import Ints, Words
from samestory.fingerprints import sort_postings
from samestory.threads import InPlace

_MOST_RANK_BITS: Final = 28


def rank_bits_of(n: int) -> int:
    """Return the bits for an article's rank, as `samestory.fingerprints.sort_postings` chooses them.

    They shorten the keys, and so which keys are taken for one; with more articles than one machine's
    memory has room for, the keys are shortened no further.
    """
    return min(_MOST_RANK_BITS, max(1, (n - 1).bit_length())) if n else 1


def by_key(
    entries: Words, counts: Ints, columns: dict[str, NDArray[Any]], n_partitions: int
) -> tuple[list[int], list[bytes]]:
    """Return slots, and for each the fingerprints of some articles whose keys go there, packed.

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
    return chosen, payloads


def count_singles(batches: Iterator[pa.RecordBatch], rank_bits: int) -> Iterator[pa.RecordBatch]:
    """Count for each article the fingerprints of this partition that no other has; send them to it.

    Parameters
    ----------
    batches : iterator of RecordBatch
        Rows of `samestory.engines.arriving.PRINTS`.
    rank_bits : int
        Of the whole input.
    """
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
    yield payload_rows(SINGLES, *by_slot(slots, doc=docs, n_single=n_single.astype(np.int64)))
