"""The tools that are compared, and how each is run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One tool: its script under peers/, and what of its way the reader of a table must know."""

    name: str
    script: str
    note: str
    on_spark: bool = False


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(name="samestory", script="samestory_cli.py", note="every pair verified, exact Jaccard"),
        Tool(
            name="samestory_default",
            script="samestory_default.py",
            note="furniture and partial copies too, runs of three words; every pair verified",
        ),
        Tool(
            name="daft",
            script="daft_minhash.py",
            note="minhash expression, xxhash, NumPy banding; not verified",
        ),
        Tool(name="daft_normalize", script="daft_normalize.py", note="the same with Daft's own normalize"),
        Tool(name="rensa_polars", script="rensa_polars.py", note="over hashes by polars; not verified"),
        Tool(
            name="rensa",
            script="rensa_documented.py",
            note="from_token_sets, insert_many, query_all; not verified",
        ),
        Tool(
            name="gaoya", script="gaoya_index.py", note="parallel bulk insert and query; verified by estimate"
        ),
        Tool(
            name="datasketch",
            script="datasketch_bulk.py",
            note="generator with xxhash, MinHashLSH; not verified",
        ),
        Tool(
            name="datasketch_mp",
            script="datasketch_mp.py",
            note="a process a core, NumPy banding; not verified",
        ),
        Tool(
            name="samestory_spark",
            script="samestory_spark.py",
            note="--engine spark; every pair verified, exact Jaccard",
            on_spark=True,
        ),
        Tool(
            name="spark_mllib",
            script="spark_mllib.py",
            note="HashingTF, MinHashLSH, approxSimilarityJoin; verified over hashed shingles",
            on_spark=True,
        ),
        Tool(
            name="spark_text_dedup",
            script="spark_text_dedup.py",
            note="the way of text-dedup, written anew: an RDD of signatures, stars; not verified",
            on_spark=True,
        ),
    )
}


def chosen_tools(names: str) -> list[Tool]:
    """Return samestory and the peers of a comma-separated list.

    `all` (but those on Spark), `spark` and `none` are words.
    """
    peers = [name for name in TOOLS if name != "samestory"]
    on_spark = [name for name in peers if TOOLS[name].on_spark]
    alone = [name for name in peers if not TOOLS[name].on_spark]
    wanted = {"all": alone, "spark": on_spark, "none": []}.get(
        names, [name.strip() for name in names.split(",") if name.strip()]
    )
    unknown = sorted(set(wanted) - set(TOOLS))
    if unknown:
        raise ValueError(f"unknown peers {', '.join(unknown)}; there are {', '.join(peers)}")
    return [TOOLS["samestory"], *(TOOLS[name] for name in wanted if name != "samestory")]


def command(tool: Tool, source: Path, target: Path, threshold: float, threads: int) -> list[str]:
    """Return the command line of one run."""
    return [
        sys.executable, str(PEERS / tool.script), str(source), str(target),
        "--threshold", str(threshold), "--num-perm", "128", "--ngram", "5", "--threads", str(threads),
    ]  # fmt: skip


def answer_file(target: Path) -> Path:
    """Return the clusters that a run has written."""
    return target / "clusters.parquet" if target.is_dir() else target
