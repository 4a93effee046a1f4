"""Jobs of this folder as processes of their own, measured."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from measure import Measured, run_measured

BENCHMARKS = Path(__file__).parents[1]


class JobFailedError(Exception):
    """A job that ended with an error; the message is its last word."""


def run_job(module: str, *arguments: Any, threads: int) -> Measured:
    """Run a module of this folder and return what it took."""
    search = os.pathsep.join(filter(None, (str(BENCHMARKS), os.environ.get("PYTHONPATH"))))
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    return run_checked(
        [sys.executable, "-m", f"storytelling.{module}", *map(str, arguments)],
        {"PYTHONPATH": search, **limits},
    )


def run_checked(command: list[str], environment: dict[str, str] | None = None) -> Measured:
    """Run a command and return what it took; a failure is an exception."""
    done = run_measured(command, environment=environment)
    if done.exit_code:
        raise JobFailedError(last_word(done.errors) or f"exit code {done.exit_code}")
    return done


def last_word(errors: str) -> str:
    """Return the last line of an error that is not a mere hint, with file names in place of whole paths."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith("Hint:")]
    return re.sub(r"(?:/[\w.@+-]+)+/(?=[\w.@+-])", "", (telling or lines or [""])[-1]).removeprefix("Error: ")


def taken(done: Measured) -> dict[str, Any]:
    """Return what a run took, for the record."""
    return {
        "wall_seconds": round(done.wall_seconds, 2),
        "cpu_seconds": round(done.cpu_seconds, 2),
        "peak_bytes": done.peak_bytes,
    }
