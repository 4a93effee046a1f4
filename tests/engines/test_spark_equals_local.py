"""The Spark engine gives what the local engine gives, whatever the number of partitions."""

from __future__ import annotations

import gc
from functools import partial
from typing import Any

import numpy as np
import pytest
from made_corpus import articles, assert_same, chain, crowd, table

import samestory
import samestory.spark
from samestory.engines import tables
from samestory.engines.frames import Frames
from samestory.engines.job import Job
from samestory.engines.reading import read_partition
from samestory.errors import ConfigError, InputError, SchemaError

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")


def on_spark(
    spark: Any, data: Any, config: samestory.Config, partitions: int, **given: Any
) -> tuple[Any, Any]:
    frame = spark.createDataFrame(data)
    clusters, pairs = samestory.spark.cluster(frame, config, partitions=partitions, **given)
    try:
        return clusters.toArrow(), pairs.toArrow()
    finally:
        clusters.unpersist()
        pairs.unpersist()


@pytest.mark.parametrize(
    "partitions", [pytest.param(1, marks=pytest.mark.slow), 2, pytest.param(16, marks=pytest.mark.slow)]
)
def test_it_is_the_same_for_any_number_of_partitions(
    spark: Any, partitions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_read = spark.sparkContext.accumulator(0)

    def counted(batches: Any, **given: Any) -> Any:
        n_read.add(1)
        return read_partition(batches, **given)

    monkeypatch.setattr(tables, "read_partition", counted)
    data = table(articles())
    local = samestory.cluster(data)
    counts = local.stats["counts"]
    assert {"many pages", "few pages"} == set(local.furniture["basis"].to_pylist())  # or nothing is proven
    assert counts["relations"]["partial"]
    assert counts["relations"]["near"]
    assert counts["round_ups"]
    assert_same(local, *on_spark(spark, data, samestory.Config(), partitions))
    assert n_read.value == spark.createDataFrame(data).rdd.getNumPartitions(), "articles were read twice"


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"boilerplate": False}, marks=pytest.mark.slow),
        pytest.param({"partial": False, "representative": "longest"}, marks=pytest.mark.slow),
        pytest.param({"shingle": "char:9", "founder_overlap": 0.4}, marks=pytest.mark.slow),
    ],
)
def test_it_is_the_same_with_other_settings(spark: Any, settings: dict[str, Any]) -> None:
    data, config = table(articles(2)), samestory.Config(**settings)
    assert_same(samestory.cluster(data, config), *on_spark(spark, data, config, 3))


@pytest.mark.slow
def test_a_crowd_of_edits_is_the_same(spark: Any) -> None:
    data = crowd()
    local = samestory.cluster(data)
    assert local.stats["counts"]["largest_cluster"] > 100
    assert_same(local, *on_spark(spark, data, samestory.Config(), 3))


@pytest.mark.slow
@pytest.mark.parametrize("in_one_task", [0, 1000])
def test_a_chain_is_one_component_however_it_is_found(
    spark: Any, in_one_task: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samestory.engines.tables.Job", partial(Job, in_one_task=in_one_task))
    data = chain(40)
    local = samestory.cluster(data)
    assert local.stats["counts"]["largest_cluster"] == 40
    assert_same(local, *on_spark(spark, data, samestory.Config(), 2))


@pytest.mark.slow
def test_an_order_that_was_lost_is_given_by_a_column(spark: Any) -> None:
    data = table(articles(3, 12))
    local = samestory.cluster(data)
    shuffled = data.take(np.random.default_rng(1).permutation(len(data)))
    assert_same(local, *on_spark(spark, shuffled, samestory.Config(), 2, order_by="doc_id"))


@pytest.mark.slow
def test_ids_are_made_of_places_where_there_are_none(spark: Any) -> None:
    data = table(articles(4, 8)).drop_columns(["doc_id"])
    assert_same(samestory.cluster(data), *on_spark(spark, data, samestory.Config(), 2))


def test_no_articles_make_empty_tables(spark: Any) -> None:
    from pyspark.sql.pandas.types import from_arrow_schema

    frame = spark.createDataFrame([], from_arrow_schema(table([]).schema))
    clusters, pairs = samestory.spark.cluster(frame)
    assert clusters.count() == pairs.count() == 0


def test_ids_that_occur_twice_are_named(spark: Any) -> None:
    rows = articles(5, 6)
    rows[4]["doc_id"] = rows[1]["doc_id"]
    with pytest.raises(InputError, match=r"duplicate ids: 'a0001' at table:2, table:5"):
        on_spark(spark, table(rows), samestory.Config(), 2)


def test_a_broken_row_is_named(spark: Any) -> None:
    rows = articles(5, 6)
    rows[4]["doc_id"] = ""
    with pytest.raises(InputError, match=r"table:5: the id \(column 'doc_id'\) is empty"):
        on_spark(spark, table(rows), samestory.Config(), 2)


def test_what_it_cannot_do_is_said(spark: Any) -> None:
    data = table(articles(5, 3))
    with pytest.raises(ConfigError, match="sets no broken rows aside"):
        on_spark(spark, data, samestory.Config(on_error="skip"), 1)
    with pytest.raises(ConfigError, match="partitions"):
        on_spark(spark, data, samestory.Config(), 0)
    with pytest.raises(SchemaError, match="no column 'nowhere'"):
        on_spark(spark, data, samestory.Config(text_column="nowhere"), 1)


@pytest.mark.slow
def test_job_after_job_leaves_no_plans_in_the_session(spark: Any) -> None:
    from py4j.java_gateway import JavaObject

    data = table(articles(6, 3))
    n_held = []
    gc.collect()
    gc.disable()  # as it seldom comes to that by itself
    try:
        for _ in range(3):
            on_spark(spark, data, samestory.Config(), 1)
            n_held.append(sum(isinstance(one, JavaObject) for one in gc.get_objects()))
    finally:
        gc.enable()
    assert n_held[2] <= n_held[0] * 1.1 + 20, n_held


@pytest.mark.slow
def test_where_spark_cannot_leave_rows_where_they_are_it_is_the_same(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_given: Any) -> Any:
        raise AttributeError("another Spark")

    monkeypatch.setattr(Frames, "_planned_rows", lacking)
    data = table(articles(9, 20))
    assert_same(samestory.cluster(data), *on_spark(spark, data, samestory.Config(), 3))
