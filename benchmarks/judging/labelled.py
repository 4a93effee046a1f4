"""Sets of real articles with labels: near/*.parquet of a data directory.

A file with labelled pairs beside it (FILE.pairs.parquet) is judged on those pairs; where all of them
are copies, on how many are found and what else is joined. A file without is judged on the clusters
of its `truth`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from judging.answers import numbers, read_asked
from judging.judges import clusters_judge, copies_judge, pairs_judge
from judging.tasks import Task, Way

COPIES = frozenset({"wholly", "cut", "light", "copy"})
OTHERS = frozenset({"partly", "not", "heavy", "non"})
LOW = ("--containment", "0.05")
WAYS = (Way(), Way(note="--containment 0.05", options=LOW, scores_only=True))


def near_tasks(data: Path) -> Iterator[Task]:
    """Yield a task for every labelled file."""
    for file in sorted(data.glob("near/*.parquet")):
        if file.name.endswith((".pairs.parquet", ".truth.parquet")):
            continue
        pairs = file.with_suffix(".pairs.parquet")
        task = _pairs_task(file, pairs) if pairs.exists() else _clusters_task(file)
        if task is None:
            print(f"{file.stem}: no labels that are known; left out", file=sys.stderr)
        else:
            yield task


def _pairs_task(file: Path, pairs: Path) -> Task | None:
    """Return the task of a file with labelled pairs, None when a label is unknown."""
    labels = set(pq.read_table(pairs, columns=["label"])["label"].to_pylist())
    if not labels <= COPIES | OTHERS or not labels & COPIES:
        return None
    asked = read_asked(pairs, pq.read_table(file, columns=["doc_id"])["doc_id"], COPIES)
    if labels <= COPIES:
        return Task(name=file.stem, file=file, judge=copies_judge(asked), ways=WAYS)
    return Task(name=file.stem, file=file, judge=pairs_judge(asked), ways=WAYS, asked=asked)


def _clusters_task(file: Path) -> Task | None:
    """Return the task of a file with true clusters, None when it has none."""
    if "truth" not in pq.read_schema(file).names:
        return None
    truth = numbers(pq.read_table(file, columns=["truth"])["truth"])
    if truth.max(initial=-1) < 0:
        return None
    return Task(name=file.stem, file=file, judge=clusters_judge(truth), ways=WAYS)
