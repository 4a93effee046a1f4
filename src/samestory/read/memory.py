"""Rows in memory, and streams of rows that can be read once, kept so that they can be read again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from samestory.errors import InputError
from samestory.read import spool as limits
from samestory.read.chunk import Chunk, Wanted, size_of
from samestory.read.columnar import slices
from samestory.read.files import reading
from samestory.read.spool import SpoolFile

# Libraries whose objects hold their rows in memory and hand them out as often as asked.
_RESIDENT: Final = ("pyarrow", "polars", "pandas")


class MemoryReader:
    """Rows of a table, or of a stream that was kept.

    Parameters
    ----------
    schema : pa.Schema
    batches : list of pa.RecordBatch
        The first rows.
    spool : SpoolFile, optional
        The others, as an Arrow stream.
    """

    name = "table"

    def __init__(
        self,
        schema: pa.Schema,
        batches: list[pa.RecordBatch],
        spool: SpoolFile | None = None,
        n_bytes: int = 0,
    ) -> None:
        self.n_bytes = n_bytes or sum(map(size_of, batches))
        self._schema = schema
        self._batches = batches
        self.spool = spool

    def count_rows(self) -> int | None:
        """Rows of a table; of a long stream only reading all of it tells."""
        return None if self.spool is not None else sum(batch.num_rows for batch in self._batches)

    def place(self, row: int) -> tuple[str, int]:
        """The row of the table."""
        return self.name, row

    def fields(self) -> pa.Schema:
        """The table's columns."""
        return self._schema

    def chunks(self, wanted: Wanted | None) -> Iterator[Chunk]:
        """The rows in order, without a copy of what is in memory."""
        names = None if wanted is None else list(dict.fromkeys(wanted.values())) or self._schema.names[:1]
        for chunk in slices(self._all()):
            yield chunk if names is None else Chunk(chunk.batch.select(names), chunk.rows)

    def _all(self) -> Iterator[pa.RecordBatch]:
        yield from self._batches
        if self.spool is not None:
            with reading(self.name, "a spooled stream"):
                yield from pa.ipc.open_stream(self.spool.view())


def read_memory(data: Any, scratch: Path | None) -> MemoryReader:
    """Make a reader of a table, a stream, or whatever exports one.

    Parameters
    ----------
    data : pa.Table, pa.RecordBatch, pa.RecordBatchReader or object with ``__arrow_c_stream__``
    scratch : Path, optional
        Directory for the temporary file of a long stream.
    """
    if isinstance(data, pa.RecordBatch):
        data = pa.Table.from_batches([data])
    resident = type(data).__module__.partition(".")[0] in _RESIDENT and hasattr(data, "__len__")
    if not isinstance(data, pa.Table) and resident:
        data = pa.table(data)
    if isinstance(data, pa.Table):
        return MemoryReader(data.schema, data.to_batches())
    if not isinstance(data, pa.RecordBatchReader):
        data = pa.RecordBatchReader.from_stream(data)
    return _keep(data, scratch)


def _keep(stream: pa.RecordBatchReader, scratch: Path | None) -> MemoryReader:
    """Read a stream to its end; what does not fit in memory goes to a temporary file."""
    kept: list[pa.RecordBatch] = []
    n_bytes = 0
    spool: SpoolFile | None = None
    writer: pa.RecordBatchStreamWriter | None = None
    with reading("table", "a stream of record batches"):
        for batch in stream:
            n_bytes += size_of(batch)
            if n_bytes <= limits.SPOOL_BYTES:
                kept.append(batch)
                continue
            if spool is None or writer is None:
                spool = SpoolFile(scratch)
                writer = pa.ipc.new_stream(pa.PythonFile(spool.file, mode="w"), stream.schema)
            writer.write_batch(batch)
        if writer is not None:
            writer.close()
    return MemoryReader(stream.schema, kept, spool, n_bytes)


def check_memory(data: object) -> bool:
    """Whether `data` is rows, not the name of an input.

    Raises
    ------
    InputError
        It can be neither.
    """
    if hasattr(data, "__arrow_c_stream__"):
        return True
    if isinstance(data, (str, bytes)) or hasattr(data, "__fspath__") or isinstance(data, (list, tuple)):
        return False
    raise InputError(
        f"data is of type {type(data).__name__}, which cannot be read",
        hint="give paths, a pyarrow.Table or RecordBatchReader, or an object with __arrow_c_stream__",
    )
