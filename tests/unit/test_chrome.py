"""Lines that crawlers leave around an article: taken out one by one, and nothing of the story with them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import reference
import samestory
from newsroom import Newsroom, typeset
from samestory.chrome import take_out_chrome
from samestory.chrome_phrases import HINTS, STRONG, WHOLE, phrases
from samestory.kernels.lines import LONGEST_PHRASE
from strategies import wild_text
from tabled import article, never_missing, single, to_table

TITLE = "Ferry to the outer islands runs again after a month of repairs"
STORY = (
    "The ferry between the harbour and the two outer islands will run again from Monday, the company said.",
    "Engineers had spent a month on the hull, in which a diver found cracks in the first days of spring.",
    "Islanders had been carried by fishing boats, at their own cost and only while the sea was calm.",
)
HEAD = (
    "No Script",
    "Please Wait...",
    "Skip to content",
    "folder_openIslands access_time2 years ago",
    "starAdd to favorites",
)
FOOT = (
    "ferries | islands | repairs | harbour",
    "Source: News agencies",
    "Comments",
    "If you like what you read, please donate to keep the Harbour Post going.",
    "The views expressed in this article are the author's own.",
    "Copyright 2024 The Harbour Post. All rights reserved.",
    "desk@harbourpost.example",
    "www.harbourpost.example",
    "Read also",
    "Share on Facebook",
)


def cleaned(*texts: str | None, by_character: bool = False) -> tuple[list[str | None], list[int]]:
    """The texts without their chrome, and how much that was."""
    column = pa.array(texts, pa.large_string())
    found, n_removed = take_out_chrome(column, by_character=by_character)
    assert found.type == pa.large_string()
    assert n_removed.dtype == np.int32
    return found.to_pylist(), n_removed.tolist()


def lines_left(text: str) -> list[str]:
    """The lines with something on them that are left of a text."""
    return [line for line in (cleaned(text)[0][0] or "").splitlines() if line.strip()]


def page(*parts: str, joint: str = "\n") -> str:
    return joint.join(parts)


@pytest.mark.parametrize("joint", ["\n", "\n\n", "\r\n", " \n \n"])
@pytest.mark.parametrize("n_head", [0, 1, len(HEAD)])
@pytest.mark.parametrize("n_foot", [0, 1, len(FOOT)])
def test_a_crawled_page(n_head: int, n_foot: int, joint: str) -> None:
    text = page(*HEAD[:n_head], TITLE, *STORY, *FOOT[:n_foot], joint=joint)
    assert [line.strip() for line in lines_left(text)] == [TITLE, *STORY]


@pytest.mark.parametrize("line", HEAD)
def test_a_line_at_the_head(line: str) -> None:
    assert lines_left(page(line, TITLE, *STORY)) == [TITLE, *STORY]
    assert lines_left(page(TITLE, line, *STORY)) == [TITLE, *STORY]  # below the title


@pytest.mark.parametrize("line", FOOT)
def test_a_line_at_the_foot(line: str) -> None:
    assert lines_left(page(TITLE, *STORY, line)) == [TITLE, *STORY]
    assert lines_left(page(TITLE, *STORY, line.upper())) == [TITLE, *STORY]


@pytest.mark.parametrize("line", ["Mara Ellin", "Harbour Post, 9 May 2024", "Tidewire"])
def test_a_short_line_goes_only_with_chrome_above_it(line: str) -> None:
    assert lines_left(page(TITLE, *STORY, "Comments", line)) == [TITLE, *STORY]
    assert lines_left(page(TITLE, *STORY, line)) == [TITLE, *STORY, line]


def test_chrome_within_the_story_stays() -> None:
    lines = [TITLE, STORY[0], "Advertisement", STORY[1], STORY[2]]
    assert lines_left(page(*lines)) == lines


PASSING = (
    "The council asked islanders to sign up for our harbour's new list of small boats, which the ferry "
    "company keeps, and two hundred families did so within a week, although the form is long, the office "
    "opens for an hour a day, and nobody could say what the list was for."
)


def test_a_phrase_in_passing_is_no_chrome() -> None:
    assert len(PASSING.split()) > 40
    for lines in ((TITLE, *STORY, PASSING), (PASSING, *STORY), (TITLE, PASSING)):
        assert lines_left(page(*lines)) == list(lines)
    assert lines_left(page(TITLE, *STORY, "Sign up for our letters from the harbour.")) == [TITLE, *STORY]


def wrapped(text: str, width: int = 66) -> list[str]:
    """The lines of a text set in a column."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


@pytest.mark.parametrize("last", ["years ago", "on facebook.", "comments", "more", "home"])
def test_hard_wrapped_text_keeps_its_lines(last: str) -> None:
    lines = [
        TITLE,
        "",
        *wrapped(" ".join(STORY[:2])),
        "",
        *wrapped(STORY[2][:-1] + ", and then for many long"),
    ]
    assert len(lines[-1]) >= 40 or len(lines[-2]) >= 40
    while len(lines[-1]) < 42:
        lines[-1] += " weeks"
    assert lines_left(page(*lines, last)) == [line for line in [*lines, last] if line]


@pytest.mark.parametrize(
    "text", ["Comments", "All rights reserved.", STORY[0], "", " ", "\n", "no words: ..."]
)
def test_one_line_is_left_alone(text: str) -> None:
    assert cleaned(text) == ([text], [0])


@pytest.mark.parametrize("n", [2, 3, 10, 23, 24, 25, 60])
def test_nothing_but_chrome_keeps_a_line(n: int) -> None:
    lines = [("Comments", "Share", "Read more")[i % 3] for i in range(n)]
    assert len(lines_left(page(*lines))) >= 1


@pytest.mark.parametrize("end", ["\n", "\n\n", "\r\n"])
def test_nothing_but_chrome_keeps_a_line_before_the_last_line_end(end: str) -> None:
    assert len(lines_left(page("Comments", "Share", "Read more") + end)) >= 1


def test_no_line_beyond_those_at_either_end() -> None:
    lines = [*["Share"] * 40, TITLE, *STORY, *["Comments"] * 40]
    left = lines_left(page(*lines))
    assert [line for line in left if line not in ("Share", "Comments")] == [TITLE, *STORY]
    assert left.count("Share") <= 16
    assert left.count("Comments") <= 16


def test_a_huge_line_is_no_chrome() -> None:
    huge = "Share this article " * 200
    assert lines_left(page(huge, TITLE, *STORY)) == [huge, TITLE, *STORY]
    assert lines_left(page(TITLE, *STORY, huge)) == [TITLE, *STORY, huge]


@pytest.mark.parametrize("text", [WHOLE, STRONG], ids=["whole", "strong"])
def test_every_phrase_is_known_at_either_end(text: str) -> None:
    for phrase in phrases(text):
        if len(reference.words(phrase)) > LONGEST_PHRASE:
            continue  # see the next test
        assert lines_left(page(phrase, TITLE, *STORY)) == [TITLE, *STORY], phrase
        assert lines_left(page(TITLE, *STORY, f"“{phrase.title()}” !")) == [TITLE, *STORY], phrase


def test_no_phrase_is_too_long_to_be_matched() -> None:
    every = [phrase for text in (WHOLE, STRONG, HINTS) for phrase in phrases(text)]
    assert [phrase for phrase in every if len(reference.words(phrase)) > LONGEST_PHRASE] == []


def test_every_hint_is_known_in_a_short_line() -> None:
    for phrase in phrases(HINTS):
        assert lines_left(page(TITLE, *STORY, f"Seven {phrase}")) == [TITLE, *STORY], phrase


@pytest.mark.parametrize("by_character", [False, True])
def test_counts(by_character: bool) -> None:
    text = page(*HEAD, TITLE, *STORY, *FOOT)
    (left,), (n_removed,) = cleaned(text, by_character=by_character)
    assert left is not None
    unit = "char" if by_character else "word"
    # Of characters, with the space between two lines.
    spaces = len(HEAD) + len(FOOT) if by_character else 0
    assert n_removed == sum(len(reference.units(line, unit)) for line in (*HEAD, *FOOT)) + spaces
    assert n_removed == len(reference.units(text, unit)) - len(reference.units(left, unit))


def test_texts_do_not_touch_one_another() -> None:
    texts = [page(*HEAD, TITLE, *STORY), "", None, "Comments", page(TITLE, *STORY, *FOOT), STORY[0]]
    alone = [cleaned(text) for text in texts]
    together = cleaned(*texts)
    assert [value or "" for value in together[0]] == [one[0][0] or "" for one in alone]
    assert together[1] == [one[1][0] for one in alone]
    column = pa.array(["Share\nx", *texts, "Share\nx"], pa.large_string()).slice(1, len(texts))
    found, n_removed = take_out_chrome(column, by_character=False)
    assert [value or "" for value in found.to_pylist()] == [value or "" for value in together[0]]
    assert n_removed.tolist() == together[1]


def lined_text() -> st.SearchStrategy[str]:
    """Lines of anything, some of them chrome, some long."""
    known = st.sampled_from((*HEAD, *FOOT, TITLE, *STORY, *phrases(WHOLE)[:20], *phrases(STRONG)[-20:]))
    odd = st.sampled_from(
        (
            "@",
            "://",
            "www",
            "www.",
            "a_b",
            "|||",
            "-",
            "\r",
            "\0",
            "a" * 1599,
            "é" * 800,
            "世" * 534,
            "ﷺ" * 534,
            "\u0301" * 700,
        )
    )
    return st.lists(st.one_of(known, odd, wild_text(max_pieces=5)), max_size=30).map("\n".join)


@given(st.lists(lined_text(), min_size=1, max_size=4), st.booleans())
@example(["\n" * 60], False)
@example(["Share\n" * 30 + "x"], True)
def test_only_whole_lines_go_from_either_end(texts: list[str], by_character: bool) -> None:
    found, n_removed = cleaned(*texts, by_character=by_character)
    for text, left, n in zip(texts, found, n_removed, strict=True):
        assert left is not None
        before, after = text.split("\n"), left.split("\n")
        assert len(before) == len(after)
        gone = [i for i in range(len(before)) if before[i] != after[i]]
        assert all(after[i] == "" for i in gone)
        assert all(i < 24 or i >= len(before) - 24 for i in gone)
        assert (n > 0) == bool(gone)


@given(st.lists(lined_text(), min_size=1, max_size=3))
def test_a_run_never_fails_over_them(texts: list[str]) -> None:
    found = [article(f"d{i}", text) for i, text in enumerate(texts)]
    result = samestory.cluster(to_table(found), never_missing())
    assert len(result.clusters) == len(texts)
    assert all(0 <= ratio <= 1 for ratio in result.clusters["boilerplate_ratio"].to_pylist())


def test_bytes_that_are_no_utf_8() -> None:
    texts = [
        b"Share\n\xff\xfe\xc3\n" + STORY[0].encode() + b"\n\xed\xa0\x80 Comments\n\xe2\x82",
        b"\xf0\x9f\n" * 40,
    ]
    table = pa.table({"id": ["a", "b"], "text": pa.array(texts, pa.binary())})
    offsets, data = table["text"].chunk(0).buffers()[1:]
    broken = pa.Array.from_buffers(pa.string(), 2, [None, offsets, data])
    result = samestory.cluster(table.set_column(1, "text", broken), never_missing(on_error="skip"))
    assert len(result.clusters) + len(result.rejects) == 2


def test_boilerplate_ratio_is_words_removed_of_all() -> None:
    room = Newsroom(3)
    found = [article("page", page(*HEAD, TITLE, *STORY, *FOOT)), article("plain", typeset(room.words(60)))]
    n_removed = sum(len(reference.words(line)) for line in (*HEAD, *FOOT))
    n_words = n_removed + sum(len(reference.words(line)) for line in (TITLE, *STORY))
    result = samestory.cluster(to_table(found), never_missing())
    assert result.clusters["boilerplate_ratio"].to_pylist() == [single(n_removed / n_words), 0.0]
    facts = result.stats["furniture"]
    assert (facts["articles"], facts["words"], facts["blocks"]) == (1, n_removed, 0)
    assert facts["ratio"] == pytest.approx(n_removed / (n_words + 60), abs=1e-6)
    without = samestory.cluster(to_table(found), never_missing(boilerplate=False))
    assert without.clusters["boilerplate_ratio"].to_pylist() == [0.0, 0.0]
    assert without.stats["furniture"]["words"] == 0


def test_copies_are_judged_without_it() -> None:
    found = [article("page", page(*HEAD, TITLE, *STORY, *FOOT), 1), article("wire", page(TITLE, *STORY), 2)]
    rows = samestory.cluster(to_table(found), never_missing()).clusters.to_pylist()
    assert [row["relation"] for row in rows] == ["representative", "exact"]
    assert rows[0]["n_shingles"] == rows[1]["n_shingles"]
    rows = samestory.cluster(to_table(found), never_missing(boilerplate=False)).clusters.to_pylist()
    assert rows[1]["relation"] != "exact"
