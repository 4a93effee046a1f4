"""Two paths that change places in one step, where the system can do that."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Final

_EXCHANGE: Final = 2
"""RENAME_EXCHANGE of Linux, and RENAME_SWAP of macOS."""
_HERE: Final = -100
"""AT_FDCWD of Linux: relative paths are those of the process."""


def exchange(one: Path, other: Path) -> bool:
    """Let two paths of one file system change places, so that nobody ever finds either missing.

    Returns
    -------
    bool
        Whether it was done; if not, nothing has changed: the system or the file system cannot do it.
    """
    first, second = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None)
        if sys.platform == "darwin":
            return bool(library.renamex_np(first, second, _EXCHANGE) == 0)
        return bool(library.renameat2(_HERE, first, _HERE, second, _EXCHANGE) == 0)
    except (AttributeError, OSError, TypeError):  # no such function, or no such library
        return False
