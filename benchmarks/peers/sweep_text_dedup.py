"""The method of text-dedup, written from its description: MinHash, bands, and union of every bucket.

Word five-grams, 250 hash values, bands and rows that minimise the sum of the false positive and the
false negative area for the threshold; all that meet in a bucket are one cluster and nothing is verified.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from protocol import band_pairs, require
from sweep import THRESHOLDS, Sweep

NUM_PERM, NGRAM = 250, 5


def bands_and_rows(threshold: float) -> tuple[int, int]:
    """Return the bands and rows whose two areas of error are smallest together."""
    grid = np.linspace(0.0005, 0.9995, 1000)
    under = grid < threshold
    best, chosen = np.inf, (1, 1)
    for bands in range(1, NUM_PERM + 1):
        for rows in range(1, NUM_PERM // bands + 1):
            caught = 1.0 - (1.0 - grid**rows) ** bands
            error = caught[under].sum() + (1.0 - caught[~under]).sum()
            if error < best:
                best, chosen = error, (bands, rows)
    return chosen


def signatures(shingles: list[list[str]]) -> NDArray[np.uint32]:
    """Return the least of each of NUM_PERM hash functions over the shingles of every article."""
    import xxhash

    rng = np.random.default_rng(42)
    factors = rng.integers(1, 1 << 63, NUM_PERM, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    shifts = rng.integers(0, 1 << 63, NUM_PERM, dtype=np.uint64)
    made = np.full((len(shingles), NUM_PERM), 0xFFFFFFFF, np.uint32)
    for place, row in enumerate(shingles):
        if row:
            hashes = np.array([xxhash.xxh64_intdigest(shingle.encode()) for shingle in row], np.uint64)
            mixed = (hashes[:, None] * factors + shifts) >> np.uint64(32)
            made[place] = mixed.min(axis=0).astype(np.uint32)
    return made


def main() -> None:
    """Run one sweep."""
    sweep = Sweep(__doc__)
    require("xxhash", "scipy")
    made = signatures(sweep.shingles(NGRAM))
    for threshold in THRESHOLDS:
        pairs = np.concatenate(list(band_pairs(made, *bands_and_rows(threshold))))
        sweep.add(f"word:{NGRAM}, {threshold:.2f}", pairs, whole_clusters=True)
    sweep.write()


if __name__ == "__main__":
    main()
