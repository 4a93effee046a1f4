"""What is shown of two texts: their passages, the rest shortened, and rows in which like stands by like."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from samestory.passages import Comparison, Reading, Side, Span

LEFT_OUT: Final = "left out"
"""Kind of a piece that is not shown."""

_MOST_WORDS: Final = {"plain": 60, "shared": 150, "furniture": 24, "chrome": 24}
"""A stretch of more words is shown without its middle."""
_CHARACTERS_A_WORD: Final = 6
_LONGEST_TOKEN: Final = 120
"""A word, or what stands between two, of more characters is shown without its middle."""
_MOST_PIECES: Final = 300
_MOST_ROWS: Final = 400
_BREAK: Final = re.compile(r"\s*\n\s*")
_ODD: Final = re.compile(r"[^\S \n]+| {3,}")
_NEW_LINES: Final = frozenset("\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
_MANY_NEW_LINES: Final = re.compile(r"\n[\n ]*\n")


@dataclass(frozen=True)
class Piece:
    """A stretch of a text as it is shown.

    Attributes
    ----------
    begin, end : int
        Offsets into the text.
    kind : str
        That of its span, or `LEFT_OUT`.
    passage : int, optional
    note : str
        What is left out.
    is_begin : bool
        Whether its span begins with it.
    """

    begin: int
    end: int
    kind: str
    passage: int | None = None
    note: str = ""
    is_begin: bool = True


Row = tuple[list[Piece], list[Piece]]


def pieces_of(side: Side, *, full: bool) -> list[Piece]:
    """Return the pieces of a text, with long stretches shortened unless all is to be shown."""
    if full:
        return [Piece(span.begin, span.end, span.kind, span.passage) for span in side.spans]
    shown: list[Piece] = []
    for span in side.spans:
        if len(shown) >= _MOST_PIECES:
            rest = Piece(span.begin, len(side.reading.text), LEFT_OUT)
            return [*shown, replace(rest, note=_counted(side.reading, rest.begin, rest.end))]
        shown += _shortened(side.reading, span)
    return shown


def _shortened(reading: Reading, span: Span) -> Iterator[Piece]:
    """Yield a span without its middle, if it is long, and without the middle of long words."""
    units = reading.units
    first, last = np.searchsorted(units.begins, (span.begin, span.end)).tolist()
    most = _MOST_WORDS[span.kind] * (_CHARACTERS_A_WORD if reading.config.shingle_unit == "char" else 1)
    if last - first <= most + most // 2:  # a few words more are not worth leaving out
        yield from _without_long_tokens(reading, span, span.begin, span.end)
        return
    left, right = int(units.ends[first + most // 2 - 1]), int(units.begins[last - most // 2])
    yield from _without_long_tokens(reading, span, span.begin, left)
    yield Piece(left, right, LEFT_OUT, note=_counted(reading, left, right))
    yield from _without_long_tokens(reading, span, right, span.end)


def _without_long_tokens(reading: Reading, span: Span, begin: int, end: int) -> Iterator[Piece]:
    units = reading.units
    first, last = np.searchsorted(units.begins, (begin, end)).tolist()
    if end - begin <= _LONGEST_TOKEN:
        yield Piece(begin, end, span.kind, span.passage, is_begin=begin == span.begin)
        return
    edges = np.concatenate([[begin], units.begins[first:last], units.ends[first:last], [end]])
    edges = np.unique(np.clip(edges, begin, end))
    at = begin
    for k in np.flatnonzero(np.diff(edges) > _LONGEST_TOKEN).tolist():
        left, right = int(edges[k]) + _LONGEST_TOKEN // 2, int(edges[k + 1]) - _LONGEST_TOKEN // 4
        yield Piece(at, left, span.kind, span.passage, is_begin=at == span.begin)
        yield Piece(left, right, LEFT_OUT, note=f"{right - left:,} characters")
        at = right
    if at < end:
        yield Piece(at, end, span.kind, span.passage, is_begin=at == span.begin)


def _counted(reading: Reading, begin: int, end: int) -> str:
    """Say how much stands between two places."""
    low, high = np.searchsorted(reading.units.begins, (begin, end)).tolist()
    what = "character" if reading.config.shingle_unit == "char" else "word"
    return f"{high - low:,} {what}{'' if high - low == 1 else 's'}"


def rows_of(compared: Comparison, pieces_a: list[Piece], pieces_b: list[Piece]) -> list[Row]:
    """Return the pieces in rows: paragraphs that hold the same begin in one row, as far as order allows."""
    cuts = _cuts(compared)
    for k, pieces in enumerate((pieces_a, pieces_b)):
        hidden = [(piece.begin, piece.end) for piece in pieces if piece.kind == LEFT_OUT]
        cuts = [cut for cut in cuts if not _is_within(cut[k], hidden)]
    cuts = cuts[:: 1 + len(cuts) // _MOST_ROWS]
    columns = (_split(pieces_a, [a for a, _ in cuts]), _split(pieces_b, [b for _, b in cuts]))
    return list(zip(*columns, strict=True))


def _cuts(compared: Comparison) -> list[tuple[int, int]]:
    """Find places in both texts at which a paragraph begins, the same in both or after the same."""
    texts = compared.a.reading.text, compared.b.reading.text
    anchors = _in_order([(passage.a[0], passage.b[0]) for passage in compared.passages])
    cuts: list[tuple[int, int]] = []
    after = (0, 0)
    for spans in anchors:
        before = [
            _last_break(text, low, span[0]) for text, low, span in zip(texts, after, spans, strict=True)
        ]
        if before[0] is not None and before[1] is not None and any(before):
            cuts.append((before[0], before[1]))
        breaks = [[match.end() for match in _BREAK.finditer(text, *span)]
                  for text, span in zip(texts, spans, strict=True)]  # fmt: skip
        if len(breaks[0]) == len(breaks[1]):
            cuts += zip(*breaks, strict=True)
        after = (spans[0][1], spans[1][1])
    return cuts


def _last_break(text: str, begin: int, end: int) -> int | None:
    """Return where the last paragraph begins that begins in a stretch of a text."""
    at = text.rfind("\n", begin, end)
    return at + 1 if at >= 0 or begin == 0 else None


Anchor = tuple[tuple[int, int], tuple[int, int]]
"""Where a passage is in both texts."""


def _in_order(anchors: list[Anchor]) -> list[Anchor]:
    """Return passages that come in the same order in both texts, of those with the most text in all.

    `begins` are where the last passage begins in b of the ways so far that are worth going on with,
    with how much text is on each: both rise.
    """
    begins: list[int] = []
    amounts: list[int] = []
    ways: list[int] = []
    before: list[int] = []
    for k, ((low, high), (begin, _)) in enumerate(anchors):
        at = bisect_left(begins, begin)
        amount = high - low + (amounts[at - 1] if at else 0)
        before.append(ways[at - 1] if at else -1)
        end = at
        while end < len(begins) and amounts[end] <= amount:
            end += 1
        if end == len(begins) or begins[end] > begin:
            begins[at:end], amounts[at:end], ways[at:end] = [begin], [amount], [k]
    chosen = []
    way = ways[-1] if ways else -1
    while way >= 0:
        chosen.append(anchors[way])
        way = before[way]
    return chosen[::-1]


def _is_within(place: int, stretches: list[tuple[int, int]]) -> bool:
    k = bisect_left(stretches, (place, place)) - 1
    return k >= 0 and stretches[k][0] < place < stretches[k][1]


def _split(pieces: list[Piece], places: list[int]) -> list[list[Piece]]:
    """Split pieces at some places, in order."""
    rows: list[list[Piece]] = [[]]
    following = iter([*places, None])
    place = next(following)
    for piece in pieces:
        begin = piece.begin
        while place is not None and place < piece.end:
            if place > begin:
                rows[-1].append(replace(_from(piece, begin), end=place))
            rows.append([])
            begin, place = place, next(following)
        rows[-1].append(_from(piece, begin))
    while place is not None:
        rows.append([])
        place = next(following)
    return rows


def _from(piece: Piece, begin: int) -> Piece:
    return replace(piece, begin=begin, is_begin=piece.is_begin and begin == piece.begin)


def displayed(text: str) -> str:
    """Return a text as a terminal may show it: nothing in it is obeyed, and every character takes its room.

    Direction marks and other characters without a shape are left out, and what is no character is escaped.
    """
    text = text.replace("\r\n", "\n")
    if not text.isascii() or not text.isprintable():
        # Few characters are odd, however long the text is.
        odd = {ord(c): _stand_in(c) for c in set(text) if not c.isprintable() or c in _SELECTORS}
        text = text.translate(odd)
    return _MANY_NEW_LINES.sub("\n\n", _ODD.sub(" ", text))


_SELECTORS: Final = frozenset(map(chr, range(0xFE00, 0xFE10)))


def _stand_in(character: str) -> str:
    if character in ("\n", "\t", "\r"):
        return " " if character == "\t" else "\n"
    if character in _NEW_LINES:
        return "\n"
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category == "Cf" or character in _SELECTORS:
        return ""
    return character.encode("unicode_escape").decode()


def is_right_to_left(texts: Iterable[str | None]) -> bool:
    """Whether any of some texts holds letters that run from right to left."""
    return any(unicodedata.bidirectional(c) in ("R", "AL") for text in texts for c in set(text or ""))
