"""Corpora on which all pairs would be too many, beside ordinary data of the same size.

    python benchmarks/stress.py                               100,000 articles, one machine
    python benchmarks/stress.py --engines local,spark
    python benchmarks/stress.py --docs 5000 --only chain      a rehearsal

The corpora are those of hard_corpora.py (a chain, two stars, copies with one edit each) and `identical` of
corpus.py; each is one cluster by construction, and an answer is right if every article is in that cluster.
In a chain nothing makes up for a link that hashing misses (at the default recall, about one in 600 of those
here): there an answer is right if its clusters are stretches of the chain, and there are no more of them than
the formula for bands and rows, with five standard deviations, allows. `--option=--recall --option=0.999999`
leaves one. Ordinary data is judged by scale.py. `times_ordinary` is the time against that of ordinary data on
the same engine. Finished runs are kept in the working folder by revision, as in scale.py.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import report
from clusterjob import Job, Settings, remove, run_job
from compare import cached_corpus
from corpus import truth_path
from hard_corpora import CHAIN_JACCARD, KINDS, chain_places, write_hard
from journal import Journal
from machine import revision

HERE = Path(__file__).parent
ORDINARY = "ordinary"
CORPORA = (ORDINARY, "identical", *KINDS)

COLUMNS: report.Columns = (
    ("corpus", "tool", str),
    ("docs/s", "docs_per_second", report.number()),
    ("wall s", "wall_seconds", report.number(1)),
    ("min", "wall_seconds_min", report.number(1)),
    ("max", "wall_seconds_max", report.number(1)),
    ("peak MiB", "peak_bytes", report.number(scale=1 << 20)),
    ("scratch MB", "scratch_bytes", report.number(scale=1e6)),
    ("x ordinary", "times_ordinary", report.number(2)),
    ("clusters", "answer", str),
)


def corpus_of(kind: str, args: argparse.Namespace) -> Path:
    """Return the file of a corpus, written on first use."""
    if kind not in KINDS:
        return cached_corpus(args.workdir, args.docs, args.seed, kind)
    path = args.workdir / f"{kind}-{args.docs}-{args.seed}.parquet"
    if not (path.exists() and truth_path(path).exists()):
        write_hard(path, kind, args.docs, args.seed)
    return path


def judged(kind: str, path: Path, answer: Path, banding: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return whether an answer has the clusters that a corpus is made of, and which it has."""
    table = pq.read_table(answer, columns=["doc_id", "cluster_id", "cluster_size", "relation"])
    ids = pq.read_table(path, columns=["doc_id"])["doc_id"]
    clusters = pc.value_counts(table["cluster_id"].combine_chunks())
    largest = pc.max(clusters.field("counts")).as_py()
    relations = pc.value_counts(table["relation"].combine_chunks()).to_pylist()
    in_order = len(table) == len(ids) and pc.all(pc.equal(_plain(table["doc_id"]), _plain(ids))).as_py()
    most = 1
    if kind == "chain":
        places = chain_places(len(ids), seed)
        along = (
            table["cluster_id"].combine_chunks().dictionary_encode().indices.to_numpy()[np.argsort(places)]
        )
        stretches = 1 + int(np.count_nonzero(np.diff(along)))
        missed = (len(ids) - 1) * (1 - CHAIN_JACCARD ** banding["rows_per_band"]) ** banding["bands"]
        most = int(1 + missed + 5 * np.sqrt(missed)) if stretches == len(clusters) else 0
    return {
        "right": bool(in_order and len(clusters) <= most),
        "most_clusters": most,
        "n_clusters": len(clusters),
        "largest": largest,
        "relations": {entry["values"]: entry["counts"] for entry in relations},
    }


def _plain(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks().cast(pa.large_string())


def measure(kind: str, engine: str, args: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """Run samestory once on one corpus."""
    path, target = corpus_of(kind, args), args.workdir / "answer"
    job = Job(inputs=(str(path),), engine=engine, memory=args.memory, options=tuple(args.option))
    figures = run_job(job, settings, target)
    if "problem" not in figures and kind != ORDINARY:
        figures["judged"] = judged(kind, path, target / "clusters.parquet", figures["banding"], args.seed)
    remove(target)
    return figures


def rows_of(cells: list[tuple[str, str]], journal: Journal, args: argparse.Namespace) -> Iterator[report.Row]:
    """Yield the row of each corpus and engine."""
    ordinary: dict[str, float] = {}
    for kind, engine in cells:
        entries = journal.of(named(kind, engine, args))
        good = [entry for entry in entries if "problem" not in entry]
        row: report.Row = {"tool": f"{kind}, {engine}", "note": "", "kind": kind, "engine": engine}
        if not good:
            yield row | {"problem": entries[-1]["problem"] if entries else "not measured"}
            continue
        walls = [entry["wall_seconds"] for entry in good]
        wall = statistics.median(walls)
        if kind == ORDINARY:
            ordinary[engine] = wall
        yield row | {
            "problem": "",
            "runs": len(walls),
            "wall_seconds": wall,
            "wall_seconds_min": min(walls),
            "wall_seconds_max": max(walls),
            "docs_per_second": round(args.docs / wall, 1),
            "peak_bytes": max(entry["peak_bytes"] for entry in good),
            "scratch_bytes": max(entry["scratch_bytes"] for entry in good),
            "times_ordinary": round(wall / ordinary[engine], 3) if engine in ordinary else None,
            "stages": good[0].get("stages", {}),
            "judged": [entry.get("judged") for entry in good],
            "answer": told([entry["judged"] for entry in good if "judged" in entry]),
        }


def told(answers: list[dict[str, Any]]) -> str:
    """Return in a few words whether the answers are right."""
    wrong = [answer for answer in answers if not answer["right"]]
    if not answers:
        return "-"
    if not wrong:
        n_clusters = answers[0]["n_clusters"]
        return "right" if n_clusters == 1 else f"right: {n_clusters - 1:,} links not met"
    return f"wrong: {wrong[0]['n_clusters']:,}, the largest of {wrong[0]['largest']:,}"


def named(kind: str, engine: str, args: argparse.Namespace) -> dict[str, Any]:
    """Return what a measurement is filed under."""
    return {
        "kind": kind, "engine": engine, "docs": args.docs, "seed": args.seed, "memory": args.memory,
        "options": args.option, "threads": args.threads,
    }  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--docs", type=int, default=100_000)
    made.add_argument("--only", type=lambda text: text.split(","), default=list(CORPORA))
    made.add_argument("--engines", type=lambda text: text.split(","), default=["local"])
    made.add_argument("--memory", help="bound on memory; default: samestory's")
    made.add_argument("--option", action="append", default=[], metavar="WORD", help="passed on to samestory")
    made.add_argument("--runs", type=int, default=3)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--timeout", type=float, default=3_600.0, help="seconds a run may take")
    made.add_argument("--samestory", default=Settings.samestory, metavar="WORDS")
    made.add_argument("--fresh", action="store_true", help="forget what was measured at this revision")
    made.add_argument("--workdir", type=Path, default=Path(tempfile.gettempdir()) / "samestory-benchmarks")
    made.add_argument("--results", type=Path, default=HERE / "results")
    made.add_argument("--no-results", dest="results", action="store_const", const=None)
    return made


def main() -> None:
    """Run the command line; leave with 1 where a cluster is wrong."""
    made = parser()
    args = made.parse_args()
    if unknown := sorted(set(args.only) - set(CORPORA)):
        made.error(f"there is no corpus {', '.join(unknown)}; there are {', '.join(CORPORA)}")
    args.workdir.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        workdir=args.workdir,
        samestory=args.samestory,
        threads=args.threads,
        timeout=args.timeout,
    )
    kinds = [kind for kind in CORPORA if kind in {ORDINARY, *args.only}]
    cells = [(kind, engine) for engine in args.engines for kind in kinds]
    journal = Journal(args.workdir / f"stress-{revision()}.jsonl", args.fresh)
    for turn in range(args.runs):
        for kind, engine in cells if turn % 2 == 0 else cells[::-1]:
            if not journal.has(named(kind, engine, args), turn):
                figures = measure(kind, engine, args, settings)
                journal.add(named(kind, engine, args), turn, figures)
                answer = figures.get("problem") or told([figures["judged"]] if "judged" in figures else [])
                print(
                    f"{kind}, {engine}: {figures['wall_seconds']:.1f} s, {answer}",
                    file=sys.stderr,
                    flush=True,
                )
    rows = list(rows_of(cells, journal, args))
    title = f"samestory on {args.docs:,} articles of about the same length"
    report.show(title, rows, COLUMNS, least_width=120)
    report.show_problems(rows)
    if args.results is not None:
        about = report.surroundings(spark="spark" in args.engines)
        body = {"title": title, "settings": named("", "", args), "rows": rows}
        text = report.markdown(title, rows, COLUMNS)
        print(
            f"wrote {report.save(args.results, f'stress-{args.docs}', about, body, text).name}",
            file=sys.stderr,
        )
    sys.exit(any(row.get("answer", "").startswith("wrong") for row in rows))


if __name__ == "__main__":
    main()
