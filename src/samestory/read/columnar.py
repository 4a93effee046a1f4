"""Parquet and Arrow files: columns as they are stored, in batches bounded by bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from samestory.errors import InputError
from samestory.read.chunk import MAX_ROWS, TARGET_BYTES, Chunk, Wanted, numbered, size_of
from samestory.read.files import Part, reading

_BUFFER_BYTES: Final = 4 << 20  # Of a column chunk that is read at once: not all of it.
# The stored size of a dictionary-encoded column says little about its rows, so start small.
_CAUTIOUS_ROWS: Final = 1024
_FILE_MAGIC: Final = b"ARROW1"


class ParquetReader:
    """Rows of one Parquet file.

    Parameters
    ----------
    part : Part
    threads : bool
        Whether columns may be decoded at the same time.
    groups : range, optional
        Row groups to read, by default all; the rows have the numbers that they have in the file.
    """

    def __init__(self, part: Part, *, threads: bool, groups: range | None = None) -> None:
        self.name = part.name
        self.n_bytes = part.n_bytes
        self._part = part
        self._threads = threads
        self._groups = groups

    def count_rows(self) -> int | None:
        """Rows, as the file's footer has them; of one elsewhere that would be a request."""
        if not self._part.is_local:
            return None
        with reading(self.name, "Parquet"), self._open() as file:
            return int(file.metadata.num_rows)

    def place(self, row: int) -> tuple[str, int]:
        """File and row by which a user finds a row."""
        return self.name, row

    def fields(self) -> pa.Schema:
        """The file's columns, then those that its directories tell."""
        with reading(self.name, "Parquet"), self._open() as file:
            schema = file.schema_arrow
        for key, _ in self._partitions(schema):
            schema = schema.append(pa.field(key, pa.string()))
        return schema

    def chunks(self, wanted: Wanted | None) -> Iterator[Chunk]:
        """The rows in order; only the wanted columns are read."""
        with reading(self.name, "Parquet"), self._open() as file:
            stored = file.schema_arrow.names
            names = stored if wanted is None else [name for name in stored if name in set(wanted.values())]
            partitions = self._partitions(file.schema_arrow)
            first = 1
            for group in range(file.metadata.num_row_groups):
                if self._groups is not None and group not in self._groups:
                    first += file.metadata.row_group(group).num_rows
                    continue
                # Without a column a batch has no rows to count: read the cheapest one along.
                for batch in _group_batches(file, group, names or stored[:1], threads=self._threads):
                    whole = _with_partitions(batch, partitions)
                    yield Chunk(whole, numbered(first, batch.num_rows))
                    first += batch.num_rows

    def _open(self) -> pq.ParquetFile:
        if self._part.is_local:
            return pq.ParquetFile(self._part.path, pre_buffer=False, buffer_size=_BUFFER_BYTES)
        file = self._part.open_file()
        return pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER_BYTES)

    def _partitions(self, schema: pa.Schema) -> list[tuple[str, str | None]]:
        return [(key, value) for key, value in self._part.partitions if key not in schema.names]


def _group_batches(
    file: pq.ParquetFile, group: int, names: list[str], *, threads: bool
) -> Iterator[pa.RecordBatch]:
    """Batches of one row group, fewer rows at a time once its rows turn out to be big."""
    rows = _rows_at_once(file, group, names)
    done = 0
    while True:
        skip = done
        for batch in file.iter_batches(rows, row_groups=[group], columns=names, use_threads=threads):
            if skip >= batch.num_rows:
                skip -= batch.num_rows
                continue
            fresh, skip = batch.slice(skip), 0
            done += fresh.num_rows
            yield fresh
            left = file.metadata.row_group(group).num_rows - done
            if left and rows > 1 and (n_bytes := size_of(batch)) > 4 * TARGET_BYTES:
                rows = max(1, min(rows // 2, TARGET_BYTES * batch.num_rows // n_bytes))
                break  # Read on from here with fewer rows at a time.
        else:
            return


def _rows_at_once(file: pq.ParquetFile, group: int, names: list[str]) -> int:
    """Rows that are about as many bytes as a batch should have, as far as the footer tells."""
    metadata = file.metadata.row_group(group)
    n_bytes = 0
    dictionary = False
    for i in range(metadata.num_columns):
        column = metadata.column(i)
        if column.path_in_schema.partition(".")[0] in names:
            n_bytes += column.total_uncompressed_size
            dictionary = dictionary or column.has_dictionary_page
    per_row = max(1, n_bytes // max(1, int(metadata.num_rows)))
    limit = _CAUTIOUS_ROWS if dictionary and per_row < TARGET_BYTES // MAX_ROWS else MAX_ROWS
    return max(1, min(limit, TARGET_BYTES // per_row))


def _with_partitions(batch: pa.RecordBatch, partitions: list[tuple[str, str | None]]) -> pa.RecordBatch:
    for key, value in partitions:
        column = pa.repeat(pa.scalar(value, pa.string()), batch.num_rows)
        names = [*batch.schema.names, key]
        batch = pa.RecordBatch.from_arrays([*batch.columns, column], names=names)
    return batch


class ArrowReader:
    """Rows of one Arrow IPC file or stream; a local file is mapped, not read.

    Parameters
    ----------
    part : Part
    """

    def __init__(self, part: Part) -> None:
        self.name = part.name
        self.n_bytes = part.n_bytes
        self._part = part

    def count_rows(self) -> int | None:
        """Rows: only reading all of them tells."""
        return None

    def place(self, row: int) -> tuple[str, int]:
        """File and row by which a user finds a row."""
        return self.name, row

    def fields(self) -> pa.Schema:
        """The file's columns."""
        with reading(self.name, "Arrow"), self._source() as source:
            return self._open(source, None).schema

    def chunks(self, wanted: Wanted | None) -> Iterator[Chunk]:
        """The rows in order; only the wanted columns are decoded."""
        with reading(self.name, "Arrow"), self._source() as source:
            reader = self._open(source, None)
            if wanted is not None:
                names = set(wanted.values())
                chosen = [i for i, name in enumerate(reader.schema.names) if name in names] or [0]
                source.seek(0)
                reader = self._open(source, chosen)
            yield from slices(_ipc_batches(reader))

    def _source(self) -> pa.NativeFile:
        return pa.memory_map(self._part.path) if self._part.is_local else self._part.open_file()

    def _open(
        self, source: pa.NativeFile, chosen: list[int] | None
    ) -> pa.ipc.RecordBatchFileReader | pa.ipc.RecordBatchStreamReader:
        magic = source.read(len(_FILE_MAGIC))
        source.seek(0)
        if magic.startswith(b"FEA1"):
            raise InputError(f"{self.name}: is of Feather version 1", hint="write it again as version 2")
        options = pa.ipc.IpcReadOptions(included_fields=chosen)
        opener = pa.ipc.open_file if magic == _FILE_MAGIC else pa.ipc.open_stream
        return opener(source, options=options)


def _ipc_batches(
    reader: pa.ipc.RecordBatchFileReader | pa.ipc.RecordBatchStreamReader,
) -> Iterator[pa.RecordBatch]:
    if isinstance(reader, pa.ipc.RecordBatchFileReader):
        for i in range(reader.num_record_batches):
            yield reader.get_batch(i)
    else:
        yield from reader


def slices(batches: Iterator[pa.RecordBatch]) -> Iterator[Chunk]:
    """Number the rows of whole batches and cut them, without a copy, into ones of a bounded length."""
    first = 1
    for batch in batches:
        # Decoding a dictionary makes rows bigger than they look.
        encoded = any(pa.types.is_dictionary(field.type) for field in batch.schema)
        step = _CAUTIOUS_ROWS if encoded else MAX_ROWS
        for start in range(0, batch.num_rows, step):
            piece = batch.slice(start, step)
            yield Chunk(piece, numbered(first, piece.num_rows))
            first += piece.num_rows
