"""The facts of a run on Spark: the same as `samestory.summary` gathers, from aggregates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from samestory import schema
from samestory.config import Config
from samestory.engines.assigning import SUMS
from samestory.engines.bundles import bundles_in
from samestory.engines.duplicates import Found
from samestory.engines.job import Job
from samestory.engines.numbering import Units
from samestory.engines.rows import PAIR, VERDICT
from samestory.engines.stories import facts_of
from samestory.kernels.clusters import MOST_LISTED
from samestory.largest import N_LARGEST, last_needed, suspicions
from samestory.params import Banding
from samestory.read import Source
from samestory.summary import peak_memory_bytes
from samestory.version import __version__

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_RELATIONS: Final = (
    schema.UNIQUE, schema.REPRESENTATIVE, schema.EXACT, schema.NEAR, schema.PARTIAL, schema.LINKED,
)  # fmt: skip
_LINKED: Final = ("doc", "other", "relation", "containment", "back", "cluster_id", "id_a", "id_b")
LINKS: Final = pa.schema(
    [
        pa.field("round", pa.int32()),
        *(
            VERDICT.field(name)
            for name in ("doc", "other", "relation", "containment", "back", "cluster_id", "id_a", "id_b")
        ),
    ]
)
LINK: Final = pa.schema([pa.field("cluster_id", pa.string()), pa.field("link", pa.string())])


def run_facts(
    clusters: DataFrame,
    counts: dict[str, Any],
    found: Found,
    n_pairs: int,
    n_blocks: int,
    units: Units,
    source: Source,
    job: Job,
) -> dict[str, Any]:
    """Gather the facts of a run, as plain values for JSON.

    Parameters
    ----------
    clusters : DataFrame
        As written.
    counts : dict
        Of `add_up`.
    found : Found
    n_pairs, n_blocks : int
        Rows of the other tables.
    units : Units
    source : Source
        Names the inputs and columns.
    job : Job
    """
    config: Config = job.config
    banding: Banding = job.banding
    n, relations = counts["articles"], counts["relations"]
    n_clusters = relations[schema.REPRESENTATIVE]
    n_redundant = n - n_clusters - relations[schema.UNIQUE]
    largest = _largest(clusters, counts["largest"], found, job)
    return {
        "version": __version__,
        "finished_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "format_version": schema.FORMAT_VERSION,
        "fingerprint": config.fingerprint,
        "engine": "spark",
        "partitions": job.partitions,
        "config": config.as_dict(),
        "inputs": list(source.inputs),
        "columns": dict(source.columns),
        "banding": {
            "bands": banding.bands,
            "rows_per_band": banding.rows_per_band,
            "recall_at_threshold": round(banding.chance(config.threshold), 6),
        },
        "counts": {
            "articles": n,
            "clusters": n_clusters,
            "redundant": n_redundant,
            "redundant_ratio": round(n_redundant / n, 6) if n else 0.0,
            "empty": counts["empty"],
            "largest_cluster": counts["largest"][0][1] if largest else min(n, 1),
            "relations": relations,
            "pairs": n_pairs,
            **found.counts,
            "clusters_not_listed_pair_by_pair": counts["not_listed"],
            "rejected": 0,
        },
        "passed_over": source.skipped,
        "most_articles_listed_pair_by_pair": MOST_LISTED,
        "furniture": {"blocks": n_blocks, **_removed(found, job)},
        **({} if found.told is None else {"stories": facts_of(found.told)}),
        "largest_clusters": largest,
        "warnings": [*_warnings(units), *suspicions(largest, n)],
        "text_bytes": units.text_bytes,
        "seconds": {stage: round(value, 3) for stage, value in job.seconds.items()},
        "peak_memory_bytes": peak_memory_bytes(),
    }


def count_articles(clusters: pa.Table) -> dict[str, Any]:
    """Return facts of some rows of the table of clusters, for `add_up`."""
    kept = clusters.filter(pc.equal(clusters["relation"], schema.REPRESENTATIVE))
    relations = {one["values"]: one["counts"] for one in pc.value_counts(clusters["relation"]).to_pylist()}
    largest = kept.select(["cluster_size", "cluster_id"]).sort_by(
        [("cluster_size", "descending"), ("cluster_id", "ascending")]
    )
    return {
        "articles": len(clusters),
        "empty": pc.sum(pc.equal(clusters["n_shingles"], 0)).as_py() or 0,
        "not_listed": pc.sum(pc.greater(kept["cluster_size"], MOST_LISTED)).as_py() or 0,
        "relations": relations,
        "largest": [list(row.values()) for row in largest.slice(0, N_LARGEST).to_pylist()],
    }


def add_up(counted: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what `count_articles` says of parts of the table as facts of the whole."""
    largest = sorted((-size, name) for one in counted for size, name in one["largest"])[:N_LARGEST]
    return {
        **{name: sum(one[name] for one in counted) for name in ("articles", "empty", "not_listed")},
        "relations": {name: sum(one["relations"].get(name, 0) for one in counted) for name in _RELATIONS},
        "largest": [(name, -size) for size, name in largest],
    }


def _removed(found: Found, job: Job) -> dict[str, Any]:
    """Return how much was taken out as furniture, as `samestory.corpus.Corpus.removed` does."""
    _, changed, removed, units = (found.clean.sums[name] for name in SUMS)
    n_words = removed + units
    return {
        "articles": changed,
        "characters" if job.by_character else "words": removed,
        "ratio": round(removed / n_words, 6) if n_words else 0.0,
    }


def _largest(
    clusters: DataFrame, chosen: list[tuple[str, int]], found: Found, job: Job
) -> list[dict[str, Any]]:
    """Describe the largest clusters, as `samestory.largest.largest_clusters` does."""
    from pyspark.sql import functions as f

    if not chosen:
        return []
    ids = [name for name, _ in chosen]
    linked = clusters.where(f.col("cluster_id").isin(ids) & (f.col("relation") == schema.LINKED))
    n_linked = {row["cluster_id"]: row["n"] for row in linked.groupBy("cluster_id").agg(
        f.count("*").alias("n")
    ).collect()}  # fmt: skip
    wanted = job.frames.map(found.verdicts.where(f"kind = {PAIR}"), pairs_in, LINKS, clusters=ids)
    links = job.frames.map(wanted.repartition(len(ids), "cluster_id"), weakest_links, LINK).collect()
    weakest = {row["cluster_id"]: json.loads(row["link"]) for row in links}
    return [
        {
            "cluster_id": name,
            "size": size,
            "linked": n_linked.get(name, 0),
            "weakest_link": weakest.get(name),
        }
        for name, size in chosen
    ]


def pairs_in(batches: Iterable[pa.RecordBatch], clusters: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the pairs of some clusters, a row each."""
    for bundle in bundles_in(batches):
        own = bundle.articles.filter(pc.is_in(bundle.articles.column("cluster_id"), pa.array(clusters)))
        if len(own):
            rounds = pa.array(np.full(len(own), bundle.head("round"), np.int32))
            yield own.select(LINKS.names[1:]).add_column(0, "round", rounds).cast(LINKS)


def weakest_links(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Find the weakest link of each cluster, of which all pairs are here."""
    held = [batch for batch in batches if len(batch)]
    if not held:
        return
    table = pa.Table.from_batches(held).sort_by([("doc", "ascending"), ("other", "ascending")])
    names = np.asarray(table["cluster_id"].to_numpy())
    for cluster_id in dict.fromkeys(names.tolist()):
        own = table.filter(pa.array(names == cluster_id))
        # In the second round a cluster may have got the name of one of the first.
        own = own.filter(pc.equal(own["round"], pc.max(own["round"])))
        link = json.dumps(_weakest_link(own))
        yield pa.RecordBatch.from_arrays([pa.array([cluster_id]), pa.array([link])], schema=LINK)


def _weakest_link(pairs: pa.Table) -> dict[str, Any] | None:
    strength = np.maximum(pairs["containment"].to_numpy(), pairs["back"].to_numpy())
    last = last_needed(pairs["doc"].to_pylist(), pairs["other"].to_pylist(), strength)
    if last is None:
        return None
    row = pairs.slice(last, 1).to_pylist()[0]
    if row["relation"] == schema.EXACT:
        return None
    return {
        "doc_id_a": row["id_a"],
        "doc_id_b": row["id_b"],
        "relation": row["relation"],
        "containment": round(float(strength[last]), 4),
    }


def _warnings(units: Units) -> list[str]:
    if not units.n_undated:
        return []
    what = "1 date" if units.n_undated == 1 else f"{units.n_undated} dates"
    return [f"{what} could not be understood, taken as undated; first {units.first_undated}"]
