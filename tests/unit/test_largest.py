"""The largest clusters, what holds them together, and warnings of those that look wrong."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import networkx
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import samestory
from newsroom import Newsroom, first_part, news
from samestory.largest import LARGE_RATIO, LEAST_LARGE, N_LARGEST, largest_clusters, suspicions
from samestory.schema import CLUSTERS, PAIRS
from tabled import to_table

Pair = tuple[int, int, float, float]


def clusters_of(parts: dict[str, list[str]]) -> pa.Table:
    """Clusters by id, with the relation of each member; the first is the representative."""
    rows = [
        {
            "doc_id": f"{name}{i}",
            "cluster_id": f"{name}0",
            "cluster_size": len(relations),
            "representative_id": f"{name}0",
            "relation": relation,
            "jaccard": 1.0,
            "containment": 1.0,
            "n_shingles": 9,
            "boilerplate_ratio": 0.0,
        }
        for name, relations in parts.items()
        for i, relation in enumerate(relations)
    ]
    return pa.Table.from_pylist(rows, schema=CLUSTERS)


def pairs_of(name: str, pairs: list[Pair], relation: str = "partial") -> pa.Table:
    rows = [
        {
            "doc_id_a": f"{name}{a}",
            "doc_id_b": f"{name}{b}",
            "relation": relation,
            "jaccard": 0.1,
            "containment_a_in_b": forward,
            "containment_b_in_a": backward,
            "shared_shingles": 20,
            "story_score": None,
            "cluster_id": f"{name}0",
        }
        for a, b, forward, backward in pairs
    ]
    return pa.Table.from_pylist(rows, schema=PAIRS)


@st.composite
def connected(draw: st.DrawFn) -> tuple[int, list[Pair]]:
    """A cluster, and pairs that connect it."""
    n = draw(st.integers(2, 9))
    shares = st.integers(0, 16).map(lambda k: k / 16)
    ends = {(draw(st.integers(0, b - 1)), b) for b in range(1, n)}
    more = st.sampled_from(list(itertools.combinations(range(n), 2)))
    ends |= draw(st.sets(more, max_size=8))
    return n, [(a, b, draw(shares), draw(shares)) for a, b in sorted(ends)]


@given(connected())
def test_the_weakest_link_is_that_of_the_strongest_tree(made: tuple[int, list[Pair]]) -> None:
    n, pairs = made
    clusters = clusters_of({"d": ["representative", *["linked"] * (n - 1)]})
    (found,) = largest_clusters(clusters, pairs_of("d", pairs))
    graph = networkx.Graph()
    for a, b, forward, backward in pairs:
        graph.add_edge(f"d{a}", f"d{b}", weight=max(forward, backward))
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
    pairs = pairs_of("d", [(0, 1, 1.0, 1.0), (0, 2, 1.0, 1.0)], "exact")
    (found,) = largest_clusters(clusters_of({"d": ["representative", "exact", "exact"]}), pairs)
    assert found == {"cluster_id": "d0", "size": 3, "linked": 0, "weakest_link": None}


def test_a_text_that_is_all_in_the_other_is_a_link_not_an_equal() -> None:
    pairs = pa.concat_tables([pairs_of("d", [(0, 1, 1.0, 1.0)], "exact"), pairs_of("d", [(0, 2, 0.2, 1.0)])])
    (found,) = largest_clusters(clusters_of({"d": ["representative", "exact", "partial"]}), pairs)
    assert found["weakest_link"] == {
        "doc_id_a": "d0",
        "doc_id_b": "d2",
        "relation": "partial",
        "containment": 1.0,
    }


def test_the_largest_come_first_and_are_few() -> None:
    sizes = {"e": 3, "a": 2, "c": 5, "b": 3, "d": 2, "f": 2, "u": 1}
    parts = {
        name: ["representative" if n > 1 else "unique", *["partial"] * (n - 1)] for name, n in sizes.items()
    }
    pairs = [pairs_of(name, [(0, k, 0.5, 0.5) for k in range(1, n)]) for name, n in sizes.items()]
    found = largest_clusters(clusters_of(parts), pa.concat_tables(pairs))
    assert [(row["cluster_id"], row["size"]) for row in found] == [
        ("c0", 5), ("b0", 3), ("e0", 3), ("a0", 2), ("d0", 2),
    ]  # fmt: skip
    assert len(found) == N_LARGEST


def test_nothing_to_describe() -> None:
    assert largest_clusters(CLUSTERS.empty_table(), PAIRS.empty_table()) == []
    assert largest_clusters(clusters_of({"u": ["unique"]}), PAIRS.empty_table()) == []


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
    clusters = clusters_of({"d": ["representative", "partial", "partial"]})
    copies = pairs_of("d", [(0, 1, 0.5, 0.4), (0, 2, 0.3, 0.2)])
    told = pairs_of("d", [(1, 2, 0.9, 0.9)], relation="story")
    (found,) = largest_clusters(clusters, pa.concat_tables([told, copies]))
    assert found["weakest_link"] == {
        "doc_id_a": "d0",
        "doc_id_b": "d2",
        "relation": "partial",
        "containment": 0.3,
    }
