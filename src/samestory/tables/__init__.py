"""The Unicode table that the normalising kernels read."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class UnicodeTable:
    """What `samestory.tables.build` made: see there for the layout of each array."""

    pages: NDArray[np.uint16]
    entries: NDArray[np.int32]
    hardness: NDArray[np.uint8]
    expansions: NDArray[np.int32]
    dropped: NDArray[np.int32]
    unicode_version: tuple[int, ...]


@functools.cache
def unicode_table() -> UnicodeTable:
    """Return the table that ships with the package, read once."""
    with (
        resources.files("samestory.tables").joinpath("unicode.npz").open("rb") as file,
        np.load(file) as arrays,
    ):
        return UnicodeTable(
            pages=arrays["pages"],
            entries=arrays["entries"],
            hardness=arrays["hardness"],
            expansions=arrays["expansions"],
            dropped=arrays["dropped"],
            unicode_version=tuple(int(part) for part in arrays["unicode_version"]),
        )
