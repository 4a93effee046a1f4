"""Whole components: exact overlaps, clusters and pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory.band import Components
from samestory.config import Config
from samestory.engines.bundles import (
    ROUTED,
    VERDICT_BUNDLES,
    articles_in,
    assigned_in,
    bundle_up,
    bundles_in,
    collected,
    cuts_of,
    rows_of_bundles,
    send,
)
from samestory.engines.gathered import Gathered, gather, rounds
from samestory.engines.rows import ARTICLE, PAIR, VERDICT, Ints, numbers_of, rows_from
from samestory.kernels.buckets import list_components
from samestory.metadata import Metadata
from samestory.params import choose_banding
from samestory.partial import choose_delegates
from samestory.schema import ARTICLE as ARTICLE_SCHEMA
from samestory.schema import EXACT, METADATA_COLUMNS
from samestory.signature import Sketches
from samestory.tabulate import clusters_table, gather_clusters, gather_pairs, pairs_table
from samestory.textstore import TextStore
from samestory.verify import Verified, find_founders, verify

VERIFIED: Final = ("doc", "doc_id", "time", "text", "text_key", "n_shingles", "n_units", "bands")
"""What verification needs of an article."""
FIRST: Final = 0
SECOND: Final = 1
"""Rounds: of components, and of linked clusters."""
MEMBER: Final = pa.schema(
    [
        pa.field("doc", pa.int64()),
        pa.field("other", pa.int64()),
        pa.field("is_delegate", pa.bool_()),
        pa.field("cluster_size", pa.int32()),
    ]
)
NEAR: Final = pa.schema([pa.field(name, pa.int64()) for name in ("doc", "other", "shared", "comp", "seq")])
MEMBERS: Final = rows_of_bundles([*VERIFIED, "comp"], ROUTED)


def route_members(batches: Iterable[pa.RecordBatch], n_partitions: int) -> Iterator[pa.RecordBatch]:
    """Send the articles that have a `comp` assigned to the partition of that."""
    for articles in collected(assigned_in(batches, "comp")):
        yield send(articles, MEMBERS, numbers_of(articles.column("comp"), np.int64), n_partitions)


def verify_partition(batches: Iterable[pa.RecordBatch], config: Config) -> Iterator[pa.RecordBatch]:
    """Verify the components of one partition.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Of bundles of articles, with `comp`, the least article of their component.
    config : Config
    """
    with TextStore() as store:
        gathered = gather(articles_in(batches), store)
        if gathered is None:
            return
        sketches = gathered.sketches(choose_banding(config.threshold, config.recall, config.num_perm).bands)
        articles = gathered.articles()
        comps = gathered.numbers("comp", np.int64)
        roots = np.searchsorted(gathered.docs, comps)
        components = Components(*list_components(roots.astype(np.int32)))
        verified = [
            verify(part, gathered.collect(part.docs), sketches, articles, config)
            for part in rounds(components, gathered.sizes)
        ]
        yield from verdicts(gathered, sketches, comps, verified, FIRST)


def verdicts(
    gathered: Gathered, sketches: Sketches, comps: Ints, verified: Sequence[Verified], round: int
) -> Iterator[pa.RecordBatch]:
    """Yield what was verified in a round of the articles of a partition, and of their pairs."""
    parts = list(verified)
    n = len(gathered)
    founders = find_founders(parts, n)
    delegates = choose_delegates(sketches.n_units, sketches.text_keys, founders)
    found = gather_clusters(parts, sketches.n_shingles)
    named = _named(gathered)
    clusters = clusters_table(named, found, np.zeros(n, np.int32), sketches.n_units).table()
    articles = rows_from(
        VERDICT,
        n,
        doc=gathered.docs,
        other=gathered.docs[founders],
        comp=comps,
        is_delegate=delegates == np.arange(n),
        cluster_size=_one(clusters, "cluster_size"),
        cluster_id=_one(clusters, "cluster_id"),
        relation=_one(clusters, "relation"),
        jaccard=_one(clusters, "jaccard"),
        containment=_one(clusters, "containment"),
        id_b=_one(clusters, "representative_id"),
    )
    pairs = _pairs(gathered, pairs_table(named.ids, found, gather_pairs(parts)).table(), comps, parts)
    yield _bundled(articles, ARTICLE, round)
    yield _bundled(pairs, PAIR, round)


def _bundled(verdict: pa.RecordBatch, kind: int, round: int) -> pa.RecordBatch:
    cuts = cuts_of(verdict)
    heads = {"kind": np.full(len(cuts) - 1, kind), "round": np.full(len(cuts) - 1, round)}
    return bundle_up(verdict, VERDICT_BUNDLES, cuts, **heads)


def members_of(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield of verdicts what the driver's plans need of articles, a row each."""
    for bundle in bundles_in(batches):
        if bundle.head("kind") == ARTICLE:
            yield bundle.articles.select(MEMBER.names).cast(MEMBER)


def near_pairs(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the pairs among verdicts that are not exact copies, in numbers, a row each."""
    for bundle in bundles_in(batches):
        if bundle.head("kind") == PAIR:
            near = bundle.articles.filter(pc.not_equal(bundle.articles.column("relation"), EXACT))
            yield near.select(NEAR.names).cast(NEAR)


def _pairs(gathered: Gathered, pairs: pa.Table, comps: Ints, parts: list[Verified]) -> pa.RecordBatch:
    """Return the pairs, with their places among those that were found."""
    found = np.concatenate([np.empty((0, 4), np.int64), *(part.pairs for part in parts)])
    order = np.lexsort((found[:, 1], found[:, 0]))
    n = len(order)
    return rows_from(
        VERDICT,
        n,
        doc=gathered.docs[found[order, 0]],
        other=gathered.docs[found[order, 1]],
        comp=comps[found[order, 0]],
        seq=order.astype(np.int64),
        cluster_id=_one(pairs, "cluster_id"),
        relation=_one(pairs, "relation"),
        jaccard=_one(pairs, "jaccard"),
        containment=_one(pairs, "containment_a_in_b"),
        back=_one(pairs, "containment_b_in_a"),
        shared=_one(pairs, "shared_shingles"),
        id_a=_one(pairs, "doc_id_a"),
        id_b=_one(pairs, "doc_id_b"),
    )


def _named(gathered: Gathered) -> Metadata:
    """Return the ids of the articles as `clusters_table` takes them: without metadata."""
    n = len(gathered)
    columns = {"doc_id": gathered.column("doc_id")}
    columns |= {name: pa.nulls(n, ARTICLE_SCHEMA.field(name).type) for name in METADATA_COLUMNS}
    return Metadata.of(pa.table(columns))


def _one(table: pa.Table, name: str) -> Any:
    column = table[name]
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def roots_of(n: int, edges: Sequence[tuple[Ints, Ints]]) -> NDArray[np.int32]:
    """Return the least article of the component of each of n."""
    from samestory.kernels.clusters import join_edges

    parents = np.arange(n, dtype=np.int64)
    for first, second in edges:
        join_edges(first, second, parents)
    return parents.astype(np.int32)
