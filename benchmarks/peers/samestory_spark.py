"""samestory on Spark, the work that the peers do; OUT becomes a folder."""

from __future__ import annotations

import os
import sys

from job import parse_job
from samestory_cli import COPIES_ONLY, command


def main() -> None:
    """Run one job."""
    job = parse_job(__doc__)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    arguments = [*command(job), "--shingle", f"word:{job.ngram}", *COPIES_ONLY, "--engine", "spark"]
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main()
