"""Round-ups: articles that hold parts of others which have nothing to do with one another.

A digest contains ten stories, a page two of them: each is a partial copy of
it, and none of another. Where the texts whose parts an article holds are not
related among themselves, it joins the one group of them that makes up most of
it, if any does, and the others stay apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from samestory.kernels import partial as kernel
from samestory.signature import Sketches

Ints: TypeAlias = NDArray[np.int64]
Lists: TypeAlias = tuple[NDArray[np.uint64], Ints]
"""Distinct shingle hashes of some articles, sorted, one list after another, and their offsets."""

SAME_REGION: Final = 0.25
"""Two texts hold the same part of a third if one holds this much of the other's part."""
RELATED: Final = 0.015
RELATED_SHARED: Final = 3
"""Two texts report one event, it is taken, if they have as many shingles and this share in common."""
LEAST_COVER: Final = 0.3
"""A round-up stays with the texts that hold this much of it, if any do."""


@dataclass(frozen=True)
class Decided:
    """What is known before some containers are decided anew.

    Attributes
    ----------
    wanted : int64 array
        Docs to decide, in order; of these all edges to shorter ones are given.
    kept : bool array of shape (e,)
        Of the edges whose longer end is not wanted, whether they join.
    round_ups : int64 array
        Docs that are round-ups, in order, of those not wanted.
    degrees : int64 array of shape (n,)
        Number of all edges of each of the docs in the edges, these in order.
    """

    wanted: Ints
    kept: NDArray[np.bool_]
    round_ups: Ints
    degrees: Ints


@dataclass(frozen=True)
class Joined:
    """Which pairs of near or partial copies join.

    Attributes
    ----------
    kept : bool array of shape (e,)
    round_ups : int64 array
        Docs that are round-ups, in order, of those that were decided.
    """

    kept: NDArray[np.bool_]
    round_ups: Ints

    @property
    def n_round_ups(self) -> int:
        """Number of round-ups."""
        return len(self.round_ups)


@dataclass(frozen=True)
class _Containers:
    """Articles that hold parts of two or more shorter ones, in ascending order of size."""

    docs: Ints
    offsets: Ints
    partners: Ints
    edges: Ints


def longer_ends(edges: Ints, n_shingles: NDArray[np.int32], text_keys: NDArray[np.uint64]) -> Ints:
    """Return the longer article of each edge, which may be the container of the other."""
    a, b = edges[:, 0], edges[:, 1]
    is_longer = n_shingles[b] > n_shingles[a]
    is_longer |= (n_shingles[b] == n_shingles[a]) & (text_keys[b] > text_keys[a])
    return np.where(is_longer, b, a)


def _find_containers(edges: Ints, sketches: Sketches, decided: Decided | None) -> _Containers:
    """List the containers, the partners of each from the longest: whatever the order of the input."""
    n_shingles, keys = sketches.n_shingles, sketches.text_keys
    container = longer_ends(edges, n_shingles, keys)
    partner = edges[:, 0] + edges[:, 1] - container
    sizes, sizes_of_partners = n_shingles[container], n_shingles[partner].astype(np.int64)
    order = np.lexsort((keys[partner], -sizes_of_partners, container, keys[container], sizes))
    if decided is not None:
        order = order[np.isin(container[order], decided.wanted)]
    container, partner = container[order], partner[order]
    firsts = np.flatnonzero(np.diff(container, prepend=-1))
    counts = np.diff(firsts, append=len(container))
    is_many = counts > 1
    chosen = np.repeat(is_many, counts)
    offsets = np.concatenate([[0], np.cumsum(counts[is_many])]).astype(np.int64)
    return _Containers(container[firsts[is_many]], offsets, partner[chosen], order[chosen])


@dataclass(frozen=True)
class _Graph:
    """The pairs as a graph of the articles that are in any."""

    nodes: Ints
    first: Ints
    second: Ints
    adjacency_offsets: Ints
    adjacency: Ints


def _as_graph(edges: Ints) -> _Graph:
    nodes = np.union1d(edges[:, 0], edges[:, 1])
    first, second = np.searchsorted(nodes, edges[:, 0]), np.searchsorted(nodes, edges[:, 1])
    ends = np.concatenate([first, second])
    order = np.argsort(ends, kind="stable")
    offsets = np.searchsorted(ends[order], np.arange(len(nodes) + 1)).astype(np.int64)
    return _Graph(nodes, first, second, offsets, order % max(1, len(edges)))


def cut_round_ups(
    edges: Ints, sketches: Sketches, lists_of: Callable[[Ints], Lists], decided: Decided | None = None
) -> Joined:
    """Drop the pairs that would join unrelated articles by way of one that holds parts of both.

    Parameters
    ----------
    edges : int64 array of shape (e, 3)
        doc, later doc, shingles shared.
    sketches : Sketches
        Of all articles.
    lists_of : callable
        Returns the `Lists` of some docs, given in ascending order.
    decided : Decided, optional
        Where not all containers are to be decided.

    Notes
    -----
    Which part of a container its partners hold is looked up only where no
    edges between them show that they belong together.
    """
    containers = _find_containers(edges, sketches, decided)
    graph = _as_graph(edges)
    begin_kept = np.ones(len(edges), dtype=np.bool_)
    begin_round_ups = np.zeros(len(graph.nodes), dtype=np.bool_)
    degrees = np.diff(graph.adjacency_offsets)
    if decided is not None:
        longer = longer_ends(edges, sketches.n_shingles, sketches.text_keys)
        begin_kept = decided.kept | np.isin(longer, decided.wanted)
        begin_round_ups = np.isin(graph.nodes, decided.round_ups)
        degrees = decided.degrees
    if not len(containers.docs):
        return Joined(begin_kept, np.zeros(0, dtype=np.int64))
    leaders = np.arange(len(containers.partners), dtype=np.int64)
    owned = np.zeros(len(containers.partners), dtype=np.int32)
    is_known = np.zeros(len(containers.docs), dtype=np.bool_)
    places = np.searchsorted(graph.nodes, containers.docs)
    while True:
        kept, is_round_up = begin_kept.copy(), begin_round_ups.copy()
        is_needed = np.zeros(len(containers.docs), dtype=np.bool_)
        kernel.cut_round_ups(
            graph.first,
            graph.second,
            edges[:, 2].copy(),
            places,
            containers.offsets,
            containers.edges,
            leaders,
            owned.copy(),
            sketches.n_shingles[graph.nodes].astype(np.int64),
            LEAST_COVER,
            graph.adjacency_offsets,
            graph.adjacency,
            degrees,
            is_known,
            is_needed,
            is_round_up,
            kept,
        )
        if not is_needed.any():
            return Joined(kept, np.sort(containers.docs[is_round_up[places]]))
        _look_up_regions(containers, np.flatnonzero(is_needed), leaders, owned, lists_of)
        is_known |= is_needed


def _look_up_regions(
    containers: _Containers,
    wanted: Ints,
    leaders: Ints,
    owned: NDArray[np.int32],
    lists_of: Callable[[Ints], Lists],
) -> None:
    """Fill in, for some containers, who holds which part of them."""
    counts = np.diff(containers.offsets)[wanted]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    places = np.repeat(containers.offsets[wanted] - offsets[:-1], counts) + np.arange(offsets[-1])
    partners = containers.partners[places]
    docs = np.union1d(containers.docs[wanted], partners)
    lists, list_offsets = lists_of(docs)
    own_leaders = np.zeros(len(places), dtype=np.int64)
    own_owned = np.zeros(len(places), dtype=np.int32)
    kernel.find_regions(
        np.searchsorted(docs, containers.docs[wanted]),
        offsets,
        np.searchsorted(docs, partners),
        lists,
        list_offsets,
        SAME_REGION,
        RELATED,
        RELATED_SHARED,
        own_leaders,
        own_owned,
    )
    leaders[places] = places[own_leaders]
    owned[places] = own_owned
