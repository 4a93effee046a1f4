"""rensa, every shingle size, by its documented ways that tell which articles belong together.

`LSH`: RMinHashLSH with every number of bands, the candidates taken as they come. `RMinHash`: the
estimates of all pairs (what RMinHash.jaccard gives) held against a threshold.
"""

from __future__ import annotations

from protocol import linked_pairs, require
from sweep import NGRAMS, NUM_PERM, Sweep, estimates

BANDS = (4, 8, 16, 32, 64, 128)


def main() -> None:
    """Run one sweep."""
    sweep = Sweep(__doc__)
    rensa = require("rensa", "scipy")
    import numpy as np

    for ngram in NGRAMS:
        sketches = rensa.RMinHash.from_token_sets(sweep.shingles(ngram), num_perm=NUM_PERM, seed=42)
        signatures = np.array([sketch.digest() for sketch in sketches], np.uint32)
        sweep.add_scores(f"RMinHash, word:{ngram},", *estimates(signatures))
        for bands in BANDS:
            index = rensa.RMinHashLSH(threshold=0.5, num_perm=NUM_PERM, num_bands=bands)
            index.insert_many(sketches, start_key=0)
            pairs = linked_pairs(index.query_all(sketches))
            sweep.add(f"LSH, word:{ngram}, {bands} bands", pairs[pairs[:, 0] < pairs[:, 1]])
    sweep.write("rensa")


if __name__ == "__main__":
    main()
