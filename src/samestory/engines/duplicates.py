"""The order of the stages on Spark, as the driver sees it: plans, counts, and no article."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from samestory.config import Config
from samestory.engines import (
    banding,
    connecting,
    finishing,
    furnishing,
    partials,
    rows,
    singles,
    stories,
    verifying,
)
from samestory.engines.blobs import BLOB, slots_of
from samestory.engines.frames import Frames, as_struct
from samestory.engines.reading import as_error
from samestory.errors import ConfigError, InputError
from samestory.fingerprints import Runs
from samestory.params import Banding, choose_banding
from samestory.pipeline import Timings
from samestory.progress import Observer, ignore_progress
from samestory.schema import CLUSTERS, EXACT, PAIRS
from samestory.sites import MOST_OUTLETS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

PARTITION_BYTES: Final = 96 << 20
"""A partition has about so many bytes of folded text, which its worker holds in memory or a file."""
SENT_ROWS: Final = 2_000_000
"""Up to so many short rows are sent to all workers, rather than text to where they are."""
_MOST_NAMED: Final = 3
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
    """

    frames: Frames
    config: Config
    partitions: int | None = None
    in_one_task: int = connecting.EDGES_IN_ONE_TASK
    observer: Observer = ignore_progress
    timings: Timings = field(default_factory=Timings)
    started: float = field(default_factory=time.perf_counter)

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


@dataclass(frozen=True)
class Found:
    """What the stages leave for the tables.

    Attributes
    ----------
    clean : DataFrame
        `rows.CLEAN`: all articles, by number.
    articles, pairs : DataFrame
        `rows.VERDICT`: of the articles of components, and of pairs.
    furniture : DataFrame or None
        Blocks.
    counts : dict
        Round-ups, and pairs that these do not join.
    told : DataFrame, optional
        `samestory.engines.stories.TOLD`, where stories are looked for.
    """

    clean: DataFrame
    articles: DataFrame
    pairs: DataFrame
    furniture: DataFrame | None
    counts: dict[str, int]
    told: DataFrame | None = None


def _f() -> Any:
    from pyspark.sql import functions

    return functions


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


def number(read: DataFrame, units: Units, job: Job, *, named: bool) -> DataFrame:
    """Give each article its number in the input; an id made of it where `named` is false."""
    f = _f()
    table = [(unit, int(first)) for unit, first in enumerate(units.firsts[:-1])]
    firsts = job.frames.rows(table or [(-1, 0)], "unit int, first bigint")
    numbered = read.where("facts is null").join(f.broadcast(firsts), "unit")
    numbered = numbered.withColumn("doc", f.col("first") + f.col("place")).drop("first", "facts")
    if not named:
        numbered = numbered.withColumn("doc_id", f.concat(f.lit("table:"), (f.col("doc") + 1).cast("string")))
    return numbered


def repeated_ids(numbered: DataFrame) -> tuple[list[tuple[str, list[int], int]], int]:
    """Return a few of the ids that occur more than once, and how many there are.

    Each comes with a few of its rows, and how many it has.
    """
    f = _f()
    counted = numbered.groupBy("doc_id").agg(f.count("*").alias("n"), f.min("doc").alias("first"))
    repeated = counted.where("n > 1")
    n = repeated.count()
    if not n:
        return [], 0
    chosen = repeated.orderBy("first").limit(_MOST_NAMED).collect()
    found = []
    for row in chosen:
        own = numbered.where(f.col("doc_id") == row["doc_id"]).orderBy("doc").limit(_MOST_NAMED)
        found.append((row["doc_id"], [int(one["doc"]) for one in own.select("doc").collect()], int(row["n"])))
    return found, n


def find_duplicates(numbered: DataFrame, units: Units, job: Job) -> Found:
    """Do the stages from furniture to partial copies."""
    n_partitions = job.partitions or max(
        job.frames.session.sparkContext.defaultParallelism, -(-units.text_bytes // PARTITION_BYTES)
    )
    job.partitions = n_partitions
    with job.stage("furniture", 1):
        clean, furniture = _furnish(numbered, units.n, n_partitions, job)
        clean = job.frames.keep(clean)
        facts = clean.where("doc < 0")
        articles = clean.where("doc >= 0")
        row = articles.agg(_f().sum(_f().length("text")).alias("size")).first()
        size = int(row["size"] or 0) if row is not None else 0
    with job.stage("band", 2):
        comps = job.frames.keep(_components(articles, units.n, n_partitions, job))
        n_members = comps.count()
    with job.stage("verify", 3):
        members = articles.join(_sent(comps, n_members), "doc").drop(
            "prints", "title", "source", "url", "n_removed", "facts"
        )
        verdict = job.frames.map(
            members.repartition(n_partitions, "comp"),
            verifying.verify_partition,
            rows.VERDICT,
            config=job.config,
        )
        verdict = job.frames.keep(verdict)
    with job.stage("partial copies", 4):
        judged, pairs, counts = _partial_copies(
            articles, verdict, n_members, size, units.n, n_partitions, job
        )
    told = None
    if job.config.level == "story":
        with job.stage("stories", 5):
            judged = job.frames.keep(judged)
            told = job.frames.keep(stories.tell(articles, judged, job))
            told.count()
    return Found(articles, judged, pairs, facts if furniture else None, counts, told)


def _furnish(numbered: DataFrame, n: int, n_partitions: int, job: Job) -> tuple[DataFrame, bool]:
    """Take the furniture out of all articles, site by site; without that, bring them into the same form."""
    f = _f()
    names = [field.name for field in rows.CLEAN]
    if not job.config.boilerplate:
        return numbered.withColumn("facts", f.lit(None).cast("binary")).select(*names), False
    rank_bits = singles.rank_bits_of(n)
    placed = _with_sites(numbered).withColumn("slot", _slot(f.col("site"), n_partitions))
    routed = job.frames.map(
        placed.select("doc", "prints", "slot"),
        singles.route_prints,
        BLOB,
        n_partitions=n_partitions,
        extra=("slot",),
    )
    counted = job.frames.map(
        routed.repartition(n_partitions, "slot"), singles.count_singles, BLOB, rank_bits=rank_bits
    )
    both = placed.drop("unit", "place", "host", "outlet").unionByName(
        counted.select("slot", "payload"), allowMissingColumns=True
    )
    together = both.repartition(n_partitions, "slot").drop("slot")
    clean = job.frames.map(together, furnishing.furnish, rows.CLEAN, config=job.config, rank_bits=rank_bits)
    return clean, True


def _slot(column: Column, n_partitions: int) -> Column:
    """Return the number by which rows go to the partition of a key: those of one key to one."""
    f = _f()
    slots = f.array(*(f.lit(slot) for slot in slots_of(n_partitions)))
    return f.element_at(slots, (f.pmod(f.xxhash64(column), f.lit(n_partitions)) + 1).cast("int"))


def _with_sites(numbered: DataFrame) -> DataFrame:
    """Tell each article's site, by the rule of `samestory.sites.find_sites`."""
    f = _f()
    both = numbered.where("host != 0 and outlet != 0").select("host", "outlet").distinct()
    shared = both.groupBy("host").count().where(f.col("count") > MOST_OUTLETS).select("host")
    told = numbered.join(
        f.broadcast(shared.withColumn("is_shared", f.lit(True))),
        "host",
        "left",  # few: aggregators
    )
    is_host = (f.col("host") != 0) & f.col("is_shared").isNull()
    told = told.withColumn("is_host", is_host).drop("is_shared")
    return told.withColumn("site", f.when(f.col("is_host"), f.col("host")).otherwise(f.col("outlet")))


def _components(articles: DataFrame, n: int, n_partitions: int, job: Job) -> DataFrame:
    index_bits = banding.index_bits_of(n)
    routed = job.frames.map(
        articles.select("doc", "bands", "n_shingles"),
        banding.route_bands,
        BLOB,
        n_bands=job.banding.bands,
        n_partitions=n_partitions,
        index_bits=index_bits,
    )
    edges = job.frames.map(
        routed.repartition(n_partitions, "slot"), banding.link_partition, banding.EDGE, index_bits=index_bits
    )
    return connecting.components(edges, job.frames, in_one_task=job.in_one_task)


def _partial_copies(
    articles: DataFrame,
    verdict: DataFrame,
    n_members: int,
    size: int,
    n: int,
    n_partitions: int,
    job: Job,
) -> tuple[DataFrame, DataFrame, dict[str, int]]:
    """Join clusters by their partial copies; return the verdicts on articles and pairs, and counts."""
    f = _f()
    counts = {"round_ups": 0, "pairs_not_joined_by_round_ups": 0}
    judged, pairs = verdict.where(f"kind = {rows.ARTICLE}"), verdict.where(f"kind = {rows.PAIR}")
    splits = job.config.founder_overlap > 0
    proposed = job.frames.keep(_propose(articles, judged, n_members, size, n, n_partitions, job))
    if not proposed.limit(1).count() and not splits:
        return judged, pairs, counts
    linked = job.frames.keep(_linked(judged, proposed, job))
    related = job.frames.keep(
        _relate(articles, _sent(linked, linked.count()), pairs, proposed, n_partitions, job)
    )
    row = (
        related.where(f"kind = {rows.COUNT}").agg(f.sum("doc").alias("a"), f.sum("other").alias("b")).first()
    )
    if row is not None:
        counts = dict(zip(counts, (int(row["a"] or 0), int(row["b"] or 0)), strict=True))
    touched = linked.select("doc")
    return (
        judged.join(touched, "doc", "left_anti").unionByName(related.where(f"kind = {rows.ARTICLE}")),
        pairs.join(touched, "doc", "left_anti").unionByName(related.where(f"kind = {rows.PAIR}")),
        counts,
    )


def _propose(
    articles: DataFrame, judged: DataFrame, n_members: int, size: int, n: int, n_partitions: int, job: Job
) -> DataFrame:
    """Return the pairs of articles to compare, of those that stand for their clusters."""
    f = _f()
    if not job.config.partial:
        return job.frames.rows([], as_struct(partials.PROPOSED))
    runs = Runs.of_corpus(job.by_character, n, size)
    source = "prints" if runs == Runs.of_corpus(job.by_character) else "text"
    told = judged.select("doc", f.col("other").alias("founder"), "is_delegate")
    chosen = articles.select("doc", "text_key", "n_units", source).join(_sent(told, n_members), "doc", "left")
    chosen = chosen.where("is_delegate is null or is_delegate").drop("is_delegate")
    chosen = chosen.withColumn("founder", f.coalesce("founder", "doc"))
    routed = job.frames.map(chosen, partials.route_delegates, BLOB, n_partitions=n_partitions, runs=runs)
    proposed = job.frames.map(
        routed.repartition(n_partitions, "slot"),
        partials.propose_partition,
        partials.PROPOSED,
        rank_bits=singles.rank_bits_of(n),
        runs=runs,
    )
    summed = proposed.groupBy("a", "b", "founder_a", "founder_b", "units").agg(f.sum("n").alias("n"))
    return job.frames.map(
        summed, partials.choose_proposed, partials.PROPOSED, runs=runs, containment=job.config.containment
    )


def _sent(frame: DataFrame, n: int) -> DataFrame:
    """Mark a frame of so many short rows, if they are few, to be sent to where those of a join are."""
    return _f().broadcast(frame) if n <= SENT_ROWS else frame


def _linked(judged: DataFrame, proposed: DataFrame, job: Job) -> DataFrame:
    """Return the articles of the clusters that pairs connect: `doc`, `founder`, and their common `label`."""
    f = _f()
    edges = proposed.select(
        f.least("founder_a", "founder_b").alias("a"), f.greatest("founder_a", "founder_b").alias("b")
    )
    nodes = connecting.components(edges.where("a != b"), job.frames, in_one_task=job.in_one_task)
    nodes = job.frames.keep(nodes.select(f.col("doc").alias("founder"), f.col("comp").alias("label")))
    members = judged.select("doc", f.col("other").alias("founder"), "cluster_size")
    if job.config.founder_overlap > 0:
        inside = members.join(nodes, "founder", "left").where("cluster_size > 1 or label is not null")
        inside = inside.withColumn("label", f.coalesce("label", "founder"))
    else:
        inside = members.join(nodes, "founder")
    alone = nodes.join(judged.select(f.col("doc").alias("founder")), "founder", "left_anti")
    alone = alone.select(f.col("founder").alias("doc"), "founder", "label")
    return inside.select("doc", "founder", "label").unionByName(alone)


def _relate(
    articles: DataFrame, linked: DataFrame, pairs: DataFrame, proposed: DataFrame, n_partitions: int, job: Job
) -> DataFrame:
    """Relate whole linked clusters, each with its candidates and the pairs that hold it together."""
    f = _f()
    labels = linked.select(f.col("doc").alias("a"), "label")
    members = articles.drop("prints", "title", "source", "url", "n_removed", "facts").join(linked, "doc")
    near = pairs.where(f.col("relation") != EXACT).select(
        f.col("doc").alias("a"), f.col("other").alias("b"), f.col("shared").cast("bigint"), "comp", "seq"
    )
    sent = (
        members.withColumn("kind", f.lit(0))
        .unionByName(
            proposed.select("a", "b").join(labels, "a").withColumn("kind", f.lit(partials.CANDIDATE)),
            allowMissingColumns=True,
        )
        .unionByName(
            near.join(labels, "a").withColumn("kind", f.lit(partials.NEAR)), allowMissingColumns=True
        )
    )
    return job.frames.map(
        sent.repartition(n_partitions, "label"), partials.relate_partition, rows.VERDICT, config=job.config
    )


def clusters_frame(found: Found, n: int, job: Job) -> DataFrame:
    """Return the table of clusters, in input order."""
    taken = found.clean.select("doc", *finishing.TAKEN)
    told = taken.join(found.articles.select("doc", *finishing.JUDGED), "doc", "left")
    if found.told is not None:
        own = found.told.where(f"kind = {stories.ARTICLE}").select("doc", *finishing.TOLD)
        told = told.join(own, "doc", "left")
    return job.frames.map(_in_order(told, n, job), finishing.clusters_rows, CLUSTERS)


def pairs_frame(found: Found, n: int, job: Job) -> DataFrame:
    """Return the table of pairs, in the order of the input."""
    pairs = found.pairs
    if found.told is not None:
        own = found.told.where(f"kind = {stories.PAIR}").drop("payload", "story_id", "story_size")
        pairs = pairs.unionByName(own, allowMissingColumns=True)
    return job.frames.map(_in_order(pairs, n, job), finishing.pairs_rows, PAIRS)


def _in_order(frame: DataFrame, n: int, job: Job) -> DataFrame:
    """Put rows of articles into partitions of consecutive ones, and into order."""
    f = _f()
    n_partitions = job.partitions or 1
    slots = f.array(*(f.lit(slot) for slot in slots_of(n_partitions)))
    each = max(1, -(-n // n_partitions))
    slot = f.element_at(slots, (f.floor(f.col("doc") / f.lit(each)) + 1).cast("int"))
    order = [name for name in ("doc", "other") if name in frame.columns]
    return frame.withColumn("slot", slot).repartition(n_partitions, "slot").sortWithinPartitions(*order)


def check_config(config: Config) -> None:
    """Raise for what the Spark engine cannot do.

    Raises
    ------
    ConfigError
        Broken rows are to be set aside.
    """
    if config.on_error == "skip":
        raise ConfigError(
            "the Spark engine sets no broken rows aside", hint="leave out --on-error skip, or --engine spark"
        )
