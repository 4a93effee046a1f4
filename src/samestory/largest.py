"""The largest clusters of a run, what holds them together, and whether they look wrong."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory.metadata import Ids
from samestory.tabulate import EXACT, LINKED, RELATIONS, REPRESENTATIVE, STORY, Clusters, Pairs, share

N_LARGEST: Final = 5
LARGE_RATIO: Final = 0.01
"""A cluster of more than this share of the corpus is worth a look,"""
LEAST_LARGE: Final = 10
"""if it has so many articles at least."""
MOSTLY: Final = 0.5
_AT_ONCE: Final = 1 << 16


def largest_clusters(ids: Ids, clusters: Clusters, pairs: Pairs) -> list[dict[str, Any]]:
    """Describe the largest clusters of two or more articles, the largest first.

    Returns
    -------
    list of dict
        `cluster_id`, `size`, `linked` (its members that are joined to the representative
        through others only), and `weakest_link`: the pair without which it would fall apart, with its
        containment (the larger way); null if all its texts are the same.
    """
    kept = np.flatnonzero(clusters.relations == REPRESENTATIVE)
    sizes = clusters.sizes[kept]
    if len(kept) > N_LARGEST:
        kept = kept[sizes >= np.partition(sizes, -N_LARGEST)[-N_LARGEST]]
    largest = _first_named(ids, clusters.founders[kept], clusters.sizes[kept])
    # A pair of one event may lie inside a cluster too, but holds nothing together.
    rows = np.flatnonzero(np.isin(clusters.founders[pairs.firsts], largest) & (pairs.relations != STORY))
    copies = pairs.at(rows)
    return [_describe(founder, ids, clusters, copies) for founder in largest.tolist()]


def _first_named(ids: Ids, founders: NDArray[np.int32], sizes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the first few clusters by size, then by id: some at a time, for many may be of one size."""
    best = founders[:0]
    best_sizes = sizes[:0]
    for begin in range(0, len(founders), _AT_ONCE):
        some = np.concatenate([best, founders[begin : begin + _AT_ONCE]])
        some_sizes = np.concatenate([best_sizes, sizes[begin : begin + _AT_ONCE]])
        table = pa.table({"size": some_sizes, "id": ids.take(some)})
        order = pc.sort_indices(table, sort_keys=[("size", "descending"), ("id", "ascending")])
        first = order.to_numpy()[:N_LARGEST]
        best, best_sizes = some[first], some_sizes[first]
    return best


def _describe(founder: int, ids: Ids, clusters: Clusters, copies: Pairs) -> dict[str, Any]:
    members = clusters.founders == founder
    own = copies.at(np.flatnonzero(clusters.founders[copies.firsts] == founder))
    return {
        "cluster_id": ids[founder],
        "size": int(clusters.sizes[founder]),
        "linked": int(np.count_nonzero(clusters.relations[members] == LINKED)),
        "weakest_link": _weakest_link(own, ids, clusters.n_shingles),
    }


def _weakest_link(pairs: Pairs, ids: Ids, n_shingles: NDArray[np.int32]) -> dict[str, Any] | None:
    """Return the last edge of the maximum spanning tree (Kruskal 1956) by containment."""
    strength = np.maximum(
        share(pairs.shared, n_shingles[pairs.firsts], empty=0.0),
        share(pairs.shared, n_shingles[pairs.seconds], empty=0.0),
    )
    last = last_needed(pairs.firsts.tolist(), pairs.seconds.tolist(), strength)
    if last is None or pairs.relations[last] == EXACT:
        return None
    return {
        "doc_id_a": ids[int(pairs.firsts[last])],
        "doc_id_b": ids[int(pairs.seconds[last])],
        "relation": RELATIONS[pairs.relations[last]],
        "containment": round(float(strength[last]), 4),
    }


def last_needed(firsts: list[Any], seconds: list[Any], strength: NDArray[np.float32]) -> int | None:
    """Return the place of the weakest pair without which those that the pairs connect would fall apart.

    Parameters
    ----------
    firsts, seconds : list
        The two ends of each pair: anything that can be told apart.
    strength : float32 array
        Of each pair; of equals the first goes first.
    """
    roots: dict[Any, Any] = {}

    def find(node: Any) -> Any:
        while roots.setdefault(node, node) != node:
            roots[node] = roots[roots[node]]
            node = roots[node]
        return node

    last = None
    for k in np.argsort(-strength, kind="stable").tolist():
        a, b = find(firsts[k]), find(seconds[k])
        if a != b:
            roots[a] = b
            last = k
    return last


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
