"""Chains, stars and crowds of equal articles: right, and about as fast as ordinary articles."""

from __future__ import annotations

import time
from typing import Any

import pytest
from made_corpus import assert_same, chain, table

import samestory
import samestory.spark
from newsroom import Newsroom, news

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning"),
]
N = 20_000


def ordinary() -> Any:
    room = Newsroom(11)
    words = room.words(60 * N)
    return table([news(f"o{k:06}", " ".join(words[60 * k : 60 * k + 60])) for k in range(N)])


def equal() -> Any:
    text = Newsroom(12).story(60)
    return table([news(f"e{k:06}", text) for k in range(N)])


def star() -> Any:
    words = Newsroom(13).words(60 + N)
    return table(
        [news(f"s{k:06}", " ".join([*words[:58], words[60 + k], words[59]]) if k else " ".join(words[:60]))
         for k in range(N)]
    )  # fmt: skip


def timed(spark: Any, data: Any) -> float:
    frame = spark.createDataFrame(data).persist()
    frame.count()
    begin = time.perf_counter()
    clusters, pairs = samestory.spark.cluster(frame, partitions=4)
    seconds = time.perf_counter() - begin
    assert_same(samestory.cluster(data), clusters.toArrow(), pairs.toArrow())
    for one in (clusters, pairs, frame):
        one.unpersist()
    return seconds


def test_skewed_articles_take_no_longer_than_thrice_the_time_of_others(spark: Any) -> None:
    timed(spark, chain(50))  # what is loaded at first
    usual = timed(spark, ordinary())
    taken = {made.__name__: timed(spark, made()) for made in (equal, star)} | {
        "chain": timed(spark, chain(N))
    }
    assert max(taken.values()) <= 3 * usual, (usual, taken)
