"""Texts of articles and what they share, cut to what a page can hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from samestory.passages import Comparison, Reading, Side, compare_readings
from samestory.progress import Observer, each, ignore_progress
from samestory.report.escape import json_size
from samestory.report.listing import BESIDE, Listing
from samestory.report.plain import plain_text

TEXT_BYTES: Final = 1_600_000
"""Of texts in the page,"""
MOST_COMPARED: Final = 600
"""comparisons,"""
MOST_WORK: Final = 40_000_000
"""and characters that are compared: a comparison costs as much as its two texts are long."""
MOST_IN_CLUSTER: Final = 10
MOST_READ: Final = 300_000
"""Articles at the beginning of the input that are read again: of what comes later there are no texts."""
LONGEST_TEXT: Final = 20_000
"""Characters of a text that are shown: longer ones are cut to what they share."""
_CONTEXT: Final = 300
_HEAD: Final = 600
_FURNITURE: Final = 0

Pair = tuple[int, int]
Window = tuple[int, int]


@dataclass
class Texts:
    """What the page shows of articles when a cluster or story is opened.

    Attributes
    ----------
    texts : dict
        By place in the listing's articles: the text's length, then the beginning and the characters
        of each piece of it. Lengths and places count UTF-16 units, as browsers do.
    comparisons : dict
        By "left-right": spans of the left text and of the right one, each as beginning, end and the
        number of the passage (0: page furniture), one after another; then the Jaccard similarity and the
        containment of the right in the left and of the left in the right.
    why_none : str
        Why there are no texts, where there are none.
    n_changed : int
        Articles that are no longer what the run has read.
    """

    texts: dict[str, list[Any]] = field(default_factory=dict)
    comparisons: dict[str, list[Any]] = field(default_factory=dict)
    why_none: str = ""
    n_changed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return what the page's script reads."""
        return {"texts": self.texts, "comparisons": self.comparisons}


def find_stand_ins(listing: Listing) -> None:
    """Where a representative comes too late in the input, let another member stand in for it."""
    for row in listing.clusters:
        places = [place for place in row[-1] if listing.rows[place] < MOST_READ]
        if places and listing.rows[row[-1][0]] >= MOST_READ:
            for place in places[1:]:
                if listing.articles[place][BESIDE] < 0:
                    listing.articles[place][BESIDE] = places[0]


def pairs_to_compare(listing: Listing) -> list[Pair]:
    """Choose pairs of places in the listing's articles: members with the one they are shown beside.

    A cluster's members stand beside the representative, or where they share nothing with that beside
    the member they are closest to; a story's beside its first article. The largest clusters and stories
    come first, by turns, and the clusters with the weakest members. Pairs of which an article comes too
    late in the input are left out.
    """
    n = listing.n_largest
    clusters = [(row[-1], True) for row in _by_turns(listing.clusters[:n], listing.clusters[n:])]
    stories = [(row[-1], False) for row in listing.stories]
    found: dict[Pair, None] = {}
    for places, is_cluster in _by_turns(clusters, stories):
        besides = [listing.articles[place][BESIDE] if is_cluster else -1 for place in places]
        pairs = [(places[0] if b < 0 else b, place) for b, place in zip(besides, places, strict=True)]
        near = [pair for pair in pairs[1:] if max(listing.rows[place] for place in pair) < MOST_READ]
        found.update(dict.fromkeys(near[:MOST_IN_CLUSTER]))
        if len(found) >= MOST_COMPARED:
            break
    return list(found)[:MOST_COMPARED]


def _by_turns(some: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for k in range(max(len(some), len(others))):
        found += some[k : k + 1]
        found += others[k : k + 1]
    return found


def affordable(pairs: Sequence[Pair], lengths: Mapping[int, int]) -> list[Pair]:
    """Return those pairs of which both texts are there, from the first on, that there is time to compare.

    Parameters
    ----------
    pairs : sequence of (int, int)
    lengths : mapping
        Characters of the texts that are there, by place in the listing's articles.
    """
    found: list[Pair] = []
    work = 0
    for pair in pairs:
        if all(place in lengths for place in pair):
            work += sum(lengths[place] for place in pair)
            if work > MOST_WORK and found:
                break
            found.append(pair)
    return found


def make_texts(
    pairs: Sequence[Pair], readings: Mapping[int, Reading], observer: Observer = ignore_progress
) -> Texts:
    """Compare pairs of readings, as many as there is room and time for.

    Parameters
    ----------
    pairs : sequence of (int, int)
    readings : mapping
        By place in the listing's articles; those that were not found are absent.
    observer : callable, optional
    """
    made = Texts(n_changed=sum(not reading.is_as_recorded for reading in readings.values()))
    chosen = affordable(pairs, {place: len(reading.text) for place, reading in readings.items()})
    compared = {
        (a, b): compare_readings(readings[a], readings[b])
        for a, b in each(chosen, observer, "compare texts", len(chosen))
    }
    _fill(made, compared)
    return made


def _fill(made: Texts, compared: Mapping[Pair, Comparison]) -> None:
    """Add as many comparisons as there is room for, with the texts that they are of."""
    pieces = _pieces(compared)
    left = TEXT_BYTES
    for (a, b), comparison in compared.items():
        new = {str(place): pieces[place].shown() for place in (a, b) if str(place) not in made.texts}
        row = [
            pieces[a].spans(comparison.a),
            pieces[b].spans(comparison.b),
            round(comparison.jaccard, 4),
            round(comparison.containment_b_in_a, 4),
            round(comparison.containment_a_in_b, 4),
        ]
        left -= sum(map(json_size, (*new.values(), row)))
        if left < 0 and made.comparisons:
            return
        made.texts.update(new)
        made.comparisons[f"{a}-{b}"] = row


@dataclass(frozen=True)
class _Piece:
    """The parts of one text that are shown."""

    text: str
    windows: list[Window]
    units: NDArray[np.int64] | None

    def shown(self) -> list[Any]:
        """The text's length, then the beginning and the characters of each part."""
        found: list[Any] = [self._unit(len(self.text))]
        for begin, end in self.windows:
            found += [self._unit(begin), plain_text(self.text[begin:end])]
        return found

    def spans(self, side: Side) -> list[int]:
        """What is shared or furniture in these parts: beginning, end, passage, one after another."""
        found: list[int] = []
        window = iter(self.windows)
        begin, end = next(window, (0, 0))
        for span in side.spans:
            while end <= span.begin and (following := next(window, None)):
                begin, end = following
            if span.kind != "plain" and span.begin < end and span.end > begin:
                found += [self._unit(span.begin), self._unit(span.end), span.passage or _FURNITURE]
        return found

    def _unit(self, place: int) -> int:
        """Return a place in UTF-16 units."""
        return place if self.units is None else int(self.units[place])


def _pieces(compared: Mapping[Pair, Comparison]) -> dict[int, _Piece]:
    """Cut every text to what is shown of it, for all comparisons that it is in."""
    sides: dict[int, list[Side]] = {}
    for (a, b), comparison in compared.items():
        sides.setdefault(a, []).append(comparison.a)
        sides.setdefault(b, []).append(comparison.b)
    found = {}
    for place, own in sides.items():
        text = own[0].reading.text
        found[place] = _Piece(text, _windows(len(text), own), _utf16_units(text))
    return found


def _windows(length: int, sides: Sequence[Side]) -> list[Window]:
    """The parts of a long text that are shown: its head, and what is shared with a little around it."""
    if length <= LONGEST_TEXT:
        return [(0, length)]
    around = ((max(0, begin - _CONTEXT), min(length, end + _CONTEXT)) for begin, end in _shared(sides))
    found: list[Window] = []
    left = LONGEST_TEXT
    for begin, end in sorted([(0, _HEAD), *around]):
        begin = max(begin, found[-1][1]) if found else begin
        end = min(end, begin + left)
        if begin >= end:
            continue
        left -= end - begin
        if found and begin == found[-1][1]:
            begin = found.pop()[0]
        found.append((begin, end))
    return found


def _shared(sides: Sequence[Side]) -> Iterator[Window]:
    for side in sides:
        for span in side.spans:
            if span.kind == "shared":
                yield span.begin, span.end


def _utf16_units(text: str) -> NDArray[np.int64] | None:
    """Where each character begins in UTF-16, None where that is its place."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    if not (codes > 0xFFFF).any():
        return None
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(1 + (codes > 0xFFFF))])
