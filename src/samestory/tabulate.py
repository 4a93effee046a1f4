"""From numbers to the tables that are promised: `clusters` and `pairs`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory import schema
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
_STORY: Final = 6


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


def clusters_table(
    articles: Any,
    n_shingles: NDArray[np.int32],
    boilerplate: NDArray[np.float32],
    verified: list[Verified],
    stories: Stories | None = None,
) -> pa.Table:
    """Return one row for each article, in input order: see `samestory.schema.CLUSTERS`.

    Parameters
    ----------
    articles : pyarrow.Table
        The ids and metadata of all articles.
    n_shingles : int32 array
        Distinct shingles of each.
    boilerplate : float32 array
        Share of each one's words that was taken out.
    verified : list of Verified
        The clusters; an article in none of them is alone.
    stories : Stories, optional
    """
    n = len(articles)
    founders = np.arange(n, dtype=np.int64)
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
    ids = articles["doc_id"]
    columns = {
        "doc_id": ids,
        "cluster_id": _take_where_other(ids, founders),
        "cluster_size": sizes,
        "representative_id": _take_where_other(ids, representatives),
        "relation": _RELATIONS.take(pa.array(relations)),
        "jaccard": _jaccard(shared, n_shingles, n_shingles[representatives]),
        "containment": _share(shared, n_shingles),
        "n_shingles": n_shingles,
        "boilerplate_ratio": boilerplate,
        **{name: articles[name] for name in schema.METADATA_COLUMNS},
    }
    if stories is not None:
        columns["story_id"] = _take_where_other(ids, stories.founders)
        columns["story_size"] = stories.sizes
        columns["story_score"] = stories.scores
    return _table(columns, schema.CLUSTERS, n)


def pairs_table(
    ids: Any,
    n_shingles: NDArray[np.int32],
    verified: list[Verified],
    stories: Stories | None = None,
    shared: NDArray[np.int32] | None = None,
) -> pa.Table:
    """Return one row for each verified pair, in input order: see `samestory.schema.PAIRS`.

    A pair of a story stands in the cluster of its first article; `shared` are the shingles its two share.
    """
    rows = [part.pairs for part in verified]
    pairs = np.concatenate(rows) if rows else np.empty((0, 4), dtype=np.int64)
    scores = np.full(len(pairs), np.nan, dtype=np.float32)
    if stories is not None and shared is not None:
        told = np.column_stack([stories.pairs, np.full(len(shared), _STORY), shared])
        pairs = np.concatenate([pairs, told.astype(np.int64)])
        scores = np.concatenate([scores, stories.pair_scores])
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    pairs, scores = pairs[order], scores[order]
    founders = np.arange(len(ids), dtype=np.int64)
    for part in verified:
        founders[part.docs] = part.founders
    a, b, relation, n_shared = (np.ascontiguousarray(pairs[:, k]) for k in range(4))
    columns = {
        "doc_id_a": _take(ids, a),
        "doc_id_b": _take(ids, b),
        "relation": _RELATIONS.take(pa.array(relation)),
        "jaccard": _jaccard(n_shared, n_shingles[a], n_shingles[b], empty=0.0),
        "containment_a_in_b": _share(n_shared, n_shingles[a], empty=0.0),
        "containment_b_in_a": _share(n_shared, n_shingles[b], empty=0.0),
        "shared_shingles": n_shared.astype(np.int32),
        "story_score": pa.array(scores, mask=np.isnan(scores)),
        "cluster_id": _take(ids, founders[a]),
    }
    return _table(columns, schema.PAIRS, len(pairs))


def stories_table(articles: Any, stories: Stories) -> pa.Table:
    """Return one row for each story of two clusters or more, the largest first: `schema.STORIES`."""
    told = stories.told
    sizes = stories.sizes[told]
    order = np.argsort(-sizes.astype(np.int64), kind="stable")
    times = articles["published_at"].combine_chunks()
    first, last = _span(times, stories.founders, told)
    terms = [
        [
            {"term": t, "share": float(x)}
            for t, x in zip(stories.terms[k], stories.shares[k], strict=False)
            if t
        ]
        for k in order
    ]
    columns = {
        "story_id": _take(articles["doc_id"], told[order]),
        "story_size": sizes[order],
        "n_clusters": stories.n_clusters[order],
        "first_published_at": first.take(pa.array(order)),
        "last_published_at": last.take(pa.array(order)),
        "title": _take(articles["title"], told[order]),
        "terms": pa.array(terms, type=schema.STORIES.field("terms").type),
    }
    return _table(columns, schema.STORIES, len(told))


def _span(times: Any, founders: NDArray[np.int64], told: NDArray[np.int64]) -> tuple[Any, Any]:
    """Return the earliest and the latest date of each story, null where none is dated."""
    values = pc.fill_null(times.cast(pa.int64()), 0).to_numpy()
    dated = times.is_valid().to_numpy(zero_copy_only=False)
    low = np.full(len(founders), np.iinfo(np.int64).max)
    high = np.full(len(founders), np.iinfo(np.int64).min)
    np.minimum.at(low, founders[dated], values[dated])
    np.maximum.at(high, founders[dated], values[dated])
    none = high[told] < low[told]
    first, last = (pa.array(side[told], mask=none).cast(schema.TIMESTAMP) for side in (low, high))
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


def _take(ids: Any, rows: NDArray[np.int64]) -> Any:
    return ids.take(pa.array(rows))


def _take_where_other(ids: Any, rows: NDArray[np.int64]) -> Any:
    """Take the ids of other rows; most rows point to themselves, and theirs are not looked up."""
    other = np.flatnonzero(rows != np.arange(len(rows)))
    if not len(other):
        return ids
    mask = np.zeros(len(rows), dtype=np.bool_)
    mask[other] = True
    return pc.replace_with_mask(ids.combine_chunks(), pa.array(mask), _as_array(_take(ids, rows[other])))


def _as_array(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


# An article without a shingle is alone, and the same as itself; with another it shares nothing.
def _jaccard(
    shared: NDArray[Any], n_a: NDArray[np.int32], n_b: NDArray[np.int32], empty: float = 1.0
) -> NDArray[np.float32]:
    return _ratio(shared, n_a.astype(np.int64) + n_b - shared, empty)


def _share(shared: NDArray[Any], n: NDArray[np.int32], empty: float = 1.0) -> NDArray[np.float32]:
    return _ratio(shared, n, empty)


def _ratio(part: NDArray[Any], whole: NDArray[Any], empty: float) -> NDArray[np.float32]:
    ratio: NDArray[np.float64] = np.divide(part, whole, out=np.full(len(whole), empty), where=whole > 0)
    return ratio.astype(np.float32)
