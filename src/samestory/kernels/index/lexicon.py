"""Texts as numbers of words: coded, decoded, and what two coded texts share.

A word's code is its number in the lexicon plus one, seven bits to a byte and
the lowest first. Every byte but the last has its highest bit set, so that the
ends of all codes in 64 bytes are seen at once. Code 0 is a word kept in letters.
The letters stand behind the codes: of each such word its length, written as a
code is, and its bytes. After them comes how many bytes they all take, and a
byte of 128 plus the number of bytes in which that is written; a text without
such words ends in a byte below 128.

Reads go up to `PADDING` bytes beyond the end of a text, of codes or of the
lexicon's letters.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,misc"
from __future__ import annotations

from typing import Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from samestory.kernels.intrinsics import (
    BLOCK,
    copy_16,
    high_block,
    load_u32,
    load_u64,
    multiply_fold,
    trailing_zeros,
)
from samestory.kernels.jit import called, inlined, kernel
from samestory.kernels.sketch import table_size, word_ends
from samestory.kernels.xxh3 import xxh3_64

PADDING: Final = BLOCK
LONGEST_WORD: Final = 40
"""A word of more bytes is always kept in letters."""
MOST_NUMBERS: Final = (1 << 24) - 2
"""Words that a table entry can tell apart."""
_NUMBER: Final = np.uint64((1 << 24) - 1)
_SPACE: Final = np.uint8(32)
_KEY_LOW: Final = np.uint64(0x9E3779B97F4A7C15)
_KEY_HIGH: Final = np.uint64(0xD6E8FEB86659FD93)
# No code has the highest bit of its 32 set. So the seed, that has bit 31, and the step, that has bit
# 63 but not 31, are never undone by codes: no factor turns 0, and no two factors can be exchanged.
_SEED_BIT: Final = np.uint64(1 << 31)
_STEP: Final = np.uint64(0xC2B2AE3D27D4EB4F & ~(1 << 31))
_TOP_BIT: Final = np.uint64(1 << 63)
_ALL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)


@intrinsic
def _store_u32(typing_context, target, at, value):
    """Write four bytes of a uint8 array at a byte index."""

    def generate(context, builder, signature, arguments):
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        address = cgutils.gep_inbounds(builder, view.data, arguments[1])
        stored = builder.store(arguments[2], builder.bitcast(address, ir.IntType(32).as_pointer()))
        stored.align = 1
        return context.get_dummy_value()

    return types.void(target, types.intp, types.uint32), generate


@intrinsic
def _copy_from_address(typing_context, address, target, at, n_bytes):
    """Copy bytes from an address in memory into a uint8 array; exactly these are read."""

    def generate(context, builder, signature, arguments):
        view = context.make_array(signature.args[1])(context, builder, arguments[1])
        source = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        cgutils.raw_memcpy(
            builder, cgutils.gep_inbounds(builder, view.data, arguments[2]), source, arguments[3], 1
        )
        return context.get_dummy_value()

    return types.void(types.int64, target, types.intp, types.int64), generate


# --- The table of words ------------------------------------------------------
# An entry is the upper 40 bits of a word's hash and its number plus one; 0 is a free place. Words are
# entered in the order of their numbers, so the last one is taken out by freeing its place.


@inlined
def _lowest(n):
    """Return a mask of the lowest `n` bytes, from 0 to 8, without a branch."""
    half = np.uint64(32 - 4 * n)
    return (_ALL >> half) >> half


@inlined
def _cut_to_16(low, high, length):
    """Clear what of 16 bytes is beyond `length`."""
    n = min(length, 16)
    return low & _lowest(min(n, 8)), high & _lowest(max(n, 8) - 8)


@inlined
def _hash_word(data, at, length):
    low, high = _cut_to_16(load_u64(data, at), load_u64(data, at + 8), length)
    h = multiply_fold(low ^ _KEY_LOW, high ^ _KEY_HIGH ^ np.uint64(length))
    if length > 16:  # the last 24 bytes, of which some may be among the first 16
        h = multiply_fold(load_u64(data, at + length - 8) ^ h, load_u64(data, at + length - 16) ^ _KEY_LOW)
        h = multiply_fold(load_u64(data, at + max(length - 24, 0)) ^ h, _KEY_LOW)
    return h


@inlined
def _find_place(data, at, length, h, letters, starts, table):
    """Return the place of a word in the table, or the free one where it belongs."""
    # One way in and one way out of the loop: with more, Numba counts references to the arrays at
    # every call, which costs more than the search.
    mask = np.uint64(len(table) - 1)
    low = load_u64(data, at)
    high = load_u64(data, at + 8)
    place = h & mask
    entry = table[np.int64(place)]
    step = np.uint64(entry != np.uint64(0))
    while step != np.uint64(0):
        if (entry ^ h) <= _NUMBER:
            number = np.int64(entry & _NUMBER)
            start = np.int64(starts[number - 1])
            if np.int64(starts[number]) - start == length:
                other_low, other_high = _cut_to_16(
                    load_u64(letters, start) ^ low, load_u64(letters, start + 8) ^ high, length
                )
                differs = other_low | other_high
                for i in range(16, length):
                    differs |= np.uint64(letters[start + i] ^ data[at + i])
                step = np.uint64(differs != np.uint64(0))
        place = (place + step) & mask
        entry = table[np.int64(place)]
        step = np.uint64(0) if entry == np.uint64(0) else step
    return np.int64(place)


@inlined
def _entry(h, number):
    return (h & ~_NUMBER) | np.uint64(number + 1)


@kernel
def insert_words(
    letters: NDArray[np.uint8], starts: NDArray[np.int32], first: int, n_words: int, table: NDArray[np.uint64]
) -> int:
    """Enter the words from number `first` to `n_words` in the table.

    Returns
    -------
    int
        `n_words`, or the number of the first word that is there already; it and those after it are
        not entered.
    """
    for number in range(first, n_words):
        start = np.int64(starts[number])
        length = np.int64(starts[number + 1]) - start
        h = _hash_word(letters, start, length)
        place = _find_place(letters, start, length, h, letters, starts, table)
        if table[place] != np.uint64(0):
            return number
        table[place] = _entry(h, number)
    return n_words


@kernel
def remove_words(
    letters: NDArray[np.uint8], starts: NDArray[np.int32], first: int, n_words: int, table: NDArray[np.uint64]
) -> None:
    """Take the words from number `first` to `n_words`, the last ones, out of the table."""
    for back in range(n_words - first):
        number = n_words - 1 - back
        start = np.int64(starts[number])
        length = np.int64(starts[number + 1]) - start
        h = _hash_word(letters, start, length)
        table[_find_place(letters, start, length, h, letters, starts, table)] = np.uint64(0)


# --- Coding ------------------------------------------------------------------


@inlined
def _code(value):
    """Return the bytes of the code of a number under 2**28, as a uint32, and how many they are."""
    x = np.uint32(value)
    spread = (
        (x & np.uint32(0x7F))
        | ((x & np.uint32(0x3F80)) << np.uint32(1))
        | ((x & np.uint32(0x1FC000)) << np.uint32(2))
        | ((x & np.uint32(0xFE00000)) << np.uint32(3))
    )
    size = 1 + (value >= 1 << 7) + (value >= 1 << 14) + (value >= 1 << 21)
    go_on = np.uint32(0x808080) & ((np.uint32(1) << np.uint32(8 * (size - 1))) - np.uint32(1))
    return np.uint32(spread | go_on), size


@inlined
def _number_of(code):
    """Return the number of which `_code` makes these bytes."""
    x = np.int64(code)
    return (x & 0x7F) | (x >> 1 & 0x3F80) | (x >> 2 & 0x1FC000) | (x >> 3 & 0xFE00000)


@called
def _keep_letters(data, at, length, kept, end):
    """Write a word's length and letters at ``kept[end]``; return where they end."""
    rest = length
    while rest >= 128:
        kept[end] = np.uint8(rest & 127 | 128)
        rest >>= 7
        end += 1
    kept[end] = np.uint8(rest)
    end += 1
    for i in range(length):
        kept[end + i] = data[at + i]
    return end + length


@called
def _close_letters(kept, n_kept, codes, end):
    """Write the words kept in letters, and how much they are, behind a text's codes; return the end."""
    for i in range(n_kept):
        codes[end + i] = kept[i]
    end += n_kept
    width = 0
    while n_kept > 0:
        codes[end + width] = np.uint8(n_kept & 255)
        n_kept >>= 8
        width += 1
    codes[end + width] = np.uint8(128 + width)
    return end + width + 1


@inlined
def _hash_words(data, begin, n, ends, hashes):
    """Hash each word of a text; of one that is too long its beginning, for nothing."""
    for w in range(n):
        hashes[w] = _hash_word(data, begin, min(ends[w] - begin, LONGEST_WORD))
        begin = ends[w] + 1


@inlined
def _touch(hashes, n, letters, starts, table, places):
    """Read what the search for each word will read, so that the memory is waited for all at once.

    In a lexicon of hundreds of thousands of words each rare one misses the cache three times.
    """
    mask = np.uint64(len(table) - 1)
    touched = np.uint64(0)
    for w in range(n):
        places[w] = np.int64(table[np.int64(hashes[w] & mask)] & _NUMBER)
    for w in range(n):
        places[w] = np.int64(starts[max(places[w] - 1, 0)])
    for w in range(n):
        touched ^= np.uint64(letters[places[w]])
    return touched


@kernel
def encode_texts(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    letters: NDArray[np.uint8],
    starts: NDArray[np.int32],
    table: NDArray[np.uint64],
    n_words: NDArray[np.int64],
    most_words: int,
    most_bytes: int,
    first: int,
    codes: NDArray[np.uint8],
    code_offsets: NDArray[np.int64],
) -> int:
    """Code texts from number `first` on, and add their words to the lexicon.

    Parameters
    ----------
    data, offsets : arrays
        The texts; a word ends at a space.
    letters, starts, table : arrays
        The lexicon: word i is ``letters[starts[i]:starts[i + 1]]``.
    n_words : int64 array of shape (1,)
        Number of its words; raised.
    most_words, most_bytes : int
        No word is added that would exceed these.
    codes, code_offsets : arrays
        Filled. A text takes up to ``2 * n_bytes + 12`` bytes.

    Returns
    -------
    int
        Number of texts done. If that is not all of them the lexicon must be given more room first;
        words of the next text may have been added.
    """
    longest = 0
    for doc in range(first, len(offsets) - 1):
        longest = max(longest, offsets[doc + 1] - offsets[doc])
    ends = np.empty(longest + 1, dtype=np.int64)
    kept = np.empty(2 * longest + 16, dtype=np.uint8)
    room_words = min(len(table) // 2, len(starts) - 1)
    room_bytes = len(letters) - PADDING
    known = n_words[0]
    hashes = np.empty(longest + 1, dtype=np.uint64)
    places = np.empty(longest + 1, dtype=np.int64)
    for doc in range(first, len(offsets) - 1):
        begin = offsets[doc]
        at = code_offsets[doc]
        n_kept = 0
        n = word_ends(data, begin, offsets[doc + 1], ends)
        _hash_words(data, begin, n, ends, hashes)
        touched = _touch(hashes, n, letters, starts, table, places)
        codes[at] = np.uint8(touched & np.uint64(1))  # written over, or no part of the text
        for w in range(n):
            length = ends[w] - begin
            value = 0
            if length > 0 and length <= LONGEST_WORD:
                h = hashes[w]
                place = _find_place(data, begin, length, h, letters, starts, table)
                value = np.int64(table[place] & _NUMBER)
                if value == 0 and known < most_words and starts[known] + length <= most_bytes:
                    start = np.int64(starts[known])
                    if known >= room_words or start + length > room_bytes:
                        return doc
                    for i in range(length):
                        letters[start + i] = data[begin + i]
                    starts[known + 1] = np.int32(start + length)
                    table[place] = _entry(h, known)
                    known += 1
                    n_words[0] = known
                    value = known
            code, size = _code(value)
            _store_u32(codes, at, code)
            at += size
            if value == 0:
                n_kept = _keep_letters(data, begin, length, kept, n_kept)
            begin = ends[w] + 1
        if n_kept > 0:
            at = _close_letters(kept, n_kept, codes, at)
        code_offsets[doc + 1] = at
    return len(offsets) - 1


@inlined
def _codes_end(codes, begin, end):
    """Return where a text's codes end and its words in letters begin, or -1 if it is damaged."""
    # One way out, here and in the other functions that are called for every text: with more, Numba
    # counts references to the arrays, at the cost of a hundred words.
    at = end
    if end > begin and codes[end - 1] >= 128:
        width = np.int64(codes[end - 1]) - 128
        at = end - 1 - width
        n_kept = np.int64(1) << 56
        if width >= 1 and width <= 7 and at >= begin:
            n_kept = 0
            for i in range(width):
                n_kept |= np.int64(codes[at + i]) << (8 * i)
        at = at - n_kept if n_kept <= at - begin else -1
    return at


@inlined
def _read_codes(codes, begin, end, values):
    """Fill `values` with the codes of a text; return their number and whether they are whole."""
    n = 0
    start = begin
    whole = True
    for at in range(begin, end, BLOCK):
        lasts = ~high_block(codes, at)
        if at + BLOCK > end:
            lasts &= (np.uint64(1) << np.uint64(end - at)) - np.uint64(1)
        while lasts != np.uint64(0):
            stop = at + trailing_zeros(lasts) + 1
            size = min(stop - start, 4)
            whole &= stop - start == size
            values[n] = np.uint32(np.uint64(load_u32(codes, start)) & (_ALL >> np.uint64(64 - 8 * size)))
            start = stop
            lasts &= lasts - np.uint64(1)
            n += 1
    return n, whole and start == end


@called
def _kept_length(codes, at, end):
    """Return the length of a word in letters and where these begin; they end before `end`."""
    length = 0
    shift = 0
    while at < end and shift < 56:
        byte = np.int64(codes[at])
        length |= (byte & 127) << shift
        shift += 7
        at += 1
        if byte < 128:
            break
    return min(length, end - at), at


@inlined
def _longest(offsets, first):
    longest = 0
    for i in range(first, len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    return longest


@inlined
def _touch_words(values, n, letters, starts, n_words, places):
    """Read what writing each word will read, so that the memory is waited for all at once."""
    touched = np.uint64(0)
    for i in range(n):
        places[i] = starts[min(max(_number_of(values[i]) - 1, 0), n_words)]
    for i in range(n):
        touched ^= np.uint64(letters[places[i]])
    return touched


@kernel
def decode_texts(
    codes: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    letters: NDArray[np.uint8],
    starts: NDArray[np.int32],
    n_words: int,
    first: int,
    data: NDArray[np.uint8],
    data_offsets: NDArray[np.int64],
) -> int:
    """Write the letters of coded texts, from number `first` on.

    Returns
    -------
    int
        Number of texts done, short of all if `data` has no room for more, or ``-1 - i`` if text i
        is damaged.
    """
    values = np.empty(_longest(offsets, first) + 8, dtype=np.uint32)
    places = np.empty(len(values), dtype=np.int32)
    room = len(data) - PADDING - LONGEST_WORD - 16
    for doc in range(first, len(offsets) - 1):
        end = offsets[doc + 1]
        kept = _codes_end(codes, offsets[doc], end)
        if kept < 0:
            return -1 - doc
        n, whole = _read_codes(codes, offsets[doc], kept, values)
        if not whole:
            return -1 - doc
        begin = data_offsets[doc]
        at = begin
        data[at] = np.uint8(_touch_words(values, n, letters, starts, n_words, places) & np.uint64(1))
        kept_end = end - (np.int64(codes[end - 1]) - 127) if kept < end else end
        for i in range(n):
            number = _number_of(values[i]) - 1
            if number >= 0:
                if number >= n_words:
                    return -1 - doc
                start = np.int64(starts[number])
                length = np.int64(starts[number + 1]) - start
                if at > room:
                    return doc
                copy_16(letters, start, data, at)
                if length > 16:
                    copy_16(letters, start + 16, data, at + 16)
                    copy_16(letters, start + 32, data, at + 32)
            else:
                if kept == kept_end:
                    return -1 - doc
                length, kept = _kept_length(codes, kept, kept_end)
                if at + length > room:
                    return doc
                for k in range(length):
                    data[at + k] = codes[kept + k]
                kept += length
            data[at + length] = _SPACE
            at += length + 1
        if kept != kept_end:
            return -1 - doc
        data_offsets[doc + 1] = max(at - 1, begin)
    return len(offsets) - 1


# --- Shared shingles ---------------------------------------------------------


@called
def _mix_letters(codes, at, end, values, n_words, size, hashes):
    """Mix the words kept in letters, in their order, into the hashes of the shingles they are in."""
    for w in range(n_words):
        if values[w] != np.uint32(0):
            continue
        length, at = _kept_length(codes, at, end)
        h = xxh3_64(codes, at, length) | _TOP_BIT
        at += length
        for i in range(max(0, w - size + 1), min(w, n_words - size) + 1):
            hashes[i] = max(multiply_fold(hashes[i] ^ h, _STEP), np.uint64(1))


@inlined
def _hash_shingles(codes, begin, end, size, values, hashes):
    """Hash the shingles of a coded text, none to 0; return their number.

    Codes have 32 bits, so that four of them are hashed by one multiplication.
    """
    kept = max(_codes_end(codes, begin, end), begin)
    n_words, _ = _read_codes(codes, begin, kept, values)
    size = min(size, n_words)
    seed = multiply_fold(np.uint64(size) ^ _KEY_LOW, _KEY_HIGH) | _SEED_BIT
    before_last = max(size - 1, 0) // 4 * 4
    low_mask, high_mask = _cut_to_16(_ALL, _ALL, 4 * (size - before_last))
    n = n_words - size + 1 if n_words > 0 else 0
    if before_last == 0:
        for i in range(n):
            low = load_u64(values, i) & low_mask
            high = load_u64(values, i + 2) & high_mask
            hashes[i] = max(multiply_fold(low ^ seed, high ^ _STEP), np.uint64(1))
    else:
        for i in range(n):
            h = multiply_fold(load_u64(values, i) ^ seed, load_u64(values, i + 2) ^ _STEP)
            for k in range(i + 4, i + before_last, 4):
                h = multiply_fold(load_u64(values, k) ^ h, load_u64(values, k + 2) ^ _STEP)
            low = load_u64(values, i + before_last) & low_mask
            high = load_u64(values, i + before_last + 2) & high_mask
            hashes[i] = max(multiply_fold(low ^ h, high ^ _STEP), np.uint64(1))
    if kept < end:
        _mix_letters(codes, kept, end, values, n_words, size, hashes)
    return n


# Hashes go through a table in rounds: all to their first place, then those whose place is taken by
# another to the next one, until none is left. There is no branch to be guessed for each.


@inlined
def _fill_table(hashes, n, table, mask):
    """Enter hashes, which are used up, in a table; return how many distinct ones there are."""
    for i in range(mask + 1):
        table[i] = np.uint64(0)
    n_distinct = 0
    step = 0
    while n > 0:
        n_left = 0
        for i in range(n):
            h = hashes[i]
            place = (np.int64(h >> np.uint64(20)) + step) & mask
            entry = table[place]
            is_free = entry == np.uint64(0)
            table[place] = h if is_free else entry
            n_distinct += 1 if is_free else 0
            hashes[n_left] = h
            n_left += 0 if is_free | (entry == h) else 1
        n = n_left
        step += 1
    return n_distinct


@inlined
def _count_found(hashes, n, table, mask, stamps, stamp):
    """Count the distinct hashes, which are used up, that a table has; leave the stamp where they are."""
    count = 0
    step = 0
    while n > 0:
        n_left = 0
        for i in range(n):
            h = hashes[i]
            place = (np.int64(h >> np.uint64(20)) + step) & mask
            entry = table[place]
            before = stamps[place]
            is_there = entry == h
            count += 1 if is_there & (before != stamp) else 0
            stamps[place] = stamp if is_there else before
            hashes[n_left] = h
            n_left += 0 if is_there | (entry == np.uint64(0)) else 1
        n = n_left
        step += 1
    return count


@kernel
def count_shared(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    codes: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    size: int,
) -> NDArray[np.int32]:
    """Count the distinct shingles that the texts of each pair share.

    Parameters
    ----------
    first, second : int64 arrays of shape (p,)
        Numbers of texts. One table serves all pairs in a row that have the same first.
    codes, offsets : arrays
        Texts coded with one lexicon.
    size : int
        Words in a shingle.
    """
    longest = 0
    for p in range(len(first)):
        longest = max(longest, offsets[first[p] + 1] - offsets[first[p]])
        longest = max(longest, offsets[second[p] + 1] - offsets[second[p]])
    values = np.empty(longest + 8, dtype=np.uint32)
    hashes = np.empty(longest + 1, dtype=np.uint64)
    table = np.empty(table_size(2 * longest), dtype=np.uint64)
    stamps = np.empty(len(table), dtype=np.int32)
    n_stamps = 0
    shared = np.empty(len(first), dtype=np.int32)
    mask = 0
    n_distinct = 0
    for p in range(len(first)):
        a = first[p]
        b = second[p]
        if p == 0 or a != first[p - 1]:
            n = _hash_shingles(codes, offsets[a], offsets[a + 1], size, values, hashes)
            mask = table_size(2 * n) - 1  # a quarter full at most: few collide, little goes wrong in guessing
            n_distinct = _fill_table(hashes, n, table, mask)
            for i in range(n_stamps, mask + 1):
                stamps[i] = -1
            n_stamps = max(n_stamps, mask + 1)
        if a == b:
            shared[p] = n_distinct
            continue
        n = _hash_shingles(codes, offsets[b], offsets[b + 1], size, values, hashes)
        shared[p] = _count_found(hashes, n, table, mask, stamps, np.int32(p))
    return shared


@kernel
def gather_codes(addresses: NDArray[np.int64], offsets: NDArray[np.int64], codes: NDArray[np.uint8]) -> None:
    """Copy what begins at each address of memory to ``codes[offsets[i]:offsets[i + 1]]``."""
    for i in range(len(addresses)):
        _copy_from_address(addresses[i], codes, offsets[i], offsets[i + 1] - offsets[i])
