"""Folded texts kept from the first pass for verification: in memory, then in a temporary file.

Reading an input again costs as much as reading it the first time; writing what
was folded and reading it back costs a few percent of that. The file has no
name, so nothing is left of it however the process ends. Where there is no room
for it, `complete` turns false and the input is read again after all.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from samestory.errors import OutputError
from samestory.normalise import FoldedTexts, Workspace
from samestory.scratch import Scratch, ScratchFile

MEMORY_BYTES: Final = 256 << 20
"""Folded texts are kept in memory up to this many bytes."""
FILE_BYTES: Final = 32 << 30
"""And in the temporary file up to this many."""
SEEK_BYTES: Final = 8 << 10
"""Reading from another place takes about as long as reading so many bytes on, wanted or not."""
SPARE_BYTES: Final = 1 << 30
"""What is left on the disk for what cannot be read again."""


@dataclass(frozen=True)
class _Filed:
    """Folded texts in the file, from byte `begin`."""

    begin: int
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1


Kept: TypeAlias = FoldedTexts | _Filed
"""A batch that the store keeps."""


class TextStore:
    """Folded texts in batches; batches are kept in any thread and added in their order.

    Parameters
    ----------
    scratch : Scratch, optional
        Where the file goes.
    memory_bytes : int, optional
        Of texts that are kept in memory, `MEMORY_BYTES` at most.
    """

    def __init__(self, scratch: Scratch | None = None, memory_bytes: int | None = None) -> None:
        self._batches: list[Kept] = []
        self._lock = threading.Lock()
        self._most = memory_bytes
        self._memory_bytes = 0
        self._scratch = scratch or Scratch()
        self._file: ScratchFile | None = None
        self.complete = True

    def __enter__(self) -> TextStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def keep(self, batch: FoldedTexts) -> Kept | None:
        """Copy a batch to where it is kept; None where there is no room, now or for one before."""
        most = MEMORY_BYTES if self._most is None else min(self._most, MEMORY_BYTES)
        with self._lock:
            if not self.complete:
                return None
            in_memory = self._memory_bytes + batch.n_bytes <= most
            if in_memory:
                self._memory_bytes += batch.n_bytes
            elif not self._has_room(batch.n_bytes):
                self._give_up()
                return None
        if in_memory:
            return FoldedTexts(batch.data[: batch.n_bytes].copy(), batch.offsets)
        return self._write(batch)

    def _has_room(self, n_bytes: int) -> bool:
        """Whether the disk has room for a batch, beside what cannot be read again."""
        try:
            self._file = self._file or self._scratch.file()
        except OutputError:
            return False
        free = self._scratch.free_bytes() - SPARE_BYTES
        return n_bytes <= free and self._file.n_bytes + n_bytes <= FILE_BYTES

    def _write(self, batch: FoldedTexts) -> Kept | None:
        if self._file is None:
            return None
        try:
            begin = self._file.append(batch.data[: batch.n_bytes])
        except OutputError:
            with self._lock:
                self._give_up()
            return None
        return _Filed(begin, batch.offsets)

    def _give_up(self) -> None:
        """Give the room back; the file stays open, since other threads may be writing to it."""
        self.complete = False
        if self._file is not None:
            self._file.clear()

    def add(self, batch: Kept | None) -> None:
        """Note the next batch."""
        if batch is not None:
            self._batches.append(batch)

    @property
    def is_filed(self) -> bool:
        """Whether there are texts in the file."""
        return self.complete and self._file is not None

    def numbered(self) -> Iterator[tuple[int, Kept]]:
        """Yield each batch with the number of its first text; `load` makes texts of it."""
        first = 0
        for batch in self._batches:
            yield first, batch
            first += len(batch)

    def load(self, batch: Kept, workspace: Workspace | None = None) -> FoldedTexts:
        """Return a batch's texts, read from the file if they are there; safe in any thread.

        With a workspace they last until it is used again.
        """
        if isinstance(batch, FoldedTexts):
            return batch
        if self._file is None:
            raise RuntimeError("the store is closed")
        n_bytes = int(batch.offsets[-1])
        data = (workspace or Workspace()).at_least(n_bytes + 64)
        self._file.read_into(data[:n_bytes], batch.begin)
        return FoldedTexts(data, batch.offsets)

    def load_some(
        self, batch: Kept, selected: NDArray[np.int64], workspace: Workspace | None = None
    ) -> tuple[FoldedTexts, NDArray[np.int64]]:
        """Return texts that hold some of a batch's, and where these are among them.

        Of a batch in the file only the stretches are read in which they stand; `selected` is in order.
        """
        if isinstance(batch, FoldedTexts) or not len(selected):
            return self.load(batch, workspace), selected
        begins, ends = batch.offsets[selected], batch.offsets[selected + 1]
        firsts = np.concatenate([[0], np.flatnonzero(begins[1:] - ends[:-1] > SEEK_BYTES) + 1])
        lasts = np.concatenate([firsts[1:], [len(selected)]]) - 1
        begins, ends = begins[firsts], ends[lasts]
        if (ends - begins + SEEK_BYTES).sum() >= batch.offsets[-1]:
            return self.load(batch, workspace), selected
        if self._file is None:
            raise RuntimeError("the store is closed")
        # Each stretch is of consecutive texts, wanted ones and those between them.
        counts = selected[lasts] + 1 - selected[firsts]
        skipped = selected[firsts] - (np.cumsum(counts) - counts)
        held = np.arange(counts.sum()) + np.repeat(skipped, counts)
        offsets = np.zeros(len(held) + 1, dtype=np.int64)
        np.cumsum(batch.offsets[held + 1] - batch.offsets[held], out=offsets[1:])
        data = (workspace or Workspace()).at_least(int(offsets[-1]) + 64)
        places = np.concatenate([[0], np.cumsum(ends - begins)]).tolist()
        for k, begin in enumerate(begins.tolist()):
            self._file.read_into(data[places[k] : places[k + 1]], batch.begin + begin)
        return FoldedTexts(data, offsets), selected - np.repeat(skipped, lasts + 1 - firsts)

    def close(self) -> None:
        """Let go of everything; the file is gone with it."""
        self._batches.clear()
        if self._file is not None:
            self._file.close()
            self._file = None
