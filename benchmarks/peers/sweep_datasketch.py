"""datasketch, every threshold and shingle size, in its two documented ways.

`LSH`: MinHashLSH made for a threshold, its candidates taken as they come. `MinHash`: the estimates of
all pairs (what MinHash.jaccard gives) held against a threshold, so that no pair is missed by bands.
"""

from __future__ import annotations

from protocol import linked_pairs, require
from sweep import NGRAMS, NUM_PERM, THRESHOLDS, Sweep, estimates


def main() -> None:
    """Run one sweep."""
    sweep = Sweep(__doc__)
    datasketch = require("datasketch", "xxhash", "scipy")
    import numpy as np
    import xxhash

    tables = {value: datasketch.MinHashLSH(threshold=value, num_perm=NUM_PERM) for value in THRESHOLDS}
    for ngram in NGRAMS:
        shingles = ([shingle.encode() for shingle in row] for row in sweep.shingles(ngram))
        sketches = list(
            datasketch.MinHash.generator(shingles, num_perm=NUM_PERM, hashfunc=xxhash.xxh32_intdigest)
        )
        signatures = np.stack([sketch.hashvalues for sketch in sketches]).astype(np.uint32)
        sweep.add_scores(f"MinHash, word:{ngram},", *estimates(signatures))
        done = set()
        for threshold, table in tables.items():
            if (table.b, table.r) in done:
                continue  # two thresholds with the same bands give the same answer
            done.add((table.b, table.r))
            index = datasketch.MinHashLSH(num_perm=NUM_PERM, params=(table.b, table.r))
            found = []
            for place, sketch in enumerate(sketches):
                found.append(index.query(sketch))
                index.insert(place, sketch, check_duplication=False)
            sweep.add(f"LSH, word:{ngram}, {threshold:.2f}", linked_pairs(found))
    sweep.write("datasketch")


if __name__ == "__main__":
    main()
