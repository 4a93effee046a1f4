"""The terms of articles and what they weigh, against the naive reference."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import story_reference as naive
from samestory.kernels.story.terms import name_words
from samestory.normalise import normalise
from samestory.story.neighbours import Timeline, find_neighbours
from samestory.story.terms import MOST_TERMS, TermCounts, Terms, head
from storyteller import Storyteller
from strategies import SCRIPTS, story_words, wild_text
from unicode_versions import known_to_one

Titled = tuple[str | None, str]
TOLERANCE = 1e-6


def texts(max_pieces: int = 24) -> st.SearchStrategy[str]:
    """Texts of mixed scripts, of characters that are the same in every version of Unicode concerned."""
    wild = wild_text(max_pieces).map(lambda text: "".join(c for c in text if c not in known_to_one()))
    return st.one_of(wild, story_words(max_size=40).map(" ".join))


def weighed(found: list[Titled]) -> Terms:
    folded = normalise(pa.array([text for _, text in found], pa.large_string()), unit="word")
    titles = pa.array([title for title, _ in found], pa.string())
    headed = head(titles, folded, np.arange(len(found)), by_character=False)
    counts = TermCounts(len(found))
    counts.add(counts.list(headed))
    terms = Terms.empty(len(found))
    assert counts.weigh(headed, 0, len(found), terms) == len(found)
    return terms


def check(found: list[Titled]) -> None:
    """Names are equal, weights within 1e-6; of terms that weigh the same either may be left out."""
    terms = weighed(found)
    expected = naive.weigh_all([(naive.words(title), naive.words(text)) for title, text in found])
    for i, own in enumerate(expected):
        n = terms.numbers[i]
        assert n == len(own.weights)
        names = terms.names[i, :n].tolist()
        assert names == sorted(names)
        weights = dict(zip(names, terms.weights[i, :n].tolist(), strict=True))
        wanted = {name: weight for (_, name), weight in own.weights.items()}
        check_same(weights, wanted, own.lightest if n == MOST_TERMS else -1.0)
        telling = {names[place] for place in terms.telling[i, : terms.numbers_telling[i]]}
        assert len(telling) == len(own.telling) == terms.numbers_telling[i]
        for name in telling ^ {name for _, name in own.telling}:
            assert (weights | wanted)[name] == pytest.approx(own.lightest_telling, abs=TOLERANCE)


def check_same(weights: dict[int, float], wanted: dict[int, float], bar: float) -> None:
    for name in weights.keys() | wanted.keys():
        if name in weights and name in wanted:
            assert weights[name] == pytest.approx(wanted[name], abs=TOLERANCE)
        else:
            assert (weights | wanted)[name] == pytest.approx(bar, abs=TOLERANCE)


WORDS = (
    "raqqa", "raqqah", "raqa", "rakka", "oourou", "ouh", "aah", "oh", "bush", "bushah", "h", "hh", "ou",
    "q", "qqk", "international", "internationale", "1st", "2025", "٢٠٢٥", "covid19", "b11", "中", "ประเทศ",
    "e\u0301te\u0301", "مدينه", "מדינה", "a" * 300, "ab" * 40,
    "é" * 70, "a" + "\u0301" * 80, "ß", "ou" * 40, "قطر", "q\u0301q",
)  # fmt: skip


def names_of(words: list[str]) -> list[int]:
    data = [word.encode() for word in words]
    offsets = np.cumsum([0, *map(len, data)])
    found: list[int] = name_words(np.frombuffer(b"".join(data) + bytes(64), dtype=np.uint8), offsets).tolist()
    return found


def test_names_of_words() -> None:
    assert names_of(list(WORDS)) == [naive.name_of_word(word) for word in WORDS]


@given(st.lists(st.text("aehouqkb1é中ا\u0301", min_size=1, max_size=12), min_size=1))
def test_names_of_any_words(words: list[str]) -> None:
    assert names_of(words) == [naive.name_of_word(word) for word in words]


@pytest.mark.parametrize(
    ("one", "other"),
    [("raqqa", "raqqah"), ("raqqa", "raka"), ("minister", "ministers"), ("beirout", "beirut")],
)
def test_forms_of_a_word_are_one_term(one: str, other: str) -> None:
    assert naive.stem(one) == naive.stem(other)


@given(st.lists(st.tuples(st.none() | texts(4), texts()), min_size=1, max_size=5))
@example([("41 dead 31 1999 2100 0041 99999999999999 10995116277769 10995116277770", "12 32 1899 1900 ٤١")])
@example([(None, ""), ("", "..."), ("the", "the the the")])
def test_any_text(found: list[Titled]) -> None:
    check(found)


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script(script: str) -> None:
    letters = [c for c in SCRIPTS[script] if c not in known_to_one()]
    text = "".join(f"{one}{other} {other}" for one in letters for other in letters)
    check([(text[:40], text), (text[40:80], text[:400]), (None, text[::-1])])


@pytest.mark.parametrize("n_words", [30, 100, 150, 300, 450, 900])
def test_ordinary_articles(n_words: int) -> None:
    found = Storyteller(n_words).articles([5, 3, 2, 1, 1, 1, 1], n_words=n_words)
    check([(row["title"], row["text"]) for row in found])


def test_long_titles_and_the_bounds_of_the_text() -> None:
    words = [f"w{k}x" for k in range(1000)]
    check([(" ".join(words[:n]), " ".join(words[n:])) for n in (0, 1, 99, 100, 101, 500)])


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_levels(seed: int, sizes: list[int]) -> None:
    check_levels([(row["title"], row["text"]) for row in Storyteller(seed).articles(sizes, n_words=40)])


@pytest.mark.parametrize("n_words", [10, 40])
def test_levels_of_a_large_event(n_words: int) -> None:
    found = Storyteller(3).articles([50], n_words=n_words, share=1.0)
    check_levels([(row["title"], row["text"]) for row in found])


def check_levels(found: list[Titled]) -> None:
    terms = weighed(found)
    n = len(found)
    with ThreadPoolExecutor(1) as executor:
        timeline = Timeline(np.zeros(n, dtype=np.int64), 0, 1)
        neighbours: Any = find_neighbours(terms, timeline, executor)
    own = naive.weigh_all([(naive.words(title), naive.words(text)) for title, text in found])
    cosines, are_neighbours = naive.cosines(own), naive.are_neighbours(own)
    for i in range(n):
        listed = neighbours.docs[i]
        places = listed[listed >= 0].tolist()
        assert sorted(places) == np.flatnonzero(are_neighbours[i]).tolist()
        similarities = neighbours.similarities[i][listed >= 0]
        assert similarities.tolist() == pytest.approx(cosines[i, places].tolist(), abs=TOLERANCE)
    assert neighbours.levels(terms.numbers) == pytest.approx(naive.levels(own), rel=1e-5)
