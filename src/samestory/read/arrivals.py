"""Inputs as batches for an index: so many articles each, whatever files and pauses they come in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import pyarrow as pa

from samestory.config import Config
from samestory.errors import InputError
from samestory.read import open_source
from samestory.read.canonical import Converted
from samestory.read.chunk import Chunk, Reject
from samestory.read.source import Source
from samestory.read.stream import NAME, ArticleStream, no_ids
from samestory.schema import ARTICLE


class Arrivals:
    """Articles of any input, in batches; files are read as `Source` does, standard input as it comes.

    An id may come more than once: for an index that is an update.

    Parameters
    ----------
    inputs : sequence of str
        As for `samestory.read.open_source`; ``-`` is JSON Lines on standard input.
    config : Config
        What the columns are, and what is done with broken rows.
    rows : int
        Articles in a batch; fewer in the last, or where standard input pauses.
    seconds : float
        Time to wait for more lines of standard input once the first of a batch is there.

    Attributes
    ----------
    n_rows : int or None
        Rows of the whole input, once it is being read; None where only reading tells.
    """

    def __init__(self, inputs: Sequence[str], config: Config, *, rows: int, seconds: float) -> None:
        if list(inputs).count(NAME) > 1:
            raise InputError("standard input is given more than once", hint="give - only once")
        self.warnings: list[str] = []
        self.n_rows: int | None = None
        self._inputs = inputs
        self._config = config
        self._rows = rows
        self._seconds = seconds
        self._rejects: list[Reject] = []

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The articles in order, in batches of `samestory.schema.ARTICLE`.

        A batch is empty where rows were set aside and nothing else is there.

        Raises
        ------
        InputError
            A file cannot be read, or a row is broken and ``config.on_error`` is ``"fail"``.
        SchemaError
            The columns cannot be used.
        """
        streams = (self._config.format or "jsonl") == "jsonl"
        for is_stdin, group in groupby(self._inputs, key=lambda item: item == NAME):
            yield from self._stream() if is_stdin and streams else self._files(list(group))

    def take_rejects(self) -> list[Reject]:
        """Rows set aside since this was last asked."""
        taken, self._rejects = self._rejects, []
        return taken

    def _stream(self) -> Iterator[pa.RecordBatch]:
        stream = ArticleStream(self._config, self._rows, self._seconds)
        for batch in stream.batches():
            self._rejects += stream.rejects
            stream.rejects.clear()
            yield batch
        self.warnings += stream.warnings

    def _files(self, inputs: list[str]) -> Iterator[pa.RecordBatch]:
        n_taken = 0
        with _Updating.of(open_source(inputs, self._config)) as source:
            if inputs == [NAME] and source.columns["doc_id"] is None:
                raise no_ids([name for name in source.columns.values() if name is not None])
            if len(inputs) == len(self._inputs):
                self.n_rows = source.n_rows
            for batch in _regrouped(source.batches(), self._rows):
                self._rejects += source.rejects[n_taken:]
                n_taken = len(source.rejects)
                yield batch
            if n_taken < len(source.rejects):
                self._rejects += source.rejects[n_taken:]
                yield pa.RecordBatch.from_pylist([], schema=ARTICLE)
            self.warnings += source.warnings


class _Updating(Source):
    """A source whose ids may come again; `Source` itself sets such rows aside with ``skip``."""

    @classmethod
    def of(cls, source: Source) -> _Updating:
        return cls(source._readers, source._config, source.inputs, source._spools)

    def _without_repeated(self, k: int, converted: Converted, survey: object, chunk: Chunk) -> Converted:
        return converted


def _regrouped(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of so many, the last of what is left."""
    held: list[pa.RecordBatch] = []
    n_held = 0
    for batch in batches:
        start = 0
        while n_held + batch.num_rows - start >= rows:
            piece = batch.slice(start, rows - n_held)
            start += piece.num_rows
            yield _joined([*held, piece])
            held, n_held = [], 0
        if start < batch.num_rows:
            held.append(batch.slice(start))
            n_held += batch.num_rows - start
    if held:
        yield _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    joined: pa.RecordBatch = pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
    return joined
