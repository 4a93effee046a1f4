"""Words parted by a hyphen at the end of a line."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
import samestory
from newsroom import Newsroom
from samestory.normalise import normalise
from tabled import article, never_missing, to_table
from unicode_versions import shared_text

JOINED = {
    "a small letter after it": ("govern-\nment", ["government"]),
    "carriage return": ("govern-\r\nment", ["government"]),
    "spaces and tabs before the rest": ("govern-\n \t ment", ["government"]),
    "twice": ("inter-\ngovern-\nmental", ["intergovernmental"]),
    "no line end": ("well-known", ["well", "known"]),
    "capital letter": ("Lib-\nDem", ["lib", "dem"]),
    "digit before": ("1990-\nish", ["1990", "ish"]),
    "digit after": ("covid-\n19", ["covid", "19"]),
    "space before the line end": ("govern- \nment", ["govern", "ment"]),
    "a blank line": ("govern-\n\nment", ["govern", "ment"]),
    "carriage return alone": ("govern-\rment", ["govern", "ment"]),
    "a dash of two": ("wait--\nno", ["wait", "no"]),
    "a list": ("news\n- one\n- two", ["news", "one", "two"]),
    "first of the text": ("-\nment", ["ment"]),
    "last of the text": ("govern-\n", ["govern"]),
    "letters beyond ascii": ("prési-\ndent élec-\néléments", ["président", "élecéléments"]),
    "cyrillic": ("прави-\nтельство", ["правительство"]),
    "punctuation beyond ascii parts words still": ("stop-\n— go", ["stop", "go"]),
}


@pytest.mark.parametrize(("text", "expected"), JOINED.values(), ids=JOINED.keys())
def test_join(text: str, expected: list[str]) -> None:
    one_word = samestory.Config(shingle="word:1")
    assert samestory.shingles(text, one_word) == expected
    assert reference.words(text) == expected


@given(
    st.lists(shared_text(), min_size=1, max_size=4),
    st.sampled_from(("-\n", "-\r\n", "-\n  ", "- \n", "--\n", "-\n\n")),
)
def test_equal_reference(parts: list[str], joint: str) -> None:
    text = joint.join(parts)
    for unit in ("word", "char"):
        folded = normalise(pa.array(["x", text, None, text], pa.large_string()), unit=unit)
        expected = ["x", reference.normalised(text, unit), "", reference.normalised(text, unit)]
        assert [folded.text(i) for i in range(4)] == expected


def test_a_slice_of_a_column() -> None:
    column = pa.array(["aa-\nbb", "govern-\nment", "x"], pa.large_string()).slice(1)
    folded = normalise(column, unit="word")
    assert [folded.text(i) for i in range(2)] == ["government", "x"]


def test_neighbours_do_not_join() -> None:
    folded = normalise(pa.array(["govern-", "\nment", "a-\n", "b"], pa.large_string()), unit="word")
    assert [folded.text(i) for i in range(4)] == ["govern", "ment", "a", "b"]


def hyphenated(text: str, width: int = 40) -> str:
    """A text set in a narrow column, as from paper: every line is full and ends within a word."""
    lines = []
    while len(text) > width:
        cut = width
        while cut > 1 and not (text[cut - 1].isalpha() and "a" <= text[cut] <= "z"):
            cut -= 1
        lines.append(text[:cut] + "-")
        text = text[cut:]
    return "\n".join([*lines, text])


def test_a_printed_copy_is_exact() -> None:
    room = Newsroom(7)
    text = room.story(200).replace("\n\n", " ")
    printed = hyphenated(text)
    assert printed.count("-\n") > 20
    rows = samestory.cluster(
        to_table(
            [article("web", text, 1), article("print", printed, 2), article("other", room.story(200), 3)]
        ),
        never_missing(),
    ).clusters.to_pylist()
    assert [row["relation"] for row in rows] == ["representative", "exact", "unique"]
