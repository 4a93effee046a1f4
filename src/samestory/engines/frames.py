"""DataFrames between the stages: worker functions applied, results kept and let go again."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

BATCH_BYTES: Final = 4 << 20
"""Batches on the way to the workers and back have about so many bytes."""

Work = Callable[..., Iterator[pa.RecordBatch]]


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

    def _planned_anew(self, frame: DataFrame) -> DataFrame:
        """Return a frame of the same rows whose plan begins there.

        Plans are trees: without this the one of the last stage would hold that of the first fifty
        times, and Spark compares them all with all that is kept. What rows are made of is known all the
        same, so that lost ones are made again, other than after a checkpoint. Where the JVM is another
        than this knows, the frame itself does.
        """
        from py4j.protocol import Py4JError
        from pyspark.sql import DataFrame

        try:
            held = frame.select("*")._jdf
            rows = held.queryExecution().toRdd()
            made = held.sparkSession().internalCreateDataFrame(rows, held.schema(), False)
            return DataFrame(made, self.session)
        except (AttributeError, Py4JError):
            return frame

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
