"""Reading: every input format as batches of the canonical article schema.

The way of a row: a file's *reader* (by format) gives chunks of its own columns, `canonical` turns
them into articles, and `Source` puts the files together, remembers where each row came from and
what was set aside, and gives the same rows on every pass.
"""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from samestory.config import Config
from samestory.errors import InputError
from samestory.read.addresses import presentable
from samestory.read.chunk import Reader, Reject
from samestory.read.columnar import ArrowReader, ParquetReader
from samestory.read.delimited import DelimitedReader
from samestory.read.discover import find_parts
from samestory.read.files import Part
from samestory.read.htmlfiles import HtmlFilesReader
from samestory.read.jsonlines import JsonLinesReader
from samestory.read.memory import check_memory, read_memory
from samestory.read.pagepool import missing
from samestory.read.pages import PageStudio
from samestory.read.source import Source
from samestory.read.spool import Closing, SpooledPart, SpoolFile, spool_stdin
from samestory.read.textfiles import TextFilesReader
from samestory.scratch import Scratch

__all__ = ["Reject", "Source", "open_source"]

_FROM_STDIN = ("jsonl", "csv", "tsv")
_PAGES = ("html", "warc")


def open_source(data: Any, config: Config, *, scratch: Path | None = None) -> Source:
    """Open an input for reading.

    Parameters
    ----------
    data : str, PathLike, list of these, or table
        Files, directories, globs and URIs; ``"-"`` for JSON Lines on standard input; or rows in
        memory: a ``pyarrow.Table``, a ``RecordBatchReader``, anything with ``__arrow_c_stream__``.
    config : Config
    scratch : Path, optional
        Directory for the temporary file of a stream that is too long to keep in memory; by default
        ``config.scratch``.

    Returns
    -------
    Source
        To be closed; a context manager.

    Raises
    ------
    InputError
        An input is missing, empty or cannot be read.
    MissingDependencyError
        An input needs an extra that is not installed.
    OutputError
        No files can be made in ``config.scratch``.
    SchemaError
        The first input's columns cannot be used.

    Examples
    --------
    >>> import pyarrow as pa
    >>> source = open_source(pa.table({"id": [1], "body": ["Flood in Lima."]}), Config())
    >>> source.columns["text"]
    'body'
    >>> next(source.batches())["doc_id"].to_pylist()
    ['1']
    """
    if config.scratch is not None:
        scratch = scratch or Path(config.scratch)
        Scratch(scratch).check()
    if check_memory(data):
        rows = read_memory(data, scratch)
        return Source([rows], config, ["table"], [rows.spool] if rows.spool is not None else [])
    given = [data] if isinstance(data, (str, bytes)) or hasattr(data, "__fspath__") else list(data)
    inputs = [os.fsdecode(item) for item in given]
    if not inputs:
        raise InputError("no input is given", hint="name a file, a directory, a glob or -")
    if inputs.count("-") > 1:
        raise InputError("standard input is given more than once", hint="give - only once")
    parts = _parts(inputs, config, scratch)
    held: list[Closing] = [
        part.held for part in parts if isinstance(part, SpooledPart) and isinstance(part.held, SpoolFile)
    ]
    studio: PageStudio | None = None
    if any(part.format in _PAGES for part in parts):
        _check_installed({part.format for part in parts})
        studio = PageStudio(config.n_threads, scratch)
        held.append(studio)
    readers = list(_readers(parts, studio, threads=config.n_threads > 1))
    formats = Counter(part.format for part in parts)
    return Source(readers, config, [presentable(item) for item in inputs], held, formats)


def _check_installed(formats: set[str]) -> None:
    """Raise at once if the extra is not there, and not when the first page comes."""
    for format, name, what in (("html", "trafilatura", "HTML files"), ("warc", "warcio", "WARC files")):
        if format in formats or name == "trafilatura":
            try:
                is_there = importlib.util.find_spec(name) is not None
            except (ImportError, ValueError):
                is_there = False
            if not is_there:
                raise missing(what)


def _parts(inputs: list[str], config: Config, scratch: Path | None) -> list[Part]:
    parts: list[Part] = []
    for is_stdin, group in groupby(inputs, key=lambda item: item == "-"):
        if is_stdin:
            kind = config.format or "jsonl"
            if kind not in _FROM_STDIN:
                raise InputError(
                    f"{kind} cannot be read from standard input", hint=f"it can be {', '.join(_FROM_STDIN)}"
                )
            parts.append(spool_stdin(kind, scratch))
        else:
            parts.extend(find_parts(list(group), config.format))
    return parts


def _readers(parts: list[Part], studio: PageStudio | None, *, threads: bool) -> Iterator[Reader]:
    for kind, run in groupby(parts, key=lambda part: part.format):
        if kind == "txt":
            yield TextFilesReader(list(run))
        elif kind == "html" and studio is not None:
            yield HtmlFilesReader(list(run), studio)
        elif kind == "warc" and studio is not None:
            from samestory.read.warcfiles import WarcReader  # which needs the extra

            yield from (WarcReader(part, studio) for part in run)
        else:
            yield from (_reader(part, threads=threads) for part in run)


def _reader(part: Part, *, threads: bool) -> Reader:
    if part.format == "parquet":
        return ParquetReader(part, threads=threads)
    if part.format == "arrow":
        return ArrowReader(part)
    if part.format == "jsonl":
        return JsonLinesReader(part, threads=threads)
    return DelimitedReader(part)
