"""The largest clusters of a run, what holds them together, and whether they look wrong."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from samestory import schema

N_LARGEST: Final = 5
LARGE_RATIO: Final = 0.01
"""A cluster of more than this share of the corpus is worth a look,"""
LEAST_LARGE: Final = 10
"""if it has so many articles at least."""
MOSTLY: Final = 0.5


def largest_clusters(clusters: pa.Table, pairs: pa.Table) -> list[dict[str, Any]]:
    """Describe the largest clusters of two or more articles, the largest first.

    Parameters
    ----------
    clusters, pairs : pyarrow.Table
        As written.

    Returns
    -------
    list of dict
        `cluster_id`, `size`, `linked` (its members that are joined to the representative
        through others only), and `weakest_link`: the pair without which it would fall apart, with its
        containment (the larger way); null if all its texts are the same.
    """
    is_kept = pc.equal(clusters["relation"], schema.REPRESENTATIVE)
    kept = clusters.select(["cluster_id", "cluster_size"]).filter(is_kept)
    kept = kept.sort_by([("cluster_size", "descending"), ("cluster_id", "ascending")]).slice(0, N_LARGEST)
    return [_describe(row["cluster_id"], row["cluster_size"], clusters, pairs) for row in kept.to_pylist()]


def _describe(cluster_id: str, size: int, clusters: pa.Table, pairs: pa.Table) -> dict[str, Any]:
    is_linked = pc.and_(
        pc.equal(clusters["cluster_id"], cluster_id), pc.equal(clusters["relation"], schema.LINKED)
    )
    # A pair of one event may lie inside a cluster too, but holds nothing together.
    is_copy = pc.not_equal(pairs["relation"], schema.STORY)
    own = pairs.filter(pc.and_(pc.equal(pairs["cluster_id"], cluster_id), is_copy))
    return {
        "cluster_id": cluster_id,
        "size": size,
        "linked": int(pc.sum(is_linked).as_py() or 0),
        "weakest_link": _weakest_link(own),
    }


def _weakest_link(pairs: pa.Table) -> dict[str, Any] | None:
    """Return the last edge of the maximum spanning tree (Kruskal 1956) by containment."""
    strength = np.maximum(pairs["containment_a_in_b"].to_numpy(), pairs["containment_b_in_a"].to_numpy())
    ids_a, ids_b = pairs["doc_id_a"].to_pylist(), pairs["doc_id_b"].to_pylist()
    roots: dict[str, str] = {}

    def find(node: str) -> str:
        while roots.setdefault(node, node) != node:
            roots[node] = roots[roots[node]]
            node = roots[node]
        return node

    last = None
    for k in np.argsort(-strength, kind="stable").tolist():
        a, b = find(ids_a[k]), find(ids_b[k])
        if a != b:
            roots[a] = b
            last = k
    if last is None or pairs["relation"][last].as_py() == schema.EXACT:
        return None
    return {
        "doc_id_a": ids_a[last],
        "doc_id_b": ids_b[last],
        "relation": pairs["relation"][last].as_py(),
        "containment": round(float(strength[last]), 4),
    }


def suspicions(largest: list[dict[str, Any]], n_articles: int) -> list[str]:
    """Return a warning of each of the largest clusters that looks like no set of copies."""
    found = []
    for cluster in largest:
        if cluster["size"] < LEAST_LARGE:
            continue
        name, size = cluster["cluster_id"], cluster["size"]
        hint = "look at its weakest link in run.json; --founder-overlap 0.2 splits what has drifted"
        if size > LARGE_RATIO * n_articles:
            found.append(f"cluster {name!r} holds {size:,} articles, {size / n_articles:.1%} of all: {hint}")
        elif cluster["linked"] > MOSTLY * size:
            found.append(
                f"cluster {name!r} is mostly linked: {cluster['linked']:,} of its {size:,} articles "
                f"are no copies of its representative: {hint}"
            )
    return found
