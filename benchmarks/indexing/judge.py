"""Hold clusters against the planted truth of a corpus, and print recall and precision as JSON.

    python -m indexing.judge CORPUS.parquet CLUSTERS.parquet --ngram 3 --threshold 0.7

As planted.py has them, but with shingles of the size that the clusters were found with.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from planted import (
    LARGEST_LINKED,
    LINKED_DOCS,
    answer_of_rows,
    cluster_of_rows,
    n_connected,
    pair_precision,
    planted_pairs,
    read_texts,
    sample_groups,
)
from shingle_sets import word_sets


def judge(path: Path, answer: Path, threshold: float, ngram: int) -> dict[str, Any]:
    """Return recall, pair precision and linked precision (see planted.py); None without any pair."""
    given = answer_of_rows(path, answer)
    pairs = planted_pairs(path, ngram)
    near = pairs.filter(pc.greater_equal(pairs["jaccard"], threshold))
    found = given[near["a"].to_numpy()] == given[near["b"].to_numpy()]
    rows = sample_groups(given, LINKED_DOCS, seed=4, largest=LARGEST_LINKED)
    sets = word_sets(read_texts(path, rows), ngram) if len(rows) else None
    connected, together = n_connected(sets, given[rows], threshold) if sets else (0, 0)
    return {
        "recall": float(found.mean()) if len(found) else None,
        "pair_precision": pair_precision(given, cluster_of_rows(path)),
        "linked_precision": connected / together if together else None,
        "n_planted_pairs": len(found),
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("clusters", type=Path)
    parser.add_argument("--threshold", type=float, default=0.7)
    parser.add_argument("--ngram", type=int, default=3)
    args = parser.parse_args()
    print(json.dumps(judge(args.corpus, args.clusters, args.threshold, args.ngram)))


if __name__ == "__main__":
    main()
