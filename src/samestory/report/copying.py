"""Who copies whom: articles counted by where their cluster was founded and where they were printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.report.arrays import UNDATED, Arrays
from samestory.report.plain import plain_line

MOST_SOURCES: Final = 12
LONGEST_SOURCE: Final = 60
N_SHADES: Final = 6
_MOST_FLOWS: Final = 1000


@dataclass(frozen=True)
class Copying:
    """A matrix of the sources that are copied most and those that copy most, the rest gathered at the end.

    Attributes
    ----------
    origins, copiers : list of str
        Names of the k rows and of the m columns.
    n_other_origins, n_other_copiers : int
        Sources that the last row and column gather; where there are none, so is there no such row or column.
    counts : int64 array of shape (k, m)
        Articles of the column's source in clusters that an article of the row's source founded.
    n_copies, n_within : int
        Copies of which both sources are known, and those of them whose sources are one.
    n_unknown, n_undated : int
        Copies of which a source is not known; and those of which the founding article has no date:
        there the order of the input decided.
    """

    origins: list[str]
    copiers: list[str]
    n_other_origins: int
    n_other_copiers: int
    counts: NDArray[np.int64]
    n_copies: int
    n_within: int
    n_unknown: int
    n_undated: int

    def shade(self, count: int) -> int:
        """How dark a cell is, from 0 (empty) to `N_SHADES` (the fullest of two named sources)."""
        if not count:
            return 0
        fullest = int(self.counts[: len(self.origins), : len(self.copiers)].max())
        share = np.log1p(count) / np.log1p(max(fullest, 1))
        return max(1, min(N_SHADES, int(np.ceil(share * N_SHADES - 1e-9))))

    def top_flows(self, n: int) -> list[tuple[str, str, int]]:
        """Return up to n of the largest numbers of copies from one named source to another."""
        named = self.counts[: len(self.origins), : len(self.copiers)]
        order = np.argsort(-named, axis=None, kind="stable")[:_MOST_FLOWS]
        found = []
        for row, column in zip(*np.unravel_index(order, named.shape), strict=True):
            count = int(named[row, column])
            if count and self.origins[row] != self.copiers[column]:
                found.append((self.origins[row], self.copiers[column], count))
        return found[:n]


def count_copying(arrays: Arrays) -> Copying | None:
    """Count who copies whom; None where no copy has known sources."""
    rows = np.flatnonzero(arrays.cluster >= 0)
    founders = arrays.founders[arrays.cluster[rows]]
    is_copy = rows != founders
    rows, founders = rows[is_copy], founders[is_copy]
    none = len(arrays.source_names) - 1
    known = (arrays.source[rows] < none) & (arrays.source[founders] < none)
    n_unknown = int(len(rows) - known.sum())
    rows, founders = rows[known], founders[known]
    if not len(rows):
        return None
    copied, copier = arrays.source[founders], arrays.source[rows]
    top_copied, row_of = _top(copied, none)
    top_copier, column_of = _top(copier, none)
    shape = (int(row_of.max()) + 1, int(column_of.max()) + 1)
    counts = np.bincount(row_of * shape[1] + column_of, minlength=shape[0] * shape[1]).reshape(shape)
    return Copying(
        origins=_names(arrays, top_copied),
        copiers=_names(arrays, top_copier),
        n_other_origins=len(np.unique(copied)) - len(top_copied),
        n_other_copiers=len(np.unique(copier)) - len(top_copier),
        counts=counts,
        n_copies=len(rows),
        n_within=int(np.count_nonzero(copied == copier)),
        n_unknown=n_unknown,
        n_undated=int(np.count_nonzero(arrays.published[founders] == UNDATED)),
    )


def _top(sources: NDArray[np.int64], n_names: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The sources that occur most, and each one's place among them; the others share the last place."""
    counts = np.bincount(sources, minlength=n_names)
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    top = order if len(order) <= MOST_SOURCES + 1 else order[:MOST_SOURCES]
    place = np.full(n_names, len(top), dtype=np.int64)
    place[top] = np.arange(len(top))
    return top, place[sources]


def _names(arrays: Arrays, codes: NDArray[np.int64]) -> list[str]:
    return [plain_line(arrays.source_names[code], LONGEST_SOURCE) for code in codes.tolist()]
