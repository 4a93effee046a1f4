"""What makes a short-lived process start and end quickly."""

from __future__ import annotations

import atexit
import gc
import os
import sys


def lighten_startup() -> None:
    """Spare this process work that it has no use for; only the command line may, not the library.

    Numba imports SciPy where it finds it, for linear algebra that no kernel
    here uses, and loading it creates objects by the hundred thousand that the
    garbage collector would go through again and again, a last time at the end.
    """
    # Arrow's allocator gives memory back between batches, and asking for it again costs more
    # than the batch; it reads this when it is loaded.
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "-1")
    gc.disable()
    atexit.register(gc.freeze)
    if "scipy" not in sys.modules:
        sys.modules["scipy"] = None  # type: ignore[assignment]
