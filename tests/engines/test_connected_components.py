"""Components of random graphs, of chains and of stars: as networkx finds them."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

from samestory.engines.connecting import components
from samestory.engines.frames import Frames

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")


def random_edges(n: int, m: int, seed: int) -> Any:
    ends = np.random.default_rng(seed).integers(0, n, (m, 2))
    return np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1)


def chain_edges(n: int, seed: int) -> Any:
    names = np.random.default_rng(seed).permutation(n)
    return np.sort(np.column_stack([names[:-1], names[1:]]), axis=1)


def star_edges(n: int) -> Any:
    return np.column_stack([np.full(n, 0), np.arange(1, n + 1)])


@pytest.mark.parametrize(
    ("edges", "in_one_task"),
    [
        pytest.param(random_edges(300, 180, 1), 0, marks=pytest.mark.slow),
        pytest.param(random_edges(300, 180, 1), 1_000_000, marks=pytest.mark.slow),
        pytest.param(chain_edges(400, 2), 0, marks=pytest.mark.slow),
        pytest.param(chain_edges(400, 2), 1_000_000, marks=pytest.mark.slow),
        (star_edges(200), 0),
        pytest.param(star_edges(200), 1_000_000, marks=pytest.mark.slow),
        pytest.param(np.zeros((0, 2), np.int64), 0, marks=pytest.mark.slow),
        (np.zeros((0, 2), np.int64), 1_000_000),
    ],
    ids=[f"{kind}-{way}" for kind in ("random", "chain", "star", "none") for way in ("rounds", "one task")],
)
def test_they_are_those_of_networkx(spark: Any, edges: Any, in_one_task: int) -> None:
    graph = nx.Graph(edges.tolist())
    expected = {(min(nodes), node) for nodes in nx.connected_components(graph) for node in nodes}
    table = pa.table({"a": pa.array(edges[:, 0], pa.int64()), "b": pa.array(edges[:, 1], pa.int64())})
    frames = Frames(spark)
    frame = spark.createDataFrame(table).repartition(4)
    found = components(frame, frames, in_one_task=in_one_task).select("comp", "doc").collect()
    frames.let_go_all()
    assert len(found) == len(expected)
    assert {tuple(row) for row in found} == expected
