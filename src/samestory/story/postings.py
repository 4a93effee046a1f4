"""The inverted index of more articles than fit in memory: sorted in a temporary file, read in windows.

For articles that follow one another in time, only parts of the lists are ever read:
what is within their windows, what is undated, and a few postings more. With these parts
in the place of the lists, the neighbours found are the same.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.story import neighbours as kernel
from samestory.scratch import Scratch
from samestory.story.neighbours import MOST_FAR, SHORT_LIST, Asked, Lists, Timeline
from samestory.story.terms import MOST_TELLING, Rows, Terms
from samestory.threads import in_order

_LOW: Final = np.uint64(0xFFFFFFFF)
_32: Final = np.uint64(32)
BYTES_OF_A_POSTING: Final = 8
_BYTES_OF_A_LIST: Final = 12
_BYTES_TO_SORT: Final = 40
"""What sorting takes for each posting."""
LEAST_SORTED: Final = 1 << 15
"""Postings of a range of names at least, about."""


@dataclass(frozen=True)
class Posted:
    """Postings of some articles, by name: name and article in one number, and the weight."""

    packed: NDArray[np.uint64]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.packed)


def post(terms: Terms, articles: NDArray[np.int64]) -> Posted:
    """List the telling terms of some articles by name; those of one name in the order of the articles."""
    places = kernel.pack_terms(terms.names, terms.telling, terms.numbers_telling, 0, 1)
    places.sort()
    row, slot = np.divmod((places & _LOW).astype(np.int64), MOST_TELLING)
    weights = terms.weights[row, terms.telling[row, slot]]
    return Posted((places & ~_LOW) | articles[row].astype(np.uint64), weights)


@dataclass(frozen=True)
class NamedLists(Lists):
    """Lists, and the name of the term of each, in order."""

    names: NDArray[np.uint32]

    def asked_by(self, rows: Rows, telling: NDArray[np.uint8], n_telling: NDArray[np.int32]) -> Asked:
        """Return the lists of some articles' telling terms."""
        is_told = np.arange(MOST_TELLING) < n_telling[:, None]
        row, slot = np.nonzero(is_told)
        place = telling[row, slot]
        lists = np.full(telling.shape, -1, dtype=np.int32)
        weights = np.zeros(telling.shape, dtype=np.float32)
        lists[row, slot] = np.searchsorted(self.names, rows.names[row, place])
        weights[row, slot] = rows.weights[row, place]
        return Asked(lists, weights)


class StoredPostings:
    """The postings of all articles, in ranges of names.

    Parameters
    ----------
    n : int
        Articles.
    sort_bytes : int
        About what sorting may take.
    n_threads : int
        Ranges that are sorted at once.
    scratch : Scratch
    """

    def __init__(self, n: int, sort_bytes: int, n_threads: int, scratch: Scratch) -> None:
        at_once = max(LEAST_SORTED, sort_bytes // (_BYTES_TO_SORT * n_threads))
        self._n_parts = 1 + n * MOST_TELLING // at_once
        self._n_threads = n_threads
        self._scratch = scratch
        self._given = scratch.file()
        self._runs: list[tuple[int, NDArray[np.int64]]] = []
        self._sorted: list[tuple[int, int]] = []
        self.n_postings = 0

    def add(self, posted: Posted) -> None:
        """Keep the postings of some articles."""
        bounds = (np.arange(self._n_parts + 1, dtype=np.uint64) << _32) // np.uint64(self._n_parts)
        names = (posted.packed >> _32).astype(np.uint64)
        offsets = np.searchsorted(names, bounds)
        self._runs.append((self._given.append(posted.packed), offsets))
        self._given.append(posted.weights)
        self.n_postings += len(posted)

    def sort(self, executor: Executor) -> None:
        """Sort the postings of each name by article; none are added after this."""
        self._file = self._scratch.file()
        for _, part in in_order(executor, self._sort_part, range(self._n_parts), self._n_threads - 1):
            self._sorted.append((self._file.append(part.packed), len(part)))
            self._file.append(part.weights)
        self._given.close()
        self._runs.clear()

    def _sort_part(self, number: int) -> Posted:
        n = sum(int(offsets[number + 1] - offsets[number]) for _, offsets in self._runs)
        packed = np.empty(n, dtype=np.uint64)
        weights = np.empty(n, dtype=np.float32)
        end = 0
        for begin, offsets in self._runs:
            low, high, size = (int(offsets[k]) for k in (number, number + 1, -1))
            own = slice(end, end + high - low)
            self._given.read_into(packed[own], begin + 8 * low)
            self._given.read_into(weights[own], begin + 8 * size + 4 * low)
            end = own.stop
        order = np.argsort(packed)
        ordered = packed[order]
        if np.any(ordered[1:] == ordered[:-1]):  # two terms of an article have one name: as they came
            order = np.argsort(packed, kind="stable")
        return Posted(ordered, weights[order])

    def lists(self, first: int, last: int, timeline: Timeline, most: int | None) -> NamedLists | None:
        """Return what of the lists the articles from `first` to before `last` need.

        Parameters
        ----------
        first, last : int
        timeline : Timeline
        most : int or None
            Bytes these may take.

        Returns
        -------
        NamedLists or None
            None where they would take more.
        """
        room = self.n_postings if most is None else min(self.n_postings, most // BYTES_OF_A_POSTING)
        postings = np.empty(room, dtype=np.int32)  # what is not written takes no memory
        weights = np.empty(room, dtype=np.float32)
        names: list[NDArray[np.uint32]] = [np.zeros(0, dtype=np.uint32)]
        counts: list[NDArray[np.int64]] = [np.zeros(1, dtype=np.int64)]
        n, n_lists = 0, 0
        window = _Window.of(first, last, timeline)
        for begin, size in self._sorted:
            packed = self._file.read(np.uint64, begin, size)
            kept, names_kept, counts_kept = window.cut(packed)
            own = slice(n, n + int(counts_kept.sum()))
            n = own.stop
            n_lists += len(names_kept)
            if most is not None and n * BYTES_OF_A_POSTING + n_lists * _BYTES_OF_A_LIST > most:
                return None
            postings[own] = packed[kept] & _LOW
            weights[own] = self._file.read(np.float32, begin + 8 * size, size)[kept]
            names.append(names_kept)
            counts.append(counts_kept)
        offsets = np.cumsum(np.concatenate(counts))
        return NamedLists(offsets, postings[:n], weights[:n], np.concatenate(names))


@dataclass(frozen=True)
class _Window:
    """What articles from `first` to before `last` read: dated ones from `begin` to before `end`, and undated.

    `n_dated` is the first undated one.
    """

    first: int
    last: int
    begin: int
    end: int
    n_dated: int
    is_all: bool

    @classmethod
    def of(cls, first: int, last: int, timeline: Timeline) -> _Window:
        begins, ends = timeline.windows(first, last)
        is_all = first == 0 and last == len(timeline.times)
        return cls(first, last, int(begins.min()), int(ends.max()), timeline.n_dated, is_all)

    def cut(self, packed: NDArray[np.uint64]) -> tuple[Any, NDArray[np.uint32], NDArray[np.int64]]:
        """Return which postings are needed, and the names and the lengths of their lists."""
        names = (packed >> _32).astype(np.uint32)
        if self.is_all:
            starts = np.flatnonzero(np.diff(names, prepend=~names[:1]))
            return slice(None), names[starts], np.diff(starts, append=len(names))
        docs = (packed & _LOW).astype(np.int64)
        asked = names[(docs >= self.first) & (docs < self.last)]
        asked = asked[np.flatnonzero(np.diff(asked, prepend=~asked[:1]))]
        keys = asked.astype(np.uint64) << _32
        lows = np.searchsorted(packed, keys)
        highs = np.searchsorted(packed, keys | _LOW, side="right")
        inside, beyond, undated = (
            np.searchsorted(packed, keys | np.uint64(value)) for value in (self.begin, self.end, self.n_dated)
        )
        is_short = highs - lows <= SHORT_LIST
        begins = np.where(is_short, lows, np.maximum(lows, inside - MOST_FAR // 2))
        ends = np.where(is_short, undated, np.minimum(undated, beyond + MOST_FAR // 2))
        kept = _ranges(np.column_stack([begins, undated]).ravel(), np.column_stack([ends, highs]).ravel())
        return kept, asked, (ends - begins) + (highs - undated)


def _ranges(begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of several ranges, one range after another."""
    sizes = ends - begins
    starts = np.cumsum(sizes) - sizes
    return np.repeat(begins - starts, sizes) + np.arange(int(sizes.sum()))
