"""Looking keys up in sorted runs of packed entries, wherever these lie in memory.

A key is a uint64 of which the highest `KEPT_BITS` are kept: the highest
`PARTITION_BITS` name its partition, and an entry packs the others, high, and a
member, in the low `MEMBER_BITS`. So the entries of a partition in order are in
the order of their keys, and under a key in that of their members.

Runs are read by address, because they come and go one by one and Numba would
otherwise have to be handed hundreds of arrays for each call. What is read from
a run's directory is cut to the run's size, so that a wrong one does no harm.
"""

# mypy: disable-error-code="no-untyped-call,no-untyped-def,misc"
from __future__ import annotations

from typing import Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from samestory.kernels.jit import called, inlined, kernel

PARTITION_BITS: Final = 6
MEMBER_BITS: Final = 27
KEPT_BITS: Final = PARTITION_BITS + 64 - MEMBER_BITS
N_PARTITIONS: Final = 1 << PARTITION_BITS

ROW_FIELDS: Final = 4
"""Of a run: address of its entries, their number, address of its directory or 0, shift from entry to slot."""

_WIDTH: Final = 8
_MOST_SCANNED: Final = 32
_PARTITION_SHIFT: Final = np.uint64(64 - PARTITION_BITS)
_PARTITION_BITS: Final = np.uint64(PARTITION_BITS)
_MEMBER_BITS: Final = np.uint64(MEMBER_BITS)
_MARK_BITS: Final = np.uint64(5)
_LOW_HALF: Final = np.uint64((1 << 32) - 1)
_MEMBER_MASK: Final = np.uint64((1 << MEMBER_BITS) - 1)


@intrinsic
def load_u64_at(typing_context, address):
    """Eight bytes at an address, as a uint64."""

    def generate(context, builder, signature, arguments):
        value = builder.load(builder.inttoptr(arguments[0], ir.IntType(64).as_pointer()))
        value.align = 1
        return value

    return types.uint64(types.int64), generate


@inlined
def _target(key):
    """Return the entry of a key and member 0."""
    return ((key << _PARTITION_BITS) >> _MEMBER_BITS) << _MEMBER_BITS


@inlined
def _entry(rows, r, i):
    return load_u64_at(rows[r, 0] + np.int64(8) * i)


@inlined
def _mark(entry, shift):
    """Return the bit, in the high half of a word, of the bits of an entry that follow its slot's."""
    return np.uint64(1) << (((entry >> (shift - _MARK_BITS)) & np.uint64(31)) + np.uint64(32))


@inlined
def _slot(rows, r, target):
    """Return where in a run the entries of a target must lie, by its directory; nowhere if it has none."""
    size = rows[r, 1]
    directory = rows[r, 2]
    if directory == 0:
        return np.int64(0), size
    shift = np.uint64(rows[r, 3])
    at = directory + np.int64(8) * np.int64(target >> shift)
    word = load_u64_at(at)
    if word & _mark(target, shift) == np.uint64(0):
        return np.int64(0), np.int64(0)
    end = min(np.int64(load_u64_at(at + np.int64(8)) & _LOW_HALF), size)
    return min(np.int64(word & _LOW_HALF), end), end


@inlined
def _count_below_in_8(rows, r, at, target):
    """Count the entries below the target among eight: without a branch, as none could be foretold."""
    count = np.int64(0)
    for i in range(_WIDTH):
        count += np.int64(_entry(rows, r, at + np.int64(i)) < target)
    return count


@inlined
def _first_not_below(rows, r, begin, end, target):
    """Return the first place of a slot whose entry is not below the target, or one not before its end."""
    while end - begin > np.int64(_MOST_SCANNED):
        middle = (begin + end) // np.int64(2)
        if _entry(rows, r, middle) < target:
            begin = middle + np.int64(1)
        else:
            end = middle
    if rows[r, 1] < np.int64(_WIDTH):
        while begin < end and _entry(rows, r, begin) < target:
            begin += np.int64(1)
        return begin
    # Eight entries from before the slot's are as good: those are below the target, too.
    begin = min(begin, rows[r, 1] - np.int64(_WIDTH))
    count = _count_below_in_8(rows, r, begin, target)
    begin += count
    while count == np.int64(_WIDTH) and begin < end:
        begin = min(begin, rows[r, 1] - np.int64(_WIDTH))
        count = _count_below_in_8(rows, r, begin, target)
        begin += count
    return begin


@called
def _with_room(members, n_used):
    """Return the members used, in an array of more than twice the room."""
    larger = np.empty(2 * n_used + 64, dtype=np.int32)
    larger[:n_used] = members[:n_used]
    return larger


@called
def _merge_tail(members, begin, middle, end):
    """Merge two ascending neighbours of an array into one, each member once; return its end."""
    first = members[begin:middle].copy()
    i = 0
    at = begin
    while i < len(first) and middle < end:
        a = first[i]
        b = members[middle]
        i += 1 if a <= b else 0
        middle += 1 if b <= a else 0
        members[at] = min(a, b)
        at += 1
    while i < len(first):
        members[at] = first[i]
        i += 1
        at += 1
    while middle < end:
        members[at] = members[middle]
        middle += 1
        at += 1
    return at


@kernel
def find_members(
    keys: NDArray[np.uint64], row_offsets: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Find the members of sorted keys in the runs of their partitions.

    Nearly all that is looked for is not there, which makes branches that can be
    foretold, so that the processor waits for the memory of several runs at once.

    Parameters
    ----------
    keys : uint64 array of shape (n,)
        Ascending.
    row_offsets : int64 array of shape (N_PARTITIONS + 1,)
        Where the rows of each partition begin.
    rows : int64 array of shape (r, ROW_FIELDS)
        The runs; the entries of each are sorted and without repeats.

    Returns
    -------
    offsets : int64 array of shape (n + 1,)
    members : int32 array
        Of each key, ascending, each once.
    """
    n = len(keys)
    offsets = np.zeros(n + 1, dtype=np.int64)
    members = np.empty(n + 64, dtype=np.int32)
    found = np.int64(0)
    for i in range(n):
        partition = np.int64(keys[i] >> _PARTITION_SHIFT)
        target = _target(keys[i])
        start = found
        for r in range(row_offsets[partition], row_offsets[partition + 1]):
            begin, end = _slot(rows, r, target)
            if begin == end:
                continue
            at = _first_not_below(rows, r, begin, end, target)
            middle = found
            while at < end:
                entry = _entry(rows, r, at)
                if entry >> _MEMBER_BITS != target >> _MEMBER_BITS:
                    break
                if found == len(members):
                    members = _with_room(members, found)
                members[found] = np.int32(entry & _MEMBER_MASK)
                found += 1
                at += 1
            if start < middle < found and members[middle] <= members[middle - 1]:
                found = _merge_tail(members, start, middle, found)
        offsets[i + 1] = found
    return offsets, members[:found]


@kernel
def put_in_order(
    order: NDArray[np.int64], offsets: NDArray[np.int64], members: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return lists so that the i-th of those given becomes number ``order[i]``.

    Parameters
    ----------
    order : int64 array of shape (n,)
        A permutation.
    offsets, members : arrays
        The lists, as `find_members` returns them.
    """
    n = len(order)
    starts = np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        starts[order[i] + 1] = offsets[i + 1] - offsets[i]
    for i in range(n):
        starts[i + 1] += starts[i]
    ordered = np.empty(len(members), dtype=np.int32)
    for i in range(n):
        at = starts[order[i]]
        for k in range(offsets[i], offsets[i + 1]):
            ordered[at] = members[k]
            at += 1
    return starts, ordered


@kernel
def make_directory(entries: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    """Return where in sorted entries each value of their highest bits begins.

    Most keys are not in most runs. So that these need not be looked for among
    the entries, each slot marks, of 32 bits, those that the next five bits of
    its entries number.

    Parameters
    ----------
    entries : uint64 array of shape (n,)
        Ascending; n under 2**32.
    bits : int
        From 1 to 32.

    Returns
    -------
    uint64 array of shape (2**bits + 1,)
        Low half: where slot s begins, and the one before ends. High half: marks of slot s.
    """
    n_slots = 1 << bits
    shift = np.uint64(64 - bits)
    directory = np.empty(n_slots + 1, dtype=np.uint64)
    i = 0
    for slot in range(n_slots):
        word = np.uint64(i)
        while i < len(entries) and np.int64(entries[i] >> shift) == slot:
            word |= _mark(entries[i], shift)
            i += 1
        directory[slot] = word
    directory[n_slots] = np.uint64(len(entries))
    return directory
