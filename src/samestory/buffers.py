"""The one place that touches the offsets, validity and data buffers of Arrow arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def string_buffers(array: Any) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes and offsets of an Arrow array of strings, without copying the bytes.

    Parameters
    ----------
    array : pyarrow.Array
        Of type string or large_string; a null counts as an empty string.

    Returns
    -------
    data : uint8 array
    offsets : int64 array of shape (len(array) + 1,)
        String i is ``data[offsets[i]:offsets[i + 1]]``.
    """
    n = len(array)
    if n == 0:
        return np.zeros(0, dtype=np.uint8), np.zeros(1, dtype=np.int64)
    if array.null_count:
        array = array.fill_null("")
    width = np.int64 if pa.types.is_large_string(array.type) else np.int32
    _, offset_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=width)[array.offset : array.offset + n + 1]
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer else np.zeros(0, dtype=np.uint8)
    return data, offsets.astype(np.int64, copy=False)


def string_array(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Any:
    """Return an Arrow large_string array over the given bytes and offsets, without copying them."""
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)
