"""Stage 3: articles that share a band key meet in a bucket.

Indyk and Motwani, "Approximate nearest neighbors", 1998; Broder 1997. A
component holds the articles that are connected through buckets: only inside
one can there be copies, and each pair of it still has to be verified.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.buckets import link_buckets, list_components, pack_keys
from samestory.progress import Observer, each, ignore_progress
from samestory.signature import Sketches
from samestory.spill import BandKeys
from samestory.threads import in_order

_AHEAD: Final = 2
"""Bands that are sorted while one is gone through."""


@dataclass(frozen=True)
class Components:
    """Articles connected through buckets, in groups of two or more.

    Attributes
    ----------
    docs : int64 array
        Numbers of articles, those of one component together and in order.
    offsets : int64 array
        Where each component begins in `docs`, and the end of the last.
    """

    docs: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1


class SketchBook:
    """The sketches of all batches, taken down one after another.

    Parameters
    ----------
    band_keys : BandKeys
        Where the band keys go, empty.
    """

    def __init__(self, band_keys: BandKeys) -> None:
        self._band_keys = band_keys
        self._batches: list[Sketches] = []

    def add(self, batch: Sketches) -> None:
        """Take down those of the next batch."""
        self._band_keys.add(batch.band_keys)
        nothing = np.empty((len(batch.band_keys), 0), dtype=np.uint64)
        self._batches.append(Sketches(nothing, batch.text_keys, batch.n_shingles, batch.n_units))

    def finish(self) -> Sketches:
        """Return those of all articles."""
        batches, bands = self._batches, self._band_keys
        if bands.is_filed:
            filed, in_memory = bands, np.empty((bands.n_bands, 0), dtype=np.uint64)
        else:
            filed, in_memory = None, bands.in_memory()
        return Sketches(
            in_memory,
            np.concatenate([np.zeros(0, np.uint64), *(batch.text_keys for batch in batches)]),
            np.concatenate([np.zeros(0, np.int32), *(batch.n_shingles for batch in batches)]),
            np.concatenate([np.zeros(0, np.int32), *(batch.n_units for batch in batches)]),
            filed,
        )


def concatenate(batches: list[Sketches], bands: int) -> Sketches:
    """Put the sketches of all batches together, band by band."""
    n = sum(len(batch.n_units) for batch in batches)
    band_keys = np.empty((bands, n), dtype=np.uint64)
    for band in range(bands):
        if batches:
            np.concatenate([batch.band_keys[band] for batch in batches], out=band_keys[band])
    return Sketches(
        band_keys,
        np.concatenate([np.zeros(0, np.uint64), *(batch.text_keys for batch in batches)]),
        np.concatenate([np.zeros(0, np.int32), *(batch.n_shingles for batch in batches)]),
        np.concatenate([np.zeros(0, np.int32), *(batch.n_units for batch in batches)]),
    )


def find_components(
    sketches: Sketches, executor: Executor, observer: Observer = ignore_progress
) -> Components:
    """Connect the articles that share a key in any band; those without a shingle stay alone."""
    n = len(sketches.n_units)
    index_bits = max(1, (n - 1).bit_length())
    parents = np.arange(n, dtype=np.int32)

    def sort_band(band: int) -> NDArray[np.uint64]:
        packed = np.empty(n, dtype=np.uint64)
        for first, keys in sketches.parts_of_band(band):
            pack_keys(keys, first, index_bits, packed)
        packed.sort()
        return packed

    n_bands = sketches.n_bands
    finished = in_order(executor, sort_band, range(n_bands), _AHEAD)
    for _, packed in each(finished, observer, "band", n_bands):
        link_buckets(packed, index_bits, sketches.n_shingles, parents)
    return Components(*list_components(parents))
