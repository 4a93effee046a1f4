"""Stages 4 and 5: exact overlap of every candidate, and the clusters that follow.

A pair belongs together if it met in a bucket and its exact Jaccard similarity
is at or over the threshold, or if its folded texts are equal; a cluster is a
connected component of such pairs (Hopcroft and Tarjan 1973, here by
union-find). In components of more than `MOST_TOGETHER` distinct texts not every
pair is looked at, but which are depends on the set of articles alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.band import Components
from samestory.config import Config
from samestory.kernels import clusters as kernel
from samestory.kernels.buckets import list_components
from samestory.kernels.overlap import MOST_TOGETHER, count_shared, find_copies, hash_sorted
from samestory.normalise import FoldedTexts
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
    """A component of more distinct texts than are compared all with all."""

    texts: NDArray[np.int64]
    lists: NDArray[np.uint64]
    list_offsets: NDArray[np.int64]


def verify(
    components: Components, texts: FoldedTexts, sketches: Sketches, articles: Articles, config: Config
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

    Returns
    -------
    Verified
    """
    docs = components.docs
    originals = find_copies(docs, components.offsets, texts.data, texts.offsets, sketches.text_keys)
    parents = originals.copy()
    sets, crowds, edges = _split(components, originals, texts, sketches, config, parents)
    groups = _count(sets, texts, sketches.n_shingles[docs], config)
    group_edges = np.empty((len(groups.texts), 3), dtype=np.int64)
    n_edges = kernel.join_groups(
        groups.offsets,
        groups.texts,
        docs,
        groups.shared_offsets,
        groups.shared,
        config.threshold,
        sketches.band_keys,
        parents,
        group_edges,
    )
    edges.append(group_edges[:n_edges])
    return _describe(
        docs, originals, parents, groups, crowds, np.concatenate(edges), sketches, articles, config
    )


def _split(
    components: Components,
    originals: NDArray[np.int64],
    texts: FoldedTexts,
    sketches: Sketches,
    config: Config,
    parents: NDArray[np.int64],
) -> tuple[list[NDArray[np.int64]], list[_Crowd], list[NDArray[np.int64]]]:
    """Find the sets of texts to compare all with all; large components are joined bucket by bucket first."""
    is_original = originals == np.arange(len(originals))
    counts = np.add.reduceat(is_original, components.offsets[:-1], dtype=np.int64)
    large = np.flatnonzero(counts > MOST_TOGETHER)
    in_crowd = np.zeros(len(originals), dtype=np.bool_)
    for c in large:
        in_crowd[components.offsets[c] : components.offsets[c + 1]] = True
    small_texts = np.flatnonzero(is_original & ~in_crowd)
    sets = [small_texts, np.delete(counts, large)]
    crowds: list[_Crowd] = []
    edges: list[NDArray[np.int64]] = []
    for c in large:
        begin, end = components.offsets[c], components.offsets[c + 1]
        crowd_texts = begin + np.flatnonzero(is_original[begin:end])
        crowd, crowd_edges = _join_crowd(crowd_texts, components.docs, texts, sketches, config)
        _adopt(crowd_texts, crowd_edges, parents)
        members, offsets = _clusters_of(crowd_edges, len(crowd_texts))
        sizes = np.diff(offsets)
        wide = sizes > MOST_TOGETHER
        keep = np.repeat(~wide, sizes)
        sets[0] = np.concatenate([sets[0], crowd_texts[members[keep]]])
        sets[1] = np.concatenate([sets[1], sizes[~wide]])
        crowds.append(crowd)
        first, second, count = crowd_edges.T
        edges.append(np.column_stack([crowd_texts[first], crowd_texts[second], count]))
    return sets, crowds, edges


def _join_crowd(
    crowd_texts: NDArray[np.int64],
    docs: NDArray[np.int64],
    texts: FoldedTexts,
    sketches: Sketches,
    config: Config,
) -> tuple[_Crowd, NDArray[np.int64]]:
    """Join the texts of one large component; edges name their places in `crowd_texts`."""
    crowd_docs = docs[crowd_texts]
    lists, list_offsets = hash_sorted(
        crowd_texts,
        texts.data,
        texts.offsets,
        config.shingle_unit == "char",
        config.shingle_size,
        sketches.n_shingles[crowd_docs],
    )
    parents = np.arange(len(crowd_texts), dtype=np.int64)
    degrees = np.zeros(len(crowd_texts), dtype=np.int64)
    edges = np.empty((len(crowd_texts), 3), dtype=np.int64)
    n_edges = 0
    text_keys = sketches.text_keys[crowd_docs]
    n_bands = len(sketches.band_keys)
    for turn in range(n_bands + 1):  # the first band again at the end, when the hubs are known
        keys = sketches.band_keys[turn % n_bands][crowd_docs]
        order = np.lexsort((text_keys * np.uint64(2 * turn + 1) ^ text_keys >> np.uint64(turn), keys))
        n_edges = kernel.join_bucketwise(
            order, keys, lists, list_offsets, config.threshold, parents, degrees, edges, n_edges
        )
    return _Crowd(crowd_texts, lists, list_offsets), edges[:n_edges]


def _adopt(crowd_texts: NDArray[np.int64], edges: NDArray[np.int64], parents: NDArray[np.int64]) -> None:
    kernel.join_edges(crowd_texts[edges[:, 0]], crowd_texts[edges[:, 1]], parents)


def _clusters_of(edges: NDArray[np.int64], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the components of the edges over n texts, also those of one."""
    parents = np.arange(n, dtype=np.int64)
    kernel.join_edges(edges[:, 0].copy(), edges[:, 1].copy(), parents)
    members = np.argsort(parents, kind="stable")
    starts = np.flatnonzero(np.diff(parents[members], prepend=-1))
    return members, np.append(starts, n)


def _count(
    sets: list[NDArray[np.int64]], texts: FoldedTexts, n_shingles: NDArray[np.int32], config: Config
) -> _Groups:
    """Count what every two texts of each set share."""
    set_texts, counts = sets
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
    kernel.relate(
        docs, originals, roots, kept, sizes, shared_with, sketches.n_shingles, config.threshold, relations
    )
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
        config.threshold,
    )
    wide = kernel.list_wide(
        docs, originals, roots, kept, sizes, relations, shared_with, sketches.n_shingles, edges
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
