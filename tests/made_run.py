"""Folders and results of runs that never ran, to be judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from samestory.schema import CLUSTERS, FORMAT_VERSION, PAIRS

FOOTER: Final = {
    b"samestory.version": b"0",
    b"samestory.format_version": str(FORMAT_VERSION).encode(),
    b"samestory.fingerprint": b"f",
}
THRESHOLD: Final = 0.5


@dataclass(frozen=True)
class MadeRun:
    """What `samestory.cluster` returns, as far as judging it goes."""

    clusters: pa.Table
    pairs: pa.Table
    stats: dict[str, Any] = field(default_factory=lambda: {"config": {"threshold": THRESHOLD}})


def clusters_of(cluster_ids: Mapping[str, str], stories: Mapping[str, str] | None = None) -> pa.Table:
    """Clusters of articles, by their ids."""
    rows = [
        {
            "doc_id": doc_id,
            "cluster_id": cluster_id,
            "cluster_size": list(cluster_ids.values()).count(cluster_id),
            "representative_id": cluster_id,
            "relation": "unique",
            "jaccard": 1.0,
            "containment": 1.0,
            "n_shingles": 9,
            "boilerplate_ratio": 0.0,
            "story_id": (stories or {}).get(doc_id),
        }
        for doc_id, cluster_id in cluster_ids.items()
    ]
    return pa.Table.from_pylist(rows, schema=CLUSTERS)


def pairs_of(pairs: Sequence[tuple[str, str, float, float, float]], story: float | None = None) -> pa.Table:
    """Pairs of articles: two ids, the Jaccard similarity, the containment of a in b and of b in a."""
    rows = [
        {
            "doc_id_a": a,
            "doc_id_b": b,
            "relation": "near",
            "jaccard": jaccard,
            "containment_a_in_b": forward,
            "containment_b_in_a": backward,
            "shared_shingles": 1,
            "story_score": story,
            "cluster_id": a,
        }
        for a, b, jaccard, forward, backward in pairs
    ]
    return pa.Table.from_pylist(rows, schema=PAIRS)


def write_run(folder: Path, run: MadeRun, footer: Mapping[bytes, bytes] = FOOTER) -> Path:
    """Write a run as `samestory cluster` does."""
    folder.mkdir(exist_ok=True)
    pq.write_table(run.clusters.replace_schema_metadata(footer), folder / "clusters.parquet")
    pq.write_table(run.pairs.replace_schema_metadata(footer), folder / "pairs.parquet")
    (folder / "run.json").write_text(json.dumps(run.stats), encoding="utf-8")
    return folder
