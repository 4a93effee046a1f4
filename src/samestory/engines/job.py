"""A run on Spark as the driver sees it: its settings, its partitions, its time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from samestory.config import Config
from samestory.engines.blobs import slots_of
from samestory.engines.connecting import EDGES_IN_ONE_TASK
from samestory.engines.frames import Frames
from samestory.params import Banding, choose_banding
from samestory.pipeline import Timings
from samestory.progress import Observer, ignore_progress

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

PARTITION_BYTES: Final = 96 << 20
"""A partition has about so many bytes of folded text, which its worker holds in memory or a file."""
SENT_ROWS: Final = 2_000_000
"""Up to so many short rows are sent to all workers, rather than text to where they are."""
_MOST_PARTITIONS: Final = 1 << 20
_STAGES: Final = 7


@dataclass
class Job:
    """One run on Spark.

    Attributes
    ----------
    frames : Frames
    config : Config
    partitions : int, optional
        Of every exchange; by default what the size of the text asks for.
    in_one_task : int
        See `samestory.engines.connecting.components`.
    n_articles : int
        Known once the input was read.
    """

    frames: Frames
    config: Config
    partitions: int | None = None
    in_one_task: int = EDGES_IN_ONE_TASK
    observer: Observer = ignore_progress
    timings: Timings = field(default_factory=Timings)
    started: float = field(default_factory=time.perf_counter)
    n_articles: int = 0

    def partitions_for(self, n_bytes: int) -> int:
        """Return the partitions of an exchange of about so many bytes of text; 0 where that is not known."""
        least = self.frames.session.sparkContext.defaultParallelism
        return self.partitions or max(least, min(_MOST_PARTITIONS, -(-n_bytes // PARTITION_BYTES)))

    def plan(self, n_articles: int, text_bytes: int) -> None:
        """Choose the partitions, for so much input."""
        self.n_articles = n_articles
        self.partitions = self.partitions_for(text_bytes)

    @property
    def n_partitions(self) -> int:
        """Partitions of every exchange."""
        return self.partitions or 1

    @property
    def in_order(self) -> dict[str, int]:
        """How consecutive articles go to partitions: so many to each."""
        n_partitions = self.n_partitions
        return {"each": max(1, -(-self.n_articles // n_partitions)), "n_partitions": n_partitions}

    @property
    def banding(self) -> Banding:
        """Bands and rows."""
        return choose_banding(self.config.threshold, self.config.recall, self.config.num_perm)

    @property
    def by_character(self) -> bool:
        """Whether shingles are runs of characters."""
        return self.config.shingle_unit == "char"

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds that each stage took, and all so far."""
        return {**self.timings.seconds, "total": time.perf_counter() - self.started}

    @contextlib.contextmanager
    def stage(self, name: str, number: int) -> Iterator[None]:
        """Time a stage, and tell of it."""
        self.observer(name, number, _STAGES)
        with self.timings.stage(name):
            yield

    def slots_by_key(self, column: Column) -> Column:
        """Return to which partition keys go, as `samestory.engines.bundles.send` has it."""
        from pyspark.sql import functions as f

        return self._slots(f.pmod(column, f.lit(self.n_partitions)))

    def with_slots(self, frame: DataFrame, name: str) -> DataFrame:
        """Tell to which partition rows of articles go, so that these are consecutive."""
        from pyspark.sql import functions as f

        return frame.withColumn("slot", self._slots(f.floor(f.col(name) / f.lit(self.in_order["each"]))))

    def _slots(self, places: Column) -> Column:
        from pyspark.sql import functions as f

        slots = f.array(*(f.lit(slot) for slot in slots_of(self.n_partitions)))
        return f.element_at(slots, (places + 1).cast("int"))


def sent(frame: DataFrame, n: int) -> DataFrame:
    """Mark a frame of so many short rows, if they are few, to be sent to where those of a join are."""
    from pyspark.sql import functions as f

    return f.broadcast(frame) if n <= SENT_ROWS else frame
