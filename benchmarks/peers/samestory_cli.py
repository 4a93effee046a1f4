"""samestory through its command line; it takes the place of this process.

OUT becomes a directory, and the clusters are in OUT/clusters.parquet.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from job import Job, not_installed, parse_job

COPIES_ONLY = ("--no-partial", "--no-boilerplate")
"""The work that the peers do: near copies, of the text as it is."""


def command(job: Job) -> list[str]:
    """Return the command line of a job at the defaults."""
    program = Path(sys.executable).with_name("samestory")
    words = [str(program)] if program.exists() else [sys.executable, "-m", "samestory"]
    if not program.exists() and importlib.util.find_spec("samestory") is None:
        raise not_installed("samestory")
    return [
        *words, "cluster", str(job.source), "-o", str(job.target), "--overwrite", "-q", "--no-progress",
        "--threshold", str(job.threshold), "--num-perm", str(job.num_perm), "--threads", str(job.threads),
    ]  # fmt: skip


def main() -> None:
    """Run one job."""
    job = parse_job(__doc__)
    arguments = [*command(job), "--shingle", f"word:{job.ngram}", *COPIES_ONLY]
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main()
