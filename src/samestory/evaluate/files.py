"""Label files: the few columns that could matter, as strings where the format has no types."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.feather as feather
import pyarrow.parquet as pq

from samestory.errors import InputError, SchemaError

_COMPRESSIONS: Final = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
_READABLE: Final = (
    ".parquet, .arrow, .feather, .jsonl, .ndjson, .csv, .tsv; the last four also .gz, .zst, .bz2"
)
_BLOCK_BYTES: Final = 64 << 20
_HEAD_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Columns:
    """Some columns of a table.

    Parameters
    ----------
    table : pyarrow.Table
        Those that were wanted and are there.
    names : list of str
        All that are there.
    where : str
        The file's name, for messages.
    faults : dict
        What is wrong with a column, which matters only if it is the one to take.
    """

    table: pa.Table
    names: list[str]
    where: str
    faults: dict[str, str]

    def column(self, name: str) -> Any:
        """Return one of the columns.

        Raises
        ------
        SchemaError
            It is there twice, or holds lists or objects.
        """
        if name in self.faults:
            raise SchemaError(f"{self.where}: {self.faults[name]}", hint="name another column, or mend it")
        return self.table[name]


def read_columns(source: Any, wanted: Collection[str]) -> Columns:
    """Read the columns of a file or table whose names are wanted, in whatever letter case.

    Parameters
    ----------
    source : path or table
        A file, or a `pyarrow.Table`, or anything with ``__arrow_c_stream__``.
    wanted : collection of str
        Names in lower case; columns of other names are not kept in memory.

    Raises
    ------
    InputError
        The file is missing, damaged, or of an unknown format.
    """
    if not isinstance(source, (str, PathLike)):
        table = source if isinstance(source, pa.Table) else pa.table(source)
        return _selected(table, wanted, "the truth")
    path, where = Path(source), fspath(source)
    if not path.is_file():
        problem = "is a folder, not a file" if path.is_dir() else "no such file"
        raise InputError(f"{where}: {problem}", hint="name the file of labels with --truth")
    kind, compression = _format_of(path.name, where)
    with _reading(where, kind):
        if kind == ".parquet":
            with pq.ParquetFile(path) as file:
                names = file.schema_arrow.names
                table = file.read(columns=[name for name in names if name.casefold() in wanted])
            return replace(_selected(table, wanted, where), names=names)
        if kind in (".arrow", ".feather"):
            return _selected(feather.read_table(path), wanted, where)
        with pa.input_stream(str(path), compression=compression) as stream:
            if kind in (".csv", ".tsv"):
                return _delimited(stream, wanted, where, "\t" if kind == ".tsv" else ",")
            return _json_lines(stream, wanted, where)


def _format_of(name: str, where: str) -> tuple[str, str | None]:
    """Ending and compression that a file's name tells."""
    lowered, compression = name.lower(), None
    for suffix, codec in _COMPRESSIONS.items():
        if lowered.endswith(suffix):
            lowered, compression = lowered.removesuffix(suffix), codec
    kind = Path(lowered).suffix
    streamed = kind in (".jsonl", ".ndjson", ".csv", ".tsv")
    if not streamed and (compression or kind not in (".parquet", ".arrow", ".feather")):
        raise InputError(
            f"{where}: the name does not tell a format of labels", hint=f"readable are {_READABLE}"
        )
    return kind, compression


@contextmanager
def _reading(where: str, kind: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, UnicodeError, csv.Error) as error:
        detail = str(error).strip().splitlines()
        raise InputError(
            f"{where}: cannot be read as {kind.removeprefix('.')}: "
            f"{detail[0] if detail else type(error).__name__}",
            hint="the file may be cut off or damaged, or of another format than its name says",
        ) from error


def _selected(table: pa.Table, wanted: Collection[str], where: str) -> Columns:
    names: list[str] = table.column_names
    chosen = {name: names.index(name) for name in names if name.casefold() in wanted}
    return Columns(table.select(list(chosen.values())), names, where, _repeated(names))


def _repeated(names: list[str]) -> dict[str, str]:
    return {name: f"there is more than one column {name!r}" for name in names if names.count(name) > 1}


def _delimited(stream: pa.NativeFile, wanted: Collection[str], where: str, delimiter: str) -> Columns:
    """Read CSV or TSV: every column as strings, an empty field null."""
    content = stream.read()
    head = content[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    names = next(csv.reader(io.StringIO(head.lstrip("\r\n"), newline=""), delimiter=delimiter), [])
    chosen = list(dict.fromkeys(name for name in names if name.casefold() in wanted))
    if not chosen:
        return Columns(pa.table({}), names, where, {})
    table = pc.read_csv(
        pa.BufferReader(content),
        read_options=pc.ReadOptions(block_size=_BLOCK_BYTES),
        parse_options=pc.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pc.ConvertOptions(
            column_types={name: pa.string() for name in chosen},
            include_columns=chosen,
            strings_can_be_null=True,
            null_values=[""],
        ),
    )
    return Columns(table, names, where, _repeated(names))


def _json_lines(stream: pa.NativeFile, wanted: Collection[str], where: str) -> Columns:
    """Read JSON Lines: numbers and truth values as JSON writes them, a key that a row lacks null."""
    columns: dict[str, list[str | None]] = {}
    names: dict[str, None] = {}
    faults: dict[str, str] = {}
    n_rows = 0
    for number, line in enumerate(io.BufferedReader(stream), start=1):
        row = _json_object(line, f"{where}:{number}")
        if row is None:
            continue
        names.update(dict.fromkeys(row))
        for name in row:
            if name.casefold() in wanted and name not in columns:
                columns[name] = [None] * n_rows
        for name, values in columns.items():
            value = row.get(name)
            if isinstance(value, (dict, list)):
                faults.setdefault(name, f"row {number:,} has more than one value for {name!r}")
            values.append(value if value is None or isinstance(value, str) else json.dumps(value))
        n_rows += 1
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    return Columns(table, list(names), where, faults)


def _json_object(line: bytes, place: str) -> dict[str, Any] | None:
    """Return the object of a line, None if it is blank."""
    text = line.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return None
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{place}: not valid JSON ({error})", hint="each line is to be one object"
        ) from error
    if not isinstance(row, dict):
        raise InputError(f"{place}: not a JSON object", hint="each line is to be one object")
    return row
