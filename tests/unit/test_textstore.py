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


@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize("seek", [0, 30, 8 << 10])
@pytest.mark.parametrize("wanted", [[], [0], [299], [7, 8, 9, 200], list(range(0, 300, 3)), list(range(300))])
def test_some_texts_of_a_batch_come_back(
    store: TextStore, wanted: list[int], seek: int, in_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samestory.textstore.MEMORY_BYTES", 1 << 20 if in_memory else 0)
    monkeypatch.setattr("samestory.textstore.SEEK_BYTES", seek)
    texts = [b"%d " % k * (k % 7) for k in range(300)]  # some are empty
    store.add(store.keep(batch(b"before")))
    store.add(store.keep(batch(*texts)))
    (_, _), (_, kept) = store.numbered()
    found, places = store.load_some(kept, np.array(wanted, dtype=np.int64))
    assert [found.text(int(place)).encode() for place in places] == [texts[k] for k in wanted]


def test_of_few_texts_far_apart_little_is_read(store: TextStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samestory.textstore.MEMORY_BYTES", 0)
    store.add(store.keep(batch(*[b"word " * 1000] * 400)))
    ((_, kept),) = store.numbered()
    found, places = store.load_some(kept, np.array([3, 4, 300], dtype=np.int64))
    assert found.n_bytes == 3 * 5000
    assert places.tolist() == [0, 1, 2]
    # One is between the two, and not worth a second read.
    found, places = store.load_some(kept, np.array([3, 5, 300], dtype=np.int64))
    assert found.n_bytes == 4 * 5000
    assert places.tolist() == [0, 2, 3]
