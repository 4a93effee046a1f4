"""The place of every article in the input, from what the workers told of its units."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from samestory.engines.arriving import FACTS, IDS, OUTLETS
from samestory.engines.bundles import Numbering
from samestory.engines.frames import Exchanged
from samestory.engines.job import Job, sent
from samestory.engines.reading import as_error
from samestory.engines.repeats import NAMED, name_articles
from samestory.engines.rows import Ints
from samestory.engines.sending import DIGEST, DIGESTED, digest
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


def survey(told: list[Any], n_units: int | None, *, in_memory: bool) -> Units:
    """Return what the workers told of the units of the input; raise what went wrong first.

    Parameters
    ----------
    told : list of Row
        With `unit` and `facts`.
    n_units : int, optional
    in_memory : bool
        Whether the units are partitions of a DataFrame.
    """
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
    """The articles as they were read, in the partitions of their sites, and what tells their numbers.

    Attributes
    ----------
    arrived : Exchanged
        `samestory.engines.arriving.ARRIVING`.
    n_partitions : int
        Of those.
    units : Units
    numbering : Numbering
    shared : int64 array
        Hosts that many outlets share: their articles are with those of the host, not of the outlet.
    repeats : DataFrame
        Articles whose ids may occur more than once, as `value`.
    job : Job
    """

    arrived: Exchanged
    n_partitions: int
    units: Units
    numbering: Numbering
    shared: Ints
    repeats: DataFrame
    job: Job

    def bundles(self, *columns: str) -> DataFrame:
        """Return bundles of some columns."""
        return self.arrived.frame.where("n is not null").select("n", *columns)


def take_in(
    read: DataFrame, n_partitions: int, n_units: int | None, job: Job, *, named: bool, in_memory: bool
) -> Numbered:
    """Bring articles from where they are read to their sites, and plan the job for so many.

    Parameters
    ----------
    read : DataFrame
        `samestory.engines.arriving.ARRIVING`.
    n_partitions : int
        For which these were sent.
    n_units : int, optional
        Units of the input, where they are known.
    job : Job
    named : bool
        Whether the articles have ids.
    in_memory : bool
        Whether the units are partitions of a DataFrame.
    """
    arrived = job.frames.exchange(read, n_partitions)
    asked = arrived.frame.where(f"kind in ({FACTS}, {IDS}, {OUTLETS})").select(*DIGESTED)
    found = job.frames.keep(job.frames.map(asked, digest, DIGEST))
    told = found.where(f"kind <> {IDS}").collect()
    units = survey([row for row in told if row["kind"] == FACTS], n_units, in_memory=in_memory)
    job.plan(units.n, units.text_bytes)
    shared = np.array(sorted(row["value"] for row in told if row["kind"] == OUTLETS), dtype=np.int64)
    repeats = found.where(f"kind = {IDS}").select("value")
    return Numbered(arrived, n_partitions, units, Numbering(units.firsts, named), shared, repeats, job)


def repeated_ids(articles: Numbered) -> tuple[list[tuple[str, list[int], int]], int]:
    """Return a few of the ids that occur more than once, and how many there are.

    Each comes with a few of its rows, and how many it has.
    """
    frames = articles.job.frames
    n_docs = articles.repeats.count()
    if not n_docs:
        return [], 0
    docs = sent(articles.repeats.withColumnRenamed("value", "doc"), n_docs)
    named = frames.map(articles.bundles("doc", "doc_id"), name_articles, NAMED).join(docs, "doc")
    return _told(named, articles.numbering)


def _told(named: DataFrame, numbering: Numbering) -> tuple[list[tuple[str, list[int], int]], int]:
    """Return which of some ids occur more than once; two may have had one hash only."""
    from pyspark.sql import functions as f

    counted = named.groupBy("doc_id").agg(f.count("*").alias("n"), f.min("doc").alias("least"))
    repeated = counted.where("n > 1")
    found = []
    for row in repeated.orderBy("least").limit(_MOST_NAMED).collect():
        own = named.where(f.col("doc_id") == row["doc_id"]).orderBy("doc").limit(_MOST_NAMED)
        docs = np.array([one["doc"] for one in own.select("doc").collect()], dtype=np.int64)
        found.append((row["doc_id"], numbering.of(docs).tolist(), int(row["n"])))
    return found, repeated.count() if found else 0
