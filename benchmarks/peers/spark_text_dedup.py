"""The way of text-dedup on Spark, written from its description.

MinHash signatures in Python on the workers (an RDD), a row for every band, groupByKey, an edge from every
article of a bucket to the least of it, connected components by alternating large stars and small stars
(Kiveris et al., "Connected components in MapReduce and beyond", 2014). Nothing is verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from job import parse_job
from protocol import BANDS, ROWS, require, word_shingles
from spark_session import start_session, write_answer

if TYPE_CHECKING:
    from pyspark import RDD

Edge = tuple[int, int]


def band_keys(rows: Iterable[tuple[int, str]], ngram: int, num_perm: int) -> Iterator[tuple[bytes, int]]:
    """Yield a key for every band of every article, with the article's number."""
    xxhash = require("xxhash")
    rng = np.random.default_rng(42)
    factors = rng.integers(1, 1 << 63, num_perm, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    addends = rng.integers(0, 1 << 63, num_perm, dtype=np.uint64)
    for number, text in rows:
        shingles = word_shingles(text, ngram)
        if not shingles:
            continue
        hashes = np.array([xxhash.xxh3_64_intdigest(shingle.encode()) for shingle in shingles], np.uint64)
        least = ((hashes[:, None] * factors + addends) >> np.uint64(32)).min(axis=0).astype(np.uint32)
        for band in range(BANDS):
            yield bytes([band]) + least[band * ROWS : (band + 1) * ROWS].tobytes(), number


def edges_of_bucket(bucket: tuple[bytes, Iterable[int]]) -> Iterator[Edge]:
    """Yield an edge from every article of a bucket to the least of it."""
    members = list(bucket[1])
    least = min(members)
    return ((member, least) for member in members if member != least)


def large_star(node: tuple[int, Iterable[int]]) -> Iterator[Edge]:
    """Connect the larger neighbours of a node to the least of its neighbourhood."""
    neighbours = list(node[1])
    least = min(node[0], *neighbours)
    return ((other, least) for other in neighbours if other > node[0])


def small_star(node: tuple[int, Iterable[int]]) -> Iterator[Edge]:
    """Connect a node and its smaller neighbours to the least of these."""
    neighbours = list(node[1])
    least = min(neighbours)
    return ((other, least) for other in [node[0], *neighbours] if other != least)


def connect(edges: RDD) -> RDD:
    """Return an edge from every node to the least of its component."""
    edges = edges.distinct().cache()
    while True:
        both_ways = edges.flatMap(lambda edge: (edge, edge[::-1]))
        larger = both_ways.groupByKey().flatMap(large_star).distinct()
        ordered = larger.map(lambda edge: (max(edge), min(edge)))
        after = ordered.groupByKey().flatMap(small_star).distinct().cache()
        if after.subtract(edges).isEmpty() and edges.subtract(after).isEmpty():
            return after
        edges.unpersist()
        edges = after


def main() -> None:
    """Run one job."""
    job = parse_job(__doc__)
    spark = start_session(job)
    from pyspark.sql import functions as sql

    numbered = spark.read.parquet(str(job.source)).select("doc_id", "text")
    numbered = numbered.withColumn("number", sql.monotonically_increasing_id())
    texts = numbered.select("number", "text").rdd.map(tuple)
    ngram, num_perm = job.ngram, job.num_perm
    keys = texts.mapPartitions(lambda rows: band_keys(rows, ngram, num_perm))
    found = connect(keys.groupByKey().flatMap(edges_of_bucket))
    least = spark.createDataFrame(found, "number long, least long")
    clusters = numbered.select("number", "doc_id").join(least, "number", "left")
    write_answer(job, clusters.select("doc_id", sql.coalesce("least", "number").alias("cluster_id")))


if __name__ == "__main__":
    main()
