"""The facts of a run: what `run.json` records and the summary shows."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from samestory import schema
from samestory.config import Config
from samestory.kernels.clusters import MOST_LISTED
from samestory.largest import largest_clusters, suspicions
from samestory.params import Banding
from samestory.read import Source
from samestory.tabulate import Stories
from samestory.version import __version__

_LARGEST_SHOWN = 5
_RELATIONS = (schema.UNIQUE, schema.REPRESENTATIVE, schema.EXACT, schema.NEAR, schema.PARTIAL, schema.LINKED)


def run_stats(
    source: Source,
    config: Config,
    banding: Banding,
    clusters: pa.Table,
    pairs: pa.Table,
    furniture: dict[str, Any],
    round_ups: dict[str, int],
    text_bytes: int,
    seconds: dict[str, float],
    stories: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Gather the facts of a run, as plain values for JSON."""
    sizes = np.asarray(clusters["cluster_size"])
    relations = {
        entry["values"]: entry["counts"] for entry in pc.value_counts(clusters["relation"]).to_pylist()
    }
    n = len(clusters)
    n_clusters = relations.get(schema.REPRESENTATIVE, 0)
    n_redundant = n - n_clusters - relations.get(schema.UNIQUE, 0)
    is_kept = pc.equal(clusters["relation"], schema.REPRESENTATIVE)
    largest = largest_clusters(clusters, pairs)
    kept_sizes = np.asarray(clusters["cluster_size"].filter(is_kept))
    return {
        "version": __version__,
        "finished_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "format_version": schema.FORMAT_VERSION,
        "fingerprint": config.fingerprint,
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
            "empty": int(np.count_nonzero(np.asarray(clusters["n_shingles"]) == 0)),
            "largest_cluster": int(sizes.max(initial=0)),
            "relations": {name: relations.get(name, 0) for name in _RELATIONS},
            "pairs": len(pairs),
            **round_ups,
            "clusters_not_listed_pair_by_pair": int(np.count_nonzero(kept_sizes > MOST_LISTED)),
            "rejected": len(source.rejects),
        },
        "passed_over": source.skipped,
        "most_articles_listed_pair_by_pair": MOST_LISTED,
        "furniture": furniture,
        **({} if stories is None else {"stories": stories}),
        "largest_clusters": largest,
        "warnings": [*source.warnings, *suspicions(largest, n)],
        "text_bytes": text_bytes,
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "peak_memory_bytes": peak_memory_bytes(),
    }


def stories_stats(stories: Stories, table: pa.Table) -> dict[str, Any]:
    """Gather the facts of the stories: those of one cluster count, too."""
    n_told = len(table)
    n_clusters = int(np.asarray(table["n_clusters"]).sum(dtype=np.int64))
    largest = table.slice(0, _LARGEST_SHOWN).to_pylist()
    return {
        "stories": stories.n_units - n_clusters + n_told,
        "of_several_clusters": n_told,
        "pairs": len(stories.pairs),
        "candidate_pairs": stories.n_compared,
        "postings_read": stories.n_read,
        "postings_read_per_cluster": round(stories.n_read / max(1, stories.n_units), 1),
        "largest": [
            {
                "story_id": row["story_id"],
                "story_size": row["story_size"],
                "n_clusters": row["n_clusters"],
                "title": row["title"],
                "terms": [term["term"] for term in row["terms"]],
            }
            for row in largest
        ],
    }


def peak_memory_bytes() -> int | None:
    """Return the most memory this process has held, in bytes, where the system tells."""
    # On Linux getrusage counts what the process held that started this one, until it became this one.
    with suppress(OSError, StopIteration), Path("/proc/self/status").open(encoding="ascii") as status:
        return 1024 * int(next(line for line in status if line.startswith("VmHWM:")).split()[1])
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024
