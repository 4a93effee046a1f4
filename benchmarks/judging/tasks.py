"""A task: one set of articles, a judge, the ways samestory is run on it, and the rows that come out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from judging.answers import Answer, Asked, Figures, Judge, best, judged
from judging.runner import Samestory, own_answer, scored_answers
from judging.sweeps import Sweeps
from judging.tally import Tally

Row = dict[str, Any]
Judged = list[tuple[str, Figures]]


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to run samestory: what the row says of it, the options, the file (default: the set's).

    With `scores_only` the clusters of the run do not count, only the scores it prints.
    """

    note: str = ""
    options: tuple[str, ...] = ()
    file: Path | None = None
    scores_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Task:
    """One set and its measure."""

    name: str
    file: Path
    judge: Judge
    ways: tuple[Way, ...] = (Way(),)
    asked: Asked | None = None


def task_rows(task: Task, samestory: Samestory, sweeps: Sweeps, tally: Tally) -> Iterator[Row]:
    """Yield a row for every way; the peers stand in the first."""
    peers = sweeps.answers(task.file, task.asked.path if task.asked else None)
    for place, way in enumerate(task.ways):
        own, scored = _samestory_figures(task, way, samestory)
        row: Row = {
            "set": f"{task.name}, {way.note}" if way.note else task.name,
            "measure": task.judge.measure,
            "samestory": best(own, task.judge),
            "samestory_best": best(scored, task.judge),
        }
        if place == 0:
            found = {name: judged(answers, task.judge) for name, answers in peers.items()}
            row |= {name: best(figures, task.judge) for name, figures in found.items()}
            tally.add({"samestory": own, **found})
        yield row


def _samestory_figures(task: Task, way: Way, samestory: Samestory) -> tuple[Judged, Judged]:
    """Return the figures of one run: of its clusters, and of all its printed scores."""
    file = way.file or task.file
    result = samestory.run(file, way.options)
    if result is None:
        return [], []
    ids = pq.read_table(file, columns=["doc_id"])["doc_id"]
    own: list[Answer] = [] if way.scores_only else [own_answer(result, ids)]
    return judged(own, task.judge), judged(scored_answers(result, ids, task.asked), task.judge)
