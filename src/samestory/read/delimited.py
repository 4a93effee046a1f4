"""CSV and TSV: PyArrow's parser, with quoted line breaks, rows of any length and broken rows named."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from samestory.errors import InputError
from samestory.read.chunk import RAW_LIMIT, Broken, Chunk, RowNumbers, Wanted, numbered
from samestory.read.files import Part, reading

_BLOCK_BYTES: Final = 4 << 20
_LARGEST_BLOCK_BYTES: Final = 1 << 30
_HEAD_BYTES: Final = 64 << 10
_DELIMITERS: Final = {"csv": ",", "tsv": "\t"}


class DelimitedReader:
    """Rows of one CSV or TSV file, all columns as strings; row 1 is the one after the header.

    Parameters
    ----------
    part : Part
    """

    def __init__(self, part: Part) -> None:
        self.name = part.name
        self.n_bytes = part.n_bytes
        self._part = part
        self._kind = part.format.upper()
        self._delimiter = _DELIMITERS[part.format]
        self._header: list[str] | None = None

    def count_rows(self) -> int | None:
        """Rows: only reading all of them tells."""
        return None

    def place(self, row: int) -> tuple[str, int]:
        """File and row by which a user finds a row."""
        return self.name, row

    def fields(self) -> pa.Schema | None:
        """The header's columns."""
        names = self._names()
        return pa.schema([(name, pa.string()) for name in names]) if names else None

    def chunks(self, wanted: Wanted | None) -> Iterator[Chunk]:
        """The rows in order; only the wanted columns are converted."""
        if not self._names():
            return
        block_bytes = _BLOCK_BYTES
        done = 0
        while True:
            try:
                for chunk in self._pass(wanted, block_bytes):
                    fresh = _after(chunk, done)
                    if fresh is not None:
                        yield fresh
                    done = max([done, *chunk.rows[-1:].tolist(), *(item.row for item in chunk.broken)])
                return
            except InputError as error:
                # A row that is longer than a block: read on from there with longer blocks.
                if "straddl" not in error.message or block_bytes >= _LARGEST_BLOCK_BYTES:
                    raise
                block_bytes *= 8

    def _names(self) -> list[str]:
        """Column names, from the first record; empty where there is none."""
        if self._header is None:
            with reading(self.name, self._kind), self._part.open_stream() as stream:
                head = stream.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
            lines = csv.reader(io.StringIO(head.lstrip("\r\n"), newline=""), delimiter=self._delimiter)
            self._header = next(lines, [])
        return self._header

    def _pass(self, wanted: Wanted | None, block_bytes: int) -> Iterator[Chunk]:
        broken: dict[int, Broken] = {}

        def note(row: Any) -> str:
            # The header is a row to the parser.
            number = int(row.number) - 1
            reason = f"{row.actual_columns} fields where the header has {row.expected_columns}"
            broken[number] = Broken(number, reason, row.text[:RAW_LIMIT])
            return "skip"

        with reading(self.name, self._kind), self._part.open_stream() as stream:
            try:
                reader = self._open(stream, wanted, block_bytes, note)
            except pa.ArrowInvalid as error:
                if "Empty CSV file" in str(error):
                    return  # A header and nothing else.
                raise
            next_row = 1
            for batch in reader:
                rows = _numbers(next_row, batch.num_rows, broken)
                if len(rows):
                    next_row = int(rows[-1]) + 1
                yield Chunk(batch, rows, _taken(broken, next_row))
            if broken:
                empty = pa.RecordBatch.from_pylist([], schema=reader.schema)
                yield Chunk(empty, numbered(1, 0), _taken(broken, max(broken) + 1))

    def _open(
        self, stream: pa.NativeFile, wanted: Wanted | None, block_bytes: int, note: Any
    ) -> pc.CSVStreamingReader:
        names = self._names()
        chosen = names if wanted is None else list(dict.fromkeys(wanted.values())) or names[:1]
        return pc.open_csv(
            stream,
            # One thread: only so does the parser say which row is broken.
            read_options=pc.ReadOptions(use_threads=False, block_size=block_bytes),
            parse_options=pc.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=pc.ConvertOptions(
                check_utf8=False,  # It would fail the file for one row; rows are checked later.
                column_types={name: pa.string() for name in chosen},
                include_columns=None if wanted is None else chosen,
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                null_values=[""],
            ),
        )


def _numbers(first: int, count: int, broken: dict[int, Broken]) -> RowNumbers:
    """Numbers of the next `count` rows from `first` on that are not broken."""
    rows = numbered(first, count + len(broken))
    return rows[~np.isin(rows, list(broken))][:count] if broken else rows


def _taken(broken: dict[int, Broken], end: int) -> tuple[Broken, ...]:
    """Remove and return the broken rows before `end`."""
    return tuple(broken.pop(row) for row in sorted(broken) if row < end)


def _after(chunk: Chunk, done: int) -> Chunk | None:
    """The chunk's rows that come after row `done`, None if there are none."""
    skip = int(np.searchsorted(chunk.rows, done, side="right"))
    broken = tuple(item for item in chunk.broken if item.row > done)
    if not skip and len(broken) == len(chunk.broken):
        return chunk
    if skip == len(chunk.rows) and not broken:
        return None
    return Chunk(chunk.batch.slice(skip), chunk.rows[skip:], broken)
