"""Named values in a folder: durable, changed whole or not at all, read by many while one writes.

A layer over LMDB that knows nothing of articles. Every value carries a checksum, and all of them together
a digest, so that damage is found and named rather than read.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final

import lmdb

from samestory.errors import InputError, OutputError, SamestoryError
from samestory.index.datafile import DataFile, acquire, release
from samestory.index.lmdb_faults import write_failure
from samestory.index.lmdb_file import create_file
from samestory.index.locks import write_lock
from samestory.index.sealed import Buffer, mark, n_bytes_of, seal
from samestory.index.view import MASK, OWN, STATE, STATE_NAME, View, read_state

LONGEST_NAME: Final = 511

# What a commit may take in pages besides its payloads: some, and so many a value.
_SPARE_PAGES: Final = 64
_PAGES_PER_VALUE: Final = 4
_MOST_TRIES: Final = 5


class Store:
    """Named values in a folder.

    One thread at a time may use a store; what its views return may be read by any number. Several stores
    of one folder in one process share what is mapped: if one of them must map it anew because the file
    has outgrown it, the others' memory is gone as well (see `generation`). Where the file was replaced
    (see `rewrite`) each store goes on with the old one until it is refreshed.

    Parameters
    ----------
    folder : path-like
    create : bool
        Make the folder an index if it is missing or empty.
    readonly : bool
        Never write; the folder may be one that this process must not write to. If it cannot write LMDB's
        lock file either, writers do not know that it reads: all checksums are then compared at every
        `get`, and the index should not be written meanwhile.

    Attributes
    ----------
    folder : Path

    Raises
    ------
    InputError
        If there is no index and `create` is not set, or it cannot be read.
    IndexFormatError
        If it is damaged or of another format.
    OutputError
        If it cannot be written or created and `readonly` is not set.
    """

    def __init__(self, folder: str | Path, *, create: bool = False, readonly: bool = False) -> None:
        self.folder = Path(folder)
        if create and not readonly:
            create_file(self.folder, _put_first_state)
        self._readonly = readonly
        self._file, self._view = _newest(self.folder, readonly, None)
        self._release = weakref.finalize(self, release, self._file)
        self._earlier_generations = 0
        self._holds_lock = False

    @property
    def view(self) -> View:
        """The state that this store looks at now."""
        self._require_open()
        if not self._view.is_current():
            self._renew_view()
        return self._view

    @property
    def generation(self) -> int:
        """Raised when the file was mapped anew, or another one: all addresses are new, and so is `view`."""
        return self._earlier_generations + self._file.generation

    def refresh(self) -> bool:
        """Look at the newest state; return whether it is another than before.

        Raises
        ------
        IndexFormatError
            If the file was cut or deleted, or replaced otherwise than by `rewrite`.
        """
        number = self._view.number
        self._require_open()
        if self._file.is_replaced() or not self._view.is_current() or not self._is_newest():
            self._renew_view()
        return self._view.number != number

    @contextmanager
    def locked(self, timeout: float) -> Iterator[None]:
        """Hold the writer's lock, across processes and threads; not reentrant.

        Parameters
        ----------
        timeout : float
            Seconds to wait for another writer; 0 tries once.

        Raises
        ------
        IndexLockedError
            If another writer still has it after `timeout`.
        OutputError
            If the store is opened for reading only, or the lock cannot be taken.
        """
        self._require_open()
        if self._readonly:
            raise OutputError(
                f"the index at {self.folder} is open for reading only", hint="open it for writing"
            )
        with write_lock(self.folder, timeout):
            self._holds_lock = True
            try:
                yield
            finally:
                self._holds_lock = False

    def commit(self, puts: list[tuple[bytes, list[Buffer]]], deletes: list[bytes]) -> None:
        """Store and delete values, all at once or not at all; they are on the disk when it returns.

        After it `view` is the new state. If it fails, nothing has changed and `view` can still be read.

        Parameters
        ----------
        puts : list of (name, buffers)
            The buffers of each are joined. The last of one name counts, and before its deletion.
        deletes : list of bytes
            Names; those that are missing do not matter.

        Raises
        ------
        RuntimeError
            Without `locked`, or if another has committed or replaced the file since the view: refresh once
            locked.
        ValueError
            If a name is empty, longer than 511 bytes or begins with a zero byte, or a value too large.
        OutputError
            If there is no room on the disk or for the map, or the file cannot be written.
        IndexFormatError
            If the file is damaged.
        """
        self._require_open()
        if not self._holds_lock:
            raise RuntimeError("commit without holding the lock")
        self._require_newest_file()
        changes = _Changes(dict(puts), set(deletes).difference(name for name, _ in puts))
        self._file.forget_dead_readers()
        number = self.view.number
        try:
            while not self._try_commit(changes, number):
                self._file.grow(changes.most_bytes(self._file.page_size))
        except (lmdb.Error, OSError) as error:
            raise write_failure(self.folder, error) from error
        self._renew_view()

    def rewrite(self) -> None:
        """Put a new data file, without pages that are free, in the place of the old one.

        Both are on the disk meanwhile. Other processes go on reading the old one until they are refreshed.
        The values are the same, their addresses are not: `generation` is raised. What a process that was
        killed here has left is removed by the next.

        Raises
        ------
        RuntimeError
            Without `locked`, or if another has replaced the file: refresh once locked.
        OutputError
            If there is no room for it, or it cannot be written; the old file stays.
        """
        self._require_open()
        if not self._holds_lock:
            raise RuntimeError("rewrite without holding the lock")
        self._require_newest_file()
        self._file.forget_dead_readers()
        self._file.replace()
        self._renew_view()
        # Some systems keep a file as long as it is mapped.
        self._file.remove_older()

    def check(self) -> list[str]:
        """Return what is wrong, in words; empty if nothing is.

        All values of the newest state are read, if LMDB's pages, as the newest commit left them, are whole.
        """
        for _ in range(_MOST_TRIES):
            self.refresh()
            try:
                return self._file.structure_faults() or self._view.check()
            except SamestoryError:
                if not self._file.is_replaced():
                    raise
        raise _replaced_too_often(self.folder)

    def size_bytes(self) -> int:
        """Return how many bytes of the data file are in use, free pages between them included."""
        self._require_open()
        return self._file.used_bytes()

    def close(self) -> None:
        """Close the store; safe twice."""
        if self._release.alive:
            self._view.close()
            self._release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _require_open(self) -> None:
        if not self._release.alive:
            raise RuntimeError(f"the index at {self.folder} is closed")
        self._file.require_own_process()

    def _require_newest_file(self) -> None:
        if self._file.is_replaced():
            raise RuntimeError("another process has replaced the data file: refresh once locked")

    def _is_newest(self) -> bool:
        try:
            return self._view.is_newest()
        except SamestoryError:
            if self._file.is_replaced():
                return False
            raise

    def _renew_view(self) -> None:
        # The new one first: if it fails, there is still the old one.
        file, view = _newest(self.folder, self._readonly, self._file)
        if file is self._file and self._view.is_current() and view.number == self._view.number:
            # LMDB shows a commit a moment before it begins transactions on it.
            view.close()
            return
        self._view.close()
        self._view = view
        if file is not self._file:
            self._earlier_generations += self._file.generation + 1
            self._release()
            self._file, self._release = file, weakref.finalize(self, release, file)

    def _try_commit(self, changes: _Changes, number: int) -> bool:
        """Commit, or return False if the map is too small."""
        try:
            with self._file.begin(write=True) as txn:
                changes.apply(self.folder, txn, number)
                self._file.extend(changes.most_bytes(self._file.page_size))
        except lmdb.MapFullError:
            return False
        return True


def _newest(folder: Path, readonly: bool, known: DataFile | None) -> tuple[DataFile, View]:
    """Return the data file that counts, acquired unless it is known, and a view of its newest state."""
    for _ in range(_MOST_TRIES):
        is_known = known is not None and not known.is_replaced()
        file = known if known is not None and is_known else acquire(folder, readonly)
        try:
            return file, _newest_view(file)
        except SamestoryError:
            is_replaced = file.is_replaced()
            if not is_known:
                release(file)
            if not is_replaced:
                raise
    raise _replaced_too_often(folder)


def _newest_view(file: DataFile) -> View:
    view = View(file)
    if file.readonly or view.is_newest():
        return view
    view.close()
    file.settle()
    return View(file)


def _replaced_too_often(folder: Path) -> InputError:
    return InputError(f"the index at {folder} is replaced all the time", hint="try again")


class _Changes:
    """What one commit changes."""

    def __init__(self, puts: dict[bytes, list[Buffer]], deletes: set[bytes]) -> None:
        for name in [*puts, *deletes]:
            if not name or len(name) > LONGEST_NAME or name.startswith(OWN):
                raise ValueError(f"{name!r} cannot name a value")
        self._puts = puts
        self._deletes = deletes

    def most_bytes(self, page_size: int) -> int:
        """Return how much the file can grow by them, about."""
        payloads = sum(n_bytes_of(buffers) for buffers in self._puts.values())
        n_pages = _SPARE_PAGES + _PAGES_PER_VALUE * (len(self._puts) + len(self._deletes))
        return payloads + n_pages * page_size

    def apply(self, folder: Path, txn: lmdb.Transaction[memoryview], number: int) -> None:
        """Put and delete values in a transaction, and the new state."""
        was, n_values, digest = read_state(folder, txn)
        if was != number:
            raise RuntimeError(f"commit on number {number} when the newest is {was}: refresh once locked")
        for name in sorted(self._deletes):
            if (old := txn.get(name)) is not None:
                digest -= mark(name, old)
                n_values -= 1
                txn.delete(name)
        for name, buffers in sorted(self._puts.items()):
            if (old := txn.get(name)) is not None:
                digest -= mark(name, old)
                n_values -= 1
            value = seal(name, buffers, number + 1)
            digest += mark(name, value)
            n_values += 1
            txn.put(name, value)
        _put_state(txn, number + 1, n_values, digest & MASK)


def _put_first_state(txn: lmdb.Transaction[bytes]) -> None:
    txn.put(STATE_NAME, seal(STATE_NAME, [STATE.pack(0, 0)], 0))


def _put_state(txn: lmdb.Transaction[memoryview], number: int, n_values: int, digest: int) -> None:
    txn.put(STATE_NAME, seal(STATE_NAME, [STATE.pack(n_values, digest)], number))
