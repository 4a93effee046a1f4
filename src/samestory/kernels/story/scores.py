"""What holds a story together: the similarity of each member to the rest, and the terms that make it."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.jit import inlined, kernel
from samestory.kernels.story.groups import UNDATED, fade

_MULTIPLIER: Final = np.uint32(0x9E3779B1)


@inlined
def _place_of(name, table, used, mask):  # type: ignore[no-untyped-def]
    place = np.int64(name * _MULTIPLIER) & mask
    while used[place] and table[place] != name:
        place = (place + 1) & mask
    return place


@inlined
def _mean_fade_with(day, days, counts, n_days, n_others, spread, floor):  # type: ignore[no-untyped-def]
    """Return the mean factor of time of one member with all the others; an undated one counts 1."""
    if day == UNDATED:
        return 1.0
    total = -1.0  # itself
    dated = -1.0
    for k in range(n_days):
        total += counts[k] * fade(np.float64(day - days[k]), spread, floor)
        dated += counts[k]
    return (total + n_others - dated) / n_others


@kernel
def score_members(
    members: NDArray[np.int64],
    offsets: NDArray[np.int64],
    names: NDArray[np.uint32],
    weights: NDArray[np.float32],
    n_terms: NDArray[np.int32],
    factors: NDArray[np.float64],
    days: NDArray[np.int64],
    spread: float,
    floor: float,
    best_names: NDArray[np.uint32],
    best_shares: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Return the mean similarity of each member of a story to the others.

    Parameters
    ----------
    members, offsets : int64 arrays
        The members of each story, two or more.
    names, weights, n_terms, factors, days
        Of all articles.
    spread, floor : float
        Of the factor of time.
    best_names, best_shares : arrays of shape (stories, k)
        Written: the terms that make up most of the similarity within a story, and their shares of it.
    """
    result = np.empty(len(members), dtype=np.float64)
    most = best_names.shape[1]
    for s in range(len(offsets) - 1):
        begin = offsets[s]
        end = offsets[s + 1]
        total = 0
        for k in range(begin, end):
            total += n_terms[members[k]]
        size = 16
        while size < 2 * total:
            size *= 2
        mask = size - 1
        used = np.zeros(size, dtype=np.bool_)
        table = np.empty(size, dtype=np.uint32)
        sums = np.zeros(size, dtype=np.float64)
        squares = np.zeros(size, dtype=np.float64)
        story_days = np.empty(end - begin, dtype=np.int64)
        n_dated = 0
        for k in range(begin, end):
            doc = members[k]
            for t in range(n_terms[doc]):
                place = _place_of(names[doc, t], table, used, mask)
                used[place] = True
                table[place] = names[doc, t]
                value = np.float64(weights[doc, t]) * factors[doc]
                sums[place] += value
                squares[place] += value * value
            if days[doc] != UNDATED:
                story_days[n_dated] = days[doc]
                n_dated += 1
        story_days[:n_dated].sort()
        counts = np.empty(n_dated, dtype=np.float64)
        n_days = 0
        for k in range(n_dated):
            if n_days > 0 and story_days[n_days - 1] == story_days[k]:
                counts[n_days - 1] += 1.0
            else:
                story_days[n_days] = story_days[k]
                counts[n_days] = 1.0
                n_days += 1
        n_others = np.float64(end - begin - 1)
        for k in range(begin, end):
            doc = members[k]
            product = 0.0
            for t in range(n_terms[doc]):
                value = np.float64(weights[doc, t]) * factors[doc]
                product += value * (sums[_place_of(names[doc, t], table, used, mask)] - value)
            result[k] = (
                product
                / n_others
                * _mean_fade_with(days[doc], story_days, counts, n_days, n_others, spread, floor)
            )
        _best_terms(used, table, sums, squares, most, best_names[s], best_shares[s])
    return result


@inlined
def _best_terms(used, table, sums, squares, most, best_names, best_shares):  # type: ignore[no-untyped-def]
    """Write the terms with the largest share of the products of a story, the largest first."""
    whole = 0.0
    n = 0
    best = np.zeros(most, dtype=np.float64)
    for place in range(len(used)):
        if not used[place]:
            continue
        value = sums[place] * sums[place] - squares[place]
        if value <= 1e-12 * sums[place] * sums[place]:
            continue  # in one member only
        whole += value
        k = n
        if n < most:
            n += 1
        elif value < best[n - 1] or (value == best[n - 1] and table[place] > best_names[n - 1]):
            continue
        else:
            k = n - 1
        while k > 0 and (value > best[k - 1] or (value == best[k - 1] and table[place] < best_names[k - 1])):
            best[k] = best[k - 1]
            best_names[k] = best_names[k - 1]
            k -= 1
        best[k] = value
        best_names[k] = table[place]
    for k in range(most):
        best_shares[k] = np.float32(best[k] / whole) if k < n else np.float32(0.0)


@kernel
def compare_pairs(
    firsts: NDArray[np.int64],
    seconds: NDArray[np.int64],
    values: NDArray[np.float64],
    days: NDArray[np.int64],
    spread: float,
    floor: float,
) -> NDArray[np.float64]:
    """Return the similarity of pairs with the factor of time."""
    out = np.empty(len(firsts), dtype=np.float64)
    for p in range(len(firsts)):
        out[p] = values[p]
        day = days[firsts[p]]
        other = days[seconds[p]]
        if day != UNDATED and other != UNDATED:
            out[p] *= fade(np.float64(day - other), spread, floor)
    return out
