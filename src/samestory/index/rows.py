"""What a batch is told: one row for each article, as clusters.parquet has it, and what it met."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory import schema
from samestory.config import Config
from samestory.index.assign import Batch
from samestory.index.compare import count_pairs
from samestory.index.lexicon import gather
from samestory.index.state import Ints, State

_NONE: Final = np.zeros(0, dtype=np.int64)
_RELATIONS: Final = pa.array(
    [schema.UNIQUE, schema.REPRESENTATIVE, schema.EXACT, schema.NEAR, schema.PARTIAL, schema.LINKED]
)


def tell(state: State, articles: pa.RecordBatch, batch: Batch, config: Config) -> pa.Table:
    """Return the assignment of each row of a batch: `samestory.schema.ASSIGNED`.

    Parameters
    ----------
    state : State
        With the batch.
    articles : pyarrow.RecordBatch
        What was handed in.
    batch : Batch
    config : Config
    """
    met = _Met(state, batch, config)
    state.articles.put("matched", batch.came, met.matched)
    state.articles.put("is_new", batch.came, met.is_new)
    _note_merges(state, batch, met)
    own = batch.of_row
    columns = {
        **describe(state, own, config),
        **{name: articles[name] for name in ("doc_id", *schema.METADATA_COLUMNS)},
        "matched_id": _ids(state, state.articles["matched"][own]),
        "is_new": pa.array(state.articles["is_new"][own] > 0),
        "merged_cluster_ids": _merged(state, own),
    }
    return pa.table([columns[name] for name in schema.ASSIGNED.names], schema=schema.ASSIGNED)


def describe(state: State, articles: Ints, config: Config) -> dict[str, Any]:
    """Return the columns of clusters.parquet that the index knows of some articles."""
    texts = state.texts
    own = state.articles["text"][articles].astype(np.int64)
    label = texts["cluster"][own].astype(np.int64)
    kept = texts["kept"][label].astype(np.int64)
    other = state.articles["text"][kept].astype(np.int64)
    size = texts["n_members"][label]
    differ = own != other
    shared = texts["n_shingles"][own].astype(np.int64)
    shared[differ] = count_pairs(state, own[differ], other[differ], config)
    n_own, n_other = (texts["n_shingles"][rows].astype(np.int64) for rows in (own, other))
    jaccard = _ratio(shared, n_own + n_other - shared)
    containment = _ratio(shared, n_own)
    relation = np.full(len(own), 5, dtype=np.int64)
    larger_way = shared / np.maximum(np.minimum(n_own, n_other), 1)
    relation[(larger_way >= config.containment) & (shared >= config.evidence)] = 4
    relation[shared / np.maximum(n_own + n_other - shared, 1) >= config.threshold] = 3
    relation[~differ] = 2
    relation[kept == articles] = 1
    relation[size == 1] = 0
    n_removed = state.articles["n_removed"][articles].astype(np.float64)
    return {
        "cluster_id": _ids(state, texts["founder"][label]),
        "cluster_size": pa.array(size),
        "representative_id": _ids(state, kept),
        "relation": _RELATIONS.take(pa.array(relation)),
        "jaccard": pa.array(jaccard),
        "containment": pa.array(containment),
        **_stories(state, articles, config),
        "n_shingles": pa.array(texts["n_shingles"][own]),
        "boilerplate_ratio": pa.array(
            (n_removed / np.maximum(n_removed + texts["n_units"][own], 1.0)).astype(np.float32)
        ),
    }


def _stories(state: State, articles: Ints, config: Config) -> dict[str, Any]:
    n = len(articles)
    if config.level != "story":
        kinds = {"story_id": pa.string(), "story_size": pa.int32(), "story_score": pa.float32()}
        return {name: pa.nulls(n, kind) for name, kind in kinds.items()}
    columns = state.articles
    founder = columns["story"][articles]
    return {
        "story_id": _ids(state, founder),
        "story_size": pa.array(columns["story_size"][founder]),
        "story_score": pa.array(columns["story_score"][articles]),
    }


def _ratio(part: Ints, whole: Ints) -> NDArray[np.float32]:
    ratio: NDArray[np.float64] = np.divide(part, whole, out=np.ones(len(whole)), where=whole > 0)
    return ratio.astype(np.float32)


def _ids(state: State, articles: NDArray[Any]) -> Any:
    """Return the ids of articles, null for -1."""
    places = np.maximum(articles, 0).astype(np.int64)
    if not state.articles.n:
        return pa.nulls(len(articles), pa.string())
    ends = state.articles["id_end"]
    begins = np.where(places > 0, ends[places - 1], 0)
    lengths = np.where(articles >= 0, ends[places] - begins, 0)
    letters = np.frombuffer(state.ids, dtype=np.uint8)
    found = gather(letters.__array_interface__["data"][0] + begins, lengths)
    offsets = pa.py_buffer(found.offsets.astype(np.int32))
    valid = pa.array(articles >= 0).buffers()[1] if (articles < 0).any() else None
    return pa.StringArray.from_buffers(len(articles), offsets, pa.py_buffer(found.codes), valid)


class _Met:
    """What new articles have met.

    Attributes
    ----------
    matched : int64 array
        The best earlier article of each new one, -1 where there is none.
    is_new : bool array
    ranks : int64 array
        The place of each new article in founding order.
    joined : dict of int to list of int
        By label, the clusters of before that are part of a cluster now, by their founders.
    """

    def __init__(self, state: State, batch: Batch, config: Config) -> None:
        self._state = state
        came = batch.came
        self._first = int(came[0]) if len(came) else state.articles.n
        self.ranks = self._founding_ranks(came)
        texts = state.articles["text"][came].astype(np.int64)
        self.joined = self._joined(batch)
        label = state.texts["cluster"][texts].astype(np.int64)
        founder = state.texts["founder"][label]
        is_old = np.array([one in self.joined for one in label.tolist()], dtype=np.bool_)
        self.is_new = ~is_old & (founder == came)
        self.matched = self._same_text(came, texts)
        open_ = np.flatnonzero((self.matched < 0) & ~self.is_new)
        if len(open_):
            self._match(batch, open_, came, texts)
            rest = open_[self.matched[open_] < 0]
            self.matched[rest] = self._first_known(came[rest], label[rest])

    def _founding_ranks(self, came: Ints) -> Ints:
        """Return the place of each new article in founding order."""
        columns = self._state.articles
        times = columns["time"][came]
        ids = [self._state.id_bytes(a) for a in came.tolist()]
        undated = np.iinfo(np.int64).max
        order = sorted(range(len(came)), key=lambda k: (times[k], b"" if times[k] == undated else ids[k], k))
        ranks = np.empty(len(came), dtype=np.int64)
        ranks[order] = np.arange(len(came))
        return ranks

    def _is_earlier(self, other: Ints, came: Ints) -> NDArray[np.bool_]:
        """Whether other articles were there before new ones, or come before them in the batch."""
        is_old = other < self._first
        places = np.where(is_old, 0, other - self._first)
        return np.asarray(is_old | (self.ranks[places] < self.ranks[came - self._first]))

    def _same_text(self, came: Ints, texts: Ints) -> Ints:
        """Return the first of the earlier articles with the same text."""
        matched = np.full(len(came), -1, dtype=np.int64)
        several = np.flatnonzero(self._state.texts["n_articles"][texts] > 1)
        if not len(several):
            return matched
        own, places = np.unique(texts[several], return_inverse=True)
        offsets, listed = self._state.articles_of(own)
        _, firsts = self._state.earliest(np.repeat(np.arange(len(own)), np.diff(offsets)), listed, "earliest")
        other = firsts[places]
        if len(listed) and (listed < self._first).any():  # one that was there before counts more
            was = np.repeat(np.arange(len(own)), np.diff(offsets))
            old = listed < self._first
            groups, articles = self._state.earliest(was[old], listed[old], "earliest")
            firsts[groups] = articles
            other = firsts[places]
        fits = (other != came[several]) & self._is_earlier(other, came[several])
        matched[several[fits]] = other[fits]
        return matched

    def _match(self, batch: Batch, open_: Ints, came: Ints, texts: Ints) -> None:
        """Fill in the earlier article that each has most in common with."""
        state = self._state
        wanted = np.unique(texts[open_])
        first, second, shared = batch.near
        _, edges = state.edges_of(wanted)
        edges = np.unique(edges)
        e = state.edges
        edges = edges[e["is_kept"][edges] > 0]
        a = np.concatenate([first, second, e["first"][edges], e["second"][edges]]).astype(np.int64)
        b = np.concatenate([second, first, e["second"][edges], e["first"][edges]]).astype(np.int64)
        n = np.concatenate([shared, shared, e["shared"][edges], e["shared"][edges]]).astype(np.int64)
        own = np.isin(a, wanted)
        a, b, n = a[own], b[own], n[own]
        if not len(a):
            return
        n_shingles = (
            state.texts["n_shingles"].astype(np.int64) if len(a) > 4096 else state.texts["n_shingles"]
        )
        jaccard = n / np.maximum(n_shingles[a].astype(np.int64) + n_shingles[b] - n, 1)
        others, places = np.unique(b, return_inverse=True)
        offsets, listed = state.articles_of(others)
        _, firsts = state.earliest(np.repeat(np.arange(len(others)), np.diff(offsets)), listed, "earliest")
        article = firsts[places]
        order = np.lexsort((article, -n, -jaccard, a))
        a, article = a[order], article[order]
        begins, ends = np.searchsorted(a, texts[open_]), np.searchsorted(a, texts[open_], side="right")
        counts = ends - begins
        owner = np.repeat(open_, counts)
        listed = article[np.repeat(begins - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())]
        fits = np.flatnonzero(self._is_earlier(listed, came[owner]))
        self.matched[owner[fits][::-1]] = listed[fits][::-1]  # the first of each is written last

    def _first_known(self, came: Ints, labels: Ints) -> Ints:
        """Return an earlier article of each one's cluster, where it has met none of them itself."""
        state = self._state
        kept, founder = (state.texts[name][labels].astype(np.int64) for name in ("kept", "founder"))
        known = np.where((kept != came) & self._is_earlier(kept, came), kept, founder)
        for k in np.flatnonzero(known == came).tolist():  # it founds what was there before: once a cluster
            _, members = state.members("cluster", labels[k : k + 1])
            _, listed = state.articles_of(members)
            old = listed[listed < self._first]
            _, known[k : k + 1] = state.earliest(np.zeros(len(old), dtype=np.int64), old, "earliest")
        return known

    def _joined(self, batch: Batch) -> dict[int, list[int]]:
        """Return by label the founders of the clusters of before that are part of it."""
        texts = self._state.texts
        rows, old = texts.before("cluster")
        pairs = {
            (int(now), int(was))
            for now, was in zip(texts["cluster"][rows].tolist(), old.tolist(), strict=True)
            if was >= 0
        }
        n_rows, n_old = texts.before("n_texts")
        had = dict(zip(n_rows.tolist(), n_old.tolist(), strict=True))
        # A text that was the label of a cluster once, and not lately, still has that one's numbers.
        labels = dict(zip(rows.tolist(), old.tolist(), strict=True))
        pairs |= {
            (label, label)
            for label in batch.clusters.tolist()
            if had.get(label, 0) > 0 and labels.get(label, label) == label
        }
        f_rows, f_old = texts.before("founder")
        founders = dict(zip(f_rows.tolist(), f_old.tolist(), strict=True))
        joined: dict[int, list[int]] = {}
        for now, was in sorted(pairs):
            founder = founders.get(was, int(texts["founder"][was]))
            joined.setdefault(now, []).append(int(founder))
        return joined


def _note_merges(state: State, batch: Batch, met: _Met) -> None:
    """Note which clusters each new article has joined together: the first one of a cluster has done it."""
    labels = state.texts["cluster"][state.articles["text"][batch.came]].astype(np.int64)
    order = np.argsort(met.ranks) if len(batch.came) else _NONE
    _, firsts = np.unique(labels[order], return_index=True)
    articles, merged = [], []
    for k in np.sort(order[firsts]).tolist():
        label = int(labels[k])
        founders = met.joined.get(label, [])
        if len(founders) > 1 or (founders and founders[0] != int(state.texts["founder"][label])):
            times = state.articles["time"][np.array(founders, dtype=np.int64)].tolist()
            by_time = sorted(zip(times, map(state.id_of, founders), founders, strict=True))
            merged += [founder for _, _, founder in by_time]
            articles += [int(batch.came[k])] * len(founders)
    state.merges.extend(len(merged), article=articles, founder=merged)


def _merged(state: State, articles: Ints) -> Any:
    """Return for each of some articles the ids of the clusters that it joined together when it came."""
    listed, founders = state.merges["article"], state.merges["founder"]
    begins, ends = (np.searchsorted(listed, articles, side=side) for side in ("left", "right"))
    offsets = np.concatenate([[0], np.cumsum(ends - begins)]).astype(np.int64)
    places = np.repeat(begins - offsets[:-1], np.diff(offsets)) + np.arange(offsets[-1])
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), _ids(state, founders[places]))
