"""The largest clusters, what holds them together, and warnings of those that look wrong."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import samestory
from newsroom import Newsroom, first_part, news
from samestory.largest import LARGE_RATIO, LEAST_LARGE, N_LARGEST, largest_clusters, suspicions
from samestory.metadata import Ids, Metadata
from samestory.tabulate import RELATIONS, Clusters, Pairs
from tabled import single, to_table

Pair = tuple[int, int, int]
"""Article, later article, shingles that they share."""


def ids_of(names: list[str]) -> Ids:
    return Metadata.of(pa.table({"doc_id": names})).ids


def clusters_of(parts: dict[str, list[str]], n_shingles: int | list[int] = 16) -> tuple[Ids, Clusters]:
    """Clusters by name, with the relation of each member; the first is the representative.

    The articles are numbered one cluster after the other, and named after it.
    """
    names = [f"{name}{i}" for name, relations in parts.items() for i in range(len(relations))]
    sizes = [len(relations) for relations in parts.values()]
    firsts = np.repeat(np.cumsum([0, *sizes])[:-1], sizes).astype(np.int32)
    told = [RELATIONS.index(relation) for relations in parts.values() for relation in relations]
    shingles = np.full(len(names), 0, dtype=np.int32)
    shingles[:] = n_shingles
    return ids_of(names), Clusters(
        firsts,
        firsts,
        np.repeat(sizes, sizes).astype(np.int32),
        np.array(told, dtype=np.int8),
        shingles,
        shingles,
    )


def pairs_of(pairs: list[Pair], relation: str = "partial") -> Pairs:
    firsts, seconds, shared = np.array(pairs, dtype=np.int32).reshape(-1, 3).T
    relations = np.full(len(pairs), RELATIONS.index(relation), dtype=np.int8)
    return Pairs(firsts, seconds, relations, shared, np.full(len(pairs), np.nan, dtype=np.float32))


def together(*parts: Pairs) -> Pairs:
    columns = zip(*(dataclasses.astuple(part) for part in parts), strict=True)
    return Pairs(*(np.concatenate(column) for column in columns))


@st.composite
def connected(draw: st.DrawFn) -> tuple[list[int], list[Pair]]:
    """The shingles of each article of a cluster, and pairs that connect it."""
    n = draw(st.integers(2, 9))
    n_shingles = draw(st.lists(st.integers(1, 16), min_size=n, max_size=n))
    ends = {(draw(st.integers(0, b - 1)), b) for b in range(1, n)}
    more = st.sampled_from(list(itertools.combinations(range(n), 2)))
    ends |= draw(st.sets(more, max_size=8))
    most = {(a, b): min(n_shingles[a], n_shingles[b]) for a, b in ends}
    return n_shingles, [(a, b, draw(st.integers(0, most[a, b]))) for a, b in sorted(ends)]


@given(connected())
def test_the_weakest_link_is_that_of_the_strongest_tree(made: tuple[list[int], list[Pair]]) -> None:
    n_shingles, pairs = made
    n = len(n_shingles)
    clusters = clusters_of({"d": ["representative", *["linked"] * (n - 1)]}, n_shingles)
    (found,) = largest_clusters(*clusters, pairs_of(pairs))
    graph = networkx.Graph()
    for a, b, shared in pairs:
        graph.add_edge(f"d{a}", f"d{b}", weight=single(shared / min(n_shingles[a], n_shingles[b])))
    tree = networkx.maximum_spanning_tree(graph)
    weakest = min(weight for _, _, weight in tree.edges(data="weight"))
    link = found["weakest_link"]
    assert link["containment"] == round(weakest, 4)
    assert graph.edges[link["doc_id_a"], link["doc_id_b"]]["weight"] == weakest
    assert (found["cluster_id"], found["size"], found["linked"]) == ("d0", n, n - 1)
    # Without the pairs as weak as that the cluster falls apart.
    graph.remove_edges_from([(a, b) for a, b, weight in graph.edges(data="weight") if weight <= weakest])
    assert not networkx.is_connected(graph)


def test_equal_texts_have_no_weakest_link() -> None:
    pairs = pairs_of([(0, 1, 16), (0, 2, 16)], "exact")
    (found,) = largest_clusters(*clusters_of({"d": ["representative", "exact", "exact"]}), pairs)
    assert found == {"cluster_id": "d0", "size": 3, "linked": 0, "weakest_link": None}


def test_a_text_that_is_all_in_the_other_is_a_link_not_an_equal() -> None:
    pairs = together(pairs_of([(0, 1, 16)], "exact"), pairs_of([(0, 2, 4)]))
    clusters = clusters_of({"d": ["representative", "exact", "partial"]}, [16, 16, 4])
    (found,) = largest_clusters(*clusters, pairs)
    assert found["weakest_link"] == {
        "doc_id_a": "d0",
        "doc_id_b": "d2",
        "relation": "partial",
        "containment": 1.0,
    }


@pytest.mark.parametrize("at_once", [1, 2, 65536])
def test_the_largest_come_first_and_are_few(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samestory.largest._AT_ONCE", at_once)
    sizes = {"e": 3, "f": 2, "c": 5, "b": 3, "d": 2, "a": 2, "u": 1}
    parts = {
        name: ["representative" if n > 1 else "unique", *["partial"] * (n - 1)] for name, n in sizes.items()
    }
    ids, clusters = clusters_of(parts)
    pairs = [(int(clusters.founders[k]), k, 8) for k in range(len(ids)) if clusters.founders[k] != k]
    found = largest_clusters(ids, clusters, pairs_of(pairs))
    assert [(row["cluster_id"], row["size"]) for row in found] == [
        ("c0", 5), ("b0", 3), ("e0", 3), ("a0", 2), ("d0", 2),
    ]  # fmt: skip
    assert len(found) == N_LARGEST
    assert all(row["weakest_link"]["doc_id_a"] == row["cluster_id"] for row in found)


def test_nothing_to_describe() -> None:
    assert largest_clusters(*clusters_of({}), pairs_of([])) == []
    assert largest_clusters(*clusters_of({"u": ["unique"]}), pairs_of([])) == []


# --- Warnings -----------------------------------------------------------------


def described(size: int, linked: int = 0) -> dict[str, Any]:
    return {"cluster_id": "d0", "size": size, "linked": linked, "weakest_link": None}


@pytest.mark.parametrize(
    ("size", "linked", "n_articles", "said"),
    [
        (LEAST_LARGE, 0, int(LEAST_LARGE / LARGE_RATIO), None),  # one in a hundred, not more
        (LEAST_LARGE, 0, int(LEAST_LARGE / LARGE_RATIO) - 1, "holds 10 articles, 1.0% of all"),
        (LEAST_LARGE - 1, 9, 9, None),
        (40, 20, 10_000, None),
        (40, 21, 10_000, "mostly linked: 21 of its 40"),
        (1200, 1100, 10_000, "holds 1,200 articles, 12.0% of all"),
    ],
)
def test_warnings(size: int, linked: int, n_articles: int, said: str | None) -> None:
    found = suspicions([described(2), described(size, linked)], n_articles)
    assert len(found) == (said is not None)
    for warning in found:
        assert said in warning  # type: ignore[operator]
        assert "'d0'" in warning
        assert "--founder-overlap" in warning


# --- In a run -----------------------------------------------------------------


def test_run_json(tmp_path: Path) -> None:
    room = Newsroom(81)
    story, other = room.stories(2, 240)
    footer = room.story(60)
    found = [news(f"copy{i:02}", room.edited(story) if i else story, i) for i in range(12)]
    found += [news("excerpt", first_part(story, 0.4), 50)]
    found += [news("other", other, 60), news("other.half", first_part(other, 0.6), 61)]
    found += [news(f"page{i}", f"{room.story(200)}\n\n{footer}", 70 + i, "Harbour Post") for i in range(6)]
    digest_of = room.stories(4, 200)
    found += [news(f"day{i}", text, 80 + i) for i, text in enumerate(digest_of)]
    found += [news("digest", room.digest(digest_of, 0.5), 90)]
    samestory.cluster(to_table(found), samestory.Config(threads=1)).write(tmp_path / "out")
    facts = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))
    first, second = facts["largest_clusters"]
    assert (first["cluster_id"], first["size"], first["linked"]) == ("copy00", 13, 0)
    assert (second["cluster_id"], second["size"]) == ("other", 2)
    assert second["weakest_link"]["relation"] == "partial"
    assert second["weakest_link"]["containment"] == 1.0
    assert {second["weakest_link"]["doc_id_a"], second["weakest_link"]["doc_id_b"]} == {"other", "other.half"}
    assert any("'copy00'" in warning for warning in facts["warnings"])
    assert facts["counts"]["round_ups"] == 1
    assert facts["counts"]["pairs_not_joined_by_round_ups"] == 4
    assert facts["furniture"]["blocks"] == 1
    assert facts["furniture"]["articles"] == 6
    assert facts["furniture"]["words"] == pytest.approx(360, abs=12)
    assert 0 < facts["furniture"]["ratio"] < 1


def test_characters_are_counted_where_shingles_are_of_characters() -> None:
    room = Newsroom(82)
    footer = room.story(60)
    found = [news(f"page{i}", f"{room.story(200)}\n\n{footer}", i, "Harbour Post") for i in range(6)]
    facts = samestory.cluster(to_table(found), samestory.Config(threads=1, shingle="char:9")).stats[
        "furniture"
    ]
    assert "words" not in facts
    assert facts["characters"] == pytest.approx(6 * len(footer), rel=0.1)


def test_pairs_of_one_event_hold_no_cluster_together() -> None:
    clusters = clusters_of({"d": ["representative", "partial", "partial"]}, 10)
    pairs = together(pairs_of([(1, 2, 9)], "story"), pairs_of([(0, 1, 5), (0, 2, 3)]))
    (found,) = largest_clusters(*clusters, pairs)
    assert found["weakest_link"] == {
        "doc_id_a": "d0",
        "doc_id_b": "d2",
        "relation": "partial",
        "containment": 0.3,
    }
