"""The shingles of one or two texts as small numbers: equal shingles have one number, others never do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def count_distinct(units: Any, size: int) -> int:
    """Return how many distinct shingles a text of some units has."""
    n = len(units)
    if n <= size:
        return min(n, 1)
    return int(_numbered(_unit_numbers(units), size).max()) + 1


def number_shingles(units_a: Any, units_b: Any, size: int) -> tuple[Ints, Ints]:
    """Return a number for each shingle of two texts, in order.

    Parameters
    ----------
    units_a, units_b : pyarrow.Array
        Words (strings) or characters (numbers).
    size : int
        Units in a shingle; a shorter text is one shingle.
    """
    n_a, n_b = len(units_a), len(units_b)
    size_a, size_b = min(size, n_a), min(size, n_b)
    if not n_a or not n_b or size_a != size_b:
        a, b = (_alone(units, size) for units in (units_a, units_b))
        return a, b + (int(a.max()) + 1 if len(a) else 0)
    numbers = _numbered(_unit_numbers(pa.chunked_array([units_a, units_b])), size_a)
    # Those between the two, made of units of both, belong to neither.
    return numbers[: n_a - size_a + 1], numbers[n_a:]


def _alone(units: Any, size: int) -> Ints:
    if not len(units):
        return np.zeros(0, dtype=np.int64)
    return _numbered(_unit_numbers(units), min(size, len(units)))


def _unit_numbers(units: Any) -> Ints:
    encoded = units.dictionary_encode()
    indices = encoded.combine_chunks().indices if isinstance(encoded, pa.ChunkedArray) else encoded.indices
    return np.asarray(indices.to_numpy(), dtype=np.int64)


def _numbered(units: Ints, size: int) -> Ints:
    """Return a number for each run of `size` units, from the numbers of runs of half that size."""
    numbers, known = units, 1
    while known < size:
        step = min(known, size - known)  # the last two may overlap
        numbers = _pair_numbers(numbers[:-step], numbers[step:])
        known += step
    return numbers


def _pair_numbers(first: Ints, second: Ints) -> Ints:
    both = first * (int(second.max()) + 1) + second
    return np.asarray(pa.array(both).dictionary_encode().indices.to_numpy(), dtype=np.int64)
