"""The oracle: the exact Jaccard of all pairs, every threshold and shingle size. Nothing is estimated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from protocol import require
from sweep import NGRAMS, THRESHOLDS, Pairs, Sweep


def jaccards(shingles: list[list[str]]) -> tuple[Pairs, NDArray[np.float64]]:
    """Return all pairs whose Jaccard is at or over the lowest threshold, and it."""
    from scipy.sparse import csr_matrix, triu

    rank: dict[str, int] = {}
    sets = [sorted({rank.setdefault(shingle, len(rank)) for shingle in row}) for row in shingles]
    sizes = np.array([len(row) for row in sets], np.int64)
    flat = np.fromiter((element for row in sets for element in row), np.int64, int(sizes.sum()))
    starts = np.concatenate([[0], np.cumsum(sizes)])
    has = csr_matrix((np.ones(len(flat), np.int32), flat, starts), shape=(len(sets), max(1, len(rank))))
    shared = triu(has @ has.T, k=1).tocoo()
    pairs = np.stack([shared.row, shared.col], axis=1).astype(np.int64)
    values = shared.data / (sizes[pairs].sum(axis=1) - shared.data)
    near = values >= THRESHOLDS[0] - 1e-9
    return pairs[near], values[near]


def main() -> None:
    """Run one sweep."""
    sweep = Sweep(__doc__)
    require("scipy")
    for ngram in NGRAMS:
        sweep.add_scores(f"word:{ngram},", *jaccards(sweep.shingles(ngram)))
    sweep.write()


if __name__ == "__main__":
    main()
