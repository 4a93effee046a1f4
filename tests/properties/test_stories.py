"""What holds of all stories: the order of rows, threads and batches change nothing; every promise is kept."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import networkx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
import samestory
from samestory.schema import CLUSTERS, PAIRS, STORIES
from small_pieces import (
    everything_tiny,
    stories_in_files,
    texts_read_again,
    tiny_batches,
    tiny_rounds,
    tiny_stories,
)
from storyteller import Storyteller
from strategies import articles
from tabled import NOON, Article, article, single, to_table

SOME: Final = settings(max_examples=15)
STORY_COLUMNS: Final = ("story_id", "story_size", "story_score")
DUPLICATE_RELATIONS: Final = ("exact", "near", "partial")


def config(**settings: Any) -> samestory.Config:
    return samestory.Config(**{"level": "story", "threads": 1, **settings})


def stories_of(clusters: pa.Table) -> set[frozenset[str]]:
    """The stories as sets of doc_ids, whatever they are called."""
    parts: dict[str, set[str]] = {}
    for row in clusters.select(["doc_id", "story_id"]).to_pylist():
        parts.setdefault(row["story_id"], set()).add(row["doc_id"])
    return {frozenset(part) for part in parts.values()}


@st.composite
def corpora(draw: st.DrawFn, dates: tuple[str, ...] = ("all", "some", "wrong", "none")) -> list[Article]:
    """Reports of a few events, told alike or not; copies of some; dated, in part, wrongly or not at all."""
    teller = Storyteller(draw(st.integers(0, 10**6)))
    sizes = draw(st.lists(st.integers(1, 7), min_size=1, max_size=8))
    found = teller.articles(
        sizes,
        days=draw(st.integers(0, 5)),
        n_words=draw(st.sampled_from((20, 45, 90))),
        share=draw(st.sampled_from((0.35, 0.5, 0.8))),
    )
    for row in teller.rng.sample(found, min(len(found), draw(st.integers(0, 4)))):
        found.append(copy_of(row, teller.rng.choice(("exact", "near", "excerpt"))))
    kind = draw(st.sampled_from(dates))
    if kind == "none":
        return [{**row, "published_at": None} for row in found]
    if kind != "all":
        for row in teller.rng.sample(found, len(found) // 3):
            row["published_at"] = None if kind == "some" else NOON + timedelta(teller.rng.uniform(-90, 90))
    teller.rng.shuffle(found)
    return found


def copy_of(row: Article, kind: str = "exact") -> Article:
    words = row["text"].split(" ")
    text = {"exact": words, "near": [*words, "again"], "excerpt": words[len(words) // 4 :]}[kind]
    return {**row, "doc_id": row["doc_id"] + "+", "text": " ".join(text)}


def told(result: samestory.Result) -> dict[str, dict[str, Any]]:
    """What is found of each article, whatever the order of rows and, of undated ones, the ids of stories."""
    stories = {row["story_id"]: row for row in result.stories.to_pylist()}
    found = {}
    for row in result.clusters.to_pylist():
        story = stories.get(row["story_id"], {})
        about = [story.get(name) for name in ("n_clusters", "first_published_at", "last_published_at")]
        shares = [term["share"] for term in story.get("terms", [])]
        found[row["doc_id"]] = {
            "size": row["story_size"],
            "score": row["story_score"],
            "about": about,
            "shares": shares,
        }
    return found


def pairs_found(result: samestory.Result) -> dict[frozenset[str], tuple[Any, ...]]:
    columns = ("relation", "jaccard", "shared_shingles", "story_score")
    return {
        frozenset((row["doc_id_a"], row["doc_id_b"])): tuple(row[name] for name in columns)
        for row in result.pairs.to_pylist()
    }


# --- What changes nothing ------------------------------------------------------


@SOME
@given(corpora(), st.randoms(use_true_random=False))
def test_order_of_rows(found: list[Article], source: random.Random) -> None:
    one, other = (
        samestory.cluster(to_table(part), config()) for part in (found, source.sample(found, len(found)))
    )
    assert stories_of(one.clusters) == stories_of(other.clusters)
    assert told(one) == told(other)
    assert pairs_found(one) == pairs_found(other)


@SOME
@given(corpora(dates=("all", "wrong")), st.randoms(use_true_random=False))
def test_order_of_dated_rows_changes_no_id(found: list[Article], source: random.Random) -> None:
    one, other = (
        samestory.cluster(to_table(part), config()) for part in (found, source.sample(found, len(found)))
    )
    names = ["doc_id", *STORY_COLUMNS]
    assert one.clusters.select(names).sort_by("doc_id").equals(other.clusters.select(names).sort_by("doc_id"))
    assert (
        one.stories.drop_columns("terms")
        .sort_by("story_id")
        .equals(other.stories.drop_columns("terms").sort_by("story_id"))
    )


def large_corpus(*, dated: bool) -> pa.Table:
    """Some hundreds of articles: stories of all sizes, copies, and articles without a word."""
    teller = Storyteller(17)
    sizes = [1, 2, 3, 5, 8, 13, 21, 1, 1, 2, 18, *([1, 2] * 20)]
    found = teller.articles(sizes, dated=dated, days=1)
    found += [
        copy_of(row, kind) for kind in ("exact", "near") for row in found[:: 5 if kind == "exact" else 7]
    ]
    found = list({row["doc_id"]: row for row in found}.values())
    found += [{"doc_id": f"empty{k}", "text": " ", "title": None, "published_at": None} for k in range(3)]
    teller.rng.shuffle(found)
    return to_table(found)


@pytest.fixture(scope="module", params=[True, False], ids=["dated", "undated"])
def corpus(request: pytest.FixtureRequest) -> pa.Table:
    return large_corpus(dated=request.param)


@pytest.fixture(scope="module")
def plain(corpus: pa.Table) -> samestory.Result:
    return samestory.cluster(corpus, config())


@pytest.mark.parametrize(
    "threads", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(4, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "change",
    [None, tiny_batches, texts_read_again, tiny_rounds, tiny_stories, stories_in_files, everything_tiny],
)
def test_same_tables(
    corpus: pa.Table,
    plain: samestory.Result,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[pytest.MonkeyPatch], None] | None,
    threads: int,
) -> None:
    if change is not None:
        change(monkeypatch)
    result = samestory.cluster(corpus, config(threads=threads))
    assert result.clusters.equals(plain.clusters)
    assert result.pairs.equals(plain.pairs)
    assert result.stories.equals(plain.stories)
    assert result.stats["stories"] == plain.stats["stories"]


def test_the_corpus_is_worth_it(plain: samestory.Result) -> None:
    facts = plain.stats["stories"]
    assert facts["of_several_clusters"] > 20
    assert plain.stories["story_size"][0].as_py() >= 15
    assert facts["pairs"] > 300
    assert plain.stats["counts"]["clusters"] > 20


# --- Thresholds ----------------------------------------------------------------


def check_only_splits(found: pa.Table, thresholds: list[float], **settings: Any) -> int:
    """Every story lies within one at the threshold before; return how many numbers of stories there were."""
    parts = [
        stories_of(samestory.cluster(found, config(story_threshold=value, **settings)).clusters)
        for value in sorted(thresholds)
    ]
    for low, high in itertools.pairwise(parts):
        story_of = {doc: story for story in low for doc in story}
        assert all(story <= story_of[next(iter(story))] for story in high)
    return len({len(part) for part in parts})


@SOME
@given(
    corpora(),
    st.lists(st.floats(0.05, 0.99), min_size=4, max_size=4),
    st.sampled_from(("12h", "2d", "7d", "30d")),
)
def test_a_higher_threshold_only_splits(found: list[Article], values: list[float], window: str) -> None:
    check_only_splits(to_table(found), values, story_window=window)


def test_a_higher_threshold_only_splits_many_times(corpus: pa.Table) -> None:
    chain = [0.05, 0.2, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.99]
    assert check_only_splits(corpus, chain) >= 6


# --- Duplicates ----------------------------------------------------------------


@given(articles())
def test_a_cluster_lies_within_one_story(found: list[Article]) -> None:
    check_within(samestory.cluster(to_table(found), config(shingle="word:3", story_threshold=0.6)))


@SOME
@given(corpora())
def test_a_cluster_of_reports_lies_within_one_story(found: list[Article]) -> None:
    check_within(samestory.cluster(to_table(found), config(story_threshold=0.8)))


def check_within(result: samestory.Result) -> None:
    story_of: dict[str, str] = {}
    for row in result.clusters.to_pylist():
        assert story_of.setdefault(row["cluster_id"], row["story_id"]) == row["story_id"]


@SOME
@given(corpora(), st.data())
def test_exact_copies_land_with_their_originals_and_change_no_other(
    found: list[Article], data: st.DataObject
) -> None:
    found = [row for row in found if not row["doc_id"].endswith("+")]
    chosen = data.draw(st.lists(st.sampled_from(found), max_size=5, unique_by=lambda row: row["doc_id"]))
    copies = [copy_of(row) for row in chosen]
    before = samestory.cluster(to_table(found), config(boilerplate=False))
    after = samestory.cluster(to_table([*found, *copies]), config(boilerplate=False))
    rows = {row["doc_id"]: row for row in after.clusters.to_pylist()}
    for row in copies:
        assert rows[row["doc_id"]]["story_id"] == rows[row["doc_id"][:-1]]["story_id"]
        assert rows[row["doc_id"]]["story_score"] == rows[row["doc_id"][:-1]]["story_score"]
    ids = {row["doc_id"] for row in found}
    assert {story & ids for story in stories_of(after.clusters)} == stories_of(before.clusters)
    for row in before.clusters.to_pylist():
        assert rows[row["doc_id"]]["story_score"] == row["story_score"]


@SOME
@given(corpora())
def test_the_other_columns_are_those_without_stories(found: list[Article]) -> None:
    with_stories = samestory.cluster(to_table(found), config())
    without = samestory.cluster(to_table(found), config(level="duplicate"))
    assert with_stories.clusters.drop_columns(list(STORY_COLUMNS)).equals(
        without.clusters.drop_columns(list(STORY_COLUMNS))
    )
    pairs = [row for row in with_stories.pairs.to_pylist() if row["relation"] != "story"]
    assert pairs == without.pairs.to_pylist()


@SOME
@given(corpora(), st.sampled_from((None, "out")))
def test_without_stories_there_is_nothing_of_them(found: list[Article], folder: str | None) -> None:
    result = samestory.cluster(to_table(found), config(level="duplicate"))
    for name in STORY_COLUMNS:
        assert result.clusters[name].null_count == len(found)
    assert result.pairs["story_score"].null_count == len(result.pairs)
    assert result.stories is None
    assert "stories" not in result.stats


def test_without_stories_no_file_of_them(tmp_path: Path) -> None:
    samestory.cluster(large_corpus(dated=True), config(level="duplicate")).write(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "clusters.parquet",
        "pairs.parquet",
        "run.json",
    ]


# --- The tables ----------------------------------------------------------------


@given(articles())
def test_tables_of_awkward_articles(found: list[Article]) -> None:
    check_tables(found, samestory.cluster(to_table(found), config(boilerplate=False)))


@SOME
@given(corpora(), st.sampled_from((0.3, 0.5, 0.8)))
def test_tables_of_reports(found: list[Article], threshold: float) -> None:
    check_tables(
        found, samestory.cluster(to_table(found), config(story_threshold=threshold, boilerplate=False))
    )


def test_tables_of_a_large_corpus(corpus: pa.Table) -> None:
    check_tables(corpus.to_pylist(), samestory.cluster(corpus, config(boilerplate=False)))


@SOME
@given(corpora())
def test_tables_by_characters(found: list[Article]) -> None:
    settings = config(boilerplate=False, shingle="char:9")
    check_tables(found, samestory.cluster(to_table(found), settings), settings)


def check_tables(
    found: list[Article], result: samestory.Result, used: samestory.Config | None = None
) -> None:
    assert (result.clusters.schema, result.pairs.schema) == (CLUSTERS, PAIRS)
    assert result.stories.schema == STORIES
    assert result.clusters["doc_id"].to_pylist() == [row["doc_id"] for row in found]
    check_clusters_table(found, result)
    check_pairs_table(found, result, used or config())
    check_stories_table(found, result)


def members_of(result: samestory.Result) -> dict[str, list[int]]:
    members: dict[str, list[int]] = {}
    for place, story_id in enumerate(result.clusters["story_id"].to_pylist()):
        members.setdefault(story_id, []).append(place)
    return members


def check_clusters_table(found: list[Article], result: samestory.Result) -> None:
    """Every row once; stories are founded by the rule and counted right; scores are scores."""
    rows = result.clusters.to_pylist()
    for story_id, places in members_of(result).items():
        assert story_id == found[reference.earliest_first(found, places)[0]]["doc_id"]
        n_clusters = len({rows[place]["cluster_id"] for place in places})
        for place in places:
            assert rows[place]["story_size"] == len(places)
            assert 0 <= rows[place]["story_score"] <= 1
            assert rows[place]["story_score"] < 1 or n_clusters == 1
            assert rows[place]["story_score"] == 1 or n_clusters > 1
    by_cluster: dict[str, set[float]] = {}
    for row in rows:
        by_cluster.setdefault(row["cluster_id"], set()).add(row["story_score"])
    assert all(len(scores) == 1 for scores in by_cluster.values())


def check_pairs_table(found: list[Article], result: samestory.Result, used: samestory.Config) -> None:
    """Pairs are in order, exact, within a story, across clusters if they say so; and connect every story."""
    rows = {row["doc_id"]: row for row in result.clusters.to_pylist()}
    places = {row["doc_id"]: place for place, row in enumerate(found)}
    sets = [set(samestory.shingles(reference.judged_text(row), used)) for row in found]
    listed = []
    for pair in result.pairs.to_pylist():
        a, b = pair["doc_id_a"], pair["doc_id_b"]
        listed.append((places[a], places[b]))
        assert places[a] < places[b]
        assert rows[a]["story_id"] == rows[b]["story_id"]
        assert (rows[a]["cluster_id"] == rows[b]["cluster_id"]) == (pair["relation"] != "story")
        assert pair["relation"] in (*DUPLICATE_RELATIONS, "story")
        assert pair["cluster_id"] == rows[a]["cluster_id"]
        assert (pair["story_score"] is not None) == (pair["relation"] == "story")
        assert pair["story_score"] is None or 0 < pair["story_score"] < 1
        one, other = sets[places[a]], sets[places[b]]
        assert pair["shared_shingles"] == len(one & other)
        if not one or not other:
            continue  # see test_an_article_without_a_shingle_shares_none
        assert pair["jaccard"] == single(reference.jaccard(one, other))
        assert pair["containment_a_in_b"] == single(reference.containment(one, other))
        assert pair["containment_b_in_a"] == single(reference.containment(other, one))
    assert listed == sorted(set(listed))
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(found)))
    graph.add_edges_from(listed)
    assert sorted(map(sorted, networkx.connected_components(graph))) == sorted(members_of(result).values())


def test_an_article_without_a_shingle_shares_none() -> None:
    found = [article(name, "...", title="Marmora ferry sinks") for name in "ab"]
    (pair,) = samestory.cluster(to_table(found), config()).pairs.to_pylist()
    assert (pair["relation"], pair["shared_shingles"]) == ("story", 0)
    assert (pair["jaccard"], pair["containment_a_in_b"], pair["containment_b_in_a"]) == (0, 0, 0)


def check_stories_table(found: list[Article], result: samestory.Result) -> None:
    """One row for each story of several clusters, the largest first; its terms are words of its articles."""
    rows = result.clusters.to_pylist()
    expected = {}
    for story_id, members in members_of(result).items():
        n_clusters = len({rows[place]["cluster_id"] for place in members})
        dates = sorted(rows[place]["published_at"] for place in members if rows[place]["published_at"])
        if n_clusters > 1:
            expected[story_id] = {
                "story_id": story_id,
                "story_size": len(members),
                "n_clusters": n_clusters,
                "first_published_at": dates[0] if dates else None,
                "last_published_at": dates[-1] if dates else None,
                "title": next(row["title"] for row in rows if row["doc_id"] == story_id),
            }
    listed = result.stories.to_pylist()
    assert {row["story_id"]: {k: v for k, v in row.items() if k != "terms"} for row in listed} == expected
    assert [row["story_size"] for row in listed] == sorted(
        (row["story_size"] for row in listed), reverse=True
    )
    for row in listed:
        check_terms(row["terms"], [found[place] for place in members_of(result)[row["story_id"]]])
    facts = result.stats["stories"]
    assert facts["stories"] == len(members_of(result))
    assert facts["of_several_clusters"] == len(listed)
    assert facts["pairs"] == result.pairs["relation"].to_pylist().count("story")


def check_terms(terms: list[dict[str, Any]], members: list[Article]) -> None:
    shares = [term["share"] for term in terms]
    assert shares == sorted(shares, reverse=True)
    assert all(0 < share <= 1 for share in shares)
    assert sum(shares) <= 1 + 1e-5
    assert 1 <= len(terms) <= 12
    parts = [part or "" for row in members for part in (row["title"], row["text"])]
    texts = [f" {reference.normalised(part, 'word')} " for part in parts]
    for term in terms:
        assert term["term"].count(" ") <= 1
        assert any(f" {term['term']} " in text for text in texts)


def test_no_articles() -> None:
    result = samestory.cluster(to_table([]), config())
    assert result.clusters.equals(CLUSTERS.empty_table())
    assert result.pairs.equals(PAIRS.empty_table())
    assert result.stories.equals(STORIES.empty_table())
    assert result.stats["stories"]["stories"] == 0


def test_one_article() -> None:
    result = samestory.cluster(to_table([{"doc_id": "only", "text": "The bridge is open again"}]), config())
    assert result.clusters.select(list(STORY_COLUMNS)).to_pylist() == [
        {"story_id": "only", "story_size": 1, "story_score": 1.0}
    ]
    assert len(result.stories) == 0


def test_order_of_rows_changes_no_spelling() -> None:
    titles = [
        "Raqqa ferry strike kills 41",
        "Raqqah ferry strikes killed 41",
        "Raqa ferry striking: 41 killed",
    ]
    found = [article(f"d{i}", None, i, title) for i, title in enumerate(titles)]
    one, other = (samestory.cluster(to_table(part), config()).stories for part in (found, found[::-1]))
    assert one.equals(other)


def test_scores_are_of_single_precision(plain: samestory.Result) -> None:
    scores = plain.clusters["story_score"].to_numpy()
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
