"""datasketch at its best: signatures in one process a core, banding in NumPy; not verified.

The MinHashLSH class would keep one core busy with dictionaries; users with millions of articles take the
hash values out and group the bands themselves, so this is what is measured.
"""

from __future__ import annotations

from functools import partial
from multiprocessing import Pool

import numpy as np
from job import parse_job
from numpy.typing import NDArray
from protocol import components_of_signatures, read_batches, require, word_shingles, write_clusters


def signatures(texts: list[str], ngram: int, num_perm: int) -> NDArray[np.uint32]:
    """Return the hash values of a batch of texts."""
    import xxhash
    from datasketch import MinHash

    shingles = ([shingle.encode() for shingle in word_shingles(text, ngram)] for text in texts)
    sketches = MinHash.generator(shingles, num_perm=num_perm, hashfunc=xxhash.xxh32_intdigest)
    return np.stack([sketch.hashvalues for sketch in sketches])


def main() -> None:
    """Run one job."""
    job = parse_job(__doc__)
    require("datasketch", "xxhash", "scipy")
    sign = partial(signatures, ngram=job.ngram, num_perm=job.num_perm)
    with Pool(job.threads) as pool:
        parts = list(pool.imap(sign, read_batches(job.source)))
    write_clusters(job, components_of_signatures(np.concatenate(parts)))


if __name__ == "__main__":
    main()
