"""One check of a whole result against the naive reference, for tests of many kinds of articles."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import networkx

import reference
import samestory
from tabled import single

MOST_LISTED: Final = 64
_SAME: Final = ("doc_id", "cluster_id", "cluster_size", "representative_id", "relation", "n_shingles")


def check_clusters(
    articles: Sequence[Mapping[str, Any]], result: samestory.Result, config: samestory.Config
) -> None:
    """Every row of `clusters` is what the reference says, the scores to the last bit of a float32."""
    expected = reference.cluster(
        articles, config.threshold, config.shingle_unit, config.shingle_size, rule=config.representative
    )
    found = result.clusters.to_pylist()
    assert [{name: row[name] for name in _SAME} for row in found] == [
        {name: row[name] for name in _SAME} for row in expected
    ]
    for name in ("jaccard", "containment"):
        assert [row[name] for row in found] == [single(row[name]) for row in expected]


def check_pairs(
    articles: Sequence[Mapping[str, Any]], result: samestory.Result, config: samestory.Config
) -> None:
    """Every row of `pairs` is exact, and there are all that are promised."""
    sets, forms = _forms(articles, config)
    places = {row["doc_id"]: place for place, row in enumerate(articles)}
    clusters = {row["doc_id"]: row for row in result.clusters.to_pylist()}
    listed: list[tuple[int, int]] = []
    for pair in result.pairs.to_pylist():
        a, b = places[pair["doc_id_a"]], places[pair["doc_id_b"]]
        listed.append((a, b))
        jaccard = reference.jaccard(sets[a], sets[b])
        assert jaccard >= config.threshold
        assert pair == {
            "doc_id_a": pair["doc_id_a"],
            "doc_id_b": pair["doc_id_b"],
            "relation": "exact" if forms[a] == forms[b] else "near",
            "jaccard": single(jaccard),
            "containment_a_in_b": single(reference.containment(sets[a], sets[b])),
            "containment_b_in_a": single(reference.containment(sets[b], sets[a])),
            "shared_shingles": len(sets[a] & sets[b]),
            "story_score": None,
            "cluster_id": clusters[pair["doc_id_a"]]["cluster_id"],
        }
        assert pair["cluster_id"] == clusters[pair["doc_id_b"]]["cluster_id"]
    assert all(a < b for a, b in listed)
    assert listed == sorted(set(listed))
    _check_enough(articles, set(listed), clusters, sets, config.threshold)


def _forms(
    articles: Sequence[Mapping[str, Any]], config: samestory.Config
) -> tuple[list[set[str]], list[str]]:
    texts = [reference.judged_text(article) for article in articles]
    unit, size = config.shingle_unit, config.shingle_size
    sets = [reference.shingles(text, unit, size) for text in texts]
    return sets, [reference.normalised(text, unit) for text in texts]


def _check_enough(
    articles: Sequence[Mapping[str, Any]],
    listed: set[tuple[int, int]],
    clusters: Mapping[str, Mapping[str, Any]],
    sets: Sequence[set[str]],
    threshold: float,
) -> None:
    """The pairs connect every cluster, and are all there are in one of at most 64 articles."""
    rows = [clusters[article["doc_id"]] for article in articles]
    members: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        members.setdefault(row["cluster_id"], []).append(place)
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(articles)))
    graph.add_edges_from(listed)
    assert sorted(map(sorted, networkx.connected_components(graph))) == sorted(members.values())
    for part in members.values():
        if len(part) <= MOST_LISTED:
            pairs = itertools.combinations(part, 2)
            near = {(a, b) for a, b in pairs if reference.jaccard(sets[a], sets[b]) >= threshold}
            assert near == {(a, b) for a, b in listed if rows[a]["cluster_id"] == rows[part[0]]["cluster_id"]}
