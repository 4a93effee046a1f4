"""The order of the stages on one machine.

::

    read → normalise → sketch → band → verify → partial copies → stories → tables
    (folded texts are kept for verify where there is room, else read and folded again)

The order of what finds stories is in `samestory.storyline`.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.band import Components, find_components
from samestory.budget import Budget, give_back
from samestory.config import Config
from samestory.corpus import Corpus, Room, read_corpus
from samestory.errors import ConfigError, InputError
from samestory.fingerprints import BYTES_A_UNIT, Postings, Runs, sort_postings
from samestory.furniture import (
    LEARNING_STEPS,
    Furniture,
    Pages,
    Remover,
    as_furniture,
    learn,
    rank_pages,
)
from samestory.identity import check_unique, times_of
from samestory.params import Banding, choose_banding
from samestory.partial import choose_delegates, propose_pairs
from samestory.progress import Observer, ignore_progress
from samestory.read import Source, open_source
from samestory.result import Result
from samestory.rounds import Round, in_chunks, rounds
from samestory.scratch import Scratch
from samestory.sites import find_sites, name_sites
from samestory.story.blocks import StoryRoom
from samestory.storyline import Weighed, explain_pair, find_stories, weigh_units
from samestory.summary import run_stats, stories_stats
from samestory.tabulate import (
    Stories,
    clusters_table,
    gather_clusters,
    gather_pairs,
    pairs_table,
    stories_table,
)
from samestory.textstore import TextStore
from samestory.threads import threads
from samestory.verify import (
    Articles,
    Related,
    Verified,
    count_shared_of,
    find_founders,
    link,
    relate,
    verify,
)

ROUND_BYTES: Final = 1 << 28
"""Candidates are verified in rounds of about this many bytes of folded text."""
_MOST_PAIRS: Final = 1 << 18
_TABLES: Final = 3


@dataclass
class Timings:
    """Seconds that each stage took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def cluster(data: Any, config: Config | None = None, *, observer: Observer = ignore_progress) -> Result:
    """Cluster articles that are copies of one another.

    Parameters
    ----------
    data : pyarrow.Table, pyarrow.RecordBatchReader, object with ``__arrow_c_stream__``, path, list of paths
        The articles; columns are found by name (see `Config`).
    config : Config, optional
    observer : callable, optional
        Called with the stage's name and how far it has come.

    Returns
    -------
    Result
        One row for each article in `clusters`, one for each verified pair in `pairs`.

    Raises
    ------
    InputError, SchemaError
        An input cannot be found or read, or a row is broken.

    Notes
    -----
    MinHash with banding (Broder 1997; Indyk and Motwani 1998) proposes, exact
    Jaccard over distinct shingles decides. Time and memory grow linearly with
    the articles; the work on a bucket of m articles grows with m.
    """
    config = Config() if config is None else config
    if not isinstance(config, Config):
        raise ConfigError(
            f"config is of type {type(config).__name__}", hint="pass samestory.Config(threshold=0.7)"
        )
    with open_source(data, config) as source:
        return cluster_source(source, config, observer)


def shared_terms(
    data: Any,
    doc_id_a: str,
    doc_id_b: str,
    config: Config | None = None,
    *,
    observer: Observer = ignore_progress,
) -> pa.Table:
    """Return why two articles are, or are not, taken for one story: the terms they share.

    Parameters
    ----------
    data
        The corpus, as for `cluster`: what a term weighs depends on all articles.
    doc_id_a, doc_id_b : str
        Articles of different duplicate clusters. For a cluster of several the longest article stands.
    config : Config, optional
    observer : callable, optional

    Returns
    -------
    pyarrow.Table
        `samestory.schema.SHARED_TERMS`: term, weight in each (of vectors of length one), and share of
        their cosine. The schema's metadata has the cosine and the ``story_score`` of the two.

    Raises
    ------
    InputError
        An id is not among the articles, or the two are copies of one another.
    """
    config = dataclasses.replace(config or Config(), level="story")
    explained: list[pa.Table] = []

    def explain(weighed: Weighed) -> None:
        a, b = (_row_of(weighed.corpus, doc_id) for doc_id in (doc_id_a, doc_id_b))
        if weighed.chosen.unit_of[a] == weighed.chosen.unit_of[b]:
            raise InputError(
                f"{doc_id_a!r} and {doc_id_b!r} are of one duplicate cluster",
                hint="pairs.parquet has how much they share",
            )
        explained.append(explain_pair(weighed, a, b))

    with open_source(data, config) as source:
        cluster_source(source, config, observer, inspect=explain)
    return explained[0]


def _row_of(corpus: Corpus, doc_id: str) -> int:
    row = corpus.articles.ids.find(doc_id)
    if row < 0:
        raise InputError(f"there is no article {doc_id!r}", hint="ids are compared as text, exactly")
    return row


def _ignore(_: Weighed) -> None:
    """Look at nothing."""


def cluster_source(
    source: Source,
    config: Config,
    observer: Observer = ignore_progress,
    inspect: Callable[[Weighed], None] = _ignore,
    budget: Budget | None = None,
) -> Result:
    """Do the work of `cluster` on an opened source; `inspect` is shown what stories are made from.

    The budget follows from ``config.memory`` unless it is given.
    """
    timings = Timings()
    banding = choose_banding(config.threshold, config.recall, config.num_perm)

    def read(room: Room, executor: Executor) -> Corpus:
        room.scratch.require(_least_scratch(source, config, banding, room.budget))
        corpus = read_corpus(source, config, banding, room, executor, observer)
        check_unique(corpus.articles.ids.strings, source)
        return corpus

    return cluster_corpus(read, source, config, timings, observer, inspect, budget=budget)


def cluster_corpus(
    read: Callable[[Room, Executor], Corpus],
    source: Source,
    config: Config,
    timings: Timings,
    observer: Observer = ignore_progress,
    inspect: Callable[[Weighed], None] = _ignore,
    stories_given: NDArray[np.int64] | None = None,
    budget: Budget | None = None,
) -> Result:
    """Do the work of `cluster` on articles that `read` brings; the facts tell of `source` and `config`."""
    with timings.stage("total"), _room(source, config, budget) as room, threads(config.n_threads) as executor:
        with timings.stage("read and sketch"):
            corpus = read(room, executor)
            give_back()
        with timings.stage("furniture"):
            postings, pages, furniture = _remove_furniture(corpus, observer)
            give_back()
        with timings.stage("band"):
            components = find_components(corpus.sketches, executor, observer)
            if corpus.sketches.filed is not None:
                corpus.sketches.filed.arrange(components.docs)
            give_back()
        with timings.stage("verify"):
            ids = corpus.articles.ids
            order = Articles(times_of(corpus.articles), ids.data, ids.offsets)
            verified = list(_verify_rounds(components, corpus, order, observer))
        with timings.stage("partial copies"):
            verified, round_ups = _join_partial(corpus, postings, pages, verified, order, observer)
            postings.close()
            del postings, pages, components
            corpus.forget_sketches()
            give_back()
        stories, shared = None, None
        if corpus.config.level == "story":
            with timings.stage("stories"):
                founders = find_founders(verified, len(corpus.articles))
                own = StoryRoom(room.budget.stories, room.scratch)
                weighed = weigh_units(corpus, founders, order.times, observer, own)
                inspect(weighed)
                stories = find_stories(weighed, order.times, observer, given=stories_given)
                shared = count_shared(stories, corpus, observer)
        with timings.stage("tabulate"):
            observer("tabulate", 0, _TABLES)
            clusters = gather_clusters(verified, corpus.sketches.n_shingles)
            observer("tabulate", 1, _TABLES)
            pairs = gather_pairs(verified, stories, shared)
            observer("tabulate", 2, _TABLES)
            told = stories_table(corpus.articles, stories, order.times) if stories is not None else None
    stats = run_stats(
        source,
        config,
        corpus.banding,
        ids,
        clusters,
        pairs,
        {"blocks": len(furniture), **corpus.removed},
        round_ups,
        corpus.n_bytes,
        timings.seconds,
        stories_stats(stories, told) if stories is not None and told is not None else None,
    )
    return Result(
        clusters_table(corpus.articles, clusters, corpus.n_removed, corpus.sketches.n_units, stories),
        pairs_table(ids, clusters, pairs),
        stats,
        list(source.rejects),
        furniture.table,
        told,
        kept=clusters.kept,
    )


def _least_scratch(source: Source, config: Config, banding: Banding, budget: Budget) -> int:
    """Return how many bytes of files a run will need at least; of texts it keeps what there is room for."""
    runs = Runs.of_corpus(config.shingle_unit == "char")
    n_prints = source.n_bytes >> runs.shift if config.partial or config.boilerplate else 0
    return budget.scratch_bytes(
        source.n_rows or 0, banding.bands, n_prints // BYTES_A_UNIT[runs.by_character]
    )


@contextmanager
def _room(source: Source, config: Config, budget: Budget | None) -> Iterator[Room]:
    """Give a run its memory and its scratch; whatever happens, nothing is left of the latter."""
    budget = budget or Budget.of(config.memory_bytes, config.n_threads, source.n_rows, source.n_bytes)
    folder = None if config.scratch is None else Path(config.scratch)
    with Scratch(folder) as scratch, TextStore(scratch, budget.texts) as texts:
        yield Room(budget, scratch, texts)


def count_shared(stories: Stories, corpus: Corpus, observer: Observer) -> NDArray[np.int32]:
    """Count the shingles that the pairs of stories share, some stories at a time."""
    pairs = stories.pairs
    shared = np.zeros(len(pairs), dtype=np.int32)
    by_story = np.argsort(stories.founders[pairs[:, 0]], kind="stable")
    story_of = stories.founders[pairs[by_story, 0]]
    sizes = corpus.folded_sizes[pairs[by_story]].sum(axis=1)
    begin = 0
    while begin < len(pairs):
        end = begin + int(np.searchsorted(np.cumsum(sizes[begin:]), 2 * _round_bytes(corpus), side="right"))
        end = min(max(end, begin + 1), len(pairs))
        while end < len(pairs) and story_of[end] == story_of[end - 1] and end - begin < _MOST_PAIRS:
            end += 1
        rows = by_story[begin:end]
        docs = np.unique(pairs[rows])
        texts = corpus.collect(docs)
        shared[rows] = count_shared_of(pairs[rows], docs, texts, corpus.sketches, corpus.config)
        begin = end
        observer("story pairs", end, len(pairs))
    return shared


def _verify_rounds(
    components: Components, corpus: Corpus, order: Articles, observer: Observer
) -> Iterator[Verified]:
    """Verify the components in rounds small enough for memory, each round in threads."""

    def work(one: Round) -> Verified:
        return verify(
            one.components, one.texts, corpus.sketches, order, corpus.config, originals=one.originals
        )

    n_done = 0
    observer("verify", 0, len(components.docs))
    for one in rounds(components, corpus, _round_bytes(corpus)):
        for chunk, verified in in_chunks(one, corpus, work):
            n_done += len(chunk.docs)
            observer("verify", n_done, len(components.docs))
            yield verified


def _round_bytes(corpus: Corpus) -> int:
    return min(corpus.room.budget.round, ROUND_BYTES)


def _remove_furniture(corpus: Corpus, observer: Observer) -> tuple[Postings, Pages, Furniture]:
    """Sort the fingerprints; learn the furniture of each site from them, and take it out.

    Of a small corpus the fingerprints that are returned are taken anew: all of them.
    """
    observer("furniture", 0, LEARNING_STEPS)
    sites = find_sites(corpus.names)
    corpus.names = []
    pages = rank_pages(sites, corpus.sketches.text_keys)
    postings = _sort_postings(corpus, pages)
    furniture = Furniture.nothing(corpus.by_character)
    runs = Runs.of_corpus(corpus.by_character)
    observer("furniture", 1, LEARNING_STEPS)
    if corpus.config.boilerplate:
        learnt = learn(
            postings,
            pages,
            sites,
            corpus.folded_sizes,
            corpus.collect,
            runs,
            corpus.executor,
            corpus.config.n_threads,
            observer=observer,
            round_bytes=_round_bytes(corpus),
        )
        if learnt.blocks:
            names = name_sites(
                sites, learnt.sites, lambda rows: corpus.articles.take(rows, ("source", "url"))
            )
            remover = Remover(as_furniture(learnt, names, corpus.by_character))
            corpus.remove(remover, learnt.has_any, sites.keys[sites.of_article], observer)
            furniture = remover.counted()
    if corpus.config.partial and corpus.runs != runs:
        corpus.sample_again()
        postings = _sort_postings(corpus, pages)
    return postings, pages, furniture


def _sort_postings(corpus: Corpus, pages: Pages) -> Postings:
    budget, scratch = corpus.room.budget, corpus.room.scratch
    return sort_postings(
        corpus.samples, corpus.batch_sizes, pages.ranks, corpus.executor, budget.fingerprints, scratch
    )


def _join_partial(
    corpus: Corpus,
    postings: Postings,
    pages: Pages,
    verified: list[Verified],
    order: Articles,
    observer: Observer,
) -> tuple[list[Verified], dict[str, int]]:
    """Find the partial copies between the clusters verified so far, and join these."""
    counts = {"round_ups": 0, "pairs_not_joined_by_round_ups": 0}
    splits = corpus.config.founder_overlap > 0
    founders = find_founders(verified, len(corpus.articles))
    pairs = _propose(corpus, postings, pages, founders, observer)
    if not len(pairs) and not splits:
        return verified, counts
    untouched, linked = link(verified, founders, pairs, everything=splits)
    found = list(untouched)
    n_done, total = 0, len(linked.components.docs)
    observer("partial copies", 0, total)

    def work(one: Round) -> Related:
        own = linked.of(one.components)
        return relate(own, one.texts, corpus.sketches, order, corpus.config, originals=one.originals)

    for one in rounds(linked.components, corpus, _round_bytes(corpus)):
        for chunk, related in in_chunks(one, corpus, work):
            found.append(related.verified)
            counts["round_ups"] += related.n_round_ups
            counts["pairs_not_joined_by_round_ups"] += related.n_cut
            n_done += len(chunk.docs)
            observer("partial copies", n_done, total)
    return found, counts


def _propose(
    corpus: Corpus, postings: Postings, pages: Pages, founders: Any, observer: Observer
) -> NDArray[np.int64]:
    """Return the pairs to compare, doc and later doc; none where no partial copies are looked for."""
    if not corpus.config.partial:
        return np.empty((0, 2), dtype=np.int64)
    sketches = corpus.sketches
    delegates = choose_delegates(sketches.n_units, sketches.text_keys, founders)
    first, second = propose_pairs(
        postings,
        pages.docs,
        delegates[pages.docs],
        sketches,
        corpus.runs,
        corpus.config,
        corpus.executor,
        observer,
    )
    return np.column_stack([first, second])
