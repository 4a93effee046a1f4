"""Runs of `samestory cluster` as processes of their own, measured: time, memory, disk, and what they say.

Temporary files, those of Spark too, go to a folder of the run's own, which is watched and then removed.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measure import FolderWatch, run_measured

UNBOUNDED = "1000TB"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all runs of a measurement have in common."""

    workdir: Path
    samestory: str = f"{shlex.quote(sys.executable)} -m samestory"
    threads: int = 2
    timeout: float | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One way to run `samestory cluster`."""

    inputs: tuple[str, ...]
    engine: str = "local"
    level: str = "duplicate"
    memory: str | None = None
    partitions: int | None = None
    options: tuple[str, ...] = field(default=())

    def command(self, settings: Settings, target: Path, scratch: Path) -> list[str]:
        """Return the command line."""
        words = [
            *shlex.split(settings.samestory), "cluster", *self.inputs, "-o", str(target), "--overwrite", "-q",
            "--no-progress", "--level", self.level, "--threads", str(settings.threads),
            "--scratch", str(scratch), *self.options,
        ]  # fmt: skip
        if self.memory is not None:
            words += ["--memory", UNBOUNDED if self.memory == "unbounded" else self.memory]
        if self.engine != "local":
            words += ["--engine", self.engine]
        if self.partitions is not None:
            words += ["--partitions", str(self.partitions)]
        return words


def run_job(job: Job, settings: Settings, target: Path) -> dict[str, Any]:
    """Run a job; return its figures, or `problem` and how far they go."""
    scratch = settings.workdir / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    remove(target)
    watch = FolderWatch(scratch)
    run = run_measured(
        job.command(settings, target, scratch),
        timeout=settings.timeout,
        environment={
            "TMPDIR": str(scratch),
            "SPARK_LOCAL_DIRS": str(scratch),
            "PYSPARK_PYTHON": sys.executable,
        },
        probe=watch,
    )
    left = sum(1 for path in scratch.rglob("*") if path.is_file())
    shutil.rmtree(scratch, ignore_errors=True)
    figures: dict[str, Any] = {
        "wall_seconds": round(run.wall_seconds, 3),
        "cpu_seconds": round(run.cpu_seconds, 3),
        "peak_bytes": run.peak_bytes,
        "scratch_bytes": watch.most_bytes,
        "scratch_files_left": left,
    }
    if run.timed_out:
        return figures | {"problem": f"over {settings.timeout:,.0f} s", "timed_out": True}
    if run.exit_code != 0:
        lines = [line for line in run.errors.strip().splitlines() if line.strip()] or [""]
        told = next((line for line in lines if line.startswith("Error")), lines[-1])
        return figures | {"problem": f"failed with exit code {run.exit_code}: {told[:300]}"}
    return figures | facts_of(target)


def facts_of(target: Path) -> dict[str, Any]:
    """Return what run.json says of the run: seconds of each stage, counts, its own peak of memory."""
    path = target / "run.json"
    if not path.exists():
        return {}
    facts = json.loads(path.read_text(encoding="utf-8"))
    counts = facts.get("counts", {})
    return {
        "stages": facts.get("seconds", {}),
        "text_bytes": facts.get("text_bytes"),
        "counts": {name: counts.get(name) for name in ("articles", "clusters", "redundant", "pairs")},
        "largest_cluster": counts.get("largest_cluster"),
        "peak_memory_bytes": facts.get("peak_memory_bytes"),
        "banding": facts.get("banding", {}),
    }


def remove(target: Path) -> None:
    """Remove an answer, file or folder."""
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
