"""Texts in the page: cut to what matters, with places that browsers count as we do."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsroom import Newsroom
from samestory.passages import Article, Comparison, compare
from samestory.report import texts
from samestory.report.listing import Listing
from samestory.report.plain import plain_text
from samestory.report.texts import LONGEST_TEXT, Texts, make_texts, pairs_to_compare

ROOM = Newsroom(31)


def made_of(a: str, b: str) -> tuple[Texts, Comparison]:
    """What the page holds of two texts, and what was found in them."""
    comparison = compare(Article("a", a), Article("b", b))
    return make_texts([(0, 1)], {0: comparison.a.reading, 1: comparison.b.reading}), comparison


def utf16(text: str, begin: int, end: int) -> str:
    """A part of a text by places as browsers count them."""
    return text.encode("utf-16-le", "surrogatepass")[2 * begin : 2 * end].decode("utf-16-le", "surrogatepass")


def shown(made: Texts, place: int, begin: int, end: int) -> str:
    """What the page shows between two places."""
    row = made.texts[str(place)]
    for start, words in zip(row[1::2], row[2::2], strict=True):
        if start <= begin and end <= start + len(words.encode("utf-16-le")) // 2:
            return utf16(words, begin - start, end - start)
    raise AssertionError((begin, end))


def spans_of(made: Texts, side: int) -> list[tuple[int, int, int]]:
    flat = made.comparisons["0-1"][side]
    return list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))


@given(
    st.lists(
        st.sampled_from(["one", "zwei", "\U0001f600", "三", "四", "e\u0301", "\U00020000", "\r\n", "a\x00b"])
    )
)
def test_places_are_those_of_the_words(middle: list[str]) -> None:
    core = ROOM.story(40)
    a, b = f"{' '.join(middle)} {core}", f"\U0001f600 x {core} {' '.join(middle)}"
    made, comparison = made_of(a, b)
    for side, found in enumerate((comparison.a, comparison.b)):
        known = [span for span in found.spans if span.kind != "plain"]
        spans = spans_of(made, side)
        assert [number for *_, number in spans] == [span.passage or 0 for span in known]
        for (begin, end, _), span in zip(spans, known, strict=True):
            assert shown(made, side, begin, end) == plain_text(found.reading.text)[span.begin : span.end]


def test_a_short_text_is_whole() -> None:
    text = ROOM.story(100)
    made, _ = made_of(text, ROOM.edited(text))
    assert made.texts["0"] == [len(text), 0, text]


def test_a_long_text_shows_its_head_and_what_it_shares() -> None:
    shared = [ROOM.story(60) for _ in range(3)]
    filler = [ROOM.story(9000) for _ in range(4)]
    long = "".join(f"{own}\n\n{part}\n\n" for own, part in zip(filler, [*shared, ""], strict=True))
    short = "\n\n".join(shared)
    made, _ = made_of(long, short)
    row = made.texts["0"]
    assert row[0] == len(long)
    windows = list(zip(row[1::2], row[2::2], strict=True))
    assert sum(len(words) for _, words in windows) <= LONGEST_TEXT
    assert len(windows) == 4
    assert windows[0][0] == 0
    for begin, words in windows:
        assert long[begin : begin + len(words)] == words
    for part, (_, words) in zip(shared, windows[1:], strict=True):
        assert part[:-1] in words
    for (_, first), (second, _) in pairwise([(b, b + len(w)) for b, w in windows]):
        assert first < second


def test_a_text_that_shares_everything_is_cut_all_the_same() -> None:
    long = ROOM.story(12_000)
    made, _ = made_of(long, long)
    for place in ("0", "1"):
        assert [len(words) for words in made.texts[place][2::2]] == [LONGEST_TEXT]
    (span,) = spans_of(made, 0)
    assert span[2] == 1


def test_no_more_is_compared_than_there_is_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    text = ROOM.story(100)
    reading = compare(Article("a", text), Article("b", text)).a.reading
    readings = dict.fromkeys(range(10), reading)
    pairs = [(0, k) for k in range(1, 10)]
    assert len(make_texts(pairs, readings).comparisons) == 9
    monkeypatch.setattr(texts, "MOST_WORK", 5 * len(text))
    assert len(make_texts(pairs, readings).comparisons) == 2
    monkeypatch.setattr(texts, "MOST_WORK", 1)
    assert len(make_texts(pairs, readings).comparisons) == 1


def test_what_was_not_found_is_left_out() -> None:
    text = ROOM.story(100)
    reading = compare(Article("a", text), Article("b", text)).a.reading
    made = make_texts([(0, 1), (0, 2)], {0: reading, 2: reading})
    assert list(made.comparisons) == ["0-2"]
    assert set(made.texts) == {"0", "2"}


def test_pairs_are_of_the_largest_by_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    articles = [[""] * 10 + [-1] for _ in range(12)]
    articles[3][10] = 2
    clusters = [["c0", [0, 1]], ["c1", [2, 3, 4]], ["weak", [5, 6]]]
    stories = [["s0", [7, 8, 9]]]
    listing = Listing(
        articles=articles, rows=list(range(12)), clusters=clusters, stories=stories, n_largest=2
    )
    assert pairs_to_compare(listing) == [(0, 1), (7, 8), (7, 9), (5, 6), (2, 3), (2, 4)]
    articles[4][10] = 3
    assert (3, 4) in pairs_to_compare(listing)
    monkeypatch.setattr(texts, "MOST_COMPARED", 2)
    assert pairs_to_compare(listing) == [(0, 1), (7, 8)]


def test_what_comes_late_in_the_input_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    articles = [[""] * 10 + [-1] for _ in range(8)]
    listing = Listing(
        articles=articles,
        rows=[900, 1, 2, 3, 4, 901, 902, 5],
        clusters=[["late kept", [0, 1, 2, 3]], ["late copy", [4, 5]], ["late", [6, 7]]],
        stories=[["s", [0, 1]], ["t", [3, 2, 5]]],
        n_largest=3,
    )
    articles[3][10] = 2
    monkeypatch.setattr(texts, "MOST_READ", 100)
    texts.find_stand_ins(listing)
    assert [row[10] for row in articles] == [-1, -1, 1, 2, -1, -1, -1, -1]
    assert pairs_to_compare(listing) == [(1, 2), (2, 3), (3, 2)]
