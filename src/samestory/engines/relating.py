"""Partial copies on Spark as the driver sees them: pairs proposed, linked clusters related anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samestory.engines import connecting, partials, singles
from samestory.engines.assigning import Clean
from samestory.engines.blobs import BLOB
from samestory.engines.bundles import VERDICT_BUNDLES
from samestory.engines.frames import as_struct
from samestory.engines.job import Job, sent
from samestory.engines.verifying import MEMBER, NEAR, VERIFIED, members_of, near_pairs
from samestory.fingerprints import Runs

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def join_partial_copies(
    clean: Clean, verdict: DataFrame, n_members: int, job: Job
) -> tuple[DataFrame, dict[str, int]]:
    """Join clusters by their partial copies; return the verdicts of both rounds, and counts.

    Parameters
    ----------
    clean : Clean
    verdict : DataFrame
        `samestory.engines.bundles.VERDICT_BUNDLES`, kept; of the components, which have `n_members`.
    n_members : int
    job : Job
    """
    counts = {"round_ups": 0, "pairs_not_joined_by_round_ups": 0}
    told = job.frames.some(verdict, ["n", "kind", *MEMBER.names])
    judged = job.frames.keep(job.frames.map(told, members_of, MEMBER))
    splits = job.config.founder_overlap > 0
    proposed = job.frames.keep(_propose(clean, judged, n_members, job))
    if not proposed.limit(1).count() and not splits:
        return verdict, counts
    linked = job.frames.keep(_linked(judged, proposed, job))
    related = job.frames.keep(_relate(clean, linked, linked.count(), verdict, proposed, job))
    return verdict.unionByName(related), _counted(related, counts)


def _counted(related: DataFrame, counts: dict[str, int]) -> dict[str, int]:
    from pyspark.sql import functions as f

    row = related.agg(f.sum("n_round_ups").alias("a"), f.sum("n_cut").alias("b")).first()
    if row is None:
        return counts
    return dict(zip(counts, (int(row["a"] or 0), int(row["b"] or 0)), strict=True))


def _propose(clean: Clean, judged: DataFrame, n_members: int, job: Job) -> DataFrame:
    """Return the pairs of articles, each of which stands for its cluster, that are to be compared."""
    from pyspark.sql import functions as f

    if not job.config.partial:
        return job.frames.rows([], as_struct(partials.PROPOSED))
    runs = Runs.of_corpus(job.by_character, job.n_articles, clean.sums["size"])
    source = "prints" if runs == Runs.of_corpus(job.by_character) else "text"
    told = judged.select("doc", f.col("other").alias("founder"), "is_delegate")
    columns = ("doc", "text_key", "n_units", source)
    chosen = clean.assigned(told, n_members, columns, all_bundles=True)
    routed = job.frames.map(chosen, partials.route_delegates, BLOB, n_partitions=job.n_partitions, runs=runs)
    proposed = job.frames.map(
        routed.repartition(job.n_partitions, "slot"),
        partials.propose_partition,
        partials.PROPOSED,
        rank_bits=singles.rank_bits_of(job.n_articles),
        runs=runs,
    )
    summed = proposed.groupBy("a", "b", "founder_a", "founder_b", "units").agg(f.sum("n").alias("n"))
    return job.frames.map(
        summed, partials.choose_proposed, partials.PROPOSED, runs=runs, containment=job.config.containment
    )


def _linked(judged: DataFrame, proposed: DataFrame, job: Job) -> DataFrame:
    """Return the articles of the clusters that pairs connect: `doc`, `founder`, and their common `label`."""
    from pyspark.sql import functions as f

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
    clean: Clean, linked: DataFrame, n_linked: int, verdict: DataFrame, proposed: DataFrame, job: Job
) -> DataFrame:
    """Relate whole linked clusters, each with its candidates and the pairs that hold it together."""
    from pyspark.sql import functions as f

    members = clean.assigned(linked, n_linked, VERIFIED)
    routed = job.frames.map(members, partials.route_linked, partials.LINKED, n_partitions=job.n_partitions)
    labels = sent(linked.select(f.col("doc").alias("a"), "label"), n_linked)
    told = job.frames.some(verdict, ["n", "kind", "relation", *NEAR.names])
    near = job.frames.map(told, near_pairs, NEAR).withColumnsRenamed({"doc": "a", "other": "b"})
    edges = (
        proposed.select("a", "b")
        .withColumn("kind", f.lit(partials.CANDIDATE))
        .unionByName(near.withColumn("kind", f.lit(partials.NEAR)), allowMissingColumns=True)
        .join(labels, "a")
    )
    placed = edges.withColumn("slot", job.slots_by_key(f.col("label"))).drop("label")
    together = routed.unionByName(placed, allowMissingColumns=True).repartition(job.n_partitions, "slot")
    return job.frames.map(together, partials.relate_partition, VERDICT_BUNDLES, config=job.config)
