"""Pages to articles in processes of their own, in order: one a thread, each ended when a page hangs it."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Final

from samestory.errors import InputError, MissingDependencyError
from samestory.pages.ways import WAYS
from samestory.pages.worker import receive, send
from samestory.read.chunk import Broken
from samestory.threads import in_order

PAGE_SECONDS: Final = 20.0
"""Time for each way to take a page apart; ordinary pages take a hundredth of a second."""

_START_SECONDS: Final = 120.0
_MOST_WORKERS: Final = 16
_AHEAD: Final = 2  # Pages under way for each worker.
_RAW_CHARACTERS: Final = 1000
# An interpreter with our path: it needs no main module to import again, and takes nothing from the
# present folder, which may be full of strangers' files, unless we do.
_START: Final = (
    "import sys; sys.path[:] = [folder for folder in sys.path if folder]; "
    "import json; sys.path[:] = json.loads(sys.argv[1]); "
    "from samestory.pages.worker import main; main()"
)


@dataclass(frozen=True)
class Body:
    """The bytes of a page as they came, and what the HTTP header says of them."""

    data: bytes
    charset: str | None = None
    chunked: bool = False
    encodings: str = ""


@dataclass(frozen=True)
class Task:
    """A page to take apart.

    Parameters
    ----------
    row : int
        Its number in the input.
    doc_id : str
    url : str, optional
        Where it was found.
    load : callable
        Reads its bytes, or says why they cannot be read; called in a thread.
    """

    row: int
    doc_id: str
    url: str | None
    load: Callable[[], Body | Broken]


@dataclass(frozen=True)
class Found:
    """The article of a page.

    Parameters
    ----------
    row : int
    doc_id : str
    fields : dict
        Text, title, source, url and date.
    is_plain, is_cut : bool
        Whether all its text was taken, not the main text; whether it was too long to be read whole.
    """

    row: int
    doc_id: str
    fields: dict[str, str | None]
    is_plain: bool
    is_cut: bool


class PagePool:
    """Takes pages apart.

    Parameters
    ----------
    n_threads : int
        Pages to work on at the same time.
    """

    def __init__(self, n_threads: int) -> None:
        self._n = min(n_threads, _MOST_WORKERS)
        self._workers: list[_Worker] = []
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._closed = False
        self._end = weakref.finalize(self, _end_all, self._workers)

    def extract(self, items: Iterable[Task | Broken]) -> Iterator[Found | Broken]:
        """Yield the article of each page, in order; what is broken already is passed on.

        Raises
        ------
        MissingDependencyError
            What the extra ``[html]`` installs is not there.
        """
        stopped = threading.Event()
        executor = ThreadPoolExecutor(self._n, thread_name_prefix="samestory-pages")

        def work(item: Task | Broken) -> Found | Broken:
            return item if isinstance(item, Broken) else self._one(item, stopped)

        try:
            for _, found in in_order(executor, work, items, _AHEAD * self._n):
                yield found
        except BaseException:
            stopped.set()
            self._end_workers()  # so that no thread waits for an answer any more
            raise
        finally:
            executor.shutdown(cancel_futures=True)

    def close(self) -> None:
        """End the processes."""
        self._closed = True
        self._end_workers()

    def _end_workers(self) -> None:
        _end_all(self._workers)
        while not self._idle.empty():
            self._idle.get_nowait()

    def _one(self, task: Task, stopped: threading.Event) -> Found | Broken:
        body = task.load()
        if isinstance(body, Broken):
            return body
        for way in WAYS:
            try:
                return self._ask(task, body, way)
            except EOFError:
                if stopped.is_set() or self._closed:
                    raise
        raw = body.data[:_RAW_CHARACTERS].decode("utf-8", "replace")
        return Broken(task.row, "the page hangs or brings down whatever takes it apart", raw)

    def _ask(self, task: Task, body: Body, way: str) -> Found:
        worker = self._worker()
        header = {"charset": body.charset, "chunked": body.chunked, "encodings": body.encodings}
        try:
            answer = worker.ask({**header, "url": task.url, "way": way}, body.data)
        except BaseException:
            worker.end()
            raise
        self._idle.put(worker)
        is_plain, is_cut = answer.pop("is_plain"), answer.pop("is_cut")
        return Found(task.row, task.doc_id, answer, is_plain, is_cut)

    def _worker(self) -> _Worker:
        while not self._idle.empty():
            with suppress(queue.Empty):
                return self._idle.get_nowait()
        if self._closed:
            raise EOFError("the pages are closed")
        worker = _Worker()
        self._workers[:] = [one for one in self._workers if one.is_alive]
        self._workers.append(worker)
        worker.greet()
        return worker


class _Worker:
    """One process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def greet(self) -> None:
        """Wait until it is ready."""
        try:
            answer = self._answer(_START_SECONDS)
        except EOFError as error:
            raise InputError(
                "the process that takes pages apart does not start",
                hint=f"see what this says: {sys.executable} -m samestory.pages.worker",
            ) from error
        if "missing" in answer:
            raise missing("HTML and WARC files", answer["missing"])

    def ask(self, facts: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Send a page and wait for its article.

        Raises
        ------
        EOFError
            The process has ended, by itself or because it took too long.
        """
        return self._answer(PAGE_SECONDS, facts, data)

    def _answer(
        self, seconds: float, facts: dict[str, Any] | None = None, data: bytes = b""
    ) -> dict[str, Any]:
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            if facts is not None:
                send(_pipe(self._process.stdin), facts, data)
            message = receive(_pipe(self._process.stdout))
        except (OSError, ValueError):  # its end of the pipe, or ours, is closed
            message = None
        finally:
            timer.cancel()
        if message is None:
            raise EOFError("the process has ended")
        return message[0]

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was not sent yet cannot be
                _pipe(pipe).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError("there is no pipe")
    return pipe


def _end_all(workers: list[_Worker]) -> None:
    while workers:
        workers.pop().end()


def missing(what: str, detail: str = "") -> MissingDependencyError:
    """Return the error that the extra ``[html]`` is not installed."""
    return MissingDependencyError(
        f"reading {what} needs packages that are not installed{f' ({detail})' if detail else ''}",
        hint="pip install 'samestory[html]'",
    )
