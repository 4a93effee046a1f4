"""Connected components of a graph that no one machine holds.

Large-star and small-star in turn (Kiveris, Lattanzi, Mirrokni, Rastogi and Vassilvitskii, "Connected
Components in MapReduce and Beyond", SoCC 2014): they converge in a number of rounds that grows with the
square of the logarithm of the nodes. Before each exchange every partition reduces its own edges to a
forest, and when few are left one task finishes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from samestory.engines.banding import EDGE, edge_rows, forest
from samestory.engines.frames import Frames
from samestory.engines.rows import Ints, numbers_of
from samestory.kernels.clusters import join_edges

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

EDGES_IN_ONE_TASK: Final = 20_000_000
_MOST_ROUNDS: Final = 100


def contract(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Reduce edges to a forest: each node with the least of its component."""
    a, b = _all_edges(batches)
    if len(a):
        nodes = np.unique(np.concatenate([a, b]))
        parents = np.arange(len(nodes), dtype=np.int64)
        join_edges(np.searchsorted(nodes, a), np.searchsorted(nodes, b), parents)
        yield edge_rows(*forest(nodes, parents))


def finish(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Return each node's least, the least themselves too."""
    for batch in contract(batches):
        roots = np.unique(numbers_of(batch.column("a"), np.int64))
        yield batch
        yield edge_rows(roots, roots)


def _all_edges(batches: Iterable[pa.RecordBatch]) -> tuple[Ints, Ints]:
    first, second = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for batch in batches:
        first.append(numbers_of(batch.column("a"), np.int64))
        second.append(numbers_of(batch.column("b"), np.int64))
    return np.concatenate(first), np.concatenate(second)


def components(edges: DataFrame, frames: Frames, *, in_one_task: int = EDGES_IN_ONE_TASK) -> DataFrame:
    """Return the component of each node that has an edge.

    Parameters
    ----------
    edges : DataFrame
        Of columns `a` and `b`.
    frames : Frames
    in_one_task : int
        Up to so many edges one task finishes.

    Returns
    -------
    DataFrame
        Of columns `comp`, the least node of the component, and `doc`, a node.
    """
    edges = frames.map(edges, contract, EDGE)
    held = frames.keep(edges)
    n_edges = held.count()
    mark: int | None = None
    for _ in range(_MOST_ROUNDS):
        if n_edges <= in_one_task:
            return _named(frames.map(held.coalesce(1), finish, EDGE))
        following = frames.map(_small_star(_large_star(held)).repartition("a"), contract, EDGE)
        before, held = held, frames.keep(following.repartition("a").distinct())
        n_before, mark_before = n_edges, mark
        n_edges, mark = _state(held)
        frames.let_go(before)
        if (n_edges, mark) == (n_before, mark_before):
            break
    else:
        raise RuntimeError("the components do not converge")
    roots = held.select("a").distinct()
    return _named(held.unionByName(roots.withColumn("b", roots["a"])))


def _named(edges: DataFrame) -> DataFrame:
    return edges.withColumnsRenamed({"a": "comp", "b": "doc"})


def _state(edges: DataFrame) -> tuple[int, int]:
    """Return the number of edges, and a number that tells one set of them from another."""
    from pyspark.sql import functions as f

    mixed = f.xxhash64("a", "b").cast("decimal(38,0)")
    row = edges.agg(f.count("*").alias("n"), f.coalesce(f.sum(mixed), f.lit(0)).alias("mark")).first()
    return (int(row["n"]), int(row["mark"])) if row is not None else (0, 0)


def _large_star(edges: DataFrame) -> DataFrame:
    """Join each node's greater neighbours to the least of it and its neighbours."""
    from pyspark.sql import functions as f

    both = edges.select("a", "b").union(edges.select(f.col("b").alias("a"), f.col("a").alias("b")))
    least = both.groupBy("a").agg(f.least(f.min("b"), f.col("a")).alias("least"))
    joined = both.where("b > a").join(least, "a")
    return joined.select(f.col("least").alias("a"), "b").distinct()


def _small_star(edges: DataFrame) -> DataFrame:
    """Join each node, and its lesser neighbours, to the least of these."""
    from pyspark.sql import functions as f

    least = edges.groupBy("b").agg(f.min("a").alias("least"))
    joined = edges.join(least, "b")
    moved = joined.select(f.col("least").alias("a"), f.col("a").alias("b")).where("a < b")
    return moved.union(least.select(f.col("least").alias("a"), "b")).distinct()
