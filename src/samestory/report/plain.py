"""Hostile text made harmless to a page's layout, without a change of its length."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

# Control characters are shown as the pictures that Unicode has for them. Embeddings, overrides and
# isolates of direction could reach beyond their own piece of text: each becomes a word joiner, which
# shows nothing.
_PICTURES: Final = {code: chr(0x2400 + code) for code in range(0x20)}
_KEPT: Final = {ord("\t"): "\t", ord("\n"): "\n"}
_OTHER_CONTROLS: Final = dict.fromkeys(range(0x80, 0xA0), "\ufffd")
_DIRECTIONS: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\u2060")
_LINES: Final = dict.fromkeys((0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029), "\n")
_OTHER: Final = {0x7F: "\u2421", 0xFEFF: "\u2060", 0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
_SURROGATES: Final = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_TEXT: Final = {
    **_PICTURES, **_OTHER_CONTROLS, **_DIRECTIONS, **_OTHER, **_SURROGATES, **_KEPT, **_LINES,
}  # fmt: skip
_MOST_MARKS: Final = 8
_LINE: Final = {**_TEXT, ord("\n"): " ", ord("\t"): " ", **dict.fromkeys(_LINES, " ")}


def plain_text(text: str) -> str:
    r"""Return a text of the same length that no page obeys.

    Examples
    --------
    >>> plain_text("a\x1b[31m\u202eb\r\n")
    'a␛[31m\u2060b \n'
    """
    # The first of the two characters that end a line would make an empty one.
    return _without_towers(text).replace("\r\n", " \n").translate(_TEXT)


def plain_line(text: str | None, limit: int) -> str:
    r"""Return at most so many characters of a text, as one line that no page obeys.

    Examples
    --------
    >>> plain_line("Ferry back\non Monday", 12)
    'Ferry back …'
    """
    if text is None:
        return ""
    cut = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return _without_towers(cut).translate(_LINE)


def _without_towers(text: str) -> str:
    """Return a text in which no letter bears so many marks that they reach over the lines around it.

    Each mark too many becomes a word joiner, but for those beyond the first plane: that would change the
    number of UTF-16 units.
    """
    return text if text.isascii() else _tower().sub("\u2060", text)


@cache
def _tower() -> re.Pattern[str]:
    """A mark after as many as any script puts upon a letter."""
    marks = "".join(c for c in map(chr, range(0x300, 0x10000)) if unicodedata.category(c) in ("Mn", "Me"))
    return re.compile(f"(?<=[{marks}]{{{_MOST_MARKS}}})[{marks}]")


def web_link(url: str | None, limit: int) -> str:
    """Return an address that a page may link to, empty if it is not one of the web's or too long.

    Examples
    --------
    >>> web_link("https://tidewire.example/ferry", 300), web_link("javascript:alert(1)", 300)
    ('https://tidewire.example/ferry', '')
    """
    if url is None or len(url) > limit:
        return ""
    is_web = url[:8].lower().startswith(("http://", "https://"))
    return url if is_web and url.isprintable() and " " not in url else ""
