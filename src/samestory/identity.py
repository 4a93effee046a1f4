"""What tells articles apart: their ids, and the order in which they founded a cluster."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory.buffers import string_buffers
from samestory.errors import InputError
from samestory.kernels.clusters import UNDATED
from samestory.kernels.sites import name_keys
from samestory.metadata import Metadata
from samestory.read import Source

_MOST_NAMED: Final = 3
_AT_ONCE: Final = 1 << 20


def check_unique(ids: Any, source: Source) -> None:
    """Raise if an id occurs twice.

    Parameters
    ----------
    ids : pyarrow.Array or pyarrow.ChunkedArray
        Of type string or large_string.
    source : Source
        Where they came from: names the rows.

    Raises
    ------
    InputError
        Naming the ids and where they stand.
    """
    rows = _rows_of_one_key(ids)
    if not len(rows):
        return
    alike = ids.take(pa.array(rows))
    counted = pc.value_counts(alike)
    repeated = counted.filter(pc.greater(counted.field("counts"), 1)).field("values")
    if len(repeated):
        raise _duplicates(alike, rows, repeated, source)


def _rows_of_one_key(ids: Any) -> NDArray[np.int64]:
    """Return, in order, the rows of all ids that may be repeated: of those whose keys are.

    A set of the ids themselves would take several times the memory of their keys.
    """
    keys = np.empty(len(ids), dtype=np.uint64)
    for begin in range(0, len(ids), _AT_ONCE):
        some = ids.slice(begin, _AT_ONCE)
        at = begin
        for chunk in some.chunks if isinstance(some, pa.ChunkedArray) else [some]:
            if len(chunk):
                data, offsets = string_buffers(chunk)
                # A copy is writable as all other offsets: the kernel is compiled for these alone.
                keys[at : at + len(chunk)] = name_keys(data, offsets.copy())
                at += len(chunk)
    in_order = np.sort(keys)
    repeated = np.unique(in_order[1:][in_order[1:] == in_order[:-1]])
    del in_order
    if not len(repeated):
        return np.zeros(0, dtype=np.int64)
    places = np.minimum(np.searchsorted(repeated, keys), len(repeated) - 1)
    return np.flatnonzero(repeated[places] == keys)


def _duplicates(ids: Any, rows: NDArray[np.int64], repeated: Any, source: Source) -> InputError:
    """Return the error that names repeated ids; `ids` are those of `rows`."""
    lines, again = [], False
    for value in repeated.slice(0, _MOST_NAMED):
        own = rows[np.flatnonzero(pc.equal(ids, value))]
        located = [source.locate(int(row)) for row in own[:_MOST_NAMED]]
        again = again or len(set(located)) < len(located)
        places = ", ".join(located)
        more = f" and {len(own) - _MOST_NAMED} more" if len(own) > _MOST_NAMED else ""
        lines.append(f"{value.as_py()!r} at {places}{more}")
    if len(repeated) > _MOST_NAMED:
        lines.append(f"and {len(repeated) - _MOST_NAMED:,} more ids")
    return InputError(
        "duplicate ids: " + "; ".join(lines),
        hint="an input is given more than once: leave one out"
        if again
        else "choose another column with --id-column, or keep the first of each with --on-error skip",
    )


def founding_times(published_at: Any) -> NDArray[np.int64]:
    """Return microseconds since 1970 of each article; the undated come after all others."""
    times = pc.fill_null(published_at.cast(pa.int64()), int(UNDATED))
    return np.asarray(times.to_numpy(), dtype=np.int64)


def times_of(articles: Metadata) -> NDArray[np.int64]:
    """Return the founding times of all articles."""
    times = np.empty(len(articles), dtype=np.int64)
    at = 0
    for piece in articles.walk(["published_at"]):
        times[at : at + len(piece)] = founding_times(piece["published_at"])
        at += len(piece)
    times.setflags(write=False)  # as those of one array are: kernels are compiled for these alone
    return times


def founding_ranks(ids: Any) -> NDArray[np.int64]:
    """Return the place of each id, of type large_string, in the order of their bytes."""
    order = pc.sort_indices(ids.cast(pa.large_binary())).to_numpy()
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks
