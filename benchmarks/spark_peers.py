"""samestory on Spark beside plain MLlib and the way of text-dedup, and beside samestory on one machine.

    python benchmarks/spark_peers.py                                   10,000, 100,000 and 1,000,000 articles
    python benchmarks/spark_peers.py --sizes 3000,10000 --timeout 600  a rehearsal

All do the same work on the same generated file (corpus.py): near copies among runs of five words, at a
Jaccard of 0.7, from Parquet to Parquet, on `--threads` local cores, each as a process of its own. What each
does stands in peers/. Memory is the largest sum over the processes of a job; the heap of Spark's driver is
bounded by SPARK_PEER_MEMORY (4g). A tool that runs out of its time at one size is not tried at the next.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import report
from compare import Comparison, Outcome, cached_corpus
from tools import Tool, chosen_tools

HERE = Path(__file__).parent

COLUMNS: report.Columns = (
    ("tool", "tool", str),
    ("articles", "docs", report.number()),
    ("docs/s", "docs_per_second", report.number()),
    ("wall s", "wall_seconds", report.number(1)),
    ("min", "wall_seconds_min", report.number(1)),
    ("max", "wall_seconds_max", report.number(1)),
    ("peak MiB", "peak_bytes", report.number(scale=1 << 20)),
    ("x samestory", "times_local", report.number(2)),
    *report.SCORES,
)


def say(message: str) -> None:
    """Tell how far the measurement is."""
    print(message, file=sys.stderr, flush=True)


def measured(docs: int, tools: list[Tool], args: argparse.Namespace) -> list[Outcome]:
    """Run the tools on a corpus of one size."""
    comparison = Comparison(
        path=cached_corpus(args.workdir, docs, args.seed, "ordinary"),
        workdir=args.workdir,
        threshold=0.7,
        threads=args.threads,
        timeout=args.timeout,
        say=lambda message: say(f"{docs:,}, {message}"),
    )
    return comparison.run(tools, args.runs if docs < 1_000_000 else args.runs_large, args.seed)


def row_of(docs: int, outcome: Outcome, local: float | None) -> report.Row:
    """Return the figures of one tool at one size."""
    row: report.Row = {"tool": outcome.tool.name, "docs": docs, "note": "", "problem": outcome.problem}
    if not outcome.runs or outcome.problem:
        return row | {"tool": f"{outcome.tool.name}, {docs:,}", "note": outcome.problem}
    walls = [run.wall_seconds for run in outcome.runs]
    wall = statistics.median(walls)
    return row | {
        "runs": len(walls),
        "wall_seconds": round(wall, 3),
        "wall_seconds_min": round(min(walls), 3),
        "wall_seconds_max": round(max(walls), 3),
        "docs_per_second": round(docs / wall, 1),
        "peak_bytes": max(run.peak_bytes for run in outcome.runs),
        "times_local": round(wall / local, 3) if local else None,
        **outcome.scores,
    }


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--sizes", default="10000,100000,1000000")
    made.add_argument("--peers", default="spark", help="spark, or some of its tools")
    made.add_argument("--runs", type=int, default=3)
    made.add_argument("--runs-large", type=int, default=1, help="rounds of 1,000,000 articles or more")
    made.add_argument("--timeout", type=float, default=3_600.0, help="seconds a run may take")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--workdir", type=Path, default=Path(tempfile.gettempdir()) / "samestory-benchmarks")
    made.add_argument("--results", type=Path, default=HERE / "results")
    made.add_argument("--no-results", dest="results", action="store_const", const=None)
    return made


def main() -> None:
    """Run the command line."""
    made = parser()
    args = made.parse_args()
    try:
        tools = chosen_tools(args.peers)
    except ValueError as error:
        made.error(str(error))
    args.workdir.mkdir(parents=True, exist_ok=True)
    rows: list[report.Row] = []
    runs = {}
    for docs in map(int, args.sizes.split(",")):
        outcomes = measured(docs, tools, args)
        walls = [[run.wall_seconds for run in one.runs] for one in outcomes if one.tool.name == "samestory"]
        local = statistics.median(walls[0]) if walls and walls[0] else None
        rows += [row_of(docs, outcome, local) for outcome in outcomes]
        runs[docs] = {outcome.tool.name: [asdict(run) for run in outcome.runs] for outcome in outcomes}
        late = {outcome.tool.name for outcome in outcomes if outcome.problem.startswith("over ")}
        tools = [tool for tool in tools if tool.name not in late]
    title = f"on Spark, {args.threads} local cores"
    report.show(title, rows, COLUMNS, least_width=140)
    report.show_problems(rows)
    if args.results is not None:
        about = report.surroundings(spark=True)
        notes = "".join(f"- {tool.name}: {tool.note}\n" for tool in chosen_tools(args.peers))
        text = report.markdown(title, rows, COLUMNS) + notes
        body = {"title": title, "rows": rows, "runs": runs}
        say(f"wrote {report.save(args.results, 'spark', about, body, text).name}")


if __name__ == "__main__":
    main()
