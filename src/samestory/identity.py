"""What tells articles apart: their ids, and the order in which they founded a cluster."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory.errors import InputError
from samestory.kernels.clusters import UNDATED
from samestory.read import Source

_MOST_NAMED: Final = 3


def check_unique(ids: Any, source: Source) -> None:
    """Raise if an id occurs twice.

    Parameters
    ----------
    ids : pyarrow.ChunkedArray
        Of type string.
    source : Source
        Where they came from: names the rows.

    Raises
    ------
    InputError
        Naming the ids and where they stand.
    """
    if pc.count_distinct(ids).as_py() == len(ids):
        return
    counted = pc.value_counts(ids)
    repeated = counted.filter(pc.greater(counted.field("counts"), 1)).field("values")
    lines, again = [], False
    for value in repeated.slice(0, _MOST_NAMED):
        rows = np.flatnonzero(pc.equal(ids, value).to_numpy())
        located = [source.locate(int(row)) for row in rows[:_MOST_NAMED]]
        again = again or len(set(located)) < len(located)
        places = ", ".join(located)
        more = f" and {len(rows) - _MOST_NAMED} more" if len(rows) > _MOST_NAMED else ""
        lines.append(f"{value.as_py()!r} at {places}{more}")
    if len(repeated) > _MOST_NAMED:
        lines.append(f"and {len(repeated) - _MOST_NAMED:,} more ids")
    raise InputError(
        "duplicate ids: " + "; ".join(lines),
        hint="an input is given more than once: leave one out"
        if again
        else "choose another column with --id-column, or keep the first of each with --on-error skip",
    )


def founding_times(published_at: Any) -> NDArray[np.int64]:
    """Return microseconds since 1970 of each article; the undated come after all others."""
    times = pc.fill_null(published_at.cast(pa.int64()), int(UNDATED))
    return np.asarray(times.to_numpy(), dtype=np.int64)


def founding_ranks(ids: Any) -> NDArray[np.int64]:
    """Return the place of each id in the order of their bytes."""
    order = pc.sort_indices(ids.combine_chunks().cast(pa.binary())).to_numpy()
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks
