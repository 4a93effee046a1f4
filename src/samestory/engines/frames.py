"""DataFrames between the stages: worker functions applied, results kept and let go again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Work = Callable[..., Iterator[pa.RecordBatch]]


class Frames:
    """Applies worker functions in one session, and knows what is kept.

    Parameters
    ----------
    session : SparkSession
    """

    def __init__(self, session: SparkSession) -> None:
        self.session = session
        self._kept: list[DataFrame] = []

    def map(self, frame: DataFrame, work: Work, schema: pa.Schema, **given: Any) -> DataFrame:
        """Apply a function of this package to the batches of each partition.

        It is sent by its name, so that the workers load what is installed there; `given` goes along.
        """

        def call(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            return work(batches, **given)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of pandas, which is not used
            return frame.mapInArrow(call, as_struct(schema))

    def rows(self, values: list[Any], schema: Any) -> DataFrame:
        """Return a frame of a few rows."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return self.session.createDataFrame(values, schema)

    def keep(self, frame: DataFrame) -> DataFrame:
        """Keep a frame, in memory and on the disk, once it is made; a part that is lost is made again."""
        from pyspark import StorageLevel

        frame = frame.persist(StorageLevel.MEMORY_AND_DISK)
        self._kept.append(frame)
        return frame

    def let_go(self, *frames: DataFrame) -> None:
        """Let go of frames that are kept."""
        for frame in frames:
            frame.unpersist()
            self._kept = [kept for kept in self._kept if kept is not frame]

    def let_go_all(self) -> None:
        """Let go of all that is kept."""
        self.let_go(*self._kept)


def as_struct(schema: pa.Schema) -> Any:
    """Return a schema as Spark has it."""
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)
