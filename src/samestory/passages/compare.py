"""Two articles compared: exact scores, and the passages that they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samestory import schema
from samestory.config import Config
from samestory.furniture import Furniture
from samestory.passages.match import find_shared
from samestory.passages.reading import Article, Reader, Reading
from samestory.passages.shingles import number_shingles

Ints = NDArray[np.int64]

PLAIN = "plain"
SHARED = "shared"
FURNITURE = "furniture"
CHROME = "chrome"

_PLAIN = 0
_FURNITURE = -1


@dataclass(frozen=True)
class Span:
    """A stretch of an article's text.

    Attributes
    ----------
    begin, end : int
        Offsets into `Reading.text`.
    kind : {"plain", "shared", "furniture", "chrome"}
        Whether its words are the article's own, or lie in shingles that both have, or were taken out
        as what the site repeats, or as lines that are known from menus and notices.
    passage : int, optional
        Of a shared stretch, the number that it and its partners in the other article go by.
    """

    begin: int
    end: int
    kind: str
    passage: int | None = None


@dataclass(frozen=True)
class Passage:
    """Stretches of two articles that are the same.

    Attributes
    ----------
    number : int
        From 1 on, in the order in which they begin in a.
    a, b : tuple of (int, int)
        Where it is in each, one place at least.
    n_units : int
        Words (or characters) of it in a.
    """

    number: int
    a: tuple[tuple[int, int], ...]
    b: tuple[tuple[int, int], ...]
    n_units: int


@dataclass(frozen=True)
class Side:
    """One of two articles; its spans cover its whole text, in order."""

    reading: Reading
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Comparison:
    """Two articles compared.

    Attributes
    ----------
    a, b : Side
    passages : tuple of Passage
    relation : str, optional
        ``exact``, ``near`` or ``partial`` by the scores and the settings; None if it is none of these.
    jaccard, containment_a_in_b, containment_b_in_a : float
        From 0 to 1, the float32 values that pairs.parquet has.
    shared_shingles : int
    """

    a: Side
    b: Side
    passages: tuple[Passage, ...]
    relation: str | None
    jaccard: float
    containment_a_in_b: float
    containment_b_in_a: float
    shared_shingles: int


def compare(
    a: Article, b: Article, config: Config | None = None, furniture: Furniture | None = None
) -> Comparison:
    """Compare two articles.

    Parameters
    ----------
    a, b : Article
    config : Config, optional
    furniture : Furniture, optional
        What the sites of the articles repeat.

    Raises
    ------
    InputError
        A text is not valid Unicode.
    """
    reader = Reader(config or Config(), furniture)
    return compare_readings(reader.read(a), reader.read(b))


def compare_readings(a: Reading, b: Reading) -> Comparison:
    """Compare two articles that were read with the same settings."""
    config = a.config
    units_a, units_b = a.units.compared, b.units.compared
    numbers = number_shingles(units_a, units_b, config.shingle_size)
    shared = find_shared(*numbers, len(units_a), len(units_b))
    n, n_a, n_b = shared.n_shared, a.n_shingles, b.n_shingles
    is_same = len(units_a) > 0 and units_a.equals(units_b)
    side_a, side_b = Side(a, _spans(a, shared.a)), Side(b, _spans(b, shared.b))
    return Comparison(
        a=side_a,
        b=side_b,
        passages=_passages(side_a, side_b, shared.a),
        relation=_relation(n, n_a, n_b, is_same, config),
        jaccard=_ratio(n, n_a + n_b - n),
        containment_a_in_b=_ratio(n, n_a),
        containment_b_in_a=_ratio(n, n_b),
        shared_shingles=n,
    )


def _ratio(part: int, whole: int) -> float:
    return float(np.float32(part / whole)) if whole else 0.0


def _relation(n_shared: int, n_a: int, n_b: int, is_same: bool, config: Config) -> str | None:
    if is_same:
        return schema.EXACT
    if not n_shared:
        return None
    if n_shared / (n_a + n_b - n_shared) >= config.threshold:
        return schema.NEAR
    if n_shared >= config.evidence and n_shared / min(n_a, n_b) >= config.containment:
        return schema.PARTIAL
    return None


def _spans(reading: Reading, passages: Ints) -> tuple[Span, ...]:
    """Return the spans of an article; `passages` numbers the units of it that are compared."""
    units = reading.units
    labels = np.full(len(units.is_kept), _FURNITURE, dtype=np.int64)
    labels[units.is_kept] = passages
    found = [Span(begin, end, CHROME) for begin, end in reading.chrome]
    for first, last in _runs(labels, units.begins, reading.chrome):
        label = int(labels[first])
        if label != _PLAIN:
            kind, number = (FURNITURE, None) if label == _FURNITURE else (SHARED, label)
            found.append(Span(int(units.begins[first]), int(units.ends[last]), kind, number))
    return tuple(_covering(found, len(reading.text)))


def _runs(labels: Ints, begins: Ints, chrome: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the first and the last unit of each run of one label, with no chrome in between."""
    if not len(labels):
        return []
    stretch = np.searchsorted(np.array([begin for begin, _ in chrome], dtype=np.int64), begins, side="right")
    breaks = np.flatnonzero((np.diff(labels) != 0) | (np.diff(stretch) != 0))
    firsts = np.concatenate([[0], breaks + 1])
    lasts = np.append(breaks, len(labels) - 1)
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _covering(spans: list[Span], length: int) -> list[Span]:
    """Put spans in order, the text between them as plain ones; where two overlap the first counts."""
    covering: list[Span] = []
    at = 0
    for span in sorted(spans, key=lambda span: (span.begin, span.end)):
        begin = max(span.begin, at)
        if begin >= span.end:
            continue
        if begin > at:
            covering.append(Span(at, begin, PLAIN))
        covering.append(Span(begin, span.end, span.kind, span.passage))
        at = span.end
    if at < length:
        covering.append(Span(at, length, PLAIN))
    return covering


def _passages(a: Side, b: Side, of_units: Ints) -> tuple[Passage, ...]:
    counts = np.bincount(of_units)
    places: tuple[dict[int, list[tuple[int, int]]], ...] = ({}, {})
    for side, found in zip((a, b), places, strict=True):
        for span in side.spans:
            if span.passage is not None:
                found.setdefault(span.passage, []).append((span.begin, span.end))
    return tuple(
        Passage(number, tuple(places[0][number]), tuple(places[1][number]), int(counts[number]))
        for number in sorted(places[0].keys() & places[1].keys())
    )
