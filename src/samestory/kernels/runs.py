"""Runs of words: a rolling key of every few units of a folded text, and a fixed share of them.

The keys that fall under a fixed fraction of their range are kept ("scaled" or
FracMinHash sampling: Irber et al., "Lightweight compositional analysis of
metagenomes with FracMinHash", 2022). Whether a run is kept depends on the run
alone, so what two texts share is found however long the rest of each is, and
in proportion to its length. The rolling key is that of Karp and Rabin, 1987,
over keys of whole units.
"""

# mypy: disable-error-code="no-untyped-call,no-any-return"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.intrinsics import load_u64, multiply_fold
from samestory.kernels.jit import called, inlined, kernel
from samestory.kernels.sketch import character_ends, word_ends

PARTITION_BITS: Final = 4
LOCAL_BITS: Final = 20
"""Bits for the number of a text within its batch."""
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_STEP: Final = np.uint64(0xD6E8FEB86659FD93)
_MIX: Final = np.uint64(0xFF51AFD7ED558CCD)


@inlined
def unit_key(text, begin, end):  # type: ignore[no-untyped-def]
    """Return a key of the bytes of one unit; up to 8 bytes after it are read and ignored."""
    key = np.uint64(end - begin) * _FACTOR
    at = begin
    while at + 8 < end:
        key = multiply_fold(load_u64(text, at) ^ key, _STEP)
        at += 8
    rest = np.uint64(end - at)
    tail = load_u64(text, at) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> (np.uint64(64) - np.uint64(8) * rest))
    return multiply_fold(tail ^ key, _FACTOR)


@called
def run_keys(text, start, end, by_character, size, ends, units, keys):  # type: ignore[no-untyped-def]
    """Fill `keys` with the key of each run of `size` units of one folded text.

    Parameters
    ----------
    ends : int64 array
        Filled with the index after each unit.
    units : uint64 array
        Work space of an entry a unit.

    Returns
    -------
    tuple of int
        Number of runs (one, of all there is, where the text is shorter), and of units.
    """
    gap = 0
    if by_character:
        n_units = character_ends(text, start, end, ends)
    else:
        n_units = word_ends(text, start, end, ends)
        gap = 1
    if n_units == 0:
        return 0, 0
    size = min(size, n_units)
    begin = start
    oldest = np.uint64(1)
    rolling = np.uint64(0)
    for i in range(n_units):
        units[i] = unit_key(text, begin, ends[i])
        begin = ends[i] + gap
    for i in range(size):
        rolling = rolling * _FACTOR + units[i]
        oldest *= _FACTOR
    n = n_units - size + 1
    for i in range(n):
        key = rolling ^ (rolling >> np.uint64(29))
        key *= _MIX
        keys[i] = key ^ (key >> np.uint64(32))
        if i + 1 < n:
            rolling = rolling * _FACTOR + units[i + size] - units[i] * oldest
    return n, n_units


@kernel
def sample_runs(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    by_character: bool,
    size: int,
    shift: int,
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Keep one run in ``2**shift`` of each text of a batch.

    Parameters
    ----------
    text, offsets : arrays
        Folded texts, at most ``2**LOCAL_BITS``.
    size : int
        Words (or characters) in a run.
    shift : int
        A run is kept if the `shift` highest bits of its key are 0.

    Returns
    -------
    entries : uint64 array
        Of each kept run its key without these bits, the text's number within the batch in the
        low `LOCAL_BITS`; those of one partition together.
    partitions : int64 array of shape (2**PARTITION_BITS + 1,)
        Where each partition, by the highest bits of the entry, begins.
    """
    n = len(offsets) - 1
    longest = 0
    for doc in range(n):
        longest = max(longest, offsets[doc + 1] - offsets[doc])
    ends = np.empty(longest + 1, dtype=np.int64)
    units = np.empty(longest + 1, dtype=np.uint64)
    keys = np.empty(longest + 1, dtype=np.uint64)
    found = np.empty(1024 + (offsets[n] >> np.int64(shift)), dtype=np.uint64)
    n_found = 0
    counts = np.zeros((1 << PARTITION_BITS) + 1, dtype=np.int64)
    limit = np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(shift)
    low = (np.uint64(1) << np.uint64(LOCAL_BITS)) - np.uint64(1)
    for doc in range(n):
        n_runs, _ = run_keys(text, offsets[doc], offsets[doc + 1], by_character, size, ends, units, keys)
        if n_found + n_runs > len(found):
            larger = np.empty(2 * (n_found + n_runs), dtype=np.uint64)
            for k in range(n_found):
                larger[k] = found[k]
            found = larger
        for i in range(n_runs):
            if keys[i] <= limit:
                entry = ((keys[i] << np.uint64(shift)) & ~low) | np.uint64(doc)
                found[n_found] = entry
                n_found += 1
                counts[np.int64(entry >> np.uint64(64 - PARTITION_BITS)) + 1] += 1
    for p in range(1 << PARTITION_BITS):
        counts[p + 1] += counts[p]
    places = counts.copy()
    entries = np.empty(n_found, dtype=np.uint64)
    for k in range(n_found):
        p = np.int64(found[k] >> np.uint64(64 - PARTITION_BITS))
        entries[places[p]] = found[k]
        places[p] += 1
    return entries, counts


@kernel
def place_entries(
    entries: NDArray[np.uint64], ranks: NDArray[np.int32], rank_bits: int, out: NDArray[np.uint64], at: int
) -> None:
    """Copy a batch's entries of one partition, with each text's rank in the corpus in the low bits.

    The partition's own bits are dropped, so that the key has the room.
    """
    local = (np.uint64(1) << np.uint64(LOCAL_BITS)) - np.uint64(1)
    low = (np.uint64(1) << np.uint64(rank_bits)) - np.uint64(1)
    for k in range(len(entries)):
        key = ((entries[k] & ~local) << np.uint64(PARTITION_BITS)) & ~low
        out[at + k] = key | np.uint64(ranks[np.int64(entries[k] & local)])


@kernel
def drop_single(
    entries: NDArray[np.uint64], rank_bits: int, n_single: NDArray[np.uint16]
) -> NDArray[np.uint64]:
    """Return the sorted entries of one partition without those whose key no other article has.

    Parameters
    ----------
    n_single : uint16 array
        By rank, how many were dropped; added to.
    """
    low = (np.uint64(1) << np.uint64(rank_bits)) - np.uint64(1)
    n_kept = 0
    begin = 0
    while begin < len(entries):
        end = begin + 1
        while end < len(entries) and (entries[end] ^ entries[begin]) & ~low == np.uint64(0):
            end += 1
        if entries[end - 1] != entries[begin]:  # more than one article
            for k in range(begin, end):
                entries[n_kept] = entries[k]
                n_kept += 1
        else:
            rank = np.int64(entries[begin] & low)
            if n_single[rank] < np.uint16(65535):
                n_single[rank] += np.uint16(1)
        begin = end
    return entries[:n_kept].copy()
