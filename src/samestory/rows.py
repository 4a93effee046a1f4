"""The input's own rows and columns, less those that are not kept, in one file."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from samestory.errors import InputError, OutputError
from samestory.leftovers import SUFFIX, hidden_prefix, remove_left_over
from samestory.progress import Observer, ignore_progress
from samestory.read.addresses import refuse_address
from samestory.read.files import format_of
from samestory.rowwriters import RowWriter, compressed, conform, make_writer, unified

if TYPE_CHECKING:
    from samestory.read import Source

Keep = npt.NDArray[np.bool_]

_WRITABLE: Final = ("parquet", "jsonl", "csv", "tsv", "arrow")
_KNOWN: Final = ".parquet, .jsonl, .ndjson, .csv, .tsv, .arrow, .feather"
_STDOUT: Final = "-"


def check_output(path: Path | str, overwrite: bool) -> None:
    """Make sure, before any work, that a file can be written.

    Parameters
    ----------
    path : Path or str
        The file; ``-`` is standard output.
    overwrite : bool
        Whether it may exist.

    Raises
    ------
    OutputError
        The name tells no format, the directory is missing, or the file exists.
    """
    if str(path) == _STDOUT:
        return
    refuse_address(path)
    path = Path(path)
    if format_of(path.name)[0] not in _WRITABLE:
        raise OutputError(
            f"{path}: the name does not tell a format that can be written",
            hint=f"use one of the endings {_KNOWN}, or - for JSON Lines on standard output",
        )
    if path.is_dir():
        raise OutputError(f"{path}: is a directory", hint="name a file")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no directory {path.parent}", hint="make it first")
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: exists already", hint="use --overwrite to replace it")


def write_kept_rows(
    source: Source,
    keep: Keep,
    path: Path | str,
    *,
    overwrite: bool,
    observer: Observer = ignore_progress,
) -> int:
    """Write the rows that are kept, as they stand in the input, whole or not at all.

    From JSON Lines to JSON Lines the lines are copied byte for byte. Files of different columns
    are put together: what a file lacks is null, and values of types that don't go together are
    written as text.

    Parameters
    ----------
    source : Source
    keep : ndarray of bool
        One for each row of ``source.batches()``.
    path : Path or str
        Its name tells the format; ``-`` is JSON Lines on standard output.
    overwrite : bool
        Whether the file may exist.
    observer : callable, optional
        Told of the rows that are gone through.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    OutputError
        The file cannot be written; nothing of it is left.
    InputError
        The input has not as many rows as `keep`, so it was changed meanwhile.
    """
    check_output(path, overwrite)
    keep = np.asarray(keep, np.bool_)
    if str(path) == _STDOUT:
        n_rows = _write(source, _Counter(keep, observer), sys.stdout.buffer, "jsonl", None)
        sys.stdout.buffer.flush()
        return n_rows
    kind, compression = format_of(Path(path).name)
    path = Path(os.path.realpath(path))
    remove_left_over(path)
    temporary = path.with_name(f"{hidden_prefix(path)}{os.getpid()}{SUFFIX}")
    try:
        with open(temporary, "wb") as file:
            n_rows = _write(source, _Counter(keep, observer), file, str(kind), compression)
            file.flush()
            os.fsync(file.fileno())
        check_output(path, overwrite)
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
        raise
    return n_rows


def _write(source: Source, counter: _Counter, file: IO[bytes], kind: str, compression: str | None) -> int:
    if kind == "jsonl" and source.has_lines:
        return _copy_lines(source, counter, file, compression)
    schema = None if kind == "jsonl" else unified(source.raw_schemas())
    with make_writer(file, kind, compression, schema) as writer:
        for batch in source.raw_batches():
            _write_batch(writer, batch, counter.mask(batch.num_rows), schema)
    return counter.finish()


def _write_batch(writer: RowWriter, batch: pa.RecordBatch, mask: pa.Array, schema: pa.Schema | None) -> None:
    kept = batch.filter(mask)
    if kept.num_rows:
        writer.write(kept if schema is None else conform(kept, schema))


def _copy_lines(source: Source, counter: _Counter, file: IO[bytes], compression: str | None) -> int:
    with compressed(file, compression) as stream:
        for lines in source.raw_lines():
            kept = lines.filter(counter.mask(len(lines)))
            if len(kept):
                # Filtered lines lie one after another: they are written in one piece.
                start, end = np.frombuffer(kept.buffers()[1], np.int64)[
                    [kept.offset, kept.offset + len(kept)]
                ]
                stream.write(memoryview(kept.buffers()[2])[int(start) : int(end)])
    return counter.finish()


class _Counter:
    """Deals out `keep` batch by batch, and sees that it is as long as the input."""

    def __init__(self, keep: Keep, observer: Observer) -> None:
        self._keep = keep
        self._observer = observer
        self._n_seen = 0
        observer("write", 0, len(keep))

    def mask(self, n_rows: int) -> pa.Array:
        start = self._n_seen
        self._n_seen += n_rows
        if self._n_seen > len(self._keep):
            self._fail()
        self._observer("write", self._n_seen, len(self._keep))
        return pa.array(self._keep[start : self._n_seen])

    def finish(self) -> int:
        if self._n_seen != len(self._keep):
            self._fail()
        return int(self._keep.sum())

    def _fail(self) -> None:
        raise InputError(
            f"the input has {'more' if self._n_seen > len(self._keep) else 'fewer'} rows than when it was "
            f"first read ({len(self._keep)})",
            hint="leave the files as they are during a run",
        )
