"""How every kernel is compiled, and where the compiled code is kept."""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def _choose_cache() -> str | None:
    """Give Numba a folder that can be written, where none of its own can be.

    Numba keeps compiled code in NUMBA_CACHE_DIR, beside the source or in the
    user's cache folder; in a container with none of them it refuses to cache.

    Returns
    -------
    str or None
        NUMBA_CACHE_DIR as the user has set it.
    """
    given = os.environ.get("NUMBA_CACHE_DIR")
    home_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folders = [Path(__file__).parent, home_cache, *([Path(given)] if given else [])]
    if not any(_is_writable(folder) for folder in folders):
        user = os.getuid() if hasattr(os, "getuid") else "user"
        os.environ["NUMBA_CACHE_DIR"] = str(Path(tempfile.gettempdir()) / f"samestory-numba-{user}")
    return given


def _is_writable(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK)


_GIVEN_CACHE: Final = _choose_cache()

# Numba reads NUMBA_CACHE_DIR when it is imported.
import numba  # noqa: E402
from numba.core.caching import FunctionCache, IndexDataCacheFile, UserProvidedCacheLocator  # noqa: E402
from numba.core.dispatcher import Dispatcher  # noqa: E402
from numba.core.runtime import rtsys  # noqa: E402

_OPTIONS: Final[dict[str, Any]] = {"nogil": True, "boundscheck": False, "error_model": "numpy"}


class _Cache(FunctionCache):  # type: ignore[misc, unused-ignore]
    """Numba's cache on disk, looking at all the kernels' sources and loading without ceremony.

    Numba would look for changes in the kernel's own file only, not in those it
    calls: those of its own folder and of this one. It would not load what was
    compiled ahead into a folder that this process may only read, as in a
    container. And before it loads compiled code it makes ready to compile, a
    quarter of a second of work in each process; of that, machine code needs
    the runtime alone.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        source = function.__code__.co_filename
        folders = [str(Path(source).parent / "__pycache__")]
        if _GIVEN_CACHE:
            subfolder = UserProvidedCacheLocator.get_suitable_cache_subpath(source)
            folders.insert(0, str(Path(_GIVEN_CACHE) / subfolder))
        # The folder that can be written first, then those where code may have been put ahead.
        self._files = [
            IndexDataCacheFile(folder, self._impl.filename_base, _source_stamp(Path(source).parent))
            for folder in dict.fromkeys([self.cache_path, *folders])
        ]
        self._cache_file = self._files[0]

    def load_overload(self, signature: Any, context: Any) -> Any:
        rtsys.initialize(context)
        key = self._index_key(signature, context.codegen())
        for file in self._files:
            with suppress(OSError):
                data = file.load(key)
                if data is not None:
                    return self._impl.rebuild(context, data)
        return None

    def save_overload(self, signature: Any, data: Any) -> None:
        with suppress(OSError):  # no room, say: compiled again next time
            super().save_overload(signature, data)


def kernel(function: F) -> F:
    """Compile a function for calls from Python, without the GIL, cached on disk."""
    compiled = numba.njit(**_OPTIONS)(function)
    if isinstance(compiled, Dispatcher):  # not where NUMBA_DISABLE_JIT is set
        compiled._cache = _Cache(function)  # type: ignore[attr-defined, unused-ignore]
    return compiled  # type: ignore[no-any-return]


@functools.cache
def _source_stamp(folder: Path) -> str:
    digest = hashlib.sha256()
    shared = Path(__file__).parent
    for path in sorted({*shared.glob("*.py"), *folder.glob("*.py")}):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def inlined(function: F) -> F:
    """Compile a function that only kernels call, always inlined into them."""
    return numba.njit(**_OPTIONS, forceinline=True)(function)  # type: ignore[no-any-return]


def called(function: F) -> F:
    """Compile a function that only kernels call, on a path too rare to be inlined."""
    return numba.njit(**_OPTIONS, no_cpython_wrapper=True)(function)  # type: ignore[no-any-return]
