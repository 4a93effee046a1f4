"""From verdicts to the promised tables, in input order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from samestory.engines.bundles import (
    FIELDS,
    KIND,
    ROUND,
    ROUTED,
    articles_in,
    bundles_in,
    collected,
    rows_of_bundles,
    send,
)
from samestory.engines.rows import ARTICLE, PAIR, Ints, numbers_of
from samestory.engines.verifying import FIRST
from samestory.schema import CLUSTERS, PAIRS, TIMESTAMP, UNIQUE

TAKEN: Final = (
    "doc_id", "title", "source", "url", "time", "n_shingles", "n_units", "n_removed",
)  # fmt: skip
"""What the table of clusters needs of an article's row."""
_AT_ONCE: Final = 1 << 14
_SENT_AT_ONCE: Final = 1 << 17
JUDGED: Final = ("cluster_size", "cluster_id", "relation", "jaccard", "containment", "id_b")
"""And of its verdict, all null where it is alone."""
TOLD: Final = ("story_id", "story_size", "story_score")
"""And of its story, where there are any."""


LINES: Final = rows_of_bundles(["doc", *TAKEN, *JUDGED, *TOLD], ROUTED, KIND, ROUND)
"""Articles on the way to the partition that puts them in order, and what is said of them, of a `kind`."""
PAIRED: Final = (
    "doc", "other", "relation", "jaccard", "containment", "back", "shared", "cluster_id", "id_a", "id_b",
    "story_score",
)  # fmt: skip
PAIR_LINES: Final = rows_of_bundles(PAIRED, ROUTED, KIND, ROUND)
"""The same of pairs; of the articles that the second round has seen, only their numbers."""


def route_articles(
    batches: Iterable[pa.RecordBatch], rows: pa.Schema, each: int, n_partitions: int
) -> Iterator[pa.RecordBatch]:
    """Send articles to partitions of so many consecutive ones each."""
    for articles in collected(articles_in(batches)):
        yield send(articles, rows, _places(articles, each), n_partitions)


def route_verdicts(
    batches: Iterable[pa.RecordBatch],
    rows: pa.Schema,
    wanted: dict[int, list[str]],
    each: int,
    n_partitions: int,
) -> Iterator[pa.RecordBatch]:
    """Send verdicts to the partitions of their articles.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Of `samestory.engines.bundles.VERDICT_BUNDLES`.
    rows : Schema
        Of the bundles to send.
    wanted : dict
        Columns by kind.
    each, n_partitions : int
        See `route_articles`.
    """
    held: dict[tuple[int, int], list[pa.RecordBatch]] = {}
    for bundle in bundles_in(batches):
        kind, round = bundle.head("kind"), bundle.head("round")
        if kind in wanted:
            own = held.setdefault((kind, round), [])
            own.append(bundle.articles.select(wanted[kind]))
            if sum(map(len, own)) >= _SENT_AT_ONCE:
                yield _sent(held.pop((kind, round)), rows, each, n_partitions, kind, round)
    for (kind, round), own in held.items():
        yield _sent(own, rows, each, n_partitions, kind, round)


def route_rows(
    batches: Iterable[pa.RecordBatch], rows: pa.Schema, kind: int, each: int, n_partitions: int
) -> Iterator[pa.RecordBatch]:
    """Send rows, each of an article `doc`, to the partitions of these."""
    for batch in collected(batches):
        yield _sent([batch], rows, each, n_partitions, kind, 0)


def _sent(
    held: list[pa.RecordBatch], rows: pa.Schema, each: int, n_partitions: int, kind: int, round: int
) -> pa.RecordBatch:
    articles = pa.concat_batches(held)
    return send(articles, rows, _places(articles, each), n_partitions, kind=kind, round=round)


def _places(articles: pa.RecordBatch, each: int) -> Ints:
    return numbers_of(articles.column("doc"), np.int64) // each


def clusters_rows(batches: Iterable[pa.RecordBatch], said: dict[int, list[str]]) -> Iterator[pa.RecordBatch]:
    """Turn articles and what is said of them into rows of `samestory.schema.CLUSTERS`, in order.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Of `LINES`.
    said : dict
        Columns by kind.
    """
    table = in_order(batches, said)
    for batch in () if table is None else table.to_batches(max_chunksize=_AT_ONCE):
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


def in_order(batches: Iterable[pa.RecordBatch], said: dict[int, list[str]]) -> pa.Table | None:
    """Return the articles of a partition in order, beside columns of what is said of them, by kind."""
    articles: list[pa.RecordBatch] = []
    held: dict[int, list[tuple[int, pa.RecordBatch]]] = {kind: [] for kind in said}
    for bundle in bundles_in(batches):
        kind = bundle.head("kind")
        if kind is None:
            articles.append(bundle.articles)
        else:
            held[kind].append((bundle.head("round"), bundle.articles))
    if not articles:
        return None
    table = pa.Table.from_batches(articles).sort_by("doc")
    for kind, names in said.items():
        table = _beside(table, [batch for _, batch in sorted(held[kind], key=itemgetter(0))], names)
    return table


def _beside(table: pa.Table, batches: list[pa.RecordBatch], names: list[str]) -> pa.Table:
    """Put columns of rows by article beside the articles; of two of one article the later holds."""
    schema = pa.schema([FIELDS[name] for name in ("doc", *names)])
    told = pa.Table.from_batches([batch.select(schema.names).cast(schema) for batch in batches], schema)
    rows = np.full(len(table), -1, dtype=np.int64)
    rows[np.searchsorted(table["doc"].to_numpy(), told["doc"].to_numpy())] = np.arange(len(told))
    places = pa.array(rows, mask=rows < 0)
    for name in names:
        table = table.append_column(name, told[name].take(places))
    return table


def pairs_rows(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Turn `PAIR_LINES` into rows of `samestory.schema.PAIRS`, in order."""
    first: list[pa.RecordBatch] = []
    others: list[pa.RecordBatch] = []
    seen: list[Ints] = []
    for bundle in bundles_in(batches):
        kind = bundle.head("kind")
        if kind == ARTICLE:
            seen.append(numbers_of(bundle.articles.column("doc"), np.int64))
        else:
            is_first = kind == PAIR and bundle.head("round") == FIRST
            (first if is_first else others).append(bundle.articles)
    again = np.unique(np.concatenate([np.zeros(0, np.int64), *seen]))
    chosen = [*(_but(pairs, again) for pairs in first), *others]
    if not chosen:
        return
    table = pa.concat_tables([pa.Table.from_batches([one]) for one in chosen], promote_options="default")
    table = table.sort_by([("doc", "ascending"), ("other", "ascending")])
    for batch in table.to_batches(max_chunksize=_AT_ONCE):
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


def _but(pairs: pa.RecordBatch, again: Ints) -> pa.RecordBatch:
    """Return the pairs but those of articles that were looked at again."""
    return pairs.filter(pa.array(~np.isin(numbers_of(pairs.column("doc"), np.int64), again)))


def _as(schema: pa.Schema, columns: dict[str, Any], n: int) -> pa.RecordBatch:
    arrays = [columns[field.name] if field.name in columns else pa.nulls(n, field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
