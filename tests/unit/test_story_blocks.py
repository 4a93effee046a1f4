"""Terms, postings and neighbours in files: what is found is the same, bit by bit, whatever the room."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import samestory
from samestory import Config, OutputError
from samestory.kernels.clusters import UNDATED
from samestory.scratch import Scratch
from samestory.story import stored
from samestory.story.blocks import Blocks, StoryRoom
from samestory.story.neighbours import HeldNeighbours, Neighbours, Timeline, find_neighbours
from samestory.story.postings import post
from samestory.story.terms import MOST_TELLING, Terms
from small_pieces import stories_in_files
from storyteller import Storyteller
from tabled import to_table

N = 3000
WINDOW = 3_000
FILES = ("clusters", "pairs", "stories")


@functools.cache
def made_up(n_names: int, n: int = N) -> Terms:
    """Articles of random terms: some names are in nearly all of them, some in two or three."""
    rng = np.random.default_rng(n_names)
    terms = Terms.empty(n)
    names = rng.integers(0, 1 << 32, n_names, dtype=np.uint64).astype(np.uint32)
    names[1] = names[0]  # a word and a pair of one name
    shares = 1.0 / np.arange(1, n_names + 1) ** 0.8
    for i in range(n):
        size = int(rng.integers(0, 30))
        own = rng.choice(n_names, size, replace=False, p=shares / shares.sum())
        own = own[np.argsort(names[own], kind="stable")]
        weights = rng.random(size).astype(np.float32)
        terms.names[i, :size] = names[own]
        terms.weights[i, :size] = weights / np.sqrt(np.square(weights).sum())
        terms.numbers[i] = size
        n_telling = min(size, int(rng.integers(0, MOST_TELLING)))
        terms.telling[i, :n_telling] = rng.permutation(size)[:n_telling]
        terms.numbers_telling[i] = n_telling
    return terms


def timeline(kind: str, n: int = N) -> Timeline:
    n_dated = {"dated": n, "undated": 0, "mixed": 2 * n // 3}[kind]
    times = np.full(n, UNDATED, dtype=np.int64)
    times[:n_dated] = np.sort(np.random.default_rng(5).integers(0, 10 * WINDOW, n_dated))
    return Timeline(times, n_dated, WINDOW)


def put(terms: Terms, room: StoryRoom, times: Timeline) -> Blocks:
    """The same terms in files, given in batches and in an order that has nothing to do with time."""
    n = len(terms.numbers)
    kept, postings = room.for_terms(n, 2)
    for articles in np.array_split(np.random.default_rng(3).permutation(n), 7):
        batch = terms.reordered(articles)
        kept.add(articles, batch)
        postings.add(post(batch, articles))
    return Blocks(kept, postings, times, room)


def whole(neighbours: Neighbours) -> tuple[NDArray[Any], NDArray[Any]]:
    parts = list(neighbours.parts())
    firsts = np.cumsum([0, *(len(docs) for _, docs, _ in parts)])[:-1]
    assert [first for first, _, _ in parts] == firsts.tolist()
    return np.concatenate([docs for _, docs, _ in parts]), np.concatenate([own for _, _, own in parts])


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    with Scratch(tmp_path) as made:
        yield made


@pytest.mark.parametrize("n_bytes", [1, 200_000, 1_200_000, 1 << 30])
@pytest.mark.parametrize("kind", ["dated", "undated", "mixed"])
def test_neighbours_are_the_same(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch, kind: str, n_bytes: int
) -> None:
    monkeypatch.setattr(stored, "LEAST_AT_ONCE", 700)
    terms, times = made_up(4000), timeline(kind)
    with ThreadPoolExecutor(2) as executor:
        expected = find_neighbours(terms, times, executor)
        found = put(terms, StoryRoom(n_bytes, scratch), times).find_neighbours(executor)
    assert isinstance(expected, HeldNeighbours)
    docs, similarities = whole(found)
    assert np.array_equal(docs, expected.docs)
    assert np.array_equal(similarities.view(np.uint32), expected.similarities.view(np.uint32))
    assert (found.n_read, found.n_compared) == (expected.n_read, expected.n_compared)
    factors = expected.levels(terms.numbers)
    assert np.array_equal(found.levels(terms.numbers), factors)
    least = float(np.quantile(expected.similarities, 0.9))
    edges = expected.edges(factors, least)
    assert len(edges[0]) > 1000
    for column, wanted in zip(found.edges(factors, least), edges, strict=True):
        assert np.array_equal(column, wanted)


def test_lists_are_cut_where_time_allows_it(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "LEAST_AT_ONCE", 500)
    times = timeline("dated")
    blocks = put(made_up(50), StoryRoom(1, scratch), times)
    with ThreadPoolExecutor(1) as executor:
        blocks.postings.sort(executor)
    everything = blocks.postings.lists(0, N, times, None)
    some = blocks.postings.lists(0, 500, times, None)
    assert everything is not None
    assert some is not None
    assert len(everything.postings) == blocks.postings.n_postings
    assert len(some.postings) < 0.75 * len(everything.postings)
    assert blocks.postings.lists(0, 500, times, 8 * len(some.postings)) is None
    assert np.array_equal(some.names, everything.names)


@pytest.mark.parametrize("seek", [1, 1 << 30])
def test_rows_come_back_in_any_order(scratch: Scratch, monkeypatch: pytest.MonkeyPatch, seek: int) -> None:
    monkeypatch.setattr(stored, "LEAST_AT_ONCE", 64)
    monkeypatch.setattr(stored, "_WORTH_SEEKING", seek)
    terms = made_up(500, 1000)
    kept = put(terms, StoryRoom(1, scratch), timeline("dated", 1000)).terms
    rng = np.random.default_rng(1)
    for asked in (np.arange(1000), rng.permutation(1000), rng.integers(0, 1000, 30), np.zeros(0, np.int64)):
        found, expected = kept.rows(asked), terms.rows(asked)
        assert np.array_equal(found.numbers, expected.numbers)
        for k, size in enumerate(expected.numbers):
            assert np.array_equal(found.names[k, :size], expected.names[k, :size])
            assert np.array_equal(found.weights[k, :size], expected.weights[k, :size])


class Full(Scratch):
    """A disk of a megabyte."""

    def free_bytes(self) -> int:
        return 1_000_000


def test_too_little_disk_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with Full(tmp_path) as scratch, pytest.raises(OutputError, match=r"room for 0\.0 GB"):
        StoryRoom(1, scratch).for_terms(100_000, 1)


@pytest.mark.parametrize("dated", [True, False, None])
def test_whole_runs_are_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dated: bool | None) -> None:
    found = Storyteller(7).articles([9, 7, 5, 4, 3, 3, 2, 2, *([1] * 25)], dated=dated is not False)
    if dated is None:
        for row in found[::3]:
            row["published_at"] = None
    articles = to_table([*found, *({**row, "doc_id": f"copy {row['doc_id']}"} for row in found[:9])])
    expected = samestory.cluster(articles, Config(level="story", threads=1))
    assert expected.stories is not None
    assert len(expected.stories) >= 5
    stories_in_files(monkeypatch)
    made = []
    monkeypatch.setattr(stored.StoredTerms, "add", noting(made, stored.StoredTerms.add))
    result = samestory.cluster(articles, Config(level="story", threads=2, scratch=str(tmp_path)))
    assert sum(made) == len(found)
    for name in FILES:
        assert getattr(result, name).equals(getattr(expected, name)), name
    assert result.stats["stories"] == expected.stats["stories"]
    assert list(tmp_path.iterdir()) == []


def noting(made: list[int], add: Any) -> Any:
    def note(self: Any, articles: Any, terms: Any) -> None:
        made.append(len(articles))
        add(self, articles, terms)

    return note


def test_shared_terms_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    articles = to_table(Storyteller(2).articles([4, 3, 2, 1, 1]))
    expected = samestory.shared_terms(articles, "0.0", "0.1")
    stories_in_files(monkeypatch)
    assert samestory.shared_terms(articles, "0.0", "0.1").equals(expected, check_metadata=True)
    assert len(expected) > 2
