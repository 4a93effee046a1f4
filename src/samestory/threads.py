"""Work in threads, with results in order and few items under way at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")


@contextmanager
def threads(n: int) -> Iterator[Executor]:
    """Run work in threads; what has not begun is dropped when something fails or the user interrupts."""
    executor = ThreadPoolExecutor(n)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


class InPlace(Executor):
    """Does work at once, in the calling thread: for what is too little to be handed over."""

    def submit(self, fn: Callable[..., A], /, *args: Any, **kwargs: Any) -> Future[A]:
        """Call a function; what it raises, it raises at once."""
        done: Future[A] = Future()
        done.set_result(fn(*args, **kwargs))
        return done

    def map(self, fn: Callable[..., A], *iterables: Iterable[Any], **_: Any) -> Iterator[A]:
        """Apply a function."""
        return map(fn, *iterables)


def in_order(
    executor: Executor, work: Callable[[A], B], items: Iterable[A], ahead: int
) -> Iterator[tuple[A, B]]:
    """Apply `work` in threads and yield the results in order, with few items under way at once."""
    waiting: deque[tuple[A, Future[B]]] = deque()
    for item in items:
        waiting.append((item, executor.submit(work, item)))
        while len(waiting) > ahead:
            done, future = waiting.popleft()
            yield done, future.result()
    while waiting:
        done, future = waiting.popleft()
        yield done, future.result()
