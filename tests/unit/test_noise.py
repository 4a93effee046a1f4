"""Copies that were scanned, typeset or published anew still join their originals."""

from __future__ import annotations

import difflib
from typing import Any, Final

import pyarrow as pa
import pytest

import samestory
from noise import english_article, hyphenated, repunctuated, scanned, with_ad

N_ARTICLES: Final = 200


@pytest.fixture(scope="module")
def originals() -> list[str]:
    return [english_article(seed) for seed in range(N_ARTICLES)]


def clustered(originals: list[str], copies: list[str], **settings: Any) -> list[dict[str, Any]]:
    """The rows of `clusters`: first those of the originals, then those of their copies in the same order."""
    names = [f"{kind}{place}" for kind in ("original", "copy") for place in range(len(originals))]
    table = pa.table({"doc_id": names, "text": originals + copies})
    return samestory.cluster(table, samestory.Config(**settings)).clusters.to_pylist()


def recall_and_strangers(rows: list[dict[str, Any]]) -> tuple[float, int]:
    """The share of copies that joined their originals, and the number of articles beside a stranger."""
    n = len(rows) // 2
    found = sum(rows[place]["cluster_id"] == rows[place + n]["cluster_id"] for place in range(n))
    strangers = sum(row["cluster_id"] != f"original{place % n}" for place, row in enumerate(rows))
    return found / n, strangers - (n - found)  # a copy alone is missed, but beside nobody


# --- The noise itself --------------------------------------------------------


def test_articles_are_all_different_and_always_the_same(originals: list[str]) -> None:
    assert len(set(originals)) == N_ARTICLES
    assert originals[7] == english_article(7)
    assert all(350 <= len(text.split()) <= 380 for text in originals)


@pytest.mark.parametrize("percent", [0, 1, 2, 5, 8])
def test_scanning_misreads_so_many_characters(originals: list[str], percent: int) -> None:
    text = originals[0][:1000]
    found = scanned(text, percent / 100, seed=3)
    assert found == scanned(text, percent / 100, seed=3)
    assert found.count("\n") == text.count("\n")
    steps = difflib.SequenceMatcher(None, text, found, autojunk=False).get_opcodes()
    n_faults = sum(kind != "equal" for kind, *_ in steps)
    assert 7 * percent <= n_faults <= 11 * percent  # some meet, and one may look like two


def test_hyphenation_divides_words_at_the_ends_of_lines(originals: list[str]) -> None:
    copies = [hyphenated(text, seed) for seed, text in enumerate(originals)]
    assert sum(copy.count("-\n") for copy in copies) > 10 * N_ARTICLES
    for text, copy in zip(originals, copies, strict=True):
        assert all(len(line) <= 60 for line in copy.split("\n"))
        assert copy.replace("-\n", "").split() == text.split()


def test_an_ad_is_a_paragraph_more(originals: list[str]) -> None:
    assert with_ad(originals[2], seed=1).count("\n\n") == originals[2].count("\n\n") + 1


# --- What it does to clusters ------------------------------------------------


@pytest.mark.parametrize("shingle", ["word:5", "char:5", "char:9"])
def test_other_punctuation_is_the_same_text(originals: list[str], shingle: str) -> None:
    copies = [repunctuated(text, seed) for seed, text in enumerate(originals)]
    assert all(copy != text for copy, text in zip(copies, originals, strict=True))
    rows = clustered(originals, copies, shingle=shingle)
    assert {row["relation"] for row in rows[N_ARTICLES:]} == {"exact"}
    assert recall_and_strangers(rows) == (1.0, 0)


@pytest.mark.parametrize("shingle", ["word:5", "char:5", "char:9"])
def test_an_ad_hides_no_copy_and_joins_no_strangers(originals: list[str], shingle: str) -> None:
    rows = clustered(originals, [with_ad(text, seed) for seed, text in enumerate(originals)], shingle=shingle)
    assert {row["relation"] for row in rows[N_ARTICLES:]} <= {"exact", "near"}
    assert recall_and_strangers(rows) == (1.0, 0)


@pytest.mark.parametrize(
    ("percent", "shingle", "threshold"),
    [
        (1, "char:9", 0.7), (2, "char:5", 0.7),
        (3, "char:5", 0.6), (5, "char:5", 0.5), (5, "char:6", 0.5), (5, "char:9", 0.4), (8, "char:5", 0.4),
    ],
)  # fmt: skip
def test_scanned_copies_join_by_characters(
    originals: list[str], percent: int, shingle: str, threshold: float
) -> None:
    copies = [scanned(text, percent / 100, seed) for seed, text in enumerate(originals)]
    rows = clustered(originals, copies, shingle=shingle, threshold=threshold)
    recall, strangers = recall_and_strangers(rows)
    assert recall >= 0.95
    assert strangers == 0


def test_hyphenated_line_ends(originals: list[str]) -> None:
    rows = clustered(originals, [hyphenated(text, seed) for seed, text in enumerate(originals)])
    assert {row["relation"] for row in rows[N_ARTICLES:]} <= {"exact", "near"}
    assert recall_and_strangers(rows) == (1.0, 0)
