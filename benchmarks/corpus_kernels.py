"""Numba kernels of the corpus generator: words, edits and their rendering as UTF-8.

Every article is a function of (seed, base, copy): the base article is drawn again for each of its
copies and then edited, so that nothing has to be kept between articles and the order they are
written in changes nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vocabulary import Vocabulary

Array = NDArray[Any]

# What surrounds a word: bit flags.
CAPITAL, COMMA, STOP, QUESTION, PARAGRAPH, OPEN_QUOTE, CLOSE_QUOTE = 1, 2, 4, 8, 16, 32, 64
SENTENCE_END = STOP | QUESTION | PARAGRAPH

# Styles of an article: bit flags.
CURLY, HEADER, FOOTER, TITLE, CHAIN = 1, 2, 4, 8, 16

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)
_LOW32 = np.uint64(0xFFFFFFFF)
_UNIT = 1.0 / 4294967296.0


class Plan(NamedTuple):
    """What each article is to be; one entry an article.

    `base` and `copy` name the article (copy 0 is the base itself), `n_words` is the length of the
    base, `edit_rate` the share of words to edit, `drop_rate` the chance that a paragraph is dropped,
    `site` whose header and footer it may carry, `style` the bit flags. With `CHAIN` copy 3 is an edited
    copy 2, and that an edited copy 1; their rates must be those of copy 3.
    """

    base: NDArray[np.int32]
    copy: NDArray[np.int32]
    n_words: NDArray[np.int32]
    edit_rate: NDArray[np.float32]
    drop_rate: NDArray[np.float32]
    site: NDArray[np.int32]
    style: NDArray[np.uint8]


@njit(cache=True, nogil=True, inline="always")
def _next(state: Array) -> Any:
    """Advance a SplitMix64 state and return 64 random bits."""
    state[0] += _GOLDEN
    z = state[0]
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@njit(cache=True, nogil=True, inline="always")
def _unit(state: Array) -> float:
    """Return a random number in [0, 1)."""
    return np.float64(_next(state) >> _S32) * _UNIT


@njit(cache=True, nogil=True, inline="always")
def _below(state: Array, n: int) -> Any:
    """Return a random integer in [0, n)."""
    return np.int64(((_next(state) >> _S32) * np.uint64(n)) >> _S32)


@njit(cache=True, nogil=True, inline="always")
def _draw_word(state: Array, vocabulary: Vocabulary) -> Any:
    """Return a word drawn by frequency (alias method)."""
    bits = _next(state)
    slot = np.int64(((bits >> _S32) * np.uint64(len(vocabulary.keep))) >> _S32)
    if np.uint32(bits & _LOW32) <= vocabulary.keep[slot]:
        return slot
    return np.int64(vocabulary.alias[slot])


@njit(cache=True, nogil=True)
def _seed_state(state: Array, seed: int, kind: int, first: int, second: int) -> None:
    """Start the random numbers of one thing: of a base, a copy, a site."""
    state[0] = np.uint64(seed) * _MIX1 + np.uint64(kind)
    state[0] = _next(state) ^ (np.uint64(first) * _GOLDEN)
    state[0] = _next(state) ^ (np.uint64(second) * _MIX2)
    _next(state)


@njit(cache=True, nogil=True)
def _write_prose(state: Array, vocabulary: Vocabulary, n_words: int, words: Array, marks: Array) -> None:
    """Fill `words` and `marks` with sentences and paragraphs of `n_words` words."""
    left_in_sentence, left_in_paragraph, quote_left = 0, 0, 0
    for i in range(n_words):
        mark = 0
        if left_in_sentence == 0:
            left_in_sentence = 7 + _below(state, 24)
            mark = CAPITAL
            if left_in_paragraph == 0:
                left_in_paragraph = 1 + _below(state, 4)
            if _below(state, 12) == 0:
                quote_left = 4 + _below(state, left_in_sentence - 3)
                mark |= OPEN_QUOTE
        words[i] = _draw_word(state, vocabulary)
        left_in_sentence -= 1
        if quote_left > 0:
            quote_left -= 1
            if quote_left == 0 or i == n_words - 1:
                quote_left = 0
                mark |= CLOSE_QUOTE
        if left_in_sentence == 0 or i == n_words - 1:
            left_in_paragraph -= 1
            mark |= QUESTION if _below(state, 20) == 0 else STOP
            if left_in_paragraph == 0 or i == n_words - 1:
                mark |= PARAGRAPH
        elif _below(state, 16) == 0:
            mark |= COMMA
        marks[i] = mark


@njit(cache=True, nogil=True)
def _edit(
    state: Array,
    vocabulary: Vocabulary,
    n_words: int,
    words: Array,
    marks: Array,
    edit_rate: float,
    drop_rate: float,
    out_words: Array,
    out_marks: Array,
) -> int:
    """Copy an article with word edits and dropped paragraphs; return its number of words."""
    n_out, dropping, first_paragraph = 0, False, True
    for i in range(n_words):
        if i > 0 and marks[i - 1] & PARAGRAPH:
            dropping = _unit(state) < drop_rate
            first_paragraph = False
        if dropping and not first_paragraph:
            continue
        word, mark = words[i], marks[i]
        if _unit(state) < edit_rate:
            choice = _below(state, 4)
            if choice == 0 and n_out > 0 and not mark & CAPITAL:  # delete; its punctuation stays
                out_marks[n_out - 1] |= mark
                continue
            if choice == 1:  # insert before
                out_words[n_out] = _draw_word(state, vocabulary)
                out_marks[n_out] = mark & (CAPITAL | OPEN_QUOTE)
                n_out += 1
                mark &= ~(CAPITAL | OPEN_QUOTE)
            else:
                word = _draw_word(state, vocabulary)
        out_words[n_out], out_marks[n_out] = word, mark
        n_out += 1
    return n_out


@njit(cache=True, nogil=True)
def _put(out: Array, at: int, text: bytes) -> int:
    """Write ASCII or UTF-8 bytes; return the place after them."""
    for i in range(len(text)):
        out[at + i] = text[i]
    return at + len(text)


@njit(cache=True, nogil=True)
def _render(
    vocabulary: Vocabulary, n_words: int, words: Array, marks: Array, curly: bool, out: Array, at: int
) -> int:
    """Write words with their punctuation as UTF-8; return the place after them."""
    for i in range(n_words):
        word, mark = words[i], marks[i]
        if mark & OPEN_QUOTE:
            at = _put(out, at, b"\xe2\x80\x9c") if curly else _put(out, at, b'"')
        start, end = vocabulary.offsets[word], vocabulary.offsets[word + 1]
        for j in range(start, end):
            out[at + j - start] = vocabulary.letters[j]
        if (mark & CAPITAL or vocabulary.is_name[word]) and out[at] >= 97:
            out[at] -= np.uint8(32)
        at += end - start
        if mark & QUESTION:
            out[at] = 63
            at += 1
        elif mark & STOP:
            out[at] = 46
            at += 1
        elif mark & COMMA:
            out[at] = 44
            at += 1
        if mark & CLOSE_QUOTE:
            at = _put(out, at, b"\xe2\x80\x9d") if curly else _put(out, at, b'"')
        if mark & PARAGRAPH:
            at = _put(out, at, b"\n\n")
        elif i < n_words - 1:
            out[at] = 32
            at += 1
    return at


@njit(cache=True, nogil=True)
def _render_furniture(
    state: Array, vocabulary: Vocabulary, n_words: int, words: Array, marks: Array, out: Array, at: int
) -> int:
    """Write a header or footer of a site as one paragraph; return the place after it."""
    for i in range(n_words):
        words[i] = _draw_word(state, vocabulary)
        marks[i] = CAPITAL if i % 5 == 0 else 0
    marks[n_words - 1] |= PARAGRAPH
    return _render(vocabulary, n_words, words, marks, False, out, at)


@njit(cache=True, nogil=True)
def _grown(out: Array, used: int, needed: int) -> Array:
    """Return the buffer, or a larger copy when `needed` bytes more do not fit."""
    if used + needed <= len(out):
        return out
    larger = np.empty(2 * len(out) + needed, np.uint8)
    larger[:used] = out[:used]
    return larger


@njit(cache=True, nogil=True)
def render_articles(
    vocabulary: Vocabulary, seed: int, plan: Plan, header_words: int, footer_words: int
) -> tuple[Array, Array]:
    """Return the texts of planned articles as one buffer and int32 offsets.

    A `footer_words` of 0 gives each site a footer of its own length (15 to 60 words).
    """
    n = len(plan.base)
    longest = 2 * plan.n_words.max() + footer_words + header_words + 128
    words, marks = np.empty(longest, np.int64), np.empty(longest, np.int64)
    new_words, new_marks = np.empty(longest, np.int64), np.empty(longest, np.int64)
    state = np.empty(1, np.uint64)
    out = np.empty(np.int64(plan.n_words.sum()) * 7 + 4096, np.uint8)
    offsets = np.zeros(n + 1, np.int32)
    at = 0
    for d in range(n):
        style = plan.style[d]
        out = _grown(out, at, 32 * longest)
        if style & HEADER:
            _seed_state(state, seed, 3, plan.site[d], 0)
            at = _render_furniture(state, vocabulary, header_words, words, marks, out, at)
        _seed_state(state, seed, 2 if style & TITLE else 1, plan.base[d], 0)
        n_words = plan.n_words[d]
        _write_prose(state, vocabulary, n_words, words, marks)
        if style & TITLE:
            for i in range(n_words):
                marks[i] = CAPITAL if i == 0 else 0
        if plan.copy[d] > 0:
            for copy in range(1 if style & CHAIN else plan.copy[d], plan.copy[d] + 1):
                if 2 * n_words > longest:  # a chain that has grown so much is edited no more
                    break
                _seed_state(state, seed, 5, plan.base[d], copy)
                n_words = _edit(
                    state, vocabulary, n_words, words, marks,
                    plan.edit_rate[d], plan.drop_rate[d], new_words, new_marks,
                )  # fmt: skip
                words, new_words = new_words, words
                marks, new_marks = new_marks, marks
        at = _render(vocabulary, n_words, words, marks, (style & CURLY) != 0, out, at)
        if style & FOOTER:
            _seed_state(state, seed, 4, plan.site[d], 0)
            n_words = footer_words if footer_words > 0 else 15 + _below(state, 46)
            at = _render_furniture(state, vocabulary, n_words, words, marks, out, at)
        while at > offsets[d] and out[at - 1] == 10:
            at -= 1
        offsets[d + 1] = at
    return out[:at], offsets
