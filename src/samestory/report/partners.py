"""Beside which article one is shown that shares little or nothing with its cluster's representative."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from samestory import schema
from samestory.finished import FinishedRun
from samestory.report.arrays import RELATIONS, Arrays, Ints


def find_partners(run: FinishedRun, arrays: Arrays, rows: Sequence[int]) -> dict[int, int]:
    """Return the closest listed member of its cluster for each listed article that is only linked.

    Parameters
    ----------
    run : FinishedRun
    arrays : Arrays
    rows : sequence of int
        The listed articles' rows of clusters.parquet.

    Returns
    -------
    dict
        By row, the row of the article with which it has the pair of the largest containment; those
        that have no listed one are left out.
    """
    listed = np.asarray(rows, dtype=np.int64)
    linked = listed[arrays.relation[listed] == RELATIONS.index(schema.LINKED)]
    if not len(linked):
        return {}
    mine, other, shared = _pairs_of(run, arrays.ids.take(pa.array(linked)))
    is_listed = np.isin(other, listed)
    mine, other, shared = linked[mine[is_listed]], other[is_listed], shared[is_listed]
    order = np.lexsort((other, -shared, mine))
    _, firsts = np.unique(mine[order], return_index=True)
    best = order[firsts]
    return dict(zip(mine[best].tolist(), other[best].tolist(), strict=True))


def _pairs_of(run: FinishedRun, ids: pa.ChunkedArray) -> tuple[Ints, Ints, np.ndarray]:
    """Of each pair that one of the ids has: its place, the other's row, and the larger containment."""
    names = ["doc_id_a", "doc_id_b", "relation", "containment_a_in_b", "containment_b_in_a"]
    table = run.pairs(names)
    among = ids.combine_chunks()
    is_own = pc.or_(pc.is_in(table["doc_id_a"], among), pc.is_in(table["doc_id_b"], among))
    table = table.filter(pc.and_(is_own, pc.not_equal(table["relation"], schema.STORY)))
    shared = np.maximum(table["containment_a_in_b"].to_numpy(), table["containment_b_in_a"].to_numpy())
    places, rows = [], []
    for own, other in (("doc_id_a", "doc_id_b"), ("doc_id_b", "doc_id_a")):
        places.append(np.asarray(pc.fill_null(pc.index_in(table[own], value_set=among), -1), np.int64))
        rows.append(_rows_of(run, table[other]))
    place, row, both = np.concatenate(places), np.concatenate(rows), np.concatenate([shared, shared])
    known = (place >= 0) & (row >= 0)
    return place[known], row[known], both[known]


def _rows_of(run: FinishedRun, ids: pa.ChunkedArray) -> Ints:
    encoded = ids.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    return run.rows_of(encoded.dictionary.to_pylist())[np.asarray(encoded.indices, dtype=np.int64)]
