"""Stages 4 and 6: exact overlap of every candidate, and the clusters that follow.

A pair belongs together if it met in a bucket and its exact Jaccard similarity
is at or over the threshold, or if its folded texts are equal; a cluster is a
connected component of such pairs (Hopcroft and Tarjan 1973, here by
union-find). In components of more than `MOST_TOGETHER` distinct texts not every
pair is looked at, but which are depends on the set of articles alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.band import Components
from samestory.config import Config
from samestory.drift import founding_order, split_by_founder
from samestory.kernels import clusters as kernel
from samestory.kernels.buckets import list_components
from samestory.kernels.overlap import (
    MOST_TOGETHER,
    count_merged_pairs,
    count_shared,
    find_copies,
    hash_sorted,
)
from samestory.normalise import FoldedTexts
from samestory.roundups import cut_round_ups
from samestory.signature import Sketches

RULES: Final = {"earliest": kernel.EARLIEST, "longest": kernel.LONGEST, "first": kernel.FIRST}


@dataclass(frozen=True)
class Articles:
    """What decides who founds and who represents a cluster, of all n articles.

    Attributes
    ----------
    times : int64 array of shape (n,)
        Microseconds since 1970, or `kernels.clusters.UNDATED`.
    ids, id_offsets : arrays
        Bytes of the doc_ids and where each begins.
    """

    times: NDArray[np.int64]
    ids: NDArray[np.uint8]
    id_offsets: NDArray[np.int64]

    def id_of(self, doc: int) -> bytes:
        """Return the id of an article."""
        return self.ids[self.id_offsets[doc] : self.id_offsets[doc + 1]].tobytes()


@dataclass(frozen=True)
class Verified:
    """Clusters of the articles of some components, given by their numbers in the corpus.

    Attributes
    ----------
    docs : int64 array of shape (m,)
    founders, representatives : int64 arrays of shape (m,)
        Of each one's cluster.
    sizes : int64 array of shape (m,)
        Articles in the cluster.
    relations : int8 array of shape (m,)
        To the representative, as `samestory.kernels.clusters` numbers them.
    shared_with : int32 array of shape (m,)
        Shingles shared with the representative.
    pairs : int64 array of shape (p, 4)
        doc, later doc, relation, shingles shared.
    """

    docs: NDArray[np.int64]
    founders: NDArray[np.int64]
    representatives: NDArray[np.int64]
    sizes: NDArray[np.int64]
    relations: NDArray[np.int8]
    shared_with: NDArray[np.int32]
    pairs: NDArray[np.int64]

    def without(self, dropped: NDArray[np.bool_]) -> Verified:
        """Return the same without the articles marked among all of the corpus."""
        kept = ~dropped[self.docs]
        if kept.all():
            return self
        return Verified(
            self.docs[kept],
            self.founders[kept],
            self.representatives[kept],
            self.sizes[kept],
            self.relations[kept],
            self.shared_with[kept],
            self.pairs[~dropped[self.pairs[:, 0]]],
        )


@dataclass(frozen=True)
class _Groups:
    """Sets of up to `MOST_TOGETHER` distinct texts, and what every two of one set share."""

    offsets: NDArray[np.int64]
    texts: NDArray[np.int64]
    shared_offsets: NDArray[np.int64]
    shared: NDArray[np.int32]
    group_of: NDArray[np.int64]
    place_of: NDArray[np.int64]


@dataclass(frozen=True)
class _Crowd:
    """A component of more distinct texts than are compared all with all, joined bucket by bucket.

    Attributes
    ----------
    texts : int64 array
        Its texts, as members.
    lists, list_offsets : arrays
        The distinct shingle hashes of each, sorted.
    edges : int64 array of shape (e, 3)
        member, later member, shingles shared.
    sets, set_sizes : int64 arrays
        The texts of those of its clusters that are small enough to be compared all with all.
    """

    texts: NDArray[np.int64]
    lists: NDArray[np.uint64]
    list_offsets: NDArray[np.int64]
    edges: NDArray[np.int64]
    sets: NDArray[np.int64]
    set_sizes: NDArray[np.int64]


def verify(
    components: Components,
    texts: FoldedTexts,
    sketches: Sketches,
    articles: Articles,
    config: Config,
    originals: NDArray[np.int64] | None = None,
) -> Verified:
    """Verify and cluster the articles of some components.

    Parameters
    ----------
    components : Components
    texts : FoldedTexts
        Of ``components.docs``, in that order.
    sketches, articles
        Of the whole corpus.
    config : Config
    originals : int64 array, optional
        For each member the first of its component with the same text, where that is known; only these
        texts are looked at then.

    Returns
    -------
    Verified
    """
    docs = components.docs
    if originals is None:
        originals = find_copies(docs, components.offsets, texts.data, texts.offsets, sketches.text_keys)
    band_keys = sketches.band_keys_of(docs)
    parents = originals.copy()
    small_texts, small_sizes, large = _sort_out(components, originals)
    crowds = [_join_crowd(crowd_texts, docs, texts, sketches, band_keys, config) for crowd_texts in large]
    edges = np.concatenate([_NO_EDGES, *(crowd.edges for crowd in crowds)])
    kernel.join_edges(edges[:, 0].copy(), edges[:, 1].copy(), parents)
    groups = _count(
        np.concatenate([small_texts, *(crowd.sets for crowd in crowds)]),
        np.concatenate([small_sizes, *(crowd.set_sizes for crowd in crowds)]),
        texts,
        sketches.n_shingles[docs],
        config,
    )
    group_edges = np.empty((len(groups.texts), 3), dtype=np.int64)
    n_edges = kernel.join_groups(
        groups.offsets,
        groups.texts,
        np.arange(len(docs)),
        groups.shared_offsets,
        groups.shared,
        config.threshold,
        band_keys,
        parents,
        group_edges,
    )
    edges = np.concatenate([edges, group_edges[:n_edges]])
    return _describe(docs, originals, parents, groups, crowds, edges, sketches, articles, config)


@dataclass(frozen=True)
class Linked:
    """Clusters that candidates for partial copies connect, before these are verified.

    Attributes
    ----------
    components : Components
        The articles of the clusters.
    founders : int64 array of shape (n,)
        Of the cluster of each article of the corpus, as verified so far.
    pairs : int64 array of shape (p, 2)
        The candidates: doc, later doc.
    near_edges : int64 array of shape (e, 3)
        The pairs that hold the clusters together: doc, later doc, shingles shared.
    """

    components: Components
    founders: NDArray[np.int64]
    pairs: NDArray[np.int64]
    near_edges: NDArray[np.int64]

    def of(self, components: Components) -> Linked:
        """Return the same for some of the components only."""
        docs = components.docs
        return Linked(
            components,
            self.founders,
            self.pairs[np.isin(self.pairs[:, 0], docs)],
            self.near_edges[np.isin(self.near_edges[:, 0], docs)],
        )


@dataclass(frozen=True)
class Related:
    """Clusters with their partial copies; and how many pairs did not join, for they have a round-up."""

    verified: Verified
    n_cut: int
    n_round_ups: int


def find_founders(verified: list[Verified], n: int) -> NDArray[np.int64]:
    """Return the founding article of each article's cluster, of all n of the corpus."""
    founders = np.arange(n, dtype=np.int64)
    for part in verified:
        founders[part.docs] = part.founders
    return founders


def link(
    verified: list[Verified], founders: NDArray[np.int64], pairs: NDArray[np.int64], *, everything: bool
) -> tuple[list[Verified], Linked]:
    """Part the clusters that candidates connect from those that they leave alone.

    Parameters
    ----------
    verified : list of Verified
    founders : int64 array of shape (n,)
    pairs : int64 array of shape (p, 2)
    everything : bool
        Whether to take all clusters as connected, for they may be split again.

    Returns
    -------
    untouched : list of Verified
        What was verified, without the clusters that are connected now.
    linked : Linked
    """
    n = len(founders)
    parents = np.arange(n, dtype=np.int64)
    kernel.join_edges(np.arange(n), founders, parents)
    kernel.join_edges(pairs[:, 0].copy(), pairs[:, 1].copy(), parents)
    is_linked = np.zeros(n, dtype=np.bool_)
    is_linked[parents[pairs[:, 0]]] = True
    in_linked = is_linked[parents]
    if everything:
        in_linked = (np.bincount(parents, minlength=n) > 1)[parents]
    members, offsets = list_components(np.where(in_linked, parents, np.arange(n)).astype(np.int32))
    own = [part.pairs[in_linked[part.pairs[:, 0]]] for part in verified]
    near = [rows[rows[:, 2] != kernel.RELATION_EXACT][:, [0, 1, 3]] for rows in own]
    untouched = [part.without(in_linked) for part in verified]
    return untouched, Linked(
        Components(members, offsets), founders, pairs, np.concatenate([_NO_EDGES, *near])
    )


def relate(
    linked: Linked,
    texts: FoldedTexts,
    sketches: Sketches,
    articles: Articles,
    config: Config,
    originals: NDArray[np.int64] | None = None,
) -> Related:
    """Verify the candidates for partial copies, join the clusters and describe them anew.

    Parameters
    ----------
    linked : Linked
    texts : FoldedTexts
        Of ``linked.components.docs``, in that order.
    sketches, articles
        Of the whole corpus.
    config : Config
        With a `founder_overlap` over 0, clusters that have drifted are split.
    originals : int64 array, optional
        As for `verify`.
    """
    components = linked.components
    docs = components.docs
    member_of = _member_finder(docs)
    if originals is None:
        originals = find_copies(docs, components.offsets, texts.data, texts.offsets, sketches.text_keys)
    small_texts, small_sizes, large = _sort_out(components, originals)
    crowds = [_list_crowd(crowd_texts, docs, texts, sketches, config) for crowd_texts in large]
    groups = _count(small_texts, small_sizes, texts, sketches.n_shingles[docs], config)
    edges = _verify_pairs(member_of(linked.pairs), docs, originals, groups, crowds, sketches, config)

    def lists_of(wanted: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        return _hash_members(originals[member_of(wanted)], docs, texts, sketches, config)

    joined = cut_round_ups(edges, sketches, lists_of)
    edges = edges[joined.kept]
    roots = np.arange(len(docs), dtype=np.int64)
    kernel.join_edges(np.arange(len(docs)), member_of(linked.founders[docs]), roots)
    kernel.join_edges(member_of(edges[:, 0]), member_of(edges[:, 1]), roots)
    edges = np.concatenate([edges, linked.near_edges])
    own_edges = np.column_stack([member_of(edges[:, :2]), edges[:, 2]])

    def count_again(roots: NDArray[np.int64]) -> tuple[_Groups, list[_Crowd]]:
        parted = [_with_small_sets(crowd, roots) for crowd in crowds]
        if not parted:
            return groups, []
        own_texts = np.concatenate([small_texts, *(crowd.sets for crowd in parted)])
        own_sizes = np.concatenate([small_sizes, *(crowd.set_sizes for crowd in parted)])
        return _count(own_texts, own_sizes, texts, sketches.n_shingles[docs], config), parted

    groups, crowds = count_again(roots)
    if config.founder_overlap:
        roots = _split_drifted(docs, originals, roots, groups, crowds, own_edges, articles, config)
        groups, crowds = count_again(roots)
    verified = _describe(docs, originals, roots, groups, crowds, own_edges, sketches, articles, config)
    return Related(verified, int((~joined.kept).sum()), joined.n_round_ups)


def _member_finder(docs: NDArray[np.int64]) -> Callable[[NDArray[np.int64]], NDArray[np.int64]]:
    """Return a function from docs to their places among those handed in."""
    order = np.argsort(docs, kind="stable")
    ordered = docs[order]
    return lambda wanted: order[np.searchsorted(ordered, wanted)] if wanted.size else wanted.copy()


def _hash_members(
    members: NDArray[np.int64],
    docs: NDArray[np.int64],
    texts: FoldedTexts,
    sketches: Sketches,
    config: Config,
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    lists, offsets = hash_sorted(
        members,
        texts.data,
        texts.offsets,
        config.shingle_unit == "char",
        config.shingle_size,
        sketches.n_shingles[docs[members]],
    )
    return lists, offsets


def count_shared_of(
    pairs: NDArray[np.int64], docs: NDArray[np.int64], texts: FoldedTexts, sketches: Sketches, config: Config
) -> NDArray[np.int32]:
    """Count the shingles that the two articles of each pair share.

    Parameters
    ----------
    pairs : int64 array of shape (p, 2)
    docs : int64 array
        Among which are those of the pairs, each once.
    texts : FoldedTexts
        Of `docs`, in that order.
    """
    lists, offsets = _hash_members(np.arange(len(docs)), docs, texts, sketches, config)
    find = _member_finder(docs)
    return count_merged_pairs(find(pairs[:, 0].copy()), find(pairs[:, 1].copy()), lists, offsets)


def _verify_pairs(
    pairs: NDArray[np.int64],
    docs: NDArray[np.int64],
    originals: NDArray[np.int64],
    groups: _Groups,
    crowds: list[_Crowd],
    sketches: Sketches,
    config: Config,
) -> NDArray[np.int64]:
    """Return the candidates, given by member, that are near or partial copies: docs, and shingles shared."""
    first, second = originals[pairs[:, 0]], originals[pairs[:, 1]]
    shared = np.full(len(pairs), -1, dtype=np.int64)
    in_group = groups.group_of[first] >= 0
    g = groups.group_of[first[in_group]]
    width = np.diff(groups.offsets)[g]
    places = groups.place_of[first[in_group]] * width + groups.place_of[second[in_group]]
    shared[in_group] = groups.shared[groups.shared_offsets[g] + places]
    for crowd in crowds:
        place_of = np.full(len(docs), -1, dtype=np.int64)
        place_of[crowd.texts] = np.arange(len(crowd.texts))
        own = np.flatnonzero(place_of[first] >= 0)
        shared[own] = count_merged_pairs(
            place_of[first[own]], place_of[second[own]], crowd.lists, crowd.list_offsets
        )
    sizes = sketches.n_shingles[docs].astype(np.int64)
    n_first, n_second = sizes[pairs[:, 0]], sizes[pairs[:, 1]]
    is_near = shared / np.maximum(n_first + n_second - shared, 1) >= config.threshold
    is_partial = shared / np.maximum(np.minimum(n_first, n_second), 1) >= config.containment
    is_edge = is_near | (is_partial & (shared >= config.evidence))
    edges = np.column_stack([docs[pairs], shared])[is_edge]
    return np.asarray(edges, dtype=np.int64)


def _split_drifted(
    docs: NDArray[np.int64],
    originals: NDArray[np.int64],
    clusters: NDArray[np.int64],
    groups: _Groups,
    crowds: list[_Crowd],
    edges: NDArray[np.int64],
    articles: Articles,
    config: Config,
) -> NDArray[np.int64]:
    """Split each cluster whose members have drifted; return the new root of each member.

    Parameters
    ----------
    clusters : int64 array
        The root of each member so far.
    """
    places = founding_order(docs, articles.times, articles.id_of, int(kernel.UNDATED))
    rank_of_text = np.full(len(docs), len(docs), dtype=np.int64)
    rank_of_place = np.empty(len(docs), dtype=np.int64)
    rank_of_place[places] = np.arange(len(docs))
    np.minimum.at(rank_of_text, originals, rank_of_place)
    founder_of_text = np.arange(len(docs), dtype=np.int64)
    for g in range(len(groups.offsets) - 1):
        members = groups.texts[groups.offsets[g] : groups.offsets[g + 1]]
        shared = groups.shared[groups.shared_offsets[g] : groups.shared_offsets[g + 1]]
        order = np.argsort(rank_of_text[members])
        overlaps, related = _compare_group(shared.reshape(len(members), -1), config)
        related &= clusters[members][:, None] == clusters[members][None, :]
        overlaps *= clusters[members][:, None] == clusters[members][None, :]
        neighbours = [np.flatnonzero(row) for row in related]
        founders = split_by_founder(
            order, overlaps.__getitem__, neighbours.__getitem__, config.founder_overlap
        )
        founder_of_text[members] = members[founders]
    for crowd in crowds:
        places = np.flatnonzero(groups.group_of[crowd.texts] < 0)
        for cluster in np.unique(clusters[crowd.texts[places]]):
            own = places[clusters[crowd.texts[places]] == cluster]
            founder_of_text[crowd.texts[own]] = _split_crowd(crowd, own, rank_of_text, edges, config)
    roots: NDArray[np.int64] = founder_of_text[originals]
    firsts = np.full(len(docs), len(docs), dtype=np.int64)
    np.minimum.at(firsts, roots, np.arange(len(docs)))
    return firsts[roots]


def _compare_group(
    shared: NDArray[np.int32], config: Config
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the containment (the larger way) of every two texts, and whether they are copies."""
    sizes = np.maximum(np.diag(shared).astype(np.float64), 1.0)
    overlaps = shared / np.minimum(sizes[:, None], sizes[None, :])
    jaccard = shared / np.maximum(sizes[:, None] + sizes[None, :] - shared, 1.0)
    is_partial = (overlaps >= config.containment) & (shared >= config.evidence)
    return overlaps, (jaccard >= config.threshold) | is_partial


def _split_crowd(
    crowd: _Crowd,
    own: NDArray[np.int64],
    rank_of_text: NDArray[np.int64],
    edges: NDArray[np.int64],
    config: Config,
) -> NDArray[np.int64]:
    """Split a cluster of many texts, given by their places in a crowd, by the edges that are known."""
    n = len(own)
    texts = crowd.texts[own]
    place_of = np.full(len(rank_of_text), -1, dtype=np.int64)
    place_of[texts] = np.arange(n)
    ends = place_of[edges[:, :2]]
    ends = ends[(ends >= 0).all(axis=1)]
    both = np.concatenate([ends, ends[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    begins = np.searchsorted(both[:, 0], np.arange(n + 1))
    sizes = np.diff(crowd.list_offsets)[own].astype(np.float64)

    copies: dict[int, NDArray[np.int64]] = {}

    def overlap_with(i: int) -> NDArray[np.float64]:
        one = np.full(n, own[i], dtype=np.int64)
        shared = count_merged_pairs(one, own, crowd.lists, crowd.list_offsets)
        overlaps = shared / np.maximum(np.minimum(sizes, sizes[i]), 1.0)
        copies[i] = np.flatnonzero((overlaps >= config.containment) & (shared >= config.evidence))
        return np.asarray(overlaps)

    def neighbours_of(i: int) -> NDArray[np.int64]:
        known = both[begins[i] : begins[i + 1], 1]
        return np.concatenate([known, copies[i]]) if i in copies else known

    founders = split_by_founder(
        np.argsort(rank_of_text[texts]),
        overlap_with,
        neighbours_of,
        config.founder_overlap,
    )
    return texts[founders]


def _with_small_sets(crowd: _Crowd, roots: NDArray[np.int64]) -> _Crowd:
    """Return a crowd with the sets of its clusters that are small now."""
    _, own = np.unique(roots[crowd.texts], return_inverse=True)
    parents = np.empty(len(own), dtype=np.int64)
    firsts = np.full(len(own), len(own), dtype=np.int64)
    np.minimum.at(firsts, own, np.arange(len(own)))
    parents[:] = firsts[own]
    sets, set_sizes = _small_sets(crowd.texts, parents)
    return dataclasses.replace(crowd, sets=sets, set_sizes=set_sizes)


_NO_EDGES: Final[NDArray[np.int64]] = np.empty((0, 3), dtype=np.int64)


def _sort_out(
    components: Components, originals: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[NDArray[np.int64]]]:
    """Part the components by their number of distinct texts.

    Returns
    -------
    texts, sizes : int64 arrays
        The texts of the components of up to `MOST_TOGETHER`, and how many each has.
    large : list of int64 arrays
        The texts of each larger component.
    """
    is_original = originals == np.arange(len(originals))
    sizes = np.add.reduceat(is_original, components.offsets[:-1], dtype=np.int64)
    is_large = sizes > MOST_TOGETHER
    in_large = np.repeat(is_large, np.diff(components.offsets))
    large = [
        begin + np.flatnonzero(is_original[begin:end])
        for begin, end in zip(
            components.offsets[:-1][is_large], components.offsets[1:][is_large], strict=True
        )
    ]
    return np.flatnonzero(is_original & ~in_large), sizes[~is_large], large


def _list_crowd(
    crowd_texts: NDArray[np.int64],
    docs: NDArray[np.int64],
    texts: FoldedTexts,
    sketches: Sketches,
    config: Config,
) -> _Crowd:
    """Hash the texts of one large cluster."""
    lists, list_offsets = hash_sorted(
        crowd_texts,
        texts.data,
        texts.offsets,
        config.shingle_unit == "char",
        config.shingle_size,
        sketches.n_shingles[docs[crowd_texts]],
    )
    nothing = np.empty(0, dtype=np.int64)
    return _Crowd(crowd_texts, lists, list_offsets, _NO_EDGES, nothing, nothing)


def _join_crowd(
    crowd_texts: NDArray[np.int64],
    docs: NDArray[np.int64],
    texts: FoldedTexts,
    sketches: Sketches,
    band_keys: NDArray[np.uint64],
    config: Config,
) -> _Crowd:
    """Join the texts of one large component, whose band keys are given by member."""
    n = len(crowd_texts)
    crowd_docs = docs[crowd_texts]
    lists, list_offsets = hash_sorted(
        crowd_texts,
        texts.data,
        texts.offsets,
        config.shingle_unit == "char",
        config.shingle_size,
        sketches.n_shingles[crowd_docs],
    )
    parents = np.arange(n, dtype=np.int64)
    degrees = np.zeros(n, dtype=np.int64)
    edges = np.empty((n, 3), dtype=np.int64)
    n_edges = 0
    text_keys = sketches.text_keys[crowd_docs]
    n_bands = len(band_keys)
    for turn in range(2 * n_bands):  # each band again, when the hubs are known
        keys = band_keys[turn % n_bands][crowd_texts]
        order = np.lexsort((text_keys * np.uint64(2 * turn + 3) ^ text_keys >> np.uint64(turn + 1), keys))
        n_edges = kernel.join_bucketwise(
            order, keys, lists, list_offsets, config.threshold, parents, degrees, edges, n_edges
        )
    edges = edges[:n_edges]
    edges[:, :2] = crowd_texts[edges[:, :2]]
    return _Crowd(crowd_texts, lists, list_offsets, edges, *_small_sets(crowd_texts, parents))


def _small_sets(
    crowd_texts: NDArray[np.int64], parents: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the texts of the clusters of up to `MOST_TOGETHER` texts, one after another, and their sizes."""
    kernel.settle(parents)
    order = np.argsort(parents, kind="stable")
    starts = np.flatnonzero(np.diff(parents[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    is_small = sizes <= MOST_TOGETHER
    return crowd_texts[order[np.repeat(is_small, sizes)]], sizes[is_small]


def _count(
    set_texts: NDArray[np.int64],
    counts: NDArray[np.int64],
    texts: FoldedTexts,
    n_shingles: NDArray[np.int32],
    config: Config,
) -> _Groups:
    """Count what every two texts of each set share."""
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    shared_offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts * counts, out=shared_offsets[1:])
    shared = np.empty(int(shared_offsets[-1]), dtype=np.int32)
    count_shared(
        offsets,
        set_texts,
        texts.data,
        texts.offsets,
        config.shingle_unit == "char",
        config.shingle_size,
        n_shingles,
        shared_offsets,
        shared,
    )
    group_of = np.full(len(n_shingles), -1, dtype=np.int64)
    place_of = np.full(len(n_shingles), -1, dtype=np.int64)
    group_of[set_texts] = np.repeat(np.arange(len(counts)), counts)
    place_of[set_texts] = np.arange(len(set_texts)) - np.repeat(offsets[:-1], counts)
    return _Groups(offsets, set_texts, shared_offsets, shared, group_of, place_of)


def _describe(
    docs: NDArray[np.int64],
    originals: NDArray[np.int64],
    parents: NDArray[np.int64],
    groups: _Groups,
    crowds: list[_Crowd],
    edges: NDArray[np.int64],
    sketches: Sketches,
    articles: Articles,
    config: Config,
) -> Verified:
    """Choose founders and representatives, relate each member to the latter, and list the pairs."""
    m = len(docs)
    roots = parents
    kernel.settle(roots)
    founders, kept, sizes = (np.empty(m, dtype=np.int64) for _ in range(3))
    kernel.choose(
        docs,
        roots,
        RULES[config.representative],
        articles.times,
        articles.ids,
        articles.id_offsets,
        sketches.n_units,
        founders,
        kept,
        sizes,
    )
    shared_with = np.zeros(m, dtype=np.int32)
    kernel.share_in_groups(
        originals,
        roots,
        kept,
        groups.group_of,
        groups.place_of,
        groups.offsets,
        groups.shared_offsets,
        groups.shared,
        shared_with,
    )
    for crowd in crowds:
        _share_in_crowd(crowd, originals, roots, kept, groups, shared_with)
    relations = np.empty(m, dtype=np.int8)
    limits = (config.threshold, config.containment, config.evidence)
    kernel.relate(docs, originals, roots, kept, sizes, shared_with, sketches.n_shingles, *limits, relations)
    members, offsets = list_components(roots.astype(np.int32))
    listed = kernel.list_pairs(
        offsets,
        members,
        docs,
        originals,
        groups.group_of,
        groups.place_of,
        groups.offsets,
        groups.shared_offsets,
        groups.shared,
        *limits,
    )
    wide = kernel.list_wide(
        docs, originals, roots, kept, sizes, relations, shared_with, sketches.n_shingles, *limits, edges
    )
    return Verified(
        docs,
        docs[founders[roots]],
        docs[kept[roots]],
        sizes[roots],
        relations,
        shared_with,
        np.concatenate([listed, wide]),
    )


def _share_in_crowd(
    crowd: _Crowd,
    originals: NDArray[np.int64],
    roots: NDArray[np.int64],
    kept: NDArray[np.int64],
    groups: _Groups,
    shared_with: NDArray[np.int32],
) -> None:
    place_of = np.full(len(originals), -1, dtype=np.int64)
    place_of[crowd.texts] = np.arange(len(crowd.texts))
    members = np.flatnonzero((place_of[originals] >= 0) & (groups.group_of[originals] < 0))
    kernel.share_by_merging(
        members, originals, roots, kept, place_of, crowd.lists, crowd.list_offsets, shared_with
    )
