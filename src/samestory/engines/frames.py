"""DataFrames between the stages: worker functions applied, results kept and let go again."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

BATCH_BYTES: Final = 4 << 20
"""Batches on the way to the workers and back have about so many bytes."""

Work = Callable[..., Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Exchanged:
    """Rows in the partitions of their `slot`, and the same as Java has them, if that is known."""

    frame: DataFrame
    rows: Any


class Frames:
    """Applies worker functions in one session, and knows what is kept.

    Parameters
    ----------
    session : SparkSession
    """

    def __init__(self, session: SparkSession) -> None:
        self.session = session
        self._kept: list[tuple[DataFrame, DataFrame]] = []

    def map(self, frame: DataFrame, work: Work, schema: pa.Schema, **given: Any) -> DataFrame:
        """Apply a function of this package to the batches of each partition.

        It is sent by its name, so that the workers load what is installed there; `given` goes along.
        """

        def call(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            return _in_pieces(work(batches, **given))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of pandas, which is not used
            return frame.mapInArrow(call, as_struct(schema))

    def rows(self, values: list[Any], schema: Any) -> DataFrame:
        """Return a frame of a few rows."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return self.session.createDataFrame(values, schema)

    def keep(self, frame: DataFrame) -> DataFrame:
        """Make a frame and keep it, on the disk; a part that is lost is made again."""
        from pyspark import StorageLevel

        kept = frame.persist(StorageLevel.DISK_ONLY)
        planned = self._planned_anew(kept)
        self._kept.append((planned, kept))
        return planned

    def some(self, planned: DataFrame, columns: list[str]) -> DataFrame:
        """Return some columns of a frame that `keep` returned: the others are not read from the disk.

        Articles are wide rows, and most of what is asked of them is not.
        """
        for one, kept in self._kept:
            if one is planned:
                return kept.select(*columns)
        return planned.select(*columns)

    def exchange(self, frame: DataFrame, n_partitions: int) -> Exchanged:
        """Bring rows to the partitions of their `slot`, at once; they can be read there again and again."""
        from py4j.protocol import Py4JError

        exchanged = frame.repartition(n_partitions, "slot")
        try:
            return Exchanged(*self._planned_rows(exchanged))
        except (AttributeError, Py4JError):
            return Exchanged(self.keep(exchanged), None)

    def together(self, first: Exchanged, second: Exchanged, n_partitions: int) -> DataFrame:
        """Return the rows of both, those of one partition in one.

        What is there already stays where it is, as Spark (from 4.1 on) has a way to do it; else both are
        exchanged once more.
        """
        from py4j.protocol import Py4JError

        context, jvm = self.session.sparkContext, self.session.sparkContext._jvm
        try:
            of_both = jvm.PythonUtils.toSeq([first.rows, second.rows])
            union = jvm.org.apache.spark.rdd.SQLPartitioningAwareUnionRDD
            rows = union(context._jsc.sc(), of_both, n_partitions, first.rows.elementClassTag())
            return self._frame_of(rows, first.frame)
        except (AttributeError, TypeError, Py4JError):
            return first.frame.unionByName(second.frame).repartition(n_partitions, "slot")

    def _planned_anew(self, frame: DataFrame) -> DataFrame:
        """Return a frame of the same rows whose plan begins there.

        Plans are trees: without this the one of the last stage would hold that of the first fifty
        times, and Spark compares them all with all that is kept. What rows are made of is known all the
        same, so that lost ones are made again, other than after a checkpoint: which it is where the JVM is
        another than this knows.
        """
        from py4j.protocol import Py4JError

        try:
            return self._planned_rows(frame.select("*"))[0]
        except (AttributeError, Py4JError):
            return frame.localCheckpoint()

    def _planned_rows(self, frame: DataFrame) -> tuple[DataFrame, Any]:
        rows = frame._jdf.queryExecution().toRdd()
        return self._frame_of(rows, frame), rows

    def _frame_of(self, rows: Any, like: DataFrame) -> DataFrame:
        """Return a frame of rows as Java has them."""
        from pyspark.sql import DataFrame

        java = like._jdf
        made = java.sparkSession().internalCreateDataFrame(rows, java.schema(), False)
        return DataFrame(made, self.session)

    def let_go(self, planned: DataFrame) -> None:
        """Let go of a frame that `keep` returned."""
        for one in [one for one in self._kept if one[0] is planned]:
            one[1].unpersist()
            self._kept = [kept for kept in self._kept if kept is not one]

    def let_go_all(self) -> None:
        """Let go of all that is kept."""
        for _, kept in self._kept:
            kept.unpersist()
        self._kept.clear()
        # PySpark's functions are in circles that hold plans in the JVM, as long as Python does not look for
        # circles: a session in which job follows job would be full of them.
        gc.collect()


def _in_pieces(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield batches of some megabytes: memory for larger ones is asked of the system anew each time."""
    for batch in batches:
        rows = max(1, len(batch) * BATCH_BYTES // max(1, batch.nbytes))
        yield from (batch.slice(begin, rows) for begin in range(0, max(1, len(batch)), rows))


def as_struct(schema: pa.Schema) -> Any:
    """Return a schema as Spark has it."""
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)
