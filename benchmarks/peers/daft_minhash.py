"""Daft's minhash expression with xxhash, then banding in NumPy; candidates are not verified.

Text is lower-cased and everything between words becomes one space, because Daft splits at spaces.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from job import parse_job
from protocol import components_of_signatures, require, write_clusters

if TYPE_CHECKING:
    from daft import Expression

BATCH_ROWS = 2_000  # small enough to keep every core busy


def same_tokens(text: Expression) -> Expression:
    """Clean text so that Daft sees the words that every other tool sees."""
    return text.lower().regexp_replace(r"\W+", " ")


def run(description: str | None, clean: Callable[[Expression], Expression]) -> None:
    """Run one job with one way of cleaning text."""
    job = parse_job(description)
    daft = require("daft", "scipy")
    from daft.functions import minhash

    words = clean(daft.col("text"))
    signature = minhash(words, num_hashes=job.num_perm, ngram_size=job.ngram, hash_function="xxhash")
    frame = daft.read_parquet(str(job.source)).into_batches(BATCH_ROWS)
    column = frame.select(signature.alias("signature")).to_arrow()["signature"]
    values = [chunk.flatten().to_numpy() for chunk in column.chunks]
    write_clusters(job, components_of_signatures(np.concatenate(values).reshape(-1, job.num_perm)))


if __name__ == "__main__":
    run(__doc__, same_tokens)
