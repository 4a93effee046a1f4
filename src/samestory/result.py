"""What a run gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import pyarrow as pa

from samestory.progress import Observer, ignore_progress
from samestory.write import write_result


@dataclass(frozen=True)
class Result:
    """Clusters, verified pairs, and the facts of the run.

    Attributes
    ----------
    clusters : pyarrow.Table
        One row for each article, in input order: `samestory.schema.CLUSTERS`.
    pairs : pyarrow.Table
        One row for each verified pair: `samestory.schema.PAIRS`.
    stats : dict
        As `run.json` has it.
    rejects : list
        Rows set aside, with ``on_error="skip"``.
    furniture : pyarrow.Table, optional
        Blocks of words that were taken out since sites repeat them: `samestory.furniture.BLOCKS`.
    stories : pyarrow.Table, optional
        With ``level="story"``, one row for each story of two clusters or more:
        `samestory.schema.STORIES`.
    """

    clusters: pa.Table
    pairs: pa.Table
    stats: dict[str, Any]
    rejects: list[Any] = field(default_factory=list)
    furniture: pa.Table | None = None
    stories: pa.Table | None = None

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
            self.clusters,
            self.pairs,
            self.stats,
            self.rejects,
            self.furniture,
            self.stories,
            overwrite=overwrite,
            observer=observer,
        )
