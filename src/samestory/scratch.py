"""Files for what does not fit in memory: nameless, so that nothing is left of them however the run ends.

They are read and written, never mapped: mapped pages count as memory of the process.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

import numpy as np

from samestory.errors import OutputError

SPARE_BYTES: Final = 1 << 30
"""What is left free on the disk."""
_CHECKED_BYTES: Final = 256 << 20
"""The disk is asked for its room again after so many bytes."""


class Scratch:
    """A folder for temporary files.

    Parameters
    ----------
    folder : Path, optional
        By default ``TMPDIR``, else a place on disk rather than one in memory.

    Raises
    ------
    OutputError
        It is no folder, cannot be written, or has no room left.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = default_folder() if folder is None else folder
        self._files: list[ScratchFile] = []
        self._lock = threading.Lock()
        self._unchecked = _CHECKED_BYTES
        self.n_bytes = 0

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def file(self) -> ScratchFile:
        """Return a new, empty file."""
        try:
            file = ScratchFile(self, tempfile.TemporaryFile(dir=self.folder, buffering=0))  # noqa: SIM115
        except OSError as error:
            raise OutputError(
                f"{self.folder}: no temporary file can be made there: {error.strerror or error}",
                hint="name another folder with --scratch",
            ) from error
        self._files.append(file)
        return file

    def check(self) -> None:
        """Raise unless files can be made there.

        Raises
        ------
        OutputError
        """
        self.file().close()

    def require(self, n_bytes: int) -> None:
        """Raise unless there is room for as many bytes more.

        Raises
        ------
        OutputError
        """
        free = self.free_bytes()
        if n_bytes > free:
            raise OutputError(
                f"{self.folder} has room for {max(free, 0) / 1e9:,.1f} GB of temporary files, "
                f"and {n_bytes / 1e9:,.1f} GB are needed",
                hint="name a folder on a larger disk with --scratch, or allow more with --memory",
            )

    def free_bytes(self) -> int:
        """Return how many bytes there is room for."""
        try:
            return shutil.disk_usage(self.folder).free - SPARE_BYTES
        except OSError:
            return 0

    def note(self, n_bytes: int) -> None:
        """Count bytes that are about to be written; now and then ask the disk whether it has room."""
        with self._lock:
            self.n_bytes += n_bytes
            self._unchecked += n_bytes
            is_due = self._unchecked >= _CHECKED_BYTES
            if is_due:
                self._unchecked = 0
        if is_due:
            self.require(n_bytes)

    def close(self) -> None:
        """Close all files; they are gone with that."""
        for file in self._files:
            file.close()
        self._files.clear()


class ScratchFile:
    """One nameless file, which is appended to and read anywhere, from any thread; made by `Scratch.file`."""

    def __init__(self, scratch: Scratch, file: IO[bytes]) -> None:
        self._scratch = scratch
        self._file = file
        self._lock = threading.Lock()
        self.n_bytes = 0

    def append(self, values: Any) -> int:
        """Write an array or a buffer at the end; return the byte it begins at.

        Raises
        ------
        OutputError
            The disk is full.
        """
        view = _bytes_of(values)
        with self._lock:
            begin = self.n_bytes
            self.n_bytes += len(view)
        self._scratch.note(len(view))
        self._write(view, begin)
        return begin

    def overwrite(self, values: Any, begin: int) -> None:
        """Write an array or a buffer over what is there from byte `begin`."""
        self._write(_bytes_of(values), begin)

    def _write(self, view: memoryview, begin: int) -> None:
        done = 0
        try:
            while done < len(view):
                done += os.pwrite(self._file.fileno(), view[done:], begin + done)
        except OSError as error:
            raise OutputError(
                f"{self._scratch.folder}: temporary files cannot be written: {error.strerror or error}",
                hint="name a folder on a larger disk with --scratch, or allow more with --memory",
            ) from error

    def read_into(self, out: Any, begin: int) -> None:
        """Fill an array or a buffer with the bytes from `begin`."""
        view = _bytes_of(out)
        done = 0
        while done < len(view):
            n_read = os.preadv(self._file.fileno(), [view[done:]], begin + done)
            if n_read == 0:
                raise OSError("a temporary file is shorter than it was")
            done += n_read

    def read(self, dtype: Any, begin: int, n: int) -> Any:
        """Return an array of n values from byte `begin`."""
        out = np.empty(n, dtype=dtype)
        self.read_into(out, begin)
        return out

    def clear(self) -> None:
        """Give the file's room back; it stays open, since other threads may be writing to it."""
        with suppress(OSError):
            os.ftruncate(self._file.fileno(), 0)

    def close(self) -> None:
        """Close the file, which gives its room back."""
        with suppress(OSError):
            self._file.close()


def _bytes_of(values: Any) -> memoryview:
    if isinstance(values, np.ndarray):
        return memoryview(np.ascontiguousarray(values).reshape(-1).view(np.uint8))  # type: ignore[arg-type]
    return memoryview(values).cast("B")


def default_folder() -> Path:
    """Return where temporary files go: TMPDIR, else a place on disk rather than one in memory."""
    on_disk = Path("/var/tmp")
    if not os.environ.get("TMPDIR") and os.access(on_disk, os.W_OK):
        return on_disk
    return Path(tempfile.gettempdir())
