"""Page furniture of an index: learnt site by site as their pages come, and taken out of old pages too."""

from __future__ import annotations

from array import array
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.buffers import string_buffers
from samestory.fingerprints import SMALL_CORPUS, Runs, sample, sort_postings
from samestory.furniture import MADE_OF, Furniture, Remover, as_furniture, learn, rank_pages
from samestory.index.compare import decode
from samestory.index.folded import joined_texts, picked
from samestory.index.prepare import Prepared, cut_out
from samestory.index.prints import look_up_prints, sample_prints
from samestory.index.state import Ints, State
from samestory.kernels.index.texts import text_keys
from samestory.kernels.sites import name_keys
from samestory.normalise import FoldedTexts
from samestory.sites import MOST_OUTLETS, SiteNames, Sites, host_of
from samestory.threads import InPlace

MOST_PAGES: Final = 2000
"""Pages of a site that are looked at when its furniture is learnt: the latest."""
_NONE: Final = np.zeros(0, dtype=np.int64)
FIRST_PAGES: Final = 2
SMALL_GROWTH: Final = 1.1
"""In a small index a site's furniture is learnt anew when the site has so many times the pages,"""
GROWTH: Final = 1.5
"""later so many times,"""
LATE_GROWTH: Final = 2.0
LATE_PAGES: Final = 1000
"""and so many times if it has more pages than these."""
EVERY_PAGE: Final = 32
"""Of so few pages each that has something of another is reason to learn it anew."""
LAST_PAGES: Final = 10_000_000
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)

Keys = NDArray[np.uint64]


def _milestones(growth: float, late_growth: float) -> Ints:
    sizes = [FIRST_PAGES]
    while sizes[-1] < LAST_PAGES:
        times = growth if sizes[-1] < LATE_PAGES else late_growth
        sizes.append(max(sizes[-1] + 1, int(sizes[-1] * times)))
    return np.array(sizes, dtype=np.int64)


_MILESTONES: Final = _milestones(GROWTH, LATE_GROWTH)
"""Numbers of pages at which a site's furniture is learnt: whatever the batches they came in."""
_SMALL_MILESTONES: Final = _milestones(SMALL_GROWTH, SMALL_GROWTH)
"""The same of an index of up to `SMALL_CORPUS` articles."""


class SiteBook:
    """Which articles are of which site: a host, unless many outlets share it; else the outlet.

    Attributes
    ----------
    n : int
        Articles entered.
    """

    def __init__(self) -> None:
        self.n = 0
        self._pairs: set[int] = set()
        self._outlets: dict[int, int] = {}
        self._pages: dict[int, array[int]] = {}

    def catch_up(self, state: State) -> None:
        """Enter the articles of a state that are not entered yet; begin anew if it has gone back."""
        n = state.articles.n
        if n < self.n:
            self.__init__()  # type: ignore[misc]
        if n > self.n:
            outlets = state.articles["outlet"]
            names = SiteNames(outlets[self.n :], state.articles["host"][self.n :])
            for host in self._count_outlets(names):
                self._part(host, outlets)
            self._enter(self.keys(names), np.arange(self.n, n, dtype=np.int32))
            self.n = n

    def _enter(self, keys: Keys, articles: NDArray[np.int32]) -> None:
        order = np.argsort(keys, kind="stable")
        sites, starts = np.unique(keys[order], return_index=True)
        articles = articles[order]
        bounds = pairwise([*starts.tolist(), len(keys)])
        for site, (low, high) in zip(sites.tolist(), bounds, strict=True):
            pages = self._pages.get(site)
            if pages is None:
                pages = self._pages[site] = array("i")
            pages.frombytes(articles[low:high].tobytes())

    def _part(self, host: int, outlets: Keys) -> None:
        """Let the pages of a host that many outlets share be those of these."""
        pages = np.array(self._pages.pop(host, ()), dtype=np.int32)
        if not len(pages):
            return
        keys = outlets[pages]
        self._enter(keys, pages)
        for site in np.unique(keys).tolist():
            self._pages[site] = array("i", sorted(self._pages[site]))

    def _count_outlets(self, names: SiteNames) -> list[int]:
        """Count the outlets of hosts; return the hosts that have come to be shared by many."""
        both = np.flatnonzero((names.hosts != 0) & (names.outlets != 0))
        mixed = names.hosts[both] * _STEP ^ names.outlets[both]
        pairs, firsts = np.unique(mixed, return_index=True)
        hosts = names.hosts[both[firsts]]
        shared = []
        for pair, host in zip(pairs.tolist(), hosts.tolist(), strict=True):
            if pair not in self._pairs:
                self._pairs.add(pair)
                self._outlets[host] = self._outlets.get(host, 0) + 1
                if self._outlets[host] == MOST_OUTLETS + 1:
                    shared.append(host)
        return shared

    def keys(self, names: SiteNames) -> Keys:
        """Return the key of each one's site, 0 where it is not known."""
        hosts, places = np.unique(names.hosts, return_inverse=True)
        shared = np.array([self._outlets.get(host, 0) > MOST_OUTLETS for host in hosts.tolist()], dtype=bool)
        is_host = (names.hosts != 0) & ~shared[places.reshape(-1)]
        return np.where(is_host, names.hosts, names.outlets)

    def due(self, keys: Keys) -> tuple[Keys, Keys]:
        """Return the sites whose furniture is to be learnt when pages of these sites come.

        Returns
        -------
        due, young : uint64 arrays
            Those that have come to a milestone; and others that have few pages.
        """
        sites, counts = np.unique(keys, return_counts=True)
        before = np.array([len(self._pages.get(site, ())) for site in sites.tolist()], dtype=np.int64)
        milestones = _SMALL_MILESTONES if self.n <= SMALL_CORPUS else _MILESTONES
        passed = np.searchsorted(milestones, before, side="right")
        is_due = np.searchsorted(milestones, before + counts, side="right") > passed
        return sites[is_due], sites[~is_due & (before < EVERY_PAGE)]

    def pages(self, site: int) -> NDArray[np.int32]:
        """Return the articles of a site in order, those that are not there any more among them."""
        return np.array(self._pages.get(site, ()), dtype=np.int32)


@dataclass(frozen=True)
class Learnt:
    """Furniture learnt with a batch.

    Attributes
    ----------
    furniture : Furniture
        All that is known now.
    sites : uint64 array
        Those of which other blocks are known than before.
    """

    furniture: Furniture
    sites: Keys


def learn_with(
    state: State,
    book: SiteBook,
    known: Furniture,
    articles: pa.RecordBatch,
    prepared: Prepared,
    keys: Keys,
    n_threads: int,
    executor: Executor,
) -> Learnt | None:
    """Learn the furniture of the sites that have come to have enough pages; None if it stays the same.

    Parameters
    ----------
    state : State
        Without the batch.
    book : SiteBook
        Without it, too.
    known : Furniture
        What is known so far.
    articles, prepared
        The batch, what is known so far taken out.
    keys : uint64 array
        The key of each one's site.
    """
    folded = prepared.folded
    due, young = book.due(keys)
    due = np.union1d(due, _repeating(state, book, prepared.texts, keys, young, known.by_character))
    rows = np.flatnonzero(np.isin(keys, due))
    if not len(rows):
        return None
    rows = _latest_rows(rows, keys)
    old = [_alive(state, book.pages(site))[-MOST_PAGES:] for site in due.tolist()]
    pages = np.concatenate([*old, _NONE])
    corpus = joined_texts(
        [decode(state, whole_texts(state, pages), executor, n_threads), picked(folded.texts, rows)]
    )
    text_of = np.concatenate([state.articles["text"][pages], np.full(len(rows), -1)]).astype(np.int64)
    site_keys = np.concatenate([np.repeat(due, [len(own) for own in old]), keys[rows]])
    by_character = known.by_character
    elsewhere = _Elsewhere(state, corpus, text_of, folded.texts, by_character)
    name_of = _namer(articles, keys, folded.names)
    learnt = _learn(corpus, site_keys, name_of, by_character, elsewhere)
    return _exchange(known, learnt, due)


def _repeating(
    state: State, book: SiteBook, texts: FoldedTexts, keys: Keys, young: Keys, by_character: bool
) -> Keys:
    """Return the sites of which a new page has a fingerprint of another page, though it is cleaned."""
    rows = np.flatnonzero(np.isin(keys, young))
    if not len(rows):
        return young[:0]
    place, entries = sample_prints(picked(texts, rows), Runs.of_corpus(by_character))
    sites = keys[rows[place]]
    order = np.lexsort((sites, entries))
    ordered, own = entries[order], sites[order]
    twice = own[1:][(ordered[1:] == ordered[:-1]) & (own[1:] == own[:-1])]
    offsets, members = look_up_prints(state, entries, Runs.of_corpus(by_character))
    alive = state.texts["n_articles"][members] > 0
    owner = np.repeat(np.arange(len(entries)), np.diff(offsets))[alive]
    heads = state.texts["first_article"][members[alive]].astype(np.int64)
    names = SiteNames(state.articles["outlet"][heads], state.articles["host"][heads])
    again = sites[owner[book.keys(names) == sites[owner]]]
    return np.unique(np.concatenate([twice, again]))


def _exchange(known: Furniture, learnt: Furniture, due: Keys) -> Learnt | None:
    """Put the blocks learnt of some sites in the place of those known before."""
    sites = _site_keys(known)
    own = np.isin(sites, due)
    before = {
        (row["site"], row["block"], row["basis"]) for row in known.table.filter(pa.array(own)).to_pylist()
    }
    now = {(row["site"], row["block"], row["basis"]) for row in learnt.table.to_pylist()}
    changed = sorted({site for site, _, _ in before ^ now})
    if not changed:
        return None
    table = pa.concat_tables([known.table.filter(pa.array(~own)), learnt.table])
    table = table.sort_by([("site", "ascending"), ("block", "ascending")]).combine_chunks()
    keys = name_keys(*string_buffers(pa.array(changed, pa.string())))
    return Learnt(Furniture(table, known.by_character), keys)


def _site_keys(furniture: Furniture) -> Keys:
    if not len(furniture):
        return np.zeros(0, dtype=np.uint64)
    return name_keys(*string_buffers(furniture.table["site"].combine_chunks()))


def _alive(state: State, articles: NDArray[np.int32]) -> Ints:
    return articles[state.articles["is_alive"][articles] > 0].astype(np.int64)


def whole_texts(state: State, articles: Ints) -> Ints:
    """Return the texts of articles with their furniture."""
    whole = state.articles["whole"][articles].astype(np.int64)
    return np.where(whole >= 0, whole, state.articles["text"][articles])


def _latest_rows(rows: Ints, keys: Keys) -> Ints:
    order = rows[np.argsort(keys[rows], kind="stable")]
    sites, starts, counts = np.unique(keys[order], return_index=True, return_counts=True)
    kept = [
        order[start : start + count][-MOST_PAGES:]
        for start, count in zip(starts.tolist(), counts.tolist(), strict=True)
    ]
    return np.sort(np.concatenate(kept)) if len(sites) else rows


def _learn(
    corpus: FoldedTexts,
    site_keys: Keys,
    name_of: Any,
    by_character: bool,
    elsewhere: _Elsewhere,
) -> Furniture:
    """Learn the furniture of a small corpus."""
    keys, of_article = np.unique(np.concatenate([np.zeros(1, np.uint64), site_keys]), return_inverse=True)
    numbers = of_article.reshape(-1)[1:].astype(np.int32)
    sites = Sites(numbers, keys, np.zeros(len(numbers), dtype=np.bool_))
    runs, executor = Runs.of_corpus(by_character), InPlace()
    pages = rank_pages(sites, np.arange(1, len(corpus) + 1, dtype=np.uint64))
    postings = sort_postings([sample(corpus, runs)], [len(corpus)], pages.ranks, executor)

    def collect(docs: Ints) -> FoldedTexts:
        return picked(corpus, docs)

    sizes = np.diff(corpus.offsets)
    found = learn(postings, pages, sites, sizes, collect, runs, executor, 1, elsewhere.is_own)
    if not found.blocks:
        return Furniture.nothing(by_character)
    return as_furniture(found, [name_of(int(keys[site])) for site in found.sites], by_character)


def _namer(articles: pa.RecordBatch, keys: Keys, names: SiteNames) -> Any:
    """Return a function from a site of the batch to its name."""

    def name_of(site: int) -> str:
        if not site:
            return ""
        row = int(np.flatnonzero(keys == site)[0])
        name = (
            host_of(articles["url"][row].as_py())
            if names.hosts[row] == site
            else articles["source"][row].as_py()
        )
        return "".join(c.lower() if c.isascii() else c for c in name)

    return name_of


class _Elsewhere:
    """Tells of pages whether most of each is found nowhere else: in the index, or in their batch.

    Parameters
    ----------
    state : State
    pages : FoldedTexts
        Pages of the sites that are looked at.
    texts : int64 array
        The text of each in the index; -1 for a new one.
    batch : FoldedTexts
        All of the batch.
    """

    def __init__(
        self, state: State, pages: FoldedTexts, texts: Ints, batch: FoldedTexts, by_character: bool
    ) -> None:
        self._state = state
        self._pages = pages
        self._texts = texts
        self._batch = batch
        self._runs = Runs.of_corpus(by_character)
        self._prints: tuple[Ints, Keys] | None = None
        self._repeated: Keys | None = None

    def is_own(self, wanted: Ints) -> NDArray[np.bool_]:
        """Return whether most of each page is found nowhere else."""
        if not len(wanted):
            return np.zeros(0, dtype=np.bool_)
        pages, places = np.unique(wanted, return_inverse=True)
        page, entries = self._of_pages(pages)
        page = np.searchsorted(pages, page)
        shared = self._in_index(entries, self._texts[pages][page])
        shared |= np.isin(entries, self._find_repeated())
        n_prints = np.bincount(page, minlength=len(pages))
        n_shared = np.bincount(page, shared, minlength=len(pages))
        return np.asarray(n_prints - n_shared >= (1.0 - MADE_OF) * n_prints)[places.reshape(-1)]

    def _of_pages(self, pages: Ints) -> tuple[Ints, Keys]:
        """Return the fingerprints of some pages, and the page that has each."""
        if self._prints is None:
            self._prints = sample_prints(self._pages, self._runs)
        page, entries = self._prints
        is_wanted = np.zeros(len(self._pages), dtype=np.bool_)
        is_wanted[pages] = True
        own = is_wanted[page]
        return page[own], entries[own]

    def _find_repeated(self) -> Keys:
        """Return the fingerprints that two of the older pages, or two of the batch, have."""
        if self._repeated is None:
            _, old = self._of_pages(np.flatnonzero(self._texts >= 0))
            _, new = sample_prints(self._batch, self._runs)
            self._repeated = np.unique(np.concatenate([own[1:][own[1:] == own[:-1]] for own in (old, new)]))
        return self._repeated

    def _in_index(self, entries: Keys, own: Ints) -> NDArray[np.bool_]:
        """Return whether a text of the index other than the page's own has a fingerprint."""
        state = self._state
        offsets, members = look_up_prints(state, entries, self._runs)
        owner = np.repeat(np.arange(len(entries)), np.diff(offsets))
        other = (state.texts["n_articles"][members] > 0) & (members != own[owner])
        found = np.zeros(len(entries), dtype=np.bool_)
        found[owner[other]] = True
        return found | self._have_copies(own)

    def _have_copies(self, texts: Ints) -> NDArray[np.bool_]:
        """Return whether there are copies of texts, of which one only has its fingerprints in the index."""
        columns = self._state.texts
        wanted = np.unique(texts[texts >= 0])
        components = np.unique(columns["component"][wanted])
        _, members = self._state.members("component", components)
        near, counts = np.unique(columns["near"][members], return_counts=True)
        several = np.isin(columns["near"][wanted], near[counts > 1]) | (columns["n_articles"][wanted] > 1)
        return np.isin(texts, wanted[several])


@dataclass(frozen=True)
class Moved:
    """Articles of the index whose furniture is another now.

    Attributes
    ----------
    articles : int64 array
    whole : int64 array
        The text of each with its furniture; -1 where it has none.
    texts : FoldedTexts
        Without it.
    n_more : int64 array
        Words taken out, less those that were before.
    """

    articles: Ints
    whole: Ints
    texts: FoldedTexts
    n_more: Ints


def clean_again(
    state: State, book: SiteBook, learnt: Learnt, remover: Remover, n_threads: int, executor: Executor
) -> Moved:
    """Take the furniture out of the pages of sites of which other blocks are known now.

    Parameters
    ----------
    state : State
    book : SiteBook
    learnt : Learnt
    remover : Remover
        Of what is known now.
    """
    columns, texts = state.articles, state.texts
    own_pages = [_alive(state, book.pages(site)) for site in learnt.sites.tolist()]
    pages = np.concatenate([*own_pages, _NONE])
    salts = np.repeat(learnt.sites, [len(own) for own in own_pages])
    whole = whole_texts(state, pages)
    cleaned, n_cut = cut_out(decode(state, whole, executor, n_threads), remover, salts, n_threads, executor)
    own = columns["text"][pages].astype(np.int64)
    n_before = np.where(own != whole, texts["n_units"][whole].astype(np.int64) - texts["n_units"][own], 0)
    moved = np.flatnonzero(text_keys(cleaned.data, cleaned.offsets) != texts["text_key"][own])
    return Moved(
        pages[moved],
        np.where(n_cut > 0, whole, -1)[moved],
        picked(cleaned, moved),
        (n_cut.astype(np.int64) - n_before)[moved],
    )
