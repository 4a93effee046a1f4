"""What texts share, counted by kernels, against Python's sets."""

from __future__ import annotations

from itertools import pairwise

import numba
import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import samestory
from samestory.kernels.overlap import count_merged, count_shared, hash_sorted
from samestory.normalise import FoldedTexts, normalise
from strategies import edited, shingle_shapes, story_words


@st.composite
def similar_texts(draw: st.DrawFn) -> list[str]:
    """Texts made from one another; some without a word."""
    versions = [draw(story_words())]
    for _ in range(draw(st.integers(0, 7))):
        versions.append(draw(edited(draw(st.sampled_from(versions)))))
    return [" ".join(words) for words in versions] + [""] * draw(st.integers(0, 1))


@numba.njit
def merge_all(lists: NDArray[np.uint64], offsets: NDArray[np.int64], at_least: int) -> NDArray[np.int64]:
    n = len(offsets) - 1
    counts = np.empty((n, n), dtype=np.int64)
    for i in range(n):
        for j in range(n):
            counts[i, j] = count_merged(lists, offsets, i, j, at_least)
    return counts


def fold(texts: list[str], unit: str) -> FoldedTexts:
    return normalise(pa.array(texts, pa.large_string()), unit=unit)


def sets_of(texts: list[str], unit: str, size: int) -> list[set[str]]:
    return [set(samestory.shingles(text, samestory.Config(shingle=f"{unit}:{size}"))) for text in texts]


def counts_of(sets: list[set[str]]) -> NDArray[np.int32]:
    return np.array([len(found) for found in sets], dtype=np.int32)


def common(sets: list[set[str]]) -> list[list[int]]:
    return [[len(a & b) for b in sets] for a in sets]


@given(st.lists(similar_texts(), min_size=1, max_size=3), shingle_shapes())
def test_count_shared(groups: list[list[str]], shape: tuple[str, int]) -> None:
    texts = [text for group in groups for text in group]
    folded = fold(texts, shape[0])
    ends = np.cumsum([0, *map(len, groups)])
    matrices = np.cumsum([0, *(len(group) ** 2 for group in groups)])
    shared = np.full(matrices[-1], -1, dtype=np.int32)
    members = np.arange(len(texts), dtype=np.int64)
    n_distinct = counts_of(sets_of(texts, *shape))
    count_shared(
        ends, members, folded.data, folded.offsets, shape[0] == "char", shape[1], n_distinct, matrices, shared
    )
    for g, group in enumerate(groups):
        found = shared[matrices[g] : matrices[g + 1]].reshape(len(group), len(group))
        assert found.tolist() == common(sets_of(group, *shape))


@given(similar_texts(), shingle_shapes(), st.integers(0, 50))
def test_sorted_lists_merged(texts: list[str], shape: tuple[str, int], at_least: int) -> None:
    folded = fold(texts, shape[0])
    sets = sets_of(texts, *shape)
    n_distinct = counts_of(sets)
    members = np.arange(len(texts), dtype=np.int64)
    lists, offsets = hash_sorted(
        members, folded.data, folded.offsets, shape[0] == "char", shape[1], n_distinct
    )
    assert np.diff(offsets).tolist() == n_distinct.tolist()
    for begin, end in pairwise(offsets):
        assert (np.diff(lists[begin:end].astype(object)) > 0).all()
    assert merge_all(lists, offsets, 0).tolist() == common(sets)
    # What is too little need not be counted to its end.
    enough = [[count if count >= at_least else -1 for count in row] for row in common(sets)]
    assert merge_all(lists, offsets, at_least).tolist() == enough


def test_members_in_any_order() -> None:
    texts = ["one two three", "two three four", "nine ten", "three four one two"]
    folded = fold(texts, "word")
    order = np.array([3, 0, 2, 1], dtype=np.int64)
    sets = sets_of([texts[i] for i in order], "word", 1)
    shared = np.zeros(16, dtype=np.int32)
    bounds = np.array([0, 4], dtype=np.int64)
    matrix = np.array([0, 16], dtype=np.int64)
    n_distinct = counts_of(sets_of(texts, "word", 1))
    count_shared(bounds, order, folded.data, folded.offsets, False, 1, n_distinct, matrix, shared)
    assert shared.reshape(4, 4).tolist() == common(sets)
