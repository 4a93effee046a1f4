"""Stage 8: the articles that are most like each one, and how much its topic gives for free.

An inverted index over the most telling terms proposes, within a sliding window
of time and, by a few more postings, beyond it; the cosine over all terms kept
decides. One cut of the cosine does not serve all corpora: it is divided by what the
neighbourhoods of the two articles give anyway, as in the local scaling of
Zelnik-Manor and Perona (2004).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
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

    def windows(self, first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the dated units within the window of some, first and last; all for the undated."""
        begins = np.zeros(last - first, dtype=np.int64)
        ends = np.full(last - first, self.n_dated, dtype=np.int64)
        dated = self.times[: self.n_dated]
        own = dated[first:last]
        begins[: len(own)] = np.searchsorted(dated, own - self.window, side="left")
        ends[: len(own)] = np.searchsorted(dated, own + self.window, side="right")
        return begins, ends


@dataclass(frozen=True)
class Neighbours(ABC):
    """The neighbours of n articles.

    Attributes
    ----------
    n_articles : int
    n_read : int
        Postings read for all of them.
    """

    n_articles: int
    n_read: int

    @abstractmethod
    def parts(self) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.float32]]]:
        """Yield the neighbours of some articles after another.

        Yields
        ------
        first : int
            The first article.
        docs : int32 array of shape (m, `MOST_NEIGHBOURS`)
            -1 where there are fewer.
        similarities : float32 array of the same shape
            Cosines, from 0 to 1.
        """

    @property
    def n_compared(self) -> int:
        """How many neighbours there are in all."""
        return sum(int(np.count_nonzero(docs >= 0)) for _, docs, _ in self.parts())

    def levels(self, n_terms: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return by what the similarities of each article, of so many terms, are to be multiplied."""
        factors = np.empty(self.n_articles, dtype=np.float64)
        for first, _, similarities in self.parts():
            factors[first : first + len(similarities)] = kernel.measure_levels(
                similarities, NEAREST_FLOOR, *RANKS, PRIOR, PRIOR_NEIGHBOURS, MOST_FREE, EXPONENT
            )
        shortness = np.log(SHORT_TERMS / np.maximum(n_terms, 1))
        return factors * (1.0 + SHORT_BONUS * np.maximum(shortness, 0.0))

    def edges(
        self, factors: NDArray[np.float64], least: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Return the distinct pairs whose corrected similarity is `least` or more, in order."""
        nothing = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float64)
        listed = [kernel.list_edges(first, docs, own, factors, least) for first, docs, own in self.parts()]
        firsts, seconds, values = (np.concatenate(column) for column in zip(nothing, *listed, strict=True))
        _, kept = np.unique(firsts * self.n_articles + seconds, return_index=True)
        return firsts[kept], seconds[kept], values[kept]


@dataclass(frozen=True)
class HeldNeighbours(Neighbours):
    """Neighbours in memory."""

    docs: NDArray[np.int32]
    similarities: NDArray[np.float32]

    def parts(self) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.float32]]]:
        """Yield them all at once."""
        yield 0, self.docs, self.similarities


@dataclass(frozen=True)
class Lists:
    """Postings by term: see `samestory.kernels.story.neighbours.find_neighbours`."""

    offsets: NDArray[np.int64]
    postings: NDArray[np.int32]
    weights: NDArray[np.float32]


@dataclass(frozen=True)
class Asked:
    """The lists of some articles, -1 after the last of each, and the weight of the term in each article."""

    lists: NDArray[np.int32]
    weights: NDArray[np.float32]


def propose(first: int, asked: Asked, lists: Lists, timeline: Timeline, out: NDArray[np.int32]) -> int:
    """Write the neighbours of the articles from `first` on that ask; return how many postings were read."""
    begins, ends = timeline.windows(first, first + len(out))
    return kernel.find_neighbours(
        first,
        first + len(out),
        asked.lists,
        asked.weights,
        lists.offsets,
        lists.postings,
        lists.weights,
        begins,
        ends,
        timeline.n_dated,
        len(timeline.times),
        MOST_NEAR,
        MOST_FAR,
        SHORT_LIST,
        out,
    )


def find_neighbours(
    terms: Terms, timeline: Timeline, executor: Executor, observer: Observer = ignore_progress
) -> Neighbours:
    """Find the neighbours of every article and compare it with them."""
    n = len(terms.numbers)
    observer("neighbours", 0, n)
    asked, lists = _invert(terms, executor)
    docs = np.empty((n, MOST_NEIGHBOURS), dtype=np.int32)
    similarities = np.empty((n, MOST_NEIGHBOURS), dtype=np.float32)

    def work(first: int) -> int:
        last = min(n, first + _CHUNK)
        own = Asked(asked.lists[first:last], asked.weights[first:last])
        n_read = propose(first, own, lists, timeline, docs[first:last])
        kernel.compare_neighbours(first, last, terms.names, terms.weights, terms.numbers, docs, similarities)
        return n_read

    compared = in_order(executor, work, range(0, n, _CHUNK), 8)
    compared = each(compared, observer, "neighbours", n, lambda one: min(_CHUNK, n - one[0]))
    n_read = sum(done for _, done in compared)
    return HeldNeighbours(n, n_read, docs, similarities)


_PARTS: Final = 8


def _invert(terms: Terms, executor: Executor) -> tuple[Asked, Lists]:
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
    return Asked(of_units, unit_weights), Lists(offsets[: n_lists + 1], postings, weights)
