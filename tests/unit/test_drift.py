"""Clusters that have drifted from their founding article, split by the rule of `samestory.drift`."""

from __future__ import annotations

import functools
import itertools
import random
from typing import Any

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
import samestory
from newsroom import Article, Newsroom, news
from samestory.drift import MOST_ROUNDS, founding_order, split_by_founder
from samestory.kernels.overlap import MOST_TOGETHER
from tabled import as_the_reference, partition, to_table

UNDATED = 2**63 - 1


@pytest.fixture(autouse=True)
def _reference_remembers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fold", "split", "shingles"):
        monkeypatch.setattr(reference, name, functools.cache(getattr(reference, name)))


# --- The rule alone -----------------------------------------------------------


def split(graph: networkx.Graph, overlap: np.ndarray[Any, Any], order: list[int], floor: float) -> list[int]:
    """What the docstring says, in plain Python: parts by founder."""
    left, founders = list(order), [-1] * len(order)
    while left:
        founder = left[0]
        stays = [text for text in left if text == founder or overlap[founder, text] >= floor]
        part = networkx.node_connected_component(graph.subgraph(stays), founder)
        for text in part:
            founders[text] = founder
        left = [text for text in left if text not in part]
    return founders


@given(st.integers(1, 20), st.integers(0, 10**6), st.floats(0.0, 1.0))
def test_split_is_as_described(n: int, seed: int, floor: float) -> None:
    rng = random.Random(seed)
    overlap = np.array([[rng.random() for _ in range(n)] for _ in range(n)])
    overlap = np.maximum(overlap, overlap.T)
    graph = networkx.gnp_random_graph(n, rng.choice((0.1, 0.3, 0.9)), seed=seed)
    order = rng.sample(range(n), n)
    found = split_by_founder(
        np.array(order),
        lambda i: overlap[i],
        lambda i: np.array(sorted(graph.neighbors(i)), dtype=np.int64),
        floor,
    )
    assert found.tolist() == split(graph, overlap, order, floor)


def test_after_so_many_founders_what_is_left_stays_alone() -> None:
    n = MOST_ROUNDS + 5
    founders = split_by_founder(
        np.arange(n), lambda i: np.eye(n)[i], lambda i: np.array([], dtype=np.int64), 0.5
    )
    assert founders.tolist() == list(range(n))


@given(st.lists(st.integers(0, 3), max_size=12), st.randoms(use_true_random=False))
def test_founding_order(hours: list[int], source: random.Random) -> None:
    # Three o'clock stands for no date; ids are in no order.
    names = [f"{(7 * i) % 12:02}" for i in range(len(hours))]
    times = np.array([UNDATED if hour == 3 else hour for hour in hours], dtype=np.int64)
    docs = np.array(sorted(range(len(hours)), key=lambda _: source.random()), dtype=np.int64)
    places = founding_order(docs, times, lambda doc: names[doc].encode(), UNDATED)
    expected = sorted(
        range(len(docs)),
        key=lambda place: (
            int(times[docs[place]]),
            "" if times[docs[place]] == UNDATED else names[docs[place]],
            docs[place],
        ),
    )
    assert places.tolist() == expected


# --- In a run -----------------------------------------------------------------


def words(begin: int, end: int) -> str:
    return " ".join(f"w{i}" for i in range(begin, end))


def chain() -> list[Article]:
    """Each holds half of the one before; the first and the last have nothing in common."""
    spans = {"a": (0, 100), "b": (50, 160), "c": (105, 230), "d": (170, 310)}
    return [news(name, words(*span), i) for i, (name, span) in enumerate(spans.items())]


def run(found: list[Article], floor: float, **settings: Any) -> samestory.Result:
    config = as_the_reference(partial=True, founder_overlap=floor, **settings)
    return samestory.cluster(to_table(found), config)


@pytest.mark.parametrize(
    ("floor", "expected"),
    [
        (0.0, [{"a", "b", "c", "d"}]),
        (0.01, [{"a", "b"}, {"c", "d"}]),
        (0.45, [{"a", "b"}, {"c", "d"}]),
        (0.9, [{"a"}, {"b"}, {"c"}, {"d"}]),
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_chain(floor: float, expected: list[set[str]], seed: int) -> None:
    found = random.Random(seed).sample(chain(), 4)
    result = run(found, floor)
    assert partition(result.clusters) == {frozenset(part) for part in expected}
    by_id = {row["doc_id"]: row for row in result.clusters.to_pylist()}
    for part in expected:
        assert {by_id[name]["cluster_id"] for name in part} == {min(part)}
        assert {by_id[name]["cluster_size"] for name in part} == {len(part)}


def test_the_founder_is_the_earliest_then_the_lesser_id() -> None:
    found = chain()
    for row in found[:2]:
        row["published_at"] = found[0]["published_at"]  # a and b at one moment: a founds
    found[3]["published_at"] = found[0]["published_at"].replace(year=2020)  # d before all
    parts = {row["doc_id"]: row["cluster_id"] for row in run(found, 0.3).clusters.to_pylist()}
    assert parts == {"d": "d", "c": "d", "a": "a", "b": "a"}


def drifting(room: Newsroom, n: int, step: int, length: int = 120) -> list[Article]:
    """A long line of texts each of which is near to the next."""
    parts = room.words(step * n + length)
    texts = [" ".join(parts[step * i : step * i + length]) for i in range(n)]
    return [news(f"{i:03}", text, i) for i, text in enumerate(texts)]


def check(found: list[Article], result: samestory.Result, floor: float) -> None:
    """Every row is there once, pairs connect each cluster, and no member is far from its founder."""
    assert result.clusters["doc_id"].to_pylist() == [row["doc_id"] for row in found]
    graph = networkx.Graph()
    graph.add_nodes_from(row["doc_id"] for row in found)
    for pair in result.pairs.to_pylist():
        graph.add_edge(pair["doc_id_a"], pair["doc_id_b"])
    assert {frozenset(part) for part in networkx.connected_components(graph)} == partition(result.clusters)
    sets = {row["doc_id"]: reference.shingles(row["text"], "word", 3) for row in found}
    for row in result.clusters.to_pylist():
        own, founder = sets[row["doc_id"]], sets[row["cluster_id"]]
        if own:
            assert max(reference.containment(own, founder), reference.containment(founder, own)) >= floor
    ids = [row["cluster_id"] for row in result.clusters.to_pylist()]
    sizes = result.clusters["cluster_size"].to_pylist()
    assert sizes == [ids.count(name) for name in ids]
    relations = result.clusters["relation"].to_pylist()
    assert relations.count("representative") + relations.count("unique") == len(set(ids))


@pytest.mark.parametrize("n", [12, 63, 64, 65, 150])
@pytest.mark.parametrize("floor", [0.2, 0.6])
def test_a_line_of_near_copies(n: int, floor: float) -> None:
    found = drifting(Newsroom(71), n, 8)
    result = run(found, floor)
    check(found, result, floor)
    # The first that does not hold enough of the founder founds the next part.
    fit = int((1 - floor) * 118 / 8) + 1
    if n <= MOST_TOGETHER:
        expected = [f"{i - i % fit:03}" for i in range(n)]
        assert result.clusters["cluster_id"].to_pylist() == expected
    else:  # not every pair is known, so some are parted that need not be
        assert len(partition(result.clusters)) <= 2 * -(-n // fit)
    assert set(run(found, 0.0).clusters["cluster_size"].to_pylist()) == {n}


@pytest.mark.parametrize(
    "n",
    [12, 90],
)
def test_copies_stay_with_their_text_and_order_changes_nothing(n: int) -> None:
    found = drifting(Newsroom(72), n, 8)
    found += [{**row, "doc_id": f"{row['doc_id']}{again}"} for row in found[::3] for again in "xy"]
    answers = []
    for seed in range(3):
        shuffled = random.Random(seed).sample(found, len(found))
        result = run(shuffled, 0.4)
        check(shuffled, result, 0.4)
        answers.append(sorted(result.clusters.to_pylist(), key=lambda row: str(row["doc_id"])))
    assert answers[0] == answers[1] == answers[2]
    cluster_of = {row["doc_id"]: row["cluster_id"] for row in answers[0]}
    for name, again in itertools.product((f"{i:03}" for i in range(0, n, 3)), "xy"):
        assert cluster_of[name + again] == cluster_of[name]


def test_clusters_that_have_not_drifted_are_left_as_they_are() -> None:
    room = Newsroom(73)
    found = []
    for i, story in enumerate(room.stories(20, 150)):
        found += [news(f"{i}.{k}", room.edited(story) if k else story, 3 * i + k) for k in range(3)]
    plain, split_ = run(found, 0.0), run(found, 0.2)
    assert split_.clusters.equals(plain.clusters)
    assert split_.pairs.equals(plain.pairs)


def test_a_wide_cluster_that_has_not_drifted() -> None:
    room = Newsroom(74)
    story = room.story(150)
    found = [news(f"{i:03}", room.edited(story, 20) if i else story, i) for i in range(100)]
    result = run(found, 0.3)
    check(found, result, 0.3)
    assert set(result.clusters["cluster_size"].to_pylist()) == {100}
