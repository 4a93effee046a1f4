"""From the input's own columns to the article schema, a batch at a time, without a loop over rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from samestory.read.chunk import Broken, Chunk, RowNumbers, Wanted, shown
from samestory.read.dates import to_timestamps
from samestory.read.files import reading
from samestory.read.utf8 import invalid_rows
from samestory.schema import ARTICLE

# Made once: making a scalar costs more than comparing a thousand values with it.
_ZERO: Final = pa.scalar(0, pa.int32())
_TRUE: Final = pa.scalar(True)


@dataclass(frozen=True)
class Converted:
    """Rows of a chunk in the article schema.

    Parameters
    ----------
    batch : pa.RecordBatch
        The good rows, in the columns asked for.
    rows : ndarray of int64
        Their numbers in the file.
    broken : list of Broken
        The others, in order.
    undated : list of (int, str)
        Number of each good row whose date could not be understood, and what it says.
    """

    batch: pa.RecordBatch
    rows: RowNumbers
    broken: list[Broken]
    undated: list[tuple[int, str]]


def convert(chunk: Chunk, wanted: Wanted, names: Sequence[str], file: str) -> Converted:
    """Convert a chunk of one file.

    Parameters
    ----------
    chunk : Chunk
        Rows in the input's columns.
    wanted : mapping
        The input's column for each role; a role that it lacks is null, or the place for the id.
    names : sequence of str
        Columns of the article schema to give.
    file : str
        The file's name, of which ids are made where it has none.
    """
    n = chunk.batch.num_rows
    arrays: list[pa.Array] = []
    faults: dict[int, str] = {}
    undated: npt.NDArray[np.int64] = np.empty(0, np.int64)
    for name in names:
        kind = ARTICLE.field(name).type
        column = chunk.batch.column(wanted[name]) if name in wanted else None
        if column is None:
            array = _places(file, chunk.rows) if name == "doc_id" else pa.nulls(n, kind)
        elif name == "published_at":
            array, undated = _dates(column, faults, file)
        else:
            array = to_strings(column, kind)
            _note_invalid(array, wanted[name], faults, file)
            if name == "doc_id":
                _note_missing(array, wanted[name], faults)
        arrays.append(array)
    schema = pa.schema([ARTICLE.field(name) for name in names])
    late = [(int(i), _quoted(chunk.batch.column(wanted["published_at"])[int(i)])) for i in undated]
    return _without(chunk, pa.RecordBatch.from_arrays(arrays, schema=schema), faults, late)


def _without(
    chunk: Chunk, batch: pa.RecordBatch, faults: dict[int, str], undated: list[tuple[int, str]]
) -> Converted:
    """Leave out the rows at fault, and put numbers to rows."""
    rows = chunk.rows
    broken = list(chunk.broken)
    late = [(int(rows[i]), value) for i, value in undated if i not in faults]
    if faults:
        broken += [Broken(int(rows[i]), reason, chunk.raw(i)) for i, reason in faults.items()]
        keep = np.ones(len(rows), np.bool_)
        keep[list(faults)] = False
        batch, rows = batch.filter(pa.array(keep)), rows[keep]
    broken.sort(key=lambda item: item.row)
    return Converted(batch, rows, broken, late)


def to_strings(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Values as strings of one of the two ordinary layouts; text itself is not copied where it fits."""
    if values.type == kind:
        return values
    if types.is_dictionary(values.type):
        values = values.dictionary_decode()
    try:
        return values.cast(kind)
    except pa.ArrowNotImplementedError:
        # PyArrow before 18 cannot cast string views.
        return pa.array(values.to_pylist(), kind)


def _note_invalid(values: pa.Array, column: str, faults: dict[int, str], file: str) -> None:
    with reading(file, f"text (column {column!r})"):
        invalid = invalid_rows(values)
    for i in invalid:
        faults.setdefault(i, f"column {column!r} is not valid UTF-8")


def _note_missing(ids: pa.Array, column: str, faults: dict[int, str]) -> None:
    missing = pc.fill_null(pc.equal(pc.binary_length(ids), _ZERO), _TRUE)
    if missing.true_count:
        for i in np.flatnonzero(missing.to_numpy(zero_copy_only=False)):
            kind = "empty" if ids[int(i)].is_valid else "null"
            faults.setdefault(int(i), f"the id (column {column!r}) is {kind}")


def _dates(column: pa.Array, faults: dict[int, str], file: str) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    if types.is_string(column.type) or types.is_large_string(column.type):
        invalid = invalid_rows(column)
        for i in invalid:
            faults.setdefault(i, "the date is not valid UTF-8")
        if invalid:
            column = pc.if_else(pa.array(np.isin(np.arange(len(column)), invalid)), None, column)
    elif types.is_dictionary(column.type) or types.is_string_view(column.type):
        return _dates(to_strings(column, pa.large_string()), faults, file)
    return to_timestamps(column)


def _places(file: str, rows: RowNumbers) -> pa.Array:
    numbers = pa.array(rows).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar(file), numbers, ":")


def _quoted(value: pa.Scalar) -> str:
    return shown(str(value.as_py()))
