"""The state of an index in its store: what each batch has changed, and now and then all columns anew.

::

    facts                      settings and single numbers, as JSON
    log/<number>               what each batch has changed since the columns were written
    base/<table>/<column>      the columns, and base/words/<number>, base/ids/<number>: one after another
    furniture                  blocks of words that are taken out, as Arrow
    meta/<first article>       titles, outlets and addresses, batch by batch, as Arrow
    texts/<number>             coded texts: see `samestory.index.bank`
    keys/, prints/, ids/       see `samestory.index.keyruns`
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.errors import IndexFormatError
from samestory.furniture import Furniture, Remover
from samestory.index.assign import Batch
from samestory.index.columns import pack, unpack
from samestory.index.furnish import SiteBook
from samestory.index.keyruns import KeyRuns
from samestory.index.sealed import LARGEST_PAYLOAD
from samestory.index.state import State
from samestory.index.store import Store
from samestory.index.view import View
from samestory.schema import METADATA_COLUMNS

FORMAT_VERSION: Final = 1
FACTS: Final = b"facts"
FURNITURE: Final = b"furniture"
LOG_BYTES: Final = 4 << 20
"""The columns are written anew when what has changed since is more than this, and than a quarter of them."""

_WORTH_PACKING: Final = 16

Puts = list[tuple[bytes, list[Any]]]


def first_facts(settings: dict[str, Any], fingerprint: str, version: str) -> dict[str, Any]:
    """Return the facts of an index that is empty."""
    return {
        "format_version": FORMAT_VERSION,
        "version": version,
        "fingerprint": fingerprint,
        "settings": settings,
        "n_articles": 0,
        "n_bytes": 0,
        "is_sampled": 0,
        "n_batches": 0,
        "n_logs": 0,
        "log_begin": 0,
        "log_bytes": 0,
        "base_bytes": 0,
        "base_begin": 0,
        "n_bases": 0,
        "n_furniture": 0,
        "has_runs": [0, 0, 0],
        "first_chunk": 0,
        "n_chunks": 0,
        "tail_bytes": 0,
        "base_words": 0,
        "base_ids": 0,
    }


def read_facts(view: View, folder: Any) -> dict[str, Any]:
    """Return the facts of an index."""
    facts = json.loads(bytes(view.get(FACTS)))
    if facts.get("format_version") != FORMAT_VERSION:
        raise IndexFormatError(
            f"the index at {folder} is of format {facts.get('format_version')}, not {FORMAT_VERSION}",
            hint="open it with the version that made it, and export it",
        )
    return dict(facts)


class Saved:
    """Brings a state from its store, and back.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.state = State()
        self.book = SiteBook()
        self._furniture: tuple[int, Remover] | None = None
        self._generation = -1
        self._number = -1

    def load(self) -> State:
        """Return the newest state; what is in memory already is not read again."""
        self.store.refresh()
        view = self.store.view
        if self._number == view.number and self._generation == self.store.generation:
            return self.state
        facts = read_facts(view, self.store.folder)
        known = self.state.facts
        moved = self._generation != self.store.generation
        if moved or not known or known["n_bases"] != facts["n_bases"] or known["n_logs"] > facts["n_logs"]:
            self._load_all(view, facts)
        else:
            for number in range(known["n_logs"], facts["n_logs"]):
                self._apply(view, number)
        self._settle(view, facts, anew=moved)
        return self.state

    def remover(self, by_character: bool) -> Remover:
        """Return the furniture that is known, made ready to be found."""
        version = self.state.facts["n_furniture"]
        if self._furniture is None or self._furniture[0] != version:
            furniture = Furniture.nothing(by_character)
            if version:
                with pa.ipc.open_stream(pa.py_buffer(bytes(self.store.view.get(FURNITURE)))) as reader:
                    furniture = Furniture(reader.read_all(), by_character)
            self._furniture = version, Remover(furniture)
        return self._furniture[1]

    def _settle(self, view: View, facts: dict[str, Any], *, anew: bool) -> None:
        state = self.state
        kind = b"prints/some/" if facts["is_sampled"] else b"prints/all/"
        if not state.facts or bool(state.facts["is_sampled"]) != bool(facts["is_sampled"]):
            state.prints = KeyRuns(kind)
        for runs, has_any in zip((state.keys, state.prints, state.id_keys), facts["has_runs"], strict=True):
            runs.load(view, anew=anew)
            if has_any and not runs.names():  # as if nothing were known: the answers would be wrong
                raise IndexFormatError(
                    f"the index at {self.store.folder} is damaged: its keys cannot be found",
                    hint="restore it from a copy, or build it again",
                )
        state.bank.load(view, facts["n_chunks"], facts["tail_bytes"])
        state.facts = facts
        state.begin()
        self._generation = self.store.generation
        self._number = view.number

    def _load_all(self, view: View, facts: dict[str, Any]) -> None:
        self.state = state = State()
        if facts["n_bases"]:
            for name, table in state.tables.items():
                arrays = {
                    column: np.frombuffer(
                        view.get(f"base/{name}/{column}".encode()), dtype=table[column].dtype
                    )
                    for column in table.names
                }
                table.extend(len(arrays[table.names[0]]), **arrays)
        for k in range(facts["base_begin"], facts["n_bases"]):
            words = unpack(view.get(b"base/words/%08d" % k))
            state.lexicon.extend(words["letters"], words["lengths"])
            state.ids += bytes(view.get(b"base/ids/%08d" % k))
        state.begin()
        for number in range(facts["log_begin"], facts["n_logs"]):
            self._apply(view, number)

    def _apply(self, view: View, number: int) -> None:
        """Repeat what one batch has changed."""
        arrays = unpack(view.get(b"log/%012d" % number))
        for name, table in self.state.tables.items():
            prefix = f"{name}/"
            table.apply({key[len(prefix) :]: a for key, a in arrays.items() if key.startswith(prefix)})
        self.state.lexicon.extend(arrays["letters"], arrays["lengths"])
        self.state.ids += arrays["ids"].tobytes()

    def commit(self, batch: Batch, metadata: pa.RecordBatch, remover: Remover | None = None) -> None:
        """Write down what a batch has changed.

        Parameters
        ----------
        batch : Batch
        metadata : pyarrow.RecordBatch
            Of the new articles.
        remover : Remover, optional
            Of all furniture that is known now, if it is other than before.
        """
        state, store = self.state, self.store
        facts = state.facts
        first_text = state.texts.n - len(batch.coded)
        puts, tail, chunks, places = state.bank.plan(batch.coded)
        state.texts.put("chunk", np.arange(first_text, state.texts.n), chunks)
        state.texts.put("place", np.arange(first_text, state.texts.n), places)
        is_alive = state.texts["n_articles"] > 0
        deletes: list[bytes] = []
        new_ids = batch.came
        hashes = _id_hashes(state, new_ids)
        if batch.renewed:
            deletes += store.view.names(b"prints/all/")
        has_runs = []
        for runs, keys, members, kept in (
            (state.keys, batch.keys, batch.members, is_alive),
            (state.prints, batch.prints, batch.print_members, is_alive),
            (state.id_keys, hashes, new_ids.astype(np.int32), None),
        ):
            more, fewer = runs.plan(keys, members, kept)
            puts += more
            deletes += fewer
            has_runs.append(int(bool(more or runs.names())))
        facts["has_runs"] = has_runs
        if len(new_ids):
            puts.append((b"meta/%012d" % int(new_ids[0]), [_as_ipc(metadata)]))
        if remover is not None:
            facts["n_furniture"] += 1
            puts.append((FURNITURE, [table_as_ipc(remover.furniture.table)]))
        facts["n_batches"] += 1
        self._add_record(puts, deletes, facts)
        n_chunks = state.bank.n_chunks + (1 if tail and not state.bank.tail else 0)
        facts["n_chunks"], facts["tail_bytes"] = n_chunks, state.bank.tail_after(tail)
        puts.append((FACTS, [json.dumps(facts).encode()]))
        store.commit(puts, deletes)
        if remover is not None:
            self._furniture = facts["n_furniture"], remover
        self._committed(tail)

    def rearrange(self, puts: Puts, deletes: list[bytes], *, anew: bool = False) -> State:
        """Write down that what is known lies elsewhere; return the state, which is to be used from then on.

        Parameters
        ----------
        puts, deletes : lists
            Of values besides those of the columns; both are added to.
        anew : bool
            Write all columns, however little has changed.

        Raises
        ------
        OutputError
            If there is no room; what is on the disk is as before, and is read again by the next `load`.
        """
        facts = self.state.facts
        try:
            if anew:
                self._replace_base(puts, deletes, facts)
            else:
                self._add_record(puts, deletes, facts)
            puts.append((FACTS, [json.dumps(facts).encode()]))
            self.store.commit(puts, deletes)
        except BaseException:
            self.forget()
            raise
        return self.load()

    def forget(self) -> None:
        """Have everything read again by the next `load`: the state in memory is not the one in the store."""
        self._generation = -1

    def _replace_base(self, puts: Puts, deletes: list[bytes], facts: dict[str, Any]) -> None:
        """Write all columns, and the words and the ids each in one piece."""
        deletes += [b"log/%012d" % number for number in range(facts["log_begin"], facts["n_logs"])]
        if len(self.state.ids) <= LARGEST_PAYLOAD:
            pieces = range(facts["base_begin"], facts["n_bases"])
            deletes += [b"base/%s/%08d" % (kind, k) for kind in (b"words", b"ids") for k in pieces]
            # The number of the only piece is a new one, by which others see that all is another.
            facts["base_begin"] = facts["n_bases"]
            facts["base_words"] = facts["base_ids"] = 0
        self._add_base(puts, facts)

    def _add_record(self, puts: Puts, deletes: list[bytes], facts: dict[str, Any]) -> None:
        state = self.state
        letters, lengths = state.lexicon.added_since(state.words_before)
        ids = np.frombuffer(bytes(state.ids[state.ids_before :]), dtype=np.uint8)
        arrays: dict[str, NDArray[Any]] = {"letters": letters, "lengths": lengths, "ids": ids}
        for name, table in state.tables.items():
            arrays |= {f"{name}/{key}": array for key, array in table.changes().items()}
        n_bytes = sum(array.nbytes for array in arrays.values())
        if facts["log_bytes"] + n_bytes <= max(LOG_BYTES, facts["base_bytes"] // 4):
            puts.append((b"log/%012d" % facts["n_logs"], pack(arrays)))
            facts["log_bytes"] += n_bytes
            facts["n_logs"] += 1
            return
        deletes += [b"log/%012d" % number for number in range(facts["log_begin"], facts["n_logs"])]
        self._add_base(puts, facts)

    def _add_base(self, puts: Puts, facts: dict[str, Any]) -> None:
        """Write all columns; of the words and the ids only what was not written yet."""
        state = self.state
        facts["base_bytes"] = 0
        for name, table in state.tables.items():
            for column in table.names:
                array = np.ascontiguousarray(table[column])
                facts["base_bytes"] += array.nbytes
                puts.append((f"base/{name}/{column}".encode(), [memoryview(array.view(np.uint8))]))  # type: ignore[arg-type]
        letters, lengths = state.lexicon.added_since(facts["base_words"])
        puts.append((b"base/words/%08d" % facts["n_bases"], pack({"letters": letters, "lengths": lengths})))
        puts.append((b"base/ids/%08d" % facts["n_bases"], [bytes(state.ids[facts["base_ids"] :])]))
        facts["base_words"], facts["base_ids"] = state.lexicon.n_words, len(state.ids)
        facts["n_bases"] += 1
        facts["log_begin"] = facts["n_logs"]
        facts["log_bytes"] = 0

    def _committed(self, tail: bytes) -> None:
        state = self.state
        view = self.store.view
        moved = self._generation != self.store.generation
        state.bank.added(tail)
        for runs in (state.keys, state.prints, state.id_keys):
            runs.load(view, anew=moved)
        if moved:
            state.bank.load(view, state.facts["n_chunks"], state.facts["tail_bytes"])
        else:
            state.bank.moved(view)
        state.bank.pend(None, 0)
        state.begin()
        self._generation = self.store.generation
        self._number = view.number


def _id_hashes(state: State, articles: NDArray[np.int64]) -> NDArray[np.uint64]:
    return state.id_hashes([state.id_bytes(article) for article in articles.tolist()])


def _as_ipc(metadata: pa.RecordBatch) -> memoryview:
    return table_as_ipc(pa.Table.from_batches([metadata.select(list(METADATA_COLUMNS[:3]))]))


def table_as_ipc(table: pa.Table) -> memoryview:
    """Return a table as it is kept in a value."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd" if len(table) > _WORTH_PACKING else None)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return memoryview(sink.getvalue())
