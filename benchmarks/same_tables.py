"""Whether the tables of two runs are the same: a digest of every column, of values and their order.

A table is a Parquet file or a folder of them (as Spark writes it), which are read in the order of their
names, some rows at a time. How the rows are cut into files and batches, and what compression and metadata
the files have, changes no digest; a value, a null, a type of Parquet or the place of a row does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

TABLES = ("clusters", "pairs", "stories", "furniture")
_ROWS = 65_536

Digests = dict[str, dict[str, str]]


def files_of(folder: Path, table: str) -> list[Path]:
    """Return the files of a table of a run, in order; none where it was not written."""
    path = folder / f"{table}.parquet"
    if path.is_dir():
        return sorted(path.rglob("*.parquet"))
    return [path] if path.exists() else []


def digest_run(folder: Path) -> Digests:
    """Return for each table of a run the digest of each column."""
    found = {}
    for table in TABLES:
        files = files_of(folder, table)
        if files:
            found[table] = digest_table(files)
    return found


def digest_table(files: list[Path]) -> dict[str, str]:
    """Return the digest of each column of a table, and of the number of its rows."""
    sums: dict[str, _Sums] = {}
    n_rows = 0
    for batch in _batches(files):
        n_rows += len(batch)
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            sums.setdefault(f"{name}: {type_name(column.type)}", _Sums()).add(column)
    schema = pq.read_schema(files[0])
    names = [f"{field.name}: {type_name(field.type)}" for field in schema]
    return {"rows": str(n_rows), **{name: sums.get(name, _Sums()).digest() for name in names}}


def type_name(kind: pa.DataType) -> str:
    """Return the name of a type as Parquet has it, which knows no strings and lists with larger offsets."""
    return str(kind).replace("large_", "")


def _batches(files: list[Path]) -> Iterator[pa.RecordBatch]:
    for file in files:
        yield from pq.ParquetFile(file, pre_buffer=False).iter_batches(_ROWS)


class _Sums:
    """Running digests of a column: which values are null, how long each is, the values themselves."""

    def __init__(self) -> None:
        self._parts: dict[str, xxhash.xxh3_128] = {}

    def _update(self, name: str, values: np.ndarray) -> None:
        if not len(values):
            return
        digest = self._parts.setdefault(name, xxhash.xxh3_128())
        digest.update(np.ascontiguousarray(values).view(np.uint8).data)

    def add(self, column: pa.Array, name: str = "") -> None:
        """Take in the next values of the column, or of what `name` says inside it."""
        valid = pc.is_valid(column)
        self._update(f"{name} valid", valid.cast(pa.uint8()).to_numpy(zero_copy_only=False))
        kind = column.type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            lengths = pc.fill_null(pc.list_value_length(column), 0).cast(pa.int64())
            self._update(f"{name} length", lengths.to_numpy(zero_copy_only=False))
            self.add(column.flatten(), f"{name} item")
        elif pa.types.is_struct(kind):
            for field, child in zip(kind, column.flatten(), strict=True):
                self.add(child, f"{name} {field.name}")
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
            self._add_strings(column, name)
        else:
            self._update(f"{name} value", _as_numbers(column))

    def _add_strings(self, column: pa.Array, name: str) -> None:
        column = column.cast(pa.large_binary()).filter(pc.is_valid(column))
        self._update(f"{name} length", pc.binary_length(column).to_numpy(zero_copy_only=False))
        _, offsets, letters = column.buffers()
        if letters is not None and len(column):
            places = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
            self._update(f"{name} value", np.frombuffer(letters, np.uint8)[places[0] : places[-1]])

    def digest(self) -> str:
        """Return the digest of all values so far."""
        both = xxhash.xxh3_128()
        for name in sorted(self._parts):
            both.update(f"{name}={self._parts[name].hexdigest()};".encode())
        return both.hexdigest()


def _as_numbers(column: pa.Array) -> np.ndarray:
    """Return values of fixed width as an array of numbers, without the nulls."""
    column = column.filter(pc.is_valid(column))
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    elif pa.types.is_temporal(column.type):
        column = column.cast(pa.int64() if column.type.bit_width == 64 else pa.int32())
    return column.to_numpy(zero_copy_only=False)


def differences(a: Digests, b: Digests) -> list[str]:
    """Return what differs, as `table` or `table.column`."""
    found = []
    for table in sorted(a.keys() | b.keys()):
        if table not in a or table not in b:
            found.append(table)
            continue
        names = sorted(a[table].keys() | b[table].keys())
        found += [f"{table}.{name}" for name in names if a[table].get(name) != b[table].get(name)]
    return found
