"""The peers: each tries all its settings on a set in a process of its own (peers/sweep_*.py)."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from judging.answers import Answer

PEERS = Path(__file__).parents[1] / "peers"
NAMES = ("exact", "datasketch", "rensa", "text_dedup", "simhash")


@dataclass
class Sweeps:
    """The peers that take part, the interpreter they run in, and where their answers are kept.

    An answer is kept under a name made from the bytes of everything it comes from, so that it is
    used again only where nothing has changed.
    """

    python: str
    folder: Path
    names: tuple[str, ...]
    processes: int = 2
    seconds: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def answers(self, source: Path, pairs: Path | None) -> dict[str, list[Answer]]:
        """Return the answers of every peer to a set; a peer that does not run has none."""
        with ThreadPoolExecutor(self.processes) as pool:
            files = list(pool.map(lambda name: self._answer_file(name, source, pairs), self.names))
        return {
            name: [] if file is None else list(self._read(file))
            for name, file in zip(self.names, files, strict=True)
        }

    def _answer_file(self, name: str, source: Path, pairs: Path | None) -> Path | None:
        """Run one sweep, unless its answer is there already."""
        script = PEERS / f"sweep_{name}.py"
        inputs = [source, script, PEERS / "sweep.py", PEERS / "protocol.py", *([pairs] if pairs else [])]
        digest = hashlib.sha256(self.python.encode())
        for file in inputs:
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        target = self.folder / f"{name}-{digest.hexdigest()[:20]}.parquet"
        if target.exists():
            return target
        part = target.with_suffix(".part")
        command = [self.python, str(script), str(source), str(part)]
        started = time.perf_counter()
        done = subprocess.run(
            command + (["--pairs", str(pairs)] if pairs else []), capture_output=True, text=True, check=False
        )
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            if self.problems.setdefault(name, reason) is reason:
                print(f"{name}: {reason}", file=sys.stderr, flush=True)
            return None
        part.replace(target)
        return target

    def _read(self, file: Path) -> Iterator[Answer]:
        """Yield the answers of a file and note the version of the tool."""
        table = pq.read_table(file)
        about = table.schema.metadata or {}
        if about.get(b"tool"):
            self.versions[about[b"tool"].decode()] = about[b"version"].decode()
        for row in range(table.num_rows):
            joined = table["joined"][row]
            yield Answer(
                table["setting"][row].as_py(),
                table["clusters"][row].values.to_numpy().astype(np.int64),
                joined.values.to_numpy(zero_copy_only=False) if joined.is_valid else None,
            )
