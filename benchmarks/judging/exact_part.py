"""samestory against the exact all-pairs join on real articles.

For every Parquet file (a directory is searched; *.pairs.parquet and *.truth.parquet are not
articles) the shingles are those of `samestory.shingles`, of the text, or of the title where there is
no text. `samestory cluster` as it comes is compared with the exact join. Where it can take out page
furniture, the Jaccard it reports may rightly differ from that of the text as given; then there is a
second run with --no-boilerplate, whose figures must agree to the last bit.

- `recall`: share of exact pairs (Jaccard >= threshold) whose articles are in one cluster
- `listed`: share of exact pairs that are rows of pairs.parquet
- `precision`: share of the rows of relation exact or near whose exact Jaccard is >= threshold
- `differing`: rows whose jaccard, containments (as float32) or shared_shingles are not the exact ones
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash
from numpy.typing import NDArray

from exact_join import near_pairs, ranked, shared_of_pairs
from judging.answers import numbers, places
from judging.runner import Result, Samestory
from report import number, share

COLUMNS = (
    ("file", "tool", str),
    ("docs", "docs", number()),
    ("pairs", "pairs", number()),
    ("recall", "recall", share),
    ("listed", "listed", share),
    ("prec.", "precision", share),
    ("rows", "rows", number()),
    ("differing", "differing", number()),
)


@dataclass(frozen=True)
class Exact:
    """The shingle sets of a file and its near pairs (places a < b)."""

    doc_id: pa.ChunkedArray
    ranks: NDArray[np.int64]
    offsets: NDArray[np.int64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The number of shingles of every article."""
        return np.diff(self.offsets)


def article_files(path: Path) -> Iterator[Path]:
    """Yield the files of articles of a directory."""
    for file in sorted(path.rglob("*.parquet")):
        if not file.name.endswith((".pairs.parquet", ".truth.parquet")):
            yield file


def judged_texts(table: pa.Table) -> pa.ChunkedArray:
    """Return what copies are judged on: the text, or the title where the text is missing or blank."""
    text = table["text"].cast(pa.string())
    if "title" not in table.column_names:
        return pc.fill_null(text, "")
    blank = pc.equal(pc.fill_null(pc.utf8_trim_whitespace(text), ""), "")
    return pc.fill_null(pc.if_else(blank, table["title"].cast(pa.string()), text), "")


def shingle_hashes(
    texts: pa.ChunkedArray, shingle: str | None = None
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the 64-bit hashes of the shingles (default: as samestory comes) of every text, with offsets."""
    import samestory  # here, so that the other parts only need its command line

    config = samestory.Config() if shingle is None else samestory.Config(shingle=shingle)
    hashes: list[int] = []
    ends = [0]
    for text in texts:
        shingles = samestory.shingles(text.as_py(), config)
        hashes.extend(xxhash.xxh3_64_intdigest(shingle.encode()) for shingle in shingles)
        ends.append(len(hashes))
    return np.array(hashes, np.uint64), np.array(ends, np.int64)


def read_articles(file: Path) -> pa.Table:
    """Return the columns that copies are judged on."""
    names = pq.read_schema(file).names
    return pq.read_table(file, columns=[name for name in ("doc_id", "title", "text") if name in names])


def exact(file: Path, threshold: float) -> Exact:
    """Return the truth of a file."""
    table = read_articles(file)
    ranks, offsets, n_ranks = ranked(*shingle_hashes(judged_texts(table)))
    a, b, _ = near_pairs(ranks, offsets, n_ranks, threshold)
    return Exact(table["doc_id"], ranks, offsets, a, b)


def judge(truth: Exact, result: Result, threshold: float) -> dict[str, Any]:
    """Return the figures of one run of samestory."""
    n, pairs = len(truth.doc_id), result.pairs
    cluster = np.empty(n, np.int64)
    cluster[places(truth.doc_id, result.clusters["doc_id"])] = numbers(result.clusters["cluster_id"])
    a, b = places(truth.doc_id, pairs["doc_id_a"]), places(truth.doc_id, pairs["doc_id_b"])
    shared = shared_of_pairs(truth.ranks, truth.offsets, a, b)
    union = truth.sizes[a] + truth.sizes[b] - shared
    jaccard = shared / np.maximum(union, 1)
    named_near = pc.is_in(pairs["relation"], pa.array(["exact", "near"])).to_numpy()
    listed = np.isin(truth.a * n + truth.b, np.minimum(a, b) * n + np.maximum(a, b))
    return {
        "docs": n,
        "pairs": len(truth.a),
        "recall": _mean(cluster[truth.a] == cluster[truth.b]),
        "listed": _mean(listed),
        "precision": _mean(jaccard[named_near] >= threshold),
        "rows": len(a),
        "differing": int(_differing(truth, pairs, a, b, shared, jaccard).sum()),
    }


def _differing(
    truth: Exact, pairs: pa.Table, a: Any, b: Any, shared: NDArray[np.int64], jaccard: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which rows of pairs.parquet do not carry the exact figures."""
    wanted = {
        "jaccard": jaccard.astype(np.float32),
        "containment_a_in_b": (shared / np.maximum(truth.sizes[a], 1)).astype(np.float32),
        "containment_b_in_a": (shared / np.maximum(truth.sizes[b], 1)).astype(np.float32),
        "shared_shingles": shared,
    }
    wrong = np.zeros(len(a), np.bool_)
    for name, values in wanted.items():
        wrong |= pairs[name].to_numpy() != values
    return wrong


def _mean(flags: NDArray[np.bool_]) -> float | None:
    """Return the share of true flags, None where there are none."""
    return float(flags.mean()) if len(flags) else None


def exact_rows(data: Path, threshold: float, samestory: Samestory) -> Iterator[dict[str, Any]]:
    """Yield the rows of every file of a directory."""
    ways = {"": (), " (no boilerplate)": ("--no-boilerplate",)}
    for file in article_files(data):
        started = time.perf_counter()
        truth = exact(file, threshold)
        seconds = time.perf_counter() - started
        print(f"{file.stem}: {len(truth.a):,} exact pairs in {seconds:.1f} s", file=sys.stderr, flush=True)
        for name, options in ways.items():
            result = samestory.run(file, ("--threshold", str(threshold), *options))
            if result is not None:
                figures = judge(truth, result, threshold)
                yield {"tool": f"{file.stem}{name}", **figures, "join_seconds": round(seconds, 2)}
