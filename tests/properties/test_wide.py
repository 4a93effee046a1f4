"""Components of more texts than are compared all with all, against the naive reference."""

from __future__ import annotations

import functools
import random
from typing import Any

import pytest

import reference
import samestory
from against_reference import MOST_LISTED, check_clusters, check_pairs
from tabled import Article, article, as_the_reference, to_table, words


@pytest.fixture(autouse=True)
def _reference_remembers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference takes a text apart again for every use of it; here that would take minutes."""
    for name in ("fold", "split", "shingles"):
        monkeypatch.setattr(reference, name, functools.cache(getattr(reference, name)))


def check(found: list[Article], config: samestory.Config) -> samestory.Result:
    random.Random(5).shuffle(found)
    result = samestory.cluster(to_table(found), config)
    check_clusters(found, result, config)
    check_pairs(found, result, config)
    sizes = [
        row["cluster_size"] for row in result.clusters.to_pylist() if row["relation"] == "representative"
    ]
    counts = result.stats["counts"]
    assert counts["clusters_not_listed_pair_by_pair"] == sum(size > MOST_LISTED for size in sizes)
    assert result.stats["most_articles_listed_pair_by_pair"] == MOST_LISTED
    return result


def chain(n: int) -> list[Article]:
    """Each text of 40 words shares 34 with the next: near to it alone."""
    return [article(f"c{i}", " ".join(words("w", range(6 * i, 6 * i + 40))), i) for i in range(n)]


def star(n: int) -> list[Article]:
    """A text of 100 words, and others without 20 of them: near to it, at 0.8, but not to each other."""
    rng = random.Random(2)
    core = words("core", range(100))
    leaves = []
    for i in range(n):
        gone = set(rng.sample(range(100), 20))
        leaves.append(article(f"leaf{i}", " ".join(w for k, w in enumerate(core) if k not in gone), 1 + i))
    return [article("core", " ".join(core), 0), *leaves]


def variants(n: int, n_edits: int, seed: int = 3) -> list[Article]:
    """Versions of one text of 120 words, each with some of its words replaced by its own."""
    rng = random.Random(seed)
    text = words("wire", range(120))
    found = []
    for i in range(n):
        edited = list(text)
        for k in rng.sample(range(120), n_edits):
            edited[k] = f"own{i}x{k}"
        found.append(article(f"v{i}", " ".join(edited), rng.randint(0, 50)))
    return found


def footers(n: int) -> list[Article]:
    """Unrelated texts that share a footer of 60 % of their words; every tenth has a near copy."""
    footer = words("footer", range(60))
    found = []
    for i in range(n):
        body = words(f"body{i}x", range(40))
        found.append(article(f"f{i}", " ".join(body + footer), i))
        if i % 10 == 0:
            found.append(article(f"f{i}again", " ".join([*body[:38], "two", "others", *footer]), i + 1))
    return found


@pytest.mark.parametrize("rule", ["earliest", "longest", "first"])
def test_chain(rule: str) -> None:
    config = as_the_reference(shingle="word:1", threshold=0.7, representative=rule)
    result = check(chain(300), config)
    assert set(result.clusters["cluster_size"].to_pylist()) == {300}
    assert result.stats["counts"]["relations"]["linked"] > 290


def test_star_is_one_cluster() -> None:
    result = check(star(150), as_the_reference(shingle="word:1", threshold=0.8))
    assert set(result.clusters["cluster_size"].to_pylist()) == {151}
    assert result.stats["counts"]["relations"]["near"] == 150


@pytest.mark.parametrize("n_edits", [2, 8, 20, 21, 22])
def test_variants_of_one_text(n_edits: int) -> None:
    check(variants(200, n_edits), as_the_reference(shingle="word:1", threshold=0.7))


def test_variants_and_many_equal_copies() -> None:
    copies = [article(f"same{i}", " ".join(words("wire", range(120))), 60 + i % 3) for i in range(500)]
    result = check([*copies, *variants(20, 5)], as_the_reference(shingle="word:3", threshold=0.6))
    assert set(result.clusters["cluster_size"].to_pylist()) == {520}
    assert len(result.pairs) < 5 * 520


@pytest.mark.parametrize("shingle", ["word:1", "word:5", "char:9"])
def test_shared_footer(shingle: str) -> None:
    result = check(footers(100), as_the_reference(shingle=shingle, threshold=0.7))
    assert result.stats["counts"]["clusters"] == 10


def test_clusters_on_both_sides_of_the_limit() -> None:
    found: list[Article] = []
    for n in (MOST_LISTED - 1, MOST_LISTED, MOST_LISTED + 1):
        for copy in variants(n, 3, seed=n):
            text = " ".join(f"n{n}{word}" for word in copy["text"].split())
            found.append({**copy, "doc_id": f"{n}.{copy['doc_id']}", "text": text})
    result = check(found, as_the_reference(shingle="word:1", threshold=0.7))
    assert sorted(set(result.clusters["cluster_size"].to_pylist())) == [63, 64, 65]
    assert result.stats["counts"]["clusters_not_listed_pair_by_pair"] == 1


def test_equal_texts_on_both_sides_of_the_limit() -> None:
    found = [
        article(f"{n}.{i}", f"strike at the port ends after {n} days") for n in (63, 64, 65) for i in range(n)
    ]
    result = check(found, as_the_reference(threshold=0.9))
    assert result.stats["counts"]["pairs"] == 63 * 62 // 2 + 64 * 63 // 2 + 64


def settings_as_shipped(**settings: Any) -> samestory.Config:
    return samestory.Config(threads=1, **settings)


@pytest.mark.parametrize("found", [star(150), variants(200, 8)], ids=["star", "variants"])
def test_default_settings_find_nearly_all(found: list[Article]) -> None:
    # With the default search each pair may be missed at 1 %, but nearly all of these have many.
    result = samestory.cluster(to_table(found), settings_as_shipped(shingle="word:1", threshold=0.7))
    sizes = result.clusters["cluster_size"].to_pylist()
    assert sizes.count(max(sizes)) >= 0.98 * len(found)


@pytest.mark.parametrize(
    "found", [star(150), variants(200, 21), footers(100)], ids=["star", "variants", "footers"]
)
@pytest.mark.parametrize("threshold", [0.65, 0.8])
def test_order_of_rows(found: list[Article], threshold: float) -> None:
    # Also where not every pair is compared, what is found depends on the set of articles alone.
    config = samestory.Config(shingle="word:1", threshold=threshold)
    answers = []
    for seed in (1, 2):
        shuffled = random.Random(seed).sample(found, len(found))
        rows = samestory.cluster(to_table(shuffled), config).clusters.to_pylist()
        answers.append(sorted(rows, key=lambda row: str(row["doc_id"])))
    assert answers[0] == answers[1]


def test_order_of_rows_changes_no_pair() -> None:
    found = variants(200, 8)
    answers = []
    for seed in (1, 2):
        shuffled = random.Random(seed).sample(found, len(found))
        pairs = samestory.cluster(to_table(shuffled), as_the_reference(shingle="word:1")).pairs.to_pylist()
        answers.append({frozenset((pair["doc_id_a"], pair["doc_id_b"])) for pair in pairs})
    assert answers[0] == answers[1]
