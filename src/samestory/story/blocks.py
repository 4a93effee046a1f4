"""Neighbours of more articles than fit in memory: a block of them at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.story import neighbours as kernel
from samestory.progress import Observer, ignore_progress
from samestory.scratch import Scratch
from samestory.story import stored
from samestory.story.neighbours import MOST_NEIGHBOURS, Timeline, propose
from samestory.story.postings import NamedLists, StoredPostings
from samestory.story.stored import StoredNeighbours, StoredTerms
from samestory.story.terms import MOST_TERMS, Rows

BYTES_OF_AN_ARTICLE: Final = 3700
"""What weighing an article and finding its neighbours takes where nothing is put into files."""
_FOR_LISTS: Final = 2
_FOR_BLOCK: Final = 3
_FOR_SORTING: Final = 2
_CHUNK: Final = 1024


@dataclass(frozen=True)
class StoryRoom:
    """What finding stories may take.

    Attributes
    ----------
    n_bytes : int
        Of memory, about.
    scratch : Scratch
        Where to put what does not fit.
    """

    n_bytes: int
    scratch: Scratch

    def holds(self, n: int) -> bool:
        """Whether the terms and the neighbours of n articles fit in memory."""
        return n * BYTES_OF_AN_ARTICLE <= self.n_bytes

    def for_terms(self, n: int, n_threads: int) -> tuple[StoredTerms, StoredPostings]:
        """Return where the terms of n articles are put, and their postings."""
        at_once = max(stored.LEAST_AT_ONCE, self.n_bytes // _FOR_BLOCK // stored.BYTES_OF_A_BLOCK)
        postings = StoredPostings(n, self.n_bytes // _FOR_SORTING, n_threads, self.scratch)
        return StoredTerms(n, min(n, at_once), self.scratch), postings


@dataclass(frozen=True)
class Blocks:
    """Articles whose terms and postings are in files.

    Attributes
    ----------
    terms : StoredTerms
    postings : StoredPostings
    timeline : Timeline
    room : StoryRoom
    """

    terms: StoredTerms
    postings: StoredPostings
    timeline: Timeline
    room: StoryRoom

    def find_neighbours(self, executor: Executor, observer: Observer = ignore_progress) -> StoredNeighbours:
        """Find the neighbours of every article and compare it with them."""
        n = len(self.terms.numbers)
        observer("neighbours", 0, n)
        self.postings.sort(executor)
        file = self.room.scratch.file()
        n_read, sizes = 0, []
        for block, lists in self._with_lists():
            first, last = self.terms.bounds(block)
            work = _Block(self.terms, block)
            n_read += work.propose(lists, self.timeline, executor)
            del lists
            file.append(work.docs)
            file.append(work.compare(executor))
            sizes.append(last - first)
            observer("neighbours", last, n)
        return StoredNeighbours(n, n_read, file, sizes)

    def _with_lists(self) -> Iterator[tuple[int, NamedLists]]:
        """Yield each block with the lists it needs, which are read for as many blocks as they fit for."""
        most = self.room.n_bytes // _FOR_LISTS
        span = self.terms.n_blocks
        begin = 0
        while begin < self.terms.n_blocks:
            end = min(begin + span, self.terms.n_blocks)
            first, last = self.terms.bounds(begin)[0], self.terms.bounds(end - 1)[1]
            lists = self.postings.lists(first, last, self.timeline, most if end > begin + 1 else None)
            if lists is None:
                span = (end - begin + 1) // 2
                continue
            for block in range(begin, end):
                yield block, lists
            lists = None  # let go of before the next are read
            begin = end


class _Block:
    """The articles of one block, with room beside them for those they are compared with."""

    def __init__(self, terms: StoredTerms, block: int) -> None:
        self._terms = terms
        self._block = block
        self._first, self._last = terms.bounds(block)
        self._n = self._last - self._first
        self._names = np.empty((self._n + terms.at_once, MOST_TERMS), dtype=np.uint32)
        self._weights = np.empty((self._n + terms.at_once, MOST_TERMS), dtype=np.float32)
        self._numbers = np.zeros(self._n + terms.at_once, dtype=np.int32)
        self._read(0, np.arange(self._first, self._last))
        self.docs = np.empty((self._n, MOST_NEIGHBOURS), dtype=np.int32)

    def _read(self, place: int, articles: NDArray[np.int64]) -> None:
        own = slice(place, place + len(articles))
        self._terms.read_rows(articles, self._names[own], self._weights[own])
        self._numbers[own] = self._terms.numbers[articles]

    def propose(self, lists: NamedLists, timeline: Timeline, executor: Executor) -> int:
        """Find the neighbours of all; return how many postings were read."""
        telling, n_telling = self._terms.telling(self._block)

        def work(begin: int) -> int:
            own = slice(begin, min(begin + _CHUNK, self._n))
            rows = Rows(self._names[own], self._weights[own], self._numbers[own])
            asked = lists.asked_by(rows, telling[own], n_telling[own])
            return propose(self._first + begin, asked, lists, timeline, self.docs[own])

        return sum(executor.map(work, range(0, self._n, _CHUNK)))

    def compare(self, executor: Executor) -> NDArray[np.float32]:
        """Return how like its neighbours each is: first those of its own block, then others, part by part."""
        similarities = np.zeros(self.docs.shape, dtype=np.float32)
        is_own = (self.docs >= self._first) & (self.docs < self._last)
        self._compare_with(np.where(is_own, self.docs - self._first, -1), similarities, executor)
        others = np.unique(self.docs[~is_own & (self.docs >= 0)]).astype(np.int64)
        for begin in range(0, len(others), self._terms.at_once):
            articles = others[begin : begin + self._terms.at_once]
            self._read(self._n, articles)
            is_there = ~is_own & (self.docs >= articles[0]) & (self.docs <= articles[-1])
            places = np.full(self.docs.shape, -1, dtype=np.int32)
            places[is_there] = self._n + np.searchsorted(articles, self.docs[is_there])
            self._compare_with(places, similarities, executor)
        return similarities

    def _compare_with(
        self, places: NDArray[np.int32], similarities: NDArray[np.float32], executor: Executor
    ) -> None:
        """Compare each with some of its neighbours, by their places here; -1 for the others."""
        found = np.empty(places.shape, dtype=np.float32)

        def work(begin: int) -> None:
            end = min(begin + _CHUNK, self._n)
            kernel.compare_neighbours(begin, end, self._names, self._weights, self._numbers, places, found)

        for _ in executor.map(work, range(0, self._n, _CHUNK)):
            pass
        np.copyto(similarities, found, where=places >= 0)
