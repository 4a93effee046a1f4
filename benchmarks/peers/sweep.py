"""What the sweeps share: one process tries every setting of a tool on one file.

    python peers/sweep_TOOL.py IN.parquet OUT.parquet [--pairs PAIRS.parquet]

IN has the columns doc_id and text; PAIRS has doc_id_a and doc_id_b. OUT has a row for every setting:
`setting` (as the reader of a table sees it), `clusters` (the cluster of every article, in input
order) and `joined` (whether the tool itself joins each of PAIRS; null without PAIRS). The version of
the tool is in its metadata. A script whose tool is not installed leaves with exit code 3.
"""

from __future__ import annotations

import argparse
from importlib import metadata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from protocol import components, word_shingles

THRESHOLDS = (0.02, 0.03, *(round(0.05 * step, 2) for step in range(1, 20)))
NGRAMS = (1, 2, 3, 4, 5)
NUM_PERM = 128
NO_PAIRS = np.empty((0, 2), np.int64)

Pairs = NDArray[np.int64]


class Sweep:
    """One sweep: the texts, and the answers of the settings tried so far."""

    def __init__(self, description: str | None) -> None:
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("source", type=Path)
        parser.add_argument("target", type=Path)
        parser.add_argument("--pairs", type=Path)
        args = parser.parse_args()
        table = pq.read_table(args.source, columns=["doc_id", "text"])
        self.texts: list[str] = [text or "" for text in table["text"].to_pylist()]
        self._target = args.target
        self._asked = None if args.pairs is None else _asked_keys(args.pairs, table["doc_id"])
        self._settings: list[str] = []
        self._clusters: list[NDArray[np.int64]] = []
        self._joined: list[NDArray[np.bool_] | None] = []

    def shingles(self, ngram: int) -> list[list[str]]:
        """Return the shingles of every article."""
        return [word_shingles(text, ngram) for text in self.texts]

    def add(self, setting: str, pairs: Pairs, *, whole_clusters: bool = False) -> None:
        """Note the pairs that a setting joins, or (`whole_clusters`) that connect what it joins."""
        n = len(self.texts)
        clusters = components(n, pairs)
        joined = None
        if self._asked is not None and whole_clusters:
            joined = clusters[self._asked // n] == clusters[self._asked % n]
        elif self._asked is not None:
            joined = np.isin(self._asked, pairs.min(axis=1) * n + pairs.max(axis=1))
        self._settings.append(setting)
        self._clusters.append(clusters)
        self._joined.append(joined)

    def add_scores(self, prefix: str, pairs: Pairs, scores: NDArray[np.floating]) -> None:
        """Note the pairs at or over each threshold."""
        for threshold in THRESHOLDS:
            self.add(f"{prefix} {threshold:.2f}", pairs[scores >= threshold - 1e-9])

    def write(self, tool: str = "") -> None:
        """Write all answers; `tool` is the package whose version counts."""
        joined = [None if flags is None else flags.tolist() for flags in self._joined]
        table = pa.table(
            {
                "setting": pa.array(self._settings, pa.string()),
                "clusters": pa.array([row.tolist() for row in self._clusters], pa.list_(pa.int32())),
                "joined": pa.array(joined, pa.list_(pa.bool_())),
            }
        )
        about = {"tool": tool, "version": metadata.version(tool) if tool else ""}
        pq.write_table(table.replace_schema_metadata(about), self._target)


def _asked_keys(path: Path, doc_id: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return asked pairs as one number each: the lower place times the number of articles and the other."""
    asked, ids = pq.read_table(path), doc_id.combine_chunks()
    a, b = (
        pc.index_in(asked[name].combine_chunks(), ids).to_numpy().astype(np.int64)
        for name in ("doc_id_a", "doc_id_b")
    )
    return np.minimum(a, b) * len(ids) + np.maximum(a, b)


def estimates(signatures: NDArray[np.uint32]) -> tuple[Pairs, NDArray[np.float64]]:
    """Return all pairs of signatures that agree anywhere near the lowest threshold, and how much."""
    n = len(signatures)
    rows, values = [NO_PAIRS], [np.empty(0)]
    for place in range(n - 1):
        agree = (signatures[place + 1 :] == signatures[place]).mean(axis=1, dtype=np.float64)
        others = np.flatnonzero(agree >= THRESHOLDS[0] - 1e-9)
        rows.append(np.stack([np.full(len(others), place), place + 1 + others], axis=1))
        values.append(agree[others])
    return np.concatenate(rows), np.concatenate(values)
