"""From UTF-8 bytes to folded words joined by one space.

The classes and the layout of the Unicode table are those of
`samestory.tables.build`. A text that `find_hard` marks must have been folded
before; every other text is folded here, character by character.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.intrinsics import BLOCK, copy_16, fold_block, high_block, trailing_zeros
from samestory.kernels.jit import inlined, kernel

SEPARATOR: Final = 0
WORD: Final = 1
UNSPACED: Final = 2
MARK: Final = 3
DROPPED: Final = 4
EXPANDED: Final = 5
LINKER: Final = 6
PREPENDED: Final = 7
SARA_AA: Final = 8
PADDING: Final = 2 * BLOCK
HARD: Final = 255
SPACE: Final = np.uint8(32)

# What stands before the place where the next byte is written.
NOTHING: Final = 0
IN_WORD: Final = 1
IN_UNSPACED: Final = 2
LINKED: Final = 3  # whatever letter follows belongs to the word


@inlined
def _length_of(lead):  # type: ignore[no-untyped-def]
    """Bytes of the UTF-8 sequence that a byte over 127 leads."""
    if lead < 0xE0:
        return 2
    if lead < 0xF0:
        return 3
    return 4


@inlined
def decode(data, at, length):  # type: ignore[no-untyped-def]
    """Return the code point of a UTF-8 sequence of 2 to 4 bytes."""
    lead = np.int64(data[at])
    second = np.int64(data[at + 1]) & 63
    if length == 2:
        return ((lead & 31) << 6) | second
    third = np.int64(data[at + 2]) & 63
    if length == 3:
        return ((lead & 15) << 12) | (second << 6) | third
    return ((lead & 7) << 18) | (second << 12) | (third << 6) | (np.int64(data[at + 3]) & 63)


@inlined
def _encode(out, at, code_point):  # type: ignore[no-untyped-def]
    """Write a code point as UTF-8; return the place after it."""
    if code_point < 0x80:
        out[at] = np.uint8(code_point)
        return at + 1
    if code_point < 0x800:
        out[at] = np.uint8(0xC0 | (code_point >> 6))
        out[at + 1] = np.uint8(0x80 | (code_point & 63))
        return at + 2
    if code_point < 0x10000:
        out[at] = np.uint8(0xE0 | (code_point >> 12))
        out[at + 1] = np.uint8(0x80 | ((code_point >> 6) & 63))
        out[at + 2] = np.uint8(0x80 | (code_point & 63))
        return at + 3
    out[at] = np.uint8(0xF0 | (code_point >> 18))
    out[at + 1] = np.uint8(0x80 | ((code_point >> 12) & 63))
    out[at + 2] = np.uint8(0x80 | ((code_point >> 6) & 63))
    out[at + 3] = np.uint8(0x80 | (code_point & 63))
    return at + 4


@inlined
def _entry(pages, entries, code_point):  # type: ignore[no-untyped-def]
    return entries[(np.int64(pages[code_point >> 7]) << 7) | (code_point & 127)]


@inlined
def _ends_in_nikhahit(out, at):  # type: ignore[no-untyped-def]
    """Whether the character before a place is U+0E4D or U+0ECD."""
    return out[at - 1] == 0x8D and (out[at - 2] == 0xB9 or out[at - 2] == 0xBB) and out[at - 3] == 0xE0


@inlined
def _write_character(code_point, kind, split, state, out, at):  # type: ignore[no-untyped-def]
    """Append one folded character of a known class; return the new state and the place to write at."""
    links = False
    if kind > EXPANDED:  # rare
        links = kind != SARA_AA
        if kind == SARA_AA:
            kind = MARK if state != NOTHING and _ends_in_nikhahit(out, at) else UNSPACED
        else:
            kind = MARK if kind == LINKER else WORD
    if kind == SEPARATOR or (kind == MARK and state == NOTHING):
        if state != NOTHING:
            out[at] = SPACE
            return NOTHING, at + 1
        return NOTHING, at
    if kind == MARK:
        return LINKED if links else state, _encode(out, at, code_point)
    alone = kind == UNSPACED and split
    if state == IN_UNSPACED or (state == IN_WORD and alone):
        out[at] = SPACE
        at += 1
    if links:
        return LINKED, _encode(out, at, code_point)
    return IN_UNSPACED if alone else IN_WORD, _encode(out, at, code_point)


@inlined
def _fold_ascii(data, start, end, folded, word_masks, high_masks):  # type: ignore[no-untyped-def]
    """Fold the ASCII of ``data[start:end]`` in blocks of 64 bytes, with masks of what each byte is."""
    n_blocks = (end - start + BLOCK - 1) // BLOCK
    for block in range(n_blocks):
        at = block * BLOCK
        if start + at + BLOCK <= len(data):
            word_masks[block] = fold_block(data, start + at, folded, at)
            high_masks[block] = high_block(data, start + at)
        else:  # the last block of the last text: nothing may be read after it
            for i in range(BLOCK):
                folded[at + i] = data[start + at + i] if start + at + i < end else SPACE
            high_masks[block] = high_block(folded, at)
            word_masks[block] = fold_block(folded, at, folded, at)
    return n_blocks


@inlined
def _copy_word(folded, begin, size, out, at):  # type: ignore[no-untyped-def]
    """Copy a word sixteen bytes at a time; what is written after it is overwritten later."""
    copied = 0
    while copied < size:
        copy_16(folded, begin + copied, out, at + copied)
        copied += 16


@inlined
def _write_ascii(word_mask, folded, base, p, limit, state, out, at):  # type: ignore[no-untyped-def]
    """Append the words of bytes `p` to `limit` of one block; like `_write_character`.

    The first and the last byte of each word are bits of two masks, taken from
    the lowest up: nothing waits for the word before but the place to write at.
    """
    n = np.uint64(limit - p)
    mask = word_mask >> np.uint64(p)
    if n < np.uint64(64):
        mask &= (np.uint64(1) << n) - np.uint64(1)
    if state != NOTHING and (mask & np.uint64(1) == np.uint64(0) or state == IN_UNSPACED):
        out[at] = SPACE
        at += 1
    firsts = mask & ~(mask << np.uint64(1))
    lasts = mask & ~(mask >> np.uint64(1))
    begin = base + p
    while firsts != np.uint64(0):
        first = trailing_zeros(firsts)
        size = trailing_zeros(lasts) + 1 - first
        _copy_word(folded, begin + first, size, out, at)
        at += size
        out[at] = SPACE
        at += 1
        firsts &= firsts - np.uint64(1)
        lasts &= lasts - np.uint64(1)
    if (mask >> (n - np.uint64(1))) & np.uint64(1):
        return IN_WORD, at - 1
    return NOTHING, at


@inlined
def tokenise_text(  # type: ignore[no-untyped-def]
    data, start, end, split, pages, entries, expansions, folded, word_masks, high_masks, out, at
):
    """Fold ``data[start:end]`` and write its words from ``out[at]``; return the place after them."""
    n_blocks = _fold_ascii(data, start, end, folded, word_masks, high_masks)
    state = np.int64(NOTHING)
    begin = at
    p = np.int64(0)
    for block in range(n_blocks):
        base = block * BLOCK
        size = min(BLOCK, end - start - base)
        while p < size:
            limit = min(size, p + trailing_zeros(high_masks[block] >> np.uint64(p)))
            if limit > p:
                state, at = _write_ascii(word_masks[block], folded, base, p, limit, state, out, at)
                p = limit
                continue
            i = start + base + p
            length = _length_of(data[i])
            code_point = decode(data, i, length)
            p += length
            entry = np.int64(_entry(pages, entries, code_point))
            kind = entry & 255
            place = 0
            n_points = 1
            if kind == DROPPED:
                n_points = 0
            elif kind == EXPANDED:
                place = (entry >> 8) + 1
                n_points = np.int64(expansions[place - 1])
            else:
                code_point += entry >> 8
            for k in range(n_points):
                if place > 0:
                    code_point = np.int64(expansions[place + k])
                    kind = np.int64(_entry(pages, entries, code_point)) & 255
                state, at = _write_character(code_point, kind, split, state, out, at)
        p -= size
    if state == NOTHING and at > begin:
        return at - 1
    return at


@kernel
def find_hard(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    pages: NDArray[np.uint16],
    entries: NDArray[np.int32],
    hardness: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    """Mark the texts whose folding depends on the order or company of their characters.

    A text is hard when a character composes with the one before it, or when its
    combining marks do not stand in canonical order: the quick check of Unicode
    Standard Annex #15. All others fold one character at a time.

    Returns
    -------
    bool array of shape (n,)
    """
    n = len(offsets) - 1
    hard = np.zeros(n, dtype=np.bool_)
    for doc in range(n):
        i = offsets[doc]
        end = offsets[doc + 1]
        last_class = 0
        while i < end:
            if data[i] < 128:
                last_class = 0
                i += 1
                while i + BLOCK <= len(data) and i < end and high_block(data, i) == np.uint64(0):
                    i += BLOCK
                while i < end and data[i] < 128:
                    i += 1
                continue
            length = _length_of(data[i])
            code_point = decode(data, i, length)
            i += length
            place = (np.int64(pages[code_point >> 7]) << 7) | (code_point & 127)
            if entries[place] & 255 == DROPPED:
                continue
            combining = np.int64(hardness[place])
            if combining == HARD or (combining != 0 and combining < last_class):
                hard[doc] = True
                break
            last_class = combining
    return hard


@kernel
def tokenise_batch(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    selected: NDArray[np.int64],
    split: bool,
    pages: NDArray[np.uint16],
    entries: NDArray[np.int32],
    expansions: NDArray[np.int32],
    text: NDArray[np.uint8],
) -> NDArray[np.int64]:
    """Fold the selected texts of a batch, none of which may be hard.

    Parameters
    ----------
    data, offsets : arrays
        The texts as UTF-8, each ``data[offsets[i]:offsets[i + 1]]``.
    selected : int64 array
        Which of them to fold.
    split : bool
        Whether each character of an unspaced script is a word of its own.
    pages, entries, expansions : arrays
        The Unicode table.

    text : uint8 array
        Filled with the folded texts one after another; needs room for twice the bytes
        and one more of each text, and `PADDING`.

    Returns
    -------
    int64 array of shape (len(selected) + 1,)
        Where each folded text begins; at least 64 bytes that may be read follow the last.
    """
    longest = 0
    for doc in selected:
        longest = max(longest, offsets[doc + 1] - offsets[doc])
    folded = np.empty(longest + 2 * BLOCK, dtype=np.uint8)
    word_masks = np.empty(longest // BLOCK + 1, dtype=np.uint64)
    high_masks = np.empty(longest // BLOCK + 1, dtype=np.uint64)
    text_offsets = np.zeros(len(selected) + 1, dtype=np.int64)
    at = np.int64(0)
    for k in range(len(selected)):
        start = offsets[selected[k]]
        end = offsets[selected[k] + 1]
        at = tokenise_text(
            data, start, end, split, pages, entries, expansions, folded, word_masks, high_masks, text, at
        )
        text_offsets[k + 1] = at
    return text_offsets
