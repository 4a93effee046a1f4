"""rensa over hashes of shingles made by polars and NumPy, batch by batch on all cores; not verified.

polars finds and hashes the words, NumPy folds five word hashes into one shingle hash, rensa makes
the signature matrix from the flat hashes, and the bands are grouped in NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from job import parse_job
from numpy.typing import NDArray
from protocol import components_of_signatures, require, write_clusters

if TYPE_CHECKING:
    import polars as pl

BATCH_ROWS = 2_000


def shingle_hashes(words: pl.Series, ngram: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return flat shingle hashes and row offsets of a column of lists of word hashes."""
    factors = np.random.default_rng(7).integers(1, 1 << 63, ngram, dtype=np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    n_words = words.list.len().to_numpy().astype(np.int64)
    hashes = words.explode().drop_nulls().to_numpy()  # a list without words explodes to a null
    shingles = np.zeros(max(0, len(hashes) - ngram + 1), np.uint64)
    for i in range(ngram):
        shingles += hashes[i : len(shingles) + i] * factors[i]
    document = np.repeat(np.arange(len(words)), n_words)
    whole = document[ngram - 1 :] == document[: len(shingles)]
    offsets = np.zeros(len(words) + 1, np.uint64)
    offsets[1:] = np.cumsum(np.maximum(n_words - ngram + 1, 0))
    return shingles[whole], offsets


def signatures(frame: pl.DataFrame, ngram: int, num_perm: int) -> NDArray[np.uint32]:
    """Return the signatures of a batch of articles."""
    import polars as pl
    from rensa import RMinHash

    words = pl.col("text").str.to_lowercase().str.extract_all(r"\w+").list.eval(pl.element().hash(seed=1))
    hashes, offsets = shingle_hashes(frame.select(words)["text"], ngram)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, num_perm=num_perm, seed=42)
    return np.array(matrix.to_rows(), np.uint32)


def frames(source: Path) -> Iterator[pl.DataFrame]:
    """Yield the articles in batches."""
    import polars as pl
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(source, pre_buffer=False).iter_batches(BATCH_ROWS, columns=["text"]):
        yield pl.from_arrow(batch)


def main() -> None:
    """Run one job."""
    job = parse_job(__doc__)
    require("rensa", "polars", "scipy")
    sign = partial(signatures, ngram=job.ngram, num_perm=job.num_perm)
    with ThreadPoolExecutor(job.threads) as pool:
        parts = list(pool.map(sign, frames(job.source)))
    write_clusters(job, components_of_signatures(np.concatenate(parts)))


if __name__ == "__main__":
    main()
