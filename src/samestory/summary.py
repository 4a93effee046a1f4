"""The facts of a run: what `run.json` records and the summary shows."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from samestory import schema
from samestory.config import Config
from samestory.kernels.clusters import MOST_LISTED
from samestory.largest import largest_clusters, suspicions
from samestory.metadata import Ids
from samestory.params import Banding
from samestory.pieces import Pieces
from samestory.read import Source
from samestory.tabulate import LINKED, RELATIONS, REPRESENTATIVE, UNIQUE, Clusters, Pairs, Stories
from samestory.version import __version__

_LARGEST_SHOWN = 5


def run_stats(
    source: Source,
    config: Config,
    banding: Banding,
    ids: Ids,
    clusters: Clusters,
    pairs: Pairs,
    furniture: dict[str, Any],
    round_ups: dict[str, int],
    text_bytes: int,
    seconds: dict[str, float],
    stories: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Gather the facts of a run, as plain values for JSON."""
    n = len(clusters)
    counts = [int(np.count_nonzero(clusters.relations == code)) for code in range(LINKED + 1)]
    n_clusters = counts[REPRESENTATIVE]
    n_redundant = n - n_clusters - counts[UNIQUE]
    kept_sizes = clusters.sizes[clusters.relations == REPRESENTATIVE]
    largest = largest_clusters(ids, clusters, pairs)
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
            "empty": int(np.count_nonzero(clusters.n_shingles == 0)),
            "largest_cluster": int(clusters.sizes.max(initial=0)),
            "relations": dict(zip(RELATIONS, counts, strict=False)),
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


def stories_stats(stories: Stories, table: Pieces) -> dict[str, Any]:
    """Gather the facts of the stories: those of one cluster count, too."""
    n_told = len(table)
    n_clusters = int(stories.n_clusters.sum(dtype=np.int64))
    largest = table.make(0, min(_LARGEST_SHOWN, n_told)).to_pylist()
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
