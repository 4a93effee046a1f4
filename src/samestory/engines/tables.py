"""A Spark DataFrame in, the two tables out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from samestory.config import Config
from samestory.engines.arriving import ARRIVING
from samestory.engines.duplicates import check_config, clusters_rows, find_duplicates, pairs_rows
from samestory.engines.frames import Frames
from samestory.engines.job import Job
from samestory.engines.numbering import Numbered, repeated_ids, take_in
from samestory.engines.reading import read_partition
from samestory.engines.session import check_partitions
from samestory.errors import InputError, SchemaError
from samestory.read.columns import Columns, find_columns

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_UNKNOWN_BYTES: Final = 1 << 50
_TYPES: Final = {
    "string": pa.string(),
    "varchar": pa.string(),
    "char": pa.string(),
    "byte": pa.int8(),
    "short": pa.int16(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "timestamp_ntz": pa.timestamp("us"),
    "void": pa.null(),
}
"""Types by Spark's names for them."""


def cluster_frame(
    df: DataFrame, config: Config, *, order_by: str | None, partitions: int | None
) -> tuple[DataFrame, DataFrame]:
    """Do the work of `samestory.spark.cluster`."""
    check_config(config)
    check_partitions(partitions)
    columns = _columns_of(df, config)
    if order_by is not None:
        if order_by not in df.columns:
            raise SchemaError(f"there is no column {order_by!r} to order by", hint="name one of the columns")
        df = df.orderBy(order_by)
    frames = Frames(df.sparkSession)
    try:
        return _cluster(df, columns, Job(frames, config, partitions))
    finally:
        frames.let_go_all()


def _cluster(df: DataFrame, columns: Columns, job: Job) -> tuple[DataFrame, DataFrame]:
    used = list(dict.fromkeys(name for name in columns.values() if name is not None))
    chosen = df.select(*(f"`{name.replace('`', '``')}`" for name in used))
    n_partitions = job.partitions_for(_size_of(chosen))
    read = job.frames.map(
        chosen, read_partition, ARRIVING, columns=columns, config=job.config, n_partitions=n_partitions
    )
    named = columns["doc_id"] is not None
    numbered = take_in(read, n_partitions, None, job, named=named, in_memory=True)
    if columns["doc_id"] is not None:
        _check_unique(numbered)
    found = find_duplicates(numbered, job)
    clusters = clusters_rows(found, job).as_frame(job.frames).persist()
    pairs = pairs_rows(found, job).as_frame(job.frames).persist()
    clusters.count()
    pairs.count()
    return clusters, pairs


def _size_of(df: DataFrame) -> int:
    """Return about how many bytes Spark thinks a DataFrame has; 0 where it does not know."""
    from py4j.protocol import Py4JError

    try:
        n_bytes = int(df._jdf.queryExecution().optimizedPlan().stats().sizeInBytes().toString())
    except (AttributeError, Py4JError, ValueError):
        return 0
    return n_bytes if n_bytes < _UNKNOWN_BYTES else 0


def _check_unique(numbered: Numbered) -> None:
    found, n = repeated_ids(numbered)
    if found:
        raise repeated_error(
            [(value, [f"table:{doc + 1}" for doc in docs], m) for value, docs, m in found], n
        )


def repeated_error(found: list[tuple[str, list[str], int]], n: int) -> InputError:
    """Return the error of ids that occur twice: each with some of its places, and how many it has."""
    lines = []
    again = False
    for value, places, m in found:
        again = again or len(set(places)) < len(places)
        more = f" and {m - len(places)} more" if m > len(places) else ""
        lines.append(f"{value!r} at {', '.join(places)}{more}")
    if n > len(found):
        lines.append(f"and {n - len(found):,} more ids")
    hint = "choose another column with --id-column, or leave one of each out"
    if again:
        hint = "an input is given more than once: leave one out"
    return InputError("duplicate ids: " + "; ".join(lines), hint=hint)


def _columns_of(df: DataFrame, config: Config) -> Columns:
    fields = [pa.field(field.name, _arrow_type(field.dataType)) for field in df.schema.fields]
    return find_columns(pa.schema(fields), config, "table")


def _arrow_type(kind: Any) -> pa.DataType:
    """Return a column's type in Arrow; of those that no article's column can have, any."""
    name = kind.typeName()
    if name == "decimal":
        return pa.decimal128(kind.precision, kind.scale)
    return _TYPES.get(name.partition("(")[0], pa.struct([]))
