"""A tree of average linkage cut at every threshold: an oracle, for it is judged before it is chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster

from judging.answers import Figures, Ints
from storytelling.bcubed import bcubed

THRESHOLDS = tuple(round(0.02 + 0.01 * step, 2) for step in range(89))  # of the mean cosine similarity


def figures_of_cuts(tree: NDArray[np.float64], truth: Ints) -> dict[float, Figures]:
    """Return the figures at every threshold: a cluster's halves are as similar as that, in the mean."""
    return {
        threshold: bcubed(fcluster(tree, 1.0 - threshold, "distance").astype(np.int64), truth)
        for threshold in THRESHOLDS
    }


def best(cuts: dict[float, Figures]) -> float:
    """Return the threshold with the highest F1 (the first such)."""
    return max(cuts, key=lambda threshold: cuts[threshold]["f1"])
