"""The one protocol of all peers: Parquet in, Parquet out, as a process of its own.

    python peers/TOOL.py IN.parquet OUT.parquet --threshold 0.7 --num-perm 128 --ngram 5 --threads 2

IN has the columns doc_id and text; OUT has doc_id and cluster_id, one row an article. A script whose
tool is not installed leaves with exit code 3 and says so on stderr.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

NOT_INSTALLED = 3


@dataclass(frozen=True)
class Job:
    """What one run is asked to do."""

    source: Path
    target: Path
    threshold: float
    num_perm: int
    ngram: int
    threads: int


def parse_job(description: str | None) -> Job:
    """Read the job from the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--threshold", type=float, default=0.7)
    parser.add_argument("--num-perm", type=int, default=128)
    parser.add_argument("--ngram", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    return Job(**vars(parser.parse_args()))


def not_installed(name: str) -> SystemExit:
    """Say that a tool is missing; the exception to leave with."""
    print(f"{name} is not installed", file=sys.stderr)
    return SystemExit(NOT_INSTALLED)
