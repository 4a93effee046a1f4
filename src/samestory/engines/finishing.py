"""From verdicts to the promised tables, in input order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from samestory.engines.rows import numbers_of
from samestory.schema import CLUSTERS, PAIRS, TIMESTAMP, UNIQUE

TAKEN: Final = (
    "doc_id", "title", "source", "url", "time", "n_shingles", "n_units", "n_removed",
)  # fmt: skip
"""What the table of clusters needs of an article's row."""
JUDGED: Final = ("cluster_size", "cluster_id", "relation", "jaccard", "containment", "id_b")
"""And of its verdict, all null where it is alone."""
TOLD: Final = ("story_id", "story_size", "story_score")
"""And of its story, where there are any."""


def clusters_rows(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Turn articles, in order, and what was verified of them into rows of `samestory.schema.CLUSTERS`."""
    for batch in batches:
        ids = batch.column("doc_id")
        n_removed = numbers_of(batch.column("n_removed"), np.int32)
        n_words = n_removed + numbers_of(batch.column("n_units"), np.float64)
        ratio = (n_removed / np.maximum(n_words, 1.0)).astype(np.float32)
        columns = {
            "doc_id": ids,
            "cluster_id": pc.coalesce(batch.column("cluster_id"), ids),
            "cluster_size": pc.fill_null(batch.column("cluster_size"), pa.scalar(1, pa.int32())),
            "representative_id": pc.coalesce(batch.column("id_b"), ids),
            "relation": pc.fill_null(batch.column("relation"), UNIQUE),
            "jaccard": pc.fill_null(batch.column("jaccard"), pa.scalar(1.0, pa.float32())),
            "containment": pc.fill_null(batch.column("containment"), pa.scalar(1.0, pa.float32())),
            "n_shingles": batch.column("n_shingles"),
            "boilerplate_ratio": pa.array(ratio),
            **{name: batch.column(name) for name in ("title", "source", "url")},
            "published_at": batch.column("time").cast(TIMESTAMP),
            **{name: batch.column(name) for name in TOLD if name in batch.schema.names},
        }
        yield _as(CLUSTERS, columns, len(batch))


def pairs_rows(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Turn verdicts on pairs, in order, into rows of `samestory.schema.PAIRS`."""
    for batch in batches:
        columns = {
            "doc_id_a": batch.column("id_a"),
            "doc_id_b": batch.column("id_b"),
            "relation": batch.column("relation"),
            "jaccard": batch.column("jaccard"),
            "containment_a_in_b": batch.column("containment"),
            "containment_b_in_a": batch.column("back"),
            "shared_shingles": batch.column("shared"),
            "cluster_id": batch.column("cluster_id"),
        }
        if "story_score" in batch.schema.names:
            columns["story_score"] = batch.column("story_score")
        yield _as(PAIRS, columns, len(batch))


def _as(schema: pa.Schema, columns: dict[str, Any], n: int) -> pa.RecordBatch:
    arrays = [columns[field.name] if field.name in columns else pa.nulls(n, field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
