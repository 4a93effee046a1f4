"""Walks over what the index knows: rings of texts, edges between them, pairs by fingerprint."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.jit import inlined, kernel
from samestory.kernels.partial import ALL_PAIRS, HUBS, n_with_partners, put_hubs_first

_MIX = np.uint64(0xD6E8FEB86659FD93)


@kernel
def list_rings(
    heads: NDArray[np.int64], following: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the members of rings: each member names the one that follows, the last the first.

    Parameters
    ----------
    heads : int64 array
        A member of each ring; -1 for an empty one.
    following : int32 array

    Returns
    -------
    offsets, members : int64 arrays
    """
    offsets = np.zeros(len(heads) + 1, dtype=np.int64)
    members = np.empty(2 * len(heads) + 16, dtype=np.int64)
    n = 0
    for k in range(len(heads)):
        at = heads[k]
        while at >= 0:
            if n == len(members):
                larger = np.empty(2 * n, dtype=np.int64)
                for i in range(n):
                    larger[i] = members[i]
                members = larger
            members[n] = at
            n += 1
            at = np.int64(following[at])
            if at == heads[k]:
                break
        offsets[k + 1] = n
    return offsets, members[:n].copy()


@kernel
def list_edges(
    texts: NDArray[np.int64],
    heads: NDArray[np.int32],
    first: NDArray[np.int32],
    next_first: NDArray[np.int32],
    next_second: NDArray[np.int32],
    is_alive: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the edges of texts that are alive.

    Parameters
    ----------
    texts : int64 array
    heads : int32 array
        The latest edge of each text, -1 for none.
    first : int32 array
        The first end of each edge.
    next_first, next_second : int32 arrays
        The edge before it of its first and of its second end.

    Returns
    -------
    offsets, edges : int64 arrays
    """
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    edges = np.empty(4 * len(texts) + 16, dtype=np.int64)
    n = 0
    for k in range(len(texts)):
        e = np.int64(heads[texts[k]])
        while e >= 0:
            if is_alive[e]:
                if n == len(edges):
                    larger = np.empty(2 * n, dtype=np.int64)
                    for i in range(n):
                        larger[i] = edges[i]
                    edges = larger
                edges[n] = e
                n += 1
            e = np.int64(next_first[e]) if first[e] == texts[k] else np.int64(next_second[e])
        offsets[k + 1] = n
    return offsets, edges[:n].copy()


@kernel
def chain_edges(
    begin: int,
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    next_first: NDArray[np.int32],
    next_second: NDArray[np.int32],
    heads: NDArray[np.int32],
) -> None:
    """Put the edges from number `begin` on into the chains of their ends."""
    for e in range(begin, len(first)):
        next_first[e] = heads[first[e]]
        heads[first[e]] = e
        next_second[e] = heads[second[e]]
        heads[second[e]] = e


@inlined
def _slot_of(pair, slots, keys):  # type: ignore[no-untyped-def]
    """Return the entry of a pair in a table, or that where it goes."""
    mask = len(slots) - 1
    place = np.int64((pair * _MIX) >> np.uint64(40)) & mask
    while slots[place] >= 0 and keys[slots[place]] != pair:
        place = (place + 1) & mask
    return place


@inlined
def _select(members, flags, begin, end, out):  # type: ignore[no-untyped-def]
    m = 0
    for k in range(begin, end):
        if flags[members[k]]:
            out[m] = np.int64(members[k])
            m += 1
    return m


@kernel
def change_pairs(
    offsets: NDArray[np.int64],
    members: NDArray[np.int32],
    was_there: NDArray[np.uint8],
    is_there: NDArray[np.uint8],
    n_units: NDArray[np.int32],
    text_keys: NDArray[np.uint64],
) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int32]]:
    """Return the pairs that some fingerprints pair otherwise than before.

    Parameters
    ----------
    offsets, members : arrays
        The texts that have each fingerprint, before or now.
    was_there, is_there : uint8 arrays
        Of every text, whether it was, and is, compared for its cluster.
    n_units, text_keys : arrays
        Of every text.

    Returns
    -------
    pairs : uint64 array
        The lesser text in the high half.
    before, now : int32 arrays
        How many of these fingerprints paired the two; only differences count for two texts that were
        and are there.
    """
    longest = 0
    for f in range(len(offsets) - 1):
        longest = max(longest, offsets[f + 1] - offsets[f])
    old = np.empty(longest + HUBS, dtype=np.int64)
    new = np.empty(longest + HUBS, dtype=np.int64)
    pairs = np.empty(1024, dtype=np.uint64)
    counts = np.zeros((1024, 2), dtype=np.int32)
    slots = np.full(4096, -1, dtype=np.int32)
    n = 0
    for f in range(len(offsets) - 1):
        n_old = _select(members, was_there, offsets[f], offsets[f + 1], old)
        n_new = _select(members, is_there, offsets[f], offsets[f + 1], new)
        if n_old > ALL_PAIRS:
            put_hubs_first(old, n_old, n_units, text_keys)
        if n_new > ALL_PAIRS:
            put_hubs_first(new, n_new, n_units, text_keys)
        same_rule = n_old <= ALL_PAIRS and n_new <= ALL_PAIRS
        if n_old > ALL_PAIRS and n_new > ALL_PAIRS:
            same_rule = True
            for h in range(HUBS):
                same_rule &= old[h] == new[h]
        for turn in range(2):
            if turn == 0 and same_rule:
                continue  # what was paired is paired, or one of the two is gone
            texts = old if turn == 0 else new
            m = n_old if turn == 0 else n_new
            for i in range(n_with_partners(m)):
                for j in range(i + 1, m):
                    a = texts[i]
                    b = texts[j]
                    if same_rule and was_there[a] and was_there[b]:
                        continue
                    low = np.uint64(min(a, b))
                    pair = (low << np.uint64(32)) | np.uint64(max(a, b))
                    slot = _slot_of(pair, slots, pairs)
                    if slots[slot] < 0:
                        if n == len(pairs):
                            larger = np.empty(2 * n, dtype=np.uint64)
                            larger_counts = np.zeros((2 * n, 2), dtype=np.int32)
                            for k in range(n):
                                larger[k] = pairs[k]
                                larger_counts[k, 0] = counts[k, 0]
                                larger_counts[k, 1] = counts[k, 1]
                            pairs = larger
                            counts = larger_counts
                            slots = np.full(8 * n, -1, dtype=np.int32)
                            for k in range(n):
                                slots[_slot_of(pairs[k], slots, pairs)] = k
                            slot = _slot_of(pair, slots, pairs)
                        pairs[n] = pair
                        slots[slot] = n
                        n += 1
                    counts[slots[slot], turn] += np.int32(1)
    return pairs[:n].copy(), counts[:n, 0].copy(), counts[:n, 1].copy()


@kernel
def count_support(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    print_offsets: NDArray[np.int64],
    prints: NDArray[np.int64],
    offsets: NDArray[np.int64],
    members: NDArray[np.int32],
    is_there: NDArray[np.uint8],
    n_units: NDArray[np.int32],
    text_keys: NDArray[np.uint64],
    text_of: NDArray[np.int64],
) -> NDArray[np.int32]:
    """Count the fingerprints that pair two texts, for some pairs.

    Parameters
    ----------
    first, second : int64 arrays
        Of each pair, as places among the texts that have fingerprints here.
    print_offsets, prints : int64 arrays
        The numbers of each one's fingerprints, in order.
    offsets, members : arrays
        The texts that have each fingerprint.
    text_of : int64 array
        The number of each of the texts by place.
    """
    longest = 0
    for f in range(len(offsets) - 1):
        longest = max(longest, offsets[f + 1] - offsets[f])
    texts = np.empty(longest + HUBS, dtype=np.int64)
    support = np.zeros(len(first), dtype=np.int32)
    for p in range(len(first)):
        a = print_offsets[first[p]]
        b = print_offsets[second[p]]
        end_a = print_offsets[first[p] + 1]
        end_b = print_offsets[second[p] + 1]
        while a < end_a and b < end_b:
            if prints[a] < prints[b]:
                a += 1
            elif prints[b] < prints[a]:
                b += 1
            else:
                f = prints[a]
                m = _select(members, is_there, offsets[f], offsets[f + 1], texts)
                is_paired = m <= ALL_PAIRS
                if not is_paired:
                    put_hubs_first(texts, m, n_units, text_keys)
                    for h in range(HUBS):
                        is_paired |= texts[h] == text_of[first[p]] or texts[h] == text_of[second[p]]
                support[p] += np.int32(1 if is_paired else 0)
                a += 1
                b += 1
    return support
