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
    )
}


def chosen_tools(names: str) -> list[Tool]:
    """Return samestory and the peers of a comma-separated list (`all` and `none` are words)."""
    peers = [name for name in TOOLS if name != "samestory"]
    wanted = {"all": peers, "none": []}.get(
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
