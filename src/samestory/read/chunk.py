"""What every format's reader hands over: rows as they stand in the input, and their places."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

MAX_ROWS: Final = 16_384
"""Rows in a batch, at most."""

TARGET_BYTES: Final = 4 << 20
"""Bytes of text in a batch, about; a single bigger article is a batch of its own."""

RAW_LIMIT: Final = 65_536  # Characters of a rejected row that are kept: enough to know it again.
_SHOWN: Final = 60  # Characters of a value that an error message quotes.

Wanted = Mapping[str, str]
"""Name of the input column for each role that is asked for."""

RowNumbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Broken:
    """A row that cannot be used: its 1-based number in its file, why, and what it holds."""

    row: int
    reason: str
    raw: str


@dataclass(frozen=True)
class Reject:
    """A row that was set aside.

    Parameters
    ----------
    file : str
        The input's name, as in `Source.locate`.
    row : int
        1-based row; the line for JSON Lines.
    reason : str
        What is wrong with it.
    raw : str
        The row as it stands in the input (a line) or as a JSON object (a row of columns).
    """

    file: str
    row: int
    reason: str
    raw: str


class RawText(Protocol):
    """Gives the text of the i-th row of a chunk as it stands in the input."""

    def __call__(self, i: int, /) -> str:
        """Return the row."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of one file, in the input's own columns.

    Parameters
    ----------
    batch : pa.RecordBatch
        The rows that could be read.
    rows : ndarray of int64
        The number of each of them in the file, rising.
    broken : tuple of Broken
        Rows before, between or after them that could not be read.
    raw_text : callable, optional
        Text of a row of `batch` as it stands in the input; by default the row as JSON.
    """

    batch: pa.RecordBatch
    rows: RowNumbers
    broken: tuple[Broken, ...] = ()
    raw_text: RawText | None = None

    def raw(self, i: int) -> str:
        """Text of the i-th row, for the record of what was set aside."""
        if self.raw_text is not None:
            return self.raw_text(i)[:RAW_LIMIT]
        return row_as_json(self.batch, i)[:RAW_LIMIT]


class Reader(Protocol):
    """One input in one format."""

    name: str
    n_bytes: int

    def fields(self) -> pa.Schema | None:
        """Columns of the input; None where it is empty and has none."""

    def chunks(self, wanted: Wanted | None) -> Iterator[Chunk]:
        """The rows, with at least the wanted columns; with None all the input's own columns."""

    def count_rows(self) -> int | None:
        """Rows, broken ones too; None where only reading all of them tells."""

    def place(self, row: int) -> tuple[str, int]:
        """File and row by which a user finds a row."""


def size_of(batch: pa.RecordBatch) -> int:
    """Bytes of a batch's rows, about."""
    try:
        return int(batch.nbytes)
    except pa.ArrowTypeError:
        # PyArrow before 18 cannot tell for string views: their whole buffers, then.
        return int(batch.get_total_buffer_size())


def row_as_json(batch: pa.RecordBatch, i: int) -> str:
    """One row of a batch as a JSON object, whatever its columns hold."""
    row = {name: plain_value(batch.column(k)[i]) for k, name in enumerate(batch.schema.names)}
    return json.dumps(row, ensure_ascii=False, default=jsonable)


def plain_value(scalar: pa.Scalar) -> Any:
    """Value of an Arrow scalar; text that is not valid UTF-8 gets replacement characters."""
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        return bytes(error.object).decode("utf-8", "replace")


def jsonable(value: object) -> object:
    """What `json.dumps` writes for a value it doesn't know."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if isoformat is not None else str(value)


def shown(value: str) -> str:
    """A value as an error message quotes it: one line, shortened, control characters escaped."""
    cut = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
    return repr(cut)


def numbered(first: int, count: int) -> RowNumbers:
    """Row numbers `first`, `first + 1` and so on."""
    return np.arange(first, first + count, dtype=np.int64)
