"""Articles connected through buckets, against networkx."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from samestory.band import find_components
from samestory.kernels.buckets import list_components
from samestory.signature import Sketches


def sketches_of(bands: list[list[int]], n_shingles: list[int]) -> Sketches:
    """Sketches with made-up band keys: buckets of one number, spread over 64 bits.

    As in real ones, articles without a shingle all have one key that no other has.
    """
    n = len(n_shingles)
    keys = np.array(bands, dtype=np.uint64).reshape(len(bands), n) + np.uint64(1)
    keys[:, np.array(n_shingles, dtype=np.int64) == 0] = 0
    return Sketches(
        keys * np.uint64(0x9E3779B97F4A7C15),
        np.arange(n, dtype=np.uint64),
        np.array(n_shingles, dtype=np.int32),
        np.array(n_shingles, dtype=np.int32),
    )


def by_networkx(bands: list[list[int]], n_shingles: list[int]) -> list[list[int]]:
    graph = networkx.Graph()
    for number, keys in enumerate(bands):
        for doc, key in enumerate(keys):
            if n_shingles[doc]:
                graph.add_edge(doc, ("bucket", number, key))
    found = [
        sorted(node for node in part if isinstance(node, int))
        for part in networkx.connected_components(graph)
    ]
    return sorted(part for part in found if len(part) > 1)


def components_of(bands: list[list[int]], n_shingles: list[int], threads: int = 2) -> list[list[int]]:
    with ThreadPoolExecutor(threads) as executor:
        found = find_components(sketches_of(bands, n_shingles), executor)
    assert found.offsets[0] == 0
    assert found.offsets[-1] == len(found.docs)
    assert len(found) == len(found.offsets) - 1
    ends = zip(found.offsets[:-1], found.offsets[1:], strict=True)
    return [found.docs[begin:end].tolist() for begin, end in ends]


@st.composite
def made_up_keys(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    n = draw(st.integers(1, 40))
    n_buckets = draw(st.integers(1, 60))
    keys = st.lists(st.integers(0, n_buckets), min_size=n, max_size=n)
    bands = draw(st.lists(keys, min_size=1, max_size=4))
    return bands, draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))


@given(made_up_keys())
def test_equal_networkx(keys: tuple[list[list[int]], list[int]]) -> None:
    # Parts come in the order of their least members, and members in order: so the lists are equal.
    assert components_of(*keys) == by_networkx(*keys)


@pytest.mark.parametrize("n", [1, 2, 3, 255, 256, 257, 5000])
def test_a_large_random_graph(n: int) -> None:
    rng = np.random.default_rng(n)
    bands = rng.integers(0, 3 * n, (3, n)).tolist()
    n_shingles = (rng.random(n) < 0.9).astype(int).tolist()
    assert components_of(bands, n_shingles, threads=3) == by_networkx(bands, n_shingles)


def test_none_and_one() -> None:
    assert components_of([[]], []) == []
    assert components_of([[5], [6]], [9]) == []


def test_a_long_chain_is_one_component() -> None:
    n = 3000
    bands = [[doc // 2 for doc in range(n)], [(doc + 1) // 2 for doc in range(n)]]
    assert components_of(bands, [1] * n) == [list(range(n))]


def test_without_a_shingle_nothing_is_connected() -> None:
    assert components_of([[7, 5, 7, 5], [1, 5, 2, 5]], [1, 0, 1, 0]) == [[0, 2]]


@given(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_listing_a_forest(edges: list[tuple[int, int]]) -> None:
    graph = networkx.Graph()
    graph.add_nodes_from(range(30))
    graph.add_edges_from(edges)
    parts = sorted(sorted(part) for part in networkx.connected_components(graph))
    parents: NDArray[np.int32] = np.arange(30, dtype=np.int32)
    for part in parts:
        for before, member in pairwise(part):
            parents[member] = before  # long paths on purpose: each must still find its root
    members, offsets = list_components(parents)
    ends = pairwise(offsets)
    assert [members[begin:end].tolist() for begin, end in ends] == [part for part in parts if len(part) > 1]
