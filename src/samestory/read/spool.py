"""Bytes of a stream that can be read once, kept so that they can be read again and again."""

from __future__ import annotations

import io
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Protocol

import pyarrow as pa
from pyarrow import fs

from samestory.read.files import Part, reading

SPOOL_BYTES: Final = 256 << 20
"""Bytes of a stream that are kept in memory; more go to a temporary file."""

_READ_BYTES: Final = 8 << 20


class Closing(Protocol):
    """Something to close when the input has been read."""

    def close(self) -> None:
        """Close it."""


class SpoolFile:
    """A temporary file without a name that several readers can read, each at its own place.

    Parameters
    ----------
    scratch : Path, optional
        Directory for it; the system's by default.
    """

    def __init__(self, scratch: Path | None) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile(dir=scratch, prefix="samestory-")  # noqa: SIM115
        self._lock = threading.Lock()

    def read_at(self, position: int, size: int) -> bytes:
        """Up to `size` bytes from `position` on."""
        with self._lock:
            self.file.seek(position)
            return self.file.read(size)

    def write_at(self, position: int, data: Any) -> None:
        """Write bytes from `position` on."""
        with self._lock:
            self.file.seek(position)
            self.file.write(data)

    def view(self) -> pa.NativeFile:
        """A reader of the whole file."""
        return pa.PythonFile(io.BufferedReader(_View(self), 1 << 20), mode="r")

    def close(self) -> None:
        """Delete the file."""
        self.file.close()


class _View(io.RawIOBase):
    def __init__(self, spool: SpoolFile) -> None:
        self._spool = spool
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._spool.read_at(self._position, len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


@dataclass(frozen=True)
class SpooledPart(Part):
    """Bytes of standard input, as a part that can be opened again and again.

    Parameters
    ----------
    held : bytes or SpoolFile
        All of them.
    """

    held: bytes | SpoolFile = b""

    def open_stream(self) -> pa.NativeFile:
        """The bytes from the first on."""
        return pa.BufferReader(self.held) if isinstance(self.held, bytes) else self.held.view()


def spool_stdin(kind: str, scratch: Path | None) -> SpooledPart:
    """Read all of standard input, to memory or beyond `SPOOL_BYTES` to a temporary file."""
    stream: IO[bytes] = sys.stdin.buffer
    pieces: list[bytes] = []
    n_bytes = 0
    spool: SpoolFile | None = None
    with reading("standard input", kind):
        while data := stream.read(_READ_BYTES):
            n_bytes += len(data)
            pieces.append(data)
            if n_bytes > SPOOL_BYTES:
                spool = spool or SpoolFile(scratch)
                spool.file.writelines(pieces)
                pieces.clear()
    held = spool if spool is not None else b"".join(pieces)
    return SpooledPart("-", "-", fs.LocalFileSystem(), kind, None, n_bytes, (), held)
