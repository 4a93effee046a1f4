"""Lists of different lengths, one after another: list i is ``values[offsets[i]:offsets[i + 1]]``."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)
Offsets = NDArray[np.int64]


def pick_lists(values: NDArray[T], offsets: Offsets, places: Offsets) -> tuple[Offsets, NDArray[T]]:
    """Return some of the lists, in the given order: offsets, and values."""
    counts = np.diff(offsets)[places]
    picked = np.zeros(len(places) + 1, dtype=np.int64)
    np.cumsum(counts, out=picked[1:])
    taken = np.repeat(offsets[places] - picked[:-1], counts) + np.arange(picked[-1])
    return picked, values[taken]


def join_lists(parts: list[tuple[Offsets, NDArray[T]]]) -> tuple[Offsets, NDArray[T]]:
    """Put lists together, those of one part after those of another."""
    if len(parts) == 1:
        return parts[0]
    counts = np.concatenate([np.diff(offsets) for offsets, _ in parts])
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets, np.concatenate([values for _, values in parts])
