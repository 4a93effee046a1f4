"""The list of clusters and stories, as plain values for JSON: few bytes, and no more than a page can hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from samestory.finished import FinishedRun
from samestory.report.arrays import RELATIONS, UNDATED, Arrays, Ints
from samestory.report.choice import Chosen, weakest
from samestory.report.copying import LONGEST_SOURCE
from samestory.report.escape import json_size
from samestory.report.partners import find_partners
from samestory.report.plain import plain_line, web_link

CLUSTER_BYTES: Final = 2_000_000
STORY_BYTES: Final = 1_000_000
LONGEST_ID: Final = 160
LONGEST_TITLE: Final = 200
LONGEST_LINK: Final = 400
BESIDE: Final = 10
_MOST_TERMS: Final = 12
_LONGEST_TERM: Final = 40
_DIGITS: Final = 4


@dataclass
class Listing:
    """What the page's list is made from.

    Attributes
    ----------
    articles : list
        Id, title, place in `sources` (-1: not known), address, seconds since 1970, place in `RELATIONS`,
        Jaccard similarity and containment with the representative, share of furniture, the place of
        the article's cluster in `clusters` (-1 where it is not listed), and the place of the article that
        it is shown beside if that is not the representative (else -1): the closest one for articles that are
        only linked.
    rows : list of int
        Row of each of them in clusters.parquet.
    clusters : list
        Id, size, number of sources, least Jaccard similarity, articles by relation, first date,
        last date, and places in `articles`, the representative's first.
    stories : list
        Id, title, size, number of clusters, number of sources, terms with their shares, first date,
        last date, and places in `articles`.
    sources : list of str
    n_clusters, n_stories : int
        How many there are in the run.
    n_largest : int
        How many of the listed clusters are there for their size.
    """

    n_clusters: int = 0
    n_stories: int = 0
    n_largest: int = 0
    articles: list[list[Any]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    clusters: list[list[Any]] = field(default_factory=list)
    stories: list[list[Any]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return what the page's script reads."""
        return {
            "relations": list(RELATIONS),
            "sources": self.sources,
            "articles": self.articles,
            "clusters": self.clusters,
            "stories": self.stories,
        }


def make_listing(
    run: FinishedRun, arrays: Arrays, clusters: Chosen, stories: Chosen, table: pa.Table | None
) -> Listing:
    """List the chosen clusters and stories, as many as there is room for."""
    listing = Listing(clusters.n_all, stories.n_all)
    desk = _Desk(run, arrays, [*clusters.members, *stories.members], listing)
    described = _describe_clusters(arrays, clusters)
    for number, members, facts in zip(clusters.numbers.tolist(), clusters.members, described, strict=True):
        if not desk.add_cluster(number, members, facts):
            break
    listing.n_largest = min(clusters.n_largest, len(listing.clusters))
    if table is not None:
        told = _with_microseconds(table.slice(0, len(stories))).to_pylist()
        sources = _n_sources(arrays, arrays.story, len(table))
        for members, facts in zip(stories.members, told, strict=True):
            if not desk.add_story(members, facts, sources):
                break
    for row, partner in find_partners(run, arrays, listing.rows).items():
        listing.articles[desk.place(row)][BESIDE] = desk.place(partner)
    return listing


class _Desk:
    """Puts articles, clusters and stories into a listing, and counts its bytes."""

    def __init__(self, run: FinishedRun, arrays: Arrays, members: list[Ints], listing: Listing) -> None:
        empty = np.zeros(0, dtype=np.int64)
        self._rows = np.unique(np.concatenate([empty, *members]))
        names = ["doc_id", "title", "url", "containment"]
        self._details = run.clusters(names).take(pa.array(self._rows)).to_pylist()
        self._arrays = arrays
        self._listing = listing
        self._place: dict[int, int] = {}
        self._source_place: dict[int, int] = {}
        self._cluster_place: dict[int, int] = {}
        self._bytes = 0

    def add_cluster(self, number: int, members: Ints, facts: list[Any]) -> bool:
        """Append a cluster if there is room for it."""
        self._cluster_place[number] = len(self._listing.clusters)
        places = self._add_articles(members)
        row = [self._id(number), *facts, places]
        self._bytes += json_size(row)
        if self._bytes > CLUSTER_BYTES and self._listing.clusters:
            del self._cluster_place[number]
            return False
        self._listing.clusters.append(row)
        return True

    def add_story(self, members: Ints, facts: dict[str, Any], n_sources: Ints) -> bool:
        """Append a story if there is room for it."""
        if not self._listing.stories:
            self._bytes = 0
        arrays, story = self._arrays, len(self._listing.stories)
        terms = [
            [plain_line(term["term"], _LONGEST_TERM), round(term["share"], _DIGITS)]
            for term in facts["terms"][:_MOST_TERMS]
        ]
        row = [
            plain_line(facts["story_id"], LONGEST_ID),
            plain_line(facts["title"], LONGEST_TITLE),
            facts["story_size"],
            facts["n_clusters"],
            int(n_sources[story]) if arrays.story is not None else 0,
            terms,
            _seconds(facts["first_published_at"]),
            _seconds(facts["last_published_at"]),
            self._add_articles(members),
        ]
        self._bytes += json_size(row)
        if self._bytes > STORY_BYTES and self._listing.stories:
            return False
        self._listing.stories.append(row)
        return True

    def place(self, row: int) -> int:
        """Return the place of an article that is listed."""
        return self._place[row]

    def _add_articles(self, members: Ints) -> list[int]:
        places = []
        for row in members.tolist():
            if row not in self._place:
                article = self._article(row)
                self._bytes += json_size(article)
                self._place[row] = len(self._listing.articles)
                self._listing.articles.append(article)
                self._listing.rows.append(row)
            places.append(self._place[row])
        return places

    def _article(self, row: int) -> list[Any]:
        arrays, facts = self._arrays, self._fact(row)
        published = int(arrays.published[row])
        return [
            plain_line(facts["doc_id"], LONGEST_ID),
            plain_line(facts["title"], LONGEST_TITLE),
            self._source(int(arrays.source[row])),
            web_link(facts["url"], LONGEST_LINK),
            None if published == UNDATED else published // 1_000_000,
            int(arrays.relation[row]),
            round(float(arrays.jaccard[row]), _DIGITS),
            round(facts["containment"], _DIGITS),
            round(float(arrays.boilerplate[row]), _DIGITS),
            self._cluster_place.get(int(arrays.cluster[row]), -1),
            -1,
        ]

    def _fact(self, row: int) -> dict[str, Any]:
        found: dict[str, Any] = self._details[int(np.searchsorted(self._rows, row))]
        return found

    def _id(self, number: int) -> str:
        return plain_line(self._arrays.ids[int(self._arrays.founders[number])].as_py(), LONGEST_ID)

    def _source(self, code: int) -> int:
        names = self._arrays.source_names
        if code == len(names) - 1:
            return -1
        if code not in self._source_place:
            self._source_place[code] = len(self._listing.sources)
            self._listing.sources.append(plain_line(names[code], LONGEST_SOURCE))
            self._bytes += json_size(self._listing.sources[-1])
        return self._source_place[code]


def _with_microseconds(table: pa.Table) -> pa.Table:
    """Dates as numbers: there are moments that Python's own type cannot hold."""
    for name in ("first_published_at", "last_published_at"):
        moments = pc.fill_null(table[name].cast(pa.int64()), UNDATED)
        table = table.set_column(table.schema.get_field_index(name), name, moments)
    return table


def _describe_clusters(arrays: Arrays, chosen: Chosen) -> list[list[Any]]:
    """Size, sources, least similarity, articles by relation, first and last date of each cluster."""
    n = len(arrays.sizes)
    rows = np.flatnonzero(arrays.cluster >= 0)
    relations = np.bincount(
        arrays.cluster[rows] * len(RELATIONS) + arrays.relation[rows], minlength=n * len(RELATIONS)
    ).reshape(n, len(RELATIONS))
    first, last = _dates(arrays, rows)
    sources, least = _n_sources(arrays, arrays.cluster, n), weakest(arrays)
    return [
        [
            int(arrays.sizes[number]),
            int(sources[number]),
            round(float(least[number]), _DIGITS),
            relations[number, 2:].tolist(),
            _seconds(first[number]),
            _seconds(last[number]),
        ]
        for number in chosen.numbers.tolist()
    ]


def _dates(arrays: Arrays, rows: Ints) -> tuple[Ints, Ints]:
    """First and last date of each cluster, `UNDATED` where none of its articles has one."""
    dated = rows[arrays.published[rows] != UNDATED]
    first = np.full(len(arrays.sizes), np.iinfo(np.int64).max, dtype=np.int64)
    last = np.full(len(arrays.sizes), UNDATED, dtype=np.int64)
    np.minimum.at(first, arrays.cluster[dated], arrays.published[dated])
    np.maximum.at(last, arrays.cluster[dated], arrays.published[dated])
    return np.where(last == UNDATED, UNDATED, first), last


def _seconds(microseconds: Any) -> int | None:
    return None if microseconds == UNDATED else int(microseconds) // 1_000_000


def _n_sources(arrays: Arrays, group: Ints | None, n_groups: int) -> Ints:
    """Count the known sources of each group."""
    if group is None:
        return np.zeros(n_groups, dtype=np.int64)
    n_names = len(arrays.source_names)
    rows = np.flatnonzero((group >= 0) & (arrays.source < n_names - 1))
    pairs = np.unique(group[rows] * n_names + arrays.source[rows])
    return np.bincount(pairs // n_names, minlength=n_groups)
