"""Reading ahead changes neither what comes nor what goes wrong, and stops when it is told to."""

import itertools
import threading
from collections.abc import Iterator

import pytest

from samestory.read.ahead import ReadAhead


@pytest.mark.parametrize("depth", [1, 2, 50])
def test_all_in_order(depth: int) -> None:
    assert list(ReadAhead(range(20), depth)) == list(range(20))


def test_an_error_comes_in_its_place() -> None:
    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("the third is broken")

    items = iter(ReadAhead(failing(), 5))
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="the third"):
        next(items)


def test_no_more_is_fetched_than_asked_for() -> None:
    fetched = []
    ahead = ReadAhead((fetched.append(i) or i for i in itertools.count()), 3)
    items = iter(ahead)
    assert [next(items) for _ in range(4)] == [0, 1, 2, 3]
    items.close()  # type: ignore[attr-defined]
    assert len(fetched) <= 4 + 3 + 1
    assert not any(thread.name == "samestory-read-ahead" for thread in threading.enumerate())
