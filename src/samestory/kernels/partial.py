"""Partial copies: pairs that share fingerprints, their exact overlap, and round-ups.

In every kernel here ``doc`` is an article's number in the corpus and ``member``
its place among those handed in.
"""

# mypy: disable-error-code="no-untyped-call,no-any-return"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.jit import inlined, kernel
from samestory.kernels.overlap import count_merged
from samestory.kernels.unionfind import find, union

ALL_PAIRS: Final = 32
"""Among up to this many articles with one fingerprint every pair is proposed,"""
HUBS: Final = 3
"""in a larger set each with this many of the shortest."""
MOST: Final = 0.5
"""A round-up holds most of each of two texts that are not related,"""
MANY_PARTS: Final = 4
"""or parts of so many."""
MOST_EDGES: Final = 256
"""Of an article with many more edges than the container has partners, the edges are not gone through."""
MOST_LEADERS: Final = 32
"""Of so many parts of a container the texts are compared with each other."""
SEEN_BITS: Final = 18
"""A pair met lately is not put out again: most pairs share many fingerprints."""
_MIX: Final = np.uint64(0xD6E8FEB86659FD93)


@inlined
def _members_of(postings, begin, end, mask, delegates, stamps, stamp, out):  # type: ignore[no-untyped-def]
    """Fill `out` with the delegates among the articles that share a fingerprint, each once."""
    m = 0
    for k in range(begin, end):
        doc = delegates[np.int64(postings[k] & mask)]
        if doc >= 0 and stamps[doc] != stamp:
            stamps[doc] = stamp
            out[m] = doc
            m += 1
    return m


@kernel
def keep_delegates(
    postings: NDArray[np.uint64], rank_bits: int, delegates: NDArray[np.int32]
) -> NDArray[np.uint64]:
    """Return the postings of articles that stand for their clusters, if two or more have the fingerprint."""
    mask = (np.uint64(1) << np.uint64(rank_bits)) - np.uint64(1)
    out = np.empty(len(postings), dtype=np.uint64)
    n_kept = 0
    begin = 0
    while begin < len(postings):
        first = n_kept
        end = begin
        while end < len(postings) and (postings[end] ^ postings[begin]) & ~mask == np.uint64(0):
            if delegates[np.int64(postings[end] & mask)] >= 0:
                out[n_kept] = postings[end]
                n_kept += 1
            end += 1
        if n_kept - first < 2:
            n_kept = first
        begin = end
    return out[:n_kept].copy()


@inlined
def put_hubs_first(docs, m, n_units, text_keys):  # type: ignore[no-untyped-def]
    """Bring the `HUBS` shortest texts to the front."""
    for h in range(HUBS):
        best = h
        for k in range(h + 1, m):
            shorter = n_units[docs[k]] < n_units[docs[best]]
            tie = n_units[docs[k]] == n_units[docs[best]] and text_keys[docs[k]] < text_keys[docs[best]]
            if shorter or tie:
                best = k
        docs[h], docs[best] = docs[best], docs[h]


@inlined
def n_with_partners(m):  # type: ignore[no-untyped-def]
    """Return how many of `m` articles with one fingerprint, hubs first, are paired with all after them."""
    return m - 1 if m <= ALL_PAIRS else HUBS


@kernel
def propose_pairs(
    postings: NDArray[np.uint64],
    rank_bits: int,
    delegates: NDArray[np.int32],
    n_units: NDArray[np.int32],
    text_keys: NDArray[np.uint64],
    each_time: bool,
) -> NDArray[np.uint64]:
    """Return the pairs of articles that share a fingerprint.

    Which pairs are proposed by a fingerprint that many articles have depends on the set of these
    alone, and seldom changes when one more has it.

    Parameters
    ----------
    postings, rank_bits
        One partition: see `samestory.fingerprints.Postings`.
    delegates : int32 array
        By rank, the article's number if it stands for its cluster; else -1.
    n_units, text_keys : arrays
        Of all articles.
    each_time : bool
        Whether to return a pair once for each fingerprint that pairs it, to be counted; else
        once or a few times.

    Returns
    -------
    uint64 array
        The lesser doc in the high half, the greater in the low.
    """
    mask = (np.uint64(1) << np.uint64(rank_bits)) - np.uint64(1)
    stamps = np.full(len(n_units), -1, dtype=np.int32)
    docs = np.empty(64, dtype=np.int64)
    pairs = np.empty(1024, dtype=np.uint64)
    n_pairs = 0
    lately = np.zeros(1 << SEEN_BITS, dtype=np.uint64)
    begin = 0
    while begin < len(postings):
        end = begin + 1
        while end < len(postings) and (postings[end] ^ postings[begin]) & ~mask == np.uint64(0):
            end += 1
        if end - begin > 1:
            if end - begin > len(docs):
                docs = np.empty(2 * (end - begin), dtype=np.int64)
            m = _members_of(postings, begin, end, mask, delegates, stamps, np.int32(begin), docs)
            if m > ALL_PAIRS:
                put_hubs_first(docs, m, n_units, text_keys)
            for i in range(n_with_partners(m)):
                for j in range(i + 1, m):
                    low = np.uint64(min(docs[i], docs[j]))
                    pair = (low << np.uint64(32)) | np.uint64(max(docs[i], docs[j]))
                    seen = np.int64((pair * _MIX) >> np.uint64(64 - SEEN_BITS))
                    if not each_time and lately[seen] == pair:
                        continue
                    lately[seen] = pair
                    if n_pairs == len(pairs):
                        larger = np.empty(2 * n_pairs, dtype=np.uint64)
                        for k in range(n_pairs):
                            larger[k] = pairs[k]
                        pairs = larger
                    pairs[n_pairs] = pair
                    n_pairs += 1
        begin = end
    return pairs[:n_pairs].copy()


@kernel
def find_regions(
    containers: NDArray[np.int64],
    partner_offsets: NDArray[np.int64],
    partners: NDArray[np.int64],
    lists: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    same_region: float,
    related: float,
    related_shared: int,
    leaders: NDArray[np.int64],
    owned: NDArray[np.int32],
) -> None:
    """Find which part of each container its partners share with it, and which share the same part.

    Parameters
    ----------
    containers, partners : int64 arrays
        Members: container c has the partners from ``partner_offsets[c]`` on.
    same_region : float
        Partners share the same part if this much of the one's was taken by the other.
    related, related_shared : float, int
        They are also taken together if this share of the shorter one, and as many shingles, is
        in the other: they report one event.
    leaders : int64 array of shape (len(partners),)
        Filled with the place of the partner that first took the part.
    owned : int32 array of shape (len(partners),)
        Filled, for each leader, with the shingles of the container that it and its followers hold.
    """
    longest = 0
    most = 0
    for c in range(len(containers)):
        longest = max(longest, offsets[containers[c] + 1] - offsets[containers[c]])
        most = max(most, partner_offsets[c + 1] - partner_offsets[c])
    owners = np.empty(longest, dtype=np.int64)
    taken = np.zeros(most, dtype=np.int64)
    for c in range(len(containers)):
        begin = offsets[containers[c]]
        end = offsets[containers[c] + 1]
        owners[: end - begin] = -1
        first = partner_offsets[c]
        for p in range(first, partner_offsets[c + 1]):
            owned[p] = 0
            taken[: p - first + 1] = 0
            n_shared = 0
            a = offsets[partners[p]]
            for step in range(2):  # who holds what this partner shares; then the rest is taken
                b = begin
                a = offsets[partners[p]]
                leader = p
                if step == 1:
                    for q in range(first, p):
                        if leaders[q] == q and taken[q - first] > taken[leader - first]:
                            leader = q
                    if np.float64(taken[leader - first]) < same_region * np.float64(n_shared):
                        leader = p
                    leaders[p] = leader
                while a < offsets[partners[p] + 1] and b < end:
                    if lists[a] == lists[b]:
                        if step == 0:
                            n_shared += 1
                            if owners[b - begin] >= 0:
                                taken[owners[b - begin] - first] += 1
                        elif owners[b - begin] < 0:
                            owners[b - begin] = leader
                            owned[leader] += 1
                        a += 1
                        b += 1
                    elif lists[a] < lists[b]:
                        a += 1
                    else:
                        b += 1
        _take_together(
            partners, first, partner_offsets[c + 1], lists, offsets, related, related_shared, leaders, owned
        )


@inlined
def _take_together(  # type: ignore[no-untyped-def]
    partners, first, end, lists, offsets, related, related_shared, leaders, owned
):
    """Let the leader of one part follow that of another if their texts are related."""
    n_leaders = 0
    for q in range(first, end):
        if leaders[q] != q:
            continue
        n_leaders += 1
        if n_leaders > MOST_LEADERS:
            break
        for p in range(first, q):
            if leaders[p] != p:
                continue
            n_p = offsets[partners[p] + 1] - offsets[partners[p]]
            n_q = offsets[partners[q] + 1] - offsets[partners[q]]
            least = max(np.int64(related_shared), np.int64(np.ceil(related * min(n_p, n_q))))
            if count_merged(lists, offsets, partners[p], partners[q], least) >= 0:
                leaders[q] = p
                owned[p] += owned[q]
                owned[q] = 0
                break


@kernel
def cut_round_ups(
    edge_first: NDArray[np.int64],
    edge_second: NDArray[np.int64],
    edge_shared: NDArray[np.int64],
    containers: NDArray[np.int64],
    partner_offsets: NDArray[np.int64],
    partner_edges: NDArray[np.int64],
    leaders: NDArray[np.int64],
    owned: NDArray[np.int32],
    sizes: NDArray[np.int64],
    least_cover: float,
    adjacency_offsets: NDArray[np.int64],
    adjacency: NDArray[np.int64],
    degrees: NDArray[np.int64],
    is_known: NDArray[np.bool_],
    is_needed: NDArray[np.bool_],
    is_round_up: NDArray[np.bool_],
    kept: NDArray[np.bool_],
) -> int:
    """Drop the edges of round-ups: containers whose partners have nothing to do with one another.

    Containers come in ascending order of size, so that a smaller round-up
    does not make the partners of a larger one look related.

    Parameters
    ----------
    edge_first, edge_second, edge_shared : int64 arrays
        Members of each edge, and the shingles that they share.
    containers, partner_offsets, partner_edges, leaders, owned : arrays
        As `find_regions`; the edge of each partner.
    sizes : int64 array
        Shingles of each member.
    least_cover : float
        The share of a round-up that one group of partners must hold to keep it.
    adjacency_offsets, adjacency : int64 arrays
        Edges of each member, among those given.
    degrees : int64 array
        Number of all edges of each member.
    is_known, is_needed : bool arrays
        Of which containers `leaders` and `owned` are known; turned true where they are not and
        would decide.
    is_round_up : bool array
        Of each member, changed in place where it is one of the containers.
    kept : bool array
        Turned false for the edges dropped; of those whose longer end is no container it is only read.

    Returns
    -------
    int
        Number of round-ups.
    """
    place_of = np.full(len(sizes), -1, dtype=np.int64)
    roots = np.arange(len(leaders), dtype=np.int64)
    holds_most = np.zeros(len(leaders), dtype=np.bool_)
    n_round_ups = 0
    for c in range(len(containers)):
        container = containers[c]
        begin = partner_offsets[c]
        end = partner_offsets[c + 1]
        for p in range(begin, end):
            e = partner_edges[p]
            partner = edge_first[e] if edge_second[e] == container else edge_second[e]
            place_of[partner] = p
        for p in range(begin, end):
            leader_edge = partner_edges[leaders[p]]
            leader = edge_first[leader_edge]
            if leader == container:
                leader = edge_second[leader_edge]
            if not is_round_up[leader]:  # what two stories share with a digest does not join them
                union(roots, p, leaders[p])
        for p in range(begin, end):
            e = partner_edges[p]
            partner = edge_first[e] if edge_second[e] == container else edge_second[e]
            if degrees[partner] > MOST_EDGES + end - begin:
                continue  # its edges to the other partners are found from their side
            for k in range(adjacency_offsets[partner], adjacency_offsets[partner + 1]):
                other_edge = adjacency[k]
                if not kept[other_edge]:
                    continue
                other = edge_first[other_edge]
                if other == partner:
                    other = edge_second[other_edge]
                if place_of[other] >= begin:
                    union(roots, p, place_of[other])
        best = np.int64(-1)
        n_groups = 0
        n_held = 0
        for p in range(begin, end):
            e = partner_edges[p]
            partner = edge_first[e] if edge_second[e] == container else edge_second[e]
            holds_most[find(roots, p)] |= np.float64(edge_shared[e]) >= MOST * np.float64(sizes[partner])
        for p in range(begin, end):
            if leaders[p] == p and find(roots, p) != p:
                owned[find(roots, p)] += owned[p]
        for p in range(begin, end):
            if find(roots, p) == p:
                n_groups += 1
                n_held += 1 if holds_most[p] else 0
                if best < 0 or owned[p] > owned[best]:
                    best = p
        is_made_of_others = n_held > 1 or n_groups >= MANY_PARTS
        if is_made_of_others and not is_known[c]:
            is_needed[c] = True
        elif is_made_of_others:
            n_round_ups += 1
            is_round_up[container] = True
            enough = np.float64(owned[best]) >= least_cover * np.float64(sizes[container])
            for p in range(begin, end):
                if not enough or find(roots, p) != best:
                    kept[partner_edges[p]] = False
        for p in range(begin, end):
            e = partner_edges[p]
            place_of[edge_first[e]] = -1
            place_of[edge_second[e]] = -1
    return n_round_ups
