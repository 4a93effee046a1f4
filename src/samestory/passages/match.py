"""Which stretches of two texts are the same: shared shingles, joined to passages.

The work grows with the length of the texts, whatever they repeat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Shared:
    """What two texts share.

    Attributes
    ----------
    n_shared : int
        Distinct shingles that both have.
    a, b : int64 arrays
        For each unit of the texts the number of the passage that it is in, from 1 on, or 0.
    """

    n_shared: int
    a: Ints
    b: Ints


def find_shared(a: Ints, b: Ints, n_units_a: int, n_units_b: int) -> Shared:
    """Find the passages that two texts share.

    Parameters
    ----------
    a, b : int64 arrays
        The numbers of their shingles, in order: see `samestory.passages.shingles`.
    n_units_a, n_units_b : int
        Words (or characters) of each.
    """
    n = max(int(a.max(initial=-1)), int(b.max(initial=-1))) + 1
    in_a, in_b = (np.bincount(numbers, minlength=n) > 0 for numbers in (a, b))
    n_shared = int(np.count_nonzero(in_a & in_b))
    if not n_shared:
        return Shared(0, np.zeros(n_units_a, dtype=np.int64), np.zeros(n_units_b, dtype=np.int64))
    matched = _match(a, b, in_b[a], n)
    of_a, of_b = _number_passages(a, b, matched, in_a[b], n)
    return Shared(n_shared, _spread(of_a, n_units_a), _spread(of_b, n_units_b))


def _match(a: Ints, b: Ints, is_shared: NDArray[np.bool_], n: int) -> Ints:
    """Return for each shingle of a the place of a like one in b, -1 where there is none.

    Where b has several, the one is taken that goes on with the passage before,
    or leads to the passage after; else the first.
    """
    firsts = _first_places(b, n)
    counts = np.bincount(b, minlength=n)
    matched = np.where(is_shared & (counts[a] == 1), firsts[a], -1)
    repeated = np.flatnonzero(is_shared & (counts[a] > 1)).tolist()
    if not repeated:
        return matched
    in_a, in_b, found = a.tolist(), b.tolist(), matched.tolist()
    for i in repeated:
        _go_on(in_a, in_b, found, i)
    for i in reversed(repeated):
        if found[i] < 0 and i + 1 < len(in_a) and found[i + 1] > 0 and in_b[found[i + 1] - 1] == in_a[i]:
            found[i] = found[i + 1] - 1
    for i in repeated:
        if found[i] < 0:
            _go_on(in_a, in_b, found, i)
        if found[i] < 0:
            found[i] = int(firsts[in_a[i]])
    return np.array(found, dtype=np.int64)


def _go_on(in_a: list[int], in_b: list[int], found: list[int], i: int) -> None:
    """Match a shingle of a with the one in b after the last one's, if that is like it."""
    if i and found[i - 1] >= 0 and found[i - 1] + 1 < len(in_b) and in_b[found[i - 1] + 1] == in_a[i]:
        found[i] = found[i - 1] + 1


def _first_places(numbers: Ints, n: int) -> Ints:
    """Return where each of `n` numbers occurs first, -1 where it does not."""
    firsts = np.full(n, -1, dtype=np.int64)
    firsts[numbers[::-1]] = np.arange(len(numbers))[::-1]
    return firsts


def _number_passages(
    a: Ints, b: Ints, matched: Ints, b_is_shared: NDArray[np.bool_], n: int
) -> tuple[Ints, Ints]:
    """Return for each shingle of both the number of its passage, 0 where it is not shared.

    Every number is on both sides: a passage of a whose like in b is another's
    already has that one's number, and so have further copies in b.
    """
    is_shared = matched >= 0
    goes_on = is_shared[1:] & is_shared[:-1] & (matched[1:] == matched[:-1] + 1)
    begins = is_shared & np.append(True, ~goes_on)
    passages = np.cumsum(begins) - 1
    own = passages[is_shared]
    of_b = np.full(len(b), -1, dtype=np.int64)
    of_b[matched[is_shared][::-1]] = own[::-1]  # of several the first is written last
    others = np.flatnonzero(b_is_shared & (of_b < 0))
    of_b[others] = passages[_first_places(a, n)[b[others]]]
    labels = np.arange(int(own[-1]) + 1)
    lost = np.bincount(of_b[of_b >= 0], minlength=len(labels)) == 0
    labels[lost] = of_b[matched[np.flatnonzero(begins)[lost]]]
    _, numbers = np.unique(labels, return_inverse=True)  # labels are those of first passages: in order of a
    numbers = numbers.reshape(-1) + 1
    of_a = np.where(is_shared, numbers[np.maximum(passages, 0)], 0)
    return of_a, np.where(of_b >= 0, numbers[np.maximum(of_b, 0)], 0)


def _spread(of_shingle: Ints, n_units: int) -> Ints:
    """Return for each unit the passage of the first shared shingle that holds it, 0 where none does."""
    n = len(of_shingle)
    size = n_units - n + 1
    following = np.where(of_shingle > 0, np.arange(n), n)
    following = np.append(np.minimum.accumulate(following[::-1])[::-1], n)
    units = np.arange(n_units)
    first = following[np.minimum(np.maximum(units - size + 1, 0), n)]
    return np.where(first <= units, np.append(of_shingle, 0)[first], 0)
