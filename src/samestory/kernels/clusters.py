"""Clusters from exact overlaps: who belongs together, who founded it, who is kept, what to write.

In every kernel here ``doc`` is an article's number in the corpus, ``member``
its place among those handed in, and ``original`` the first member of its
component with the same text.
"""

# mypy: disable-error-code="no-untyped-call,no-any-return"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.jit import called, inlined, kernel
from samestory.kernels.overlap import count_merged
from samestory.kernels.unionfind import find, union

RELATION_UNIQUE: Final = 0
RELATION_REPRESENTATIVE: Final = 1
RELATION_EXACT: Final = 2
RELATION_NEAR: Final = 3
RELATION_PARTIAL: Final = 4
RELATION_LINKED: Final = 5

EARLIEST: Final = 0
LONGEST: Final = 1
FIRST: Final = 2

UNDATED: Final = np.iinfo(np.int64).max

MOST_LISTED: Final = 64
"""A cluster of more articles than this is not written pair by pair."""
SMALL_BUCKET: Final = 16
"""In a bucket of more distinct texts, each is compared with the hub and the few before it."""
LOOK_BACK: Final = 8


@inlined
def is_earlier(i, j, times, ids, id_offsets):  # type: ignore[no-untyped-def]
    """Whether article `i` comes before `j`: by time, the undated last and in input order.

    Articles of one time come in the order of their ids, so that it does not
    matter in which order they were handed in.
    """
    if times[i] != times[j]:
        return times[i] < times[j]
    if times[i] == UNDATED:
        return i < j
    size_i = id_offsets[i + 1] - id_offsets[i]
    size_j = id_offsets[j + 1] - id_offsets[j]
    for k in range(min(size_i, size_j)):
        a = ids[id_offsets[i] + k]
        b = ids[id_offsets[j] + k]
        if a != b:
            return a < b
    return size_i < size_j


@inlined
def is_preferred(i, j, rule, times, ids, id_offsets, n_units):  # type: ignore[no-untyped-def]
    """Whether article `i` rather than `j` represents a cluster that holds both."""
    if rule == FIRST:
        return i < j
    if rule == LONGEST and n_units[i] != n_units[j]:
        return n_units[i] > n_units[j]
    return is_earlier(i, j, times, ids, id_offsets)


@inlined
def share_band(i, j, band_keys):  # type: ignore[no-untyped-def]
    """Whether two articles meet in a bucket."""
    for band in range(band_keys.shape[0]):
        if band_keys[band, i] == band_keys[band, j]:
            return True
    return False


@inlined
def jaccard_of(shared, n_a, n_b):  # type: ignore[no-untyped-def]
    """Return the Jaccard similarity of two sets from their sizes and that of what they share."""
    return np.float64(shared) / np.float64(n_a + n_b - shared)


@inlined
def relation_of(shared, n_a, n_b, threshold, containment, evidence):  # type: ignore[no-untyped-def]
    """Return how two different texts are related, from their sizes and what they share."""
    if jaccard_of(shared, n_a, n_b) >= threshold:
        return np.int64(RELATION_NEAR)
    if shared >= evidence and np.float64(shared) / np.float64(min(n_a, n_b)) >= containment:
        return np.int64(RELATION_PARTIAL)
    return np.int64(RELATION_LINKED)


@inlined
def least_shared(n_a, n_b, threshold):  # type: ignore[no-untyped-def]
    """Return how many shingles two sets must share at least: one fewer, lest a rounding lose a pair."""
    return max(0, np.int64(threshold / (1.0 + threshold) * (n_a + n_b)) - 1)


@called
def grown(array, n):  # type: ignore[no-untyped-def]
    """Return an array of at least `n` rows that begins with the given one."""
    larger = np.empty((max(n, 2 * array.shape[0]), array.shape[1]), dtype=array.dtype)
    for row in range(array.shape[0]):  # not by slices: Numba takes seconds to compile their errors
        for column in range(array.shape[1]):
            larger[row, column] = array[row, column]
    return larger


@kernel
def join_groups(
    groups: NDArray[np.int64],
    texts: NDArray[np.int64],
    docs: NDArray[np.int64],
    shared_offsets: NDArray[np.int64],
    shared: NDArray[np.int32],
    threshold: float,
    band_keys: NDArray[np.uint64],
    parents: NDArray[np.int64],
    edges: NDArray[np.int64],
) -> int:
    """Join the texts that met in a bucket and whose Jaccard similarity is at or over the threshold.

    Parameters
    ----------
    groups, texts, shared_offsets, shared : arrays
        As `samestory.kernels.overlap.count_shared` has them.
    docs : int64 array
        The doc of each member.
    band_keys : uint64 array of shape (bands, n)
    parents : int64 array
        Union-find over members, changed in place.
    edges : int64 array of shape (len(texts), 3)
        Filled with the pairs that joined two clusters: member, later member, shingles shared.

    Returns
    -------
    int
        Number of edges.
    """
    n_edges = 0
    for g in range(len(groups) - 1):
        begin = groups[g]
        n_texts = groups[g + 1] - begin
        matrix = shared_offsets[g]
        for i in range(n_texts):
            for j in range(i + 1, n_texts):
                count = shared[matrix + i * n_texts + j]
                n_i = shared[matrix + i * n_texts + i]
                n_j = shared[matrix + j * n_texts + j]
                if jaccard_of(count, n_i, n_j) < threshold:
                    continue
                a = texts[begin + i]
                b = texts[begin + j]
                if find(parents, a) == find(parents, b) or not share_band(docs[a], docs[b], band_keys):
                    continue
                union(parents, a, b)
                edges[n_edges, 0] = a
                edges[n_edges, 1] = b
                edges[n_edges, 2] = count
                n_edges += 1
    return n_edges


@inlined
def is_hub(i, hub, degrees, list_offsets):  # type: ignore[no-untyped-def]
    """Whether text `i` makes a better hub: more edges, then more shingles."""
    if degrees[i] != degrees[hub]:
        return degrees[i] > degrees[hub]
    return list_offsets[i + 1] - list_offsets[i] > list_offsets[hub + 1] - list_offsets[hub]


@kernel
def join_bucketwise(
    order: NDArray[np.int64],
    keys: NDArray[np.uint64],
    lists: NDArray[np.uint64],
    list_offsets: NDArray[np.int64],
    threshold: float,
    parents: NDArray[np.int64],
    degrees: NDArray[np.int64],
    edges: NDArray[np.int64],
    n_edges: int,
) -> int:
    """Join the texts of one band's buckets, with work that grows as the bucket does.

    All pairs of a small bucket are compared; in a larger one each text with the
    `LOOK_BACK` before it and with the bucket's hub: the text that has joined the
    most others so far, the longest of those. Pairs already joined are spared.

    Parameters
    ----------
    order : int64 array
        The texts, sorted by key and within a key by chance, another in each band.
    keys : uint64 array
        This band's key of each text.
    lists, list_offsets : arrays
        As `samestory.kernels.overlap.hash_sorted` returns them.
    parents : int64 array
        Union-find over the texts, changed in place.
    degrees : int64 array
        How many edges each text has, changed in place.
    edges : int64 array of shape (len(order), 3)
        Filled from row `n_edges`.

    Returns
    -------
    int
        Number of edges then.
    """
    begin = 0
    while begin < len(order):
        end = begin + 1
        hub = order[begin]
        while end < len(order) and keys[order[end]] == keys[hub]:
            end += 1
        for k in range(begin, end):
            if is_hub(order[k], hub, degrees, list_offsets):
                hub = order[k]
        n_before = LOOK_BACK if end - begin > SMALL_BUCKET else SMALL_BUCKET
        for k in range(begin, end):
            j = order[k]
            for back in range(max(begin, k - n_before) - 1, k):
                i = order[back] if back >= max(begin, k - n_before) else hub
                if find(parents, i) == find(parents, j):
                    continue
                n_i = list_offsets[i + 1] - list_offsets[i]
                n_j = list_offsets[j + 1] - list_offsets[j]
                count = count_merged(lists, list_offsets, i, j, least_shared(n_i, n_j, threshold))
                if count >= 0 and jaccard_of(count, n_i, n_j) >= threshold:
                    union(parents, i, j)
                    degrees[i] += 1
                    degrees[j] += 1
                    edges[n_edges, 0] = min(i, j)
                    edges[n_edges, 1] = max(i, j)
                    edges[n_edges, 2] = count
                    n_edges += 1
        begin = end
    return n_edges


@kernel
def join_edges(first: NDArray[np.int64], second: NDArray[np.int64], parents: NDArray[np.int64]) -> None:
    """Join the ends of each edge; afterwards each entry of `parents` is a root."""
    for e in range(len(first)):
        union(parents, first[e], second[e])
    for i in range(len(parents)):
        parents[i] = find(parents, i)


@kernel
def settle(parents: NDArray[np.int64]) -> None:
    """Make each entry the root of its component."""
    for i in range(len(parents)):
        parents[i] = find(parents, i)


@kernel
def choose(
    docs: NDArray[np.int64],
    roots: NDArray[np.int64],
    rule: int,
    times: NDArray[np.int64],
    ids: NDArray[np.uint8],
    id_offsets: NDArray[np.int64],
    n_units: NDArray[np.int32],
    founders: NDArray[np.int64],
    kept: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> None:
    """Find each cluster's founding article, its representative and its size.

    Parameters
    ----------
    docs, roots : int64 arrays
        Of each member its doc and its cluster's root, itself a member.
    rule : int
        `EARLIEST`, `LONGEST` or `FIRST`.
    times, ids, id_offsets, n_units : arrays
        Of all articles, by doc; the ids as UTF-8.
    founders, kept, sizes : int64 arrays
        Filled at the roots: members, members, and counts.
    """
    for member in range(len(docs)):
        sizes[member] = 0
    for member in range(len(docs)):
        root = roots[member]
        sizes[root] += 1
        if sizes[root] == 1:
            founders[root] = member
            kept[root] = member
            continue
        doc = docs[member]
        if is_earlier(doc, docs[founders[root]], times, ids, id_offsets):
            founders[root] = member
        if is_preferred(doc, docs[kept[root]], rule, times, ids, id_offsets, n_units):
            kept[root] = member


@inlined
def _add_pair(pairs, n_pairs, first, second, relation, count):  # type: ignore[no-untyped-def]
    pairs[n_pairs, 0] = min(first, second)
    pairs[n_pairs, 1] = max(first, second)
    pairs[n_pairs, 2] = relation
    pairs[n_pairs, 3] = count
    return n_pairs + 1


@kernel
def share_in_groups(
    originals: NDArray[np.int64],
    roots: NDArray[np.int64],
    kept: NDArray[np.int64],
    group_of: NDArray[np.int64],
    place_of: NDArray[np.int64],
    groups: NDArray[np.int64],
    shared_offsets: NDArray[np.int64],
    shared: NDArray[np.int32],
    shared_with: NDArray[np.int32],
) -> None:
    """Fill in what each member shares with its representative, where their texts are of one group.

    Parameters
    ----------
    group_of, place_of : int64 arrays
        Of each original its group and its place there; the group is -1 where it has none.
    """
    for member in range(len(originals)):
        i = originals[member]
        k = originals[kept[roots[member]]]
        g = group_of[i]
        if g >= 0:
            n_texts = groups[g + 1] - groups[g]
            shared_with[member] = shared[shared_offsets[g] + place_of[i] * n_texts + place_of[k]]


@kernel
def share_by_merging(
    members: NDArray[np.int64],
    originals: NDArray[np.int64],
    roots: NDArray[np.int64],
    kept: NDArray[np.int64],
    place_of: NDArray[np.int64],
    lists: NDArray[np.uint64],
    list_offsets: NDArray[np.int64],
    shared_with: NDArray[np.int32],
) -> None:
    """Fill in what each of these members shares with its representative, from sorted lists."""
    for member in members:
        i = place_of[originals[member]]
        k = place_of[originals[kept[roots[member]]]]
        shared_with[member] = count_merged(lists, list_offsets, i, k, 0)


@kernel
def relate(
    docs: NDArray[np.int64],
    originals: NDArray[np.int64],
    roots: NDArray[np.int64],
    kept: NDArray[np.int64],
    sizes: NDArray[np.int64],
    shared_with: NDArray[np.int32],
    n_shingles: NDArray[np.int32],
    threshold: float,
    containment: float,
    evidence: int,
    relations: NDArray[np.int8],
) -> None:
    """Fill in each member's relation to its representative."""
    for member in range(len(docs)):
        root = roots[member]
        main = kept[root]
        if sizes[root] == 1:
            relations[member] = RELATION_UNIQUE
        elif member == main:
            relations[member] = RELATION_REPRESENTATIVE
        elif originals[member] == originals[main]:
            relations[member] = RELATION_EXACT
        else:
            n_a = n_shingles[docs[member]]
            n_b = n_shingles[docs[main]]
            shared = np.int64(shared_with[member])
            relations[member] = relation_of(shared, n_a, n_b, threshold, containment, evidence)


@kernel
def list_pairs(
    clusters: NDArray[np.int64],
    members: NDArray[np.int64],
    docs: NDArray[np.int64],
    originals: NDArray[np.int64],
    group_of: NDArray[np.int64],
    place_of: NDArray[np.int64],
    groups: NDArray[np.int64],
    shared_offsets: NDArray[np.int64],
    shared: NDArray[np.int32],
    threshold: float,
    containment: float,
    evidence: int,
) -> NDArray[np.int64]:
    """List the near and partial copies of each cluster of up to `MOST_LISTED` articles.

    Parameters
    ----------
    clusters, members : int64 arrays
        Where each cluster begins among the members, and these.

    Returns
    -------
    int64 array of shape (p, 4)
        doc, later doc, relation, shingles shared.
    """
    pairs = np.empty((1024, 4), dtype=np.int64)
    n_pairs = np.int64(0)
    for c in range(len(clusters) - 1):
        begin = clusters[c]
        end = clusters[c + 1]
        if end - begin > MOST_LISTED:
            continue
        if n_pairs + MOST_LISTED * MOST_LISTED > pairs.shape[0]:
            pairs = grown(pairs, n_pairs + MOST_LISTED * MOST_LISTED)
        g = group_of[originals[members[begin]]]
        n_texts = groups[g + 1] - groups[g]
        matrix = shared_offsets[g]
        for first in range(begin, end):
            i = place_of[originals[members[first]]]
            n_i = shared[matrix + i * n_texts + i]
            for second in range(first + 1, end):
                j = place_of[originals[members[second]]]
                n_j = shared[matrix + j * n_texts + j]
                count = shared[matrix + i * n_texts + j]
                relation = relation_of(np.int64(count), n_i, n_j, threshold, containment, evidence)
                if i == j:
                    relation = np.int64(RELATION_EXACT)
                if relation != RELATION_LINKED:
                    a = docs[members[first]]
                    b = docs[members[second]]
                    n_pairs = _add_pair(pairs, n_pairs, a, b, relation, count)
    return pairs[:n_pairs].copy()


@kernel
def list_wide(
    docs: NDArray[np.int64],
    originals: NDArray[np.int64],
    roots: NDArray[np.int64],
    kept: NDArray[np.int64],
    sizes: NDArray[np.int64],
    relations: NDArray[np.int8],
    shared_with: NDArray[np.int32],
    n_shingles: NDArray[np.int32],
    threshold: float,
    containment: float,
    evidence: int,
    edges: NDArray[np.int64],
) -> NDArray[np.int64]:
    """List enough pairs to connect each cluster that is too large to be written pair by pair.

    These are each copy with the first of its text, each text with the
    representative where they are near or partial copies, and the edges that joined the rest.

    Returns
    -------
    int64 array of shape (p, 4)
        As `list_pairs`.
    """
    pairs = np.empty((len(docs) + len(edges), 4), dtype=np.int64)
    n_pairs = np.int64(0)
    exact = np.int64(RELATION_EXACT)  # typed, lest a version be compiled for each value
    for member in range(len(docs)):
        root = roots[member]
        if sizes[root] <= MOST_LISTED:
            continue
        first = originals[member]
        if first != member:
            count = n_shingles[docs[member]]
            n_pairs = _add_pair(pairs, n_pairs, docs[first], docs[member], exact, count)
        elif relations[member] == RELATION_NEAR or relations[member] == RELATION_PARTIAL:
            count = np.int32(shared_with[member])
            relation = np.int64(relations[member])
            n_pairs = _add_pair(pairs, n_pairs, docs[originals[kept[root]]], docs[member], relation, count)
    for e in range(len(edges)):
        first = edges[e, 0]
        second = edges[e, 1]
        root = roots[first]
        if sizes[root] <= MOST_LISTED:
            continue
        main = originals[kept[root]]
        if first == main or second == main:
            continue  # listed above
        n_a = n_shingles[docs[first]]
        n_b = n_shingles[docs[second]]
        relation = relation_of(edges[e, 2], n_a, n_b, threshold, containment, evidence)
        n_pairs = _add_pair(pairs, n_pairs, docs[first], docs[second], relation, np.int32(edges[e, 2]))
    return pairs[:n_pairs].copy()
