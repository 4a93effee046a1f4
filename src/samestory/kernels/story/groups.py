"""Groups by average linkage, on the graph of neighbours alone.

The pair of groups that are most alike on the average is merged first, as long
as they are alike enough (average linkage: Sokal and Michener 1958, UPGMA). The
mean of all products between the members of two groups is the product of their
sums, so a group needs only the sum of its members' terms (as the centroids of
Miranda et al. 2018), and only groups with neighbours in one another are ever
compared. Sums keep their heaviest terms only, and a group the most alike of its
neighbours, so that the work on a group does not grow with it.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.jit import called, inlined, kernel

MOST_TERMS: Final = 512
"""Terms kept of the sum of a group."""
MOST_ADJACENT: Final = 64
"""Neighbouring groups kept of a group."""
MOST_DAYS: Final = 32
"""Different days kept of a group; beyond it, the two that are closest are taken together."""
TABLE: Final = 2048
_MULTIPLIER: Final = np.uint32(0x9E3779B1)
_SHIFT: Final = np.uint32(21)
UNDATED: Final = -(1 << 40)


@inlined
def _place(name):  # type: ignore[no-untyped-def]
    """Return where in a table a name is looked for first."""
    return np.int64(np.uint32(name * _MULTIPLIER) >> _SHIFT)


@inlined
def fade(days, spread, floor):  # type: ignore[no-untyped-def]
    """Return the factor of two dates so many days apart."""
    return floor + (1.0 - floor) * np.exp(-0.5 * (days / spread) * (days / spread))


@inlined
def _find(parents, i):  # type: ignore[no-untyped-def]
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@inlined
def _is_better(score, a, b, other_score, other_a, other_b):  # type: ignore[no-untyped-def]
    if score != other_score:
        return score > other_score
    return a < other_a or (a == other_a and b < other_b)


@inlined
def _push(heap_scores, heap_pairs, n, score, a, b, version_a, version_b):  # type: ignore[no-untyped-def]
    i = n
    while i > 0:
        parent = (i - 1) // 2
        if not _is_better(score, a, b, heap_scores[parent], heap_pairs[parent, 0], heap_pairs[parent, 1]):
            break
        heap_scores[i] = heap_scores[parent]
        heap_pairs[i] = heap_pairs[parent]
        i = parent
    heap_scores[i] = score
    heap_pairs[i, 0], heap_pairs[i, 1], heap_pairs[i, 2], heap_pairs[i, 3] = a, b, version_a, version_b
    return n + 1


@inlined
def _pop(heap_scores, heap_pairs, n):  # type: ignore[no-untyped-def]
    """Take the first of a heap away; return what is left."""
    n -= 1
    score = heap_scores[n]
    a, b = heap_pairs[n, 0], heap_pairs[n, 1]
    va, vb = heap_pairs[n, 2], heap_pairs[n, 3]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        if child + 1 < n and _is_better(
            heap_scores[child + 1], heap_pairs[child + 1, 0], heap_pairs[child + 1, 1],
            heap_scores[child], heap_pairs[child, 0], heap_pairs[child, 1],
        ):  # fmt: skip
            child += 1
        if not _is_better(heap_scores[child], heap_pairs[child, 0], heap_pairs[child, 1], score, a, b):
            break
        heap_scores[i] = heap_scores[child]
        heap_pairs[i] = heap_pairs[child]
        i = child
    heap_scores[i] = score
    heap_pairs[i, 0], heap_pairs[i, 1], heap_pairs[i, 2], heap_pairs[i, 3] = a, b, va, vb
    return n


@inlined
def _merge_terms(names_a, sums_a, n_a, names_b, sums_b, n_b, names, sums):  # type: ignore[no-untyped-def]
    """Add two sparse vectors whose names are in order; return the number of terms."""
    i = 0
    j = 0
    n = 0
    while i < n_a or j < n_b:
        if j >= n_b or (i < n_a and names_a[i] < names_b[j]):
            names[n], sums[n] = names_a[i], sums_a[i]
            i += 1
        elif i >= n_a or names_b[j] < names_a[i]:
            names[n], sums[n] = names_b[j], sums_b[j]
            j += 1
        else:
            names[n], sums[n] = names_a[i], sums_a[i] + sums_b[j]
            i += 1
            j += 1
        n += 1
    return n


@inlined
def _cut_terms(names, sums, n, most, scratch):  # type: ignore[no-untyped-def]
    """Keep the heaviest terms; of equally heavy ones those of lesser name."""
    if n <= most:
        return n
    scratch[:n] = sums[:n]
    scratch[:n].sort()
    bar = scratch[n - most]
    n_over = 0
    for t in range(n):
        n_over += 1 if sums[t] > bar else 0
    kept = 0
    for t in range(n):
        if sums[t] > bar or (sums[t] == bar and n_over < most):
            if sums[t] == bar:
                n_over += 1
            names[kept], sums[kept] = names[t], sums[t]
            kept += 1
    return kept


@inlined
def _merge_days(days_a, counts_a, n_a, days_b, counts_b, n_b, days, counts):  # type: ignore[no-untyped-def]
    """Add two histograms of days in order; return the number of different days, `MOST_DAYS` at most."""
    i = 0
    j = 0
    n = 0
    while i < n_a or j < n_b:
        if j >= n_b or (i < n_a and days_a[i] < days_b[j]):
            days[n], counts[n] = days_a[i], counts_a[i]
            i += 1
        elif i >= n_a or days_b[j] < days_a[i]:
            days[n], counts[n] = days_b[j], counts_b[j]
            j += 1
        else:
            days[n], counts[n] = days_a[i], counts_a[i] + counts_b[j]
            i += 1
            j += 1
        n += 1
    while n > MOST_DAYS:
        closest = 0
        for k in range(1, n - 1):
            if days[k + 1] - days[k] < days[closest + 1] - days[closest]:
                closest = k
        both = counts[closest] + counts[closest + 1]
        days[closest] = (days[closest] * counts[closest] + days[closest + 1] * counts[closest + 1]) / both
        counts[closest] = both
        for k in range(closest + 1, n - 1):
            days[k], counts[k] = days[k + 1], counts[k + 1]
        n -= 1
    return n


@inlined
def _mean_fade(days_a, counts_a, n_a, size_a, days_b, counts_b, n_b, size_b, spread, floor):  # type: ignore[no-untyped-def]
    """Return the mean factor of time over the pairs of two groups; 1 for a pair with an undated one."""
    total = 0.0
    dated = 0.0
    for i in range(n_a):
        for j in range(n_b):
            both = counts_a[i] * counts_b[j]
            total += both * fade(days_a[i] - days_b[j], spread, floor)
            dated += both
    return (total + size_a * size_b - dated) / (size_a * size_b)


@kernel
def group_components(
    members: NDArray[np.int64],
    member_offsets: NDArray[np.int64],
    edge_first: NDArray[np.int64],
    edge_second: NDArray[np.int64],
    edge_offsets: NDArray[np.int64],
    names: NDArray[np.uint32],
    weights: NDArray[np.float32],
    n_terms: NDArray[np.int32],
    factors: NDArray[np.float64],
    days: NDArray[np.int64],
    least: float,
    spread: float,
    floor: float,
    groups: NDArray[np.int64],
) -> None:
    """Write for each member of some connected components the least article of its group.

    Parameters
    ----------
    members, member_offsets : int64 arrays
        Articles of each component, in order.
    edge_first, edge_second, edge_offsets : int64 arrays
        Neighbours within each component, as places among its members.
    names, weights, n_terms
        Terms of all articles.
    factors : float64 array
        By which each one's similarities are multiplied.
    days : int64 array
        Of each article, or `UNDATED`.
    least : float
        Mean similarity at or over which two groups are merged.
    spread, floor : float
        Of the factor of time.
    groups : int64 array of shape (n,)
        Written, of all articles.
    """
    for c in range(len(member_offsets) - 1):
        own = members[member_offsets[c] : member_offsets[c + 1]]
        parents = _group_component(
            own,
            names,
            weights,
            n_terms,
            factors,
            days,
            edge_first[edge_offsets[c] : edge_offsets[c + 1]],
            edge_second[edge_offsets[c] : edge_offsets[c + 1]],
            least,
            spread,
            floor,
        )
        for k in range(len(own)):
            groups[own[k]] = own[parents[k]]


@called
def _group_component(  # type: ignore[no-untyped-def]
    members, names, weights, n_terms, factors, days, edge_first, edge_second, least, spread, floor
):
    """Group the members of one component; return for each the place of the least of its group."""
    m = len(members)
    n_edges = len(edge_first)
    parents = np.arange(m)
    sizes = np.ones(m, dtype=np.float64)
    versions = np.zeros(m, dtype=np.int64)
    # Where the terms of a group are: of one article in the table of all, else in a slot of its own.
    slot_of = np.full(m, -1, dtype=np.int64)
    most_slots = m // 2 + 1
    slot_names = np.empty((most_slots, MOST_TERMS), dtype=np.uint32)
    slot_sums = np.empty((most_slots, MOST_TERMS), dtype=np.float32)
    slot_sizes = np.zeros(most_slots, dtype=np.int64)
    slot_days = np.empty((most_slots, MOST_DAYS), dtype=np.float64)
    slot_counts = np.empty((most_slots, MOST_DAYS), dtype=np.float64)
    slot_n_days = np.zeros(most_slots, dtype=np.int64)
    free = np.arange(most_slots)[::-1].copy()
    n_free = most_slots
    width = names.shape[1]
    own_names = np.empty(2 * max(MOST_TERMS, width), dtype=np.uint32)
    own_sums = np.empty(2 * max(MOST_TERMS, width), dtype=np.float32)
    scratch = np.empty(2 * max(MOST_TERMS, width), dtype=np.float32)
    scaled_a = np.empty(width, dtype=np.float32)
    scaled_b = np.empty(width, dtype=np.float32)
    own_days = np.empty(2 * MOST_DAYS, dtype=np.float64)
    own_counts = np.empty(2 * MOST_DAYS, dtype=np.float64)
    one_day = np.empty(1, dtype=np.float64)
    one_more_day = np.empty(1, dtype=np.float64)
    one = np.ones(1, dtype=np.float64)
    table = np.zeros(TABLE, dtype=np.uint32)
    table_sums = np.zeros(TABLE, dtype=np.float32)
    table_places = np.empty(MOST_TERMS + width, dtype=np.int64)
    # Adjacent groups of each, as lists of numbers that `parents` brings up to date.
    degrees = np.zeros(m + 1, dtype=np.int64)
    for e in range(n_edges):
        degrees[edge_first[e] + 1] += 1
        degrees[edge_second[e] + 1] += 1
    begins = np.cumsum(degrees)[:-1].copy()
    lengths = np.zeros(m, dtype=np.int64)
    room = 2 * n_edges + 2 * MOST_ADJACENT
    pool = np.empty(room, dtype=np.int64)
    for e in range(n_edges):
        a = edge_first[e]
        b = edge_second[e]
        pool[begins[a] + lengths[a]] = b
        lengths[a] += 1
        pool[begins[b] + lengths[b]] = a
        lengths[b] += 1
    pool_end = 2 * n_edges
    heap_scores = np.empty(n_edges + 1024, dtype=np.float64)
    heap_pairs = np.empty((n_edges + 1024, 4), dtype=np.int64)
    n_heap = 0
    marks = np.full(m, -1, dtype=np.int64)
    near = np.empty(m, dtype=np.int64)
    near_scores = np.empty(m, dtype=np.float64)
    # The pairs to begin with. An article's terms are put into the table once for all its edges.
    for a in range(m):
        if lengths[a] == 0:
            continue
        filled = 0
        for k in range(begins[a], begins[a] + lengths[a]):
            b = pool[k]
            if b < a:
                continue
            if filled == 0:
                doc = members[a]
                for t in range(n_terms[doc]):
                    place = _place(names[doc, t])
                    while table_sums[place] != 0.0:
                        place = (place + 1) & (TABLE - 1)
                    table[place] = names[doc, t]
                    table_sums[place] = np.float32(weights[doc, t] * factors[doc])
                    table_places[filled] = place
                    filled += 1
            other = members[b]
            total = 0.0
            for t in range(n_terms[other]):
                place = _place(names[other, t])
                while table_sums[place] != 0.0:
                    if table[place] == names[other, t]:
                        total += np.float64(table_sums[place]) * np.float64(
                            np.float32(weights[other, t] * factors[other])
                        )
                        break
                    place = (place + 1) & (TABLE - 1)
            score = total
            if days[members[a]] != UNDATED and days[other] != UNDATED:
                score *= fade(np.float64(days[members[a]] - days[other]), spread, floor)
            if score >= least:
                n_heap = _push(heap_scores, heap_pairs, n_heap, score, a, b, 0, 0)
        for k in range(filled):
            table_sums[table_places[k]] = 0.0
    while n_heap > 0:
        a = heap_pairs[0, 0]
        b = heap_pairs[0, 1]
        valid = versions[a] == heap_pairs[0, 2] and versions[b] == heap_pairs[0, 3]
        valid = valid and parents[a] == a and parents[b] == b
        n_heap = _pop(heap_scores, heap_pairs, n_heap)
        if not valid:
            continue
        # The terms and the days of both, added up.
        if slot_of[a] >= 0:
            a_names, a_sums, a_n = slot_names[slot_of[a]], slot_sums[slot_of[a]], slot_sizes[slot_of[a]]
            a_days, a_counts, a_n_days = (
                slot_days[slot_of[a]],
                slot_counts[slot_of[a]],
                slot_n_days[slot_of[a]],
            )
        else:
            doc = members[a]
            a_names, a_n = names[doc], np.int64(n_terms[doc])
            for t in range(a_n):
                scaled_a[t] = np.float32(weights[doc, t] * factors[doc])
            a_sums = scaled_a
            one_day[0] = np.float64(days[doc])
            a_days, a_counts, a_n_days = one_day, one, np.int64(1 if days[doc] != UNDATED else 0)
        if slot_of[b] >= 0:
            b_names, b_sums, b_n = slot_names[slot_of[b]], slot_sums[slot_of[b]], slot_sizes[slot_of[b]]
            b_days, b_counts, b_n_days = (
                slot_days[slot_of[b]],
                slot_counts[slot_of[b]],
                slot_n_days[slot_of[b]],
            )
        else:
            doc = members[b]
            b_names, b_n = names[doc], np.int64(n_terms[doc])
            for t in range(b_n):
                scaled_b[t] = np.float32(weights[doc, t] * factors[doc])
            b_sums = scaled_b
            one_more_day[0] = np.float64(days[doc])
            b_days, b_counts, b_n_days = one_more_day, one, np.int64(1 if days[doc] != UNDATED else 0)
        n_own = _merge_terms(a_names, a_sums, a_n, b_names, b_sums, b_n, own_names, own_sums)
        n_own = _cut_terms(own_names, own_sums, n_own, MOST_TERMS, scratch)
        n_days = _merge_days(a_days, a_counts, a_n_days, b_days, b_counts, b_n_days, own_days, own_counts)
        if slot_of[b] >= 0:
            free[n_free] = slot_of[b]
            n_free += 1
            slot_of[b] = -1
        if slot_of[a] < 0:
            n_free -= 1
            slot_of[a] = free[n_free]
        slot = slot_of[a]
        slot_names[slot, :n_own] = own_names[:n_own]
        slot_sums[slot, :n_own] = own_sums[:n_own]
        slot_sizes[slot] = n_own
        slot_days[slot, :n_days] = own_days[:n_days]
        slot_counts[slot, :n_days] = own_counts[:n_days]
        slot_n_days[slot] = n_days
        parents[b] = a
        sizes[a] += sizes[b]
        versions[a] += 1
        # Its neighbours are those of both.
        n_near = 0
        marks[a] = a
        for side in range(2):
            group = a if side == 0 else b
            for k in range(begins[group], begins[group] + lengths[group]):
                other = _find(parents, pool[k])
                if other != a and marks[other] != a:
                    marks[other] = a
                    near[n_near] = other
                    n_near += 1
        for k in range(n_near):
            marks[near[k]] = -1
        marks[a] = -1
        for t in range(n_own):
            place = _place(own_names[t])
            while table_sums[place] != 0.0:
                place = (place + 1) & (TABLE - 1)
            table[place] = own_names[t]
            table_sums[place] = own_sums[t]
            table_places[t] = place
        for k in range(n_near):
            other = near[k]
            total = 0.0
            if slot_of[other] >= 0:
                o_slot = slot_of[other]
                for t in range(slot_sizes[o_slot]):
                    name = slot_names[o_slot, t]
                    place = _place(name)
                    while table_sums[place] != 0.0:
                        if table[place] == name:
                            total += np.float64(table_sums[place]) * np.float64(slot_sums[o_slot, t])
                            break
                        place = (place + 1) & (TABLE - 1)
                o_days, o_counts, o_n_days = slot_days[o_slot], slot_counts[o_slot], slot_n_days[o_slot]
            else:
                doc = members[other]
                for t in range(n_terms[doc]):
                    name = names[doc, t]
                    place = _place(name)
                    while table_sums[place] != 0.0:
                        if table[place] == name:
                            total += np.float64(table_sums[place]) * np.float64(
                                np.float32(weights[doc, t] * factors[doc])
                            )
                            break
                        place = (place + 1) & (TABLE - 1)
                one_day[0] = np.float64(days[doc])
                o_days, o_counts, o_n_days = one_day, one, np.int64(1 if days[doc] != UNDATED else 0)
            mean = total / (sizes[a] * sizes[other])
            near_scores[k] = mean * _mean_fade(
                own_days,
                own_counts,
                n_days,
                sizes[a],
                o_days,
                o_counts,
                o_n_days,
                sizes[other],
                spread,
                floor,
            )
        for t in range(n_own):
            table_sums[table_places[t]] = 0.0
        if n_near > MOST_ADJACENT:
            ordered = np.argsort(-near_scores[:n_near], kind="mergesort")
            kept = near[ordered[:MOST_ADJACENT]].copy()
            kept_scores = near_scores[ordered[:MOST_ADJACENT]].copy()
            n_near = MOST_ADJACENT
            near[:n_near] = kept
            near_scores[:n_near] = kept_scores
        if pool_end + n_near > len(pool):
            grown = np.empty(2 * len(pool) + n_near, dtype=np.int64)
            grown[:pool_end] = pool[:pool_end]
            pool = grown
        begins[a] = pool_end
        lengths[a] = n_near
        lengths[b] = 0
        for k in range(n_near):
            pool[pool_end + k] = near[k]
        pool_end += n_near
        if n_heap + n_near > len(heap_scores):
            grown_scores = np.empty(2 * len(heap_scores) + n_near, dtype=np.float64)
            grown_pairs = np.empty((2 * len(heap_scores) + n_near, 4), dtype=np.int64)
            grown_scores[:n_heap] = heap_scores[:n_heap]
            grown_pairs[:n_heap] = heap_pairs[:n_heap]
            heap_scores = grown_scores
            heap_pairs = grown_pairs
        for k in range(n_near):
            if near_scores[k] >= least:
                low = min(a, near[k])
                high = max(a, near[k])
                n_heap = _push(
                    heap_scores, heap_pairs, n_heap, near_scores[k], low, high, versions[low], versions[high]
                )
    for i in range(m):
        parents[i] = _find(parents, i)
    return parents
