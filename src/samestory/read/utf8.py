"""Whether text is valid UTF-8: PyArrow hands on what files hold without a look."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types

from samestory.kernels.utf8 import find_faults

_PREFIX_BYTES: Final = 1 << 16
_SHORT_BYTES: Final = 64


def invalid_rows(values: pa.Array) -> list[int]:
    """Which strings of an array are not valid UTF-8.

    Parameters
    ----------
    values : pa.StringArray or pa.LargeStringArray

    Returns
    -------
    list of int
        Their indices, rising.

    Raises
    ------
    pa.ArrowInvalid
        The array's layout itself is damaged.
    """
    if not len(values):
        return []
    ends, text = _layout(values)
    if _all_valid(ends, text):
        return []
    try:
        # Much slower, but it knows what null rows may hold.
        values.validate(full=True)
    except pa.ArrowInvalid:
        kind = pa.large_binary() if types.is_large_string(values.type) else pa.binary()
        return [i for i, value in enumerate(values.cast(kind).to_pylist()) if not _decodes(value)]
    return []


def _decodes(value: bytes | None) -> bool:
    try:
        return value is None or value.decode() is not None
    except UnicodeDecodeError:
        return False


def _layout(values: pa.Array) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]:
    """Where the rows begin and the last ends, and the bytes they point to; made sure of first."""
    _, offsets, data = values.buffers()
    width: Any = np.int64 if types.is_large_string(values.type) else np.int32
    ends = np.frombuffer(offsets, width)[values.offset : values.offset + len(values) + 1]
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    if ends[0] < 0 or ends[-1] > text.size or bool((ends[1:] < ends[:-1]).any()):
        raise pa.ArrowInvalid("rows point outside of the text")
    return ends, text


def _all_valid(ends: npt.NDArray[Any], text: npt.NDArray[np.uint8]) -> bool:
    """Whether all bytes from the first row to the last are well formed, each row by itself."""
    within = text[int(ends[0]) : int(ends[-1])]
    if _is_ascii(within):
        return True
    # A character cut in two by the end of a row leaves its second half to begin the next.
    begins = ends[:-1][ends[:-1] < ends[1:]]
    return not bool(((text[begins] & 0xC0) == 0x80).any()) and is_valid(within)


def _is_ascii(text: npt.NDArray[np.uint8]) -> bool:
    """Looks at some text first: most other text shows itself there."""
    signed = text.view(np.int8)
    return all(not part.size or int(part.min()) >= 0 for part in (signed[:_PREFIX_BYTES], signed))


def is_valid(text: npt.NDArray[np.uint8]) -> bool:
    """Whether bytes are valid UTF-8, eight at a time.

    Parameters
    ----------
    text : ndarray of uint8
        Contiguous, of any alignment.
    """
    if text.size < _SHORT_BYTES:
        return _decodes(text.tobytes())
    skipped = -text.ctypes.data % 8
    n_words = (text.size - skipped) // 8
    words = text[skipped : skipped + 8 * n_words].view(np.uint64)
    # What stands before and after the whole words, filled up with zeros, which are characters too.
    head = text[:skipped].tobytes().rjust(8, b"\0")
    tail = text[skipped + 8 * n_words :].tobytes().ljust(8, b"\0")
    begin = np.frombuffer(bytes(8) + head + words[:1].tobytes(), np.uint64)
    end = np.frombuffer(words[-1:].tobytes() + tail + bytes(8), np.uint64)
    return all(not find_faults(part[1:], part[:-1]) for part in (begin, _readonly(words), end))


def _readonly(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The same words as an array of the one kind that the kernel is compiled for."""
    view: npt.NDArray[np.uint64] = words.view()
    view.flags.writeable = False
    return view
