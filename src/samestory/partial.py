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


def propose_pairs(
    postings: Postings,
    delegates: Ints,
    sketches: Sketches,
    runs: Runs,
    config: Config,
    executor: Executor,
) -> tuple[Ints, Ints]:
    """Return the pairs of articles that share enough fingerprints to be compared.

    Parameters
    ----------
    postings : Postings
    delegates : int64 array
        For each rank of the postings the article that is compared in its place.
    sketches : Sketches
        Of all articles.
    runs : Runs
        Which runs are fingerprints.
    """
    share = config.containment * SHARE_OF_EXPECTED / 2**runs.shift
    delegates_32 = delegates.astype(np.int32)
    n_groups = max(1, min(config.n_threads, 8))
    partitions = list(
        executor.map(
            lambda entries: kernel.drop_joined(entries, postings.rank_bits, delegates_32), postings.partitions
        )
    )

    def propose(p: int, counters: NDArray[np.uint8], counting: bool) -> NDArray[np.uint64]:
        return kernel.propose_pairs(
            partitions[p],
            postings.rank_bits,
            delegates_32,
            sketches.n_units,
            sketches.text_keys,
            share,
            counters,
            counting,
        )

    def count(group: int) -> NDArray[np.uint8]:
        counters = np.zeros(1 << kernel.COUNTER_BITS, dtype=np.uint8)
        for p in range(group, len(partitions), n_groups):
            propose(p, counters, True)
        return counters

    counters = np.zeros(1 << kernel.COUNTER_BITS, dtype=np.uint8)
    for part in executor.map(count, range(n_groups)):
        room = np.uint8(255) - counters
        counters += np.minimum(part, room)
    found = executor.map(lambda p: np.unique(propose(p, counters, False)), range(len(partitions)))
    pairs = np.unique(np.concatenate([np.zeros(0, dtype=np.uint64), *found]))
    return (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
