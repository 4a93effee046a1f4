"""What articles share, counted exactly.

Articles are named by their number in the corpus (``doc``) or by their place in
the arrays handed to a kernel (``member``). The copies of one text are found
first; the members that are first of their text stand for it from there on.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import itertools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.intrinsics import count_ones
from samestory.kernels.jit import called, inlined, kernel
from samestory.kernels.sketch import hash_text, keep_distinct, table_size

MOST_TOGETHER: Final = 64
"""A component of more distinct texts than this is compared bucket by bucket."""


def _next_gaps() -> NDArray[np.int64]:
    """Return, by gap, the next smaller one of Ciura's sequence."""
    gaps = np.zeros(702, dtype=np.int64)
    sequence = (701, 301, 132, 57, 23, 10, 4, 1, 0)
    for gap, smaller in itertools.pairwise(sequence):
        gaps[gap] = smaller
    return gaps


_GAPS: Final = _next_gaps()


@inlined
def same_text(text, offsets, i, j):  # type: ignore[no-untyped-def]
    """Whether two members' folded texts are equal."""
    size = offsets[i + 1] - offsets[i]
    if offsets[j + 1] - offsets[j] != size:
        return False
    for k in range(size):
        if text[offsets[i] + k] != text[offsets[j] + k]:
            return False
    return True


@kernel
def find_copies(
    docs: NDArray[np.int64],
    component_offsets: NDArray[np.int64],
    text: NDArray[np.uint8],
    text_offsets: NDArray[np.int64],
    text_keys: NDArray[np.uint64],
) -> NDArray[np.int64]:
    """Return for each member the first of its component with the same folded text."""
    originals = np.empty(len(docs), dtype=np.int64)
    largest = 0
    for c in range(len(component_offsets) - 1):
        largest = max(largest, component_offsets[c + 1] - component_offsets[c])
    table = np.empty(table_size(largest), dtype=np.int64)
    for c in range(len(component_offsets) - 1):
        begin = component_offsets[c]
        end = component_offsets[c + 1]
        mask = table_size(end - begin) - 1
        table[: mask + 1] = -1
        for member in range(begin, end):
            key = text_keys[docs[member]]
            place = np.int64(key >> np.uint64(20)) & mask
            while table[place] >= 0 and not (
                text_keys[docs[table[place]]] == key and same_text(text, text_offsets, table[place], member)
            ):
                place = (place + 1) & mask
            if table[place] < 0:
                table[place] = member
            originals[member] = table[place]
    return originals


@inlined
def _number_shingles(hashes, n, known, numbers, n_known):  # type: ignore[no-untyped-def]
    """Replace each hash by its number, giving the next ones to new hashes; return how many there are."""
    mask = len(known) - 1
    for i in range(n):
        h = hashes[i]
        place = np.int64(h >> np.uint64(20)) & mask
        while numbers[place] >= 0 and known[place] != h:
            place = (place + 1) & mask
        if numbers[place] < 0:
            known[place] = h
            numbers[place] = n_known
            n_known += 1
        hashes[i] = np.uint64(numbers[place])
    return n_known


@inlined
def _set_bits(bits, base, hashes, n):  # type: ignore[no-untyped-def]
    for k in range(n):
        word = base + np.int64(hashes[k] >> np.uint64(6))
        bits[word] |= np.uint64(1) << (hashes[k] & np.uint64(63))


@inlined
def _count_common(bits, first, second, n_words):  # type: ignore[no-untyped-def]
    total = np.uint64(0)
    for k in range(n_words):
        total += count_ones(bits[first + k] & bits[second + k])
    return np.int32(total)


@kernel
def count_shared(
    groups: NDArray[np.int64],
    texts: NDArray[np.int64],
    text: NDArray[np.uint8],
    text_offsets: NDArray[np.int64],
    by_character: bool,
    size: int,
    n_distinct: NDArray[np.int32],
    shared_offsets: NDArray[np.int64],
    shared: NDArray[np.int32],
) -> None:
    """Count the shingles that every two texts of a group share.

    The shingles of a group are numbered and each text becomes a set of bits,
    so that what two texts share is the bits of both, counted: exact, and some
    twenty words of memory a pair instead of a merge of two sorted lists.

    Parameters
    ----------
    groups : int64 array of shape (g + 1,)
        Where each group begins in `texts`.
    texts : int64 array
        Members, each of a distinct text.
    text, text_offsets : arrays
        The folded texts of all members.
    by_character, size
        As in `samestory.kernels.sketch.sketch_batch`.
    n_distinct : int32 array
        Distinct shingles of each member.
    shared_offsets, shared : arrays
        Filled: for each group of k texts, from its offset, a k by k matrix.
    """
    longest = 0
    for member in texts:
        longest = max(longest, text_offsets[member + 1] - text_offsets[member])
    ends = np.empty(longest + 1, dtype=np.int64)
    hashes = np.empty(longest + 1, dtype=np.uint64)
    known = np.empty(8, dtype=np.uint64)
    numbers = np.empty(8, dtype=np.int32)
    bits = np.empty(8, dtype=np.uint64)
    for g in range(len(groups) - 1):
        begin = groups[g]
        n_texts = groups[g + 1] - begin
        if n_texts == 1:
            shared[shared_offsets[g]] = n_distinct[texts[begin]]
            continue
        at_most = 0
        for member in texts[begin : begin + n_texts]:
            at_most += text_offsets[member + 1] - text_offsets[member]
        at_most = at_most if by_character else at_most // 2 + n_texts
        entries = table_size(at_most)
        if len(known) < entries:
            known = np.empty(entries, dtype=np.uint64)
            numbers = np.empty(entries, dtype=np.int32)
        numbers[:entries] = np.int32(-1)
        width = (at_most + 63) // 64
        if len(bits) < n_texts * width:
            bits = np.empty(2 * n_texts * width, dtype=np.uint64)
        bits[: n_texts * width] = np.uint64(0)
        n_known = 0
        for i in range(n_texts):
            member = texts[begin + i]
            found, _ = hash_text(
                text, text_offsets[member], text_offsets[member + 1], by_character, size, ends, hashes
            )
            n_known = _number_shingles(hashes, found, known[:entries], numbers, n_known)
            _set_bits(bits, i * width, hashes, found)
        n_words = (n_known + 63) // 64
        matrix = shared_offsets[g]
        for i in range(n_texts):
            for j in range(i, n_texts):
                count = _count_common(bits, i * width, j * width, n_words)
                shared[matrix + i * n_texts + j] = count
                shared[matrix + j * n_texts + i] = count


@inlined
def _sort_into(hashes, n, out, at, counts):  # type: ignore[no-untyped-def]
    """Write `n` hashes in order from ``out[at]``.

    Hashes are spread evenly, so one pass by their highest bits leaves little to
    do for Shell's sort (with the gaps of Ciura 2001), which does not turn
    quadratic where someone has made them uneven.
    """
    bits = np.uint64(3)
    while (1 << bits) < n:
        bits += np.uint64(1)
    shift = np.uint64(64) - bits
    for i in range((1 << bits) + 1):
        counts[i] = 0
    for i in range(n):
        counts[np.int64(hashes[i] >> shift) + 1] += 1
    for i in range(1 << bits):
        counts[i + 1] += counts[i]
    for i in range(n):
        place = np.int64(hashes[i] >> shift)
        out[at + counts[place]] = hashes[i]
        counts[place] += 1
    gap = 701
    while gap < n:
        gap = 2 * gap + 1
    while gap > 0:
        for i in range(gap, n):
            h = out[at + i]
            j = i
            while j >= gap and out[at + j - gap] > h:
                out[at + j] = out[at + j - gap]
                j -= gap
            out[at + j] = h
        gap = (gap - 1) // 2 if gap > 701 else _GAPS[gap]


@called
def _hash_member(  # type: ignore[no-untyped-def]
    member, text, text_offsets, by_character, size, ends, hashes, suspects, table, counts, lists, at
):
    """Write one member's distinct shingle hashes in order from ``lists[at]``; return their number."""
    found, _ = hash_text(
        text, text_offsets[member], text_offsets[member + 1], by_character, size, ends, hashes
    )
    found = keep_distinct(hashes, found, table, suspects)
    _sort_into(hashes, found, lists, at, counts)
    return found


@kernel
def hash_sorted(
    members: NDArray[np.int64],
    text: NDArray[np.uint8],
    text_offsets: NDArray[np.int64],
    by_character: bool,
    size: int,
    n_distinct: NDArray[np.int32],
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return each member's distinct shingle hashes in order, one list after another, and their offsets."""
    longest = 0
    total = 0
    for k in range(len(members)):
        longest = max(longest, text_offsets[members[k] + 1] - text_offsets[members[k]])
        total += n_distinct[k]
    ends = np.empty(longest + 1, dtype=np.int64)
    hashes = np.empty(longest + 1, dtype=np.uint64)
    suspects = np.empty(longest + 2, dtype=np.int64)
    table = np.empty(table_size(longest + 1), dtype=np.uint64)
    counts = np.empty(table_size(longest + 1) + 1, dtype=np.int64)
    lists = np.empty(total, dtype=np.uint64)
    offsets = np.zeros(len(members) + 1, dtype=np.int64)
    at = 0
    for k in range(len(members)):
        at += _hash_member(
            members[k], text, text_offsets, by_character, size, ends, hashes, suspects, table, counts, lists,
            at,
        )  # fmt: skip
        offsets[k + 1] = at
    return lists, offsets


@inlined
def count_merged(lists, offsets, i, j, at_least):  # type: ignore[no-untyped-def]
    """Count what two sorted lists share, or return -1 as soon as it must be under `at_least`."""
    a = offsets[i]
    b = offsets[j]
    end_a = offsets[i + 1]
    end_b = offsets[j + 1]
    # What of each list may be missing from the other.
    spare_a = end_a - a - at_least
    spare_b = end_b - b - at_least
    count = 0
    while a < end_a and b < end_b and spare_a >= 0 and spare_b >= 0:
        x = lists[a]
        y = lists[b]
        count += 1 if x == y else 0
        a += 1 if x <= y else 0
        b += 1 if y <= x else 0
        spare_a -= 1 if x < y else 0
        spare_b -= 1 if y < x else 0
    return count if count >= at_least else -1


@kernel
def count_merged_pairs(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    lists: NDArray[np.uint64],
    offsets: NDArray[np.int64],
) -> NDArray[np.int32]:
    """Count what the sorted lists of each pair share."""
    shared = np.empty(len(first), dtype=np.int32)
    for p in range(len(first)):
        shared[p] = count_merged(lists, offsets, first[p], second[p], 0)
    return shared
