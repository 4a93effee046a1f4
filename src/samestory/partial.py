"""Stage 6: candidates for partial copies: articles that share enough fingerprints.

Excerpts, expansions, rewrites, and texts inside longer ones have too little in
common as a whole to meet in a bucket.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from samestory.config import Config
from samestory.fingerprints import Postings, Runs
from samestory.kernels import partial as kernel
from samestory.progress import Observer, each, ignore_progress
from samestory.signature import Sketches

Ints: TypeAlias = NDArray[np.int64]
SHARE_OF_EXPECTED: Final = 0.12
"""A pair is looked at if it shares this much of the fingerprints that one at the threshold has on average."""


def choose_delegates(n_units: NDArray[np.int32], text_keys: NDArray[np.uint64], founders: Ints) -> Ints:
    """Return for each article the longest of its cluster, which is compared for all of them."""
    delegates = np.arange(len(founders), dtype=np.int64)
    docs = np.unique(np.flatnonzero(founders != delegates))
    docs = np.union1d(docs, founders[docs])
    order = docs[np.lexsort((text_keys[docs], -n_units[docs].astype(np.int64), founders[docs]))]
    firsts = np.flatnonzero(np.diff(founders[order], prepend=-1))
    longest = np.repeat(order[firsts], np.diff(firsts, append=len(order)))
    delegates[order] = longest
    return delegates


def least_fingerprints(
    n_units_a: NDArray[np.int32], n_units_b: NDArray[np.int32], runs: Runs, containment: float
) -> Ints:
    """Return how many fingerprints must pair two articles, of so many units, for them to be compared.

    Where all runs are fingerprints two long articles share some by chance, stock phrases.
    """
    if runs.shift:
        return np.ones(len(n_units_a), dtype=np.int64)
    share = containment * SHARE_OF_EXPECTED
    return 1 + (share * np.minimum(n_units_a, n_units_b)).astype(np.int64)


def propose_pairs(
    postings: Postings,
    docs: Ints,
    delegates: Ints,
    sketches: Sketches,
    runs: Runs,
    config: Config,
    executor: Executor,
    observer: Observer = ignore_progress,
) -> tuple[Ints, Ints]:
    """Return the pairs of articles to compare: those that share enough fingerprints.

    Parameters
    ----------
    postings : Postings
    docs, delegates : int64 arrays
        For each rank of the postings the article, and the one that stands for its cluster: only that
        one's fingerprints count.
    sketches : Sketches
        Of all articles.
    runs : Runs
        Which runs are fingerprints.
    config : Config
    executor : Executor
    observer : callable, optional
    """
    delegates_32 = np.where(delegates == docs, docs, -1).astype(np.int32)
    is_counted = runs.shift == 0

    def propose(p: int) -> tuple[NDArray[np.uint64], Ints]:
        entries = postings.partitions[p]
        unjoined = kernel.keep_delegates(entries, postings.rank_bits, delegates_32)
        pairs = kernel.propose_pairs(
            unjoined, postings.rank_bits, delegates_32, sketches.n_units, sketches.text_keys, is_counted
        )
        return np.unique(pairs, return_counts=True)

    n_partitions = len(postings.partitions)
    proposed = executor.map(propose, range(n_partitions))
    found = list(each(proposed, observer, "propose partial copies", n_partitions))
    pairs, counts = _put_together(found, is_counted)
    first = (pairs >> np.uint64(32)).astype(np.int64)
    second = (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
    n_units = sketches.n_units
    enough = counts >= least_fingerprints(n_units[first], n_units[second], runs, config.containment)
    return first[enough], second[enough]


def _put_together(
    found: list[tuple[NDArray[np.uint64], Ints]], is_counted: bool
) -> tuple[NDArray[np.uint64], NDArray[np.float64] | Ints]:
    """Return the pairs of all partitions, each once, and how often it was found if that is asked."""
    pairs = np.concatenate([np.zeros(0, dtype=np.uint64), *(part for part, _ in found)])
    if not is_counted:
        pairs = np.unique(pairs)
        return pairs, np.ones(len(pairs), dtype=np.int64)
    pairs, places = np.unique(pairs, return_inverse=True)
    weights = np.concatenate([np.zeros(0), *(part for _, part in found)])
    return pairs, np.bincount(places, weights, minlength=len(pairs))
