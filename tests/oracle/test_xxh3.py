"""The kernels' XXH3 against the `xxhash` package."""

from __future__ import annotations

import numba
import numpy as np
import pytest
import xxhash
from numpy.typing import NDArray

from samestory.kernels.xxh3 import xxh3_64

LONGEST = 5000
OFFSETS = (0, 1, 7, 64, 333)


@numba.njit
def hash_ranges(
    data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.uint64]:
    out = np.empty(len(starts), dtype=np.uint64)
    for i in range(len(starts)):
        out[i] = xxh3_64(data, starts[i], lengths[i])
    return out


def check(data: NDArray[np.uint8], ranges: list[tuple[int, int]]) -> None:
    starts = np.array([start for start, _ in ranges], dtype=np.int64)
    lengths = np.array([length for _, length in ranges], dtype=np.int64)
    found = hash_ranges(data, starts, lengths)
    raw = data.tobytes()
    expected = [xxhash.xxh3_64_intdigest(raw[start : start + length]) for start, length in ranges]
    wrong = [
        place for place, have, want in zip(ranges, found.tolist(), expected, strict=True) if have != want
    ]
    assert wrong == []


@pytest.fixture(scope="module")
def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, LONGEST + max(OFFSETS) + 64, dtype=np.uint8)


@pytest.mark.parametrize("offset", OFFSETS)
def test_every_length_to_1200(noise: NDArray[np.uint8], offset: int) -> None:
    check(noise, [(offset, length) for length in range(1201)])


def test_lengths_to_5000(noise: NDArray[np.uint8]) -> None:
    # A block is 1024 bytes: around each of its ends, and anything between.
    edges = [block * 1024 + step for block in range(1, 5) for step in (-65, -64, -1, 0, 1, 63, 64, 65)]
    check(noise, [(7, length) for length in [*range(1200, LONGEST, 37), *edges, LONGEST]])


@pytest.mark.parametrize("value", [0, 0xFF])
def test_bytes_all_alike(value: int) -> None:
    data = np.full(1500, value, dtype=np.uint8)
    check(data, [(3, length) for length in range(0, 1400, 3)])


def test_nothing_beyond_the_range_counts(noise: NDArray[np.uint8]) -> None:
    ranges = [(64, length) for length in (0, 1, 3, 4, 8, 9, 16, 17, 32, 128, 129, 240, 241, 1024, 1025)]
    check(noise, ranges)
    for start, length in ranges:
        other = noise.copy()
        other[:start] ^= np.uint8(0x5A)
        other[start + length :] ^= np.uint8(0xA5)
        check(other, [(start, length)])
