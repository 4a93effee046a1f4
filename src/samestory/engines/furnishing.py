"""Whole sites: their furniture learnt and taken out, and the articles sketched again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.config import Config
from samestory.engines.bundles import CLEAN_BUNDLES, Numbering, clean_bundles, numbered_in
from samestory.engines.gathered import Gathered, gather, spans
from samestory.engines.placing import HOSTS, sites_of
from samestory.engines.rows import (
    CLEAN,
    Ints,
    Words,
    as_bytes,
    as_keys,
    as_rows,
    as_words,
    rows_from,
    words_of,
)
from samestory.engines.sending import counted_beside
from samestory.fingerprints import N_PARTITIONS, Postings, Runs, sort_postings
from samestory.furniture import (
    BLOCKS,
    MADE_OF,
    Learnt,
    Pages,
    Remover,
    _survey,
    as_furniture,
    cut,
    learn,
    rank_pages,
)
from samestory.kernels.buckets import gather_texts
from samestory.kernels.runs import PARTITION_BITS
from samestory.normalise import FoldedTexts
from samestory.params import Banding, choose_banding
from samestory.signature import sketch
from samestory.sites import Sites, name_sites
from samestory.textstore import TextStore
from samestory.threads import InPlace

_OUT_BYTES: Final = 4 << 20
_TOLD: Final = ("doc_id", "title", "source", "url", "time")


def furnish(
    batches: Iterable[pa.RecordBatch], config: Config, rank_bits: int, numbering: Numbering, shared: Ints
) -> Iterator[pa.RecordBatch]:
    """Learn the furniture of the sites of one partition; yield their articles without it, and what it is.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Of bundles of all columns of `samestory.engines.rows.READ`, and the counts of
        `samestory.engines.singles.count_singles`.
    config : Config
    rank_bits : int
        Of the whole input.
    numbering : Numbering
    shared : int64 array
        Hosts that many outlets share.
    """
    counts: list[dict[str, NDArray[Any]]] = []
    with TextStore() as store:
        gathered = gather(numbered_in(counted_beside(batches, counts), numbering), store)
        if gathered is not None:
            for blob in counts:
                blob["doc"] = numbering.of(blob["doc"])
            yield from _Partition(gathered, counts, config, rank_bits, shared).cleaned()


class _Partition:
    """The articles of some whole sites."""

    def __init__(
        self,
        gathered: Gathered,
        counts: list[dict[str, NDArray[Any]]],
        config: Config,
        rank_bits: int,
        shared: Ints,
    ) -> None:
        self._gathered = gathered
        self._config = config
        self._by_character = config.shingle_unit == "char"
        self._banding: Banding = choose_banding(config.threshold, config.recall, config.num_perm)
        self._sketches = gathered.sketches(self._banding.bands)
        self._sites = _sites_of(gathered, shared)
        self._pages: Pages = rank_pages(self._sites, self._sketches.text_keys)
        samples, sizes = gathered.samples()
        self._postings = sort_postings(samples, sizes, self._pages.ranks, InPlace(), rank_bits=rank_bits)
        self._n_single = np.zeros(len(gathered), dtype=np.int64)
        for blob in counts:
            np.add.at(self._n_single, np.searchsorted(gathered.docs, blob["doc"]), blob["n_single"])

    def cleaned(self) -> Iterator[pa.RecordBatch]:
        """Yield the articles, and a row with the furniture that was found in any."""
        before = [partition.copy() for partition in self._postings.partitions]
        learnt = learn(
            self._postings,
            self._pages,
            self._sites,
            self._gathered.sizes,
            self._gathered.collect,
            Runs.of_corpus(self._by_character),
            InPlace(),
            1,
            is_own=self._are_own,
        )
        remover = self._remover(learnt) if learnt.blocks else None
        prints = self._prints_left(before, learnt)
        n_removed = self._gathered.numbers("n_removed", np.int32)
        salts = self._sites.keys[self._sites.of_article]
        for part in spans(self._gathered.sizes, _OUT_BYTES):
            texts = self._gathered.collect(part)
            if remover is not None:
                texts = self._without(part, texts, learnt, remover, salts, n_removed)
            yield clean_bundles(self._rows(part, texts, prints, n_removed))
        if remover is not None:
            yield _furniture_row(remover.counted().table)

    def _are_own(self, docs: Ints) -> NDArray[np.bool_]:
        """Whether most of each article is found nowhere else: in the whole input, not in these sites."""
        histogram = _survey(self._postings, self._pages, InPlace(), 1)
        total = histogram.sum(axis=1, dtype=np.int64)[self._pages.ranks[docs]]
        n_single = np.minimum(self._n_single[docs], 65535)
        return np.asarray(n_single >= (1.0 - MADE_OF) * total)

    def _remover(self, learnt: Learnt) -> Remover:
        told = self._gathered.table
        names = name_sites(self._sites, learnt.sites, lambda rows: told.take(pa.array(rows)))
        return Remover(as_furniture(learnt, names, self._by_character))

    def _without(
        self,
        part: Ints,
        texts: FoldedTexts,
        learnt: Learnt,
        remover: Remover,
        salts: Words,
        n_removed: NDArray[np.int32],
    ) -> FoldedTexts:
        """Take the furniture out of some articles, and sketch anew those that may have had any."""
        own = np.flatnonzero(learnt.has_any[part])
        if not len(own):
            return texts
        # By the places in the batch, and without the articles in which nothing was found.
        found = remover.find(texts, own, salts[part[own]]).numbered(own)
        if len(found.articles):
            texts = cut(texts, found, self._by_character)
            n_removed[part[found.articles]] += found.n_removed
        self._sketches.replace(part[own], sketch(_selected(texts, own), self._config, self._banding))
        return texts

    def _prints_left(self, before: list[Words], learnt: Learnt) -> tuple[Words, Ints]:
        """Return the fingerprints of each article but those of furniture."""
        values, offsets = words_of(self._gathered.column("prints"))
        if not learnt.blocks and not learnt.has_any.any():
            return values, offsets
        owners = np.repeat(np.arange(len(self._gathered)), np.diff(offsets))
        is_left = np.ones(len(values), dtype=np.bool_)
        partitions = (values >> np.uint64(64 - PARTITION_BITS)).astype(np.uint8)
        for p in range(N_PARTITIONS):
            gone = np.unique(before[p][~np.isin(before[p], self._postings.partitions[p])])
            if len(gone):
                own = np.flatnonzero((partitions == p) & learnt.has_any[owners])
                placed = _placed(values[own], self._pages.ranks[owners[own]], self._postings)
                is_left[own[np.isin(placed, gone)]] = False
        counts = np.bincount(owners[is_left], minlength=len(self._gathered))
        return values[is_left], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def _rows(
        self, part: Ints, texts: FoldedTexts, prints: tuple[Words, Ints], n_removed: NDArray[np.int32]
    ) -> pa.RecordBatch:
        begin, end = int(part[0]), int(part[-1]) + 1
        told = self._gathered.table.slice(begin, end - begin)
        values, offsets = prints
        own = offsets[begin : end + 1]
        sketches = self._sketches
        return rows_from(
            CLEAN,
            len(part),
            doc=self._gathered.docs[begin:end],
            **{name: _as_array(told[name]) for name in _TOLD},
            text=as_bytes(texts),
            text_key=as_keys(sketches.text_keys[begin:end]),
            n_shingles=sketches.n_shingles[begin:end],
            n_units=sketches.n_units[begin:end],
            bands=as_rows(sketches.band_keys[:, begin:end].T),
            prints=as_words(values[own[0] : own[-1]], own - own[0]),
            n_removed=n_removed[begin:end],
        )


def _sites_of(gathered: Gathered, shared: Ints) -> Sites:
    """Return the sites of the articles, as `samestory.sites.find_sites` numbers them."""
    hosts, outlets = (gathered.numbers(name, np.int64) for name in HOSTS.names)
    sites, is_host = sites_of(hosts, outlets, shared)
    names = np.concatenate([np.zeros(1, np.uint64), sites.view(np.uint64)])
    keys, of_article = np.unique(names, return_inverse=True)
    return Sites(of_article.reshape(-1)[1:].astype(np.int32), keys, is_host)


def _placed(values: Words, ranks: NDArray[np.int32], postings: Postings) -> Words:
    """Return fingerprints as the postings have them."""
    low = np.uint64((1 << postings.rank_bits) - 1)
    return np.asarray(((values << np.uint64(PARTITION_BITS)) & ~low) | ranks.astype(np.uint64))


def _selected(texts: FoldedTexts, chosen: Ints) -> FoldedTexts:
    offsets = np.zeros(len(chosen) + 1, dtype=np.int64)
    np.cumsum((texts.offsets[1:] - texts.offsets[:-1])[chosen], out=offsets[1:])
    out = np.empty(int(offsets[-1]) + 64, dtype=np.uint8)
    gather_texts(texts.data, texts.offsets, chosen, np.arange(len(chosen)), out, offsets)
    return FoldedTexts(out, offsets)


def _as_array(column: Any) -> Any:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _furniture_row(blocks: pa.Table) -> pa.RecordBatch:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, BLOCKS) as writer:
        writer.write_table(blocks)
    return rows_from(CLEAN_BUNDLES, 1, facts=pa.array([sink.getvalue().to_pybytes()], pa.binary()))


def read_furniture(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Turn the rows of `facts` into rows of blocks."""
    for batch in batches:
        for value in batch.column("facts"):
            with pa.ipc.open_stream(value.as_buffer()) as reader:
                yield from (told.cast(BLOCKS_SENT) for told in reader)


def as_blocks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Return rows of blocks as they were before they were put in order."""
    return (batch.cast(BLOCKS) for batch in batches)


BLOCKS_SENT: Final = pa.schema(
    [field.with_type(pa.string()) if field.name == "block" else field for field in BLOCKS]
)
"""Blocks as Spark has them, which knows one kind of string."""
