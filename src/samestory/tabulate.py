"""From numbers to the tables that are promised: `clusters` and `pairs`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory import schema
from samestory.verify import Verified

_RELATIONS: Final = pa.array(
    [schema.UNIQUE, schema.REPRESENTATIVE, schema.EXACT, schema.NEAR, schema.PARTIAL, schema.LINKED],
    pa.string(),
)
"""Names of the relations in the order of their numbers in `samestory.kernels.clusters`."""


def clusters_table(
    articles: Any, n_shingles: NDArray[np.int32], boilerplate: NDArray[np.float32], verified: list[Verified]
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
    return _table(columns, schema.CLUSTERS, n)


def pairs_table(ids: Any, n_shingles: NDArray[np.int32], verified: list[Verified]) -> pa.Table:
    """Return one row for each verified pair, in input order: see `samestory.schema.PAIRS`."""
    rows = [part.pairs for part in verified]
    pairs = np.concatenate(rows) if rows else np.empty((0, 4), dtype=np.int64)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    founders = np.arange(len(ids), dtype=np.int64)
    for part in verified:
        founders[part.docs] = part.founders
    a, b, relation, shared = (np.ascontiguousarray(pairs[:, k]) for k in range(4))
    columns = {
        "doc_id_a": _take(ids, a),
        "doc_id_b": _take(ids, b),
        "relation": _RELATIONS.take(pa.array(relation)),
        "jaccard": _jaccard(shared, n_shingles[a], n_shingles[b]),
        "containment_a_in_b": _share(shared, n_shingles[a]),
        "containment_b_in_a": _share(shared, n_shingles[b]),
        "shared_shingles": shared.astype(np.int32),
        "cluster_id": _take(ids, founders[a]),
    }
    return _table(columns, schema.PAIRS, len(pairs))


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


def _jaccard(shared: NDArray[Any], n_a: NDArray[np.int32], n_b: NDArray[np.int32]) -> NDArray[np.float32]:
    union = n_a.astype(np.int64) + n_b - shared
    # An article without a shingle is alone, and the same as itself.
    ratio: NDArray[np.float64] = np.divide(shared, union, out=np.ones(len(union)), where=union > 0)
    return ratio.astype(np.float32)


def _share(shared: NDArray[Any], n: NDArray[np.int32]) -> NDArray[np.float32]:
    ratio: NDArray[np.float64] = np.divide(shared, n, out=np.ones(len(n)), where=n > 0)
    return ratio.astype(np.float32)
