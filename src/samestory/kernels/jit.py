"""How every kernel is compiled, and where the compiled code is kept."""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def _choose_cache() -> None:
    """Give Numba a folder that can be written, where neither the package's nor the user's can.

    Numba keeps compiled code beside the source or, failing that, in the user's
    cache folder; in a container with neither it refuses to cache at all.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    package = Path(__file__).parent
    home_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if any(_is_writable(folder) for folder in (package, home_cache)):
        return
    user = os.getuid() if hasattr(os, "getuid") else "user"
    os.environ["NUMBA_CACHE_DIR"] = str(Path(tempfile.gettempdir()) / f"samestory-numba-{user}")


def _is_writable(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK)


_choose_cache()

# Numba reads NUMBA_CACHE_DIR when it is imported.
import numba  # noqa: E402
from numba.core.caching import FunctionCache  # noqa: E402
from numba.core.dispatcher import Dispatcher  # noqa: E402
from numba.core.runtime import rtsys  # noqa: E402

_OPTIONS: Final[dict[str, Any]] = {"nogil": True, "boundscheck": False, "error_model": "numpy"}


class _Cache(FunctionCache):  # type: ignore[misc, unused-ignore]
    """Numba's cache on disk, looking at all the kernels' sources and loading without ceremony.

    Numba would look for changes in the kernel's own file only, not in those it
    calls. And before it loads compiled code it makes ready to compile, a
    quarter of a second of work in each process; of that, machine code needs
    the runtime alone.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file._source_stamp = _source_stamp()

    def load_overload(self, signature: Any, context: Any) -> Any:
        rtsys.initialize(context)
        loaded = None
        with self._guard_against_spurious_io_errors():  # which it swallows
            loaded = self._load_overload(signature, context)
        return loaded  # noqa: RET504 - the block above may be left early


def kernel(function: F) -> F:
    """Compile a function for calls from Python, without the GIL, cached on disk."""
    compiled = numba.njit(**_OPTIONS)(function)
    if isinstance(compiled, Dispatcher):  # not where NUMBA_DISABLE_JIT is set
        compiled._cache = _Cache(function)  # type: ignore[attr-defined, unused-ignore]
    return compiled  # type: ignore[no-any-return]


@functools.cache
def _source_stamp() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def inlined(function: F) -> F:
    """Compile a function that only kernels call, always inlined into them."""
    return numba.njit(**_OPTIONS, forceinline=True)(function)  # type: ignore[no-any-return]


def called(function: F) -> F:
    """Compile a function that only kernels call, on a path too rare to be inlined."""
    return numba.njit(**_OPTIONS, no_cpython_wrapper=True)(function)  # type: ignore[no-any-return]
