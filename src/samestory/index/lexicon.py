"""Texts as numbers of words of a growing lexicon, and the shingles that two of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from samestory.errors import ConfigError, IndexFormatError
from samestory.kernels.index.lexicon import (
    LONGEST_WORD,
    MOST_NUMBERS,
    PADDING,
    count_shared,
    decode_texts,
    encode_texts,
    gather_codes,
    insert_words,
    remove_words,
)
from samestory.normalise import FoldedTexts

T = TypeVar("T", bound=np.generic)

MOST_WORDS: Final = 4_000_000
"""A lexicon of so many words takes no more; part of the format of an index, never to be changed."""
MOST_BYTES: Final = 64 << 20
"""Nor beyond so many bytes of letters; part of the format of an index, never to be changed."""
_FIRST_ENTRIES: Final = 1 << 10
_FIRST_BYTES: Final = 1 << 12
_LETTERS_PER_CODE: Final = 4
"""Bytes of text for one of its codes, for the room that is made first."""


@dataclass(frozen=True)
class Coded:
    """Coded texts one after another: text i is ``codes[offsets[i]:offsets[i + 1]]``."""

    codes: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def n_bytes(self) -> int:
        """Bytes of all codes."""
        return int(self.offsets[-1])


def _plain(array: Any, dtype: type[T]) -> NDArray[T]:
    """Return an array of the one type that kernels are compiled for: contiguous, aligned, writeable.

    What is so already is not copied.
    """
    plain: NDArray[T] = np.require(array, dtype, ["C", "A", "W"])
    return plain


def _padded(data: NDArray[np.uint8], n_bytes: int) -> NDArray[np.uint8]:
    """Return bytes with `PADDING` more behind them, copied if there are fewer."""
    if len(data) >= n_bytes + PADDING:
        return _plain(data, np.uint8)
    padded = np.zeros(n_bytes + PADDING, dtype=np.uint8)
    padded[:n_bytes] = data[:n_bytes]
    return padded


class Lexicon:
    """Words in the order of their arrival, each with its number.

    A word is what stands between two spaces. One that is longer than 40 bytes,
    or new when the lexicon is full, is kept in letters in the text's code. Words
    are never taken out but by `forget`, so a lexicon that has once refused a word
    refuses it for ever: equal words have equal codes.

    What changes a lexicon (`encode`, `forget`, `extend`) must not run beside
    anything else that uses it; `decode` may run in several threads.
    """

    def __init__(self) -> None:
        self._count = np.zeros(1, dtype=np.int64)
        self._letters = np.empty(_FIRST_BYTES + PADDING, dtype=np.uint8)
        self._starts = np.zeros(_FIRST_ENTRIES // 2 + 1, dtype=np.int32)
        self._table = np.zeros(_FIRST_ENTRIES, dtype=np.uint64)

    @property
    def n_words(self) -> int:
        """Number of words."""
        return int(self._count[0])

    @property
    def n_bytes(self) -> int:
        """Bytes of the letters of all words."""
        return int(self._starts[self.n_words])

    def encode(self, texts: FoldedTexts) -> Coded:
        """Code texts, and add the words that are new.

        Parameters
        ----------
        texts : FoldedTexts
            Any bytes; words are parted by single spaces.

        Returns
        -------
        Coded
            About 1.8 bytes a word, with 64 bytes of padding after the last text.
        """
        offsets = _plain(texts.offsets, np.int64)
        data = _padded(texts.data, int(offsets[-1]))
        room = 2 * int(offsets[-1] - offsets[0]) + 12 * len(texts) + PADDING
        codes = np.empty(room, dtype=np.uint8)
        code_offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        most_words, most_bytes = min(MOST_WORDS, MOST_NUMBERS), MOST_BYTES
        done = 0
        while True:
            done = encode_texts(
                data, offsets, self._letters, self._starts, self._table, self._count,
                most_words, most_bytes, done, codes, code_offsets,
            )  # fmt: skip
            if done == len(texts):
                break
            self._make_room()
        end = int(code_offsets[-1])
        codes[end : end + PADDING] = 0
        return Coded(codes[: end + PADDING].copy(), code_offsets)

    def decode(self, coded: Coded) -> FoldedTexts:
        """Return the texts that were coded, with 64 bytes of padding after the last.

        Raises
        ------
        IndexFormatError
            If a code is none of this lexicon's.
        """
        offsets = _plain(coded.offsets, np.int64)
        codes = _padded(coded.codes, int(offsets[-1]))
        n_words = self.n_words
        room = _LETTERS_PER_CODE * int(offsets[-1] - offsets[0]) + 4 * PADDING
        data = np.empty(room, dtype=np.uint8)
        data_offsets = np.zeros(len(coded) + 1, dtype=np.int64)
        done = 0
        while True:
            done = decode_texts(
                codes, offsets, self._letters, self._starts, n_words, done, data, data_offsets
            )
            if done == len(coded):
                return FoldedTexts(data, data_offsets)
            if done < 0:
                raise IndexFormatError(
                    f"text {-1 - done} of {len(coded)} is not coded with this lexicon of {n_words} words",
                    hint="restore the index from a copy, or build it again",
                )
            data = _enlarged(data, int(data_offsets[done]), 2 * len(data))

    def forget(self, n_words: int) -> None:
        """Take out the words that were added last, back to the first `n_words`.

        Texts that were coded since the lexicon had so many words must be thrown away.
        """
        if not 0 <= n_words <= self.n_words:
            raise ConfigError(f"a lexicon of {self.n_words} words cannot go back to {n_words}")
        remove_words(self._letters, self._starts, int(n_words), self.n_words, self._table)
        self._count[0] = n_words

    def added_since(self, n_words: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the letters and lengths, in bytes, of the words after the first `n_words`."""
        starts = self._starts[n_words : self.n_words + 1]
        letters = self._letters[starts[0] : starts[-1]].copy()
        return letters, np.diff(starts).astype(np.uint8)

    def extend(self, letters: NDArray[np.uint8], lengths: NDArray[np.uint8]) -> None:
        """Add words as `added_since` has returned them; nothing is added if they cannot be right.

        Raises
        ------
        IndexFormatError
            If lengths and letters do not fit, a word is there twice, or it cannot be in a lexicon.
        """
        ends = np.cumsum(lengths, dtype=np.int64)
        _check_words(letters, lengths, int(ends[-1]) if len(ends) else 0)
        before, n_words, n_bytes = self.n_words, self.n_words + len(lengths), self.n_bytes
        if n_words > MOST_NUMBERS or n_bytes + len(letters) > np.iinfo(np.int32).max:
            raise _damaged(f"it has {n_words} words of {n_bytes + len(letters)} bytes, more than it can")
        self._reserve_words(n_words)
        self._reserve_bytes(n_bytes + len(letters))
        self._letters[n_bytes : n_bytes + len(letters)] = letters
        self._starts[before + 1 : n_words + 1] = ends + n_bytes
        entered = insert_words(self._letters, self._starts, before, n_words, self._table)
        self._count[0] = entered
        if entered < n_words:
            word = self._letters[self._starts[entered] : self._starts[entered + 1]].tobytes()
            self.forget(before)
            raise _damaged(f"its word {entered}, {word.decode(errors='replace')!r}, is there twice")

    def _make_room(self) -> None:
        """Make room for the words that the kernel has stopped at."""
        if self.n_words == len(self._table) // 2:
            self._reserve_words(self.n_words + 1)
        else:
            self._reserve_bytes(self.n_bytes + LONGEST_WORD)

    def _reserve_words(self, n_words: int) -> None:
        entries = len(self._table)
        while entries < 2 * n_words:
            entries *= 2
        if entries == len(self._table):
            return
        table = np.zeros(entries, dtype=np.uint64)
        insert_words(self._letters, self._starts, 0, self.n_words, table)
        self._starts = _enlarged(self._starts, self.n_words + 1, entries // 2 + 1)
        self._table = table

    def _reserve_bytes(self, n_bytes: int) -> None:
        room = len(self._letters) - PADDING
        if n_bytes > room:
            self._letters = _enlarged(self._letters, self.n_bytes, max(n_bytes, 2 * room) + PADDING)


def _enlarged(array: NDArray[T], n_used: int, size: int) -> NDArray[T]:
    larger = np.empty(size, dtype=array.dtype)
    larger[:n_used] = array[:n_used]
    return larger


def _check_words(letters: NDArray[np.uint8], lengths: NDArray[np.uint8], n_bytes: int) -> None:
    """Refuse what cannot be the words of a lexicon."""
    if n_bytes != len(letters):
        raise _damaged(f"the lengths of its words add up to {n_bytes} bytes, but it has {len(letters)}")
    impossible = lengths[(lengths < 1) | (lengths > LONGEST_WORD)]
    if len(impossible):
        raise _damaged(f"a word has {impossible[0]} bytes, not 1 to {LONGEST_WORD}")
    if (letters == ord(" ")).any():
        raise _damaged("a space is part of a word")


def _damaged(what: str) -> IndexFormatError:
    return IndexFormatError(
        f"the index's lexicon is damaged: {what}", hint="restore the index from a copy, or build it again"
    )


def count_shared_coded(
    first: NDArray[np.int64], second: NDArray[np.int64], coded: Coded, size: int
) -> NDArray[np.int32]:
    """Count the distinct shingles of words that the texts of each pair share.

    A text of fewer than `size` words has one shingle, of all its words.

    Parameters
    ----------
    first, second : int64 arrays of shape (p,)
        Numbers of texts, 0 to ``len(coded) - 1``. Pairs sorted by `first` are quickest.
    coded : Coded
        By one lexicon.
    size : int
        Words in a shingle, at least 1.

    Returns
    -------
    int32 array of shape (p,)
    """
    if size < 1:
        raise ConfigError(f"a shingle must have at least 1 word, not {size}")
    for numbers in (first, second):
        if len(numbers) and not (numbers.min() >= 0 and numbers.max() < len(coded)):
            raise IndexError(f"texts {numbers.min()} to {numbers.max()} of {len(coded)}")
    offsets = _plain(coded.offsets, np.int64)
    codes = _padded(coded.codes, int(offsets[-1]))
    return count_shared(_plain(first, np.int64), _plain(second, np.int64), codes, offsets, int(size))


def count_distinct_coded(coded: Coded, size: int) -> NDArray[np.int32]:
    """Return the number of distinct shingles of each text; see `count_shared_coded`."""
    every = np.arange(len(coded), dtype=np.int64)
    return count_shared_coded(every, every, coded, size)


def gather(addresses: NDArray[np.int64], lengths: NDArray[np.int64]) -> Coded:
    """Copy coded texts from where they are in memory, such as a file that is mapped.

    Parameters
    ----------
    addresses, lengths : int64 arrays of shape (k,)
        Of each text's first byte, and its bytes; all of them must be readable, and no others are read.
    """
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    codes = np.zeros(int(offsets[-1]) + PADDING, dtype=np.uint8)
    gather_codes(_plain(addresses, np.int64), offsets, codes)
    return Coded(codes, offsets)
