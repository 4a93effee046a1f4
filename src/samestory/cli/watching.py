"""Whether a job's progress is shown, without loading what draws it where it is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from samestory.progress import Observer, ignore_progress


def wants_progress(options: Mapping[str, Any]) -> bool:
    """Whether the options of a command ask for progress: by default on a terminal, but not with -q."""
    asked = options["progress"]
    return bool(asked) if asked is not None else sys.stderr.isatty() and not options["quiet"]


@contextmanager
def watched(options: Mapping[str, Any]) -> Iterator[Observer]:
    """Give an observer that shows a job's stages, if that is wanted."""
    if not wants_progress(options):
        yield ignore_progress
        return
    from samestory.cli.bars import shown_progress

    with shown_progress() as observer:
        yield observer
