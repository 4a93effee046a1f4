"""Keys of folded texts."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.jit import kernel
from samestory.kernels.sketch import text_key


@kernel
def text_keys(text: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the key of each text, the same for equal ones: that which `sketch_batch` gives it."""
    keys = np.empty(len(offsets) - 1, dtype=np.uint64)
    for doc in range(len(keys)):
        keys[doc] = text_key(text, offsets[doc], offsets[doc + 1])
    return keys
