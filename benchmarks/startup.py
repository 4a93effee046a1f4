"""How long a user waits before anything happens: --help, a small job, the first compilation."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import Measured, run_measured
from report import number

N_DOCS = 100
COLUMNS = (
    ("what", "tool", str),
    ("seconds", "wall_seconds", number(2)),
    ("min", "wall_seconds_min", number(2)),
    ("max", "wall_seconds_max", number(2)),
    ("CPU s", "cpu_seconds", number(2)),
    ("peak MB", "peak_bytes", number(scale=1e6)),
)


def _row(what: str, runs: list[Measured]) -> dict[str, Any]:
    """Return the figures of one kind of start."""
    failed = [run for run in runs if run.exit_code]
    if failed:
        return {
            "tool": what,
            "problem": f"exit code {failed[0].exit_code}: {failed[0].errors.strip()[-200:]}",
        }
    walls = [run.wall_seconds for run in runs]
    return {
        "tool": what,
        "problem": "",
        "wall_seconds": statistics.median(walls),
        "wall_seconds_min": min(walls),
        "wall_seconds_max": max(walls),
        "cpu_seconds": statistics.median(run.cpu_seconds for run in runs),
        "peak_bytes": max(run.peak_bytes for run in runs),
    }


def startup_rows(path: Path, workdir: Path, n_runs: int) -> list[dict[str, Any]]:
    """Return the times of `--help`, of a job once compiled, and of one with an empty NUMBA_CACHE_DIR."""
    program = str(Path(sys.executable).with_name("samestory"))
    if not Path(program).exists():
        return [{"tool": "samestory", "problem": "samestory is not installed"}]
    with tempfile.TemporaryDirectory(dir=workdir) as scratch:
        job = [program, "cluster", str(path), "-o", f"{scratch}/out", "--overwrite", "-q"]
        run_measured([program, "--help"])
        usage = [run_measured([program, "--help"]) for _ in range(n_runs)]
        run_measured(job)
        compiled = [run_measured(job) for _ in range(n_runs)]
        empty = {"NUMBA_CACHE_DIR": f"{scratch}/numba"}
        first = run_measured(job, environment=empty)
        second = run_measured(job, environment=empty)
    return [
        _row("--help", usage),
        _row(f"{N_DOCS} articles", compiled),
        _row("the same, compiling", [first]),
        _row("the run after that", [second]),
    ]
