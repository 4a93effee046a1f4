"""One stage by itself: text to signatures, in this process and on one core.

Every tool starts from the same texts: samestory from an Arrow array, the others from Python strings
that are made before the clock starts. Their shingling counts, as samestory's does. The other tools
work in batches of 1,000 texts, which suits them (fewer live strings).
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from report import number

BATCH_ROWS = 1_000
NUM_PERM = 128
COLUMNS = (
    ("tool", "tool", str),
    ("MB/s", "mb_per_second", number(1)),
    ("docs/s", "docs_per_second", number()),
    ("seconds", "wall_seconds", number(3)),
    ("min", "wall_seconds_min", number(3)),
    ("max", "wall_seconds_max", number(3)),
    ("samestory x", "samestory_times", number(1)),
)

Signer = Callable[[], object]


def _shingle_batches(texts: list[str]) -> Iterator[list[list[str]]]:
    """Yield shingles of batches of texts, as the peers make them."""
    from protocol import word_shingles

    for start in range(0, len(texts), BATCH_ROWS):
        yield [word_shingles(text, 5) for text in texts[start : start + BATCH_ROWS]]


def sign_samestory(texts: pa.Array) -> Signer:
    """samestory.signatures on one thread."""
    import samestory

    config = samestory.Config(threads=1)
    return lambda: samestory.signatures(texts, config)


def sign_rensa(texts: pa.Array) -> Signer:
    """Rensa's matrix of signatures from lists of shingles, its fastest way from strings."""
    from rensa import RMinHash

    strings = texts.to_pylist()
    return lambda: [
        RMinHash.digest_matrix_from_token_sets(shingles, num_perm=NUM_PERM, seed=42)
        for shingles in _shingle_batches(strings)
    ]


def sign_rensa_polars(texts: pa.Array) -> Signer:
    """Rensa over hashes of shingles made by polars and NumPy."""
    import polars as pl
    from rensa_polars import signatures

    frame = pl.DataFrame({"text": pl.from_arrow(texts)})
    return lambda: [
        signatures(frame[start : start + BATCH_ROWS], 5, NUM_PERM)
        for start in range(0, len(frame), BATCH_ROWS)
    ]


def sign_datasketch(texts: pa.Array) -> Signer:
    """MinHash.bulk of datasketch with xxhash."""
    from datasketch import MinHash
    from xxhash import xxh32_intdigest

    strings = texts.to_pylist()

    def sign() -> object:
        return [
            MinHash.bulk(
                ([shingle.encode() for shingle in row] for row in shingles),
                num_perm=NUM_PERM,
                hashfunc=xxh32_intdigest,
            )
            for shingles in _shingle_batches(strings)
        ]

    return sign


SIGNERS = {
    "samestory": sign_samestory,
    "rensa": sign_rensa,
    "rensa_polars": sign_rensa_polars,
    "datasketch": sign_datasketch,
}


def one_core() -> None:
    """Bind this process to one core, before libraries start their threads."""
    os.environ.update({"RAYON_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"})
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def signature_rows(text: pa.ChunkedArray, n_runs: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return MB/s of every tool; the tools take turns."""
    one_core()
    sys.path.insert(0, str(Path(__file__).parent / "peers"))
    column = text.combine_chunks()
    n_bytes = pc.sum(pc.binary_length(column)).as_py()
    signers: dict[str, Signer] = {}
    rows: dict[str, dict[str, Any]] = {name: {"tool": name, "problem": ""} for name in SIGNERS}
    for name, make in SIGNERS.items():
        try:
            signers[name] = make(column)
            make(column.slice(0, 200))()  # compile and warm up
        except (ImportError, AttributeError) as error:
            signers.pop(name, None)
            rows[name]["problem"] = f"not available: {error}"
    times: dict[str, list[float]] = {name: [] for name in signers}
    for _ in range(n_runs):
        for name, sign in signers.items():
            started = time.perf_counter()
            sign()
            times[name].append(time.perf_counter() - started)
            say(f"{name}: {times[name][-1]:.2f} s")
    for name, walls in times.items():
        wall = statistics.median(walls)
        rows[name] |= {
            "wall_seconds": wall,
            "wall_seconds_min": min(walls),
            "wall_seconds_max": max(walls),
            "docs_per_second": len(column) / wall,
            "mb_per_second": n_bytes / wall / 1e6,
        }
    own = rows["samestory"].get("wall_seconds")
    for name in times:
        rows[name]["samestory_times"] = rows[name]["wall_seconds"] / own if own else None
    return list(rows.values())
