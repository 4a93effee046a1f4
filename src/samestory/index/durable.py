"""The durable index: articles come in batches, and each is told at once what it is a copy of."""

from __future__ import annotations

import dataclasses
import functools
import json
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np
import pyarrow as pa

from samestory import schema
from samestory.config import Config, result_settings
from samestory.errors import ConfigError, IndexFormatError, IndexMismatchError, InputError, SchemaError
from samestory.furniture import Remover
from samestory.index.assign import Change, assign, finish
from samestory.index.check import check_state
from samestory.index.compact import compact
from samestory.index.entries import remove_articles
from samestory.index.export import Stored, run_over, walk_metadata
from samestory.index.furnish import Moved, clean_again, learn_with
from samestory.index.prepare import Prepared, clean, clean_rows, fold
from samestory.index.rows import tell
from samestory.index.saved import FACTS, Saved, first_facts, read_facts
from samestory.index.state import Ints
from samestory.index.store import Store
from samestory.index.stories import regroup_stories
from samestory.kernels.clusters import UNDATED
from samestory.params import choose_banding
from samestory.progress import Observer, ignore_progress
from samestory.read import open_source
from samestory.read.addresses import refuse_address
from samestory.result import Result
from samestory.version import __version__

P = ParamSpec("P")
R = TypeVar("R")

LOCK_TIMEOUT: Final = 60.0
"""Seconds that a writer waits for another."""
_WORTH_A_THREAD: Final = 1 << 20
_NOTHING: Final = np.zeros(0, dtype=np.int64)


def _alone(method: Callable[P, R]) -> Callable[P, R]:
    """Let calls of several threads wait for one another."""

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with args[0]._turn:  # type: ignore[attr-defined]
            return method(*args, **kwargs)

    return call


class Index:
    """An index of articles in a folder: made and opened by `Index.open`.

    One process at a time adds to it; any number may ask meanwhile, and see what was committed last. What
    is in an index is on the disk when `ingest` returns, whole or not at all. The clusters are those that
    one run over all articles would find, whatever the batches and their order. Threads may share an index:
    their calls wait for one another.
    """

    def __init__(self, store: Store, config: Config, *, readonly: bool, lock_timeout: float) -> None:
        self._turn = threading.RLock()
        self._store = store
        self._saved = Saved(store)
        self._readonly = readonly
        self._lock_timeout = lock_timeout
        self._executor = ThreadPoolExecutor(config.n_threads)
        self._banding = choose_banding(config.threshold, config.recall, config.num_perm)
        self.config = config
        self.last_batch: dict[str, Any] = {}

    @classmethod
    def open(
        cls,
        folder: str | PathLike[str],
        config: Config | None = None,
        *,
        create: bool = False,
        readonly: bool = False,
        lock_timeout: float = LOCK_TIMEOUT,
    ) -> Index:
        """Open an index.

        Parameters
        ----------
        folder : path
        config : Config, optional
            Must agree, in what decides the answer, with that which the index was made with; by default
            it is that.
        create : bool, default False
            Make the index if there is none.
        readonly : bool, default False
            Only ask: `query`, `resolve`, `info`, `export`, `verify`.
        lock_timeout : float, default 60
            Seconds to wait for another writer.

        Raises
        ------
        InputError
            There is no index, and `create` is not set.
        IndexMismatchError
            It was made with other settings.
        IndexFormatError
            It is damaged, or of a format that this version does not know.
        IndexLockedError
            Another process was writing all the time.
        OutputError
            It cannot be made or written.
        """
        if config is not None and not isinstance(config, Config):
            raise ConfigError(f"config is of type {type(config).__name__}", hint="pass samestory.Config()")
        if config is not None and config.founder_overlap:
            raise ConfigError(
                f"founder_overlap is {config.founder_overlap:g}: an index does not split clusters",
                hint="leave it out, or use samestory.cluster over all articles",
            )
        refuse_address(folder)
        store = Store(Path(folder), create=create, readonly=readonly)
        try:
            if FACTS not in store.view:
                _begin(store, config or Config(), create, lock_timeout)
            settings = read_facts(store.view, store.folder)["settings"]
            chosen = Config(**settings) if config is None else config
            _check_same(settings, chosen, store.folder)
            return cls(store, chosen, readonly=readonly, lock_timeout=lock_timeout)
        except BaseException:
            store.close()
            raise

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @_alone
    def close(self) -> None:
        """Let go of the folder; safe twice."""
        self._executor.shutdown()
        self._store.close()

    @_alone
    def __len__(self) -> int:
        return int(self._saved.load().facts["n_articles"])

    @_alone
    def ingest(self, data: Any) -> pa.Table:
        """Add articles, and return what each is.

        An id that is there with the same text changes nothing; with another text it is replaced. If an
        id is repeated in the batch the last of its rows counts.

        Parameters
        ----------
        data
            As for `samestory.cluster`. It is one batch: all of it is in the index then, or nothing.

        Returns
        -------
        pyarrow.Table
            `samestory.schema.ASSIGNED`, one row for each article, in their order.

        Raises
        ------
        InputError, SchemaError
            A row is broken, or there are no ids.
        IndexLockedError
            Another process was writing for longer than `lock_timeout`.
        OutputError
            There is no room; the index is as it was.
        """
        begin = time.perf_counter()
        articles = self._read(data)
        with self._store.locked(self._lock_timeout):
            self._saved.load()
            told = self._add(articles, adding=True)
        self._note(told, time.perf_counter() - begin)
        return told

    @_alone
    def query(self, data: Any) -> pa.Table:
        """Return what articles would be, adding nothing: see `ingest`.

        Of the furniture what is known is taken out; none is learnt from them.
        """
        articles = self._read(data)
        self._saved.load()
        return self._add(articles, adding=False)

    def _read(self, data: Any) -> pa.RecordBatch:
        """Return the articles in one batch."""
        config = self.config if _is_large(data) else dataclasses.replace(self.config, threads=1)
        with open_source(data, config) as source:
            if source.columns["doc_id"] is None and source.inputs == ["table"]:
                raise SchemaError(
                    "the articles have no ids, by which an index tells them apart",
                    hint="name their column with id_column",
                )
            batches = list(source.batches())
        table = pa.Table.from_batches(batches, schema=schema.ARTICLE).combine_chunks()
        return table.to_batches()[0] if len(table) else pa.RecordBatch.from_pylist([], schema=schema.ARTICLE)

    def _add(self, handed_in: pa.RecordBatch, *, adding: bool) -> pa.Table:
        if not len(handed_in):
            return schema.ASSIGNED.empty_table()
        state = self._saved.state
        rows_of_ids, place_of_row = _last_of_each(handed_in)
        articles = handed_in if len(rows_of_ids) == len(handed_in) else handed_in.take(pa.array(rows_of_ids))
        try:
            prepared, moved, remover = self._prepare(articles, adding=adding)
            batch = assign(state, articles, prepared, self.config, self._executor, moved, adding)
            if self.config.level == "story":
                regroup_stories(state, batch.clusters, batch.left, self.config, self._executor)
            told = tell(state, articles, batch, self.config)
            if adding and (len(batch.came) or len(batch.left)):
                first = int(batch.came[0]) if len(batch.came) else 0
                rows = np.flatnonzero(batch.of_row >= first) if len(batch.came) else _NOTHING
                self._saved.commit(batch, articles.take(pa.array(rows)), remover)
            else:
                state.undo()
        except BaseException:
            state.undo()
            raise
        return told if articles is handed_in else told.take(pa.array(place_of_row))

    def _prepare(
        self, articles: pa.RecordBatch, *, adding: bool
    ) -> tuple[Prepared, Moved | None, Remover | None]:
        """Make a batch ready and learn from it; return it, articles it changes, and all furniture if new."""
        saved, config, executor = self._saved, self.config, self._executor
        folded = fold(articles, config, executor)
        if not config.boilerplate:
            nowhere = np.zeros(len(articles), dtype=np.uint64)
            return clean(folded, None, nowhere, config, executor), None, None
        book = saved.book
        book.catch_up(saved.state)
        remover = saved.remover(config.shingle_unit == "char")
        salts = book.keys(folded.names)
        prepared = clean(folded, remover, salts, config, executor)
        learnt = None
        if adding:
            learnt = learn_with(
                saved.state, book, remover.furniture, articles, prepared, salts, config.n_threads, executor
            )
        if learnt is None:
            return prepared, None, None
        remover = Remover(learnt.furniture)
        rows = np.flatnonzero(np.isin(salts, learnt.sites))
        prepared = clean_rows(prepared, rows, remover, salts, config, executor)
        return prepared, clean_again(saved.state, book, learnt, remover, config.n_threads, executor), remover

    @_alone
    def delete(self, doc_ids: Iterable[str]) -> int:
        """Take articles out; return how many. The ids of their clusters stay resolvable.

        Raises
        ------
        InputError
            An id is not in the index; then none is taken out.
        """
        ids = list(dict.fromkeys(doc_ids))
        with self._store.locked(self._lock_timeout):
            state = self._saved.load()
            found = state.find_articles([doc_id.encode() for doc_id in ids])
            there = (
                (found >= 0) & (state.articles["is_alive"][np.maximum(found, 0)] > 0)
                if state.articles.n
                else found >= 0
            )
            if not there.all():
                missing = [doc_id for doc_id, one in zip(ids, there.tolist(), strict=True) if not one]
                raise InputError(
                    f"not in the index: {', '.join(map(repr, missing[:3]))}"
                    + (f" and {len(missing) - 3} more" if len(missing) > 3 else ""),
                    hint="ids are compared as text, exactly",
                )
            return self._take_out(found)

    @_alone
    def expire(self, before: datetime | str) -> int:
        """Take out the articles that were published before a time; return how many.

        Of the undated the time counts at which they came.
        """
        limit = _microseconds(before)
        with self._store.locked(self._lock_timeout):
            state = self._saved.load()
            columns = state.articles
            times = np.where(columns["time"] == UNDATED, columns["seen"], columns["time"])
            return self._take_out(np.flatnonzero((times < limit) & (columns["is_alive"] > 0)))

    def _take_out(self, articles: Ints) -> int:
        if not len(articles):
            return 0
        state = self._saved.state
        try:
            lost = state.articles["text"][articles].astype(np.int64)
            gone = remove_articles(state, articles)
            state.bank.pend(None, 0)
            change = Change.removal(articles, lost, gone, self._banding.bands)
            batch = finish(state, change, self.config, self._executor)
            if self.config.level == "story":
                regroup_stories(state, batch.clusters, batch.left, self.config, self._executor)
            self._saved.commit(batch, pa.RecordBatch.from_pylist([], schema=schema.ARTICLE))
        except BaseException:
            state.undo()
            raise
        return len(articles)

    @_alone
    def resolve(self, cluster_id: str) -> str:
        """Return the id by which a cluster goes now, given any id by which it ever went.

        Raises
        ------
        InputError
            No article of that id was ever in the index, or nothing is left of its cluster.
        """
        state = self._saved.load()
        article = int(state.find_articles([cluster_id.encode()])[0])
        while article >= 0 and not state.articles["is_alive"][article]:
            article = int(state.articles["matched"][article])
        if article < 0:
            raise InputError(f"no cluster {cluster_id!r} is in the index", hint="ids are compared exactly")
        label = state.texts["cluster"][state.articles["text"][article]]
        return state.id_of(int(state.texts["founder"][label]))

    @property
    @_alone
    def newest(self) -> datetime:
        """The newest date of an article that is not in the future; now, if there is none."""
        state = self._saved.load()
        now = time.time_ns() // 1000
        times = state.articles["time"][state.articles["is_alive"] > 0]
        times = times[times <= now]
        return datetime.fromtimestamp((int(times.max()) if len(times) else now) / 1e6, tz=timezone.utc)

    @_alone
    def export(self, *, observer: Observer = ignore_progress) -> Result:
        """Return clusters and pairs as one run over all articles of the index gives them.

        Parameters
        ----------
        observer : callable, optional
            Called with the stage's name and how far it has come.

        Returns
        -------
        Result
            Computed anew from the texts that are kept, in the order in which the articles came.

        Raises
        ------
        IndexFormatError
            The clusters so found are not those that the index has: it is damaged.
        """
        state = self._saved.load()
        stored = Stored(state, self._store.view, self._store.folder)
        furniture = self._saved.remover(self.config.shingle_unit == "char").furniture
        result = run_over(stored, state, self.config, furniture.table, observer)
        label = state.texts["cluster"][state.articles["text"][stored.numbers]]
        founders = state.texts["founder"][label].tolist() if len(label) else []
        known = pa.chunked_array([pa.array([state.id_of(a) for a in founders], pa.string())])
        if not known.equals(pa.chunked_array([result.clusters["cluster_id"].combine_chunks()])):
            raise IndexFormatError(
                f"the clusters of the index at {self._store.folder} are not those of its articles",
                hint="ingest its articles into a new index, and report this with the command you used",
            )
        return result

    @_alone
    def verify(self, *, deep: bool = False, observer: Observer = ignore_progress) -> list[str]:
        """Return what is wrong with the index, in words; nothing if it is sound.

        Parameters
        ----------
        deep : bool, default False
            Also find all clusters anew, which takes as long as a run over all articles.
        observer : callable, optional
        """
        observer("check the file", 0, None)
        wrong = self._store.check()
        if wrong:
            return wrong
        try:
            state = self._saved.load()
            wrong = check_state(state, self._store.view, self.config, self._banding, self._executor, observer)
            for _ in walk_metadata(self._store.view, state):
                pass
            if deep and not wrong:
                self.export(observer=observer)
        except IndexFormatError as error:
            wrong.append(error.message)
        return wrong

    @_alone
    def compact(self, *, observer: Observer = ignore_progress) -> dict[str, Any]:
        """Take out what nothing refers to any more, and make the file as small as it can be.

        Nothing else changes: neither clusters, nor what articles are told, nor which ids can be resolved.
        Others may ask meanwhile. About as much room as the index takes is needed beside it.

        Parameters
        ----------
        observer : callable, optional
            Called with the stage's name and how far it has come.

        Returns
        -------
        dict
            bytes_before and bytes_after (of the data file), articles, texts, seconds.

        Raises
        ------
        IndexLockedError
            Another process was writing for longer than `lock_timeout`.
        OutputError
            There is no room; the index is sound, and perhaps larger than it was.
        """
        begin = time.perf_counter()
        with self._store.locked(self._lock_timeout):
            self._saved.load()
            bytes_before = self._store.size_bytes()
            try:
                compact(self._saved, observer)
            except BaseException:
                self._saved.forget()
                raise
            state = self._saved.state
            return {
                "bytes_before": bytes_before,
                "bytes_after": self._store.size_bytes(),
                "articles": int(state.facts["n_articles"]),
                "texts": int(np.count_nonzero(state.texts["n_articles"])),
                "seconds": round(time.perf_counter() - begin, 6),
            }

    def _note(self, table: pa.Table, seconds: float) -> None:
        facts = self._saved.state.facts
        is_new = table["is_new"]
        self.last_batch = {
            "articles": len(table),
            "new": int(np.count_nonzero(np.asarray(is_new))),
            "n_articles": int(facts["n_articles"]),
            "batch": int(facts["n_batches"]),
            "seconds": round(seconds, 6),
        }

    @_alone
    def info(self) -> dict[str, Any]:
        """Return the facts of the index, as plain values."""
        state = self._saved.load()
        facts = state.facts
        alive = np.flatnonzero(state.texts["n_articles"] > 0)
        labels = np.unique(state.texts["cluster"][alive])
        sizes = state.texts["n_members"][labels]
        times = state.articles["time"][state.articles["is_alive"] > 0]
        dated = times[times != UNDATED]
        n_bytes = self._store.size_bytes()
        return {
            "folder": str(self._store.folder),
            "format_version": facts["format_version"],
            "version": facts["version"],
            "fingerprint": facts["fingerprint"],
            "config": facts["settings"],
            "articles": int(facts["n_articles"]),
            "texts": len(alive),
            "clusters": int(np.count_nonzero(sizes > 1)),
            "unique": int(np.count_nonzero(sizes == 1)),
            "largest_cluster": int(sizes.max(initial=0)),
            "first_published_at": _iso(dated.min()) if len(dated) else None,
            "last_published_at": _iso(dated.max()) if len(dated) else None,
            "batches": int(facts["n_batches"]),
            "words": state.lexicon.n_words,
            "bytes": n_bytes,
            "bytes_per_article": round(n_bytes / max(1, facts["n_articles"]), 1),
        }


def _begin(store: Store, config: Config, create: bool, lock_timeout: float) -> None:
    """Write the facts of an empty index."""
    if store.view.number or store.view.names():
        raise IndexFormatError(
            f"the index at {store.folder} is damaged: its facts are missing",
            hint="restore it from a copy, or build it again in another folder",
        )
    if not create:
        raise InputError(f"there is no index at {store.folder}", hint="make it with create=True")
    with store.locked(lock_timeout):
        store.refresh()
        if FACTS not in store.view:
            facts = first_facts(result_settings(config), config.fingerprint, __version__)
            store.commit([(FACTS, [json.dumps(facts).encode()])], [])


def _check_same(settings: dict[str, Any], config: Config, folder: Path) -> None:
    own = result_settings(config)
    differ = [name for name in own if own[name] != settings.get(name)]
    if differ:
        shown = "; ".join(f"{name} is {settings.get(name)!r} there, {own[name]!r} here" for name in differ)
        raise IndexMismatchError(
            f"the index at {folder} was made with other settings: {shown}",
            hint="open it with its own settings, or make a new index",
        )


def _is_large(data: Any) -> bool:
    """Whether reading is worth a second thread."""
    return not isinstance(data, (pa.Table, pa.RecordBatch)) or data.nbytes > _WORTH_A_THREAD


def _last_of_each(articles: pa.RecordBatch) -> tuple[Ints, Ints]:
    """Return the last row of each id, in order, and for each row the place of its id among them."""
    ids = articles["doc_id"].to_pylist()
    last = {doc_id: row for row, doc_id in enumerate(ids)}
    rows = np.array(sorted(last.values()), dtype=np.int64)
    place = {row: k for k, row in enumerate(rows.tolist())}
    return rows, np.array([place[last[doc_id]] for doc_id in ids], dtype=np.int64)


def _microseconds(when: datetime | str) -> int:
    try:
        moment = datetime.fromisoformat(when.replace("Z", "+00:00")) if isinstance(when, str) else when
    except ValueError as error:
        raise ConfigError(f"{when!r} is not a date", hint="for example 2026-10-23") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return int(moment.timestamp() * 1_000_000)


def _iso(microseconds: Any) -> str:
    return datetime.fromtimestamp(int(microseconds) / 1e6, tz=timezone.utc).isoformat()
