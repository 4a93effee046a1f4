"""rensa by its fastest documented way that tells which articles belong together.

RMinHash.from_token_sets on whole batches, RMinHashLSH.insert_many, then query_all; not verified.
(The deduplicators and the matrix interface only say whether an article is a duplicate, not of what.)
"""

from __future__ import annotations

from job import parse_job
from protocol import BANDS, components, linked_pairs, read_batches, require, word_shingles, write_clusters


def main() -> None:
    """Run one job."""
    job = parse_job(__doc__)
    rensa = require("rensa", "scipy")
    num_perm = job.num_perm - job.num_perm % BANDS  # rensa wants a whole number of rows a band
    index = rensa.RMinHashLSH(threshold=job.threshold, num_perm=num_perm, num_bands=BANDS)
    sketches = []
    for texts in read_batches(job.source):
        shingles = [word_shingles(text, job.ngram) for text in texts]
        batch = rensa.RMinHash.from_token_sets(shingles, num_perm=num_perm, seed=42)
        index.insert_many(batch, start_key=len(sketches))
        sketches.extend(batch)
    write_clusters(job, components(len(sketches), linked_pairs(index.query_all(sketches))))


if __name__ == "__main__":
    main()
