"""Folded texts put together, and picked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.buckets import gather_texts
from samestory.normalise import FoldedTexts


def joined_texts(parts: list[FoldedTexts]) -> FoldedTexts:
    """Put texts together, one part after another."""
    if len(parts) == 1:
        return parts[0]
    offsets, data, at = [np.zeros(1, dtype=np.int64)], [], 0
    for part in parts:
        begin, end = int(part.offsets[0]), int(part.offsets[-1])
        data.append(part.data[begin:end])
        offsets.append(part.offsets[1:] - begin + at)
        at += end - begin
    return FoldedTexts(np.concatenate([*data, np.zeros(64, dtype=np.uint8)]), np.concatenate(offsets))


def picked(texts: FoldedTexts, rows: NDArray[np.int64]) -> FoldedTexts:
    """Return some texts, in the given order."""
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(texts.offsets[rows + 1] - texts.offsets[rows], out=offsets[1:])
    data = np.zeros(int(offsets[-1]) + 64, dtype=np.uint8)
    gather_texts(texts.data, texts.offsets, rows, np.arange(len(rows)), data, offsets)
    return FoldedTexts(data, offsets)
