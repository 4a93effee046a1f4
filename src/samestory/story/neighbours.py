"""Stage 8: the articles that are most like each one, and how much its topic gives for free.

An inverted index over the most telling terms proposes, within a sliding window
of time and, by a few more postings, beyond it; the cosine over all terms kept
decides. One cut of the cosine does not serve all corpora: it is divided by what the
neighbourhoods of the two articles give anyway, as in the local scaling of
Zelnik-Manor and Perona (2004).
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.story import neighbours as kernel
from samestory.progress import Observer, each, ignore_progress
from samestory.story.terms import Terms
from samestory.threads import in_order

MOST_NEIGHBOURS: Final = 64
MOST_NEAR: Final = 2048
"""Postings read for an article within its window."""
MOST_FAR: Final = 512
"""Postings read for an article beyond its window: its date may be wrong."""
SHORT_LIST: Final = 32
"""Lists of so few postings are read as a whole."""
RANKS: Final = (20, 60)
"""Neighbours whose similarity is what a topic gives for free: beyond most stories."""
PRIOR: Final = 0.03
PRIOR_NEIGHBOURS: Final = 5.0
MOST_FREE: Final = 0.15
"""What a topic gives for free at most: over it, they are reports of one large event."""
NEAREST_FLOOR: Final = 0.02
EXPONENT: Final = 0.18
SHORT_TERMS: Final = 60.0
SHORT_BONUS: Final = 0.07
"""An article of fewer terms shares fewer by chance: what its similarities gain for each e-fold."""
_CHUNK: Final = 4096


@dataclass(frozen=True)
class Timeline:
    """The units of stories in the order of their dates, the undated last.

    Attributes
    ----------
    times : int64 array of shape (n,)
        Microseconds since 1970; not set for the undated.
    n_dated : int
    window : int
        Microseconds.
    """

    times: NDArray[np.int64]
    n_dated: int
    window: int

    def windows(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the dated units within the window of each, first and last; all for the undated."""
        begins = np.zeros(len(self.times), dtype=np.int64)
        ends = np.full(len(self.times), self.n_dated, dtype=np.int64)
        dated = self.times[: self.n_dated]
        begins[: self.n_dated] = np.searchsorted(dated, dated - self.window, side="left")
        ends[: self.n_dated] = np.searchsorted(dated, dated + self.window, side="right")
        return begins, ends


@dataclass(frozen=True)
class Neighbours:
    """The neighbours of n articles.

    Attributes
    ----------
    docs : int32 array of shape (n, `MOST_NEIGHBOURS`)
        -1 where there are fewer.
    similarities : float32 array of the same shape
        Cosines, from 0 to 1.
    n_read : int
        Postings read for all of them.
    """

    docs: NDArray[np.int32]
    similarities: NDArray[np.float32]
    n_read: int

    def levels(self, n_terms: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return by what the similarities of each article, of so many terms, are to be multiplied."""
        factors = kernel.measure_levels(
            self.similarities, NEAREST_FLOOR, *RANKS, PRIOR, PRIOR_NEIGHBOURS, MOST_FREE, EXPONENT
        )
        shortness = np.log(SHORT_TERMS / np.maximum(n_terms, 1))
        return factors * (1.0 + SHORT_BONUS * np.maximum(shortness, 0.0))

    def edges(
        self, factors: NDArray[np.float64], least: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Return the distinct pairs whose corrected similarity is `least` or more, in order."""
        firsts, seconds, values = kernel.list_edges(self.docs, self.similarities, factors, least)
        n = len(self.docs)
        _, kept = np.unique(firsts * n + seconds, return_index=True)
        return firsts[kept], seconds[kept], values[kept]


@dataclass(frozen=True)
class _Lists:
    """Postings by term: see `samestory.kernels.story.neighbours.find_neighbours`."""

    of_units: NDArray[np.int32]
    unit_weights: NDArray[np.float32]
    offsets: NDArray[np.int64]
    postings: NDArray[np.int32]
    weights: NDArray[np.float32]


def find_neighbours(
    terms: Terms, timeline: Timeline, executor: Executor, observer: Observer = ignore_progress
) -> Neighbours:
    """Find the neighbours of every article and compare it with them."""
    n = len(terms.numbers)
    observer("neighbours", 0, n)
    lists = _invert(terms, executor)
    begins, ends = timeline.windows()
    docs = np.empty((n, MOST_NEIGHBOURS), dtype=np.int32)
    similarities = np.empty((n, MOST_NEIGHBOURS), dtype=np.float32)

    def work(first: int) -> int:
        last = min(n, first + _CHUNK)
        n_read = kernel.find_neighbours(
            first,
            last,
            lists.of_units,
            lists.unit_weights,
            lists.offsets,
            lists.postings,
            lists.weights,
            begins,
            ends,
            timeline.n_dated,
            n,
            MOST_NEAR,
            MOST_FAR,
            SHORT_LIST,
            docs,
        )
        kernel.compare_neighbours(first, last, terms.names, terms.weights, terms.numbers, docs, similarities)
        return n_read

    compared = in_order(executor, work, range(0, n, _CHUNK), 8)
    compared = each(compared, observer, "neighbours", n, lambda one: min(_CHUNK, n - one[0]))
    n_read = sum(done for _, done in compared)
    return Neighbours(docs, similarities, n_read)


_PARTS: Final = 8


def _invert(terms: Terms, executor: Executor) -> _Lists:
    """Sort the telling terms of all articles into lists of postings."""
    n, width = terms.telling.shape

    def sort_part(part: int) -> NDArray[np.uint64]:
        packed = kernel.pack_terms(terms.names, terms.telling, terms.numbers_telling, part, _PARTS)
        packed.sort()
        return packed

    parts = list(executor.map(sort_part, range(_PARTS)))
    n_postings = sum(len(part) for part in parts)
    of_units = np.full((n, width), -1, dtype=np.int32)
    unit_weights = np.zeros((n, width), dtype=np.float32)
    offsets = np.empty(n_postings + 1, dtype=np.int64)
    postings = np.empty(n_postings, dtype=np.int32)
    weights = np.empty(n_postings, dtype=np.float32)
    n_lists = 0
    first = 0
    for part in parts:
        n_lists = kernel.write_lists(
            part,
            first,
            n_lists,
            terms.weights,
            terms.telling,
            of_units,
            unit_weights,
            offsets,
            postings,
            weights,
        )
        first += len(part)
    offsets[n_lists] = n_postings
    return _Lists(of_units, unit_weights, offsets[: n_lists + 1], postings, weights)
