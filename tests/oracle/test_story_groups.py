"""Stories by average linkage, against the naive reference and SciPy."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

import samestory
import story_reference as naive
from reference import judged_text, moment
from samestory.kernels.story.groups import UNDATED
from samestory.story import grouping
from samestory.story.terms import MOST_TERMS, Terms
from storyteller import Storyteller
from tabled import NOON, Article, to_table

CLOSE = 1e-5
"""Decisions that are closer may go either way: weights are of single precision."""


# --- Whole runs ------------------------------------------------------------------


@st.composite
def corpora(draw: st.DrawFn) -> list[Article]:
    """Reports of some events, told alike or not, and dated, in part, wrongly or not."""
    teller = Storyteller(draw(st.integers(0, 10**6)))
    sizes = draw(st.lists(st.integers(1, 8), min_size=2, max_size=9))
    found = teller.articles(
        sizes,
        days=draw(st.integers(0, 4)),
        n_words=draw(st.integers(18, 30)),
        share=draw(st.sampled_from((0.35, 0.5, 0.8))),
    )
    kind = draw(st.sampled_from(("dated", "none", "some", "wrong")))
    for row in found:
        if kind == "none" or (kind == "some" and teller.rng.random() < 0.3):
            row["published_at"] = None
        if kind == "wrong" and teller.rng.random() < 0.2:
            row["published_at"] = NOON + timedelta(teller.rng.randint(-40, 40))
    return found


@settings(max_examples=25)
@given(corpora(), st.sampled_from((0.2, 0.4, 0.5, 0.6, 0.7, 0.8)), st.sampled_from(("36h", "7d", "3w")))
def test_stories_are_those_of_the_reference(found: list[Article], threshold: float, window: str) -> None:
    assume(check(found, threshold, window))


@pytest.mark.parametrize("threshold", [0.4, 0.55, 0.7])
def test_sixty_articles(threshold: float) -> None:
    sizes = [8, 7, 6, 5, 5, 4, 4, 3, 3, 2, 2, 2, *([1] * 9)]
    assert check(Storyteller(60).articles(sizes, n_words=25), threshold, "7d")


def check(found: list[Article], threshold: float, window: str) -> bool:
    """Compare a run with the reference, unless there are copies or a decision is too close."""
    config = samestory.Config(
        level="story", threads=1, boilerplate=False, story_threshold=threshold, story_window=window
    )
    result = samestory.cluster(to_table(found), config)
    if result.stats["counts"]["clusters"]:
        return False
    times = [row["published_at"] and moment(row["published_at"]) for row in found]
    order = sorted(
        range(len(found)), key=lambda k: (times[k] is None, times[k] or NOON, found[k]["doc_id"].encode())
    )
    own = naive.weigh_all(
        [(naive.words(found[k]["title"]), naive.words(judged_text(found[k]))) for k in order]
    )
    factors = naive.levels(own)
    similarities = naive.cosines(own) * np.outer(factors, factors)
    epoch = NOON.replace(1970, 1, 1, 0)
    days = [None if times[k] is None else (times[k] - epoch).days for k in order]
    fading = naive.fades(days, config.story_window_days)
    expected = naive.average_linkage(similarities, fading, naive.similarity_of(threshold))
    if expected.margin <= CLOSE:
        return False
    rows = result.clusters.to_pylist()
    stories: dict[str, list[int]] = {}
    for place, k in enumerate(order):
        stories.setdefault(rows[k]["story_id"], []).append(place)
    assert sorted(stories.values()) == expected.groups
    scores = naive.member_scores(expected.groups, similarities, fading)
    assert [rows[k]["story_score"] for k in order] == pytest.approx(scores, abs=CLOSE)
    place_of = {found[k]["doc_id"]: place for place, k in enumerate(order)}
    for pair in result.pairs.to_pylist():
        a, b = place_of[pair["doc_id_a"]], place_of[pair["doc_id_b"]]
        score = naive.score_of(similarities[a, b] * fading[a, b])
        assert pair["story_score"] == pytest.approx(score, abs=CLOSE)
    listed = {frozenset((place_of[p["doc_id_a"]], place_of[p["doc_id_b"]])) for p in result.pairs.to_pylist()}
    sure = naive.similarity_of(threshold) * (1 + CLOSE)
    neighbours = naive.are_neighbours(own)
    for group in expected.groups:
        for a, b in itertools.combinations(group, 2):
            if neighbours[a, b] and similarities[a, b] >= sure:
                assert frozenset((a, b)) in listed
    return True


# --- Grouping alone ----------------------------------------------------------------


def made_up(seed: int, n: int, n_terms: int, spread_of_days: int | None) -> grouping.Units:
    """Articles of random terms, dates and factors."""
    rng = np.random.default_rng(seed)
    terms = Terms.empty(n)
    for i in range(n):
        names = np.sort(rng.choice(40, n_terms, replace=False)).astype(np.uint32) * np.uint32(104_729)
        weights = rng.random(n_terms)
        terms.numbers[i] = n_terms
        terms.names[i, :n_terms] = np.sort(names)
        terms.weights[i, :n_terms] = weights / np.linalg.norm(weights)
    days = np.full(n, UNDATED, dtype=np.int64)
    if spread_of_days is not None:
        days = rng.integers(20_000, 20_001 + spread_of_days, n)
        days[rng.random(n) < 0.1] = UNDATED
    return grouping.Units(terms, rng.uniform(0.7, 1.4, n), days)


def similarities_of(units: grouping.Units) -> NDArray[np.float64]:
    n = len(units.days)
    vectors = np.zeros((n, 40))
    for i in range(n):
        k = units.terms.numbers[i]
        vectors[i, units.terms.names[i, :k] // np.uint32(104_729)] = (
            units.terms.weights[i, :k] * units.factors[i]
        )
    return vectors @ vectors.T


def grouped(units: grouping.Units, similarities: NDArray[np.float64], linked: grouping.Linkage) -> Any:
    firsts, seconds = np.nonzero(np.triu(similarities >= linked.least, 1))
    edges = grouping.Edges(firsts, seconds, similarities[firsts, seconds])
    with ThreadPoolExecutor(1) as executor:
        return grouping.group(units, edges, linked, executor)


def lists_of(groups: NDArray[np.int64]) -> list[list[int]]:
    return sorted(np.flatnonzero(groups == least).tolist() for least in np.unique(groups))


@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(3, 15), st.floats(0.1, 0.9))
def test_undated_groups_are_those_of_scipy(seed: int, n: int, n_terms: int, threshold: float) -> None:
    units = made_up(seed, n, n_terms, None)
    similarities = similarities_of(units)
    linked = grouping.Linkage(threshold, 7.0)
    plain = naive.average_linkage(similarities, np.ones((n, n)), linked.least)
    assume(plain.margin > CLOSE)
    top = similarities.max() + 1.0
    tree = linkage(squareform(top - similarities, checks=False), method="average")
    labels = fcluster(tree, top - linked.least, criterion="distance")
    expected = sorted(np.flatnonzero(labels == label).tolist() for label in np.unique(labels))
    assert lists_of(grouped(units, similarities, linked)) == expected == plain.groups


@given(
    st.integers(0, 10**6),
    st.integers(2, 40),
    st.integers(3, 15),
    st.floats(0.1, 0.9),
    st.integers(0, 30),
    st.floats(0.5, 20),
)
def test_dated_groups_are_those_of_the_reference(
    seed: int, n: int, n_terms: int, threshold: float, spread: int, window: float
) -> None:
    units = made_up(seed, n, n_terms, spread)
    similarities = similarities_of(units)
    linked = grouping.Linkage(threshold, window)
    fading = naive.fades([None if day == UNDATED else int(day) for day in units.days], window)
    expected = naive.average_linkage(similarities, fading, linked.least)
    assume(expected.margin > CLOSE)
    groups = grouped(units, similarities, linked)
    assert lists_of(groups) == expected.groups
    fit = grouping.fit(units, groups, linked)
    scores = naive.member_scores(expected.groups, similarities, fading)
    assert fit.scores.tolist() == pytest.approx([scores[k] for k in fit.members], abs=CLOSE)


@given(
    st.integers(0, 10**6), st.integers(2, 150), st.integers(3, 15), st.integers(0, 400), st.floats(0.5, 60)
)
def test_a_higher_threshold_only_splits_groups(
    seed: int, n: int, n_terms: int, spread: int, window: float
) -> None:
    units = made_up(seed, n, n_terms, spread)
    similarities = similarities_of(units)
    before: NDArray[np.int64] | None = None
    for threshold in (0.05, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8):
        groups = grouped(units, similarities, grouping.Linkage(threshold, window))
        assert before is None or all(len(set(before[groups == least])) == 1 for least in np.unique(groups))
        before = groups


def test_the_tables_of_a_group_are_wide_enough() -> None:
    # Articles of as many terms as are ever kept, no two of them with one in common but for a few.
    n = 40
    terms = Terms.empty(n)
    own = np.arange(MOST_TERMS - 8, dtype=np.uint32)
    for i in range(n):
        terms.names[i, :8] = np.arange(8)
        terms.names[i, 8:] = 1000 + i * 1000 + own
        terms.numbers[i] = MOST_TERMS
    terms.weights[:, :8] = 0.3
    terms.weights[:, 8:] = ((1 - 8 * 0.09) / (MOST_TERMS - 8)) ** 0.5
    units = grouping.Units(terms, np.ones(n), np.full(n, UNDATED, dtype=np.int64))
    similarities = np.full((n, n), 8 * 0.09)
    assert lists_of(grouped(units, similarities, grouping.Linkage(0.5, 7.0))) == [list(range(n))]
