"""samestory through its command line, and its answers: clusters, and printed scores cut at a threshold."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from judging.answers import Answer, Asked, Ints, numbers, places

SCORES = ("jaccard", "containment_a_in_b", "containment_b_in_a")
CUTS = np.round(np.arange(0.05, 1.0, 0.01), 2)


@dataclass(frozen=True)
class Result:
    """What one run wrote."""

    clusters: pa.Table
    pairs: pa.Table


@dataclass(frozen=True)
class Samestory:
    """The command line of samestory, as the words it begins with."""

    command: tuple[str, ...]

    @cached_property
    def usage(self) -> str:
        """The help of `cluster`."""
        return self._output("cluster", "--help")

    @cached_property
    def version(self) -> str:
        """The version it gives."""
        return self._output("--version").split()[-1]

    def _output(self, *arguments: str) -> str:
        done = subprocess.run([*self.command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"samestory does not start:\n{done.stderr}")
        return done.stdout

    def knows(self, options: tuple[str, ...]) -> bool:
        """Return whether the help names all the options among some arguments."""
        names = [word for word in options if word.startswith("--")]
        return all(re.search(rf"(?<!\S){re.escape(name)}(?![\w-])", self.usage) for name in names)

    def run(self, file: Path, options: tuple[str, ...] = ()) -> Result | None:
        """Cluster a file; None where an option is unknown or the run fails, which is told on stderr."""
        if not self.knows(options):
            return None
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "out")
            arguments = [*self.command, "cluster", str(file), "-o", str(out), "-q", *options]
            done = subprocess.run(arguments, capture_output=True, text=True, check=False)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
                given = " ".join(options)
                print(f"samestory {given} failed on {file.name}: {reason}", file=sys.stderr, flush=True)
                return None
            return Result(pq.read_table(out / "clusters.parquet"), pq.read_table(out / "pairs.parquet"))


def own_answer(result: Result, ids: pa.ChunkedArray) -> Answer:
    """Return the clusters of a run."""
    clusters = np.empty(len(ids), np.int64)
    clusters[places(ids, result.clusters["doc_id"])] = numbers(result.clusters["cluster_id"])
    return Answer("", clusters, None)


def scored_answers(result: Result, ids: pa.ChunkedArray, asked: Asked | None) -> Iterator[Answer]:
    """Yield the answers of every printed score at every threshold.

    For labelled pairs a pair that is not printed has the score 0, the direction of a containment is
    that of the labels, and every value that occurs is a threshold. For clusters, pairs at or over
    the threshold are connected; a containment is the greater of the two.
    """
    a, b = places(ids, result.pairs["doc_id_a"]), places(ids, result.pairs["doc_id_b"])
    scores = {name: result.pairs[name].to_numpy().astype(np.float64) for name in SCORES}
    if asked is None:
        yield from _connected(len(ids), a, b, scores)
        return
    of_asked = asked_scores(len(ids), a, b, scores, asked)
    nothing = np.empty(0, np.int64)
    for name, values in of_asked.items():
        for threshold in np.unique(values[values > 0]):
            yield Answer(f"{name} {threshold:.3f}", nothing, values >= threshold)


def asked_scores(n: int, a: Ints, b: Ints, scores: dict[str, Any], asked: Asked) -> dict[str, Any]:
    """Return the printed scores of labelled pairs, in the direction of the labels."""
    printed = {key: place for place, key in enumerate((a * n + b).tolist())}
    forward = np.array([printed.get(key, -1) for key in (asked.a * n + asked.b).tolist()])
    backward = np.array([printed.get(key, -1) for key in (asked.b * n + asked.a).tolist()])
    swapped = dict(zip(SCORES, (SCORES[0], SCORES[2], SCORES[1]), strict=True))
    found = {}
    for name, other in swapped.items():
        padded, turned = np.append(scores[name], 0.0), np.append(scores[other], 0.0)
        found[name] = np.maximum(padded[forward], turned[backward])
    return found


def _connected(n: int, a: Ints, b: Ints, scores: dict[str, Any]) -> Iterator[Answer]:
    """Yield the connected components of pairs at or over each threshold."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    either = {"jaccard": scores[SCORES[0]], "containment": np.maximum(scores[SCORES[1]], scores[SCORES[2]])}
    for name, values in either.items():
        lowest = values.min(initial=1.0) - 0.01  # thresholds further below what is printed change nothing
        for threshold in CUTS[lowest < CUTS]:
            kept = values >= np.float32(threshold)
            graph = coo_matrix((np.ones(int(kept.sum()), np.int8), (a[kept], b[kept])), shape=(n, n))
            labels = connected_components(graph, directed=False)[1].astype(np.int64)
            yield Answer(f"{name} {threshold:.2f}", labels, None)
