"""The input as one sequence of articles that can be read more than once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

import numpy as np
import pyarrow as pa

from samestory.config import Config
from samestory.errors import InputError
from samestory.read.ahead import ReadAhead
from samestory.read.bounded import bounded
from samestory.read.canonical import Converted, convert
from samestory.read.chunk import Broken, Chunk, Reader, Reject, RowNumbers, Wanted, shown
from samestory.read.columns import Columns, find_columns
from samestory.read.jsonlines import JsonLinesReader
from samestory.read.pages import PageReader
from samestory.read.places import Places
from samestory.read.spool import Closing
from samestory.read.textfiles import TextFilesReader
from samestory.schema import ARTICLE, ROLES

_AHEAD: Final = 2  # chunks decoded while one is worked on
_MOST_COUNTED: Final = 1000  # files, each of which must be opened for its count
_SKIP_HINT: Final = "correct it, or set such rows aside with --on-error skip"


@dataclass
class _Survey:
    """What one pass over all rows and columns learns."""

    places: Places = field(default_factory=Places)
    rejects: list[Reject] = field(default_factory=list)
    rejected: dict[int, set[int]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    n_undated: int = 0
    first_undated: str = ""
    complete: bool = False


class Source:
    """Articles from any input; made by `open_source`.

    Parameters
    ----------
    readers : sequence of Reader
        Files, or runs of text files, in order.
    config : Config
    inputs : sequence of str
        Names for the record of the run.
    spools : sequence of Closing
        Temporary files to delete and processes to end on closing.
    formats : mapping of str to int, optional
        Files of each format.

    Attributes
    ----------
    columns : dict
        For each role the name of the first file's column, None where it has none.
    inputs : list of str
        What was given, by name.
    n_bytes : int
        Size of the whole input, 0 where it is not known.
    formats : dict of str to int
        Files of each format.
    """

    def __init__(
        self,
        readers: Sequence[Reader],
        config: Config,
        inputs: Sequence[str],
        spools: Sequence[Closing] = (),
        formats: Mapping[str, int] | None = None,
    ) -> None:
        self.inputs = list(inputs)
        self.n_bytes = sum(reader.n_bytes for reader in readers)
        self.formats = dict(formats or {})
        self._readers = readers
        self._spools = spools
        self._threads = config.n_threads > 1
        self._skip = config.on_error == "skip"
        self._config = config
        self._found: dict[int, Columns | None] = {}
        self._survey = _Survey()
        self.columns: Columns = self._first_columns()

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def n_rows(self) -> int | None:
        """Rows of the whole input, broken ones too; None where it would take long to tell."""
        if len(self._readers) > _MOST_COUNTED:
            return None
        n_rows = 0
        for reader in self._readers:
            if (own := reader.count_rows()) is None:
                return None
            n_rows += own
        return n_rows

    def all_columns(self) -> list[Columns]:
        """The distinct columns by role of all files, those of the first one first.

        Raises
        ------
        InputError, SchemaError
            A file cannot be read, or its columns cannot be used.
        """
        found: list[Columns] = []
        for k in range(len(self._readers)):
            columns = self._columns(k)
            if columns is not None and columns not in found:
                found.append(columns)
        return found

    @property
    def rejects(self) -> list[Reject]:
        """Rows set aside so far, in input order; all of them after a full pass."""
        return self._survey.rejects

    @property
    def warnings(self) -> list[str]:
        """What the user should know about the rows read so far."""
        said = self._remarks()
        if count := self._survey.n_undated:
            what = "1 date" if count == 1 else f"{count} dates"
            said.append(
                f"{what} could not be understood, taken as undated; first {self._survey.first_undated}"
            )
        return said

    def _remarks(self) -> list[str]:
        """What is the matter with pages, each with how many and the first."""
        counted: dict[str, tuple[int, str]] = {}
        for k, reader in enumerate(self._readers):
            for remark, rows in reader.remarks.items() if isinstance(reader, PageReader) else ():
                if rows:
                    n_before, first = counted.get(remark, (0, self._place(k, rows[0])))
                    counted[remark] = (n_before + len(rows), first)
        return [
            f"{'1 page' if n == 1 else f'{n:,} pages'} {remark}; first {first}"
            for remark, (n, first) in counted.items()
        ]

    @property
    def skipped(self) -> dict[str, int]:
        """What in the files read so far is no article and was passed over, by kind."""
        counts: Counter[str] = Counter()
        for reader in self._readers:
            if isinstance(reader, PageReader):
                counts += reader.skipped
        return dict(sorted(counts.items()))

    @property
    def has_lines(self) -> bool:
        """Whether the whole input is JSON Lines, so that `raw_lines` gives its lines."""
        return all(isinstance(reader, JsonLinesReader) for reader in self._readers)

    def batches(self, columns: Iterable[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Articles in input order, in batches of about 4 MB of text and at most 16,384 rows.

        Every pass gives the same rows in the same order.

        Parameters
        ----------
        columns : iterable of str, optional
            Only these columns of `schema.ARTICLE` (in its order), so that only they are read.

        Raises
        ------
        InputError
            A file cannot be read, or a row is broken and ``config.on_error`` is ``"fail"``.
        SchemaError
            A file's columns cannot be used.
        """
        asked = set(ARTICLE.names if columns is None else columns)
        if unknown := asked - set(ARTICLE.names):
            raise ValueError(f"no such columns: {', '.join(sorted(unknown))}")
        return bounded(self._articles([name for name in ARTICLE.names if name in asked]))

    def raw_batches(self) -> Iterator[pa.RecordBatch]:
        """The same rows in the same order, with all columns as they stand in the input.

        Files of different columns give batches of different schemas.
        """
        self._ensure_surveyed()
        for k, reader in enumerate(self._readers):
            for chunk in reader.chunks(None):
                self._check_known(k, reader, chunk.broken)
                keep = self._kept(k, chunk.rows)
                yield chunk.batch if keep is None else chunk.batch.filter(pa.array(keep))

    def raw_schemas(self) -> Iterator[pa.Schema]:
        """Every schema of `raw_batches`; only JSON Lines must be read for that."""
        for reader in self._readers:
            if isinstance(reader, JsonLinesReader):
                yield from (chunk.batch.schema for chunk in reader.chunks(None))
            elif (schema := reader.fields()) is not None:
                yield schema

    def raw_lines(self) -> Iterator[pa.Array]:
        """The same rows in the same order as lines with their ends, where `has_lines`."""
        if not self.has_lines:
            raise ValueError("the input is not JSON Lines alone")
        self._ensure_surveyed()
        for k, reader in enumerate(self._readers):
            if isinstance(reader, JsonLinesReader):
                for lines, numbers in reader.line_blocks():
                    keep = self._kept(k, numbers)
                    yield lines if keep is None else lines.filter(pa.array(keep))

    def locate(self, i: int) -> str:
        """Place of the i-th row (from 0) of `batches` as ``FILE:ROW``, where ROW counts from 1."""
        if i >= self._survey.places.n_rows:
            self._ensure_surveyed(even_if_failing=True)
        part, row = self._survey.places.find(i)
        return self._place(part, row)

    def close(self) -> None:
        """Delete temporary files, end processes."""
        for spool in self._spools:
            spool.close()

    def _articles(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        full = len(names) == len(ARTICLE.names)
        surveying = not self._survey.complete and (full or self._skip)
        if surveying:
            # Its own notes, so that a pass that was broken off leaves nothing behind.
            self._survey = _Survey()
        survey = self._survey if surveying else None
        read = list(ARTICLE.names) if surveying else names
        for k, reader in enumerate(self._readers):
            columns = self._columns(k)
            chunks = reader.chunks(_wanted(columns, read))
            for chunk in ReadAhead(chunks, _AHEAD) if self._threads else chunks:
                converted = convert(
                    self._without_rejected(k, chunk), _present(columns, read), read, reader.name
                )
                self._judge(k, converted.broken, survey)
                if survey is not None:
                    converted = self._note(k, converted, survey, chunk)
                yield converted.batch if read == names else converted.batch.select(names)
        if survey is not None:
            survey.complete = True
            survey.seen.clear()

    def _judge(self, k: int, broken: list[Broken], survey: _Survey | None) -> None:
        """Raise the first broken row, or set them all aside."""
        for item in broken:
            if not self._skip:
                raise InputError(
                    f"{self._place(k, item.row)}: {item.reason}: {shown(item.raw)}", hint=_SKIP_HINT
                )
            if survey is not None:
                self._reject(k, item, survey)

    def _reject(self, k: int, item: Broken, survey: _Survey) -> None:
        file, row = self._readers[k].place(item.row)
        survey.rejects.append(Reject(file, row, item.reason, item.raw))
        survey.rejected.setdefault(k, set()).add(item.row)

    def _note(self, k: int, converted: Converted, survey: _Survey, chunk: Chunk) -> Converted:
        """Take down places, dates that are none and, with ``skip``, ids that came before."""
        if self._skip:
            converted = self._without_repeated(k, converted, survey, chunk)
        survey.places.add(k, converted.rows)
        if converted.undated and not survey.n_undated:
            row, value = converted.undated[0]
            survey.first_undated = f"{value} at {self._place(k, row)}"
        survey.n_undated += len(converted.undated)
        return converted

    def _without_repeated(self, k: int, converted: Converted, survey: _Survey, chunk: Chunk) -> Converted:
        ids = converted.batch.column("doc_id").to_pylist()
        first = survey.places.n_rows
        if len(set(ids)) == len(ids) and survey.seen.keys().isdisjoint(ids):
            survey.seen.update(zip(ids, range(first, first + len(ids)), strict=True))
            return converted
        keep = np.ones(len(ids), np.bool_)
        here: dict[str, int] = {}
        for i, doc_id in enumerate(ids):
            row = int(converted.rows[i])
            if doc_id in here:
                before = self._place(k, here[doc_id])
            elif doc_id in survey.seen:
                before = self._place(*survey.places.find(survey.seen[doc_id]))
            else:
                here[doc_id] = row
                survey.seen[doc_id] = first + len(here) - 1
                continue
            keep[i] = False
            raw = chunk.raw(int(np.searchsorted(chunk.rows, row)))
            self._reject(k, Broken(row, f"the id {shown(doc_id)} is that of {before}", raw), survey)
        rows = converted.rows[keep]
        kept = set(rows.tolist())
        undated = [item for item in converted.undated if item[0] in kept]
        return Converted(converted.batch.filter(pa.array(keep)), rows, [], undated)

    def _without_rejected(self, k: int, chunk: Chunk) -> Chunk:
        keep = self._kept(k, chunk.rows) if self._survey.complete else None
        if keep is None:
            return chunk
        return Chunk(chunk.batch.filter(pa.array(keep)), chunk.rows[keep], chunk.broken)

    def _kept(self, k: int, rows: RowNumbers) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]] | None:
        """Which rows were not set aside, None if all are kept."""
        rejected = self._survey.rejected.get(k)
        if not rejected:
            return None
        keep = ~np.isin(rows, np.fromiter(rejected, np.int64, len(rejected)))
        return None if keep.all() else keep

    def _check_known(self, k: int, reader: Reader, broken: tuple[Broken, ...]) -> None:
        """A row that only a later pass finds broken would put rows and answers out of step."""
        for item in broken:
            if item.row not in self._survey.rejected.get(k, ()):
                raise InputError(f"{self._place(k, item.row)}: {item.reason}", hint=_SKIP_HINT)

    def _ensure_surveyed(self, *, even_if_failing: bool = False) -> None:
        if (self._skip or even_if_failing) and not self._survey.complete:
            for _ in self.batches():
                pass

    def _place(self, k: int, row: int) -> str:
        file, number = self._readers[k].place(row)
        return f"{file}:{number}"

    def _columns(self, k: int) -> Columns | None:
        """A file's columns by role, looked at when it is first read; None if it is empty."""
        if k not in self._found:
            reader = self._readers[k]
            schema = reader.fields()
            # Text files and pages have no columns that a setting could name.
            config = Config() if isinstance(reader, (TextFilesReader, PageReader)) else self._config
            self._found[k] = None if schema is None else find_columns(schema, config, reader.name)
        return self._found[k]

    def _first_columns(self) -> Columns:
        for k in range(len(self._readers)):
            columns = self._columns(k)
            if columns is not None:
                return dict(columns)
        return dict.fromkeys(ROLES)


def _present(columns: Columns | None, names: Sequence[str]) -> Wanted:
    """The input's columns for the roles asked for."""
    found = columns or {}
    return {name: column for name in names if (column := found.get(name)) is not None}


def _wanted(columns: Columns | None, names: Sequence[str]) -> Wanted:
    """The columns to read: those asked for, or one at least, by which rows are counted."""
    wanted = _present(columns, names)
    if wanted or columns is None:
        return wanted
    role, column = next((role, column) for role, column in columns.items() if column is not None)
    return {role: column}
