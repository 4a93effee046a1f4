"""The articles without furniture as the driver sees them: bundles, of which some columns are asked for."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from samestory.engines.bundles import PLACES, places_of
from samestory.engines.job import Job, sent

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


SUMS: Final = ("size", "n_changed", "n_removed_in_all", "n_units_in_all")
"""What bundles tell of their articles in all."""


class Clean:
    """Articles without furniture.

    Parameters
    ----------
    kept : DataFrame
        `samestory.engines.bundles.CLEAN_BUNDLES`, kept.
    job : Job
    """

    def __init__(self, kept: DataFrame, job: Job) -> None:
        self._kept = kept
        self._job = job
        self._places: DataFrame | None = None
        # Asked for more than once, and beside the articles next to nothing: Spark reads those all the same.
        self._heads = job.frames.keep(self._some(*SUMS, "facts"))

    def some(self, *columns: str) -> DataFrame:
        """Return bundles of some columns."""
        return self._some("n", *columns)

    def furniture(self) -> DataFrame:
        """Return what was learnt of the furniture, for `samestory.engines.furnishing.read_furniture`."""
        return self._heads.where("facts is not null").select("facts")

    @functools.cached_property
    def sums(self) -> dict[str, int]:
        """Sums over all articles, by the names of `SUMS`."""
        from pyspark.sql import functions as f

        row = self._heads.agg(*(f.coalesce(f.sum(name), f.lit(0)).alias(name) for name in SUMS)).first()
        return {name: int(row[name]) for name in SUMS} if row is not None else dict.fromkeys(SUMS, 0)

    def assigned(
        self, values: DataFrame, n_values: int, columns: Iterable[str], *, all_bundles: bool = False
    ) -> DataFrame:
        """Bring values to the bundles of their articles.

        Parameters
        ----------
        values : DataFrame
            With `doc`, one row an article.
        n_values : int
        columns : iterable of str
        all_bundles : bool
            Return the bundles too to which nothing is assigned.

        Returns
        -------
        DataFrame
            Bundles of some columns, with `assigned`, as `samestory.engines.bundles.assigned_in` takes it.
        """
        from pyspark.sql import functions as f

        names = [name for name in values.columns if name != "doc"]
        placed = self._where().join(sent(values, n_values), "doc")
        told = placed.groupBy("key").agg(f.collect_list(f.struct("at", *names)).alias("assigned"))
        bundles = self._some("key", "n", *columns)
        return bundles.join(sent(told, n_values), "key", "left" if all_bundles else "inner")

    def _some(self, *columns: str) -> DataFrame:
        return self._job.frames.some(self._kept, list(columns))

    def _where(self) -> DataFrame:
        """Return in which bundle each article is, and where."""
        if self._places is None:
            told = self._job.frames.map(self._some("key", "n", "doc"), places_of, PLACES)
            self._places = self._job.frames.keep(told)
        return self._places
