"""The place of every article in the input, from what the workers told of its units."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from samestory.engines.blobs import BLOB
from samestory.engines.bundles import Numbering
from samestory.engines.frames import Work
from samestory.engines.job import Job, sent
from samestory.engines.reading import as_error
from samestory.engines.repeats import NAMED, REPEATED, find_repeats, name_articles, route_ids
from samestory.errors import InputError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MOST_NAMED: Final = 3


@dataclass(frozen=True)
class Units:
    """What the workers told of the units of the input, in order.

    Attributes
    ----------
    firsts : int64 array
        The number of the first article of each, and of all at the end.
    text_bytes : int
    n_undated : int
    first_undated : str
        Place and value.
    """

    firsts: Any
    text_bytes: int
    n_undated: int
    first_undated: str

    @property
    def n(self) -> int:
        """Articles in all."""
        return int(self.firsts[-1])


def survey(read: DataFrame, n_units: int | None, *, in_memory: bool) -> Units:
    """Read the input, once, and return what the workers told of its units; raise what went wrong first."""
    told = read.where("facts is not null").select("unit", "facts").collect()
    facts = dict(sorted((int(row["unit"]), json.loads(row["facts"])) for row in told))
    last = max(facts, default=-1) + 1 if n_units is None else n_units
    counts = np.array([facts.get(unit, {"n": 0})["n"] for unit in range(last)], dtype=np.int64)
    firsts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    for unit, one in facts.items():
        if "error" in one:
            raise as_error(one["error"])
        if "broken" in one:
            row, said = one["broken"]
            raise InputError(f"table:{int(firsts[unit]) + row}: {said}", hint="correct it, or leave it out")
    undated = [(unit, one["undated"]) for unit, one in facts.items() if one["undated"]["n"]]
    first = ""
    if undated:
        unit, one = undated[0]
        first = f"{one['row'][1]} at table:{int(firsts[unit]) + one['row'][0]}" if in_memory else one["first"]
    return Units(
        firsts,
        sum(one.get("text_bytes", 0) for one in facts.values()),
        sum(one["n"] for _, one in undated),
        first,
    )


@dataclass(frozen=True)
class Numbered:
    """The articles as they were read, in bundles, and what tells their numbers in the input.

    Attributes
    ----------
    read : DataFrame
        `samestory.engines.bundles.READ_BUNDLES`, kept.
    numbering : Numbering
    job : Job
    """

    read: DataFrame
    numbering: Numbering
    job: Job

    def map(self, work: Work, schema: pa.Schema, *columns: str, **given: Any) -> DataFrame:
        """Apply a worker function to bundles of some columns, with the numbering."""
        bundles = self.job.frames.some(self.read, ["unit", "place", "n", *columns])
        return self.job.frames.map(bundles, work, schema, numbering=self.numbering, **given)


def repeated_ids(articles: Numbered) -> tuple[list[tuple[str, list[int], int]], int]:
    """Return a few of the ids that occur more than once, and how many there are.

    Each comes with a few of its rows, and how many it has.
    """
    job = articles.job
    routed = articles.map(route_ids, BLOB, "doc_id", n_partitions=job.n_partitions)
    together = routed.repartition(job.n_partitions, "slot")
    docs = job.frames.keep(job.frames.map(together, find_repeats, REPEATED))
    n_docs = docs.count()
    if not n_docs:
        return [], 0
    return _told(articles.map(name_articles, NAMED, "doc_id").join(sent(docs, n_docs), "doc"))


def _told(named: DataFrame) -> tuple[list[tuple[str, list[int], int]], int]:
    """Return which of some ids occur more than once; two may have had one hash only."""
    from pyspark.sql import functions as f

    counted = named.groupBy("doc_id").agg(f.count("*").alias("n"), f.min("doc").alias("least"))
    repeated = counted.where("n > 1")
    found = []
    for row in repeated.orderBy("least").limit(_MOST_NAMED).collect():
        own = named.where(f.col("doc_id") == row["doc_id"]).orderBy("doc").limit(_MOST_NAMED)
        found.append((row["doc_id"], [int(one["doc"]) for one in own.select("doc").collect()], int(row["n"])))
    return found, repeated.count() if found else 0
