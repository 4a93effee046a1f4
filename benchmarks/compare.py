"""Whole processes from Parquet to Parquet on one file: samestory and its peers."""

from __future__ import annotations

import json
import random
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import truth_path, write_corpus
from measure import Measured, run_measured
from tools import Tool, answer_file, command

WARM_UP_DOCS = 500
NOT_INSTALLED = 3  # as peers/job.py leaves


@dataclass
class Outcome:
    """All runs of one tool, or why there are none."""

    tool: Tool
    runs: list[Measured] = field(default_factory=list)
    scores: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


def cached_corpus(workdir: Path, n_docs: int, seed: int, kind: str) -> Path:
    """Return a corpus file, generated on first use."""
    workdir.mkdir(parents=True, exist_ok=True)
    path = workdir / f"{kind}-{n_docs}-{seed}.parquet"
    if not (path.exists() and truth_path(path).exists()):
        write_corpus(path, n_docs, seed, kind)
    return path


def text_bytes(path: Path) -> int:
    """Return the bytes of text in a corpus file; reading it also brings it into the page cache."""
    file = pq.ParquetFile(path)
    return sum(
        pc.sum(pc.binary_length(batch.column(0))).as_py() or 0
        for batch in file.iter_batches(columns=["text"])
    )


def score(path: Path, answer: Path, threshold: float) -> dict[str, Any]:
    """Score an answer in a process of its own, so that this one stays small."""
    script = Path(__file__).with_name("planted.py")
    arguments = [sys.executable, str(script), str(path), str(answer), "--threshold", str(threshold)]
    return json.loads(subprocess.run(arguments, check=True, capture_output=True, text=True).stdout)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Tools on one file, in shuffled order, round by round."""

    path: Path
    workdir: Path
    threshold: float
    threads: int
    timeout: float | None
    say: Callable[[str], None]

    def run(self, tools: list[Tool], n_runs: int, seed: int) -> list[Outcome]:
        """Warm every tool up, then measure `n_runs` rounds."""
        outcomes = [Outcome(tool) for tool in tools]
        small = cached_corpus(self.workdir, WARM_UP_DOCS, seed, "ordinary")
        for outcome in outcomes:
            self._once(outcome, small, scored=False)
            outcome.runs.clear()
        order = random.Random(seed)
        for number in range(n_runs):
            for outcome in order.sample(outcomes, len(outcomes)):
                if not outcome.problem:
                    self._once(outcome, self.path, scored=number == 0)
        return outcomes

    def _once(self, outcome: Outcome, path: Path, *, scored: bool) -> None:
        """Run one tool once; note what went wrong."""
        target = self.workdir / "answers" / outcome.tool.name
        target.parent.mkdir(exist_ok=True)
        _remove(target)
        run = run_measured(
            command(outcome.tool, path, target, self.threshold, self.threads), timeout=self.timeout
        )
        self.say(f"{outcome.tool.name}: {run.wall_seconds:.1f} s, {run.peak_bytes / 1e6:,.0f} MB")
        outcome.problem = self._problem(run)
        if outcome.problem:
            return
        outcome.runs.append(run)
        if scored:
            outcome.scores = score(path, answer_file(target), self.threshold)
        _remove(target)

    def _problem(self, run: Measured) -> str:
        """Return why a run does not count, or nothing."""
        if run.timed_out:
            return f"over {self.timeout:,.0f} s"
        if run.exit_code == NOT_INSTALLED:
            return run.errors.strip().splitlines()[-1]
        if run.exit_code != 0:
            last = (run.errors.strip().splitlines() or [""])[-1]
            return f"failed with exit code {run.exit_code}: {last[:200]}"
        return ""


def _remove(target: Path) -> None:
    """Remove an answer, file or directory."""
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def summarise(outcome: Outcome, n_docs: int, n_bytes: int) -> dict[str, Any]:
    """Return the figures of one tool."""
    row: dict[str, Any] = {"tool": outcome.tool.name, "note": outcome.tool.note, "problem": outcome.problem}
    if not outcome.runs:
        return row
    walls = [run.wall_seconds for run in outcome.runs]
    wall = statistics.median(walls)
    return row | {
        "runs": len(walls),
        "wall_seconds": round(wall, 3),
        "wall_seconds_min": round(min(walls), 3),
        "wall_seconds_max": round(max(walls), 3),
        "cpu_seconds": round(statistics.median(run.cpu_seconds for run in outcome.runs), 3),
        "peak_bytes": max(run.peak_bytes for run in outcome.runs),
        "docs_per_second": round(n_docs / wall, 1),
        "mb_per_second": round(n_bytes / wall / 1e6, 2),
        **outcome.scores,
    }


def add_ratios(rows: list[dict[str, Any]]) -> None:
    """Add docs/s as multiples of the fastest peer and of the faster of the two datasketch ways."""
    rates = {row["tool"]: row["docs_per_second"] for row in rows if "docs_per_second" in row}
    peers = {name: rate for name, rate in rates.items() if not name.startswith("samestory")}
    datasketch = [rate for name, rate in peers.items() if name.startswith("datasketch")]
    for row in rows:
        if "docs_per_second" in row:
            row["times_fastest_peer"] = (
                round(row["docs_per_second"] / max(peers.values()), 2) if peers else None
            )
            row["times_datasketch"] = (
                round(row["docs_per_second"] / max(datasketch), 2) if datasketch else None
            )
