"""The plan on paper: what each stage reads, writes, holds and compares for 10^6, 10^8 and 10^10 articles.

    python benchmarks/plan.py benchmarks/results/DATE-scale.json --kind short
    python benchmarks/plan.py benchmarks/results/DATE-scale.json --kind standard --executors 50 --disk 1000

The model is that of costs.py, fitted to one measured run (`--fit`, articles); the other measured sizes are
printed beside what it says of them, with its error: that is the check. Memory is checked for runs without a
bound; of temporary files the model gives the most there can be, and it is checked for runs that wrote any.
What is said of Spark is the work of one machine divided by the cores of the cluster, times what Spark takes
longer in the same measurements (4 where they do not tell), and the time its shuffles take on the disks and
the network.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from pathlib import Path

import report
from costs import (
    HELD_BYTES,
    PROGRAM_BYTES,
    RANK_LIMIT,
    STAGES,
    Corpus,
    Entry,
    Rates,
    memory_bytes,
    scratch_bytes,
    shuffled_bytes,
)

SPARK_FACTOR = 4.0  # if not measured: the most that is promised for the million
SIZES = (10**6, 10**8, 10**10)
DISK = 1.45  # what Spark writes in all, of what it shuffles: 11.0 GB of 7.5 for the million of 2.4 KB
PARTITION_BYTES = 128 << 20  # of a shuffle: some of them fit in an executor's memory at a time


def runs_of(paths: list[Path], args: argparse.Namespace, engine: str) -> dict[int, Entry]:
    """Return the measured run of each size; of several the one with the bound that is asked for, or any."""
    found: dict[int, Entry] = {}
    for path in paths:
        for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
            cell = row.get("cell", {})
            is_wanted = (cell.get("kind"), cell.get("level"), cell.get("engine")) == (
                args.kind, "duplicate", engine
            )  # fmt: skip
            if is_wanted and not row.get("problem") and cell["memory"] in (args.memory or cell["memory"]):
                found.setdefault(cell["docs"], row)
    return dict(sorted(found.items()))


def checked(runs: dict[int, Entry], corpus: Corpus, rates: Rates) -> list[report.Row]:
    """Return model against measurement, of every size."""
    rows = []
    for n, run in runs.items():
        for what, model, real in (
            ("seconds", rates.seconds(n, corpus), run["wall_seconds"]),
            ("scratch MB", scratch_bytes(n, corpus) / 1e6, run["scratch_bytes"] / 1e6),
            ("memory MB", memory_bytes(n, corpus) / 1e6, run["peak_bytes"] / 1e6),
        ):
            if real and (what != "memory MB" or run["cell"]["memory"] == "unbounded"):
                error = model / real - 1.0
                row = {"tool": f"{n:,}, {what}", "note": "", "model": model, "real": real, "error": error}
                rows.append(row)
    return rows


def staged(n: int, corpus: Corpus, rates: Rates) -> list[report.Row]:
    """Return what each stage costs on one machine."""
    return [
        {
            "tool": f"{n:,.0f}, {stage.name}",
            "note": "",
            "read": n * stage.read(corpus),
            "written": n * stage.written(corpus),
            "held": n * stage.held,
            "compared": stage.comparisons(n, corpus),
            "seconds": rates.stages[stage.name] * stage.comparisons(n, corpus),
        }
        for stage in STAGES
    ]


def sized(corpus: Corpus, rates: Rates, factor: float, args: argparse.Namespace) -> list[report.Row]:
    """Return what a machine and a cluster need for each size."""
    rows = []
    for n in SIZES:
        local = rates.seconds(n, corpus)
        shuffled = shuffled_bytes(n, corpus)
        cores = args.executors * args.cores
        moved = 2 * shuffled / (args.executors * args.bandwidth * 1e6)  # written once, read once
        disk = args.executors * args.disk * 1e9
        rows.append({
            "tool": f"{n:,}",
            "note": "",
            "hours": local / 3_600 if n < RANK_LIMIT else None,
            "memory": PROGRAM_BYTES + n * HELD_BYTES if n < RANK_LIMIT else None,
            "scratch": scratch_bytes(n, corpus) if n < RANK_LIMIT else None,
            "spark_hours": (local * args.threads * factor / cores + moved) / 3_600,
            "shuffled": shuffled,
            "partitions": max(cores, math.ceil(shuffled / PARTITION_BYTES)),
            "fits": "yes" if DISK * shuffled < disk else f"no: {DISK * shuffled / args.disk / 1e9:,.0f} do",
        })  # fmt: skip
    return rows


GB = report.number(1, 1e9)
CHECK: report.Columns = (
    ("articles", "tool", str),
    ("model", "model", report.number(1)),
    ("measured", "real", report.number(1)),
    ("error", "error", lambda value: "-" if value is None else f"{value:+.0%}"),
)
COSTS: report.Columns = (
    ("articles, stage", "tool", str), ("GB read", "read", GB), ("GB written", "written", GB),
    ("GB held", "held", GB), ("10^9 comparisons", "compared", report.number(1, 1e9)),
    ("seconds, one machine", "seconds", report.number(1)),
)  # fmt: skip
NEEDS: report.Columns = (
    ("articles", "tool", str), ("hours, one machine", "hours", report.number(2)),
    ("GB least --memory", "memory", GB), ("GB scratch", "scratch", GB),
    ("hours, cluster", "spark_hours", report.number(2)), ("GB shuffled", "shuffled", GB),
    ("--partitions", "partitions", report.number()), ("fits its disks", "fits", str),
)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("results", type=Path, nargs="+", metavar="SCALE.json")
    made.add_argument("--kind", choices=("short", "standard"), default="short")
    made.add_argument("--memory", action="append", metavar="SIZE", help="runs with this bound; default: any")
    made.add_argument(
        "--fit", type=int, help="articles of the run the model is fitted to; default: the middle"
    )
    made.add_argument("--threads", type=int, default=2, help="of the measured runs")
    made.add_argument("--executors", type=int, default=20)
    made.add_argument("--cores", type=int, default=8, help="of an executor")
    made.add_argument("--disk", type=float, default=500.0, help="GB of an executor, for shuffles")
    made.add_argument("--bandwidth", type=float, default=200.0, help="MB/s of an executor, disk and network")
    return made


def main() -> None:
    """Run the command line."""
    made = parser()
    args = made.parse_args()
    runs = runs_of(args.results, args, "local")
    fit = args.fit or (list(runs)[len(runs) // 2] if runs else 0)
    if fit not in runs:
        made.error(f"no local run of {fit:,} {args.kind} articles in these results; there are {list(runs)}")
    counts = runs[fit]["counts"]
    corpus = Corpus(runs[fit]["text_bytes"] / fit, (counts["clusters"] + counts["redundant"]) / fit)
    rates = Rates.of(fit, runs[fit], runs[min(runs)], corpus)
    on_spark = runs_of(args.results, argparse.Namespace(kind="standard", memory=None), "spark")
    beside = runs_of(args.results, argparse.Namespace(kind="standard", memory="unbounded"), "local")
    factors = [on_spark[n]["wall_seconds"] / beside[n]["wall_seconds"] for n in on_spark if n in beside]
    factor = statistics.fmean(factors[-1:]) if factors else SPARK_FACTOR
    tables = [
        (f"model against measurement, fitted at {fit:,}", checked(runs, corpus, rates), CHECK),
        *((f"{n:,} articles, stage by stage", staged(n, corpus, rates), COSTS) for n in SIZES),
        (
            f"what it needs; cluster: {args.executors} executors of {args.cores} cores, "
            f"{args.disk:,.0f} GB of disk, {args.bandwidth:,.0f} MB/s; "
            f"Spark takes {factor:.1f} times the local engine's time",
            sized(corpus, rates, factor, args),
            NEEDS,
        ),
    ]
    for title, rows, columns in tables:
        print(report.markdown(title, rows, columns))


if __name__ == "__main__":
    main()
