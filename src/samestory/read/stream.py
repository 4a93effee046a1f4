"""Standard input as it comes: JSON Lines in batches, none of which waits for the end of the input."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, Any, Final

import pyarrow as pa
from pyarrow import fs

from samestory.config import Config
from samestory.errors import InputError, SchemaError
from samestory.read.canonical import Converted, convert
from samestory.read.chunk import Chunk, Reject, shown
from samestory.read.columns import Columns, find_columns
from samestory.read.files import reading
from samestory.read.jsonlines import JsonLinesReader
from samestory.read.spool import SpooledPart
from samestory.schema import ARTICLE

NAME: Final = "-"
_READ_BYTES: Final = 1 << 20
_PIECES_AHEAD: Final = 4
_MOST_BYTES: Final = 64 << 20  # A batch of fewer lines than asked for, where they are this long.
_SKIP_HINT: Final = "correct it, or set such rows aside with --on-error skip"


@dataclass(frozen=True)
class Gathered:
    """Some whole lines, and how many lines of the stream came before them."""

    data: bytes
    n_before: int


class LineFeed:
    """Lines of a stream that may pause, in batches; a thread of its own waits for them.

    Parameters
    ----------
    stream : binary file
        Of a pipe, what is there is taken at once.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        # Unbuffered, since a thread that waits with the buffer's lock held would keep Python from ending.
        raw: Any = getattr(stream, "raw", None)
        self._read: Any = raw.read if raw is not None else getattr(stream, "read1", stream.read)
        self._pieces: queue.Queue[bytes | BaseException] = queue.Queue(_PIECES_AHEAD)
        self._held = bytearray()
        self._n_lines = 0
        self._ended = False
        threading.Thread(target=self._fetch, name="samestory-stdin", daemon=True).start()

    def gather(self, most: int, seconds: float) -> Gathered | None:
        """Wait for lines.

        Parameters
        ----------
        most : int
            Lines to return at most, blank ones not counted.
        seconds : float
            Time to wait for more once the first is there.

        Returns
        -------
        Gathered or None
            None at the end of the stream.

        Raises
        ------
        InputError
            It cannot be read.
        """
        n_lines = n_filled = stop = looked_at = 0
        deadline: float | None = None
        while True:
            while n_filled < most and stop < _MOST_BYTES:
                end = self._held.find(b"\n", looked_at) + 1
                if not end:
                    looked_at = len(self._held)
                    break
                n_filled += bool(self._held[stop:end].strip())
                n_lines += 1
                stop = looked_at = end
            if not n_filled and stop:  # nothing but blank lines: they need not be kept
                self._take(stop, n_lines)
                n_lines = stop = 0
                looked_at = len(self._held)
            if n_filled >= most or stop >= _MOST_BYTES:
                return self._take(stop, n_lines)
            if n_filled and deadline is None:
                deadline = time.monotonic() + seconds
            if not self._receive(deadline):
                break
        if not self._ended:
            return self._take(stop, n_lines)
        last = self._take(len(self._held), n_lines + 1)
        return last if last.data.strip() else None

    def _take(self, stop: int, n_lines: int) -> Gathered:
        taken = Gathered(bytes(self._held[:stop]), self._n_lines)
        del self._held[:stop]
        self._n_lines += n_lines
        return taken

    def _receive(self, deadline: float | None) -> bool:
        """Add what comes next; whether anything came before the deadline and the end."""
        if self._ended:
            return False
        try:
            # Never without a limit: on Windows nothing else would let an interrupt through.
            left = 1.0 if deadline is None else max(0.0, deadline - time.monotonic())
            piece = self._pieces.get(timeout=left) if left else self._pieces.get_nowait()
        except queue.Empty:
            return deadline is None
        if isinstance(piece, BaseException):
            with reading("standard input", "JSON Lines"):
                raise piece
        self._ended = not piece
        self._held += piece
        return bool(piece)

    def _fetch(self) -> None:
        try:
            while piece := self._read(_READ_BYTES):
                self._pieces.put(piece)
        except (OSError, ValueError) as error:
            self._pieces.put(error if isinstance(error, OSError) else OSError(str(error)))
        else:
            self._pieces.put(b"")


class ArticleStream:
    """Articles of standard input, batch by batch as they come.

    A column that an earlier batch had keeps its role; others are found when they first appear.

    Parameters
    ----------
    config : Config
        What the columns are, and what is done with broken lines.
    most : int
        Lines in a batch.
    seconds : float
        Time to wait for more lines once the first of a batch is there.

    Attributes
    ----------
    rejects : list of Reject
        Lines set aside; whoever takes them clears the list.
    columns : dict
        The column of each role, as far as it is known.
    """

    def __init__(self, config: Config, most: int, seconds: float) -> None:
        if sys.stdin is None:
            raise InputError("standard input is closed", hint="name a file, or pipe JSON Lines in")
        self.rejects: list[Reject] = []
        self.columns: Columns = {}
        self._n_undated = 0
        self._first_undated = ""
        self._names: dict[str, None] = {}
        self._config = config
        named = (config.title_column, config.source_column, config.url_column, config.date_column)
        self._optional = [column for column in named if column is not None]
        self._limits = (most, seconds)
        self._feed = LineFeed(sys.stdin.buffer)

    @property
    def warnings(self) -> list[str]:
        """What the user should know about the lines read so far."""
        said = [f"no line had the column {name!r}" for name in self._optional if name not in self._names]
        if self._n_undated:
            what = "1 date" if self._n_undated == 1 else f"{self._n_undated} dates"
            said.append(f"{what} could not be understood, taken as undated; first {self._first_undated}")
        return said

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The articles, in batches that are not empty.

        Raises
        ------
        InputError
            A line is broken and ``config.on_error`` is ``"fail"``; it is named by its place in the stream.
        SchemaError
            There is no id, or neither text nor title.
        """
        while (gathered := self._feed.gather(*self._limits)) is not None:
            batch = self._articles(gathered)
            if len(batch) or self.rejects:
                yield batch

    def _articles(self, gathered: Gathered) -> pa.RecordBatch:
        size = len(gathered.data)
        part = SpooledPart(NAME, NAME, fs.LocalFileSystem(), "jsonl", None, size, (), gathered.data)
        reader = JsonLinesReader(part, threads=False)
        fields = reader.fields()
        if fields is not None:
            self._find_columns(fields.names)
        wanted = {role: column for role, column in self.columns.items() if column is not None}
        batches = []
        for chunk in reader.chunks(wanted):
            converted = convert(_moved(chunk, gathered.n_before), wanted, ARTICLE.names, NAME)
            self._judge(converted)
            batches.append(converted.batch)
        table = pa.Table.from_batches(batches, schema=ARTICLE).combine_chunks()
        return table.to_batches()[0] if len(table) else pa.RecordBatch.from_pylist([], schema=ARTICLE)

    def _find_columns(self, names: list[str]) -> None:
        if self._names.keys() >= set(names):
            return
        self._names.update(dict.fromkeys(names))
        # By name alone: whether a value can serve is asked line by line, and so a first line of an
        # odd kind does not decide for those that follow. Nor does one without an optional column.
        known = dict.fromkeys([*self._names, *self._optional])
        fields = pa.schema([(name, pa.string()) for name in known])
        found = find_columns(fields, self._config, NAME)
        self.columns = {role: self.columns.get(role) or column for role, column in found.items()}
        if self.columns["doc_id"] is None:
            raise no_ids(list(self._names))

    def _judge(self, converted: Converted) -> None:
        """Raise the first broken line, or set them all aside; count dates that are none."""
        for item in converted.broken:
            if self._config.on_error == "fail":
                raise InputError(f"{NAME}:{item.row}: {item.reason}: {shown(item.raw)}", hint=_SKIP_HINT)
            self.rejects.append(Reject(NAME, item.row, item.reason, item.raw))
        if converted.undated and not self._n_undated:
            row, value = converted.undated[0]
            self._first_undated = f"{value} at {NAME}:{row}"
        self._n_undated += len(converted.undated)


def _moved(chunk: Chunk, by: int) -> Chunk:
    """The chunk with the line numbers of the whole stream."""
    broken = tuple(replace(item, row=item.row + by) for item in chunk.broken)
    return Chunk(chunk.batch, chunk.rows + by, broken, chunk.raw_text)


def no_ids(names: list[str]) -> SchemaError:
    """Return the error that a stream has no ids: made of places, they would be those of the one before."""
    return SchemaError(
        f"{NAME}: the articles have no ids, by which an index tells them apart "
        f"(the columns are {', '.join(map(repr, names))})",
        hint="name their column with --id-column",
    )
