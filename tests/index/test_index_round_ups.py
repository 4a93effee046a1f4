"""Which texts are to be decided again when an edge comes or goes."""

from __future__ import annotations

import numpy as np

from samestory.index.copies import _over_both
from samestory.index.state import State


def test_longer_texts_with_edges_to_both_ends() -> None:
    state = State()
    sizes = np.array([10, 20, 30, 40, 5, 50], dtype=np.int32)
    state.texts.extend(len(sizes), n_shingles=sizes, text_key=np.arange(len(sizes), dtype=np.uint64))
    edges = np.array([[0, 1], [0, 3], [1, 3], [0, 4], [1, 4], [0, 5], [2, 5], [1, 2]])
    numbers = state.add_edges(edges[:, 0], edges[:, 1], np.full(len(edges), 3))
    first, second = np.array([0, 1]), np.array([1, 2])
    # 3 is over 0 and 1; 4 is shorter than they are; 5 is over 0 and 2, which is no pair asked for.
    assert _over_both(state, first, second).tolist() == [3]
    state.edges.put("is_alive", numbers[1:2], 0)
    assert _over_both(state, first, second).tolist() == []
