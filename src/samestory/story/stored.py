"""Terms and neighbours of more articles than fit in memory, in temporary files.

Articles are kept in blocks of a fixed number, in the order of their dates: those
that are compared with one another are mostly in a few of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from samestory.scratch import Scratch, ScratchFile
from samestory.story.neighbours import MOST_NEIGHBOURS, Neighbours
from samestory.story.terms import MOST_TELLING, MOST_TERMS, Rows, Terms

LEAST_AT_ONCE: Final = 1024
"""Articles of a block at least."""
BYTES_OF_A_BLOCK: Final = 6400
"""What working on a block takes for each of its articles."""
_SECTION_BYTES: Final = (4 * MOST_TERMS, 4 * MOST_TERMS, MOST_TELLING)
"""Of an article's names, weights, and places of telling terms."""
_ROW_BYTES: Final = sum(_SECTION_BYTES)
_WORTH_SEEKING: Final = 8
"""A block is read as a whole unless the rows wanted are less than one in so many of it."""


class StoredTerms:
    """As `samestory.story.terms.Terms`, in a file.

    Parameters
    ----------
    n : int
        Articles.
    at_once : int
        Articles of a block.
    scratch : Scratch

    Raises
    ------
    OutputError
        There is no room for them.
    """

    def __init__(self, n: int, at_once: int, scratch: Scratch) -> None:
        self.at_once = at_once
        self.n_blocks = -(-n // at_once)
        self.numbers = np.zeros(n, dtype=np.int32)
        self._numbers_telling = np.zeros(n, dtype=np.int32)
        self._place_of = np.zeros(n, dtype=np.int32)
        self._filled = np.zeros(self.n_blocks, dtype=np.int64)
        scratch.note(n * _ROW_BYTES)
        self._file = scratch.file()

    def add(self, articles: NDArray[np.int64], terms: Terms) -> None:
        """Keep the terms of some articles."""
        self.numbers[articles] = terms.numbers
        self._numbers_telling[articles] = terms.numbers_telling
        order = np.argsort(articles // self.at_once, kind="stable")
        blocks, starts = np.unique(articles[order] // self.at_once, return_index=True)
        for block, rows in zip(blocks.tolist(), np.split(order, starts[1:]), strict=True):
            place = int(self._filled[block])
            self._filled[block] += len(rows)
            self._place_of[articles[rows]] = np.arange(place, place + len(rows))
            self._file.overwrite(terms.names[rows], self._byte_of(block, 0, place))
            self._file.overwrite(terms.weights[rows], self._byte_of(block, 1, place))
            self._file.overwrite(terms.telling[rows], self._byte_of(block, 2, place))

    def bounds(self, block: int) -> tuple[int, int]:
        """Return the first article of a block, and that after its last."""
        return block * self.at_once, min(len(self.numbers), (block + 1) * self.at_once)

    def telling(self, block: int) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """Return the places of the telling terms of each article of a block, and how many these are."""
        first, last = self.bounds(block)
        out = np.empty((last - first, MOST_TELLING), dtype=np.uint8)
        self._read(block, 2, np.arange(first, last), out)
        return out, self._numbers_telling[first:last]

    def rows(self, articles: NDArray[np.int64]) -> Rows:
        """Return what tells some articles, in any order."""
        names = np.empty((len(articles), MOST_TERMS), dtype=np.uint32)
        weights = np.empty((len(articles), MOST_TERMS), dtype=np.float32)
        self.read_rows(articles, names, weights)
        return Rows(names, weights, self.numbers[articles])

    def read_rows(
        self, articles: NDArray[np.int64], names: NDArray[np.uint32], weights: NDArray[np.float32]
    ) -> None:
        """Write the names and weights of some articles, in any order, into arrays."""
        block_of = articles // self.at_once
        if np.all(block_of[1:] >= block_of[:-1]):
            starts = np.flatnonzero(np.diff(block_of, prepend=-1))
            for begin, end in zip(starts, [*starts[1:], len(articles)][: len(starts)], strict=True):
                self._read(int(block_of[begin]), 0, articles[begin:end], names[begin:end])
                self._read(int(block_of[begin]), 1, articles[begin:end], weights[begin:end])
            return
        order = np.argsort(articles, kind="stable")
        found = self.rows(articles[order])
        names[order], weights[order] = found.names, found.weights

    def _read(self, block: int, section: int, articles: NDArray[np.int64], out: NDArray[Any]) -> None:
        """Read one section of articles of one block."""
        places = self._place_of[articles]
        first, last = self.bounds(block)
        if _WORTH_SEEKING * len(articles) >= last - first:
            whole = np.empty((last - first, out.shape[1]), dtype=out.dtype)
            self._file.read_into(whole, self._byte_of(block, section, 0))
            np.take(whole, places, axis=0, out=out)
            return
        for row, place in zip(out, places.tolist(), strict=True):
            self._file.read_into(row, self._byte_of(block, section, place))

    def _byte_of(self, block: int, section: int, place: int) -> int:
        """Return where a row of a section of a block begins: the sections stand one after another."""
        first, last = self.bounds(block)
        before = sum(_SECTION_BYTES[:section])
        return first * _ROW_BYTES + (last - first) * before + place * _SECTION_BYTES[section]


@dataclass(frozen=True)
class StoredNeighbours(Neighbours):
    """Neighbours in a file.

    Attributes
    ----------
    sizes : list of int
        Articles of each part.
    """

    file: ScratchFile
    sizes: list[int]

    def parts(self) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.float32]]]:
        """Yield them part by part."""
        first, begin = 0, 0
        for n in self.sizes:
            docs = self.file.read(np.int32, begin, n * MOST_NEIGHBOURS)
            similarities = self.file.read(np.float32, begin + docs.nbytes, n * MOST_NEIGHBOURS)
            yield first, docs.reshape(n, -1), similarities.reshape(n, -1)
            first += n
            begin += docs.nbytes + similarities.nbytes
