"""What a run gives back."""

from __future__ import annotations

import copy
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory import schema
from samestory.pieces import Pieces
from samestory.progress import Observer, ignore_progress
from samestory.runfiles import (
    CLUSTERS_FILE,
    FURNITURE_FILE,
    PAIRS_FILE,
    REJECTS_FILE,
    RUN_FILE,
    STORIES_FILE,
)
from samestory.write import write_result


class Result:
    """Clusters, verified pairs, and the facts of the run.

    Parameters
    ----------
    clusters, pairs : pyarrow.Table or Pieces
        Pieces are made to a table when it is asked for; `write` needs none.
    stats : dict
    rejects : list, optional
    furniture : pyarrow.Table, optional
    stories : pyarrow.Table or Pieces, optional
    kept : bool array, optional
        By default as `clusters` tells.

    Attributes
    ----------
    stats : dict
        As `run.json` has it.
    rejects : list
        Rows set aside, with ``on_error="skip"``.
    furniture : pyarrow.Table, optional
        Blocks of words that were taken out since sites repeat them: `samestory.furniture.BLOCKS`.
    """

    def __init__(
        self,
        clusters: pa.Table | Pieces,
        pairs: pa.Table | Pieces,
        stats: dict[str, Any],
        rejects: list[Any] | None = None,
        furniture: pa.Table | None = None,
        stories: pa.Table | Pieces | None = None,
        *,
        kept: NDArray[np.bool_] | None = None,
    ) -> None:
        self._clusters = _in_pieces(clusters)
        self._pairs = _in_pieces(pairs)
        self._stories = None if stories is None else _in_pieces(stories)
        self._kept = kept
        self.stats = stats
        self.rejects = [] if rejects is None else rejects
        self.furniture = furniture

    @cached_property
    def clusters(self) -> pa.Table:
        """One row for each article, in input order: `samestory.schema.CLUSTERS`."""
        table = self._clusters.table()
        self._clusters = Pieces.of(table)
        return table

    @cached_property
    def pairs(self) -> pa.Table:
        """One row for each verified pair: `samestory.schema.PAIRS`."""
        table = self._pairs.table()
        self._pairs = Pieces.of(table)
        return table

    @cached_property
    def stories(self) -> pa.Table | None:
        """One row for each story of two clusters or more, with ``level="story"``: see `schema.STORIES`."""
        if self._stories is None:
            return None
        table = self._stories.table()
        self._stories = Pieces.of(table)
        return table

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether each article is alone or represents its cluster."""
        if self._kept is not None:
            return self._kept
        kept = pa.array([schema.UNIQUE, schema.REPRESENTATIVE])
        return np.asarray(pc.is_in(self.clusters["relation"], kept), dtype=np.bool_)

    @property
    def files(self) -> list[str]:
        """Names of the files that `write` makes, in the order in which they are told."""
        is_there = {
            CLUSTERS_FILE: True,
            PAIRS_FILE: True,
            FURNITURE_FILE: self.furniture is not None and len(self.furniture) > 0,
            STORIES_FILE: self._stories is not None,
            REJECTS_FILE: self.stats["config"]["on_error"] == "skip",
            RUN_FILE: True,
        }
        return [name for name, there in is_there.items() if there]

    def with_furniture(self, furniture: pa.Table | None) -> Result:
        """Return the same with other furniture."""
        other = copy.copy(self)
        other.furniture = furniture
        return other

    def write(
        self,
        folder: str | PathLike[str],
        *,
        overwrite: bool = False,
        observer: Observer = ignore_progress,
    ) -> None:
        """Write clusters.parquet, pairs.parquet and run.json, whole or not at all.

        Parameters
        ----------
        folder : path
            Made if it does not exist.
        overwrite : bool, default False
            Replace a result that is there already.
        observer : callable, optional
            Told of the rows that are written.

        Raises
        ------
        OutputError
            The folder is not empty, or cannot be written.
        """
        write_result(
            folder,
            self._clusters,
            self._pairs,
            self.stats,
            self.rejects,
            self.furniture,
            self._stories,
            overwrite=overwrite,
            observer=observer,
        )


def _in_pieces(table: pa.Table | Pieces) -> Pieces:
    return table if isinstance(table, Pieces) else Pieces.of(table)
