"""SimHash (Charikar 2002; Manku, Jain and Das Sarma 2007) over word shingles, 64 bits, weighted by count.

Written from the paper: every pair whose fingerprints differ in at most k bits is joined, k from 0 to
24. All pairs are compared, so none is missed for want of a table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from protocol import require
from sweep import NGRAMS, NO_PAIRS, Sweep

MOST_BITS = 24


def fingerprints(shingles: list[list[str]]) -> NDArray[np.float32]:
    """Return the 64 bits of every article as +1 and -1."""
    import xxhash

    signs = np.empty((len(shingles), 64), np.float32)
    for place, row in enumerate(shingles):
        hashes = np.array([xxhash.xxh64_intdigest(shingle.encode()) for shingle in row], np.uint64)
        bits = np.unpackbits(hashes.view(np.uint8).reshape(-1, 8), axis=1)
        signs[place] = np.where(2 * bits.sum(axis=0, dtype=np.int64) > len(row), 1.0, -1.0)
    return signs


def close_pairs(signs: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all pairs that differ in at most MOST_BITS bits, and in how many."""
    pairs, distances = [NO_PAIRS], [np.empty(0, np.int64)]
    for place in range(len(signs) - 1):
        differing = ((64 - signs[place + 1 :] @ signs[place]) / 2).astype(np.int64)
        others = np.flatnonzero(differing <= MOST_BITS)
        pairs.append(np.stack([np.full(len(others), place), place + 1 + others], axis=1))
        distances.append(differing[others])
    return np.concatenate(pairs), np.concatenate(distances)


def main() -> None:
    """Run one sweep."""
    sweep = Sweep(__doc__)
    require("xxhash", "scipy")
    for ngram in NGRAMS:
        pairs, distances = close_pairs(fingerprints(sweep.shingles(ngram)))
        for bits in range(MOST_BITS + 1):
            sweep.add(f"word:{ngram}, {bits} bits", pairs[distances <= bits])
    sweep.write()


if __name__ == "__main__":
    main()
