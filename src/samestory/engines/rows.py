"""Schemas of the rows between the stages, and Arrow columns as arrays and back."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.normalise import FoldedTexts

Words: TypeAlias = NDArray[np.uint64]
Ints: TypeAlias = NDArray[np.int64]

_TOLD: Final = [
    pa.field("doc_id", pa.string()),
    pa.field("title", pa.string()),
    pa.field("source", pa.string()),
    pa.field("url", pa.string()),
    pa.field("time", pa.int64()),
]
_SKETCHED: Final = [
    pa.field("text", pa.binary()),
    pa.field("text_key", pa.int64()),
    pa.field("n_shingles", pa.int32()),
    pa.field("n_units", pa.int32()),
    pa.field("bands", pa.binary()),
    pa.field("prints", pa.binary()),
    pa.field("n_removed", pa.int32()),
]
_DOC: Final = pa.field("doc", pa.int64(), nullable=False)

READ: Final = pa.schema(
    [_DOC, *_TOLD, *_SKETCHED, pa.field("host", pa.int64()), pa.field("outlet", pa.int64())]
)
"""Columns of articles as they are read."""
CLEAN: Final = pa.schema([_DOC, *_TOLD, *_SKETCHED])
"""Of articles without furniture."""

VERDICT: Final = pa.schema(
    [
        pa.field("doc", pa.int64()),
        pa.field("other", pa.int64()),
        pa.field("comp", pa.int64()),
        pa.field("seq", pa.int64()),
        pa.field("is_delegate", pa.bool_()),
        pa.field("cluster_size", pa.int32()),
        pa.field("cluster_id", pa.string()),
        pa.field("relation", pa.string()),
        pa.field("jaccard", pa.float32()),
        pa.field("containment", pa.float32()),
        pa.field("back", pa.float32()),
        pa.field("shared", pa.int32()),
        pa.field("id_a", pa.string()),
        pa.field("id_b", pa.string()),
    ]
)
"""What verification says: bundles of these columns are of a `kind`.

`ARTICLE`: of `doc`, whose cluster's founder is `other`; `id_b` is the representative's. `PAIR`: of `doc` and
the later `other`; `containment` of the first in the second, `back` the other way; `seq` in the order in
which the pairs were found.
"""
ARTICLE: Final = 0
PAIR: Final = 1
STORY: Final = 2
"""Of articles: what stories say of them."""


def as_bytes(folded: FoldedTexts) -> pa.Array:
    """Return folded texts as a binary column."""
    begin, end = int(folded.offsets[0]), int(folded.offsets[-1])
    return _binary(folded.data[begin:end], folded.offsets - begin)


def as_words(values: Words, offsets: Ints) -> pa.Array:
    """Return lists of 64-bit words, one after another, as a binary column."""
    return _binary(np.ascontiguousarray(values).view(np.uint8), offsets * 8)


def as_rows(matrix: Words) -> pa.Array:
    """Return the rows of a matrix of 64-bit words as a binary column."""
    n, width = matrix.shape
    return as_words(np.ascontiguousarray(matrix).reshape(-1), np.arange(n + 1, dtype=np.int64) * width)


def _binary(data: NDArray[np.uint8], offsets: Ints) -> pa.Array:
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(data))]
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)


def bytes_of(column: Any) -> FoldedTexts:
    """Return a binary column as texts; the bytes are copied, so that they are free to be changed."""
    n = len(column)
    if n == 0:
        return FoldedTexts(np.zeros(0, np.uint8), np.zeros(1, np.int64))
    _, ends, data = column.buffers()
    width = np.int64 if pa.types.is_large_binary(column.type) else np.int32  # as the session has set it
    offsets = np.frombuffer(ends, dtype=width)[column.offset : column.offset + n + 1].astype(np.int64)
    held = np.frombuffer(data, dtype=np.uint8) if data else np.zeros(0, np.uint8)
    return FoldedTexts(held[offsets[0] : offsets[-1]].copy(), offsets - offsets[0])


def words_of(column: Any) -> tuple[Words, Ints]:
    """Return a column of `as_words` as values and offsets."""
    held = bytes_of(column)
    return held.data.view(np.uint64), held.offsets // 8


def rows_of(column: Any, width: int) -> Words:
    """Return a column of `as_rows` as a matrix."""
    return words_of(column)[0].reshape(len(column), width)


def numbers_of(column: Any, kind: Any) -> NDArray[Any]:
    """Return a column of numbers as an array that is free to be changed."""
    return np.array(column.to_numpy(zero_copy_only=False), dtype=kind)


def keys_of(column: Any) -> Words:
    """Return a column of 64-bit keys, which Spark knows with a sign only."""
    return numbers_of(column, np.int64).view(np.uint64)


def as_keys(keys: Words) -> pa.Array:
    """Return 64-bit keys as a column with a sign."""
    return pa.array(np.ascontiguousarray(keys).view(np.int64))


def rows_from(schema: pa.Schema, n: int, **columns: Any) -> pa.RecordBatch:
    """Return a record batch; what is not given is null."""
    arrays = []
    for field in schema:
        column = columns.pop(field.name, None)
        if column is None:
            arrays.append(pa.nulls(n, field.type))
        elif isinstance(column, np.ndarray):
            arrays.append(pa.array(column, type=field.type))
        else:
            arrays.append(column)
    if columns:
        raise ValueError(f"no such columns: {', '.join(columns)}")
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
