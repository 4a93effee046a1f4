"""How `samestory cluster` scales: 10 times the articles, a bound on memory, Spark beside one machine.

    python benchmarks/scale.py                      a rehearsal: 20,000 to 100,000 articles, some minutes
    python benchmarks/scale.py --large              the real sizes: up to 10,000,000 short articles
    python benchmarks/scale.py --large --only short --only duplicate
    python benchmarks/scale.py --large --engines local,spark --levels duplicate,story

Every run is a process of its own from Parquet to Parquet; runs of one round follow one another, and the
next round goes through them backwards. Recorded are the time, the peak of resident memory (the high-water
mark of one process; of several, as Spark has, the largest sum), the most bytes of temporary files, the
seconds of each stage, recall and precision on what was planted (planted.py), and a digest of every column
of the tables (same_tables.py). What is finished is kept in the working folder by revision, so that an
interrupted measurement goes on where it was when the same command is given again.

Corpora: `short` are the articles of short.py (about 500 bytes), `standard` the ordinary ones of corpus.py
(about 2.4 KB). `unbounded` is a bound that no corpus reaches.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import report
from clusterjob import Job, Settings, remove, run_job
from compare import cached_corpus, score
from corpus import truth_path
from journal import Journal
from machine import revision
from same_tables import differences, digest_run
from short import write_short

HERE = Path(__file__).parent
MIB = 1 << 20
LARGEST_REPEATED = 1_000_000

RUNS: report.Columns = (
    ("run", "tool", str),
    ("docs/s", "docs_per_second", report.number()),
    ("wall s", "wall_seconds", report.number(1)),
    ("min", "wall_seconds_min", report.number(1)),
    ("max", "wall_seconds_max", report.number(1)),
    ("CPU s", "cpu_seconds", report.number(1)),
    ("peak MiB", "peak_bytes", report.number(scale=MIB)),
    ("scratch MB", "scratch_bytes", report.number(scale=1e6)),
    ("recall", "recall", report.share),
    ("pair precision", "pair_precision", report.share),
)
RATIOS: report.Columns = (
    ("compared", "tool", str),
    ("x time", "times", report.number(2)),
    ("x memory", "times_memory", report.number(2)),
    ("tables", "tables", lambda value: value or "-"),
)


@dataclass(frozen=True, order=True)
class Cell:
    """One thing to measure."""

    kind: str
    docs: int
    level: str
    engine: str
    memory: str

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"{self.docs:,} {self.kind}, {self.level}, {self.engine}, {self.memory}"


def planned(args: argparse.Namespace) -> list[Cell]:
    """Return the cells of the plan that are asked for."""
    sizes = (1_000_000, 10_000_000) if args.large else (20_000, 100_000)
    standard = (100_000, 1_000_000) if args.large else (20_000, 100_000)
    cells = []
    for level in args.levels:
        if "local" in args.engines:
            cells += [
                Cell("short", sizes[0], level, "local", memory) for memory in (args.memory, "unbounded")
            ]
            cells.append(Cell("short", sizes[1], level, "local", args.memory))
            cells += [
                Cell("standard", docs, level, "local", memory)
                for docs in standard
                for memory in (args.tight, "unbounded")
            ]
        if "spark" in args.engines:
            cells += [Cell("standard", docs, level, "spark", args.memory) for docs in standard]
    return [cell for cell in cells if all(word in cell.name for word in args.only)]


def corpus_of(cell: Cell, workdir: Path, seed: int) -> Path:
    """Return the file of a corpus, written on first use."""
    if cell.kind == "standard":
        return cached_corpus(workdir, cell.docs, seed, "ordinary")
    path = workdir / f"feed-{cell.docs}-{seed}.parquet"
    if not (path.exists() and truth_path(path).exists()):
        write_short(path, cell.docs, seed)
    return path


def measure(cell: Cell, settings: Settings, seed: int, scored: bool) -> dict[str, Any]:
    """Run a cell once; its tables are digested and scored, and removed."""
    path = corpus_of(cell, settings.workdir, seed)
    path.read_bytes() if path.stat().st_size < 1 << 30 else None  # into the page cache, where it fits
    target = settings.workdir / "answer"
    job = Job(inputs=(str(path),), engine=cell.engine, level=cell.level, memory=cell.memory)
    figures = run_job(job, settings, target)
    if "problem" not in figures:
        figures["tables"] = digest_run(target)
        if scored:
            figures["scores"] = score(path, target / "clusters.parquet", 0.7)
    remove(target)
    return figures


def summarised(cells: list[Cell], journal: Journal) -> Iterator[report.Row]:
    """Yield the row of each cell: the median of its rounds, and the worst of its peaks."""
    for cell in cells:
        entries = journal.of(asdict(cell))
        row: report.Row = {"tool": cell.name, "note": "", "cell": asdict(cell)}
        good = [entry for entry in entries if "problem" not in entry]
        if not good:
            yield row | {"problem": entries[-1]["problem"] if entries else "not measured"}
            continue
        walls = [entry["wall_seconds"] for entry in good]
        wall = statistics.median(walls)
        yield row | {
            "problem": "",
            "runs": len(walls),
            "wall_seconds": wall,
            "wall_seconds_min": min(walls),
            "wall_seconds_max": max(walls),
            "cpu_seconds": statistics.median(entry["cpu_seconds"] for entry in good),
            "docs_per_second": round(cell.docs / wall, 1),
            "peak_bytes": max(entry["peak_bytes"] for entry in good),
            "scratch_bytes": max(entry["scratch_bytes"] for entry in good),
            "stages": min(good, key=lambda entry: entry["wall_seconds"]).get("stages", {}),
            "text_bytes": good[0].get("text_bytes"),
            "counts": good[0].get("counts"),
            "tables": good[0]["tables"],
            "same_each_round": all(entry["tables"] == good[0]["tables"] for entry in good),
            **next((entry["scores"] for entry in good if "scores" in entry), {}),
        }


def compared(rows: list[report.Row]) -> Iterator[report.Row]:
    """Yield time, memory and tables of each run against the one it is to be held against."""
    done = {Cell(**row["cell"]): row for row in rows if not row["problem"]}
    for cell, row in done.items():
        for other, base in done.items():
            same = (cell.kind, cell.level) == (other.kind, other.level)
            is_larger = cell.docs > other.docs and (cell.engine, cell.memory) == (other.engine, other.memory)
            is_other_way = (
                cell.docs == other.docs
                and (other.engine, other.memory) == ("local", "unbounded")
                and cell != other
            )
            if same and (is_larger or is_other_way):
                yield _against(cell, row, other, base, tables=is_other_way)


def _against(cell: Cell, row: report.Row, other: Cell, base: report.Row, tables: bool) -> report.Row:
    unlike = differences(row["tables"], base["tables"]) if tables else []
    return {
        "tool": f"{cell.name} / {other.docs:,}, {other.engine}, {other.memory}",
        "times": round(row["wall_seconds"] / base["wall_seconds"], 3),
        "times_memory": round(row["peak_bytes"] / base["peak_bytes"], 3),
        "tables": ("equal" if not unlike else f"differ: {', '.join(unlike)}") if tables else "",
    }


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--large", action="store_true", help="the real sizes: hours, and some 30 GB of disk")
    made.add_argument(
        "--only", action="append", default=[], metavar="WORDS", help="cells whose name has this"
    )
    made.add_argument("--levels", type=lambda text: text.split(","), default=["duplicate"])
    made.add_argument("--engines", type=lambda text: text.split(","), default=["local"])
    made.add_argument("--memory", default="4GB", help="bound of the short corpora and of Spark")
    made.add_argument("--tight", default="1GB", help="bound of the standard corpora")
    made.add_argument("--runs", type=int, default=3, help=f"rounds, of up to {LARGEST_REPEATED:,} articles")
    made.add_argument("--runs-large", type=int, default=1, help="rounds of larger ones")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--timeout", type=float, default=14_400.0, help="seconds a run may take")
    made.add_argument("--no-score", dest="score", action="store_false")
    made.add_argument("--samestory", default=Settings.samestory, metavar="WORDS")
    made.add_argument("--fresh", action="store_true", help="forget what was measured at this revision")
    made.add_argument("--workdir", type=Path, default=Path(tempfile.gettempdir()) / "samestory-benchmarks")
    made.add_argument("--results", type=Path, default=HERE / "results")
    made.add_argument("--no-results", dest="results", action="store_const", const=None)
    return made


def main() -> None:
    """Run the command line."""
    args = parser().parse_args()
    args.workdir.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        workdir=args.workdir,
        samestory=args.samestory,
        threads=args.threads,
        timeout=args.timeout,
    )
    cells = planned(args)
    journal = Journal(args.workdir / f"scale-{revision()}-{args.seed}.jsonl", args.fresh)
    for turn in range(max(args.runs, args.runs_large)):
        for cell in cells if turn % 2 == 0 else cells[::-1]:
            runs = args.runs if cell.docs <= LARGEST_REPEATED else args.runs_large
            if turn < runs and not journal.has(asdict(cell), turn):
                figures = measure(cell, settings, args.seed, scored=args.score and turn == 0)
                journal.add(asdict(cell), turn, figures)
                told = figures.get("problem", f"{figures['peak_bytes'] / MIB:,.0f} MiB")
                print(f"{cell.name}: {figures['wall_seconds']:,.1f} s, {told}", file=sys.stderr, flush=True)
    rows = list(summarised(cells, journal))
    ratios = list(compared(rows))
    title = "samestory cluster: more articles, less memory, another engine"
    report.show(title, rows, RUNS, least_width=140)
    report.show("against one another", ratios, RATIOS, least_width=140)
    report.show_problems(rows)
    if args.results is not None:
        about = report.surroundings(spark=True)
        text = (
            report.markdown(title, rows, RUNS) + "\n" + report.markdown("Against one another", ratios, RATIOS)
        )
        options = {
            name: getattr(args, name) for name in ("large", "seed", "threads", "memory", "tight", "runs")
        }
        body = {"title": title, "settings": options, "rows": rows, "compared": ratios}
        print(f"wrote {report.save(args.results, 'scale', about, body, text).name}", file=sys.stderr)


if __name__ == "__main__":
    main()
