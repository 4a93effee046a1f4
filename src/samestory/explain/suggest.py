"""Ids that resemble one that is not there."""

from __future__ import annotations

import difflib
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from samestory.errors import InputError

_MOST_COMPARED: Final = 4000
_MOST_RANKED: Final = 100
_MOST_SHOWN: Final = 3
_LONGEST: Final = 200
"""Ids of more characters are not compared: that work grows with the square of their length."""
_ALIKE: Final = 0.6


def require_ids(known: Any, wanted: list[str], rows: Any, where: str) -> None:
    """Raise if an id is not there.

    Parameters
    ----------
    known : pyarrow.ChunkedArray or Array
        All ids there are.
    wanted : list of str
    rows : int64 array
        Where each was found, -1 if it was not.
    where : str
        Where it was looked for, for the message.

    Raises
    ------
    InputError
        Naming those that are not there, and ids that resemble the first.
    """
    missing = [doc_id for doc_id, row in zip(wanted, rows.tolist(), strict=True) if row < 0]
    if not missing:
        return
    close = close_ids(known, missing[0])
    distinct = [repr(_shortened(doc_id)) for doc_id in dict.fromkeys(missing)]
    what = (
        f"is no article {distinct[0]}" if len(distinct) == 1 else f"are no articles {' and '.join(distinct)}"
    )
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "ids are compared as text, exactly"
    raise InputError(f"{where}: there {what}", hint=hint)


def close_ids(known: Any, doc_id: str) -> list[str]:
    """Return ids that resemble one, the closest first."""
    if not doc_id or len(doc_id) > _LONGEST:
        return []
    ids = pa.chunked_array([known]) if isinstance(known, pa.Array) else known
    ids = ids.filter(pc.less_equal(pc.utf8_length(ids), _LONGEST))
    if len(ids) > _MOST_COMPARED:
        ids = _likely(ids, doc_id)
    lowered = doc_id.lower()
    spelt = {known_id.lower(): known_id for known_id in reversed(ids.to_pylist())}
    close = difflib.get_close_matches(lowered, spelt, n=_MOST_RANKED, cutoff=_ALIKE)
    close.sort(key=lambda one: (-_alike(one, lowered), one))
    return [spelt[one] for one in close[:_MOST_SHOWN]]


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _likely(ids: Any, doc_id: str) -> Any:
    """Return a few thousand of many ids: those that hold the one, or begin or end like it."""
    half = max(1, len(doc_id) // 2)
    pieces = ((pc.match_substring, doc_id), (pc.starts_with, doc_id[:-1] or doc_id),
              (pc.ends_with, doc_id[1:] or doc_id), (pc.starts_with, doc_id[:half]),
              (pc.ends_with, doc_id[-half:]))  # fmt: skip
    likely = [find(ids, piece, ignore_case=True) for find, piece in pieces]
    rows = np.concatenate([np.flatnonzero(is_likely.to_numpy()) for is_likely in likely])
    _, firsts = np.unique(rows, return_index=True)
    return ids.take(pa.array(rows[np.sort(firsts)][:_MOST_COMPARED]))


def _shortened(doc_id: str) -> str:
    return doc_id if len(doc_id) <= _LONGEST else f"{doc_id[: _LONGEST - 1]}…"
