"""An index without what nothing refers to any more: in fewer values, and in a smaller file.

Step by step, each a commit that leaves a sound index: who is killed in between has lost nothing, and may
begin again. Articles and texts keep their numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory import schema
from samestory.index.bank import chunk_name
from samestory.index.columns import Columns
from samestory.index.keyruns import KeyRuns
from samestory.index.saved import Saved, table_as_ipc
from samestory.index.state import EDGES, Ints, State
from samestory.index.view import View
from samestory.kernels.index.graph import chain_edges
from samestory.kernels.index.keyruns import N_PARTITIONS
from samestory.progress import Observer, each, ignore_progress

MOVED_BYTES: Final = 32 << 20
"""What one commit rewrites of texts, of keys or of metadata, about: LMDB holds it all in memory."""
METADATA_ROWS: Final = 8192
"""Titles, outlets and addresses of up to so many articles are brought together in one value."""

_ENTRY_BYTES: Final = 8
_METADATA: Final = pa.schema([schema.ARTICLE.field(name) for name in schema.METADATA_COLUMNS[:3]])

Flags = NDArray[np.bool_]


def compact(saved: Saved, observer: Observer = ignore_progress) -> None:
    """Take out of an index what nothing refers to, and make its file as small as it can be.

    Parameters
    ----------
    saved : Saved
        Loaded, with the writer's lock held.
    observer : callable, optional

    Raises
    ------
    OutputError
        If there is no room: the file grows by what is rewritten before a smaller one takes its place. The
        index is sound then, with a part of the work done.
    """
    _merge_runs(saved, observer)
    _move_texts(saved, observer)
    _merge_metadata(saved, observer)
    observer("write the index", 0, None)
    _write_columns(saved)
    saved.store.rewrite()
    saved.load()


def _merge_runs(saved: Saved, observer: Observer) -> None:
    """Bring the runs of keys together, without those of texts that are gone; ids stay resolvable."""
    is_alive = saved.state.texts["n_articles"] > 0
    kept_of = {"keys": is_alive, "prints": is_alive, "id_keys": None}
    rounds = [(name, parts) for name in kept_of for parts in _rounds(_runs(saved.state, name).n_entries)]
    for name, partitions in each(rounds, observer, "merge keys", len(rounds)):
        _merge(saved, name, kept_of[name], partitions)
    for name, is_kept in kept_of.items():
        # Without the entries of what is gone there may be few enough for all partitions at once.
        runs = _runs(saved.state, name)
        if runs.has_small and len(whole := _rounds(runs.n_entries)) == 1:
            _merge(saved, name, is_kept, whole[0])


def _merge(saved: Saved, name: str, is_kept: Flags | None, partitions: range) -> None:
    puts, deletes = _runs(saved.state, name).plan_all(is_kept, partitions)
    if puts or deletes:
        saved.rearrange([*puts], deletes)


def _runs(state: State, name: str) -> KeyRuns:
    return {"keys": state.keys, "prints": state.prints, "id_keys": state.id_keys}[name]


def _rounds(n_entries: int) -> list[range]:
    """Return the partitions that are merged in each commit.

    Only all at once take the small runs along; where that is too much these, a megabyte or so, are left to
    the batches to come.
    """
    n_rounds = min(-(-n_entries * _ENTRY_BYTES // MOVED_BYTES), N_PARTITIONS)
    step = -(-N_PARTITIONS // max(n_rounds, 1))
    return [range(low, min(low + step, N_PARTITIONS)) for low in range(0, N_PARTITIONS, step)]


def _used_texts(state: State) -> Flags:
    """Return which texts articles have, or keep besides: with furniture, or as their titles."""
    columns = state.articles
    is_used: Flags = state.texts["n_articles"] > 0
    for name in ("whole", "title"):
        kept = columns[name][columns["is_alive"] > 0]
        is_used[kept[kept >= 0]] = True
    return is_used


def _move_texts(saved: Saved, observer: Observer) -> None:
    """Move the texts that are used to new values, and delete the old ones as soon as they are left."""
    texts = saved.state.texts
    end = saved.state.facts["n_chunks"]
    rows = np.flatnonzero(texts["chunk"] >= 0)
    rows = rows[np.argsort(texts["chunk"][rows], kind="stable")]
    chunks = texts["chunk"][rows]
    sizes = np.where(_used_texts(saved.state)[rows], texts["code_bytes"][rows], 0).astype(np.int64)
    for low, high in each(
        _pieces(sizes), observer, "move texts", len(rows), lambda bounds: bounds[1] - bounds[0]
    ):
        _move_some(
            saved, rows[low:high], sizes[low:high], int(chunks[high]) if high < len(rows) else end, end
        )


def _pieces(sizes: Ints) -> Iterator[tuple[int, int]]:
    """Yield ranges of about `MOVED_BYTES` each."""
    groups = (np.cumsum(sizes) - sizes) // MOVED_BYTES
    bounds = np.flatnonzero(np.diff(groups, prepend=-1, append=-1)).tolist()
    yield from pairwise(bounds)


def _move_some(saved: Saved, rows: Ints, sizes: Ints, first_chunk: int, end: int) -> None:
    """Move some texts, those of size 0 to nowhere; the next that is not moved yet is in `first_chunk`."""
    state = saved.state
    texts, bank, facts = state.texts, state.bank, state.facts
    own, lost = rows[sizes > 0], rows[sizes == 0]
    puts, tail_bytes, chunks, places = bank.plan_anew(bank.collect(texts, own))
    deletes = [chunk_name(chunk) for chunk in range(facts["first_chunk"], min(first_chunk, end))]
    facts["first_chunk"] = max(facts["first_chunk"], min(first_chunk, end))
    if puts or facts["first_chunk"] == facts["n_chunks"]:
        facts["tail_bytes"] = tail_bytes
    facts["n_chunks"] += len(puts)
    texts.put("chunk", own, chunks)
    texts.put("place", own, places)
    texts.put("chunk", lost, -1)
    texts.put("place", lost, 0)
    texts.put("code_bytes", lost, 0)
    saved.rearrange(puts, deletes)


def _merge_metadata(saved: Saved, observer: Observer) -> None:
    """Bring small values of metadata together, and empty the rows of articles that are gone."""
    is_alive = saved.state.articles["is_alive"] > 0
    puts: list[tuple[bytes, list[Any]]] = []
    deletes: list[bytes] = []
    n_bytes = 0
    groups = _groups(saved.store.view)
    for names in each(groups, observer, "merge metadata", len(groups)):
        changed = _merged(saved.store.view, names, is_alive)
        if changed is None:
            continue
        puts.append((names[0], [changed]))
        deletes += names[1:]
        n_bytes += changed.nbytes
        if n_bytes > MOVED_BYTES:
            saved.rearrange(puts, deletes)
            puts, deletes, n_bytes = [], [], 0
    if puts:
        saved.rearrange(puts, deletes)


def _groups(view: View) -> list[list[bytes]]:
    """Return the names of values of metadata, those together that fit into one value."""
    groups: list[list[bytes]] = []
    n_rows = METADATA_ROWS
    for name in view.names(b"meta/"):
        n_own = len(_read(view, name))
        if n_rows + n_own > METADATA_ROWS:
            groups.append([])
            n_rows = 0
        groups[-1].append(name)
        n_rows += n_own
    return groups


def _read(view: View, name: bytes) -> pa.Table:
    with pa.ipc.open_stream(pa.py_buffer(bytes(view.get(name)))) as reader:
        return reader.read_all()


def _merged(view: View, names: list[bytes], is_alive: Flags) -> memoryview | None:
    """Return values of metadata as one, or None if one is as it should be."""
    table = pa.concat_tables([_read(view, name).cast(_METADATA) for name in names])
    first = int(names[0].rpartition(b"/")[2])
    alive = is_alive[first : first + len(table)]
    n_filled = sum(np.count_nonzero(pc.is_valid(column).filter(pa.array(~alive))) for column in table.columns)
    if len(names) == 1 and not n_filled:
        return None
    there = pa.array(alive)
    columns = [pc.if_else(there, column, None) for column in table.columns]
    return table_as_ipc(pa.table(columns, schema=_METADATA).combine_chunks())


def _write_columns(saved: Saved) -> None:
    """Number the edges that are alive anew, and write all columns: a record of changes cannot say that."""
    state = saved.state
    edges = Columns(EDGES)
    alive = np.flatnonzero(state.edges["is_alive"])
    given = {name: state.edges[name][alive] for name in ("first", "second", "shared", "is_kept")}
    edges.extend(len(alive), **given)
    heads = state.texts["last_edge"]
    heads[:] = -1
    chain_edges(0, edges["first"], edges["second"], edges["next_first"], edges["next_second"], heads)
    state.edges = edges
    saved.rearrange([], [], anew=True)
