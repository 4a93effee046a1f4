"""The list as a plain table, for readers whose browser runs no scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from samestory.report.arrays import RELATIONS
from samestory.report.figures import moment
from samestory.report.listing import Listing
from samestory.report.words import count, day

MOST_ROWS: Final = 40
_MOST_TERMS: Final = 5
_REDUNDANT: Final = 2
"""The first of the relations that make an article redundant."""
_SECOND: Final = 1_000_000


@dataclass(frozen=True)
class PlainRow:
    """A cluster or story as the list shows it before it is opened."""

    title: str
    told: str
    size: int
    sources: int
    overlap: str
    first: str


def plain_rows(listing: Listing) -> list[PlainRow]:
    """Return the largest clusters and stories in the order of the list."""
    rows = [*_clusters(listing), *_stories(listing)]
    return sorted(rows, key=lambda row: -row.size)[:MOST_ROWS]


def _clusters(listing: Listing) -> list[PlainRow]:
    found = []
    for doc_id, size, sources, least, relations, first, _, places in listing.clusters[:MOST_ROWS]:
        names = zip(relations, RELATIONS[_REDUNDANT:], strict=True)
        told = ", ".join(f"{number:,} {name}" for number, name in names if number)
        title = listing.articles[places[0]][1] or doc_id
        found.append(PlainRow(title, f"Cluster: {told}", size, sources, f"{least:.2f}", _day(first)))
    return found


def _stories(listing: Listing) -> list[PlainRow]:
    found = []
    for doc_id, title, size, n_clusters, sources, terms, first, _, _ in listing.stories[:MOST_ROWS]:
        words = ", ".join(term for term, _ in terms[:_MOST_TERMS])
        told = f"Story of {count(n_clusters, 'cluster')}{': ' if words else ''}{words}"
        found.append(PlainRow(title or doc_id, told, size, sources, "", _day(first)))
    return found


def _day(seconds: int | None) -> str:
    return "" if seconds is None else day(moment(seconds * _SECOND))
