"""MinHash by datasketch's scheme ``affine32``, and the band keys of a signature.

A. Broder, "On the resemblance and containment of documents", 1997. The scheme
mixes a 32-bit base hash with MurmurHash3's finaliser, then takes for each
permutation (a, b), a odd, the least ``a * h + b`` modulo 2**32.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from typing import Final

import numpy as np

from samestory.kernels.intrinsics import least_8_by_8
from samestory.kernels.jit import inlined

EMPTY: Final = np.uint32(0xFFFFFFFF)
WIDTH: Final = 8


@inlined
def finalise_32(h):  # type: ignore[no-untyped-def]
    """Mix a 32-bit hash: MurmurHash3's ``fmix32``."""
    h ^= h >> np.uint32(16)
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h ^= h >> np.uint32(13)
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))


@inlined
def sign(hashes, n, a, b, signature):  # type: ignore[no-untyped-def]
    """Fill a signature with the minima of `n` mixed hashes.

    Eight hashes meet eight permutations at a time: what fits the vector
    registers, so that a minimum is loaded and stored once for eight products.
    The last eight hashes may overlap the ones before, which changes no minimum.

    Parameters
    ----------
    a, b, signature : uint32 arrays
        Of a length divisible by `WIDTH`.
    """
    for p in range(len(a)):
        signature[p] = EMPTY
    if n < WIDTH:
        for i in range(n):
            h = hashes[i]
            for p in range(len(a)):
                signature[p] = min(signature[p], np.uint32(a[p] * h + b[p]))
        return
    i = 0
    while i < n:
        i = min(i, n - WIDTH)
        for p in range(0, len(a), WIDTH):
            least_8_by_8(a, b, signature, p, hashes, i)
        i += WIDTH


@inlined
def band_key(signature, first, rows):  # type: ignore[no-untyped-def]
    """Return one 64-bit key for `rows` values of a signature from index `first`."""
    key = np.uint64(0x9E3779B97F4A7C15)
    for row in range(first, first + rows):
        key = (key ^ np.uint64(signature[row])) * np.uint64(0xFF51AFD7ED558CCD)
        key ^= key >> np.uint64(32)
    return key
