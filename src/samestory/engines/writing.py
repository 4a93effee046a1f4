"""Tables as folders of Parquet files: each task writes the rows that it makes, and tells how many they are.

The rows are in Arrow's buffers in the workers; row by row through the JVM the tables of a million articles
took twice as long. A file appears whole, under the number of its partition: a task that runs again writes
the same once more.
"""

from __future__ import annotations

import functools
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from samestory.engines.frames import Frames, Work
from samestory.errors import OutputError
from samestory.write import GROUP_ROWS, parquet_writer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

WRITTEN: Final = pa.schema([pa.field("n", pa.int64(), nullable=False), pa.field("facts", pa.string())])
"""Of each file: its rows, and facts about them as JSON."""

Count = Callable[[pa.Table], dict[str, Any]]


@dataclass(frozen=True)
class Rows:
    """The rows of a table, before it is known whether they become a DataFrame or files.

    Attributes
    ----------
    frame : DataFrame
        What they are made of, in the partitions and the order of the table.
    work : callable
        Makes them of its batches, partition by partition.
    schema : Schema
    given : dict
        Further arguments of `work`.
    """

    frame: DataFrame
    work: Work
    schema: pa.Schema
    given: dict[str, Any]

    def as_frame(self, frames: Frames) -> DataFrame:
        """Return them as a DataFrame."""
        return frames.map(self.frame, self.work, self.schema, **self.given)

    def write(
        self, frames: Frames, folder: Path, footer: dict[bytes, bytes], count: Count | None = None
    ) -> list[tuple[int, dict[str, Any]]]:
        """Write them to a folder of Parquet files, in order; return the rows of each file, and its facts.

        Parameters
        ----------
        frames : Frames
        folder : Path
            Made here; all machines must share it.
        footer : dict
            Metadata of each file.
        count : callable, optional
            A function of this package that gathers facts of some rows, a table at a time.

        Raises
        ------
        OutputError
            What the workers have written cannot be seen from here.
        """
        folder.mkdir()
        make = functools.partial(self.work, **self.given)
        written = frames.map(
            self.frame,
            write_part,
            WRITTEN,
            make=make,
            fields=self.schema.with_metadata(footer),
            folder=str(folder),
            count=count,
        ).collect()
        if len(list(folder.glob("*.parquet"))) != len(written):
            raise OutputError(
                f"{folder}: not all that the workers have written can be seen from here",
                hint="the output must be a folder that all machines share",
            )
        if not written:
            parquet_writer(folder / _name(0), self.schema.with_metadata(footer)).close()
        for left in folder.glob(".*"):
            left.unlink()
        return [(int(row["n"]), json.loads(row["facts"])) for row in written]


def write_part(
    batches: Iterable[pa.RecordBatch],
    make: Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]],
    fields: pa.Schema,
    folder: str,
    count: Count | None,
) -> Iterator[pa.RecordBatch]:
    """Write the rows of one partition to a file, if there are any; tell of it."""
    from pyspark import TaskContext

    context = TaskContext.get()
    place = context.partitionId() if context is not None else 0
    groups = _groups(make(batches), fields)
    first = next(groups, None)
    if first is None:
        return
    path = Path(folder) / _name(place)
    hidden = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    n = 0
    told: list[dict[str, Any]] = []
    try:
        with hidden.open("wb") as file:
            with parquet_writer(file, fields) as writer:
                group: pa.Table | None = first
                while group is not None:
                    writer.write_table(group)
                    n += len(group)
                    if count is not None:
                        told.append(count(group))
                    group = next(groups, None)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(path)
    except OSError as error:
        with suppress(OSError):
            hidden.unlink()
        raise OutputError(
            f"cannot write to {folder}: {error.strerror or error}", hint="check its space and rights"
        ) from error
    yield pa.RecordBatch.from_pydict({"n": [n], "facts": [json.dumps(told)]}, schema=WRITTEN)


def _groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield rows in tables of a row group each."""
    held: list[pa.RecordBatch] = []
    n = 0
    for batch in batches:
        begin = 0
        while n + len(batch) - begin >= GROUP_ROWS:
            end = begin + GROUP_ROWS - n
            yield _table([*held, batch.slice(begin, end - begin)], schema)
            held, n, begin = [], 0, end
        if begin < len(batch):
            held.append(batch.slice(begin))
            n += len(batch) - begin
    if n:
        yield _table(held, schema)


def _table(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches(batches).cast(schema).replace_schema_metadata(schema.metadata)


def _name(place: int) -> str:
    return f"part-{place:07d}.parquet"  # of up to 2**20 partitions, in order by name
