"""Buckets of one band, and the components of articles that meet in any."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.jit import kernel
from samestory.kernels.unionfind import find, union


@kernel
def pack_keys(keys: NDArray[np.uint64], first: int, index_bits: int, out: NDArray[np.uint64]) -> None:
    """Write each key's high bits with the article's number in the low `index_bits`.

    Sorting these whole numbers is several times faster than an argsort of the
    keys. Two keys that agree only in the bits kept share a bucket by chance;
    such a pair is verified like any other.
    """
    mask = (np.uint64(1) << np.uint64(index_bits)) - np.uint64(1)
    for i in range(len(keys)):
        out[first + i] = (keys[i] & ~mask) | np.uint64(first + i)


@kernel
def link_buckets(
    packed: NDArray[np.uint64], index_bits: int, n_shingles: NDArray[np.int32], parents: NDArray[np.int32]
) -> None:
    """Join the articles of each bucket, given one band's packed keys in order."""
    mask = (np.uint64(1) << np.uint64(index_bits)) - np.uint64(1)
    last = np.int64(-1)  # the last article that has a shingle
    for k in range(len(packed)):
        if n_shingles[np.int64(packed[k] & mask)] == 0:
            continue
        if last >= 0 and (packed[k] ^ packed[last]) & ~mask == np.uint64(0):
            union(parents, np.int64(packed[last] & mask), np.int64(packed[k] & mask))
        last = k


@kernel
def list_components(parents: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the components of two or more.

    Returns
    -------
    members : int64 array
        Their members, those of one component together and in order.
    offsets : int64 array
        Where each component begins in `members`, and the end of the last;
        components are in the order of their least members.
    """
    n = len(parents)
    sizes = np.zeros(n, dtype=np.int32)
    for i in range(n):
        parents[i] = find(parents, i)
        sizes[parents[i]] += 1
    n_members = 0
    n_components = 0
    places = np.zeros(n, dtype=np.int64)
    for i in range(n):
        if sizes[i] > 1:
            places[i] = n_members
            n_members += sizes[i]
            n_components += 1
    members = np.empty(n_members, dtype=np.int64)
    offsets = np.empty(n_components + 1, dtype=np.int64)
    k = 0
    for i in range(n):
        root = parents[i]
        if sizes[root] > 1:
            if root == i:
                offsets[k] = places[i]
                k += 1
            members[places[root]] = i
            places[root] += 1
    offsets[k] = n_members
    return members, offsets


@kernel
def gather_texts(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    out: NDArray[np.uint8],
    out_offsets: NDArray[np.int64],
) -> None:
    """Copy the texts numbered `sources` to the places numbered `targets`."""
    for k in range(len(sources)):
        begin = offsets[sources[k]]
        size = offsets[sources[k] + 1] - begin
        at = out_offsets[targets[k]]
        for i in range(size):
            out[at + i] = text[begin + i]
