"""Ids, titles, outlets, addresses and dates of all articles: in memory, or in a file."""

from __future__ import annotations

import bisect
import itertools
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory.buffers import string_array, string_buffers
from samestory.pieces import MOST_BYTES, PIECE_ROWS
from samestory.schema import ARTICLE, METADATA_COLUMNS
from samestory.scratch import Scratch, ScratchFile

BLOCK_ROWS: Final = 1 << 14
"""Articles of which the metadata are filed together: some of them are read by reading them all."""
BLOCK_BYTES: Final = 16 << 20
"""Fewer are filed together where they come to as many bytes."""


@dataclass(frozen=True)
class _Block:
    """The metadata of n articles in the file: where each column begins, and its bytes."""

    n: int
    places: dict[str, tuple[int, int]]

    def __len__(self) -> int:
        return self.n


class Ids:
    """The ids of articles, one after the other in memory.

    Attributes
    ----------
    data : uint8 array
    offsets : int64 array of shape (n + 1,)
        Id i is ``data[offsets[i]:offsets[i + 1]]``.
    """

    def __init__(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        self.data = data
        self.offsets = offsets
        self._strings = string_array(self.data, offsets)

    @classmethod
    def joined(cls, pieces: list[tuple[NDArray[np.uint8], NDArray[Any]]]) -> Ids:
        """Put bytes and lengths together, letting go of each piece once it is copied."""
        data = np.empty(sum(len(piece) for piece, _ in pieces), dtype=np.uint8)
        offsets = np.zeros(sum(len(lengths) for _, lengths in pieces) + 1, dtype=np.int64)
        at, row = 0, 1
        pieces.reverse()
        while pieces:
            piece, lengths = pieces.pop()
            data[at : at + len(piece)] = piece
            offsets[row : row + len(lengths)] = lengths
            at, row = at + len(piece), row + len(lengths)
        return cls(data, np.cumsum(offsets, out=offsets))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> str:
        return str(self._strings[row].as_py())

    @property
    def strings(self) -> Any:
        """All of them as an Arrow array of type large_string, without a copy."""
        return self._strings

    def slice(self, begin: int, end: int) -> pa.ChunkedArray:
        """Return those of some rows that follow one another, of type string."""
        return _as_strings(self._strings.slice(begin, end - begin))

    def take(self, rows: NDArray[Any]) -> pa.ChunkedArray:
        """Return those of some rows, in any order, of type string."""
        n_bytes = int((self.offsets[1:][rows] - self.offsets[:-1][rows]).sum())
        if n_bytes > MOST_BYTES and len(rows) > 1:
            half = len(rows) // 2
            return pa.chunked_array([*self.take(rows[:half]).chunks, *self.take(rows[half:]).chunks])
        return pa.chunked_array([self._strings.take(pa.array(rows)).cast(pa.string())], pa.string())

    def find(self, doc_id: str) -> int:
        """Return the first row with an id, or -1."""
        return int(pc.index(self._strings, pa.scalar(doc_id, pa.large_string())).as_py())


class Metadata:
    """What is told of all articles beside their text, in their order.

    Parameters
    ----------
    folder : Path, optional
        Where the file is made: see `samestory.scratch.Scratch`.
    in_memory_bytes : int, optional
        Metadata of more bytes go to a file; by default none do. Ids always stay in memory.
    columns : sequence of str
        Those that are kept beside ``doc_id``, as `samestory.schema.ARTICLE` has them.

    Notes
    -----
    Articles are appended in one thread; after that they may be read in many. The file has no name
    and is gone with this object, however that goes.
    """

    def __init__(
        self,
        folder: Path | None = None,
        in_memory_bytes: int | None = None,
        *,
        columns: Sequence[str] = METADATA_COLUMNS,
    ) -> None:
        self.schema = pa.schema([ARTICLE.field(name) for name in columns])
        self._folder = folder
        self._most = in_memory_bytes
        self._file: ScratchFile | None = None
        self._filed: list[_Block] = []
        self._batches: list[pa.RecordBatch] = []
        self._n_bytes = 0
        self._new_ids: list[tuple[NDArray[np.uint8], NDArray[Any]]] = []
        self._ids: Ids | None = None
        self._layout: tuple[list[int], list[_Block | pa.RecordBatch]] | None = None
        self._lock = threading.Lock()
        self._n = 0

    @classmethod
    def of(cls, table: pa.Table) -> Metadata:
        """Return what a table holds, in memory."""
        metadata = cls(columns=[name for name in table.column_names if name != "doc_id"])
        for batch in table.to_batches():
            metadata.append(batch)
        return metadata

    def __len__(self) -> int:
        return self._n

    @property
    def file_bytes(self) -> int:
        """Bytes that went to the file."""
        return 0 if self._file is None else self._file.n_bytes

    def append(self, batch: pa.RecordBatch) -> None:
        """Add articles at the end."""
        data, offsets = string_buffers(batch["doc_id"])
        lengths = np.diff(offsets).astype(np.int32)
        self._new_ids.append((data[offsets[0] : offsets[-1]].copy(), lengths))
        self._n += len(batch)
        self._layout = None
        kept = batch.select(self.schema.names)
        if len(kept):
            self._batches.append(kept)
            self._n_bytes += kept.nbytes
        if self._most is not None and (self._file is not None or self._n_bytes > self._most):
            self._file_batches()

    def _file_batches(self) -> None:
        """Move whole blocks of what is in memory to the file."""
        if self._file is None:
            scratch = Scratch(self._folder)
            weakref.finalize(self, scratch.close)
            self._file = scratch.file()
        n_waiting = sum(map(len, self._batches))
        if n_waiting < BLOCK_ROWS and self._n_bytes < BLOCK_BYTES:
            return
        waiting = pa.Table.from_batches(self._batches)
        n_rows = min(BLOCK_ROWS, max(1, n_waiting * BLOCK_BYTES // max(1, self._n_bytes)))
        begin = 0
        while begin + n_rows <= n_waiting:
            self._filed.append(_write_block(self._file, waiting.slice(begin, n_rows)))
            begin += n_rows
        rest = waiting.slice(begin).combine_chunks()
        self._batches = rest.to_batches() if len(rest) else []
        self._n_bytes = sum(batch.nbytes for batch in self._batches)

    @property
    def ids(self) -> Ids:
        """The ids of all articles."""
        with self._lock:
            if self._ids is None or len(self._ids) < self._n:
                old = [] if self._ids is None else [(self._ids.data, np.diff(self._ids.offsets))]
                self._ids = Ids.joined(old + self._new_ids)
                self._new_ids = []
            return self._ids

    def slice(self, begin: int, end: int, columns: Sequence[str]) -> pa.Table:
        """Return some columns of articles that follow one another."""
        parts = [self._nothing(columns)]
        for first, block in self._blocks(begin, end):
            low, high = max(begin - first, 0), min(end - first, len(block))
            parts.append(self._read(block, columns).slice(low, high - low))
        return pa.concat_tables(parts)

    def walk(self, columns: Sequence[str], n_rows: int = PIECE_ROWS) -> Iterator[pa.Table]:
        """Yield some columns of all articles, in pieces of so many rows."""
        for begin in range(0, self._n, n_rows):
            yield self.slice(begin, min(begin + n_rows, self._n), columns)

    def take(self, rows: NDArray[Any], columns: Sequence[str]) -> pa.Table:
        """Return some columns of some articles, in any order."""
        if len(rows) > 1 and not (rows[1:] >= rows[:-1]).all():
            order = np.argsort(rows, kind="stable")
            back = np.empty(len(rows), dtype=np.int64)
            back[order] = np.arange(len(rows))
            return self.take(rows[order], columns).take(pa.array(back))
        parts = [self._nothing(columns)]
        if len(rows):
            for first, block in self._blocks(int(rows[0]), int(rows[-1]) + 1):
                low, high = np.searchsorted(rows, (first, first + len(block)))
                if low < high:
                    parts.append(self._read(block, columns).take(pa.array(rows[low:high] - first)))
        return pa.concat_tables(parts)

    def _nothing(self, columns: Sequence[str]) -> pa.Table:
        return pa.schema([self.schema.field(name) for name in columns]).empty_table()

    def _blocks(self, begin: int, end: int) -> Iterator[tuple[int, _Block | pa.RecordBatch]]:
        """Yield the first article and the metadata of each block with articles of some rows."""
        if self._layout is None:
            blocks = [*self._filed, *self._batches]
            self._layout = list(itertools.accumulate(map(len, blocks), initial=0)), blocks
        firsts, blocks = self._layout
        if begin < end:
            low, high = bisect.bisect_right(firsts, begin) - 1, bisect.bisect_left(firsts, end)
            yield from zip(firsts[low:high], blocks[low:high], strict=True)

    def _read(self, block: _Block | pa.RecordBatch, columns: Sequence[str]) -> pa.Table:
        if not isinstance(block, _Block):
            return pa.Table.from_batches([block.select(columns)])
        arrays = [self._read_column(*block.places[name]) for name in columns]
        return pa.Table.from_arrays(arrays, schema=self._nothing(columns).schema)

    def _read_column(self, begin: int, n_bytes: int) -> pa.ChunkedArray:
        if self._file is None:
            raise RuntimeError("no metadata were filed")
        message = np.empty(n_bytes, dtype=np.uint8)
        self._file.read_into(message, begin)
        with pa.ipc.open_stream(pa.py_buffer(message)) as reader:
            return reader.read_all().column(0)


def _write_block(file: ScratchFile, rows: pa.Table) -> _Block:
    places = {}
    for name in rows.column_names:
        sink = pa.BufferOutputStream()
        column = rows.select([name]).combine_chunks()
        with pa.ipc.new_stream(sink, column.schema) as writer:
            writer.write_table(column)
        message = sink.getvalue()
        places[name] = (file.append(message), message.size)
    return _Block(len(rows), places)


def _as_strings(strings: Any) -> pa.ChunkedArray:
    """Return an array of type large_string as one of type string, in parts where it is too long for one."""
    n = len(strings)
    if n > 1 and int(pc.sum(pc.binary_length(strings)).as_py()) > MOST_BYTES:
        parts = (strings.slice(0, n // 2), strings.slice(n // 2))
        return pa.chunked_array([chunk for part in parts for chunk in _as_strings(part).chunks])
    return pa.chunked_array([strings.cast(pa.string())], pa.string())
