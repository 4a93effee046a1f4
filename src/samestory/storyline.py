"""The order of the stages that find stories.

::

    clusters → units → count terms → weigh terms → find neighbours → group → score → name terms
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.corpus import Corpus
from samestory.identity import founding_ranks
from samestory.kernels.clusters import UNDATED
from samestory.kernels.story import groups
from samestory.normalise import FoldedTexts
from samestory.progress import Observer
from samestory.story import grouping
from samestory.story.explain import Named, find_words, spell
from samestory.story.grouping import DAY, Edges, Fit, Linkage, Units
from samestory.story.neighbours import Neighbours, Timeline, find_neighbours
from samestory.story.terms import Headed, TermCounts, Terms, head
from samestory.tabulate import Stories


@dataclass(frozen=True)
class _Chosen:
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
    """

    docs: NDArray[np.int64]
    times: NDArray[np.int64]
    unit_of: NDArray[np.int64]

    @property
    def days(self) -> NDArray[np.int64]:
        """Days since 1970, or `groups.UNDATED`."""
        return np.where(self.times == UNDATED, groups.UNDATED, self.times // DAY)


def find_stories(corpus: Corpus, founders: NDArray[np.int64], times: Any, observer: Observer) -> Stories:
    """Group the duplicate clusters of a corpus to stories.

    Parameters
    ----------
    corpus : Corpus
    founders : int64 array of shape (n,)
        The founding article of each one's cluster.
    times : int64 array of shape (n,)
        As `samestory.identity.founding_times` gives them.
    observer : callable

    Returns
    -------
    Stories
    """
    config = corpus.config
    id_ranks = founding_ranks(corpus.articles["doc_id"])
    chosen = _choose_units(founders, corpus.sketches.n_units, times, id_ranks)
    terms = _read_terms(corpus, chosen, observer)
    observer("neighbours", 0, None)
    n_dated = int(np.count_nonzero(chosen.times != UNDATED))
    window = int(config.story_window_days * DAY)
    neighbours = find_neighbours(terms, Timeline(chosen.times, n_dated, window), corpus.executor)
    observer("group", 0, None)
    linkage = Linkage(config.story_threshold, config.story_window_days)
    units = Units(terms, neighbours.levels(terms.numbers), chosen.days)
    edges = grouping.find_edges(neighbours, units.factors, linkage)
    of_unit = grouping.group(units, edges, linkage, corpus.executor)
    fit = grouping.fit(units, of_unit, linkage)
    words = _spell_terms(corpus, chosen, fit)
    return _stories(corpus, chosen, times, id_ranks, units, edges, of_unit, fit, words, linkage, neighbours)


def _choose_units(
    founders: NDArray[np.int64],
    n_units: NDArray[np.int32],
    times: NDArray[np.int64],
    id_ranks: NDArray[np.int64],
) -> _Chosen:
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
    return _Chosen(docs[order], medians[order], place_of[cluster_of])


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


def _read_terms(corpus: Corpus, chosen: _Chosen, observer: Observer) -> Terms:
    """Count the terms of all units, then weigh those of each."""
    order = np.argsort(chosen.docs)
    docs = chosen.docs[order]
    counts = TermCounts(len(docs))
    titles = corpus.articles["title"]

    def headed(low: int, high: int, texts: FoldedTexts, places: NDArray[np.int64]) -> Headed:
        own = titles.take(pa.array(docs[low:high]))
        return head(own.combine_chunks(), texts, places, by_character=corpus.by_character)

    observer("count terms", 0, len(docs))
    n_done = 0
    for n_read, listed in corpus.map_texts(
        docs, lambda low, high, texts, places: (high - low, counts.list(headed(low, high, texts, places)))
    ):
        counts.add(listed)
        n_done += n_read
        observer("count terms", n_done, len(docs))
    in_order = Terms.empty(len(docs))
    n_done = 0
    for n_read in corpus.map_texts(
        docs,
        lambda low, high, texts, places: counts.weigh(headed(low, high, texts, places), low, high, in_order),
    ):
        n_done += n_read
        observer("weigh terms", n_done, len(docs))
    return in_order.reordered(np.argsort(order))


def _spell_terms(corpus: Corpus, chosen: _Chosen, fit: Fit) -> list[list[str]]:
    """Return the terms that hold each story together, as they are first spelt in it."""
    docs_of_members = chosen.docs[fit.members]
    order = np.argsort(docs_of_members, kind="stable")
    docs = docs_of_members[order]
    titles = corpus.articles["title"]
    story_of = np.repeat(np.arange(len(fit.offsets) - 1), np.diff(fit.offsets))[order]

    def read(low: int, high: int, texts: FoldedTexts, places: NDArray[np.int64]) -> Named:
        own = titles.take(pa.array(docs[low:high])).combine_chunks()
        headed = head(own, texts, places, by_character=corpus.by_character)
        return find_words(fit.names, story_of[low:high], headed)

    return spell(fit.names, corpus.map_texts(docs, read))


def _stories(
    corpus: Corpus,
    chosen: _Chosen,
    times: NDArray[np.int64],
    id_ranks: NDArray[np.int64],
    units: Units,
    edges: Edges,
    of_unit: NDArray[np.int64],
    fit: Fit,
    words: list[list[str]],
    linkage: Linkage,
    neighbours: Neighbours,
) -> Stories:
    """Bring what was found for units to all articles."""
    n = len(corpus.articles)
    story_of = of_unit[chosen.unit_of]
    undated = times == UNDATED
    order = np.lexsort((np.where(undated, np.arange(n), id_ranks), times))
    founder_of = np.full(len(of_unit), -1, dtype=np.int64)
    founder_of[story_of[order[::-1]]] = order[::-1]
    scores = np.ones(len(of_unit), dtype=np.float32)
    scores[fit.members] = fit.scores
    within = of_unit[edges.firsts] == of_unit[edges.seconds]
    kept = Edges(edges.firsts[within], edges.seconds[within], edges.similarities[within])
    pairs = np.sort(np.column_stack([chosen.docs[kept.firsts], chosen.docs[kept.seconds]]), axis=1)
    return Stories(
        founders=founder_of[story_of],
        sizes=np.bincount(story_of, minlength=len(of_unit))[story_of].astype(np.int32),
        scores=scores[chosen.unit_of],
        pairs=pairs,
        pair_scores=grouping.pair_scores(units, kept, linkage),
        told=founder_of[of_unit[fit.members[fit.offsets[:-1]]]]
        if len(fit.members)
        else np.zeros(0, np.int64),
        n_clusters=np.diff(fit.offsets).astype(np.int32),
        terms=words,
        shares=fit.shares,
        n_units=len(of_unit),
        n_read=neighbours.n_read,
    )
