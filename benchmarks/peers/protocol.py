"""What the peers share: reading, shingling, banding in NumPy, components, writing."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from job import Job, not_installed
from numpy.typing import NDArray

BANDS, ROWS = 25, 5  # for every tool that lets them be set; 125 of 128 hash values
_WORD = re.compile(r"\w+")


def require(*names: str) -> ModuleType:
    """Import the modules of a tool and return the first, or leave with a clear message."""
    modules = []
    for name in names:
        try:
            modules.append(importlib.import_module(name))
        except ImportError as error:
            raise not_installed(error.name or name) from error
    return modules[0]


def read_batches(source: Path, rows: int = 1_000) -> Iterator[list[str]]:
    """Yield the texts of the articles in batches."""
    # PyArrow's pre_buffer would keep all of the file that has been read in memory.
    for batch in pq.ParquetFile(source, pre_buffer=False).iter_batches(rows, columns=["text"]):
        yield batch.column(0).to_pylist()


def word_shingles(text: str, ngram: int) -> list[str]:
    """Return the shingles of a text: runs of `ngram` lower-cased words, joined by a space."""
    words = _WORD.findall(text.lower())
    if len(words) < ngram:
        return [" ".join(words)] if words else []
    return list(map(" ".join, zip(*(words[i:] for i in range(ngram)), strict=False)))


def band_pairs(
    signatures: NDArray[np.uint32], bands: int = BANDS, rows: int = ROWS
) -> Iterator[NDArray[np.int64]]:
    """Yield, band by band, pairs of neighbours in a bucket: enough to connect every bucket.

    `signatures` is (n, num_perm); each band is hashed to 64 bits and sorted.
    """
    rng = np.random.default_rng(7)
    for band in range(bands):
        factors = rng.integers(1, 1 << 63, rows, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        part = signatures[:, band * rows : (band + 1) * rows].astype(np.uint64)
        part ^= part << np.uint64(32)
        keys = (part * factors).sum(axis=1, dtype=np.uint64)
        keys = (keys ^ (keys >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        order = np.argsort(keys, kind="stable")
        same = np.flatnonzero(keys[order[1:]] == keys[order[:-1]])
        yield np.stack([order[same], order[same + 1]], axis=1)


def components(n: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the connected component of each of `n` articles."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def components_of_signatures(signatures: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return the connected components of articles that share a band, unverified."""
    return components(len(signatures), np.concatenate(list(band_pairs(signatures))))


def linked_pairs(found: list[list[int]], start: int = 0) -> NDArray[np.int64]:
    """Return the pairs (article, candidate) of query results for articles `start`, `start + 1`, ..."""
    sizes = np.fromiter(map(len, found), np.int64, len(found))
    others = np.fromiter((other for row in found for other in row), np.int64, int(sizes.sum()))
    return np.stack([np.repeat(np.arange(start, start + len(found)), sizes), others], axis=1)


def write_clusters(job: Job, labels: NDArray[np.int64]) -> None:
    """Write the answer of a job: the cluster of every article, in input order."""
    doc_id = pq.read_table(job.source, columns=["doc_id"])["doc_id"]
    table = pa.table({"doc_id": doc_id, "cluster_id": pa.array(labels)})
    pq.write_table(table, job.target)
