"""Batches of about the same number of bytes, however the input was cut."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from samestory.read.chunk import MAX_ROWS, TARGET_BYTES, RowNumbers

# Batches under this many bytes are put together: each batch has a cost of its own downstream.
_SMALL_BYTES = 256 << 10
_SMALL_ROWS = 1024


def bounded(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Cut big batches, without a copy, and put small ones together."""
    small: list[pa.RecordBatch] = []
    n_bytes = n_rows = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        size = batch.nbytes
        is_small = size < _SMALL_BYTES and batch.num_rows < _SMALL_ROWS
        if small and not (
            is_small and n_bytes + size <= TARGET_BYTES and n_rows + batch.num_rows <= MAX_ROWS
        ):
            yield _joined(small)
            small, n_bytes, n_rows = [], 0, 0
        if is_small:
            small.append(batch)
            n_bytes += size
            n_rows += batch.num_rows
        else:
            yield from _pieces(batch)
    if small:
        yield _joined(small)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    joined: pa.RecordBatch = pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
    return joined


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Slices of a batch of at most `MAX_ROWS` rows and about `TARGET_BYTES` bytes of text."""
    ends = _text_ends(batch)
    start = 0
    while start < batch.num_rows:
        stop = min(start + MAX_ROWS, batch.num_rows)
        if ends is not None:
            before = int(ends[start - 1]) if start else 0
            fits = int(np.searchsorted(ends, before + TARGET_BYTES * 5 // 4, side="right"))
            if fits < batch.num_rows:
                # Not a little over the target, so not all in one: then cut at the target.
                fits = int(np.searchsorted(ends, before + TARGET_BYTES, side="right"))
            stop = min(stop, max(fits, start + 1))
        yield batch.slice(start, stop - start)
        start = stop


def _text_ends(batch: pa.RecordBatch) -> RowNumbers | None:
    """Bytes of text up to the end of each row."""
    if "text" not in batch.schema.names:
        return None
    text = batch.column("text")
    offsets = text.buffers()[1]
    if offsets is None:
        return None
    ends: RowNumbers = np.frombuffer(offsets, np.int64)[text.offset : text.offset + len(text) + 1]
    return np.asarray(ends[1:] - ends[0], np.int64)
