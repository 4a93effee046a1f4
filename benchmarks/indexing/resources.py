"""What a process and a folder take: memory with and without the mapped file, disk, and times of calls."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

LAST_SHARE = 0.05
FSYNCS = 50
_BLOCK = 512  # bytes that st_blocks counts in, whatever the file system's own blocks are


def memory() -> dict[str, int]:
    """Return the bytes of this process in memory: `resident`, and `anonymous`, which no file backs.

    Pages of a mapped file are resident while they are used, but the system takes them back when it needs
    room; the anonymous ones are what the process itself holds. Linux only.
    """
    found = {}
    with open("/proc/self/smaps_rollup", encoding="ascii") as lines:
        next(lines)  # the range of addresses
        for line in lines:
            name, _, value = line.partition(":")
            found[name] = 1024 * int(value.split()[0])
    return {"resident": found["Rss"], "anonymous": found["Anonymous"]}


def disk_bytes(folder: Path) -> int:
    """Return the bytes that the files of a folder occupy; holes in them take none."""
    return sum(_BLOCK * path.stat().st_blocks for path in folder.rglob("*") if path.is_file())


def times(seconds: Sequence[float]) -> dict[str, float]:
    """Return median, 99th percentile and maximum of the times of calls, in milliseconds."""
    p50, p99 = np.quantile(seconds, [0.5, 0.99], method="higher")
    shown = {"p50_ms": p50, "p99_ms": p99, "max_ms": max(seconds)}
    return {name: round(1000.0 * float(value), 3) for name, value in shown.items()}


def rates(sizes: Sequence[int], seconds: Sequence[float]) -> dict[str, float]:
    """Return articles a second over all batches and over the last 5 % of them (at least one)."""
    n_last = max(1, round(LAST_SHARE * len(sizes)))
    return {
        "docs_per_second": round(sum(sizes) / sum(seconds), 1),
        "last_docs_per_second": round(sum(sizes[-n_last:]) / sum(seconds[-n_last:]), 1),
    }


def fsync_times(folder: Path) -> dict[str, float]:
    """Return how long it takes there to write 4 KiB and wait for the disk: no durable call is faster."""
    path, seconds = folder / "fsync", []
    with path.open("wb") as file:
        for _ in range(FSYNCS):
            begin = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - begin)
    path.unlink()
    return times(seconds)


def per_article(n_bytes: float, n_articles: int) -> Any:
    """Return bytes an article, rounded."""
    return round(n_bytes / max(1, n_articles), 1)
