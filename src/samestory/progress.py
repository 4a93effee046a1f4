"""How a job tells how far it has come.

A stage is told by a name that does not change (``"read and sketch"``), and shown by the words of `STAGES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

A = TypeVar("A")


class Observer(Protocol):
    """Told how far a run has come."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Note that `done` of `total` units of a stage are done; the total may be unknown."""


@dataclass(frozen=True)
class Stage:
    """What a stage is called where it is shown, and what it counts.

    Attributes
    ----------
    words : str
    unit : str
        In the plural; empty where there is nothing to count.
    is_step : bool
        Whether its units take times so different that a rate would say nothing.
    """

    words: str
    unit: str = ""
    is_step: bool = False


STAGES: Final = {
    "read and sketch": Stage("Reading", "articles"),
    "count articles": Stage("Counting", "articles"),
    "furniture": Stage("Learning furniture", "steps", is_step=True),
    "remove furniture": Stage("Removing furniture", "articles"),
    "band": Stage("Banding", "bands"),
    "verify": Stage("Verifying", "articles"),
    "propose partial copies": Stage("Proposing partials", "parts", is_step=True),
    "partial copies": Stage("Comparing partials", "articles"),
    "count terms": Stage("Counting terms", "articles"),
    "weigh terms": Stage("Weighing terms", "articles"),
    "neighbours": Stage("Finding neighbours", "articles"),
    "group": Stage("Grouping stories", "articles"),
    "name terms": Stage("Naming stories", "articles"),
    "story pairs": Stage("Comparing stories", "pairs"),
    "tabulate": Stage("Making tables", "steps", is_step=True),
    "write": Stage("Writing", "rows"),
    "ingest": Stage("Ingesting", "articles"),
    "find the articles": Stage("Finding texts", "articles"),
    "open the index": Stage("Opening the index"),
    "read a run": Stage("Reading the run"),
    "read labels": Stage("Reading labels"),
    "score": Stage("Judging"),
    "sweep": Stage("Sweeping", "thresholds"),
    "compare texts": Stage("Comparing texts", "pairs"),
    "weigh shared terms": Stage("Weighing terms"),
    "draw": Stage("Drawing"),
    "write the page": Stage("Writing the page"),
    "check the file": Stage("Checking the file"),
    "check ids": Stage("Checking ids", "articles"),
    "check texts": Stage("Checking texts", "texts"),
    "check fingerprints": Stage("Checking runs", "texts"),
    "check edges": Stage("Checking pairs", "pairs"),
    "merge keys": Stage("Merging keys", "parts", is_step=True),
    "move texts": Stage("Moving texts", "texts"),
    "merge metadata": Stage("Merging metadata", "parts", is_step=True),
    "write the index": Stage("Writing the index"),
    "take out": Stage("Taking out", "articles"),
}


def describe(stage: str) -> Stage:
    """Return how a stage is shown; one that is not known goes by its own name."""
    return STAGES.get(stage) or Stage(stage.capitalize())


def ignore_progress(stage: str, done: int, total: int | None) -> None:
    """Take no notice."""


class Counter:
    """Tells an observer of units of a stage that are done, some at a time."""

    def __init__(self, stage: str, total: int | None, observer: Observer) -> None:
        self._stage = stage
        self._total = total
        self._observer = observer
        self._n_done = 0
        self(0)

    def __call__(self, n: int) -> None:
        """Tell of n more."""
        self._n_done += n
        self._observer(self._stage, self._n_done, self._total)


def each(
    items: Iterable[A],
    observer: Observer,
    stage: str,
    total: int | None = None,
    size: Callable[[A], int] = lambda _: 1,
) -> Iterator[A]:
    """Pass items on, and tell of each when whoever takes them asks for the next.

    Parameters
    ----------
    items : iterable
    observer : Observer
    stage : str
    total : int, optional
        Units in all of them.
    size : callable, default 1 for each
        Units in one.
    """
    observer(stage, 0, total)
    n_done = 0
    for item in items:
        yield item
        n_done += size(item)
        observer(stage, n_done, total)
