"""Texts brought into the order of the rounds, by way of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samestory.arranging import collect_each
from samestory.errors import OutputError
from samestory.normalise import FoldedTexts
from samestory.scratch import Scratch
from samestory.threads import in_order, threads

BATCH = 5


def folded(texts: list[bytes]) -> FoldedTexts:
    data = np.frombuffer(b"".join(texts) + b" " * 64, dtype=np.uint8).copy()
    return FoldedTexts(data, np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64))


class Stored:
    """What `collect_each` needs of a corpus whose texts are in a file."""

    def __init__(self, texts: list[bytes], scratch: Scratch, executor: Any) -> None:
        self._texts = texts
        self.folded_sizes = np.array([len(text) for text in texts], dtype=np.int64)
        self.texts = SimpleNamespace(is_filed=True)
        self.room = SimpleNamespace(scratch=scratch)
        self.executor = executor
        self.config = SimpleNamespace(n_threads=2)
        self.n_collected = 0

    def collect(self, docs: Any) -> FoldedTexts:
        self.n_collected += 1
        return folded([self._texts[doc] for doc in docs])

    def map_texts(self, docs: Any, work: Callable[..., Any]) -> Iterator[Any]:
        def one(first: int) -> Any:
            low, high = np.searchsorted(docs, (first, first + BATCH))
            if low == high:
                return None
            own = folded([b"?", *self._texts[first : first + BATCH]])  # and one that nobody wants
            return work(int(low), int(high), own, docs[low:high] - first + 1)

        firsts = range(0, len(self._texts), BATCH)
        return (done for _, done in in_order(self.executor, one, firsts, 2) if done is not None)


def each(texts: list[bytes], wanted: list[list[int]], scratch: Scratch) -> tuple[list[list[bytes]], int]:
    with threads(2) as executor:
        corpus: Any = Stored(texts, scratch, executor)
        found = []
        for one in collect_each(corpus, [np.array(docs, dtype=np.int64) for docs in wanted]):
            data = one.data.tobytes()
            found.append([data[b:e] for b, e in zip(one.offsets[:-1], one.offsets[1:], strict=True)])
    return found, corpus.n_collected


@settings(deadline=None)
@given(st.data())
def test_each_set_has_its_texts_in_its_order(data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.binary(max_size=9), max_size=40))
    order = data.draw(st.permutations(range(len(texts))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(texts)), min_size=2, max_size=8)))
    last = data.draw(st.integers(cuts[-1], len(texts)))
    wanted = [order[b:e] for b, e in zip([0, *cuts], [*cuts, last], strict=True)]
    with Scratch() as scratch:
        found, n_collected = each(texts, wanted, scratch)
    assert found == [[texts[doc] for doc in docs] for docs in wanted]
    assert n_collected == 0


def test_what_is_read_is_written_once(tmp_path: Path) -> None:
    texts = [bytes([65 + k]) * 100 for k in range(20)]
    with Scratch(tmp_path) as scratch:
        each(texts, [[k, k + 10] for k in range(8)], scratch)
        assert scratch.n_bytes == 16 * 100


def test_the_file_gives_its_room_back_with_the_last_set(tmp_path: Path) -> None:
    texts = [bytes([65 + k]) * 100 for k in range(20)]
    closed = []
    with Scratch(tmp_path) as scratch, threads(2) as executor:
        corpus: Any = Stored(texts, scratch, executor)
        sets = collect_each(corpus, [np.array([k]) for k in range(4)])
        for _ in range(4):  # as often as there are sets, and not once more
            next(sets)
        (file,) = scratch._files
        closed.append(file._file.closed)
        del sets
        closed.append(file._file.closed)
    assert closed == [False, True]


def test_of_few_sets_each_is_collected() -> None:
    with Scratch() as scratch:
        found, n_collected = each([b"a", b"b", b"c"], [[2], [0]], scratch)
        assert scratch.n_bytes == 0
    assert found == [[b"c"], [b"a"]]
    assert n_collected == 2


@pytest.mark.parametrize("when", ["before", "making", "writing"])
def test_without_room_each_is_collected(when: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_given: Any) -> Any:
        raise OutputError("no room")

    texts = [b"one", b"two", b"three", b"four", b"five", b"six"]
    with Scratch(tmp_path) as scratch:
        if when == "before":
            monkeypatch.setattr(Scratch, "free_bytes", lambda _: 1)
        elif when == "making":
            monkeypatch.setattr(Scratch, "file", full)
        else:
            monkeypatch.setattr(Scratch, "note", full)
        found, n_collected = each(texts, [[5], [0, 3], [4]], scratch)
    assert found == [[b"six"], [b"one", b"four"], [b"five"]]
    assert n_collected == 3
