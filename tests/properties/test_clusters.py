"""Clusters and pairs of small sets of awkward articles, against the naive reference."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import samestory
from against_reference import check_clusters, check_pairs
from samestory.params import choose_banding
from samestory.schema import CLUSTERS, PAIRS
from strategies import articles, story_words, thresholds
from tabled import article, as_the_reference, never_missing, partition, to_table
from unicode_versions import known_to_one

RULES = ("earliest", "longest", "first")
Articles = list[dict[str, Any]]


def comparable_articles(max_size: int = 10) -> st.SearchStrategy[Articles]:
    """Articles of characters that are the same in every version of Unicode concerned."""

    def clean(value: Any) -> Any:
        return "".join(c for c in value if c not in known_to_one()) if isinstance(value, str) else value

    def cleaned(found: Articles) -> Articles:
        return [{name: clean(value) for name, value in row.items()} for row in found]

    return articles(max_size=max_size).map(cleaned)


@given(
    comparable_articles(),
    thresholds(),
    st.sampled_from(RULES),
    st.sampled_from(("word:3", "word:5", "char:5")),
)
def test_equal_reference(found: Articles, threshold: float, rule: str, shingle: str) -> None:
    config = as_the_reference(threshold=threshold, representative=rule, shingle=shingle)
    result = samestory.cluster(to_table(found), config)
    check_clusters(found, result, config)
    check_pairs(found, result, config)


@given(thresholds())
def test_the_search_practically_never_misses(threshold: float) -> None:
    config = never_missing(threshold=threshold)
    banding = choose_banding(config.threshold, config.recall, config.num_perm)
    assert banding.chance(threshold) >= 1 - 1.01e-9


@given(articles())
def test_every_row_once_in_input_order_as_read(found: Articles) -> None:
    result = samestory.cluster(to_table(found), never_missing(boilerplate=False))
    assert result.clusters.schema == CLUSTERS
    assert result.pairs.schema == PAIRS
    names = ["doc_id", "title", "source", "url", "published_at"]
    assert result.clusters.select(names).to_pylist() == to_table(found).select(names).to_pylist()
    for name in ("story_id", "story_size", "story_score"):
        assert result.clusters[name].null_count == len(found)
    assert result.clusters["boilerplate_ratio"].to_pylist() == [0.0] * len(found)


@given(articles())
def test_counts_add_up(found: Articles) -> None:
    result = samestory.cluster(to_table(found), never_missing(shingle="word:3"))
    rows, counts = result.clusters.to_pylist(), result.stats["counts"]
    relations = [row["relation"] for row in rows]
    assert counts["articles"] == len(found)
    assert counts["relations"] == {name: relations.count(name) for name in counts["relations"]}
    assert sum(counts["relations"].values()) == len(found)
    assert counts["clusters"] == relations.count("representative")
    assert counts["redundant"] == len(found) - len(partition(result.clusters))
    assert counts["empty"] == sum(row["n_shingles"] == 0 for row in rows)
    assert counts["pairs"] == len(result.pairs)
    assert counts["largest_cluster"] == max((row["cluster_size"] for row in rows), default=0)


@given(articles(min_size=2), thresholds(), thresholds())
def test_a_higher_threshold_only_splits(found: Articles, one: float, other: float) -> None:
    table = to_table(found)
    low, high = (
        partition(samestory.cluster(table, as_the_reference(threshold=t, shingle="word:3")).clusters)
        for t in sorted((one, other))
    )
    assert all(any(part <= whole for whole in low) for part in high)


STYLES = (
    str.upper,
    str.title,
    lambda text: text.replace(" ", "\u00a0\n "),
    lambda text: f"“{text}!”",
    lambda text: text.replace(" ", ", "),
    lambda text: "\ufeff" + "\u200b".join(text),
    lambda text: text.replace(" ", " — "),
)


@given(story_words(max_size=12), st.lists(st.sampled_from(STYLES), max_size=4), thresholds())
@example(["rain"], [str.upper], 1.0)
def test_exact_copies_always_join(parts: list[str], styles: list[Any], threshold: float) -> None:
    text = " ".join(parts)
    versions = [text, *(style(text) for style in styles)]
    found = [article(f"copy{i}", version) for i, version in enumerate(versions)]
    # Also where the search for near copies would hardly find a thing.
    config = samestory.Config(threshold=threshold, num_perm=2, recall=1e-6, threads=1)
    rows = samestory.cluster(to_table(found), config).clusters.to_pylist()
    assert {row["cluster_id"] for row in rows} == {"copy0"}
    assert [row["relation"] for row in rows[1:]] == ["exact"] * len(styles)
    assert {row["jaccard"] for row in rows} == {1.0}


EMPTIES = (None, "", " ", "\n\t", "...", "\u3000", "\u0301", "\u200b", "“—”")


@pytest.mark.parametrize("shingle", ["word:1", "word:5", "char:5"])
def test_empties_are_unique(shingle: str) -> None:
    found = [article(f"d{i}", text) for i, text in enumerate(EMPTIES * 2)]
    result = samestory.cluster(to_table(found), never_missing(shingle=shingle, threshold=0.05))
    for row, source in zip(result.clusters.to_pylist(), found, strict=True):
        assert row["relation"] == "unique"
        assert row["cluster_id"] == row["representative_id"] == source["doc_id"]
        assert (row["cluster_size"], row["n_shingles"]) == (1, 0)
        assert (row["jaccard"], row["containment"]) == (1.0, 1.0)
    assert len(result.pairs) == 0
    assert result.stats["counts"]["empty"] == len(found)


LONG_BLANK = " \n" * 400


@pytest.mark.parametrize(
    "blank", [None, "", " ", " \n\t", "\u3000", "\u00a0", pytest.param(LONG_BLANK, id="long")]
)
def test_title_is_judged_where_there_is_no_text(blank: str | None) -> None:
    found = [
        article("a", "Ferry timetable changes on Monday"),
        article("b", blank, title="Ferry timetable changes on Monday!"),
        article("c", blank, title="Storm closes the northern road"),
    ]
    rows = samestory.cluster(to_table(found), never_missing(shingle="word:5")).clusters.to_pylist()
    assert [row["cluster_id"] for row in rows] == ["a", "a", "c"]
    assert [row["n_shingles"] for row in rows] == [1, 1, 1]


def test_title_does_not_count_where_there_is_text() -> None:
    same = "Storm closes the northern road"
    found = [
        article("a", "One desk wrote of the wind", title=same),
        article("b", "Another wrote of the snow", title=same),
        article("c", "...", title=same),
    ]
    rows = samestory.cluster(to_table(found), never_missing()).clusters.to_pylist()
    assert [row["relation"] for row in rows] == ["unique"] * 3
    assert rows[2]["n_shingles"] == 0


def test_no_articles() -> None:
    result = samestory.cluster(to_table([]))
    assert result.clusters.equals(CLUSTERS.empty_table())
    assert result.pairs.equals(PAIRS.empty_table())
    assert result.stats["counts"]["articles"] == 0


def test_one_article() -> None:
    result = samestory.cluster(to_table([article("only", "The bridge is open again")]))
    assert result.clusters["relation"].to_pylist() == ["unique"]


def test_a_stream_gives_the_same_as_a_table() -> None:
    found = [
        article(f"d{i}", f"The bridge over the river is open again {'today' * (i % 2)}") for i in range(9)
    ]
    table = to_table(found)
    stream = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=2))
    one, other = samestory.cluster(table), samestory.cluster(stream)
    assert one.clusters.equals(other.clusters)
    assert one.pairs.equals(other.pairs)


# --- Who founds, who is kept, and what the others are to it -------------------

LONG = "The harbour master closed the port at six because the wind had risen to a full gale overnight"


def rows_by_id(found: Articles, **settings: Any) -> dict[str, dict[str, Any]]:
    rows = samestory.cluster(to_table(found), as_the_reference(**settings)).clusters.to_pylist()
    return {row["doc_id"]: row for row in rows}


def test_the_earliest_founds_and_undated_come_last() -> None:
    found = [article("u", LONG), article("late", LONG, 5), article("early", LONG, 1)]
    rows = rows_by_id(found)
    assert {row["cluster_id"] for row in rows.values()} == {"early"}
    assert {row["representative_id"] for row in rows.values()} == {"early"}
    assert rows_by_id(found, representative="first")["late"]["representative_id"] == "u"


def test_of_one_moment_the_lesser_id_founds() -> None:
    assert rows_by_id([article("b", LONG, 1), article("a", LONG, 1)])["b"]["cluster_id"] == "a"
    assert rows_by_id([article("ab", LONG, 1), article("a", LONG, 1)])["ab"]["cluster_id"] == "a"


def test_undated_are_founded_in_input_order() -> None:
    assert rows_by_id([article("b", LONG), article("a", LONG)])["a"]["cluster_id"] == "b"


def test_the_longest_is_kept_but_does_not_found() -> None:
    found = [
        article("short", LONG, 1),
        article("long", LONG + " said an officer", 2),
        article("again", LONG, 3),
    ]
    rows = rows_by_id(found, representative="longest")
    assert {(row["cluster_id"], row["representative_id"]) for row in rows.values()} == {("short", "long")}
    assert rows["long"]["relation"] == "representative"
    assert rows["again"]["relation"] == "near"


def test_linked_through_others() -> None:
    parts = [f"w{i}" for i in range(60)]
    found = [article(f"d{i}", " ".join(parts[6 * i : 6 * i + 40]), i) for i in range(4)]
    rows = rows_by_id(found, shingle="word:1", threshold=0.7)
    assert [rows[f"d{i}"]["relation"] for i in range(4)] == ["representative", "near", "linked", "linked"]
    assert rows["d3"]["jaccard"] == pytest.approx(22 / 58)
    assert rows["d3"]["containment"] == pytest.approx(22 / 40)


def test_the_threshold_itself_is_near() -> None:
    found = [article("a", "one two three four"), article("b", "one two three five")]
    assert rows_by_id(found, shingle="word:1", threshold=3 / 5)["b"]["relation"] == "near"
    assert rows_by_id(found, shingle="word:1", threshold=0.6000001)["b"]["relation"] == "unique"
