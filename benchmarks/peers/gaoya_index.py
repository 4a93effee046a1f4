"""gaoya's MinHashStringIndex with its parallel bulk insert and bulk query.

The text is cleaned by polars (lower case, one space between words), because gaoya's `word` analyzer
splits at white space. gaoya itself checks candidates by the estimate from their signatures.
"""

from __future__ import annotations

import numpy as np
from job import parse_job
from protocol import BANDS, ROWS, components, linked_pairs, require, write_clusters

QUERY_ROWS = 20_000


def main() -> None:
    """Run one job."""
    job = parse_job(__doc__)
    gaoya = require("gaoya", "polars", "scipy")
    import polars as pl

    clean = pl.col("text").str.to_lowercase().str.replace_all(r"\W+", " ")
    texts = pl.read_parquet(job.source, columns=["text"]).select(clean)["text"]
    index = gaoya.minhash.MinHashStringIndex(
        hash_size=32,
        jaccard_threshold=job.threshold,
        num_bands=BANDS,
        band_size=ROWS,
        analyzer="word",
        lowercase=False,
        ngram_range=(job.ngram, job.ngram),
        id_container="smallvec",
    )
    n = len(texts)
    for start in range(0, n, QUERY_ROWS):
        stop = min(start + QUERY_ROWS, n)
        index.par_bulk_insert_docs(list(range(start, stop)), texts[start:stop].to_list())
    pairs = []
    for start in range(0, n, QUERY_ROWS):
        found = index.par_bulk_query(texts[start : start + QUERY_ROWS].to_list())
        pairs.append(linked_pairs(found, start))
    write_clusters(job, components(n, np.concatenate(pairs)))


if __name__ == "__main__":
    main()
