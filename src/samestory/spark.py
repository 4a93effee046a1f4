"""samestory on Apache Spark: DataFrames in, DataFrames out, the same answer as on one machine.

>>> import samestory.spark
>>> clusters, pairs = samestory.spark.cluster(df, samestory.Config(threshold=0.7))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samestory.config import Config
from samestory.engines.session import check_installed
from samestory.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["cluster"]


def cluster(
    df: DataFrame,
    config: Config | None = None,
    *,
    order_by: str | None = None,
    partitions: int | None = None,
) -> tuple[DataFrame, DataFrame]:
    """Cluster articles that are copies of one another, on Spark.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        The articles; columns are found by name (see `Config`). Input order is the DataFrame's own.
    config : Config, optional
    order_by : str, optional
        Column that gives the input order, of a DataFrame that a shuffle has brought out of it.
    partitions : int, optional
        Of every exchange; by default as many as the size of the text asks for.

    Returns
    -------
    clusters, pairs : pyspark.sql.DataFrame
        Of the columns of `samestory.schema.CLUSTERS` and `PAIRS`, in order, kept until ``unpersist``.

    Raises
    ------
    InputError, SchemaError
        The columns cannot be used, a row is broken, or an id occurs twice.
    """
    check_installed()
    config = Config() if config is None else config
    if not isinstance(config, Config):
        raise ConfigError(
            f"config is of type {type(config).__name__}", hint="pass samestory.Config(threshold=0.7)"
        )
    from samestory.engines.tables import cluster_frame

    return cluster_frame(df, config, order_by=order_by, partitions=partitions)


def __dir__() -> list[str]:
    return __all__
