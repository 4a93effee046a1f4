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
    small_texts, small_sizes, large = _sort_out(components, originals)
    crowds = [_join_crowd(crowd_texts, docs, texts, sketches, config) for crowd_texts in large]
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
        docs,
        groups.shared_offsets,
        groups.shared,
        config.threshold,
        sketches.band_keys,
        parents,
        group_edges,
    )
    edges = np.concatenate([edges, group_edges[:n_edges]])
    return _describe(docs, originals, parents, groups, crowds, edges, sketches, articles, config)


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


def _join_crowd(
    crowd_texts: NDArray[np.int64],
    docs: NDArray[np.int64],
    texts: FoldedTexts,
    sketches: Sketches,
    config: Config,
) -> _Crowd:
    """Join the texts of one large component."""
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
    n_bands = len(sketches.band_keys)
    for turn in range(n_bands + 1):  # the first band again at the end, when the hubs are known
        keys = sketches.band_keys[turn % n_bands][crowd_docs]
        order = np.lexsort((text_keys * np.uint64(2 * turn + 1) ^ text_keys >> np.uint64(turn), keys))
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
