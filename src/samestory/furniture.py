"""Stage 3: page furniture learnt from the corpus, and articles without it.

A block of words is furniture if it recurs on pages of one site that otherwise
differ: of many pages that is judged by their fingerprints, of two or three by
what they have in common exactly. Where the site of an article is not known,
twenty pages must have the block. A text that recurs as a whole, as syndicated
articles do, is none. (On the like for the structure of pages: Yi, Liu and Li,
"Eliminating noisy information in web pages for data mining", 2003.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.blockuse import BlockUse
from samestory.buffers import string_buffers
from samestory.errors import ConfigError
from samestory.fingerprints import Postings, Runs
from samestory.kernels import furniture as kernel
from samestory.kernels.sites import name_keys
from samestory.normalise import FoldedTexts, Workspace
from samestory.progress import Observer, ignore_progress
from samestory.sites import Sites

Ints: TypeAlias = NDArray[np.int64]
Keys: TypeAlias = NDArray[np.uint64]
Collect: TypeAlias = Callable[[Ints], FoldedTexts]

MADE_OF: Final = 0.6
"""Pages otherwise differ if no more than this much of the one is in the other."""
PAGES_A_BLOCK: Final = 500
"""A block is on one page in so many of its site at least,"""
LEAST_UNKNOWN: Final = 20
"""and on so many where the site is not known."""
SPREAD: Final = 6
"""Tenths of a page in which it has runs of another that make it an edited copy of that,"""
LONGEST_EDITED: Final = 8
"""if no stretch without an edit is longer than this many runs' length."""
LEAST_EXPANDED: Final = 3
"""Of the pages read for a block's words, as many must have a run for it to belong to the block."""
LEAST_LEFT: Final = 5
"""Words that must be left of an article."""
ROUND_BYTES: Final = 1 << 28
MOST_COUNTS: Final = 1 << 28
"""Bytes of counts by article that are held at one time, a set for each thread."""
LEARNING_STEPS: Final = 9
"""Of learning as progress tells of them; sorting the fingerprints is the first."""

BLOCKS: Final = pa.schema(
    [
        pa.field("site", pa.string(), nullable=False),
        pa.field("block", pa.large_string(), nullable=False),
        pa.field("n_articles", pa.int64(), nullable=False),
        pa.field("basis", pa.string(), nullable=False),
    ]
)
"""Columns of `Furniture.table`; the site is empty for blocks of articles whose site is not known."""
_BASIS: Final = {kernel.STRONG: "many pages", kernel.WEAK: "few pages"}


@dataclass(frozen=True)
class Limits:
    """How long a stretch of furniture is at least, in units and in bytes without spaces."""

    units: int
    units_weak: int
    n_bytes: int = 38
    n_bytes_weak: int = 56


_LIMITS: Final = {False: Limits(8, 9), True: Limits(40, 60)}
"""By whether a run is of characters."""


@dataclass(frozen=True)
class Furniture:
    """Blocks of words that sites repeat: a value that can be saved, merged and looked at.

    Attributes
    ----------
    table : pyarrow.Table
        Of the schema `BLOCKS`, sorted: site, folded words, articles that have them, and basis.
    by_character : bool
        Whether the words were folded for shingles of characters.
    """

    table: pa.Table
    by_character: bool = False

    def __len__(self) -> int:
        return len(self.table)

    @staticmethod
    def nothing(by_character: bool = False) -> Furniture:
        """Return the furniture of no site."""
        return Furniture(BLOCKS.empty_table(), by_character)

    def merge(self, other: Furniture) -> Furniture:
        """Return the blocks of both; articles are counted together."""
        if self.by_character != other.by_character:
            raise ConfigError("furniture of words and of characters cannot be merged")
        both = pa.concat_tables([self.table, other.table])
        grouped = both.group_by(["site", "block"]).aggregate([("n_articles", "sum"), ("basis", "max")])
        basis = ["many pages" if n > kernel.FEW else b for n, b in zip(
            grouped["n_articles_sum"].to_pylist(), grouped["basis_max"].to_pylist(), strict=True
        )]  # fmt: skip
        columns = [grouped["site"], grouped["block"], grouped["n_articles_sum"], pa.array(basis, pa.string())]
        table = pa.table(columns, schema=BLOCKS)
        return Furniture(table.sort_by([("site", "ascending"), ("block", "ascending")]), self.by_character)


@dataclass(frozen=True)
class Found:
    """Furniture in the articles of one batch: see `samestory.kernels.furniture.find_cuts`."""

    articles: Ints
    cuts: Ints
    cut_offsets: Ints
    n_removed: NDArray[np.int32]

    def among(self, selected: Ints) -> Found:
        """Return what was found in some articles, in ascending order, by their places among these."""
        places = np.searchsorted(selected, self.articles)
        there = places < len(selected)
        there[there] = selected[places[there]] == self.articles[there]
        there &= np.diff(self.cut_offsets) > 0
        counts = np.diff(self.cut_offsets)
        cuts = self.cuts[np.repeat(there, counts)]
        offsets = np.concatenate([[0], np.cumsum(counts[there])]).astype(np.int64)
        return Found(places[there], cuts, offsets, self.n_removed[there])

    def numbered(self, articles: Ints) -> Found:
        """Return the same under other numbers, without the articles in which nothing was found."""
        kept = self.among(self.articles)
        return Found(articles[kept.articles], kept.cuts, kept.cut_offsets, kept.n_removed)


@dataclass
class Remover:
    """Furniture made ready to be found in articles.

    Attributes
    ----------
    furniture : Furniture
    n_pages : int64 array
        Of each block, from how many articles something of it was cut so far.
    """

    furniture: Furniture

    def __post_init__(self) -> None:
        blocks = self.furniture.table["block"].combine_chunks()
        text, offsets = string_buffers(blocks)
        padded = np.concatenate([text, np.zeros(64, dtype=np.uint8)])
        sites = string_buffers(self.furniture.table["site"].combine_chunks())
        self._salts = name_keys(*sites)
        basis = self.furniture.table["basis"].to_pylist()
        kinds = np.array(
            [kernel.STRONG if b == _BASIS[kernel.STRONG] else kernel.WEAK for b in basis], np.int8
        )
        runs = Runs.of_corpus(self.furniture.by_character)
        keys, key_offsets = kernel.hash_blocks(padded, offsets, self._salts, runs.by_character, runs.size)
        self._table, self._kinds, self._owners, _ = kernel.table_blocks(keys, key_offsets, kinds)
        self._use = BlockUse(keys, key_offsets, kinds == kernel.STRONG, runs)
        self._runs = runs
        self._lock = threading.Lock()
        self.n_pages = np.zeros(len(self.furniture), dtype=np.int64)

    def find(self, folded: FoldedTexts, articles: Ints, salts: Keys) -> Found:
        """Find the furniture in some articles of a batch, given by place, with the key of each one's site."""
        table = (self._table, self._kinds, self._owners)
        found = _find_cuts(folded, articles, salts, self._runs, table, np.zeros_like(self.n_pages))
        n_pages = self._use.count(folded, articles, salts, found.cuts, found.cut_offsets)
        with self._lock:
            self.n_pages += n_pages
        return found

    def counted(self) -> Furniture:
        """Return the furniture with the articles counted that it was cut from.

        Unused blocks are left out; with the others the same is found in the same articles.
        """
        is_used = self.n_pages > 0
        table = self.furniture.table.set_column(2, BLOCKS.field("n_articles"), pa.array(self.n_pages))
        return Furniture(table.filter(pa.array(is_used)), self.furniture.by_character)


def _find_cuts(
    folded: FoldedTexts, articles: Ints, salts: Keys, runs: Runs, table: tuple[Any, Any, Any], n_pages: Ints
) -> Found:
    limits = _LIMITS[runs.by_character]
    cuts, offsets, n_removed = kernel.find_cuts(
        folded.data,
        folded.offsets,
        articles,
        salts,
        runs.by_character,
        runs.size,
        *table,
        limits.units,
        limits.units_weak,
        limits.n_bytes,
        limits.n_bytes_weak,
        LEAST_LEFT,
        n_pages,
    )
    return Found(articles, cuts, offsets, n_removed)


def cut(
    folded: FoldedTexts, found: Found, by_character: bool, workspace: Workspace | None = None
) -> FoldedTexts:
    """Return the texts of a batch without the furniture found in them.

    With a workspace they last until it is used again.
    """
    out = (workspace or Workspace()).at_least(folded.n_bytes + 64)
    gap = 0 if by_character else 1
    offsets = kernel.cut_texts(
        folded.data, folded.offsets, found.articles, found.cuts, found.cut_offsets, gap, out
    )
    return FoldedTexts(out, offsets)


@dataclass(frozen=True)
class Pages:
    """The articles of a corpus as the postings name them.

    Attributes
    ----------
    docs : int64 array of shape (n,)
        By rank, the article's number; those of one site stand together.
    site_of_rank : int32 array of shape (n,)
    text_keys : uint64 array of shape (n,)
        By rank.
    """

    docs: Ints
    ranks: NDArray[np.int32]
    site_of_rank: NDArray[np.int32]
    text_keys: Keys


def rank_pages(sites: Sites, text_keys: Keys) -> Pages:
    """Put the articles in order of their sites."""
    docs = np.argsort(sites.of_article, kind="stable")
    ranks = np.empty(len(docs), dtype=np.int32)
    ranks[docs] = np.arange(len(docs), dtype=np.int32)
    return Pages(docs, ranks, sites.of_article[docs], text_keys[docs])


@dataclass(frozen=True)
class Learnt:
    """What was learnt from a corpus.

    Attributes
    ----------
    furniture : Furniture
        With the sites' keys for names: `name_sites` gives them.
    has_any : bool array of shape (n,)
        Articles with a fingerprint of furniture.
    """

    blocks: list[str]
    sites: Ints
    kinds: NDArray[np.int8]
    has_any: NDArray[np.bool_]


def learn(
    postings: Postings,
    pages: Pages,
    sites: Sites,
    sizes: Ints,
    collect: Collect,
    runs: Runs,
    executor: Executor,
    n_threads: int,
    is_own: Callable[[Ints], NDArray[np.bool_]] | None = None,
    observer: Observer = ignore_progress,
    round_bytes: int = ROUND_BYTES,
) -> Learnt:
    """Learn the page furniture of a corpus, and take its fingerprints out of the postings.

    `is_own` tells of some articles whether most of each is found nowhere else, where the postings are not
    those of all articles. About `round_bytes` of text are read at one time.
    """
    round_bytes = min(round_bytes, ROUND_BYTES)
    step = _Steps(observer)
    expanded = np.zeros(len(pages.docs), dtype=np.bool_)
    histogram = _survey(postings, pages, executor, n_threads)
    least_pages = _least_pages(sites)
    step.done()
    strong, few = _judge(postings, pages, sites, least_pages, histogram, expanded, executor)
    step.done()
    if is_own is None:
        few = few[_are_own(few, postings, histogram)]
    else:
        ends = np.column_stack([few >> np.uint64(32), few & np.uint64(0xFFFFFFFF)]).astype(np.int64)
        few = few[is_own(pages.docs[ends].ravel()).reshape(-1, 2).all(axis=1)]
    del histogram
    differing = _differing(few, pages, sizes, collect, runs, executor, round_bytes)
    step.done()
    weak = _judge_few(postings, pages, sites, least_pages, differing, expanded)
    step.done()
    if not len(strong) and not len(weak):
        return Learnt([], np.zeros(0, np.int64), np.zeros(0, np.int8), np.zeros(len(pages.docs), np.bool_))
    table = kernel.make_table(np.unique(np.concatenate([strong, weak])))[0]
    has_any = _drop(postings, pages, sites, table, executor)
    step.done()
    strong_table, weak_table = (kernel.make_table(np.unique(keys))[0] for keys in (strong, weak))
    docs = np.sort(pages.docs[expanded])
    runs_found: list[tuple[Keys, Keys]] = []
    for part in _rounds(docs, sizes, round_bytes):
        texts = collect(part)
        salts = sites.keys[sites.of_article[part]]
        runs_found.append(
            kernel.expand(
                texts.data,
                texts.offsets,
                np.arange(len(part)),
                salts,
                runs.by_character,
                runs.size,
                runs.shift,
                postings.rank_bits,
                strong_table,
                weak_table,
            )
        )
    step.done()
    run_table = _choose_runs(runs_found)
    step.done()
    return _blocks(run_table, docs, sites, sizes, collect, runs, has_any, round_bytes)


class _Steps:
    """Tells of the steps of learning; sorting the fingerprints was the first."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._n_done = 1

    def done(self) -> None:
        """Tell that one more is done."""
        self._n_done += 1
        self._observer("furniture", self._n_done, LEARNING_STEPS)


def _survey(postings: Postings, pages: Pages, executor: Executor, n_threads: int) -> NDArray[np.uint16]:
    """Count how often the fingerprints of each article occur within its site."""
    n_bytes = 2 * len(pages.docs) * kernel.N_BINS
    n_groups = max(1, min(n_threads, 8, MOST_COUNTS // max(1, n_bytes)))

    def count(group: int) -> NDArray[np.uint16]:
        histogram = np.zeros((len(pages.docs), kernel.N_BINS), dtype=np.uint16)
        for p in range(group, len(postings.partitions), n_groups):
            kernel.survey(postings.partitions[p], postings.rank_bits, pages.site_of_rank, histogram)
        return histogram

    first, *others = executor.map(count, range(n_groups))
    first[:, 0] += np.minimum(postings.n_single, np.uint16(65535) - first[:, 0])
    for other in others:
        first += np.minimum(other, np.uint16(65535) - first)
    return first


def _least_pages(sites: Sites) -> Ints:
    """Return how many pages of each site must have a block for it to be furniture."""
    sizes = np.bincount(sites.of_article, minlength=len(sites.keys))
    least = np.maximum(2, -(-sizes // PAGES_A_BLOCK))
    least[0] = max(LEAST_UNKNOWN, int(least[0]))
    return least.astype(np.int64)


def _judge(
    postings: Postings,
    pages: Pages,
    sites: Sites,
    least_pages: Ints,
    histogram: NDArray[np.uint16],
    expanded: NDArray[np.bool_],
    executor: Executor,
) -> tuple[Keys, Keys]:
    """Return the fingerprints of furniture on many pages; the pairs of pages to compare for the others."""

    def judge(p: int) -> tuple[Keys, Keys]:
        found, few = kernel.judge(
            postings.partitions[p],
            p >> postings.finer,
            postings.rank_bits,
            pages.site_of_rank,
            sites.keys,
            least_pages,
            pages.text_keys,
            histogram,
            MADE_OF,
            expanded,
        )
        return found, np.unique(few)

    parts = list(executor.map(judge, range(len(postings.partitions))))
    empty = np.zeros(0, dtype=np.uint64)
    strong = np.concatenate([empty, *(found for found, _ in parts)])
    return strong, np.unique(np.concatenate([empty, *(few for _, few in parts)]))


def _are_own(few: Keys, postings: Postings, histogram: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Return for each pair of pages whether most of neither is found elsewhere, on any site.

    A story that others print too, and a digest of others' stories, share
    paragraphs because the story repeats.
    """
    total = histogram.sum(axis=1, dtype=np.int64)
    is_own = postings.n_single >= (1.0 - MADE_OF) * total
    first, second = few >> np.uint64(32), few & np.uint64(0xFFFFFFFF)
    return np.asarray(is_own[first.astype(np.int64)] & is_own[second.astype(np.int64)])


def _differing(
    few: Keys,
    pages: Pages,
    sizes: Ints,
    collect: Collect,
    runs: Runs,
    executor: Executor,
    round_bytes: int,
) -> Keys:
    """Return the pairs of ranks of pages that are no copies of one another, compared exactly.

    Copies have much in common, or, edited or misread word by word, little here
    and there all the way.
    """
    first = pages.docs[(few >> np.uint64(32)).astype(np.int64)]
    second = pages.docs[(few & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    differ = np.zeros(len(few), dtype=np.bool_)
    for begin, end in _pair_rounds(first, second, sizes, round_bytes):
        docs = np.union1d(first[begin:end], second[begin:end])
        texts = collect(docs)

        def compare(
            part: tuple[Ints, Ints], docs: Ints = docs, texts: FoldedTexts = texts
        ) -> NDArray[np.bool_]:
            a, b = np.searchsorted(docs, part[0]), np.searchsorted(docs, part[1])
            shares, spreads, longest = (
                np.empty(len(a)),
                np.empty(len(a), np.int64),
                np.empty(len(a), np.int64),
            )
            kernel.compare_pages(
                a, b, texts.data, texts.offsets, runs.by_character, runs.size, shares, spreads, longest
            )
            is_edited = (spreads >= SPREAD) & (longest <= LONGEST_EDITED * runs.size)
            return np.asarray((shares <= MADE_OF) & ~is_edited)

        parts = zip(np.array_split(first[begin:end], 16), np.array_split(second[begin:end], 16), strict=True)
        differ[begin:end] = np.concatenate(list(executor.map(compare, parts)))
    return few[differ]


def _pair_rounds(first: Ints, second: Ints, sizes: Ints, round_bytes: int) -> Iterator[tuple[int, int]]:
    ends = np.cumsum(sizes[first] + sizes[second])
    begin = 0
    while begin < len(first):
        base = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, base + round_bytes, side="right")))
        yield begin, end
        begin = end


def _rounds(docs: Ints, sizes: Ints, round_bytes: int) -> Iterator[Ints]:
    for begin, end in _pair_rounds(docs, docs, sizes, round_bytes):
        yield docs[begin:end]


def _judge_few(
    postings: Postings,
    pages: Pages,
    sites: Sites,
    least_pages: Ints,
    differing: Keys,
    expanded: NDArray[np.bool_],
) -> Keys:
    """Return the fingerprints of furniture on a few pages."""
    empty = np.zeros(0, dtype=np.uint64)
    if not len(differing):
        return empty
    table = kernel.make_table(differing)[0]
    found = [
        kernel.judge_few(
            partition, p, postings.rank_bits, pages.site_of_rank, sites.keys, least_pages, table, expanded
        )
        for p, partition in postings.numbered()
    ]
    return np.concatenate([empty, *found])


def _drop(
    postings: Postings, pages: Pages, sites: Sites, table: Keys, executor: Executor
) -> NDArray[np.bool_]:
    """Take the fingerprints of furniture out of the postings; return which articles had any."""
    has_any = np.zeros(len(pages.docs), dtype=np.bool_)

    def drop(p: int) -> None:
        postings.partitions[p] = kernel.drop_entries(
            postings.partitions[p],
            p >> postings.finer,
            postings.rank_bits,
            pages.site_of_rank,
            sites.keys,
            table,
            has_any,
        )

    list(executor.map(drop, range(len(postings.partitions))))
    by_doc = np.zeros(len(has_any), dtype=np.bool_)
    by_doc[pages.docs] = has_any
    return by_doc


def _choose_runs(found: list[tuple[Keys, Keys]]) -> tuple[Keys, NDArray[np.int8], NDArray[np.int32]]:
    """Keep the runs that enough of the pages read have; return a table of them."""
    empty = np.zeros(0, dtype=np.uint64)
    strong, n_strong = np.unique(np.concatenate([empty, *(part for part, _ in found)]), return_counts=True)
    weak, n_weak = np.unique(np.concatenate([empty, *(part for _, part in found)]), return_counts=True)
    strong = strong[n_strong >= LEAST_EXPANDED]
    weak = np.setdiff1d(weak[n_weak >= 2], strong)
    keys = np.concatenate([strong, weak])
    kinds_of = np.repeat(np.array([kernel.STRONG, kernel.WEAK], np.int8), [len(strong), len(weak)])
    table, places = kernel.make_table(keys)
    kinds = np.zeros(len(table), dtype=np.int8)
    kinds[places] = kinds_of
    return table, kinds, np.zeros(len(table), dtype=np.int32)


def _blocks(
    table: tuple[Any, Any, Any],
    docs: Ints,
    sites: Sites,
    sizes: Ints,
    collect: Collect,
    runs: Runs,
    has_any: NDArray[np.bool_],
    round_bytes: int,
) -> Learnt:
    """Write the runs out as blocks of words, the longest that the pages read have."""
    blocks: dict[tuple[int, str], int] = {}
    for part in _rounds(docs, sizes, round_bytes):
        texts = collect(part)
        salts = sites.keys[sites.of_article[part]]
        found = _find_cuts(texts, np.arange(len(part)), salts, runs, table, np.zeros(1, dtype=np.int64))
        owners = np.repeat(np.arange(len(part)), np.diff(found.cut_offsets))
        for owner, (begin, end) in zip(owners.tolist(), found.cuts.tolist(), strict=True):
            start = int(texts.offsets[owner])
            words = texts.data[start + begin : start + end].tobytes().decode()
            blocks[int(sites.of_article[part[owner]]), words] = 0
    ordered = sorted(blocks, key=lambda block: (sites.keys[block[0]], -len(block[1]), block[1]))
    texts_of = [words for _, words in ordered]
    sites_of = np.array([site for site, _ in ordered], dtype=np.int64)
    kinds, needed = _need(texts_of, sites.keys[sites_of], runs, table)
    chosen = np.flatnonzero(needed)
    return Learnt([texts_of[k] for k in chosen], sites_of[chosen], kinds[chosen], has_any)


def _need(
    blocks: list[str], salts: Keys, runs: Runs, table: tuple[Any, Any, Any]
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Return how well founded each block is, and whether it has a run that none before it has."""
    text, offsets = string_buffers(pa.array(blocks, pa.large_string()))
    padded = np.concatenate([text, np.zeros(64, dtype=np.uint8)])
    keys, key_offsets = kernel.hash_blocks(padded, offsets, salts, runs.by_character, runs.size)
    kinds = kernel.kinds_of_blocks(keys, key_offsets, table[0], table[1])
    *_, needed = kernel.table_blocks(keys, key_offsets, kinds)
    return kinds, needed


def as_furniture(learnt: Learnt, names: list[str], by_character: bool) -> Furniture:
    """Return what was learnt as a value.

    Parameters
    ----------
    learnt : Learnt
    names : list of str
        Of the site of each block.
    by_character : bool
    """
    basis = [_BASIS[int(kind)] for kind in learnt.kinds]
    counts = [0] * len(names)
    table = pa.table(
        [
            pa.array(names, pa.string()),
            pa.array(learnt.blocks, pa.large_string()),
            pa.array(counts, pa.int64()),
            pa.array(basis, pa.string()),
        ],
        schema=BLOCKS,
    )
    return Furniture(table.sort_by([("site", "ascending"), ("block", "ascending")]), by_character)
