"""Articles as the tests write them, as Arrow tables; and results as plain rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import numpy as np
import pyarrow as pa

import samestory

NOON: Final = datetime(2025, 3, 9, 12, tzinfo=timezone.utc)
SCHEMA: Final = pa.schema(
    [
        ("doc_id", pa.string()),
        ("text", pa.string()),
        ("title", pa.string()),
        ("source", pa.string()),
        ("url", pa.string()),
        ("published_at", pa.timestamp("us", tz="UTC")),
    ]
)
Article = dict[str, Any]


def article(doc_id: str, text: str | None, hours: int | None = None, title: str | None = None) -> Article:
    """An article, published so many hours after a certain noon."""
    moment = None if hours is None else NOON + timedelta(hours=hours)
    return {"doc_id": doc_id, "text": text, "title": title, "published_at": moment}


def to_table(articles: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The articles in the columns that are found by name."""
    return pa.Table.from_pylist([{name: row.get(name) for name in SCHEMA.names} for row in articles], SCHEMA)


def never_missing(**settings: Any) -> samestory.Config:
    """A configuration whose search for candidates practically never misses a pair at the threshold."""
    return samestory.Config(**{"num_perm": 1024, "recall": 1 - 1e-9, "threads": 1, **settings})


def as_the_reference(**settings: Any) -> samestory.Config:
    """A configuration of which the naive reference knows every rule: no partial copies, nothing taken out."""
    return never_missing(**{"partial": False, "boilerplate": False, **settings})


def single(value: float) -> float:
    """A number as a float32 column holds it."""
    return float(np.float32(value))


def partition(clusters: pa.Table) -> set[frozenset[str]]:
    """The clusters as sets of doc_ids, whatever they are called."""
    parts: dict[str, set[str]] = {}
    for row in clusters.select(["doc_id", "cluster_id"]).to_pylist():
        parts.setdefault(row["cluster_id"], set()).add(row["doc_id"])
    return {frozenset(part) for part in parts.values()}


def words(prefix: str, numbers: Iterable[int]) -> list[str]:
    """Made-up words of one prefix."""
    return [f"{prefix}{number}" for number in numbers]
