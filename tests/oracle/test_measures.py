"""Measures of clusterings, against scikit-learn and against counting pair by pair."""

from __future__ import annotations

from itertools import combinations

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from samestory.evaluate import Contingency, adjusted_rand_index, bcubed, pairwise
from samestory.evaluate.curve import join, look_up
from samestory.evaluate.outcome import ScoredPairs

LABELS = st.integers(0, 6)
TWO = st.integers(1, 40).flatmap(
    lambda n: st.tuples(st.lists(LABELS, min_size=n, max_size=n), st.lists(LABELS, min_size=n, max_size=n))
)


def table_of(found: list[int], true: list[int]) -> Contingency:
    return Contingency.of(np.array(found, dtype=np.int64), np.array(true, dtype=np.int64))


def pairs_within(labels: list[int]) -> set[tuple[int, int]]:
    return {(i, j) for i, j in combinations(range(len(labels)), 2) if labels[i] == labels[j]}


def naive_bcubed(one: list[int], other: list[int]) -> float:
    """Mean share of each article's cluster in the one that is with it in the other."""
    shares = []
    for i, label in enumerate(one):
        mates = [j for j, mate in enumerate(one) if mate == label]
        shares.append(sum(other[j] == other[i] for j in mates) / len(mates))
    return sum(shares) / len(shares)


@given(TWO)
def test_pairwise_counts_pairs(labels: tuple[list[int], list[int]]) -> None:
    found, true = map(pairs_within, labels)
    got = pairwise(table_of(*labels))
    assert (got.found, got.true, got.right) == (len(found), len(true), len(found & true))
    assert got.precision == (len(found & true) / len(found) if found else None)
    assert got.recall == (len(found & true) / len(true) if true else None)
    if got.precision and got.recall:
        assert got.f1 == pytest.approx(2 / (1 / got.precision + 1 / got.recall))
    else:
        assert got.f1 == (0 if found or true else None)


@given(TWO)
def test_bcubed_is_the_mean_over_articles(labels: tuple[list[int], list[int]]) -> None:
    found, true = labels
    got = bcubed(table_of(found, true))
    assert got.precision == pytest.approx(naive_bcubed(found, true))
    assert got.recall == pytest.approx(naive_bcubed(true, found))
    assert got.f1 == pytest.approx(2 / (1 / got.precision + 1 / got.recall))


@given(TWO)
def test_adjusted_rand_index_equals_scikit_learn(labels: tuple[list[int], list[int]]) -> None:
    found, true = labels
    assert adjusted_rand_index(table_of(found, true)) == pytest.approx(adjusted_rand_score(true, found))


@given(TWO, st.permutations(range(7)))
def test_names_of_clusters_do_not_matter(labels: tuple[list[int], list[int]], names: list[int]) -> None:
    found, true = labels
    one, other = table_of(found, true), table_of([names[label] * 1000 for label in found], true)
    assert pairwise(one) == pairwise(other)
    assert adjusted_rand_index(one) == adjusted_rand_index(other)
    assert bcubed(one).f1 == pytest.approx(bcubed(other).f1)


def test_a_large_random_case() -> None:
    rng = np.random.default_rng(7)
    true = rng.integers(0, 3000, 50_000)
    found = np.where(rng.random(50_000) < 0.8, true, rng.integers(0, 3000, 50_000))
    table = Contingency.of(found, true)
    assert adjusted_rand_index(table) == pytest.approx(adjusted_rand_score(true, found))
    assert 0 < bcubed(table).precision < 1


def test_a_million_articles_in_one_cluster() -> None:
    n = 1_000_000
    one, halves = np.zeros(n, np.int64), np.arange(n) % 2
    table = Contingency.of(one, halves)
    got = pairwise(table)
    assert got.found == n * (n - 1) // 2
    assert got.right == got.true == n // 2 * (n // 2 - 1)
    assert all(type(count) is int for count in (got.found, got.right, got.true))
    assert got.recall == 1
    assert bcubed(table).precision == pytest.approx(0.5)
    assert adjusted_rand_index(table) == pytest.approx(0, abs=1e-12)
    assert adjusted_rand_index(Contingency.of(one, one)) == 1


EDGES = st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), max_size=40)


@given(EDGES, EDGES)
def test_joining_in_steps_equals_networkx(first: list[tuple[int, int]], more: list[tuple[int, int]]) -> None:
    roots: NDArray[np.int64] = np.arange(25, dtype=np.int64)
    graph = networkx.Graph()
    graph.add_nodes_from(range(25))
    for edges in (first, more):
        ends = np.array(edges, dtype=np.int64).reshape(-1, 2)
        join(roots, ends[:, 0], ends[:, 1])
        graph.add_edges_from(edges)
        for part in networkx.connected_components(graph):
            assert {int(roots[node]) for node in part} == {min(part)}


@pytest.mark.parametrize("shape", ["path", "star", "shuffled path"])
def test_joining_long_chains(shape: str) -> None:
    n = 20_000
    order = np.random.default_rng(1).permutation(n) if shape == "shuffled path" else np.arange(n)
    a, b = (np.full(n - 1, n - 1), np.arange(n - 1)) if shape == "star" else (order[:-1], order[1:])
    roots: NDArray[np.int64] = np.arange(n, dtype=np.int64)
    join(roots, a, b)
    assert not roots.any()


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 9), st.integers(10, 19)), st.tuples(LABELS, LABELS), max_size=20
    ),
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)).filter(lambda pair: pair[0] != pair[1])),
)
def test_looking_up_equals_a_dictionary(
    scores: dict[tuple[int, int], tuple[int, int]], wanted: list[tuple[int, int]]
) -> None:
    ends = np.array(list(scores), dtype=np.int64).reshape(-1, 2)
    both = np.array(list(scores.values()), dtype=np.float32).reshape(-1, 2)
    asked = np.array(wanted, dtype=np.int64).reshape(-1, 2)
    got = look_up(ScoredPairs(ends[:, 0], ends[:, 1], both[:, 0], both[:, 1]), asked[:, 0], asked[:, 1])
    assert got.tolist() == [
        scores[a, b][0] if (a, b) in scores else scores.get((b, a), (0, 0))[1] for a, b in wanted
    ]
