"""Sets of shingle hashes and their exact Jaccard: the measure that every tool is held against.

A set is a sorted run of distinct 64-bit hashes; many sets lie in one array. Equal hashes are taken
as equal shingles (two different ones agree once in about 10^19 times).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit, prange
from numpy.typing import NDArray

Array = NDArray[Any]

_FNV_PRIME = np.uint64(0x100000001B3)
_FNV_START = np.uint64(0xCBF29CE484222325)
_MIX1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX2 = np.uint64(0xC4CEB9FE1A85EC53)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_S33 = np.uint64(33)


class ShingleSets(NamedTuple):
    """Set `i` is `hashes[starts[i]:starts[i] + sizes[i]]`, sorted, without repeats."""

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]


def word_sets(texts: pa.Array | pa.ChunkedArray, ngram: int = 5) -> ShingleSets:
    r"""Return the word-shingle sets of generated articles.

    A word is a run of ASCII letters and digits and of characters from U+0080 but the general
    punctuation (U+2000 to U+203F); ASCII letters are lower-cased. On the generated corpora, which
    have no other capitals, these are the words of `\w+` over `text.lower()`.
    """
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    column = column.cast(pa.large_string())
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    letters = np.frombuffer(column.buffers()[2] or b"", np.uint8)
    return ShingleSets(*_word_sets(letters, offsets, ngram))


def hash_sets(hashes: NDArray[np.uint64], offsets: NDArray[np.int64]) -> ShingleSets:
    """Return the sets of shingle hashes that were made elsewhere; `hashes` is sorted in place."""
    return ShingleSets(hashes, offsets[:-1].copy(), _sort_sets(hashes, offsets))


@njit(cache=True, inline="always")
def _mix(value: Any) -> Any:
    """Scramble 64 bits (the finalizer of MurmurHash3)."""
    value = (value ^ (value >> _S33)) * _MIX1
    value = (value ^ (value >> _S33)) * _MIX2
    return value ^ (value >> _S33)


@njit(cache=True)
def _hash_words(letters: Array, start: int, end: int, words: Array) -> int:
    """Write the hash of each word of one text; return how many there are."""
    n_words, at = 0, start
    value, inside = _FNV_START, False
    while at < end:
        byte = letters[at]
        step, is_word = 1, True
        if byte == 0xE2 and letters[at + 1] == 0x80:
            step, is_word = 3, False
        elif 65 <= byte <= 90:
            byte += np.uint8(32)
        elif byte < 128 and not (97 <= byte <= 122 or 48 <= byte <= 57 or byte == 95):
            is_word = False
        if is_word:
            value = (value ^ np.uint64(byte)) * _FNV_PRIME
            inside = True
        elif inside:
            words[n_words] = _mix(value)
            n_words += 1
            value, inside = _FNV_START, False
        at += step
    if inside:
        words[n_words] = _mix(value)
        n_words += 1
    return n_words


@njit(cache=True)
def _fold(words: Array, first: int, ngram: int) -> Any:
    """Return the hash of one shingle from the hashes of its words, in order."""
    value = _STEP
    for i in range(first, first + ngram):
        value = _mix(value * _FNV_PRIME + words[i])
    return value


@njit(cache=True)
def _distinct(hashes: Array) -> int:
    """Sort hashes in place, move the distinct ones to the front, and return their number."""
    hashes.sort()
    n_kept = 0
    for i in range(len(hashes)):
        if i == 0 or hashes[i] != hashes[i - 1]:
            hashes[n_kept] = hashes[i]
            n_kept += 1
    return n_kept


@njit(cache=True, parallel=True)
def _sort_sets(hashes: Array, offsets: Array) -> Array:
    """Make each row a set in place; return the sizes."""
    sizes = np.zeros(len(offsets) - 1, np.int64)
    for d in prange(len(offsets) - 1):
        row = hashes[offsets[d] : offsets[d + 1]].copy()
        sizes[d] = _distinct(row)
        hashes[offsets[d] : offsets[d + 1]] = row
    return sizes


@njit(cache=True)
def _word_sets(letters: Array, offsets: Array, ngram: int) -> tuple[Array, Array, Array]:
    """Return hashes, starts and sizes of the shingle sets of texts."""
    n = len(offsets) - 1
    starts, sizes = np.zeros(n, np.int64), np.zeros(n, np.int64)
    hashes = np.empty((offsets[n] - offsets[0]) // 2 + n + 1, np.uint64)  # a word takes two bytes at least
    words = np.empty(np.diff(offsets).max() // 2 + 1 if n else 1, np.uint64)
    at = 0
    for d in range(n):
        n_words = _hash_words(letters, offsets[d], offsets[d + 1], words)
        length = min(ngram, n_words)
        n_shingles = n_words - length + 1 if n_words else 0
        for i in range(n_shingles):
            hashes[at + i] = _fold(words, i, length)
        starts[d] = at
        sizes[d] = _distinct(hashes[at : at + n_shingles])
        at += sizes[d]
    return hashes[:at].copy(), starts, sizes


@njit(cache=True, nogil=True)
def n_shared(sets: ShingleSets, a: int, b: int) -> int:
    """Return how many shingles two sets share."""
    i, j = sets.starts[a], sets.starts[b]
    end_i, end_j = i + sets.sizes[a], j + sets.sizes[b]
    shared = 0
    while i < end_i and j < end_j:
        left, right = sets.hashes[i], sets.hashes[j]
        shared += left == right
        i += left <= right
        j += right <= left
    return shared


@njit(cache=True, nogil=True)
def jaccard(sets: ShingleSets, a: int, b: int) -> float:
    """Return the exact Jaccard of two sets; 0 when both are empty."""
    shared = n_shared(sets, a, b)
    together = sets.sizes[a] + sets.sizes[b] - shared
    return shared / together if together else 0.0


@njit(cache=True, parallel=True)
def jaccard_of_pairs(sets: ShingleSets, a: Array, b: Array) -> Array:
    """Return the exact Jaccard of many pairs."""
    found = np.empty(len(a), np.float64)
    for i in prange(len(a)):
        found[i] = jaccard(sets, a[i], b[i])
    return found
