"""Where `samestory ingest` puts what it finds, batch by batch: standard output, a file, or nowhere."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click
import pyarrow as pa

from samestory import schema
from samestory.errors import OutputError
from samestory.leftovers import SUFFIX, hidden_prefix, remove_left_over
from samestory.read import Reject
from samestory.read.files import format_of
from samestory.rows import check_output
from samestory.rowwriters import make_writer
from samestory.runfiles import REJECTS_FILE
from samestory.write import reject_line, write_rejects

STDOUT = "-"
Put = Callable[[pa.Table], None]


@contextmanager
def open_answers(output: str | None, *, overwrite: bool) -> Iterator[Put]:
    """Give a function that takes the answers of each batch.

    Parameters
    ----------
    output : str, optional
        ``-`` writes JSON Lines, each batch at once; a file is there whole in the end, or not at all;
        with None the answers go nowhere.
    overwrite : bool
        Whether the file may exist.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    if output is None:
        yield _ignore
    elif output == STDOUT:
        with make_writer(sys.stdout.buffer, "jsonl", None, None) as writer:
            yield lambda table: _say(writer, table)
    else:
        check_output(output, overwrite)
        with _whole_file(Path(os.path.realpath(output)), overwrite=overwrite) as file:
            kind, compression = format_of(Path(output).name)
            with make_writer(file, str(kind), compression, schema.ASSIGNED) as writer:
                yield lambda table: _write(writer, table)


def _ignore(table: pa.Table) -> None:
    """Do nothing: no answers are asked for."""


def _write(writer: Any, table: pa.Table) -> None:
    for batch in table.to_batches():
        writer.write(batch)


def _say(writer: Any, table: pa.Table) -> None:
    try:
        _write(writer, table)
        sys.stdout.buffer.flush()
    except OSError as error:
        if error.errno == errno.EPIPE:  # whoever read it has gone: Click ends quietly
            raise
        raise OutputError(f"standard output: cannot be written: {error.strerror or error}") from error


@contextmanager
def _whole_file(path: Path, *, overwrite: bool) -> Iterator[IO[bytes]]:
    """Open a hidden file that takes its place when all is written."""
    remove_left_over(path)
    temporary = path.with_name(f"{hidden_prefix(path)}{os.getpid()}{SUFFIX}")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        check_output(path, overwrite)
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno != errno.EPIPE:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
        raise


class SetAside:
    """Takes rows that are set aside: to a file beside the answers, or at once to standard error.

    Parameters
    ----------
    output : str, optional
        Where the answers go.
    """

    def __init__(self, output: str | None) -> None:
        self._path = None if output in (None, STDOUT) else Path(str(output))
        self._kept: list[Reject] = []
        self.n = 0

    def take(self, rejects: list[Reject]) -> None:
        """Take some more."""
        self.n += len(rejects)
        if self._path is not None:
            self._kept += rejects
            return
        for reject in rejects:  # no file to put a second one beside
            click.echo(reject_line(reject), err=True, nl=False)

    def finish(self) -> None:
        """Write the file, if there is to be one."""
        if self._path is not None:
            path = self._path.with_name(f"{self._path.name}.{REJECTS_FILE}")
            try:
                write_rejects(self._kept, path)
            except OSError as error:
                raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


@contextmanager
def open_metrics(name: str | None) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Give a function that appends an object to a file as a line of JSON; ``-`` is standard error."""
    if name is None:
        yield lambda facts: None
    elif name == STDOUT:
        yield lambda facts: click.echo(json.dumps(facts), err=True)
    else:
        try:
            file = open(name, "a", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            raise OutputError(f"{name}: cannot be written: {error.strerror or error}") from error
        with file:
            yield lambda facts: _append(file, facts)


def _append(file: IO[str], facts: dict[str, Any]) -> None:
    try:
        file.write(json.dumps(facts) + "\n")
        file.flush()
    except OSError as error:
        raise OutputError(f"{file.name}: cannot be written: {error.strerror or error}") from error
