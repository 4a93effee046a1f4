"""Measure samestory and its peers.

    python benchmarks/run.py --docs 100000                      whole jobs, all peers, five runs
    python benchmarks/run.py --docs 1000000 --peers daft --runs 3 --timeout 3600
    python benchmarks/run.py --docs 20000 --stage signatures    text to signatures, one core, in process
    python benchmarks/run.py --docs 100000 --stress             identical and footer corpora against ordinary
    python benchmarks/run.py --startup                          --help, 100 articles, first compilation

Whole jobs run from Parquet to Parquet, each tool as a process of its own on the same generated file
(corpus.py), in shuffled order, after a warm-up on a small file; the median of the runs counts. How
recall and precision are defined stands in planted.py, how memory is measured in measure.py, and what
each tool does in peers/. `times_fastest_peer` and `times_datasketch` are
ratios of docs/s; for datasketch the faster of its two ways that ran counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import report
import stages
import startup
from compare import Comparison, add_ratios, cached_corpus, summarise, text_bytes
from corpus import KINDS
from tools import TOOLS, chosen_tools

HERE = Path(__file__).parent


def say(message: str) -> None:
    """Tell how far the measurement is."""
    print(message, file=sys.stderr, flush=True)


def compare(args: argparse.Namespace, workdir: Path) -> None:
    """Whole jobs: samestory and peers on one corpus."""
    path = cached_corpus(workdir, args.docs, args.seed, args.kind)
    n_bytes = text_bytes(path)
    comparison = Comparison(
        path=path,
        workdir=workdir,
        threshold=args.threshold,
        threads=args.threads,
        timeout=args.timeout,
        say=say,
    )
    outcomes = comparison.run(chosen_tools(args.peers), args.runs, args.seed)
    rows = [summarise(outcome, args.docs, n_bytes) for outcome in outcomes]
    rows.sort(key=lambda row: -row.get("docs_per_second", 0.0))
    add_ratios(rows)
    title = f"{args.docs:,} {args.kind} articles, {n_bytes / 1e6:,.0f} MB of text, {args.threads} threads"
    runs = {outcome.tool.name: [asdict(run) for run in outcome.runs] for outcome in outcomes}
    report.show(title, rows, report.SPEED)
    report.show("right and wrong", rows, (report.SPEED[0], *report.SCORES, *report.RATIOS))
    report.show_problems(rows)
    name = f"{args.docs}" if args.kind == "ordinary" else f"{args.kind}-{args.docs}"
    columns = (*report.SPEED, *report.SCORES, *report.RATIOS)
    _save(args, name, title, rows, columns, {"runs": runs})


def stress(args: argparse.Namespace, workdir: Path) -> None:
    """Whole jobs of samestory on corpora that are hard for it, against ordinary text."""
    rows = []
    for kind in ("ordinary", "identical", "footer"):
        path = cached_corpus(workdir, args.docs, args.seed, kind)
        n_bytes = text_bytes(path)
        comparison = Comparison(
            path=path,
            workdir=workdir,
            threshold=args.threshold,
            threads=args.threads,
            timeout=args.timeout,
            say=say,
        )
        (outcome,) = comparison.run([TOOLS["samestory"]], args.runs, args.seed)
        rows.append(summarise(outcome, args.docs, n_bytes) | {"tool": kind, "note": ""})
    ordinary = rows[0].get("wall_seconds")
    for row in rows:
        if ordinary and "wall_seconds" in row:
            row["times_ordinary"] = round(row["wall_seconds"] / ordinary, 2)
    timed = ("x ordinary", "times_ordinary", report.number(2))
    columns: report.Columns = (("corpus", "tool", str), *report.SPEED[1:], timed)
    title = f"samestory on {args.docs:,} articles of about the same length"
    report.show(title, rows, columns)
    report.show_problems(rows)
    _save(args, f"stress-{args.docs}", title, rows, columns, {})


def signature_stage(args: argparse.Namespace, workdir: Path) -> None:
    """Text to signatures in this process, one core."""
    path = cached_corpus(workdir, args.docs, args.seed, args.kind)
    rows = stages.signature_rows(pq.read_table(path, columns=["text"])["text"], args.runs, say)
    title = f"text to signatures, one core, {args.docs:,} {args.kind} articles"
    report.show(title, rows, stages.COLUMNS)
    report.show_problems(rows)
    _save(args, f"signatures-{args.docs}", title, rows, stages.COLUMNS, {})


def start(args: argparse.Namespace, workdir: Path) -> None:
    """Start-up times of the command line."""
    path = cached_corpus(workdir, startup.N_DOCS, args.seed, "ordinary")
    rows = startup.startup_rows(path, workdir, args.runs)
    title = "start-up of the command line"
    report.show(title, rows, startup.COLUMNS)
    report.show_problems(rows)
    _save(args, "startup", title, rows, startup.COLUMNS, {})


def _save(
    args: argparse.Namespace, name: str, title: str, rows: list[Any], columns: Any, more: dict[str, Any]
) -> None:
    """Write the results, when asked to."""
    if args.results is None:
        return
    about = report.surroundings()
    settings = {key: getattr(args, key) for key in ("docs", "seed", "kind", "threshold", "threads")}
    body = {"title": title, "settings": settings, "rows": rows, **more}
    say(f"wrote {report.save(args.results, name, about, body, report.markdown(title, rows, columns)).name}")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--docs", type=int, default=10_000)
    made.add_argument("--peers", default="all", help=f"all, none, or some of {', '.join(list(TOOLS)[1:])}")
    made.add_argument("--runs", type=int, default=5)
    made.add_argument("--threshold", type=float, default=0.7)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--kind", choices=KINDS, default="ordinary")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--timeout", type=float, default=1800.0, help="seconds a run may take")
    made.add_argument(
        "--workdir", type=Path, help="where corpora are kept; default: the system's temporary directory"
    )
    made.add_argument("--results", type=Path, default=HERE / "results")
    made.add_argument("--no-results", dest="results", action="store_const", const=None, help="write no files")
    mode = made.add_mutually_exclusive_group()
    mode.add_argument("--stage", choices=("signatures",))
    mode.add_argument("--stress", action="store_true")
    mode.add_argument("--startup", action="store_true")
    return made


def main() -> None:
    """Run the command line."""
    made = parser()
    args = made.parse_args()
    if args.runs < 1 or args.docs < 1:
        made.error("--runs and --docs must be at least 1")
    workdir = args.workdir or Path(tempfile.gettempdir()) / "samestory-benchmarks"
    workdir.mkdir(parents=True, exist_ok=True)
    if args.stage:
        signature_stage(args, workdir)
    elif args.stress:
        stress(args, workdir)
    elif args.startup:
        start(args, workdir)
    else:
        try:
            chosen_tools(args.peers)
        except ValueError as error:
            made.error(str(error))
        compare(args, workdir)


if __name__ == "__main__":
    main()
