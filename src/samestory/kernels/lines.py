"""Lines at the head and the foot of an article that crawlers leave there.

A line is looked at as folded words; what each list of phrases means is told in
`samestory.chrome_phrases`.
"""

# mypy: disable-error-code="no-untyped-call,no-any-return"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.furniture import find_entry
from samestory.kernels.jit import called, inlined, kernel
from samestory.kernels.runs import unit_key
from samestory.kernels.sketch import character_ends, word_ends
from samestory.kernels.tokenise import PADDING, tokenise_text

MOST_LINES: Final = 24
"""Lines looked at from either end."""
MOST_BYTES: Final = 1600
"""A longer line is part of the story."""
HEAD_BYTES: Final = 400
"""At the head the story begins with a line longer than this."""
LONGEST_PHRASE: Final = 24
WORDS_A_PHRASE: Final = 40
"""A line of so many words has at least one strong phrase, of twice as many two, and so on."""
TITLE_WORDS: Final = 16
"""A longer line at the head, that is no chrome, begins the story."""
SHORT_WORDS: Final = 6
"""A longer one at the foot ends it."""
HINT_HEAD_WORDS: Final = 4
HINT_FOOT_WORDS: Final = 10
ADDRESS_WORDS: Final = 8
ICON_WORDS: Final = 12
TAG_WORDS: Final = 30
LEAST_BARS: Final = 3
WRAPPED_BYTES: Final = 40
"""A line of so many bytes that ends within a sentence goes on in the next: the text is hard-wrapped."""

IS_WHOLE: Final = 1
IS_STRONG: Final = 2
IS_HINT: Final = 4
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)


@inlined
def phrase_key(rolling, n):  # type: ignore[no-untyped-def]
    """Return the key of `n` words from the key rolled over them; never 0."""
    key = (rolling ^ (rolling >> np.uint64(31))) * np.uint64(0xD6E8FEB86659FD93) + np.uint64(n)
    return (key ^ (key >> np.uint64(32))) | np.uint64(1)


@kernel
def phrase_keys(
    text: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the keys of folded phrases, and of each one's first word."""
    ends = np.empty(offsets[len(offsets) - 1] + 1, dtype=np.int64)
    keys = np.empty(len(offsets) - 1, dtype=np.uint64)
    firsts = np.empty(len(offsets) - 1, dtype=np.uint64)
    for p in range(len(keys)):
        n = word_ends(text, offsets[p], offsets[p + 1], ends)
        rolling = np.uint64(0)
        begin = offsets[p]
        for i in range(n):
            rolling = rolling * _FACTOR + unit_key(text, begin, ends[i])
            begin = ends[i] + 1
            if i == 0:
                firsts[p] = phrase_key(rolling, 1)
        keys[p] = phrase_key(rolling, n)
    return keys, firsts


@called
def _match(text, n, ends, table, kinds, first_words):  # type: ignore[no-untyped-def]
    """Return what the phrases in a folded line of `n` words say of it, and how many strong ones it has."""
    found = np.int64(0)
    n_strong = np.int64(0)
    begin = np.int64(0)
    for i in range(n):
        rolling = unit_key(text, begin, ends[i])
        begin = ends[i] + 1
        if find_entry(first_words, phrase_key(rolling, 1)) < 0:
            continue
        entry = find_entry(table, phrase_key(rolling, 1))
        for k in range(i + 1, min(n, i + LONGEST_PHRASE) + 1):
            if entry >= 0:
                kind = np.int64(kinds[entry])
                found |= kind & (IS_STRONG | IS_HINT)
                n_strong += 1 if kind & IS_STRONG else 0
                if i == 0 and k == n:
                    found |= kind & IS_WHOLE
            if k < n and k < i + LONGEST_PHRASE:
                rolling = rolling * _FACTOR + unit_key(text, ends[k - 1] + 1, ends[k])
                entry = find_entry(table, phrase_key(rolling, k + 1 - i))
    if n > WORDS_A_PHRASE * n_strong:
        found &= ~IS_STRONG  # a phrase in passing, in a paragraph of the story
    return found


@called
def tokenise_into(  # type: ignore[no-untyped-def]
    data, begin, end, split, pages, entries, expansions, scratch, word_masks, high_masks, out, at
):
    """Fold one line; compiled once, for the kernel below calls it twice."""
    return tokenise_text(
        data, begin, end, split, pages, entries, expansions, scratch, word_masks, high_masks, out, at
    )


@inlined
def _has_address(data, begin, end):  # type: ignore[no-untyped-def]
    """Whether a raw line holds an e-mail address or one of the web."""
    for i in range(begin, end):
        if data[i] == 64:  # @
            return True
        if i + 3 < end and data[i] == 58 and data[i + 1] == 47 and data[i + 2] == 47:  # ://
            return True
        if i + 4 < end and data[i] | 32 == 119 and data[i + 1] | 32 == 119 and data[i + 2] | 32 == 119:
            if data[i + 3] == 46:  # www.
                return True
    return False


@inlined
def _is_lower(byte):  # type: ignore[no-untyped-def]
    return 97 <= byte <= 122


@inlined
def _has_icon(data, begin, end):  # type: ignore[no-untyped-def]
    """Whether a raw line holds the name of an icon: lower-case words joined by a low line."""
    for i in range(begin + 1, end - 1):
        if data[i] == 95 and _is_lower(data[i - 1]) and _is_lower(data[i + 1]):
            return True
    return False


@inlined
def _goes_on(data, first, begin):  # type: ignore[no-untyped-def]
    """Whether the line that begins at `begin` goes on with the sentence of the line before it."""
    end = begin - 1
    if end > first and data[end - 1] == 13:
        end -= 1
    while end > first and data[end - 1] == 32:
        end -= 1
    if end <= first:
        return False
    last = data[end - 1]
    if not (97 <= (last | 32) <= 122 or 48 <= last <= 57 or last == 44 or last == 45):
        return False  # a full stop, an empty line, or another script
    start = end
    while start > first and data[start - 1] != 10:
        start -= 1
    return end - start >= WRAPPED_BYTES


@inlined
def _count_bars(data, begin, end):  # type: ignore[no-untyped-def]
    n = 0
    for i in range(begin, end):
        n += 1 if data[i] == 124 else 0
    return n


@inlined
def _is_chrome(data, begin, end, n, found, at_head):  # type: ignore[no-untyped-def]
    """Whether a line of `n` words is chrome."""
    if found & (IS_WHOLE | IS_STRONG):
        return True
    if found & IS_HINT and n <= (HINT_HEAD_WORDS if at_head else HINT_FOOT_WORDS):
        return True
    if n <= ADDRESS_WORDS and _has_address(data, begin, end):
        return True
    if n <= ICON_WORDS and _has_icon(data, begin, end):
        return True
    return n <= TAG_WORDS and _count_bars(data, begin, end) >= LEAST_BARS


@inlined
def _has_more(data, begin, end, begins, stops, n):  # type: ignore[no-untyped-def]
    """Whether a text has more than white space outside of `n` stretches, in any order."""
    inside = 0
    black = 0
    for k in range(n):
        for i in range(begins[k], stops[k]):
            inside += 1 if data[i] > 32 else 0
    for i in range(begin, end):
        black += 1 if data[i] > 32 else 0
    return black > inside


@kernel
def find_chrome(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    by_character: bool,
    pages: NDArray[np.uint16],
    entries: NDArray[np.int32],
    expansions: NDArray[np.int32],
    table: NDArray[np.uint64],
    kinds: NDArray[np.int8],
    first_words: NDArray[np.uint64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Find the lines at either end of each text that are chrome.

    Parameters
    ----------
    data, offsets : arrays
        The texts as UTF-8.
    by_character : bool
        Whether to count characters rather than words.
    pages, entries, expansions : arrays
        The Unicode table.
    table, kinds, first_words : arrays
        Table of the phrases, with `IS_WHOLE`, `IS_STRONG` and `IS_HINT` by place; of first words.

    Returns
    -------
    cuts : int64 array of shape (c, 2)
        First byte and the byte after each line, in `data`, in order.
    cut_offsets : int64 array of shape (n + 1,)
        Where the cuts of each text begin.
    n_removed : int32 array of shape (n,)
        Words (or characters) in them.
    """
    n_texts = len(offsets) - 1
    cuts = np.empty((64, 2), dtype=np.int64)
    n_cuts = 0
    cut_offsets = np.zeros(n_texts + 1, dtype=np.int64)
    n_removed = np.zeros(n_texts, dtype=np.int32)
    out = np.empty(2 * MOST_BYTES + PADDING, dtype=np.uint8)
    ends = np.empty(2 * MOST_BYTES + 1, dtype=np.int64)
    scratch = np.empty(MOST_BYTES + 128, dtype=np.uint8)
    word_masks = np.empty(MOST_BYTES // 64 + 2, dtype=np.uint64)
    high_masks = np.empty(MOST_BYTES // 64 + 2, dtype=np.uint64)
    begins = np.empty(2 * MOST_LINES, dtype=np.int64)
    stops = np.empty(2 * MOST_LINES, dtype=np.int64)
    sizes = np.empty(2 * MOST_LINES, dtype=np.int64)
    for doc in range(n_texts):
        head = offsets[doc]
        foot = offsets[doc + 1]
        first = head
        n_head = 0
        n_kept = 0
        n_found = 0
        while n_head < MOST_LINES and head < foot:  # from the head down
            n_head += 1
            end = head
            while end < foot and data[end] != 10:
                end += 1
            if end - head > HEAD_BYTES or end == foot:
                break
            at = tokenise_into(
                data, head, end, True, pages, entries, expansions, scratch, word_masks, high_masks, out, 0
            )
            n = word_ends(out, 0, at, ends)
            if n > 0 and _is_chrome(
                data, head, end, n, _match(out, n, ends, table, kinds, first_words), True
            ):
                begins[n_found] = head
                stops[n_found] = end
                sizes[n_found] = character_ends(out, 0, at, ends) + 1 if by_character else n
                n_found += 1
                first = end + 1
            else:
                n_kept += n
                if n > TITLE_WORDS or n_kept > 2 * TITLE_WORDS:
                    break
            head = end + 1
        n_lines = 0
        pending = n_found
        kept = n_found
        end = foot
        while n_lines < MOST_LINES and end > first:  # from the foot up
            n_lines += 1
            begin = end
            while begin > first and data[begin - 1] != 10:
                begin -= 1
            if end - begin > MOST_BYTES or begin == first:
                break
            at = tokenise_into(
                data, begin, end, True, pages, entries, expansions, scratch, word_masks, high_masks, out, 0
            )
            n = word_ends(out, 0, at, ends)
            if n > 0:
                found = _match(out, n, ends, table, kinds, first_words)
                chrome = _is_chrome(data, begin, end, n, found, False)
                if (not chrome and n > SHORT_WORDS) or _goes_on(data, first, begin):
                    break
                begins[pending] = begin
                stops[pending] = end
                sizes[pending] = character_ends(out, 0, at, ends) + 1 if by_character else n
                pending += 1
                if chrome:
                    kept = pending  # the short lines below it are chrome too
            end = begin - 1
        if kept > 0 and not _has_more(data, offsets[doc], offsets[doc + 1], begins, stops, kept):
            kept = 0  # nothing but chrome: the article keeps it
            n_found = 0
        if n_cuts + kept > len(cuts):
            larger = np.empty((2 * (n_cuts + kept), 2), dtype=np.int64)
            for k in range(n_cuts):
                larger[k, 0] = cuts[k, 0]
                larger[k, 1] = cuts[k, 1]
            cuts = larger
        for k in range(n_found):
            cuts[n_cuts + k, 0] = begins[k]
            cuts[n_cuts + k, 1] = stops[k]
        for k in range(n_found, kept):  # they were found from below
            cuts[n_cuts + kept - 1 - (k - n_found), 0] = begins[k]
            cuts[n_cuts + kept - 1 - (k - n_found), 1] = stops[k]
        for k in range(kept):
            n_removed[doc] += sizes[k]
        n_cuts += kept
        cut_offsets[doc + 1] = n_cuts
    return cuts[:n_cuts].copy(), cut_offsets, n_removed


@kernel
def cut_lines(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    cuts: NDArray[np.int64],
    cut_offsets: NDArray[np.int64],
    out: NDArray[np.uint8],
) -> NDArray[np.int64]:
    """Copy the texts without what is cut from them; return where each begins in `out`."""
    n = len(offsets) - 1
    out_offsets = np.zeros(n + 1, dtype=np.int64)
    at = 0
    for doc in range(n):
        i = offsets[doc]
        for c in range(cut_offsets[doc], cut_offsets[doc + 1] + 1):
            stop = cuts[c, 0] if c < cut_offsets[doc + 1] else offsets[doc + 1]
            while i < stop:
                out[at] = data[i]
                at += 1
                i += 1
            if c < cut_offsets[doc + 1]:
                i = cuts[c, 1]
        out_offsets[doc + 1] = at
    return out_offsets
