"""How a job tells how far it has come."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Told how far a run has come."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Note that `done` of `total` units of a stage are done; the total may be unknown."""


def ignore_progress(stage: str, done: int, total: int | None) -> None:
    """Take no notice."""
