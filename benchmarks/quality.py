"""samestory against the exact all-pairs join on real articles.

    python benchmarks/quality.py DATA_DIR [FILE.parquet ...] [--threshold 0.7]

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

import argparse
import subprocess
import sys
import tempfile
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

import report
import samestory
from exact_join import near_pairs, ranked, shared_of_pairs
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
PROGRAM = str(Path(sys.executable).with_name("samestory"))


@dataclass(frozen=True)
class Exact:
    """The shingle sets of a file and its near pairs (places a < b)."""

    doc_id: pa.Array
    ranks: NDArray[np.int64]
    offsets: NDArray[np.int64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The number of shingles of every article."""
        return np.diff(self.offsets)


def article_files(paths: list[Path]) -> Iterator[Path]:
    """Yield the files of articles among files and directories."""
    for path in paths:
        for file in sorted(path.rglob("*.parquet")) if path.is_dir() else [path]:
            if not file.name.endswith((".pairs.parquet", ".truth.parquet")):
                yield file


def judged_texts(table: pa.Table) -> pa.ChunkedArray:
    """Return what copies are judged on: the text, or the title where the text is missing or blank."""
    text = table["text"].cast(pa.string())
    if "title" not in table.column_names:
        return pc.fill_null(text, "")
    blank = pc.equal(pc.fill_null(pc.utf8_trim_whitespace(text), ""), "")
    return pc.fill_null(pc.if_else(blank, table["title"].cast(pa.string()), text), "")


def shingle_hashes(texts: pa.ChunkedArray) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the 64-bit hashes of the shingles of every text, flat, with offsets."""
    config = samestory.Config()
    hashes: list[int] = []
    ends = [0]
    for text in texts:
        shingles = samestory.shingles(text.as_py(), config)
        hashes.extend(xxhash.xxh3_64_intdigest(shingle.encode()) for shingle in shingles)
        ends.append(len(hashes))
    return np.array(hashes, np.uint64), np.array(ends, np.int64)


def exact(file: Path, threshold: float) -> Exact:
    """Return the truth of a file."""
    schema = pq.read_schema(file)
    table = pq.read_table(
        file, columns=[name for name in ("doc_id", "title", "text") if name in schema.names]
    )
    ranks, offsets, n_ranks = ranked(*shingle_hashes(judged_texts(table)))
    a, b, _ = near_pairs(ranks, offsets, n_ranks, threshold)
    return Exact(table["doc_id"].combine_chunks().cast(pa.string()), ranks, offsets, a, b)


def runs() -> dict[str, list[str]]:
    """Return the options of the runs to compare, by what is added to the name of the file."""
    usage = subprocess.run([PROGRAM, "cluster", "--help"], capture_output=True, text=True, check=True).stdout
    without = {" (no boilerplate)": ["--no-boilerplate"]} if "--no-boilerplate" in usage else {}
    return {"": [], **without}


def run_samestory(file: Path, threshold: float, options: list[str]) -> tuple[pa.Table, pa.Table]:
    """Run the command line; return its clusters and pairs."""
    with tempfile.TemporaryDirectory() as out:
        arguments = [
            PROGRAM,
            "cluster",
            str(file),
            "-o",
            f"{out}/out",
            "--threshold",
            str(threshold),
            "-q",
        ]
        done = subprocess.run(arguments + options, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(
                f"samestory failed on {file.name} with exit code {done.returncode}:\n{done.stderr}"
            )
        return pq.read_table(f"{out}/out/clusters.parquet"), pq.read_table(f"{out}/out/pairs.parquet")


def places(truth: Exact, ids: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the places of articles in the file."""
    return pc.index_in(ids.combine_chunks().cast(pa.string()), truth.doc_id).to_numpy().astype(np.int64)


def judge(truth: Exact, clusters: pa.Table, pairs: pa.Table, threshold: float) -> dict[str, Any]:
    """Return the figures of one run of samestory."""
    cluster = np.empty(len(truth.doc_id), np.int64)
    names = clusters["cluster_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    cluster[places(truth, clusters["doc_id"])] = names
    a, b = places(truth, pairs["doc_id_a"]), places(truth, pairs["doc_id_b"])
    shared = shared_of_pairs(truth.ranks, truth.offsets, a, b)
    union = truth.sizes[a] + truth.sizes[b] - shared
    jaccard = shared / np.maximum(union, 1)
    named_near = pc.is_in(pairs["relation"], pa.array(["exact", "near"])).to_numpy()
    n = len(truth.doc_id)
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


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", type=Path, nargs="+", metavar="DATA_DIR|FILE")
    parser.add_argument("--threshold", type=float, default=0.7)
    parser.add_argument("--results", type=Path, help="directory for a dated record (default: none)")
    args = parser.parse_args()
    rows = []
    for file in article_files(args.paths):
        started = time.perf_counter()
        truth = exact(file, args.threshold)
        seconds = time.perf_counter() - started
        print(f"{file.stem}: {len(truth.a):,} exact pairs in {seconds:.1f} s", file=sys.stderr, flush=True)
        for name, options in runs().items():
            answer = run_samestory(file, args.threshold, options)
            figures = judge(truth, *answer, args.threshold)
            rows.append({"tool": f"{file.stem}{name}", **figures, "join_seconds": round(seconds, 2)})
    title = f"samestory against the exact join, Jaccard >= {args.threshold}"
    report.show(title, rows, COLUMNS)
    if args.results is not None:
        body = {"title": title, "settings": {"threshold": args.threshold}, "rows": rows}
        about = report.surroundings()
        path = report.save(args.results, "quality", about, body, report.markdown(title, rows, COLUMNS))
        print(f"wrote {path.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
