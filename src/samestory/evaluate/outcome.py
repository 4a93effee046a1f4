"""What a run found, from its folder or its result: clusters as numbers, pairs as rows of articles."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory.config import LEVELS
from samestory.errors import ConfigError, InputError
from samestory.evaluate.names import SCORES
from samestory.runfiles import (
    AGAIN_HINT,
    CLUSTERS_FILE,
    PAIRS_FILE,
    RUN_FILE,
    fingerprint_of,
    read_run_table,
    run_folder,
)
from samestory.schema import CLUSTERS, PAIRS

_ID_COLUMNS: Final = {"duplicate": "cluster_id", "story": "story_id"}
_MOST_NAMED: Final = 3


class HasTables(Protocol):
    """What `samestory.Result` has."""

    @property
    def clusters(self) -> Any:
        """Table of `samestory.schema.CLUSTERS`."""

    @property
    def pairs(self) -> Any:
        """Table of `samestory.schema.PAIRS`."""

    @property
    def stats(self) -> dict[str, Any]:
        """What run.json has."""


@dataclass(frozen=True)
class ScoredPairs:
    """The rows of pairs.parquet that have a score.

    Parameters
    ----------
    a, b : ndarray of int64
        Row in clusters.parquet of each pair's articles.
    scores, backward : ndarray of float32
        The score of the pair, and that of the pair read from b to a.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    scores: NDArray[np.float32]
    backward: NDArray[np.float32]


@dataclass(frozen=True)
class Outcome:
    """A run's clusters and pairs; a folder's are read when they are asked for.

    Parameters
    ----------
    where : str
        Name for messages.
    stats : dict
        What run.json has, empty if it is not there.
    """

    where: str
    stats: dict[str, Any]
    _source: Path | HasTables = field(repr=False)
    _columns: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)
    _fingerprints: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, run: str | PathLike[str] | HasTables | Outcome) -> Outcome:
        """Return the outcome of a run.

        Parameters
        ----------
        run : path, samestory.Result or Outcome
            The folder that `samestory cluster` wrote, or what `samestory.cluster` returned.

        Raises
        ------
        InputError
            The folder is missing or holds no result.
        """
        if isinstance(run, Outcome):
            return run
        if not isinstance(run, (str, PathLike)):
            return cls("the result", run.stats, run)
        folder = run_folder(run)
        return cls(fspath(run), _read_stats(folder / RUN_FILE), folder)

    def number(self, *keys: str) -> float | None:
        """Return a number of run.json by the keys that lead to it, None if it is not there."""
        value: Any = self.stats
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return float(value) if isinstance(value, (int, float)) else None

    def doc_ids(self) -> pa.ChunkedArray:
        """Ids of the articles, in the order of clusters.parquet."""
        return self._table(CLUSTERS_FILE, CLUSTERS, ["doc_id"])["doc_id"]

    def clusters(self, level: str = "duplicate") -> NDArray[np.int64]:
        """Return the cluster (or story) of each article, as numbers from 0.

        Raises
        ------
        ConfigError
            There is no such level.
        InputError
            The run looked for no stories.
        """
        if level not in LEVELS:
            raise ConfigError(f"level is {level!r}", hint=f"one of {', '.join(LEVELS)}")
        name = _ID_COLUMNS[level]
        values = self._table(CLUSTERS_FILE, CLUSTERS, ["doc_id", name])[name]
        if values.null_count:
            raise InputError(
                f"{self.where}: {name} is null, the run looked for copies only",
                hint="judge its clusters with --level duplicate",
            )
        codes = pc.index_in(values, value_set=pc.unique(values))
        return np.asarray(codes.to_numpy(), dtype=np.int64)

    def rows_of(self, ids: Any) -> NDArray[np.int64]:
        """Row in clusters.parquet of each id, -1 for those that are not there."""
        found = pc.fill_null(pc.index_in(ids, value_set=self.doc_ids()), -1)
        return np.asarray(found.to_numpy(), dtype=np.int64)

    def pairs(self, score: str = "jaccard") -> ScoredPairs:
        """Return the verified pairs by a score; those that lack it are left out.

        Parameters
        ----------
        score : str
            One of `samestory.evaluate.names.SCORES`.

        Raises
        ------
        ConfigError
            There is no such score.
        InputError
            No pair has the score, or the pairs are not of these clusters.
        """
        if score not in SCORES:
            raise ConfigError(f"score is {score!r}", hint=f"one of {', '.join(SCORES)}")
        forward, backward = _columns_of(score)
        table = self._table(PAIRS_FILE, PAIRS, ["doc_id_a", "doc_id_b", *dict.fromkeys(forward + backward)])
        scores, reverse = (_largest(table, names) for names in (forward, backward))
        known = ~np.isnan(scores)
        if table.num_rows and not known.any():
            raise InputError(
                f"{self.where}: {score} is null for every pair, the run did not score it",
                hint="sweep over another score with --score",
            )
        a, b = (self.rows_of(table[name])[known] for name in ("doc_id_a", "doc_id_b"))
        if (a < 0).any() or (b < 0).any():
            raise InputError(
                f"{self.where}: {PAIRS_FILE} has articles that {CLUSTERS_FILE} has not",
                hint="the files are of different runs; cluster again with --overwrite",
            )
        return ScoredPairs(a, b, scores[known], reverse[known])

    def _table(self, file: str, schema: pa.Schema, names: list[str]) -> pa.Table:
        """Columns of one of the run's tables, of the types that they have by its schema."""
        if not isinstance(self._source, Path):
            table = self._source.clusters if file == CLUSTERS_FILE else self._source.pairs
            return table.select(names)
        missing = [name for name in names if (file, name) not in self._columns]
        if missing:
            fetched = read_run_table(self._source / file, schema, missing, self.where)
            self._check_fingerprint(file, fingerprint_of(fetched.schema))
            for name in missing:
                self._columns[file, name] = fetched[name]
        return pa.table([self._columns[file, name] for name in names], names=names)

    def _check_fingerprint(self, file: str, fingerprint: str) -> None:
        """Raise if files of one folder were made with different settings."""
        self._fingerprints[file] = fingerprint
        if len(set(self._fingerprints.values())) > 1:
            raise InputError(
                f"{self.where}: {file} is of a run with other settings than the file beside it",
                hint=AGAIN_HINT,
            )


def _read_stats(path: Path) -> dict[str, Any]:
    """Read run.json; it only adds to what is said, so that a missing or strange one is no error."""
    try:
        stats = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return stats if isinstance(stats, dict) else {}


def _columns_of(score: str) -> tuple[list[str], list[str]]:
    """Columns whose largest is a pair's score, and for the pair read the other way round."""
    if score == "containment":
        both = ["containment_a_in_b", "containment_b_in_a"]
        return both, both
    turned = {"containment_a_in_b": "containment_b_in_a", "containment_b_in_a": "containment_a_in_b"}
    return [score], [turned.get(score, score)]


def _largest(table: pa.Table, names: list[str]) -> NDArray[np.float32]:
    """The largest of some columns in each row; NaN where it is null."""
    columns = [np.asarray(table[name].to_numpy(), dtype=np.float32) for name in names]
    return np.asarray(np.maximum.reduce(columns), dtype=np.float32)
