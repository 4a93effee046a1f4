"""One writer for each format of rows, and the schema that rows of several files have in common."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any, Final, Protocol

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from pyarrow import types

from samestory.read.chunk import jsonable, plain_value, row_as_json, size_of

_DELIMITERS: Final = {"csv": ",", "tsv": "\t"}
_GROUP_BYTES: Final = 128 << 20  # Of a Parquet row group, before compression.
_GROUP_ROWS: Final = 1 << 20


class RowWriter(Protocol):
    """Takes batches of one file's rows."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append a batch."""


def make_writer(
    file: IO[bytes], kind: str, compression: str | None, schema: pa.Schema | None
) -> AbstractContextManager[RowWriter]:
    """Writer of a format.

    Parameters
    ----------
    file : binary file
    kind : str
        One of parquet, jsonl, csv, tsv, arrow.
    compression : str, optional
        Of JSON Lines, CSV and TSV.
    schema : pa.Schema, optional
        Of all batches; JSON Lines needs none.
    """
    if kind == "parquet":
        return _parquet(file, _required(schema))
    if kind == "arrow":
        return _arrow(file, _required(schema))
    if kind == "jsonl":
        return _json_lines(file, compression)
    return _delimited(file, _DELIMITERS[kind], compression, _required(schema))


def _required(schema: pa.Schema | None) -> pa.Schema:
    return pa.schema([]) if schema is None else schema


class _KeptOpen(io.RawIOBase):
    """A file that does not close when what writes to it does."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._file.write(data)


@contextmanager
def compressed(file: IO[bytes], compression: str | None) -> Iterator[IO[bytes] | pa.NativeFile]:
    """The file itself, or a stream that compresses into it and leaves it open."""
    if compression is None:
        yield file
    else:
        with pa.CompressedOutputStream(pa.PythonFile(_KeptOpen(file), mode="w"), compression) as stream:
            yield stream


class _ParquetRows:
    """Gathers batches to row groups of a good size."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._held: list[pa.RecordBatch] = []
        self._n_bytes = self._n_rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        self._held.append(batch)
        self._n_bytes += size_of(batch)
        self._n_rows += batch.num_rows
        if self._n_bytes >= _GROUP_BYTES or self._n_rows >= _GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held), row_group_size=self._n_rows)
        self._held = []
        self._n_bytes = self._n_rows = 0


@contextmanager
def _parquet(file: IO[bytes], schema: pa.Schema) -> Iterator[RowWriter]:
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        rows = _ParquetRows(writer)
        yield rows
        rows.flush()


class _ArrowRows:
    def __init__(self, writer: pa.ipc.RecordBatchFileWriter, schema: pa.Schema) -> None:
        self._writer = writer
        self._schema = schema

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(conform(batch, self._schema))


@contextmanager
def _arrow(file: IO[bytes], schema: pa.Schema) -> Iterator[RowWriter]:
    # The format allows one dictionary a file, and every batch brings its own: values instead.
    plain = pa.schema([_decoded(field) for field in schema], metadata=schema.metadata)
    with pa.ipc.new_file(file, plain) as writer:
        yield _ArrowRows(writer, plain)


def _decoded(field: pa.Field) -> pa.Field:
    return field.with_type(field.type.value_type) if types.is_dictionary(field.type) else field


class _JsonRows:
    def __init__(self, stream: IO[bytes] | pa.NativeFile) -> None:
        self._stream = stream

    def write(self, batch: pa.RecordBatch) -> None:
        self._stream.write("".join(map(_json_line, _rows(batch))).encode("utf-8", "replace"))


def _rows(batch: pa.RecordBatch) -> list[Any]:
    try:
        return list(batch.to_pylist())
    except UnicodeDecodeError:
        return [json.loads(row_as_json(batch, i)) for i in range(batch.num_rows)]


def _json_line(row: dict[str, Any]) -> str:
    try:
        return json.dumps(row, ensure_ascii=False, default=jsonable, allow_nan=False) + "\n"
    except ValueError:
        # JSON has no NaN and no infinity.
        return json.dumps(_finite(row), ensure_ascii=False, default=jsonable) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and value - value != 0 else value


@contextmanager
def _json_lines(file: IO[bytes], compression: str | None) -> Iterator[RowWriter]:
    with compressed(file, compression) as stream:
        yield _JsonRows(stream)


class _DelimitedRows:
    def __init__(self, writer: pc.CSVWriter, schema: pa.Schema) -> None:
        self._writer = writer
        self._schema = schema

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(conform(batch, self._schema))


@contextmanager
def _delimited(
    file: IO[bytes], delimiter: str, compression: str | None, schema: pa.Schema
) -> Iterator[RowWriter]:
    plain = pa.schema([field if _is_plain(field.type) else field.with_type(pa.string()) for field in schema])
    options = pc.WriteOptions(delimiter=delimiter)
    with (
        compressed(file, compression) as stream,
        pc.CSVWriter(stream, plain, write_options=options) as writer,
    ):
        yield _DelimitedRows(writer, plain)


def _is_plain(kind: pa.DataType) -> bool:
    """Whether the CSV writer can write values of this type."""
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_timestamp(kind)
        or types.is_date(kind)
        or types.is_null(kind)
    )


def unified(schemas: Iterable[pa.Schema]) -> pa.Schema:
    """One schema that rows of all of these fit, types that don't go together becoming text."""
    whole: pa.Schema | None = None
    for schema in schemas:
        if whole is None:
            whole = schema
        elif not schema.equals(whole):
            whole = _joined(whole, schema)
    return pa.schema([]) if whole is None else whole


def _joined(one: pa.Schema, other: pa.Schema) -> pa.Schema:
    try:
        return pa.unify_schemas([one, other], promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        pass
    fields = {field.name: field for field in one}
    for field in other:
        fields[field.name] = _common(fields[field.name], field) if field.name in fields else field
    return pa.schema(list(fields.values()))


def _common(one: pa.Field, other: pa.Field) -> pa.Field:
    try:
        schemas = [pa.schema([one]), pa.schema([other])]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.field(one.name, pa.string())


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch with exactly the columns of a schema: cast where needed, null where it has none."""
    if batch.schema.equals(schema):
        return batch
    arrays = []
    present = set(batch.schema.names)
    for i, field in enumerate(schema):
        if field.name not in present:
            arrays.append(pa.nulls(batch.num_rows, field.type))
        elif batch.schema.names == schema.names:
            # By place, so that two columns of one name stay two.
            arrays.append(_cast(batch.column(i), field.type))
        else:
            arrays.append(_cast(batch.column(field.name), field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    to_text = types.is_string(kind) or types.is_large_string(kind)
    try:
        if not (to_text and types.is_binary(column.type)):
            return column.cast(kind)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError):
        pass
    values = [plain_value(value) for value in column]
    return pa.array([_text(value) for value in values] if to_text else values, kind)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=jsonable)
    return str(jsonable(value))
