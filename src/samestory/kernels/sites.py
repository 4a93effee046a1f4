"""Keys of an article's outlet and of the host in its address."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.jit import inlined, kernel

_START: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_MIX: Final = np.uint64(0xFF51AFD7ED558CCD)


@inlined
def _name_key(data, begin, end):  # type: ignore[no-untyped-def]
    """Return a key of some bytes with ASCII letters in lower case (FNV-1a, mixed); 0 if there are none."""
    if begin >= end:
        return np.uint64(0)
    key = _START
    for i in range(begin, end):
        byte = data[i]
        if 65 <= byte <= 90:
            byte += 32
        key = (key ^ np.uint64(byte)) * _PRIME
    key = (key ^ (key >> np.uint64(33))) * _MIX
    return (key ^ (key >> np.uint64(29))) | np.uint64(1)


@inlined
def _find_host(data, begin, end):  # type: ignore[no-untyped-def]
    """Return where the host of an address begins and ends, without ``www.``, user and port."""
    at = begin
    for i in range(begin, end - 2):
        if data[i] in (47, 63, 35):  # the path has begun
            break
        if data[i] == 58 and data[i + 1] == 47 and data[i + 2] == 47:  # ://
            at = i + 3
            break
    stop = at
    while stop < end and data[stop] not in (47, 63, 35):  # / ? #
        if data[stop] == 64:  # @
            at = stop + 1
        stop += 1
    last = at
    while last < stop and data[last] != 58:  # :
        last += 1
    if last - at > 4 and data[at + 3] == 46:
        first, second, third = data[at] | 32, data[at + 1] | 32, data[at + 2] | 32
        if first == 119 and second == 119 and third == 119:
            at += 4
    return at, last


@kernel
def name_keys(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a key of each name, 0 where it is empty."""
    keys = np.empty(len(offsets) - 1, dtype=np.uint64)
    for i in range(len(keys)):
        keys[i] = _name_key(data, offsets[i], offsets[i + 1])
    return keys


@kernel
def host_keys(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a key of the host of each address, 0 where there is none."""
    keys = np.empty(len(offsets) - 1, dtype=np.uint64)
    for i in range(len(keys)):
        begin, end = _find_host(data, offsets[i], offsets[i + 1])
        keys[i] = _name_key(data, begin, end)
    return keys
