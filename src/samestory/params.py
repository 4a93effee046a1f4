"""The S-curve: bands and rows from threshold and recall; and the permutations."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samestory.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Banding:
    """How a signature is cut: `bands` keys of `rows_per_band` values each."""

    bands: int
    rows_per_band: int

    def chance(self, jaccard: float) -> float:
        """Chance from 0 to 1 that a pair of this Jaccard similarity meets in a bucket.

        ``1 - (1 - s**r)**b``: Leskovec, Rajaraman and Ullman, "Mining of Massive
        Datasets", section 3.4.
        """
        return float(-math.expm1(self.bands * math.log1p(-(min(jaccard, 1 - 1e-15) ** self.rows_per_band))))


_HOPELESS = 1e-290
"""A chance too small to divide by: no number of bands makes up for it."""


@functools.cache
def choose_banding(threshold: float, recall: float, num_perm: int) -> Banding:
    """Choose the most rows a band, then the fewest bands, that reach the recall at the threshold.

    Every candidate is verified, so false candidates cost only time: rows are what
    keeps them few, and recall is what must not be traded for it.

    Raises
    ------
    ConfigError
        `num_perm` values are too few for this recall, even in bands of one row.
    """
    for rows in range(num_perm, 0, -1):
        chance = min(threshold, 1 - 1e-12) ** rows
        bands = (
            max(1, math.ceil(math.log1p(-recall) / math.log1p(-chance)))
            if chance > _HOPELESS
            else num_perm + 1
        )
        if bands * rows <= num_perm:
            return Banding(bands=bands, rows_per_band=rows)
    raise ConfigError(
        f"num_perm is {num_perm}: too few for a recall of {recall:g} at threshold {threshold:g}",
        hint="raise num_perm, or lower the recall",
    )


def permutations(num_perm: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the factors (odd) and addends of datasketch's scheme ``affine32``.

    They are drawn as ``datasketch.MinHash(num_perm, seed, scheme="affine32")``
    draws them, without the second that importing datasketch and SciPy takes;
    the tests hold the two equal.
    """
    generator = np.random.RandomState(seed)
    factors = generator.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    addends = generator.randint(0, 1 << 32, num_perm, dtype=np.uint32)
    return factors, addends
