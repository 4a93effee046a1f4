"""Partial copies: fingerprints to pairs, and whole linked clusters related anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory.band import Components
from samestory.config import Config
from samestory.engines.blobs import blob_rows, blobs_in
from samestory.engines.bundles import (
    ROUTED,
    VERDICT_BUNDLES,
    articles_in,
    assigned_in,
    assigned_or_not_in,
    collected,
    rows_of_bundles,
    send,
)
from samestory.engines.gathered import as_sample, gather, rounds
from samestory.engines.reading import prints_column
from samestory.engines.rows import Ints, bytes_of, keys_of, numbers_of, rows_from, words_of
from samestory.engines.singles import by_key
from samestory.engines.verifying import SECOND, VERIFIED, roots_of, verdicts
from samestory.fingerprints import Runs, sample, sort_postings
from samestory.kernels import partial as kernel
from samestory.kernels.buckets import list_components
from samestory.kernels.runs import LOCAL_BITS
from samestory.params import choose_banding
from samestory.partial import least_fingerprints
from samestory.textstore import TextStore
from samestory.threads import InPlace
from samestory.verify import Linked, Verified, relate

PROPOSED: Final = pa.schema(
    [
        pa.field("a", pa.int64(), nullable=False),
        pa.field("b", pa.int64(), nullable=False),
        pa.field("founder_a", pa.int64(), nullable=False),
        pa.field("founder_b", pa.int64(), nullable=False),
        pa.field("units", pa.int32(), nullable=False),
        pa.field("n", pa.int64(), nullable=False),
    ]
)
"""A pair to compare, the founders of their clusters, the units of the shorter, fingerprints that pair it."""
EDGES: Final = ("a", "b", "shared", "comp", "seq")
LINKED: Final = rows_of_bundles(
    [*VERIFIED, "founder", "label"],
    ROUTED,
    pa.field("kind", pa.int32()),
    *(pa.field(name, pa.int64()) for name in EDGES),
)
"""Bundles of articles on the way to their linked clusters; edges on the same way have a `kind`."""
_PRINTS: Final = 1
CANDIDATE: Final = 3
NEAR: Final = 4
"""Kinds of edges."""


def route_delegates(
    batches: Iterable[pa.RecordBatch], n_partitions: int, runs: Runs
) -> Iterator[pa.RecordBatch]:
    """Send the fingerprints of articles that stand for their clusters to the partitions of their keys.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Of bundles of the columns `doc`, `text_key`, `n_units`, and `prints` or, where all runs of a
        small corpus are fingerprints, `text`; to members of components, `founder` and `is_delegate` are
        assigned.
    """
    for batch in collected(_delegates(batches)):
        for begin in range(0, len(batch), 1 << (LOCAL_BITS - 2)):
            yield _route(batch.slice(begin, 1 << (LOCAL_BITS - 2)), n_partitions, runs)


def _delegates(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the articles that stand for their clusters; who is in none stands for itself."""
    for articles, assigned in assigned_or_not_in(batches):
        founders = numbers_of(articles.column("doc"), np.int64)
        stands = np.ones(len(founders), dtype=np.bool_)
        if assigned is not None:
            founders[assigned["at"]] = assigned["founder"]
            stands[assigned["at"]] = assigned["is_delegate"].astype(np.bool_)
        yield articles.append_column("founder", pa.array(founders)).filter(pa.array(stands))


def _route(batch: pa.RecordBatch, n_partitions: int, runs: Runs) -> pa.RecordBatch:
    if "text" in batch.schema.names:
        taken = sample(bytes_of(batch.column("text")), runs)
        prints = prints_column([entries for entries in taken.partitions if entries is not None], len(batch))
    else:
        prints = batch.column("prints")
    entries, offsets = words_of(prints)
    columns = {
        "doc": numbers_of(batch.column("doc"), np.int64),
        "founder": numbers_of(batch.column("founder"), np.int64),
        "text_key": keys_of(batch.column("text_key")).view(np.int64),
        "n_units": numbers_of(batch.column("n_units"), np.int64),
    }
    slots, payloads = by_key(entries, np.diff(offsets), columns, n_partitions)
    return blob_rows(slots, _PRINTS, payloads)


def propose_partition(
    batches: Iterator[pa.RecordBatch], rank_bits: int, runs: Runs
) -> Iterator[pa.RecordBatch]:
    """Propose the pairs of articles that share fingerprints of this partition."""
    blobs = [arrays for _, arrays in blobs_in(batches)]
    if not blobs:
        return
    every = {
        name: np.concatenate([arrays[name] for arrays in blobs]) for name in blobs[0] if name != "entries"
    }
    docs, firsts, places = np.unique(every["doc"], return_index=True, return_inverse=True)
    n_units = every["n_units"][firsts].astype(np.int32)
    text_keys = every["text_key"][firsts].view(np.uint64)
    founders = every["founder"][firsts]
    samples = [as_sample(arrays["entries"]) for arrays in blobs]
    counts = [len(arrays["doc"]) for arrays in blobs]
    del blobs
    ranks: NDArray[np.int32] = places.reshape(-1).astype(np.int32)
    postings = sort_postings(samples, counts, ranks, InPlace(), rank_bits=rank_bits)
    itself = np.arange(len(docs), dtype=np.int32)
    found = [
        np.unique(
            kernel.propose_pairs(
                kernel.keep_delegates(entries, postings.rank_bits, itself),
                postings.rank_bits,
                itself,
                n_units,
                text_keys,
                runs.shift == 0,
            ),
            return_counts=True,
        )
        for entries in postings.partitions
    ]
    yield from (_proposed(pairs, n, docs, founders, n_units) for pairs, n in found if len(pairs))


def _proposed(
    pairs: NDArray[np.uint64], n: Ints, docs: Ints, founders: Ints, n_units: NDArray[np.int32]
) -> pa.RecordBatch:
    a = (pairs >> np.uint64(32)).astype(np.int64)
    b = (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
    units = np.minimum(n_units[a], n_units[b])
    columns = [docs[a], docs[b], founders[a], founders[b], units, n.astype(np.int64)]
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=PROPOSED)


def choose_proposed(
    batches: Iterable[pa.RecordBatch], runs: Runs, containment: float
) -> Iterator[pa.RecordBatch]:
    """Keep the pairs that enough fingerprints pair."""
    for batch in batches:
        units = numbers_of(batch.column("units"), np.int32)
        enough = numbers_of(batch.column("n"), np.int64) >= least_fingerprints(
            units, units, runs, containment
        )
        yield batch.filter(pa.array(enough))


def route_linked(batches: Iterable[pa.RecordBatch], n_partitions: int) -> Iterator[pa.RecordBatch]:
    """Send the articles that have a `label` and a `founder` assigned to the partition of the label."""
    for articles in collected(assigned_in(batches, "founder", "label")):
        yield send(articles, LINKED, numbers_of(articles.column("label"), np.int64), n_partitions)


def relate_partition(batches: Iterable[pa.RecordBatch], config: Config) -> Iterator[pa.RecordBatch]:
    """Relate the linked clusters of one partition.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Of bundles of articles, with `founder`; and rows of a `kind`: `CANDIDATE` pairs and `NEAR`
        pairs, with `a`, `b`, and of the latter `shared`, `comp` and `seq`.
    config : Config
    """
    edges: dict[int, list[pa.RecordBatch]] = {CANDIDATE: [], NEAR: []}

    def bundles() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            kinds = numbers_of(pc.fill_null(batch.column("kind"), 0), np.int32)
            for kind, kept in edges.items():
                if (kinds == kind).any():
                    kept.append(batch.select(list(EDGES)).filter(pa.array(kinds == kind)))
            yield batch

    with TextStore() as store:
        gathered = gather(articles_in(bundles()), store)
        if gathered is None:
            return
        sketches = gathered.sketches(choose_banding(config.threshold, config.recall, config.num_perm).bands)
        order = gathered.articles()
        docs = gathered.docs
        founders = np.searchsorted(docs, gathered.numbers("founder", np.int64))
        pairs = _edges(edges[CANDIDATE], docs, ["a", "b"], ("a", "b"))
        near = _edges(edges[NEAR], docs, ["a", "b", "shared"], ("comp", "seq"))
        n = len(gathered)
        links = [(np.arange(n), founders), (pairs[:, 0].copy(), pairs[:, 1].copy())]
        linked = Linked(Components(*list_components(roots_of(n, links))), founders, pairs, near)
        found: list[Verified] = []
        n_round_ups = n_cut = 0
        for part in rounds(linked.components, gathered.sizes):
            related = relate(linked.of(part), gathered.collect(part.docs), sketches, order, config)
            found.append(related.verified)
            n_round_ups += related.n_round_ups
            n_cut += related.n_cut
        yield from verdicts(gathered, sketches, founders, found, SECOND)
        yield rows_from(VERDICT_BUNDLES, 1, n_round_ups=np.array([n_round_ups]), n_cut=np.array([n_cut]))


def _edges(
    batches: list[pa.RecordBatch], docs: Ints, names: list[str], order: tuple[str, str]
) -> NDArray[np.int64]:
    """Return edges in order as an array of the places of the articles, and what else there is."""
    if not batches:
        return np.empty((0, len(names)), dtype=np.int64)
    table = pa.Table.from_batches(batches).sort_by([(name, "ascending") for name in order])
    columns = [numbers_of(table[name], np.int64) for name in names]
    ends = [np.searchsorted(docs, column) for column in columns[:2]]
    return np.column_stack([*ends, *columns[2:]]).astype(np.int64)
