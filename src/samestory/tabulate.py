"""From numbers to the tables that are promised, made piece by piece: `clusters`, `pairs` and `stories`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory import schema
from samestory.kernels.clusters import UNDATED
from samestory.metadata import Ids, Metadata
from samestory.pieces import Pieces
from samestory.verify import Verified

_RELATIONS: Final = pa.array(
    [
        schema.UNIQUE,
        schema.REPRESENTATIVE,
        schema.EXACT,
        schema.NEAR,
        schema.PARTIAL,
        schema.LINKED,
        schema.STORY,
    ],
    pa.string(),
)
"""Names of the relations in the order of their numbers in `samestory.kernels.clusters`, and `story`."""
UNIQUE: Final = 0
REPRESENTATIVE: Final = 1
EXACT: Final = 2
LINKED: Final = 5
STORY: Final = 6
RELATIONS: Final = tuple(_RELATIONS.to_pylist())
_STORIES_AT_ONCE: Final = 1 << 14


@dataclass(frozen=True)
class Stories:
    """The stories of a corpus of n articles.

    Attributes
    ----------
    founders : int64 array of shape (n,)
        The founding article of each one's story.
    sizes : int32 array of shape (n,)
        Articles in it.
    scores : float32 array of shape (n,)
        Similarity to the rest of it, from 0 to 1; 1 for an article whose story is one cluster.
    pairs : int64 array of shape (p, 2)
        Articles of one story but different clusters: doc, later doc.
    pair_scores : float32 array of shape (p,)
    told : int64 array of shape (s,)
        Founding articles of the stories of two clusters or more, in the order of their first dates.
    n_clusters : int32 array of shape (s,)
        Clusters in each of these.
    terms : list of list of str
        Terms that hold each of these together.
    shares : float32 array of shape (s, k)
        Share of each term in the similarity.
    n_units : int
        Clusters in all.
    n_read : int
        Postings read to find neighbours.
    n_compared : int
        Pairs of neighbours that were compared.
    """

    founders: NDArray[np.int64]
    sizes: NDArray[np.int32]
    scores: NDArray[np.float32]
    pairs: NDArray[np.int64]
    pair_scores: NDArray[np.float32]
    told: NDArray[np.int64]
    n_clusters: NDArray[np.int32]
    terms: list[list[str]]
    shares: NDArray[np.float32]
    n_units: int
    n_read: int
    n_compared: int


@dataclass(frozen=True)
class Clusters:
    """The clusters of n articles.

    Attributes
    ----------
    founders, representatives : int32 arrays of shape (n,)
        Of each one's cluster; of an article that is alone itself.
    sizes : int32 array of shape (n,)
        Articles in it.
    relations : int8 array of shape (n,)
        To the representative.
    shared_with : int32 array of shape (n,)
        Shingles shared with the representative.
    n_shingles : int32 array of shape (n,)
        Distinct shingles of each article.
    """

    founders: NDArray[np.int32]
    representatives: NDArray[np.int32]
    sizes: NDArray[np.int32]
    relations: NDArray[np.int8]
    shared_with: NDArray[np.int32]
    n_shingles: NDArray[np.int32]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether each article is alone or represents its cluster."""
        return self.relations <= REPRESENTATIVE

    def __len__(self) -> int:
        return len(self.founders)


@dataclass(frozen=True)
class Pairs:
    """Pairs of articles, in order.

    Attributes
    ----------
    firsts, seconds : int32 arrays of shape (p,)
        The article and the later one.
    relations : int8 array of shape (p,)
    shared : int32 array of shape (p,)
        Shingles that the two share.
    scores : float32 array of shape (p,)
        Of a pair of one story, else not a number.
    """

    firsts: NDArray[np.int32]
    seconds: NDArray[np.int32]
    relations: NDArray[np.int8]
    shared: NDArray[np.int32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.firsts)

    def at(self, rows: Any) -> Pairs:
        """Return those at some places."""
        columns = (self.firsts, self.seconds, self.relations, self.shared, self.scores)
        return Pairs(*(column[rows] for column in columns))


def gather_clusters(verified: list[Verified], n_shingles: NDArray[np.int32]) -> Clusters:
    """Bring the clusters of all articles together; an article in none of them is alone."""
    n = len(n_shingles)
    founders = np.arange(n, dtype=np.int32)
    representatives = founders.copy()
    sizes = np.ones(n, dtype=np.int32)
    relations = np.zeros(n, dtype=np.int8)
    shared = n_shingles.copy()
    for part in verified:
        founders[part.docs] = part.founders
        representatives[part.docs] = part.representatives
        sizes[part.docs] = part.sizes
        relations[part.docs] = part.relations
        shared[part.docs] = part.shared_with
    return Clusters(founders, representatives, sizes, relations, shared, n_shingles)


def gather_pairs(
    verified: list[Verified], stories: Stories | None = None, shared: NDArray[np.int32] | None = None
) -> Pairs:
    """Put all pairs in the order of their articles; `shared` are the shingles those of stories share."""
    counts = [len(part.pairs) for part in verified]
    is_told = stories is not None and shared is not None
    n = sum(counts) + (len(shared) if shared is not None and is_told else 0)
    firsts, seconds, n_shared = (np.empty(n, dtype=np.int32) for _ in range(3))
    relations = np.full(n, STORY, dtype=np.int8)
    scores = np.full(n, np.nan, dtype=np.float32)
    at = 0
    for part, count in zip(verified, counts, strict=True):
        own = slice(at, at + count)
        firsts[own], seconds[own], relations[own], n_shared[own] = part.pairs.T
        at += count
    if stories is not None and shared is not None:
        firsts[at:], seconds[at:], n_shared[at:] = stories.pairs[:, 0], stories.pairs[:, 1], shared
        scores[at:] = stories.pair_scores
    order = np.argsort(firsts.astype(np.int64) << 32 | seconds, kind="stable")
    return Pairs(firsts, seconds, relations, n_shared, scores).at(order)


def clusters_table(
    articles: Metadata,
    clusters: Clusters,
    n_removed: NDArray[np.int32],
    n_units: NDArray[np.int32],
    stories: Stories | None = None,
) -> Pieces:
    """Return one row for each article, in input order: see `samestory.schema.CLUSTERS`.

    Parameters
    ----------
    articles : Metadata
    clusters : Clusters
    n_removed, n_units : int32 arrays
        Words taken out of each article, and those left.
    stories : Stories, optional
    """
    make = partial(_some_clusters, articles, clusters, n_removed, n_units, stories)
    return Pieces(schema.CLUSTERS, len(articles), make)


def _some_clusters(
    articles: Metadata,
    clusters: Clusters,
    n_removed: NDArray[np.int32],
    n_units: NDArray[np.int32],
    stories: Stories | None,
    begin: int,
    end: int,
) -> pa.Table:
    own = slice(begin, end)
    ids = _OwnIds(articles.ids, begin, end)
    representatives = clusters.representatives[own]
    n_shingles, shared = clusters.n_shingles[own], clusters.shared_with[own]
    told = articles.slice(begin, end, schema.METADATA_COLUMNS)
    columns = {
        "doc_id": ids.strings,
        "cluster_id": ids.of(clusters.founders[own]),
        "cluster_size": clusters.sizes[own],
        "representative_id": ids.of(representatives),
        "relation": _RELATIONS.take(pa.array(clusters.relations[own])),
        "jaccard": jaccard(shared, n_shingles, clusters.n_shingles[representatives]),
        "containment": share(shared, n_shingles),
        "n_shingles": n_shingles,
        "boilerplate_ratio": removed_share(n_removed[own], n_units[own]),
        **{name: told[name] for name in schema.METADATA_COLUMNS},
    }
    if stories is not None:
        columns["story_id"] = ids.of(stories.founders[own])
        columns["story_size"] = stories.sizes[own]
        columns["story_score"] = stories.scores[own]
    return _table(columns, schema.CLUSTERS, end - begin)


class _OwnIds:
    """The ids of some rows that follow one another, and those of the rows that these point to."""

    def __init__(self, ids: Ids, begin: int, end: int) -> None:
        self.strings = ids.slice(begin, end)
        self._ids = ids
        self._rows = np.arange(begin, end)

    def of(self, rows: NDArray[Any]) -> Any:
        """Return the ids of other rows; most rows point to themselves."""
        return self.strings if (rows == self._rows).all() else self._ids.take(rows)


def pairs_table(ids: Ids, clusters: Clusters, pairs: Pairs) -> Pieces:
    """Return one row for each verified pair, in input order: see `samestory.schema.PAIRS`.

    A pair of a story stands in the cluster of its first article.
    """
    return Pieces(schema.PAIRS, len(pairs), partial(_some_pairs, ids, clusters, pairs))


def _some_pairs(ids: Ids, clusters: Clusters, pairs: Pairs, begin: int, end: int) -> pa.Table:
    own = pairs.at(slice(begin, end))
    n_a, n_b = clusters.n_shingles[own.firsts], clusters.n_shingles[own.seconds]
    columns = {
        "doc_id_a": ids.take(own.firsts),
        "doc_id_b": ids.take(own.seconds),
        "relation": _RELATIONS.take(pa.array(own.relations)),
        "jaccard": jaccard(own.shared, n_a, n_b, empty=0.0),
        "containment_a_in_b": share(own.shared, n_a, empty=0.0),
        "containment_b_in_a": share(own.shared, n_b, empty=0.0),
        "shared_shingles": own.shared,
        "story_score": pa.array(own.scores, mask=np.isnan(own.scores)),
        "cluster_id": ids.take(clusters.founders[own.firsts]),
    }
    return _table(columns, schema.PAIRS, end - begin)


def stories_table(articles: Metadata, stories: Stories, times: NDArray[np.int64]) -> Pieces:
    """Return one row for each story of two clusters or more, the largest first: `schema.STORIES`.

    Parameters
    ----------
    articles : Metadata
    stories : Stories
    times : int64 array
        As `samestory.identity.founding_times` gives them.
    """
    told = stories.told
    order = np.argsort(-stories.sizes[told].astype(np.int64), kind="stable")
    first, last = _span(times, stories.founders, told[order])
    titles = articles.take(told[order], ["title"])["title"]

    def make(begin: int, end: int) -> pa.Table:
        some = order[begin:end]
        columns = {
            "story_id": articles.ids.take(told[some]),
            "story_size": stories.sizes[told[some]],
            "n_clusters": stories.n_clusters[some],
            "first_published_at": first.slice(begin, end - begin),
            "last_published_at": last.slice(begin, end - begin),
            "title": titles.slice(begin, end - begin),
            "terms": _terms(stories, some),
        }
        return _table(columns, schema.STORIES, end - begin)

    return Pieces(schema.STORIES, len(told), make, _STORIES_AT_ONCE)


def _terms(stories: Stories, some: NDArray[np.int64]) -> Any:
    terms = [
        [
            {"term": t, "share": float(x)}
            for t, x in zip(stories.terms[k], stories.shares[k], strict=False)
            if t
        ]
        for k in some
    ]
    return pa.array(terms, type=schema.STORIES.field("terms").type)


def _span(times: NDArray[np.int64], founders: NDArray[np.int64], told: NDArray[np.int64]) -> tuple[Any, Any]:
    """Return the earliest and the latest date of each story, null where none is dated."""
    story_of = np.full(len(founders), -1, dtype=np.int32)
    story_of[told] = np.arange(len(told), dtype=np.int32)
    story_of = story_of[founders]
    dated = np.flatnonzero((story_of >= 0) & (times != UNDATED))
    low = np.full(len(told), np.iinfo(np.int64).max)
    high = np.full(len(told), np.iinfo(np.int64).min)
    np.minimum.at(low, story_of[dated], times[dated])
    np.maximum.at(high, story_of[dated], times[dated])
    none = high < low
    first, last = (pa.array(side, mask=none).cast(schema.TIMESTAMP) for side in (low, high))
    return first, last


def _table(columns: dict[str, Any], target: pa.Schema, n: int) -> pa.Table:
    arrays = []
    for field in target:
        column = columns.get(field.name)
        if column is None:
            arrays.append(pa.nulls(n, field.type))
        elif isinstance(column, np.ndarray):
            arrays.append(pa.array(column, type=field.type))
        else:
            arrays.append(column.cast(field.type))
    return pa.Table.from_arrays(arrays, schema=target)


def removed_share(n_removed: NDArray[np.int32], n_units: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the share of each article's words that was taken out as furniture."""
    n_words = n_removed + n_units.astype(np.float64)
    return (n_removed / np.maximum(n_words, 1.0)).astype(np.float32)


# An article without a shingle is alone, and the same as itself; with another it shares nothing.
def jaccard(
    shared: NDArray[Any], n_a: NDArray[np.int32], n_b: NDArray[np.int32], empty: float = 1.0
) -> NDArray[np.float32]:
    """Return the Jaccard similarity of articles that share so many shingles."""
    return _ratio(shared, n_a.astype(np.int64) + n_b - shared, empty)


def share(shared: NDArray[Any], n: NDArray[np.int32], empty: float = 1.0) -> NDArray[np.float32]:
    """Return the share of articles' shingles that others have."""
    return _ratio(shared, n, empty)


def _ratio(part: NDArray[Any], whole: NDArray[Any], empty: float) -> NDArray[np.float32]:
    ratio: NDArray[np.float64] = np.divide(part, whole, out=np.full(len(whole), empty), where=whole > 0)
    return ratio.astype(np.float32)
