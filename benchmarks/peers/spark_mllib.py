"""Plain PySpark MLlib: RegexTokenizer, NGram, HashingTF (binary), MinHashLSH, approxSimilarityJoin.

A hash table of MLlib is one MinHash value, so the fewest tables that bring a pair at the threshold together
with a chance of 0.99 are taken: four at 0.7. The join computes the Jaccard of each candidate over the hashed
shingles, 2^24 of them. The pairs are collected, and their connected components found by SciPy.
"""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from job import Job, parse_job
from protocol import components, write_clusters
from spark_session import start_session

N_FEATURES = 1 << 24
RECALL = 0.99


def near_pairs(job: Job) -> pa.Table:
    """Return the pairs of articles that MLlib finds near, by id."""
    spark = start_session(job)
    from pyspark.ml.feature import HashingTF, MinHashLSH, NGram, RegexTokenizer
    from pyspark.sql import functions as sql

    articles = spark.read.parquet(str(job.source)).select("doc_id", "text")
    words = RegexTokenizer(inputCol="text", outputCol="words", pattern=r"(?U)\w+", gaps=False)
    runs = NGram(n=job.ngram, inputCol="words", outputCol="runs")
    hashed = HashingTF(numFeatures=N_FEATURES, binary=True, inputCol="runs", outputCol="features")

    tokens = runs.transform(words.transform(articles)).filter(
        sql.size("runs") > 0
    )  # MLlib signs no empty set
    shingled = hashed.transform(tokens).select("doc_id", "features").cache()
    tables = math.ceil(math.log(1 - RECALL) / math.log(1 - job.threshold))
    model = MinHashLSH(inputCol="features", outputCol="hashes", numHashTables=tables, seed=1).fit(shingled)
    joined = model.approxSimilarityJoin(shingled, shingled, 1.0 - job.threshold, distCol="distance")
    return (
        joined.select(sql.col("datasetA.doc_id").alias("a"), sql.col("datasetB.doc_id").alias("b"))
        .filter("a < b")
        .toArrow()
    )


def main() -> None:
    """Run one job."""
    job = parse_job(__doc__)
    pairs = near_pairs(job)
    doc_id = pq.read_table(job.source, columns=["doc_id"])["doc_id"].combine_chunks()
    places = [
        pc.index_in(pairs[name].combine_chunks().cast(doc_id.type), doc_id).to_numpy(zero_copy_only=False)
        for name in ("a", "b")
    ]
    write_clusters(job, components(len(doc_id), np.stack(places, axis=1).astype(np.int64)))


if __name__ == "__main__":
    main()
