"""The exact all-pairs join: every pair of sets whose Jaccard is at or over a threshold.

AllPairs with a prefix filter and a size filter (Bayardo, Ma and Srikant 2007; Xiao et al. 2008):
elements are ordered from rare to common, sets from small to large; two sets that are near must share
an element among the first few of each. Every candidate is then counted exactly. No hashing into
bands, no sampling: what it finds is the truth that MinHash is held against.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]

_SLACK = 1e-9


def ranked(hashes: NDArray[np.uint64], offsets: NDArray[np.int64]) -> tuple[Array, Array, int]:
    """Return sets of ranks (rare elements first, sorted), their offsets and the number of ranks.

    `hashes[offsets[i]:offsets[i + 1]]` are the elements of set `i`, repeats allowed.
    """
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    element, inverse = np.unique(hashes, return_inverse=True)
    distinct = (
        np.unique(np.stack([owner, inverse.ravel()]), axis=1) if len(hashes) else np.empty((2, 0), np.int64)
    )
    counts = np.bincount(distinct[1], minlength=len(element))
    rank = np.empty(len(element), np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(element))
    ranks = rank[distinct[1]]
    order = np.lexsort((ranks, distinct[0]))
    sizes = np.bincount(distinct[0], minlength=len(offsets) - 1)
    return ranks[order], np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), len(element)


def near_pairs(ranks: Array, offsets: Array, n_ranks: int, threshold: float) -> tuple[Array, Array, Array]:
    """Return the places a < b of all near pairs and how many elements they share."""
    order = np.argsort(np.diff(offsets), kind="stable")
    a, b, shared = _join(ranks, offsets, n_ranks, order, threshold)
    low, high = np.minimum(a, b), np.maximum(a, b)
    by_place = np.lexsort((high, low))
    return low[by_place], high[by_place], shared[by_place]


@njit(cache=True)
def count_shared(ranks: Array, offsets: Array, a: int, b: int) -> int:
    """Return how many elements two sets share."""
    i, j, shared = offsets[a], offsets[b], 0
    end_i, end_j = offsets[a + 1], offsets[b + 1]
    while i < end_i and j < end_j:
        left, right = ranks[i], ranks[j]
        shared += left == right
        i += left <= right
        j += right <= left
    return shared


@njit(cache=True)
def shared_of_pairs(ranks: Array, offsets: Array, a: Array, b: Array) -> Array:
    """Return how many elements each of many pairs shares."""
    found = np.empty(len(a), np.int64)
    for i in range(len(a)):
        found[i] = count_shared(ranks, offsets, a[i], b[i])
    return found


@njit(cache=True)
def _longer(values: Array, used: int) -> Array:
    """Return the array with twice the room."""
    longer = np.empty(2 * len(values), np.int64)
    longer[:used] = values[:used]
    return longer


@njit(cache=True)
def _join(
    ranks: Array, offsets: Array, n_ranks: int, order: Array, threshold: float
) -> tuple[Array, Array, Array]:
    """Probe an inverted index of prefixes with every set, small sets first."""
    head = np.full(n_ranks, -1, np.int64)
    posting, following = np.empty(len(ranks), np.int64), np.empty(len(ranks), np.int64)
    n_postings, n_found = 0, 0
    a, b, shared = np.empty(1024, np.int64), np.empty(1024, np.int64), np.empty(1024, np.int64)
    last_seen = np.full(len(offsets) - 1, -1, np.int64)
    for probe in order:
        size = offsets[probe + 1] - offsets[probe]
        if size == 0:
            continue
        prefix = size - int(np.ceil(threshold * size - _SLACK)) + 1
        for place in range(offsets[probe], offsets[probe] + prefix):
            at = head[ranks[place]]
            while at >= 0:
                other = posting[at]
                other_size = offsets[other + 1] - offsets[other]
                if other_size < threshold * size - _SLACK:
                    break  # postings run from large to small
                if last_seen[other] != probe:
                    last_seen[other] = probe
                    common = count_shared(ranks, offsets, probe, other)
                    if common / (size + other_size - common) >= threshold:
                        if n_found == len(a):
                            a, b, shared = _longer(a, n_found), _longer(b, n_found), _longer(shared, n_found)
                        a[n_found], b[n_found], shared[n_found] = probe, other, common
                        n_found += 1
                at = following[at]
        for place in range(offsets[probe], offsets[probe] + prefix):
            posting[n_postings], following[n_postings] = probe, head[ranks[place]]
            head[ranks[place]] = n_postings
            n_postings += 1
    return a[:n_found], b[:n_found], shared[:n_found]
