"""The order of the stages that find stories.

::

    clusters → units → count terms → weigh terms → find neighbours → group → score → name terms
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory import schema
from samestory.corpus import Corpus
from samestory.identity import founding_ranks
from samestory.kernels.clusters import UNDATED
from samestory.kernels.story import groups
from samestory.normalise import FoldedTexts
from samestory.progress import Observer, each
from samestory.story import grouping
from samestory.story.blocks import Blocks, StoryRoom
from samestory.story.explain import Named, find_words, spell
from samestory.story.grouping import DAY, Edges, Fit, Linkage, Units
from samestory.story.neighbours import Neighbours, Timeline, find_neighbours
from samestory.story.postings import Posted, StoredPostings, post
from samestory.story.stored import StoredTerms
from samestory.story.terms import Headed, Listed, TermCounts, Terms, head, shared_terms
from samestory.tabulate import Stories


@dataclass(frozen=True)
class Chosen:
    """One article of each duplicate cluster, in the order of the dates of the clusters.

    Attributes
    ----------
    docs : int64 array of shape (u,)
        The article with the most words; of several the one with the least id.
    times : int64 array of shape (u,)
        The median of the dated ones of the cluster (one wrong date does not move it), in microseconds;
        `UNDATED` last.
    unit_of : int64 array of shape (n,)
        Of every article of the corpus.
    id_ranks : int64 array of shape (n,)
        Place of each article's id among all.
    """

    docs: NDArray[np.int64]
    times: NDArray[np.int64]
    unit_of: NDArray[np.int64]
    id_ranks: NDArray[np.int64]

    @property
    def days(self) -> NDArray[np.int64]:
        """Days since 1970, or `groups.UNDATED`."""
        return np.where(self.times == UNDATED, groups.UNDATED, self.times // DAY)


@dataclass(frozen=True)
class Weighed:
    """All that is known of the units of stories before they are grouped.

    Attributes
    ----------
    corpus : Corpus
    chosen : Chosen
    neighbours : Neighbours
    units : Units
    linkage : Linkage
    """

    corpus: Corpus
    chosen: Chosen
    neighbours: Neighbours
    units: Units
    linkage: Linkage


def weigh_units(
    corpus: Corpus,
    founders: NDArray[np.int64],
    times: NDArray[np.int64],
    observer: Observer,
    room: StoryRoom | None = None,
) -> Weighed:
    """Weigh the terms of each duplicate cluster and find its neighbours.

    Parameters
    ----------
    corpus : Corpus
    founders : int64 array of shape (n,)
        The founding article of each one's cluster.
    times : int64 array of shape (n,)
        As `samestory.identity.founding_times` gives them.
    observer : callable
    room : StoryRoom, optional
        What all this may take of memory, and where to put what does not fit.
    """
    config = corpus.config
    chosen = _choose_units(
        founders, corpus.sketches.n_units, times, founding_ranks(corpus.articles.ids.strings)
    )
    n_dated = int(np.count_nonzero(chosen.times != UNDATED))
    timeline = Timeline(chosen.times, n_dated, int(config.story_window_days * DAY))
    neighbours: Neighbours
    terms: Terms | StoredTerms
    if room is None or room.holds(len(chosen.docs)):
        terms = _read_terms(corpus, chosen, observer)
        neighbours = find_neighbours(terms, timeline, corpus.executor, observer)
    else:
        terms, postings = _store_terms(corpus, chosen, room, observer)
        blocks = Blocks(terms, postings, timeline, room)
        neighbours = blocks.find_neighbours(corpus.executor, observer)
    units = Units(terms, neighbours.levels(terms.numbers), chosen.days)
    linkage = Linkage(config.story_threshold, config.story_window_days)
    return Weighed(corpus, chosen, neighbours, units, linkage)


def find_stories(
    weighed: Weighed,
    times: NDArray[np.int64],
    observer: Observer,
    *,
    given: NDArray[np.int64] | None = None,
    spelling: bool = True,
) -> Stories:
    """Group the duplicate clusters of a corpus to stories.

    Parameters
    ----------
    weighed : Weighed
    times : int64 array of shape (n,)
        As `samestory.identity.founding_times` gives them.
    observer : callable
    given : int64 array of shape (n,), optional
        A number for the story of each article, where they are grouped already.
    spelling : bool
        Whether to name the terms that hold the stories together.
    """
    units, linkage = weighed.units, weighed.linkage
    edges = grouping.find_edges(weighed.neighbours, units.factors, linkage)
    if given is None:
        of_unit = grouping.group(units, edges, linkage, weighed.corpus.executor, observer)
    else:
        _, firsts, own = np.unique(given[weighed.chosen.docs], return_index=True, return_inverse=True)
        of_unit = firsts[own].astype(np.int64)
    fit = grouping.fit(units, of_unit, linkage)
    terms = _spell_terms(weighed.corpus, weighed.chosen, fit, observer) if spelling else []
    return _stories(weighed, times, edges, of_unit, fit, terms)


def explain_pair(weighed: Weighed, doc_a: int, doc_b: int) -> pa.Table:
    """Return the terms that two articles of different clusters share: `samestory.schema.SHARED_TERMS`."""
    corpus, chosen, units = weighed.corpus, weighed.chosen, weighed.units
    a, b = int(chosen.unit_of[doc_a]), int(chosen.unit_of[doc_b])
    names, weights_a, weights_b = shared_terms(units.terms.rows(np.array([a, b])))
    similarity = grouping.similarity_between(units, a, b, weighed.linkage)
    order = np.lexsort((names, -weights_a * weights_b))
    wanted = np.array([names[order]], dtype=np.uint32)
    docs = np.sort(chosen.docs[[a, b]])
    found = corpus.map_texts(
        docs,
        lambda low, high, texts, places: find_words(
            wanted,
            np.zeros(high - low, dtype=np.int64),
            np.arange(low, high),
            _headed(corpus, docs, low, high, texts, places),
        ),
    )
    products = (weights_a * weights_b)[order].astype(np.float64)
    columns = {
        "term": spell(wanted, found)[0] if len(names) else [],
        "weight_a": weights_a[order],
        "weight_b": weights_b[order],
        "share": products / max(float(products.sum()), 1e-300),
    }
    table = pa.table(columns, schema=schema.SHARED_TERMS)
    score = float(grouping.score_of(np.array([similarity]))[0])
    facts = {b"cosine": f"{products.sum():.6f}".encode(), b"story_score": f"{score:.6f}".encode()}
    return table.replace_schema_metadata(facts)


def _choose_units(
    founders: NDArray[np.int64],
    n_units: NDArray[np.int32],
    times: NDArray[np.int64],
    id_ranks: NDArray[np.int64],
) -> Chosen:
    """Choose the article that stands for each cluster, and put the clusters in order."""
    _, cluster_of = np.unique(founders, return_inverse=True)
    n_clusters = int(cluster_of.max(initial=-1)) + 1
    by_length = np.lexsort((id_ranks, -n_units.astype(np.int64), cluster_of))
    firsts = np.flatnonzero(np.diff(cluster_of[by_length], prepend=-1))
    docs = by_length[firsts]
    medians = _median_times(cluster_of, times, n_clusters)
    order = np.lexsort((id_ranks[docs], medians))
    place_of = np.empty(n_clusters, dtype=np.int64)
    place_of[order] = np.arange(n_clusters)
    return Chosen(docs[order], medians[order], place_of[cluster_of], id_ranks)


def _median_times(
    cluster_of: NDArray[np.int64], times: NDArray[np.int64], n_clusters: int
) -> NDArray[np.int64]:
    """Return the median time (of an even number the earlier one) of the dated articles of each cluster."""
    medians = np.full(n_clusters, UNDATED, dtype=np.int64)
    order = np.lexsort((times, cluster_of))
    order = order[times[order] != UNDATED]
    clusters, firsts, counts = np.unique(cluster_of[order], return_index=True, return_counts=True)
    medians[clusters] = times[order[firsts + (counts - 1) // 2]]
    return medians


def _count_terms(corpus: Corpus, docs: NDArray[np.int64], observer: Observer) -> TermCounts:
    """Count the terms of all units, whose articles are given in order."""
    counts = TermCounts(len(docs))

    def work(low: int, high: int, texts: FoldedTexts, places: NDArray[np.int64]) -> tuple[int, Listed]:
        return high - low, counts.list(_headed(corpus, docs, low, high, texts, places))

    done = corpus.map_texts(docs, work)
    for _, listed in each(done, observer, "count terms", len(docs), lambda one: one[0]):
        counts.add(listed)
    return counts


def _read_terms(corpus: Corpus, chosen: Chosen, observer: Observer) -> Terms:
    """Count the terms of all units, then weigh those of each."""
    order = np.argsort(chosen.docs)
    docs = chosen.docs[order]
    counts = _count_terms(corpus, docs, observer)
    in_order = Terms.empty(len(docs))

    def work(low: int, high: int, texts: FoldedTexts, places: NDArray[np.int64]) -> int:
        headed = _headed(corpus, docs, low, high, texts, places)
        return counts.weigh(headed, low, high, in_order)

    for _ in each(corpus.map_texts(docs, work), observer, "weigh terms", len(docs), lambda one: one):
        pass
    return in_order.reordered(np.argsort(order))


def _store_terms(
    corpus: Corpus, chosen: Chosen, room: StoryRoom, observer: Observer
) -> tuple[StoredTerms, StoredPostings]:
    """As `_read_terms`, to files; and the telling terms to an inverted index."""
    units = np.argsort(chosen.docs)
    docs = chosen.docs[units]
    counts = _count_terms(corpus, docs, observer)
    terms, postings = room.for_terms(len(docs), corpus.config.n_threads)

    def work(
        low: int, high: int, texts: FoldedTexts, places: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], Terms, Posted]:
        own = Terms.empty(high - low)
        counts.weigh(_headed(corpus, docs, low, high, texts, places), 0, high - low, own)
        return units[low:high], own, post(own, units[low:high])

    done = corpus.map_texts(docs, work)
    for own, weighed, posted in each(done, observer, "weigh terms", len(docs), lambda one: len(one[0])):
        terms.add(own, weighed)
        postings.add(posted)
    return terms, postings


def _headed(
    corpus: Corpus,
    docs: NDArray[np.int64],
    low: int,
    high: int,
    texts: FoldedTexts,
    places: NDArray[np.int64],
) -> Headed:
    """Put the titles of some of `docs` before their texts."""
    titles = corpus.articles.take(docs[low:high], ["title"])["title"]
    return head(titles.combine_chunks(), texts, places, by_character=corpus.by_character)


def _spell_terms(corpus: Corpus, chosen: Chosen, fit: Fit, observer: Observer) -> list[list[str]]:
    """Return the terms that hold each story together, as they are first spelt in it."""
    docs_of_members = chosen.docs[fit.members]
    order = np.argsort(docs_of_members, kind="stable")
    docs = docs_of_members[order]
    story_of = np.repeat(np.arange(len(fit.offsets) - 1), np.diff(fit.offsets))[order]
    units = fit.members[order]

    def read(low: int, high: int, texts: FoldedTexts, places: NDArray[np.int64]) -> tuple[int, Named]:
        headed = _headed(corpus, docs, low, high, texts, places)
        return high - low, find_words(fit.names, story_of[low:high], units[low:high], headed)

    named = each(corpus.map_texts(docs, read), observer, "name terms", len(docs), lambda one: one[0])
    return spell(fit.names, (found for _, found in named))


def _stories(
    weighed: Weighed,
    times: NDArray[np.int64],
    edges: Edges,
    of_unit: NDArray[np.int64],
    fit: Fit,
    terms: list[list[str]],
) -> Stories:
    """Bring what was found for units to all articles."""
    chosen = weighed.chosen
    story_of = of_unit[chosen.unit_of]
    founder_of = _founders(story_of, times, chosen.id_ranks, len(of_unit))
    scores = np.ones(len(of_unit), dtype=np.float32)
    scores[fit.members] = fit.scores
    within = of_unit[edges.firsts] == of_unit[edges.seconds]
    kept = Edges(edges.firsts[within], edges.seconds[within], edges.similarities[within])
    return Stories(
        founders=founder_of[story_of],
        sizes=np.bincount(story_of, minlength=len(of_unit))[story_of].astype(np.int32),
        scores=scores[chosen.unit_of],
        pairs=np.sort(np.column_stack([chosen.docs[kept.firsts], chosen.docs[kept.seconds]]), axis=1),
        pair_scores=grouping.pair_scores(weighed.units, kept, weighed.linkage),
        told=founder_of[of_unit[fit.members[fit.offsets[:-1]]]],
        n_clusters=np.diff(fit.offsets).astype(np.int32),
        terms=terms,
        shares=fit.shares,
        n_units=len(of_unit),
        n_read=weighed.neighbours.n_read,
        n_compared=weighed.neighbours.n_compared,
    )


def _founders(
    story_of: NDArray[np.int64], times: NDArray[np.int64], id_ranks: NDArray[np.int64], n_stories: int
) -> NDArray[np.int64]:
    """Return the founding article of each story: the earliest, in input order where undated."""
    places = np.where(times == UNDATED, np.arange(len(times)), id_ranks)
    order = np.lexsort((places, times))[::-1]
    founders = np.full(n_stories, -1, dtype=np.int64)
    founders[story_of[order]] = order  # the first of the order is written last
    return founders
