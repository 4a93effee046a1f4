"""Band keys and partitions of fingerprints: in memory, then in scratch, read back a part at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from samestory.scratch import Scratch, ScratchFile

Keys: TypeAlias = NDArray[np.uint64]
_KEY_BYTES: Final = 8


@dataclass(frozen=True)
class _Block:
    """The band keys of one batch in a file: `n` of each band from byte `begin`."""

    begin: int
    n: int

    def place(self, band: int) -> int:
        return self.begin + band * self.n * _KEY_BYTES


class BandKeys:
    """Band keys of a corpus: of the first batches in memory, of the others in a file.

    They are read band by band to find the components; once these are known, `arrange` keeps those of the
    articles in them alone, so that the keys of one component stand together.

    Parameters
    ----------
    n_bands : int
    memory_bytes : int
        Of keys that are kept in memory.
    scratch : Scratch
    """

    def __init__(self, n_bands: int, memory_bytes: int, scratch: Scratch) -> None:
        self.n_bands = n_bands
        self._room = memory_bytes
        self._scratch = scratch
        self._file: ScratchFile | None = None
        self._blocks: list[Keys | _Block] = []
        self._ends: list[int] = []
        self._places: NDArray[np.int32] | None = None
        self._n_arranged = 0

    @property
    def n(self) -> int:
        """Articles."""
        return self._ends[-1] if self._ends else 0

    @property
    def is_filed(self) -> bool:
        """Whether any are in a file."""
        return self._file is not None

    def add(self, block: Keys) -> None:
        """Take down those of the next batch, of shape (bands, m)."""
        self._ends.append(self.n + block.shape[1])
        if self._file is None and block.nbytes <= self._room:
            self._room -= block.nbytes
            self._blocks.append(block)
            return
        if self._file is None:
            self._file = self._scratch.file()
        self._blocks.append(_Block(self._file.append(block), block.shape[1]))

    def in_memory(self) -> Keys:
        """Return all of them as one array, if none are in a file, and let go of them here."""
        out = np.empty((self.n_bands, self.n), dtype=np.uint64)
        for band in range(self.n_bands):
            for first, keys in self.parts(band):
                out[band, first : first + len(keys)] = keys
        self.close()
        return out

    def parts(self, band: int) -> Iterator[tuple[int, Keys]]:
        """Yield the keys of one band, in runs, each with the number of its first article; in any thread."""
        for block, end in zip(self._blocks, self._ends, strict=True):
            if isinstance(block, _Block):
                yield end - block.n, self._read(block.place(band), block.n)
            else:
                yield end - block.shape[1], block[band]

    def replace(self, docs: NDArray[np.int64], others: Keys) -> None:
        """Put the keys of some articles, in ascending order, in the place of their old ones."""
        ends = np.asarray(self._ends)
        for k in np.unique(np.searchsorted(ends, docs, side="right")).tolist():
            first = self._ends[k - 1] if k else 0
            low, high = np.searchsorted(docs, (first, self._ends[k]))
            places = docs[low:high] - first
            block = self._blocks[k]
            if not isinstance(block, _Block):
                block[:, places] = others[:, low:high]
                continue
            keys = self._read(block.begin, self.n_bands * block.n).reshape(self.n_bands, block.n)
            keys[:, places] = others[:, low:high]
            self._held().overwrite(keys, block.begin)

    def arrange(self, docs: NDArray[np.int64]) -> None:
        """Keep the keys of some articles alone, in the given order."""
        file = self._scratch.file()
        order = np.argsort(docs, kind="stable")
        ordered = docs[order]
        bounds = np.searchsorted(ordered, [0, *self._ends])
        for band in range(self.n_bands):
            out = np.empty(len(docs), dtype=np.uint64)
            for k, (first, keys) in enumerate(self.parts(band)):
                low, high = bounds[k], bounds[k + 1]
                out[order[low:high]] = keys[ordered[low:high] - first]
            file.append(out)
        self._places = np.full(self.n, -1, dtype=np.int32)
        self._places[docs] = np.arange(len(docs), dtype=np.int32)
        self._n_arranged = len(docs)
        self._blocks, self._ends = [], []
        self._held().close()
        self._file = file

    def of(self, docs: NDArray[np.int64]) -> Keys:
        """Return the keys of some articles that were arranged, of shape (bands, m); in any thread."""
        if self._places is None:
            raise RuntimeError("the band keys are not arranged")
        places = self._places[docs].astype(np.int64)
        if not len(places):
            return np.empty((self.n_bands, 0), dtype=np.uint64)
        low, high = int(places.min()), int(places.max()) + 1
        out = np.empty((self.n_bands, len(docs)), dtype=np.uint64)
        for band in range(self.n_bands):
            begin = (band * self._n_arranged + low) * _KEY_BYTES
            out[band] = self._read(begin, high - low)[places - low]
        return out

    def close(self) -> None:
        """Let go of everything."""
        self._blocks, self._ends = [], []
        if self._file is not None:
            self._file.close()

    def _held(self) -> ScratchFile:
        if self._file is None:
            raise RuntimeError("the band keys are not in a file")
        return self._file

    def _read(self, begin: int, n: int) -> Keys:
        keys: Keys = self._held().read(np.uint64, begin, n)
        return keys


@dataclass(frozen=True)
class _Filed:
    begin: int
    n: int


class Partitions:
    """Partitions of whole numbers, as a list of arrays has them: the first in memory, the others in a file.

    Each is used by one thread at a time. A partition may be put back changed if it has grown no longer.

    Parameters
    ----------
    n : int
        Partitions, empty at first.
    memory_bytes : int, optional
        Of those kept in memory; None for all.
    scratch : Scratch, optional
    """

    def __init__(self, n: int, memory_bytes: int | None = None, scratch: Scratch | None = None) -> None:
        self._items: list[Keys | _Filed] = [np.zeros(0, dtype=np.uint64) for _ in range(n)]
        self._room = memory_bytes
        self._scratch = scratch
        self._file: ScratchFile | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, p: int) -> Keys:
        item = self._items[p]
        if not isinstance(item, _Filed):
            return item
        if self._file is None:
            raise RuntimeError("the partitions are closed")
        values: Keys = self._file.read(np.uint64, item.begin, item.n)
        return values

    def __iter__(self) -> Iterator[Keys]:
        for p in range(len(self)):
            yield self[p]

    def __setitem__(self, p: int, values: Keys) -> None:
        item = self._items[p]
        if isinstance(item, _Filed) and self._file is not None and len(values) <= item.n:
            self._file.overwrite(values, item.begin)
            self._items[p] = _Filed(item.begin, len(values))
            return
        with self._lock:
            file = self._file_for(values.nbytes - (0 if isinstance(item, _Filed) else item.nbytes))
        self._items[p] = values if file is None else _Filed(file.append(values), len(values))

    def _file_for(self, n_bytes: int) -> ScratchFile | None:
        """Return the file, or None where as many bytes more fit in memory."""
        if self._room is None or self._scratch is None:
            return None
        if n_bytes <= self._room:
            self._room -= n_bytes
            return None
        if self._file is None:
            self._file = self._scratch.file()
        return self._file

    def close(self) -> None:
        """Let go of everything."""
        self._items = []
        if self._file is not None:
            self._file.close()
