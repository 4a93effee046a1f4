"""Folded texts come back as they were kept, from memory and from the file; without room the store says so."""

from collections.abc import Iterator

import numpy as np
import pytest

from samestory.normalise import FoldedTexts
from samestory.textstore import TextStore


def batch(*texts: bytes) -> FoldedTexts:
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    return FoldedTexts(np.frombuffer(b"".join(texts) + b"\0" * 64, dtype=np.uint8).copy(), offsets)


BATCHES = (batch(b"one two", b"", b"three"), batch(b"four"), batch(b"five six seven"))


@pytest.fixture
def store() -> Iterator[TextStore]:
    with TextStore() as made:
        yield made


def fill(store: TextStore) -> None:
    for texts in BATCHES:
        store.add(store.keep(texts))


def contents(store: TextStore) -> list[tuple[int, list[str]]]:
    return [(first, [store.load(kept).text(i) for i in range(len(kept))]) for first, kept in store.numbered()]


EXPECTED = [(0, ["one two", "", "three"]), (3, ["four"]), (4, ["five six seven"])]


@pytest.mark.parametrize("memory_bytes", [0, 13, 1 << 20])
def test_texts_come_back(store: TextStore, memory_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samestory.textstore.MEMORY_BYTES", memory_bytes)
    fill(store)
    assert store.complete
    assert contents(store) == EXPECTED
    store.close()
    assert contents(store) == []


def test_what_is_kept_outlives_the_batch(store: TextStore) -> None:
    texts = batch(b"before")
    store.add(store.keep(texts))
    texts.data[:] = ord("x")
    assert contents(store) == [(0, ["before"])]


@pytest.mark.parametrize("limit", ["FILE_BYTES", "SPARE_BYTES"])
def test_without_room_it_is_not_complete(
    store: TextStore, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samestory.textstore.MEMORY_BYTES", 0)
    monkeypatch.setattr(f"samestory.textstore.{limit}", 20 if limit == "FILE_BYTES" else 1 << 62)
    fill(store)
    assert not store.complete
    assert store.keep(BATCHES[0]) is None


def test_a_full_disk_is_no_error(store: TextStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("samestory.textstore.MEMORY_BYTES", 0)
    monkeypatch.setattr("samestory.scratch.os.pwrite", fail)
    fill(store)
    assert not store.complete
