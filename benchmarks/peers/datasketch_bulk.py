"""datasketch: MinHash.generator with xxhash, MinHashLSH, one process; candidates are not verified."""

from __future__ import annotations

from job import parse_job
from protocol import (
    BANDS,
    ROWS,
    components,
    linked_pairs,
    read_batches,
    require,
    word_shingles,
    write_clusters,
)


def main() -> None:
    """Run one job."""
    job = parse_job(__doc__)
    datasketch = require("datasketch", "xxhash", "scipy")
    import xxhash

    shingles = (
        [shingle.encode() for shingle in word_shingles(text, job.ngram)]
        for batch in read_batches(job.source)
        for text in batch
    )
    index = datasketch.MinHashLSH(num_perm=job.num_perm, params=(BANDS, ROWS))
    sketches = datasketch.MinHash.generator(shingles, num_perm=job.num_perm, hashfunc=xxhash.xxh32_intdigest)
    found: list[list[int]] = []
    for place, sketch in enumerate(sketches):
        found.append(index.query(sketch))
        index.insert(place, sketch, check_duplication=False)
    write_clusters(job, components(len(found), linked_pairs(found)))


if __name__ == "__main__":
    main()
