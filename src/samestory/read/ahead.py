"""Reading ahead: the next chunks are decoded while this one is worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_POLL_SECONDS: Final = 0.1


class _End:
    """What the reading thread puts last: that nothing more comes, and why."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class ReadAhead(Generic[T]):
    """Items in their order, fetched in advance by a thread that starts at once.

    An error of theirs is raised in its place. Closing stops the thread.

    Parameters
    ----------
    items : iterable
    depth : int
        How many items may wait.
    """

    def __init__(self, items: Iterable[T], depth: int) -> None:
        self._items = items
        self._fetched: queue.Queue[T | _End] = queue.Queue(depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._fetch, name="samestory-read-ahead", daemon=True)
        self._thread.start()

    def _put(self, item: T | _End) -> bool:
        while not self._stopped.is_set():
            try:
                self._fetched.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def _fetch(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:
            self._put(_End(error))
        else:
            self._put(_End(None))

    def __iter__(self) -> Iterator[T]:
        try:
            while not isinstance(item := self._fetched.get(), _End):
                yield item
            if item.error is not None:
                raise item.error
        finally:
            self.close()

    def close(self) -> None:
        """Stop fetching."""
        self._stopped.set()
        self._thread.join()
