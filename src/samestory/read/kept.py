"""Rows that are dear to make, kept for later passes: in memory, then in a temporary file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from samestory.read.chunk import Broken, Chunk, RowNumbers
from samestory.read.spool import SpoolFile

MEMORY_BYTES: Final = 64 << 20
"""Rows are kept in memory up to this many bytes."""


@dataclass(frozen=True)
class _Filed:
    """A batch in the file."""

    begin: int
    n_bytes: int


@dataclass(frozen=True)
class _Kept:
    batch: pa.RecordBatch | _Filed
    rows: RowNumbers
    broken: tuple[Broken, ...]


class KeptRows:
    """Chunks of one input, in order."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._chunks: list[_Kept] = []

    def add(self, chunk: Chunk) -> None:
        """Append a chunk.

        Raises
        ------
        OSError
            There is no room on the disk.
        """
        self._chunks.append(_Kept(self._keeper.keep(chunk.batch), chunk.rows, chunk.broken))

    def chunks(self) -> Iterator[Chunk]:
        """The chunks as they were added."""
        for kept in self._chunks:
            yield Chunk(self._keeper.load(kept.batch), kept.rows, kept.broken)


class Keeper:
    """Keeps the batches of any number of inputs.

    Parameters
    ----------
    scratch : Path, optional
        Directory for the temporary file.
    """

    def __init__(self, scratch: Path | None) -> None:
        self._scratch = scratch
        self._n_bytes = 0
        self._file_bytes = 0
        self._spool: SpoolFile | None = None
        self._lock = threading.Lock()

    def keep(self, batch: pa.RecordBatch) -> pa.RecordBatch | _Filed:
        """Keep a batch."""
        with self._lock:
            self._n_bytes += batch.nbytes
            if self._n_bytes <= MEMORY_BYTES:
                return batch
            self._spool = self._spool or SpoolFile(self._scratch)
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, batch.schema) as writer:
                writer.write_batch(batch)
            data = sink.getvalue()
            begin = self._file_bytes
            self._spool.write_at(begin, data)
            self._file_bytes += data.size
            return _Filed(begin, data.size)

    def load(self, kept: pa.RecordBatch | _Filed) -> pa.RecordBatch:
        """Return a batch that was kept."""
        if not isinstance(kept, _Filed):
            return kept
        if self._spool is None:
            raise OSError("what was kept is closed")
        data = self._spool.read_at(kept.begin, kept.n_bytes)
        with pa.ipc.open_stream(data) as reader:
            return reader.read_next_batch()

    def close(self) -> None:
        """Delete the temporary file."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None
