"""Words that were parted by a hyphen at the end of a line."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.jit import inlined, kernel


@inlined
def _is_letter(byte):  # type: ignore[no-untyped-def]
    return 97 <= (byte | 32) <= 122 or byte >= 128


@inlined
def _rest_of_word(data, begin, end, at):  # type: ignore[no-untyped-def]
    """Return where a word goes on that has a hyphen at `at` and then a new line, or -1.

    It does if a letter stands before the hyphen, and after the new line and
    any spaces a small letter: ``govern-⏎ment``, but not ``Lib-⏎Dem``.
    """
    if at == begin or not _is_letter(data[at - 1]):
        return np.int64(-1)
    i = at + 1
    if i < end and data[i] == 13:
        i += 1
    if i >= end or data[i] != 10:
        return np.int64(-1)
    i += 1
    while i < end and (data[i] == 32 or data[i] == 9):
        i += 1
    if i < end and (97 <= data[i] <= 122 or data[i] >= 128):
        return np.int64(i)
    return np.int64(-1)


@kernel
def count_line_ends(data: NDArray[np.uint8], begin: int, end: int) -> int:
    """Count the hyphens before a new line or a carriage return in ``data[begin:end]``."""
    n = 0
    for i in range(begin, end - 1):
        n += (data[i] == 45) & ((data[i + 1] == 10) | (data[i + 1] == 13))
    return n


@kernel
def join_hyphenated(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], out: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Copy the texts with parted words joined; return where each begins in `out`."""
    out_offsets = np.zeros(len(offsets), dtype=np.int64)
    at = 0
    for doc in range(len(offsets) - 1):
        i = offsets[doc]
        end = offsets[doc + 1]
        while i < end:
            if data[i] == 45:
                rest = _rest_of_word(data, offsets[doc], end, i)
                if rest >= 0:
                    i = rest
                    continue
            out[at] = data[i]
            at += 1
            i += 1
        out_offsets[doc + 1] = at
    return out_offsets
