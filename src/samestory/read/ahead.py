"""Reading ahead: the next chunk is decoded while this one is worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

_POLL_SECONDS: Final = 0.1


class _End:
    """What the reading thread puts last: that nothing more comes, and why."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def read_ahead(items: Iterable[T], depth: int = 2) -> Iterator[T]:
    """Yield the items in their order, up to `depth` of them fetched in advance by another thread.

    An error of theirs is raised in its place. When the iterator is closed, the thread stops.
    """
    fetched: queue.Queue[T | _End] = queue.Queue(depth)
    stopped = threading.Event()

    def put(item: T | _End) -> bool:
        while not stopped.is_set():
            try:
                fetched.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def fetch() -> None:
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as error:
            put(_End(error))
        else:
            put(_End(None))

    thread = threading.Thread(target=fetch, name="samestory-read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item = fetched.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stopped.set()
        thread.join()
