"""Stories on Spark: all tables are those of the local engine, whatever the number of partitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("pyspark")

import samestory
import samestory.spark
from samestory import Config
from samestory.engines.folder import cluster_to_folder
from samestory.progress import ignore_progress
from storyteller import Storyteller
from tabled import to_table

TABLES = ("clusters", "pairs", "stories")


def corpus(dates: str) -> pa.Table:
    """Reports of events, copies and excerpts of some of them, and articles without a word."""
    teller = Storyteller(23)
    found = teller.articles([8, 6, 5, 4, 3, 3, 2, 2, *([1] * 16)], dated=dates != "undated", days=1)
    if dates == "mixed":
        for row in found[::3]:
            row["published_at"] = None
    found += [{**row, "doc_id": f"copy of {row['doc_id']}"} for row in found[:7]]
    found += [excerpt(row) for row in found[2:16:2]]
    found += [{"doc_id": f"empty{k}", "text": " ", "title": None, "published_at": None} for k in range(2)]
    teller.rng.shuffle(found)
    return to_table(found)


def excerpt(row: dict[str, Any]) -> dict[str, Any]:
    """The first six tenths of an article."""
    words = row["text"].split()
    return {**row, "doc_id": f"excerpt of {row['doc_id']}", "text": " ".join(words[: len(words) * 6 // 10])}


def firsts_of(pairs: pa.Table, relation: str) -> set[str]:
    """The first articles of the pairs of a relation."""
    own = zip(pairs["doc_id_a"].to_pylist(), pairs["relation"].to_pylist(), strict=True)
    return {doc_id for doc_id, one in own if one == relation}


@pytest.mark.parametrize(
    ("dates", "partitions"),
    [
        pytest.param("dated", 1, marks=pytest.mark.slow),
        pytest.param("undated", 16, marks=pytest.mark.slow),
        ("mixed", 2),
    ],
)
def test_the_tables_are_those_of_the_local_engine(
    spark: Any, tmp_path: Path, dates: str, partitions: int
) -> None:
    config = Config(level="story", threads=2, memory="512MB")
    articles = tmp_path / "articles.parquet"
    pq.write_table(corpus(dates), articles)
    expected = samestory.cluster(str(articles), config)
    assert len(expected.stories) >= 6
    assert len(firsts_of(expected.pairs, "story") & firsts_of(expected.pairs, "partial")) >= 1
    cluster_to_folder(
        [str(articles)],
        config,
        str(tmp_path / "run"),
        overwrite=False,
        partitions=partitions,
        observer=ignore_progress,
    )
    for name in TABLES:
        found = pq.read_table(tmp_path / "run" / f"{name}.parquet")
        wanted = getattr(expected, name)
        assert found.cast(wanted.schema).equals(wanted), name
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["stories"] == expected.stats["stories"]
