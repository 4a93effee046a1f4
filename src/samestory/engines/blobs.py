"""Arrays as bytes, for rows that carry many numbers, and the partitions to which such rows go."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SENT = pa.string()
"""Type of bytes that go from partition to partition. Spark copies each binary value several times on its
way, and points to strings where they are; it looks into neither. What is kept is binary all the same: of
kept strings Spark keeps the first and the last in their order as well.
"""
BLOB = pa.schema(
    [
        pa.field("slot", pa.int32(), nullable=False),
        pa.field("kind", pa.int32(), nullable=False),
        pa.field("payload", SENT, nullable=False),
    ]
)
"""A row of a blob: where it goes, what it is, and the arrays."""
_WORD = 8


def pack(**arrays: NDArray[Any]) -> bytes:
    """Return arrays of one or two dimensions as bytes, each at a multiple of eight."""
    head = json.dumps([[name, a.dtype.str, list(a.shape)] for name, a in arrays.items()]).encode()
    head += b" " * (-len(head) % _WORD)
    parts = [len(head).to_bytes(_WORD, "little"), head]
    for array in arrays.values():
        data = np.ascontiguousarray(array).tobytes()
        parts += [data, b"\0" * (-len(data) % _WORD)]
    return b"".join(parts)


def unpack(payload: Any) -> dict[str, NDArray[Any]]:
    """Return the arrays of `pack`, as kernels take them: aligned, and free to be changed."""
    view = memoryview(payload)
    begin = _WORD + int.from_bytes(view[:_WORD], "little")
    arrays: dict[str, NDArray[Any]] = {}
    for name, kind, shape in json.loads(bytes(view[_WORD:begin])):
        dtype = np.dtype(kind)
        n_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        data = np.frombuffer(view[begin : begin + n_bytes], dtype=np.uint8).copy()
        arrays[name] = data.view(dtype).reshape(shape)
        begin += n_bytes + -n_bytes % _WORD
    return arrays


def blob_rows(slots: list[int], kind: int, payloads: list[bytes]) -> pa.RecordBatch:
    """Return rows of blobs of one kind."""
    kinds = pa.array(np.full(len(slots), kind, dtype=np.int32))
    columns = [pa.array(slots, pa.int32()), kinds, bytes_column(payloads, SENT)]
    return pa.RecordBatch.from_arrays(columns, schema=BLOB)


def bytes_column(values: list[bytes], kind: pa.DataType) -> pa.Array:
    """Return values as a column, of binary or `SENT`, of large ones faster than PyArrow does."""
    offsets = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    if offsets[-1] > np.iinfo(np.int32).max:
        return pa.array(values, pa.binary())  # which raises, and says why
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(b"".join(values))]
    return pa.Array.from_buffers(kind, len(values), buffers)


def blobs_in(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
    """Yield the kind and the arrays of each row."""
    for batch in batches:
        kinds, payloads = batch.column("kind"), batch.column("payload")
        for k in range(len(batch)):
            yield kinds[k].as_py(), unpack(payloads[k].as_buffer())


def by_slot(slots: NDArray[np.int64], **columns: NDArray[Any]) -> tuple[list[int], list[bytes]]:
    """Return the slots that occur, and for each the values of the columns that go there, packed."""
    order = np.argsort(slots, kind="stable")
    chosen, firsts = np.unique(slots[order], return_index=True)
    parts = np.split(order, firsts[1:]) if len(chosen) else []
    payloads = [pack(**{name: column[part] for name, column in columns.items()}) for part in parts]
    return chosen.tolist(), payloads


@functools.lru_cache(maxsize=8)
def slots_of(n_partitions: int) -> tuple[int, ...]:
    """Return for each partition a number that Spark, partitioning by its hash, puts into that one.

    Numbers from 0 on would leave a third of the partitions empty and put two and three into others.
    A hash that is not Spark's would do no harm but that.
    """
    slots = [-1] * n_partitions
    left, number = n_partitions, 0
    while left:
        p = _spark_hash(number) % n_partitions
        if slots[p] < 0:
            slots[p] = number
            left -= 1
        number += 1
    return tuple(slots)


def _spark_hash(number: int) -> int:
    """Return Spark's hash of a whole number of 32 bits: MurmurHash3 (Appleby), of seed 42."""
    mask = 0xFFFFFFFF

    def turned(x: int, by: int) -> int:
        return ((x << by) | (x >> (32 - by))) & mask

    k = turned(number * 0xCC9E2D51 & mask, 15) * 0x1B873593 & mask
    h = (turned(42 ^ k, 13) * 5 + 0xE6546B64) & mask
    h ^= 4
    h = (h ^ (h >> 16)) * 0x85EBCA6B & mask
    h = (h ^ (h >> 13)) * 0xC2B2AE35 & mask
    h ^= h >> 16
    return h - (1 << 32) if h >> 31 else h
