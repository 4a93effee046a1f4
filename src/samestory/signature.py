"""Stage 2: shingles hashed, signed and cut into band keys.

The base hash of a shingle is the low 32 bits of ``xxhash.xxh3_64_intdigest``
over its UTF-8 bytes, its words joined by one space; the signature is that of
``datasketch.MinHash(num_perm, seed, scheme="affine32")`` over these hashes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samestory.config import Config
from samestory.kernels.minhash import WIDTH
from samestory.kernels.sketch import sketch_batch
from samestory.normalise import FoldedTexts
from samestory.params import Banding, permutations
from samestory.spill import BandKeys


@dataclass(frozen=True)
class Sketches:
    """What is kept of each article of a batch of n.

    Attributes
    ----------
    band_keys : uint64 array of shape (bands, n)
    text_keys : uint64 array of shape (n,)
        The same for equal folded texts.
    n_shingles : int32 array of shape (n,)
        Distinct shingles.
    n_units : int32 array of shape (n,)
        Words or characters.
    filed : BandKeys, optional
        The band keys where they are not in memory; `band_keys` then has none.
    """

    band_keys: NDArray[np.uint64]
    text_keys: NDArray[np.uint64]
    n_shingles: NDArray[np.int32]
    n_units: NDArray[np.int32]
    filed: BandKeys | None = None

    @property
    def n_bands(self) -> int:
        """Bands."""
        return len(self.band_keys)

    def parts_of_band(self, band: int) -> Iterator[tuple[int, NDArray[np.uint64]]]:
        """Yield the keys of one band, in runs, each with the number of its first article."""
        if self.filed is None:
            yield 0, self.band_keys[band]
        else:
            yield from self.filed.parts(band)

    def band_keys_of(self, docs: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return the band keys of some articles, of shape (bands, m)."""
        return np.take(self.band_keys, docs, axis=1) if self.filed is None else self.filed.of(docs)

    def replace(self, docs: NDArray[np.int64], others: Sketches) -> None:
        """Put the sketches of some articles, in ascending order, in the place of their old ones."""
        if self.filed is None:
            self.band_keys[:, docs] = others.band_keys
        else:
            self.filed.replace(docs, others.band_keys)
        self.text_keys[docs] = others.text_keys
        self.n_shingles[docs] = others.n_shingles
        self.n_units[docs] = others.n_units


def sketch(folded: FoldedTexts, config: Config, banding: Banding) -> Sketches:
    """Compute band keys and counts; only the permutations that the bands use are applied."""
    used = banding.bands * banding.rows_per_band
    factors, addends = _padded_permutations(config.num_perm, config.seed, used)
    _, band_keys, text_keys, n_shingles, n_units = sketch_batch(
        folded.data,
        folded.offsets,
        config.shingle_unit == "char",
        config.shingle_size,
        factors,
        addends,
        0,
        banding.bands,
        banding.rows_per_band,
        False,
    )
    return Sketches(band_keys, text_keys, n_shingles, n_units)


def sign(folded: FoldedTexts, config: Config) -> NDArray[np.uint32]:
    """Return the signatures, of shape (n, num_perm); an empty text's is all ones."""
    factors, addends = _padded_permutations(config.num_perm, config.seed, config.num_perm)
    signatures, *_ = sketch_batch(
        folded.data,
        folded.offsets,
        config.shingle_unit == "char",
        config.shingle_size,
        factors,
        addends,
        config.num_perm,
        0,
        1,
        True,
    )
    return np.asarray(signatures)


@functools.lru_cache(maxsize=8)
def _padded_permutations(
    num_perm: int, seed: int, used: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the first permutations, and idle ones up to the width that the kernel works in."""
    idle = -used % WIDTH
    factors, addends = permutations(num_perm, seed)
    return np.pad(factors[:used], (0, idle)), np.pad(addends[:used], (0, idle))
