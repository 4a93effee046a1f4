"""Hostile text made harmless, and JSON that cannot leave its element."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hostile import ALL, LINKS
from hypothesis import given
from hypothesis import strategies as st

from samestory.report.escape import json_size, page_json
from samestory.report.plain import plain_line, plain_text, web_link

ANY_TEXT = st.text(st.characters(blacklist_categories=["Cs"]))
OBEYED = {
    *map(chr, [*range(0x20), *range(0x7F, 0xA0)]),
    *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
}


@given(ANY_TEXT)
def test_a_text_keeps_its_places(text: str) -> None:
    plain = plain_text(text)
    assert len(plain) == len(text)
    assert len(plain.encode("utf-16-le")) == len(text.encode("utf-16-le"))
    assert set(plain).isdisjoint(OBEYED - {"\n", "\t"})
    assert all(
        a == b
        for a, b in zip(plain, text, strict=True)
        if unicodedata.category(a)[0] in "LNPS" and a < "\u2400"
    )


@given(ANY_TEXT, st.integers(1, 50))
def test_a_line_is_one_and_short(text: str, limit: int) -> None:
    line = plain_line(text, limit)
    assert len(line) <= limit
    assert set(line).isdisjoint(OBEYED | {"\u2028", "\u2029"})
    assert line.splitlines() in ([], [line])


@pytest.mark.parametrize("mark", ["\u0301", "\u0e49", "\u20dd"])
def test_no_letter_reaches_over_other_lines(mark: str) -> None:
    tower = f"Zeit{mark * 500}ung {mark * 3}"
    for plain in (plain_text(tower), plain_line(tower, 1000)):
        assert len(plain) == len(tower)
        assert plain.count(mark) == 8 + 3
        assert plain.startswith(f"Zeit{mark * 8}\u2060")
    assert (
        plain_text("q\u0307\u0323 \u0f66\u0f92\u0fb2\u0f74\u0f56")
        == "q\u0307\u0323 \u0f66\u0f92\u0fb2\u0f74\u0f56"
    )


def test_nothing_of_all_that_is_hostile_is_left() -> None:
    for plain in (plain_text(ALL), plain_line(ALL, 10_000)):
        assert set(plain).isdisjoint(OBEYED - {"\n"})
    assert plain_line(None, 9) == ""


@pytest.mark.parametrize("link", [*LINKS, None, "", "//host.example/", "ftp://host.example/", "https://a b/"])
def test_only_addresses_of_the_web_are_links(link: str | None) -> None:
    found = web_link(link, 400)
    assert found in ("", link)
    assert bool(found) == (link in ("http://ok.example/path?a=1&b=<2>", LINKS[3]))


@given(st.recursive(ANY_TEXT | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=4)))
def test_json_comes_back_and_holds_no_markup(value: object) -> None:
    text = page_json(value)
    assert json.loads(text) == value
    assert set(text).isdisjoint("<>&\u2028\u2029")
    assert json_size(value) == len(text.encode()) + 1
