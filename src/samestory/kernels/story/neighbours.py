"""The nearest neighbours of each article by its terms, from an inverted index.

Articles stand in the order of their dates, the undated last, so that in every
list of postings those of a window of time stand together. For one article the
shortest lists are gone through first, up to a number of postings that does not
grow with the corpus; the partial products are added up article by article
(term-at-a-time scoring; Zobel and Moffat, "Inverted files for text search
engines", 2006).
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.jit import inlined, kernel

TABLE: Final = 1024
FILTER_WORDS: Final = 256
_MULTIPLIER: Final = np.uint32(0x9E3779B1)
_SHIFT: Final = np.uint32(22)


@inlined
def _place(name):  # type: ignore[no-untyped-def]
    """Return where in a table a name is looked for first."""
    return np.int64(np.uint32(name * _MULTIPLIER) >> _SHIFT)


@inlined
def first_at_least(values, begin, end, least):  # type: ignore[no-untyped-def]
    """Return the first place of a sorted range whose value is `least` or more."""
    while begin < end:
        middle = (begin + end) // 2
        if values[middle] < least:
            begin = middle + 1
        else:
            end = middle
    return begin


@kernel
def pack_terms(
    names: NDArray[np.uint32],
    telling: NDArray[np.uint8],
    n_telling: NDArray[np.int32],
    part: int,
    n_parts: int,
) -> NDArray[np.uint64]:
    """Return names and places (article and slot in one number) of telling terms, for one range of names."""
    width = telling.shape[1]
    low = (part << 32) // n_parts
    high = ((part + 1) << 32) // n_parts
    n = 0
    for unit in range(len(telling)):
        for t in range(n_telling[unit]):
            name = np.int64(names[unit, telling[unit, t]])
            n += 1 if low <= name and name < high else 0
    packed = np.empty(n, dtype=np.uint64)
    n = 0
    for unit in range(len(telling)):
        for t in range(n_telling[unit]):
            name = np.int64(names[unit, telling[unit, t]])
            if low <= name and name < high:
                packed[n] = (np.uint64(name) << np.uint64(32)) | np.uint64(unit * width + t)
                n += 1
    return packed


@kernel
def write_lists(
    packed: NDArray[np.uint64],
    first: int,
    n_lists: int,
    weights: NDArray[np.float32],
    telling: NDArray[np.uint8],
    unit_lists: NDArray[np.int32],
    unit_weights: NDArray[np.float32],
    list_offsets: NDArray[np.int64],
    postings: NDArray[np.int32],
    posting_weights: NDArray[np.float32],
) -> int:
    """Write lists of postings from sorted names and places; return how many lists there are now."""
    width = telling.shape[1]
    for p in range(len(packed)):
        if p == 0 or (packed[p] >> np.uint64(32)) != (packed[p - 1] >> np.uint64(32)):
            list_offsets[n_lists] = first + p
            n_lists += 1
        place = np.int64(packed[p] & np.uint64(0xFFFFFFFF))
        unit = place // width
        slot = place - unit * width
        weight = weights[unit, telling[unit, slot]]
        unit_lists[unit, slot] = n_lists - 1
        unit_weights[unit, slot] = weight
        postings[first + p] = unit
        posting_weights[first + p] = weight
    return n_lists


@inlined
def _add_postings(postings, weights, begin, end, weight, own, scores, touched, n_touched):  # type: ignore[no-untyped-def]
    for p in range(begin, end):
        other = postings[p]
        if other != own:
            if scores[other] == 0.0:
                touched[n_touched] = other
                n_touched += 1
            scores[other] += weight * weights[p]
    return n_touched


@inlined
def _nearest(postings, begin, end, unit, most):  # type: ignore[no-untyped-def]
    """Return the part of a range of postings, of `most` at most, that stands around an article."""
    if end - begin <= most:
        return begin, end
    own = first_at_least(postings, begin, end, unit)
    begin = max(begin, min(own - most // 2, end - most))
    return begin, begin + most


@inlined
def _comes_before(score, doc, other_score, other):  # type: ignore[no-untyped-def]
    return score > other_score or (score == other_score and doc < other)


@inlined
def _sift_down(heap, n, scores):  # type: ignore[no-untyped-def]
    """Let the worst of a heap come first again after its first was replaced."""
    i = 0
    while True:
        worst = i
        for child in range(2 * i + 1, min(2 * i + 3, n)):
            if _comes_before(scores[heap[worst]], heap[worst], scores[heap[child]], heap[child]):
                worst = child
        if worst == i:
            return
        heap[i], heap[worst] = heap[worst], heap[i]
        i = worst


@inlined
def _keep_best(touched, n, scores, most, out):  # type: ignore[no-untyped-def]
    """Write the `most` best touched articles; return how many there are."""
    n_kept = min(n, most)
    for i in range(n_kept):
        out[i] = touched[i]
    if n <= most:
        return n_kept
    for i in range(1, n_kept):  # the worst first
        child = i
        while child > 0:
            parent = (child - 1) // 2
            if not _comes_before(scores[out[parent]], out[parent], scores[out[child]], out[child]):
                break
            out[parent], out[child] = out[child], out[parent]
            child = parent
    for i in range(n_kept, n):
        if _comes_before(scores[touched[i]], touched[i], scores[out[0]], out[0]):
            out[0] = touched[i]
            _sift_down(out, n_kept, scores)
    return n_kept


@inlined
def _by_length(lists, lengths, n):  # type: ignore[no-untyped-def]
    """Sort a few lists by length, those of one length by number."""
    for i in range(1, n):
        k = i
        while k > 0 and (
            lengths[k] < lengths[k - 1] or (lengths[k] == lengths[k - 1] and lists[k] < lists[k - 1])
        ):
            lists[k], lists[k - 1] = lists[k - 1], lists[k]
            lengths[k], lengths[k - 1] = lengths[k - 1], lengths[k]
            k -= 1


@kernel
def find_neighbours(
    first: int,
    last: int,
    unit_lists: NDArray[np.int32],
    unit_weights: NDArray[np.float32],
    list_offsets: NDArray[np.int64],
    postings: NDArray[np.int32],
    weights: NDArray[np.float32],
    window_begins: NDArray[np.int64],
    window_ends: NDArray[np.int64],
    n_dated: int,
    n_units: int,
    most_near: int,
    most_far: int,
    short_list: int,
    neighbours: NDArray[np.int32],
) -> int:
    """Write the best neighbours of articles `first` to `last`, -1 where there are fewer.

    Parameters
    ----------
    unit_lists, unit_weights : arrays of shape (last - first, t)
        The list of each of these articles' telling terms (-1: none), and the term's weight.
    list_offsets, postings, weights
        Lists of articles in order, with the term's weight in each.
    window_begins, window_ends : int64 arrays of shape (last - first,)
        Dated articles within the window of each.
    most_near, most_far : int
        Postings read within the window (and of the undated), and beyond it.
    short_list : int
        Lists of so few postings are read as a whole.
    neighbours : int32 array of shape (last - first, m)

    Returns
    -------
    int
        Postings read.
    """
    n_terms = unit_lists.shape[1]
    most = neighbours.shape[1]
    scores = np.zeros(n_units, dtype=np.float32)
    touched = np.empty(n_units, dtype=np.int32)
    lists = np.empty(n_terms, dtype=np.int64)
    lengths = np.empty(n_terms, dtype=np.int64)
    bounds = np.empty((n_terms, 3), dtype=np.int64)
    n_read = 0
    for unit in range(first, last):
        row = unit - first
        n_lists = 0
        for t in range(n_terms):
            number = np.int64(unit_lists[row, t])
            if number < 0:
                break
            lists[n_lists] = (number << 8) | t
            low = list_offsets[number]
            high = list_offsets[number + 1]
            if high - low <= short_list:
                lengths[n_lists] = high - low
            else:
                undated = first_at_least(postings, low, high, n_dated)
                inside = first_at_least(postings, low, undated, window_begins[row])
                beyond = first_at_least(postings, inside, undated, window_ends[row])
                bounds[t, 0], bounds[t, 1], bounds[t, 2] = inside, beyond, undated
                lengths[n_lists] = beyond - inside + high - undated
            n_lists += 1
        _by_length(lists, lengths, n_lists)
        n_touched = 0
        near = 0
        far = 0
        for k in range(n_lists):
            if near >= most_near:
                break
            number = lists[k] >> 8
            t = lists[k] & 255
            weight = unit_weights[row, t]
            low = list_offsets[number]
            high = list_offsets[number + 1]
            if high - low <= short_list:
                n_touched = _add_postings(
                    postings, weights, low, high, weight, unit, scores, touched, n_touched
                )
                near += high - low
                continue
            inside, beyond, undated = bounds[t, 0], bounds[t, 1], bounds[t, 2]
            begin, end = _nearest(postings, inside, beyond, unit, most_near - near)
            n_touched = _add_postings(postings, weights, begin, end, weight, unit, scores, touched, n_touched)
            near += end - begin
            begin, end = _nearest(postings, undated, high, unit, max(0, most_near - near))
            n_touched = _add_postings(postings, weights, begin, end, weight, unit, scores, touched, n_touched)
            near += end - begin
            room = max(0, (most_far - far) // 2)
            before = min(inside - low, room)
            after = min(undated - beyond, room)
            n_touched = _add_postings(
                postings, weights, inside - before, inside, weight, unit, scores, touched, n_touched
            )
            n_touched = _add_postings(
                postings, weights, beyond, beyond + after, weight, unit, scores, touched, n_touched
            )
            far += before + after
        n_read += near + far
        found = _keep_best(touched, n_touched, scores, most, neighbours[row])
        neighbours[row, found:] = -1
        for k in range(n_touched):
            scores[touched[k]] = 0.0
    return n_read


@inlined
def _bit_of(name):  # type: ignore[no-untyped-def]
    """Return the word of the filter, and the bit in it, that stands for a name."""
    mixed = np.uint32(name * _MULTIPLIER)
    return np.int64(mixed >> np.uint32(24)), np.uint64(1) << np.uint64(
        (mixed >> np.uint32(18)) & np.uint32(63)
    )


@inlined
def _fill_table(names, weights, n, table, table_weights, bits):  # type: ignore[no-untyped-def]
    """Put the terms of one article into an empty table and a filter; weight 0 is an empty place."""
    for t in range(n):
        word, bit = _bit_of(names[t])
        bits[word] |= bit
        place = _place(names[t])
        while table_weights[place] != 0.0:
            place = (place + 1) & (TABLE - 1)
        table[place] = names[t]
        table_weights[place] = weights[t]


@inlined
def _product(names, weights, n, table, table_weights, bits):  # type: ignore[no-untyped-def]
    """Multiply the terms of an article with those in the table, in the order of their names."""
    total = 0.0
    for t in range(n):
        word, bit = _bit_of(names[t])
        if bits[word] & bit == np.uint64(0):  # nearly always
            continue
        place = _place(names[t])
        while table_weights[place] != 0.0:
            if table[place] == names[t]:
                total += np.float64(weights[t]) * np.float64(table_weights[place])
                break
            place = (place + 1) & (TABLE - 1)
    return total


@kernel
def compare_neighbours(
    first: int,
    last: int,
    names: NDArray[np.uint32],
    weights: NDArray[np.float32],
    n_terms: NDArray[np.int32],
    neighbours: NDArray[np.int32],
    similarities: NDArray[np.float32],
) -> int:
    """Write the cosine of articles `first` to `last` with each of their neighbours; the result is idle."""
    table = np.zeros(TABLE, dtype=np.uint32)
    table_weights = np.zeros(TABLE, dtype=np.float32)
    bits = np.zeros(FILTER_WORDS, dtype=np.uint64)
    asked = np.uint64(0)
    for unit in range(first, last):
        n_found = 0
        for k in range(neighbours.shape[1]):
            n_found += 1 if neighbours[unit, k] >= 0 else 0
        if n_found == 0:
            similarities[unit] = np.float32(0.0)
            continue
        _fill_table(names[unit], weights[unit], n_terms[unit], table, table_weights, bits)
        for k in range(neighbours.shape[1]):
            other = neighbours[unit, k]
            if k + 1 < neighbours.shape[1] and neighbours[unit, k + 1] >= 0:
                # Asked for now, the next one's terms are there when it is their turn.
                following = neighbours[unit, k + 1]
                for t in range(0, n_terms[following], 16):
                    asked += names[following, t] + np.uint64(weights[following, t])
            if other < 0:
                similarities[unit, k] = np.float32(0.0)
            else:
                similarities[unit, k] = np.float32(
                    _product(names[other], weights[other], n_terms[other], table, table_weights, bits)
                )
        table_weights[:] = 0.0
        bits[:] = 0
    return int(asked)


@kernel
def measure_levels(
    similarities: NDArray[np.float32],
    nearest_floor: float,
    rank_begin: int,
    rank_end: int,
    prior: float,
    prior_weight: float,
    most: float,
    exponent: float,
) -> NDArray[np.float64]:
    """Return by what each article's similarities are multiplied: what its neighbourhood gives for free.

    The level of an article is its similarity to its nearest neighbour, and the mean of those of rank
    `rank_begin` to `rank_end`, blended with a prior and `most` at most; each to the power of -`exponent`.
    """
    n = len(similarities)
    factors = np.empty(n, dtype=np.float64)
    row = np.empty(similarities.shape[1], dtype=np.float32)
    for i in range(n):
        row[:] = similarities[i]
        row.sort()
        count = 0
        total = prior * prior_weight
        for k in range(rank_begin, min(rank_end, len(row))):
            value = np.float64(row[len(row) - 1 - k])
            if value > 0.0:
                total += value
                count += 1
        nearest = max(np.float64(row[len(row) - 1]), nearest_floor)
        factors[i] = (nearest * min(total / (count + prior_weight), most)) ** -exponent
    return factors


@kernel
def list_edges(
    first: int,
    neighbours: NDArray[np.int32],
    similarities: NDArray[np.float32],
    factors: NDArray[np.float64],
    least: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the pairs of neighbours (lesser, greater) with a corrected similarity of `least` or more.

    The neighbours are those of the articles from `first` on.
    """
    n = 0
    for row in range(len(neighbours)):
        i = first + row
        for k in range(neighbours.shape[1]):
            j = neighbours[row, k]
            if j >= 0 and similarities[row, k] * factors[i] * factors[j] >= least:
                n += 1
    firsts = np.empty(n, dtype=np.int64)
    seconds = np.empty(n, dtype=np.int64)
    values = np.empty(n, dtype=np.float64)
    n = 0
    for row in range(len(neighbours)):
        i = first + row
        for k in range(neighbours.shape[1]):
            j = neighbours[row, k]
            if j >= 0:
                value = similarities[row, k] * factors[min(i, j)] * factors[max(i, j)]
                if similarities[row, k] * factors[i] * factors[j] >= least:
                    firsts[n] = min(i, j)
                    seconds[n] = max(i, j)
                    values[n] = value
                    n += 1
    return firsts, seconds, values
