"""One pass over a batch of folded texts: shingle hashes, signatures, band keys."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.intrinsics import BLOCK, load_u64, multiply_fold, space_block, trailing_zeros
from samestory.kernels.jit import inlined, kernel
from samestory.kernels.minhash import band_key, finalise_32, sign
from samestory.kernels.xxh3 import xxh3_64

MOST_SUSPECTS: Final = 16
KEY_START: Final = np.uint64(0x9E3779B97F4A7C15)
KEY_STEP: Final = np.uint64(0xD6E8FEB86659FD93)


@inlined
def word_ends(text, start, end, ends):  # type: ignore[no-untyped-def]
    """Fill `ends` with the index after each word of a folded text; return their number."""
    if end == start:
        return 0
    n = 0
    for at in range(start, end, BLOCK):
        spaces = space_block(text, at)
        if at + BLOCK > end:
            spaces &= (np.uint64(1) << np.uint64(end - at)) - np.uint64(1)
        while spaces != np.uint64(0):
            ends[n] = at + trailing_zeros(spaces)
            spaces &= spaces - np.uint64(1)
            n += 1
    ends[n] = end
    return n + 1


@inlined
def character_ends(text, start, end, ends):  # type: ignore[no-untyped-def]
    """Fill `ends` with the index after each UTF-8 character; return their number."""
    n = 0
    for i in range(start + 1, end):
        ends[n] = i
        n += 1 if text[i] & 0xC0 != 0x80 else 0
    if end > start:
        ends[n] = end
        n += 1
    return n


@inlined
def hash_text(text, start, end, by_character, size, ends, hashes):  # type: ignore[no-untyped-def]
    """Hash the shingles of one folded text, in its order.

    Returns
    -------
    tuple of int
        Number of shingles, and of words or characters.
    """
    gap = 0
    if by_character:
        n_units = character_ends(text, start, end, ends)
    else:
        n_units = word_ends(text, start, end, ends)
        gap = 1
    return hash_shingles(text, start, ends, n_units, size, gap, hashes), n_units


@inlined
def hash_shingles(text, start, ends, n_units, size, gap, hashes):  # type: ignore[no-untyped-def]
    """Hash each run of `size` units of one folded text.

    Parameters
    ----------
    ends : int64 array
        Index after each unit; the next begins `gap` bytes on (1 for words, 0 for characters).
    hashes : uint64 array
        Filled, in the order of the text.

    Returns
    -------
    int
        Number of shingles: at least one unless there is no unit.
    """
    if n_units == 0:
        return 0
    size = min(size, n_units)
    n = n_units - size + 1
    begin = start
    for i in range(n):
        hashes[i] = xxh3_64(text, begin, ends[i + size - 1] - begin)
        begin = ends[i] + gap
    return n


@inlined
def table_size(n):  # type: ignore[no-untyped-def]
    """Return the entries of a hash table for `n` hashes: a power of two of at least twice as many."""
    size = 8
    while size < 2 * n:
        size *= 2
    return size


@inlined
def _find_suspects(hashes, n, seen, suspects):  # type: ignore[no-untyped-def]
    """Note the hashes that may have come before: one in 64 by chance, and all that did.

    Parameters
    ----------
    seen : uint64 array
        Work space: a bit set of a power of two of at least 64 `n` bits.
    suspects : int64 array
        Filled with the suspects' indices.
    """
    n_words = table_size(n) // 2
    mask = np.uint64(64 * n_words - 1)
    for i in range(n_words):
        seen[i] = np.uint64(0)
    n_suspects = 0
    for i in range(n):
        bit = (hashes[i] >> np.uint64(24)) & mask
        word = np.int64(bit >> np.uint64(6))
        flag = np.uint64(1) << (bit & np.uint64(63))
        before = seen[word]
        seen[word] = before | flag
        suspects[n_suspects] = i
        n_suspects += 1 if before & flag else 0
    return n_suspects


@inlined
def _drop_repeats(hashes, n, table):  # type: ignore[no-untyped-def]
    """Drop repeated hashes, in place, by a hash table of at least twice `n` entries."""
    mask = table_size(n) - 1
    for i in range(mask + 1):
        table[i] = np.uint64(0)
    n_distinct = 0
    seen_zero = False
    for i in range(n):
        h = hashes[i]
        place = np.int64(h >> np.uint64(20)) & mask
        while table[place] != np.uint64(0) and table[place] != h:
            place = (place + 1) & mask
        if table[place] == h and (h != np.uint64(0) or seen_zero):
            continue
        seen_zero |= h == np.uint64(0)
        table[place] = h
        hashes[n_distinct] = h
        n_distinct += 1
    return n_distinct


@inlined
def _is_repeated(hashes, i):  # type: ignore[no-untyped-def]
    h = hashes[i]
    found = False
    for j in range(i):
        found |= hashes[j] == h
    return found


@inlined
def keep_distinct(hashes, n, table, suspects):  # type: ignore[no-untyped-def]
    """Drop repeated hashes, in place.

    In most articles nothing repeats, so a bit set clears nearly every shingle
    of suspicion and the few left are compared with all before them; a text
    that repeats itself a lot goes through a hash table instead.

    Parameters
    ----------
    table : uint64 array
        Work space of a power of two of at least twice `n` entries.
    suspects : int64 array
        Work space of at least ``n + 1`` entries.

    Returns
    -------
    int
        Number of distinct hashes.
    """
    n_suspects = _find_suspects(hashes, n, table, suspects)
    if n_suspects > MOST_SUSPECTS + n // 64:
        return _drop_repeats(hashes, n, table)
    n_repeated = 0
    for k in range(n_suspects):
        if _is_repeated(hashes, suspects[k]):
            n_repeated += 1
    return n if n_repeated == 0 else _drop_repeats(hashes, n, table)


@inlined
def text_key(text, start, end):  # type: ignore[no-untyped-def]
    """Return a key that equal texts have in common: a multiply-and-fold hash of the bytes."""
    key = np.uint64(end - start) ^ KEY_START
    at = start
    while at + 16 <= end:
        key = multiply_fold(load_u64(text, at) ^ key, load_u64(text, at + 8) ^ KEY_STEP)
        at += 16
    while at < end:
        key = multiply_fold(np.uint64(text[at]) ^ key, KEY_STEP)
        at += 1
    return key


@kernel
def sketch_batch(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    by_character: bool,
    size: int,
    a: NDArray[np.uint32],
    b: NDArray[np.uint32],
    num_perm: int,
    bands: int,
    rows: int,
    want_signatures: bool,
) -> tuple[NDArray[np.uint32], NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int32], NDArray[np.int32]]:
    """Sketch each folded text of a batch.

    Parameters
    ----------
    text, offsets : arrays
        As `samestory.kernels.tokenise.tokenise_batch` returns them.
    by_character : bool
        Whether a shingle is a run of characters; of words otherwise.
    size : int
        Words or characters in a shingle.
    a, b : uint32 arrays
        The permutations, filled up to a multiple of `samestory.kernels.minhash.WIDTH`.
    num_perm : int
        How many of them go into the signatures returned.
    bands, rows : int
        How many band keys to make, each of how many values.

    Returns
    -------
    signatures : uint32 array of shape (n, num_perm), or (0, num_perm) unless wanted
    band_keys : uint64 array of shape (bands, n)
    text_keys : uint64 array of shape (n,)
        The same for equal folded texts.
    n_shingles : int32 array of shape (n,)
        Distinct shingles.
    n_units : int32 array of shape (n,)
        Words or characters.
    """
    n = len(offsets) - 1
    longest = 0
    for doc in range(n):
        longest = max(longest, offsets[doc + 1] - offsets[doc])
    ends = np.empty(longest + 1, dtype=np.int64)
    hashes = np.empty(longest + 1, dtype=np.uint64)
    mixed = np.empty(longest + 1, dtype=np.uint32)
    suspects = np.empty(longest + 2, dtype=np.int64)
    table = np.empty(table_size(longest + 1), dtype=np.uint64)
    signature = np.empty(len(a), dtype=np.uint32)
    signatures = np.empty((n if want_signatures else 0, num_perm), dtype=np.uint32)
    band_keys = np.empty((bands, n), dtype=np.uint64)
    text_keys = np.empty(n, dtype=np.uint64)
    n_shingles = np.empty(n, dtype=np.int32)
    n_units = np.empty(n, dtype=np.int32)
    for doc in range(n):
        start = offsets[doc]
        end = offsets[doc + 1]
        text_keys[doc] = text_key(text, start, end)
        found, units = hash_text(text, start, end, by_character, size, ends, hashes)
        found = keep_distinct(hashes, found, table, suspects)
        for i in range(found):
            mixed[i] = finalise_32(np.uint32(hashes[i]))
        n_units[doc] = units
        n_shingles[doc] = found
        sign(mixed, found, a, b, signature)
        if want_signatures:
            for p in range(num_perm):
                signatures[doc, p] = signature[p]
        for band in range(bands):
            band_keys[band, doc] = band_key(signature, band * rows, rows)
    return signatures, band_keys, text_keys, n_shingles, n_units
