"""What a tool says about a set of articles, and how a judge picks the best of many answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Figures = dict[str, Any]


class Answer(NamedTuple):
    """One answer: the cluster of every article in input order, and whether each asked pair is joined."""

    setting: str
    clusters: Ints
    joined: Flags | None


@dataclass(frozen=True)
class Judge:
    """A measure: its heading, the figures it shows, and the function that makes them.

    The figures have `f1`, by which the best answer is chosen, and those of `shown`.
    """

    measure: str
    shown: tuple[str, ...]
    figures: Callable[[Answer], Figures]


@dataclass(frozen=True)
class Asked:
    """Labelled pairs of a set: places of the articles and whether each pair should be joined."""

    path: Path
    a: Ints
    b: Ints
    wanted: Flags


def cell(setting: str, figures: Figures, shown: Iterable[str]) -> Figures:
    """Return one cell of the table: the figures, the setting that gave them, and the text to show."""
    text = " / ".join(shown_figure(figures[name]) for name in shown)
    return {"text": f"{text} ({setting})" if setting else text, "setting": setting, "figures": figures}


def shown_figure(value: Any) -> str:
    """Format a count, or a share (0.9996 does not look like 1); a missing one is a dash."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{int(value * 1000 + 1e-9) / 1000:.3f}"


def judged(answers: Iterable[Answer], judge: Judge) -> list[tuple[str, Figures]]:
    """Return every setting with its figures."""
    return [(answer.setting, judge.figures(answer)) for answer in answers]


def best(found: list[tuple[str, Figures]], judge: Judge) -> Figures | None:
    """Return the cell of the setting with the highest F1 (the first such), None where there is none."""
    if not found:
        return None
    setting, figures = max(found, key=lambda pair: pair[1]["f1"])
    return cell(setting, figures, judge.shown)


def places(ids: pa.ChunkedArray, names: pa.ChunkedArray) -> Ints:
    """Return the places of `names` among `ids`; an unknown name is an error."""
    found = pc.index_in(names.combine_chunks().cast(pa.string()), ids.combine_chunks().cast(pa.string()))
    if found.null_count:
        raise ValueError(f"{found.null_count} of {len(names)} ids are not in the set")
    return found.to_numpy().astype(np.int64)


def numbers(names: pa.ChunkedArray) -> Ints:
    """Return names as numbers, -1 for a missing one."""
    codes = names.combine_chunks().dictionary_encode().indices
    return pc.fill_null(codes, -1).to_numpy().astype(np.int64)


def read_asked(path: Path, ids: pa.ChunkedArray, positive: frozenset[str]) -> Asked:
    """Return the labelled pairs of a file."""
    table = pq.read_table(path)
    wanted = pc.is_in(table["label"].combine_chunks(), pa.array(sorted(positive)))
    return Asked(
        path,
        places(ids, table["doc_id_a"]),
        places(ids, table["doc_id_b"]),
        wanted.to_numpy(zero_copy_only=False),
    )
