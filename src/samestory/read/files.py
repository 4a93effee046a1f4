"""Opening inputs: names, formats, compression, and errors that say which file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from pyarrow import fs

from samestory.errors import InputError
from samestory.read.troubles import explain

COMPRESSIONS: Final = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
EXTENSIONS: Final = {
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".txt": "txt",
    ".html": "html",
    ".htm": "html",
    ".warc": "warc",
}
# Parquet and Arrow files compress inside, and are read by seeking: not as a compressed stream.
STREAMED: Final = ("jsonl", "csv", "tsv", "txt", "html", "warc")
ONE_ARTICLE: Final = ("txt", "html")
"""Formats of which a file is one article, whose id is the file's name."""

_REMOTE_READ_BYTES: Final = 4 << 20  # Each read from elsewhere is a request.


@dataclass(frozen=True)
class Part:
    """One file of the input.

    Parameters
    ----------
    name : str
        The file as the user would recognise it.
    path : str
        Where it is on its file system.
    filesystem : pyarrow.fs.FileSystem
    format : str
        One of `config.FORMATS`.
    compression : str, optional
    n_bytes : int
        Its size, 0 where unknown.
    partitions : tuple of (str, str or None)
        Columns that its directories tell: ``key=value``.
    """

    name: str
    path: str
    filesystem: fs.FileSystem
    format: str
    compression: str | None = None
    n_bytes: int = 0
    partitions: tuple[tuple[str, str | None], ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether the file can be mapped into memory."""
        return isinstance(self.filesystem, fs.LocalFileSystem)

    def open_stream(self) -> pa.NativeFile:
        """The file's bytes, decompressed, from the first on."""
        return self._open(self.compression)

    def open_raw(self) -> pa.NativeFile:
        """The file's bytes as they are, from the first on."""
        return self._open(None)

    def _open(self, compression: str | None) -> pa.NativeFile:
        at_once = None if self.is_local else _REMOTE_READ_BYTES
        return self.filesystem.open_input_stream(self.path, compression=compression, buffer_size=at_once)

    def open_file(self) -> pa.NativeFile:
        """The file for reading anywhere in it."""
        return self.filesystem.open_input_file(self.path)


def format_of(name: str) -> tuple[str | None, str | None]:
    """Format and compression that a file's name tells, None where it tells none."""
    lowered = name.lower()
    compression = None
    for suffix, codec in COMPRESSIONS.items():
        if lowered.endswith(suffix):
            lowered, compression = lowered[: -len(suffix)], codec
    for extension, kind in EXTENSIONS.items():
        if lowered.endswith(extension):
            return (kind, compression) if compression is None or kind in STREAMED else (None, compression)
    return None, compression


@contextmanager
def reading(name: str, kind: str) -> Iterator[None]:
    """Turn what PyArrow and the system raise into an error that names the input."""
    try:
        yield
    except (pa.ArrowException, OSError, EOFError) as error:
        message, hint = explain(error, kind)
        raise InputError(f"{name}: {message}", hint=hint) from error
