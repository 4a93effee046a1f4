"""The order of the stages on Spark, as the driver sees it: plans, counts, and no article."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from samestory.config import Config
from samestory.engines import banding, connecting, finishing, furnishing, rows, sending, singles, stories
from samestory.engines.arriving import ARRIVING, PRINTS, SINGLES, SITED
from samestory.engines.assigning import Clean
from samestory.engines.blobs import BLOB
from samestory.engines.bundles import CLEAN_BUNDLES, VERDICT_BUNDLES, numbered_as_clean
from samestory.engines.job import Job
from samestory.engines.numbering import Numbered
from samestory.engines.relating import join_partial_copies
from samestory.engines.verifying import MEMBERS, SECOND, VERIFIED, route_members, verify_partition
from samestory.engines.writing import Rows
from samestory.errors import ConfigError
from samestory.schema import CLUSTERS, PAIRS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Found:
    """What the stages leave for the tables.

    Attributes
    ----------
    clean : Clean
        All articles.
    verdicts : DataFrame
        `samestory.engines.bundles.VERDICT_BUNDLES`, of both rounds.
    counts : dict
        Round-ups, and pairs that these do not join.
    told : DataFrame, optional
        `samestory.engines.stories.TOLD`, where stories are looked for.
    """

    clean: Clean
    verdicts: DataFrame
    counts: dict[str, int]
    told: DataFrame | None = None


def find_duplicates(numbered: Numbered, job: Job) -> Found:
    """Do the stages from furniture to partial copies."""
    with job.stage("furniture", 1):
        clean = Clean(job.frames.keep(_furnished(numbered, job)), job)
        clean.sums  # noqa: B018 - makes them, where nothing else has
    with job.stage("band", 2):
        comps = job.frames.keep(_components(clean, job))
        n_members = comps.count()
    with job.stage("verify", 3):
        members = clean.assigned(comps, n_members, VERIFIED)
        routed = job.frames.map(members, route_members, MEMBERS, n_partitions=job.n_partitions)
        together = routed.repartition(job.n_partitions, "slot")
        verdict = job.frames.keep(
            job.frames.map(together, verify_partition, VERDICT_BUNDLES, config=job.config)
        )
    with job.stage("partial copies", 4):
        verdicts, counts = join_partial_copies(clean, verdict, n_members, job)
    told = None
    if job.config.level == "story":
        with job.stage("stories", 5):
            told = job.frames.keep(stories.tell(clean.some(*stories.SENT), verdicts, job))
            told.count()
    return Found(clean, verdicts, counts, told)


def _furnished(articles: Numbered, job: Job) -> DataFrame:
    """Take the furniture out of all articles, site by site; without that, bring them into the same form."""
    frames, numbering, shared = job.frames, articles.numbering, articles.shared
    if not job.config.boilerplate:
        bundles = articles.bundles(*rows.READ.names)
        return frames.map(bundles, numbered_as_clean, CLEAN_BUNDLES, numbering=numbering)
    rank_bits = singles.rank_bits_of(job.n_articles)
    prints = articles.arrived.frame.where(f"kind = {PRINTS}").select("kind", "payload")
    counted = frames.map(prints, singles.count_singles, ARRIVING, rank_bits=rank_bits)
    exchanged = frames.exchange(counted, articles.n_partitions)
    together = frames.together(articles.arrived, exchanged, articles.n_partitions)
    together = together.where(f"n is not null or kind = {SINGLES}").select(*SITED)
    if len(shared):
        moved = frames.map(
            together, sending.move, ARRIVING, n_partitions=articles.n_partitions, shared=shared
        )
        together = moved.repartition(articles.n_partitions, "slot").select(*SITED)
    return frames.map(
        together,
        furnishing.furnish,
        CLEAN_BUNDLES,
        config=job.config,
        rank_bits=rank_bits,
        numbering=numbering,
        shared=shared,
    )


def _components(clean: Clean, job: Job) -> DataFrame:
    index_bits = banding.index_bits_of(job.n_articles)
    routed = job.frames.map(
        clean.some("doc", "bands", "n_shingles"),
        banding.route_bands,
        BLOB,
        n_bands=job.banding.bands,
        n_partitions=job.n_partitions,
        index_bits=index_bits,
    )
    together = routed.repartition(job.n_partitions, "slot")
    edges = job.frames.map(together, banding.link_partition, banding.EDGE, index_bits=index_bits)
    return connecting.components(edges, job.frames, in_one_task=job.in_one_task)


def clusters_rows(found: Found, job: Job) -> Rows:
    """Return the table of clusters, in input order."""
    rows_out, frames = finishing.LINES, job.frames
    lines = frames.map(
        found.clean.some("doc", *finishing.TAKEN),
        finishing.route_articles,
        rows_out,
        rows=rows_out,
        **job.in_order,
    )
    wanted = {rows.ARTICLE: ["doc", *finishing.JUDGED]}
    said = {rows.ARTICLE: list(finishing.JUDGED)}
    verdicts = frames.map(
        found.verdicts, finishing.route_verdicts, rows_out, rows=rows_out, wanted=wanted, **job.in_order
    )
    both = lines.union(verdicts)
    if found.told is not None:
        said[rows.STORY] = list(finishing.TOLD)
        own = found.told.where(f"kind = {stories.ARTICLE}").select("doc", *finishing.TOLD)
        both = both.union(
            frames.map(own, finishing.route_rows, rows_out, rows=rows_out, kind=rows.STORY, **job.in_order)
        )
    together = both.repartition(job.n_partitions, "slot")
    return Rows(together, finishing.clusters_rows, CLUSTERS, {"said": said})


def pairs_rows(found: Found, job: Job) -> Rows:
    """Return the table of pairs, in the order of the input."""
    rows_out, frames = finishing.PAIR_LINES, job.frames
    columns = [name for name in finishing.PAIRED if name != "story_score"]
    seen = frames.map(
        found.verdicts.where(f"kind = {rows.PAIR}"),
        finishing.route_verdicts,
        rows_out,
        rows=rows_out,
        wanted={rows.PAIR: columns},
        **job.in_order,
    ).union(
        frames.map(
            found.verdicts.where(f"kind = {rows.ARTICLE} and round = {SECOND}"),
            finishing.route_verdicts,
            rows_out,
            rows=rows_out,
            wanted={rows.ARTICLE: ["doc"]},
            **job.in_order,
        )
    )
    if found.told is not None:
        own = found.told.where(f"kind = {stories.PAIR}").select(*finishing.PAIRED)
        seen = seen.union(
            frames.map(own, finishing.route_rows, rows_out, rows=rows_out, kind=rows.STORY, **job.in_order)
        )
    return Rows(seen.repartition(job.n_partitions, "slot"), finishing.pairs_rows, PAIRS, {})


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
