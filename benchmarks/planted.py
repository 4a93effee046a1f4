"""How well clusters agree with a generated corpus: recall and precision.

    python benchmarks/planted.py CORPUS.parquet CLUSTERS.parquet

prints the scores of a tool's answer (columns doc_id and cluster_id) as JSON:

- `recall`: of the planted pairs (two articles of one planted cluster) whose exact Jaccard of
  five-word shingles is at or over the threshold, the share that is in one cluster of the answer.
  All planted clusters of at most `LARGEST_LINKED` articles are looked at, or a sample of them with
  `SAMPLE_DOCS` articles; every pair of a cluster in the sample counts.
- `pair_precision`: of all pairs of articles in one cluster of the answer, the share that was planted
  together. All pairs count (by counting, not by listing).
- `linked_precision`: of the pairs in one cluster of the answer, the share that is connected, inside
  that cluster, by pairs of articles whose exact Jaccard is at or over the threshold. From a sample
  of clusters of at most `LARGEST_LINKED` articles. A tool that also joins excerpts (by containment)
  is right to score below 1 here.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import truth_path
from shingle_sets import ShingleSets, jaccard_of_pairs, word_sets

SAMPLE_DOCS = 60_000
LINKED_DOCS = 20_000
LARGEST_LINKED = 100

Ints = NDArray[np.int64]


def cluster_of_rows(path: Path) -> Ints:
    """Return the planted cluster of every article, -1 for none."""
    column = pq.read_table(truth_path(path), columns=["cluster"])["cluster"]
    return pc.fill_null(column, -1).to_numpy().astype(np.int64)


def read_texts(path: Path, rows: Ints) -> pa.ChunkedArray:
    """Return the texts of some rows (in ascending order), reading one row group at a time."""
    file, start, chunks = pq.ParquetFile(path), 0, []
    for group in range(file.num_row_groups):
        end = start + file.metadata.row_group(group).num_rows
        wanted = rows[(rows >= start) & (rows < end)] - start
        if len(wanted):
            chunks.append(file.read_row_group(group, columns=["text"])["text"].take(pa.array(wanted)))
        start = end
    return pa.chunked_array([piece for chunk in chunks for piece in chunk.chunks], pa.string())


def pairs_within(groups: Ints) -> tuple[Ints, Ints]:
    """Return all pairs of places with the same group, the earlier place first."""
    order = np.argsort(groups, kind="stable")
    bounds = np.flatnonzero(np.diff(groups[order], prepend=-1, append=-1))
    left, right = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        i, j = np.triu_indices(end - start, 1)
        left.append(order[start + i])
        right.append(order[start + j])
    return np.concatenate(left), np.concatenate(right)


def sample_groups(groups: Ints, most: int, seed: int, largest: int | None = None) -> Ints:
    """Return the rows of whole groups, drawn at random, of about `most` rows; -1 is no group."""
    names, sizes = np.unique(groups[groups >= 0], return_counts=True)
    fit = sizes >= 2 if largest is None else (sizes >= 2) & (sizes <= largest)
    names, sizes = names[fit], sizes[fit]
    order = np.random.default_rng(seed).permutation(len(names))
    taken = names[order[: int(np.searchsorted(np.cumsum(sizes[order]), most)) + 1]]
    return np.flatnonzero(np.isin(groups, taken))


def planted_pairs(path: Path, ngram: int = 5, most: int = SAMPLE_DOCS) -> pa.Table:
    """Return planted pairs as rows a and b of the corpus with their exact `jaccard`."""
    cluster = cluster_of_rows(path)
    rows = sample_groups(cluster, most, seed=3, largest=LARGEST_LINKED)
    a, b = pairs_within(cluster[rows])
    found = jaccard_of_pairs(word_sets(read_texts(path, rows), ngram), a, b) if len(a) else np.empty(0)
    return pa.table({"a": rows[a], "b": rows[b], "jaccard": found})


def cached_pairs(path: Path) -> pa.Table:
    """Return the planted pairs of a corpus, kept beside it as FILE.pairs.parquet."""
    cache = path.with_suffix(".pairs.parquet")
    if not cache.exists() or cache.stat().st_mtime < path.stat().st_mtime:
        pq.write_table(planted_pairs(path), cache)
    return pq.read_table(cache)


def answer_of_rows(path: Path, answer: Path) -> Ints:
    """Return the cluster that a tool gave every row of the corpus, as numbers."""
    given = pq.read_table(answer, columns=["doc_id", "cluster_id"])
    doc_id = pq.read_table(path, columns=["doc_id"])["doc_id"].combine_chunks()
    place = pc.index_in(doc_id, given["doc_id"].combine_chunks().cast(doc_id.type))
    if place.null_count or len(given) != len(doc_id):
        raise ValueError(
            f"{answer.name} has {len(given)} rows and lacks {place.null_count} of {len(doc_id)} ids"
        )
    return (
        given["cluster_id"]
        .combine_chunks()
        .dictionary_encode()
        .indices.take(place)
        .to_numpy()
        .astype(np.int64)
    )


def n_pairs(labels: Ints) -> int:
    """Return the number of pairs of rows with the same label."""
    sizes = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int((sizes * (sizes - 1) // 2).sum())


def pair_precision(given: Ints, planted: Ints) -> float | None:
    """Return the share of same-cluster pairs that were planted together (None without pairs)."""
    together = n_pairs(given)
    both = given * (int(planted.max()) + 1) + planted
    return n_pairs(both[planted >= 0]) / together if together else None


def n_connected(sets: ShingleSets, groups: Ints, threshold: float) -> tuple[int, int]:
    """Return how many same-group pairs are connected at the threshold, and how many there are."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    a, b = pairs_within(groups)
    near = jaccard_of_pairs(sets, a, b) >= threshold
    size = len(groups)
    graph = coo_matrix((np.ones(int(near.sum()), np.int8), (a[near], b[near])), shape=(size, size))
    part = connected_components(graph, directed=False)[1]
    return int((part[a] == part[b]).sum()), len(a)


def score(path: Path, answer: Path, threshold: float = 0.7, ngram: int = 5) -> dict[str, Any]:
    """Return recall and precision of a tool's answer; see the top of this file."""
    given, planted = answer_of_rows(path, answer), cluster_of_rows(path)
    pairs = cached_pairs(path)
    near = pairs.filter(pc.greater_equal(pairs["jaccard"], threshold))
    found = given[near["a"].to_numpy()] == given[near["b"].to_numpy()]
    rows = sample_groups(given, LINKED_DOCS, seed=4, largest=LARGEST_LINKED)
    connected, together = 0, 0
    if len(rows):
        connected, together = n_connected(word_sets(read_texts(path, rows), ngram), given[rows], threshold)
    sizes = np.unique(given, return_counts=True)[1]
    return {
        "recall": float(found.mean()) if len(found) else None,
        "pair_precision": pair_precision(given, planted),
        "linked_precision": connected / together if together else None,
        "n_planted_pairs": len(found),
        "n_clusters": int((sizes >= 2).sum()),
        "n_clustered_docs": int(sizes[sizes >= 2].sum()),
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("clusters", type=Path)
    parser.add_argument("--threshold", type=float, default=0.7)
    args = parser.parse_args()
    print(json.dumps(score(args.corpus, args.clusters, args.threshold)))


if __name__ == "__main__":
    main()
