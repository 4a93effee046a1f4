"""The one LMDB environment that a process may have of a data file, shared by all who use it there.

LMDB forbids opening a file twice in one process, and reads past the end of a truncated file kill the
process: so environments are shared here, and the file is looked at whenever a transaction begins.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from pathlib import Path
from typing import Final

import lmdb

from samestory.errors import InputError, SamestoryError
from samestory.index.lmdb_faults import NO_RIGHTS, error_code, read_failure, replaced, write_failure
from samestory.index.lmdb_file import (
    DATA_NAME,
    LOCK_TABLE_NAME,
    add_copy,
    examine,
    home_of,
    newest_number,
    open_environment,
    remove_old,
    structure_faults,
    truncated,
)

# Addresses cost nothing where files may be sparse, and a map that need not grow never moves.
FIRST_MAP = 1 << 26 if sys.platform == "win32" or sys.maxsize < 1 << 32 else 1 << 38

_SPARE_BYTES: Final = 1 << 20
_MOST_TRIES: Final = 5


class DataFile:
    """The environment of one data file in this process.

    Attributes
    ----------
    folder, home, path : Path
        The index, the folder of the data file, and that file.
    number : int
        How many data files the index had before it.
    generation : int
        Raised whenever the file is mapped anew: older transactions and memory are gone then.
    readonly : bool
    is_guarded : bool
        Whether LMDB knows of this process's readers; where even its lock file cannot be written it does
        not, and a writer may overwrite what is being read.
    page_size : int
    seen : dict of bytes to bytes
        Which version of each large value has had its checksum compared, by name.
    users : int
        How many stores share it.
    """

    def __init__(self, folder: Path, number: int, readonly: bool) -> None:
        self.folder = folder
        self.number = number
        self.home = home_of(folder, number)
        self._next_home = home_of(folder, number + 1)
        self.path = self.home / DATA_NAME
        self.generation = 0
        self.readonly = readonly
        self.is_guarded = True
        self.seen: dict[bytes, bytes] = {}
        self.users = 0
        self.pid = os.getpid()
        self._env: lmdb.Environment | None = None
        self._map(readonly, [])
        self.page_size: int = self._environment().stat()["psize"]
        self.identity = identity(self.path)

    def begin(self, write: bool = False) -> lmdb.Transaction[memoryview]:
        """Begin a transaction on the newest state, in a larger map if another process needed one."""
        self._require_whole()
        for _ in range(_MOST_TRIES):
            try:
                return self._environment().begin(write=write, buffers=True)
            except (lmdb.MapResizedError, lmdb.PanicError):
                # LMDB panics when it could not write a meta page, until the file is opened again.
                self._remap(self.readonly, [])
            except lmdb.Error as error:
                raise (write_failure if write else read_failure)(self.folder, error) from error
        raise InputError(f"the index at {self.folder} could not be mapped", hint="try again")

    def settle(self) -> None:
        """Begin transactions on the commit that is shown as the newest, where LMDB does not yet.

        A commit counts once its meta page is written, but LMDB begins transactions on it only when its lock
        file says so too. Where a writer was killed between the two, the next to begin a commit mends that:
        till then all see the state before.
        """
        self.begin(write=True).abort()

    def is_replaced(self) -> bool:
        """Return whether another data file counts now; this one can still be read, but no more opened."""
        if _exists(self._next_home):
            return True
        return not _exists(self.path) and newest_number(self.folder) != self.number

    def replace(self) -> None:
        """Put a copy without free pages in the place of this file; OutputError if there is no room for it."""
        add_copy(self._environment(), self.folder, self.number)

    def remove_older(self) -> None:
        """Remove the files that this one has replaced, as far as the system lets them go."""
        remove_old(self.folder, self.number)

    def grow(self, n_bytes: int) -> None:
        """Map the file anew with room for `n_bytes` more; OutputError if that cannot be."""
        least = self.used_bytes() + n_bytes + _SPARE_BYTES
        doubled = 2 * self._map_bytes()
        self._remap(self.readonly, [max(doubled, least), max(doubled // 2 + _SPARE_BYTES, least)])

    def allow_writing(self) -> None:
        """Open for writing what was opened for reading only."""
        if self.readonly:
            self._remap(False, [])

    def used_bytes(self) -> int:
        """Return how many bytes of the file are in use, with the pages that are free again."""
        return (self._environment().info()["last_pgno"] + 1) * self.page_size

    def last_commit(self) -> int:
        """Return LMDB's number of the newest commit."""
        self._require_whole()
        return self._environment().info()["last_txnid"]

    def structure_faults(self) -> list[str]:
        """Return what is wrong with LMDB's pages, in words."""
        for _ in range(_MOST_TRIES):
            number = self.last_commit()
            found = structure_faults(self.folder, self.home)
            # What was looked at while another commit was written tells nothing.
            if not found or number == self.last_commit():
                return found
        return []

    def forget_dead_readers(self) -> None:
        """Free what killed readers held; else the file would grow for ever."""
        with contextlib.suppress(lmdb.Error):
            self._environment().reader_check()

    def extend(self, n_bytes: int) -> None:
        """Make the file (sparsely) at least so much longer than what is in use.

        LMDB does not write pages that a commit takes at the end and frees again. A healthy file could
        then be shorter than its meta page says, and would look cut.
        """
        wanted = self.used_bytes() + n_bytes
        if self.path.stat().st_size < wanted:
            os.truncate(self.path, wanted)

    def close(self) -> None:
        """Close the environment, unless it belongs to the process that this one was forked from."""
        if self._env is not None and self.is_own_process():
            self._env.close()
            self._env = None

    def is_own_process(self) -> bool:
        """Return whether this process opened the file, and was not forked from the one that did."""
        return self.pid == os.getpid()

    def require_own_process(self) -> None:
        """Raise SamestoryError in a process that was forked while the index was open."""
        if not self.is_own_process():
            raise SamestoryError(
                f"the index at {self.folder} was open in process {self.pid} when this one was forked from it,"
                " and cannot be used here",
                hint="close the index before forking, or start processes by the method 'spawn'",
            )

    def _require_whole(self) -> None:
        """Raise IndexFormatError if the file was cut or replaced: reading on could kill the process."""
        self.require_own_process()
        size = self._size()
        if size < 2 * self.page_size:
            raise truncated(self.folder, size, 2 * self.page_size)
        used = self.used_bytes()
        # A writer may have lengthened the file since.
        if size < used and (size := self._size()) < used:
            raise truncated(self.folder, size, used)

    def _size(self) -> int:
        try:
            found = self.path.stat()
        except OSError as error:
            raise replaced(self.folder) from error
        if (found.st_dev, found.st_ino) != self.identity:
            raise replaced(self.folder)
        return found.st_size

    def _environment(self) -> lmdb.Environment:
        if self._env is None:
            self._map(self.readonly, [])
        return self._env  # type: ignore[return-value]

    def _map_bytes(self) -> int:
        return self._environment().info()["map_size"]

    def _remap(self, readonly: bool, sizes: list[int]) -> None:
        """Close and open again; LMDB's own way to grow a map leaves none at all where it fails."""
        self.generation += 1
        self.close()
        # Where this fails, what could be mapped before is mapped again when it is next used.
        self._map(readonly, sizes)
        self.readonly = readonly

    def _map(self, readonly: bool, sizes: list[int]) -> None:
        """Map the file in the first of these sizes (or some usual ones) that the system allows."""
        examine(self.folder, self.home)
        file_bytes = self.path.stat().st_size
        usual = [max(FIRST_MAP, 2 * file_bytes), 2 * file_bytes + _SPARE_BYTES, file_bytes + _SPARE_BYTES]
        left = list(sizes or usual)
        while self._env is None:
            try:
                self._env = self._open(left.pop(0), readonly)
            except (lmdb.Error, OSError) as error:
                if left and error_code(error) == errno.ENOMEM:
                    continue
                raise (read_failure if readonly else write_failure)(self.folder, error) from error

    def _open(self, size: int, readonly: bool) -> lmdb.Environment:
        try:
            env = open_environment(self.home, size, readonly)
        except (lmdb.Error, OSError) as error:
            if not readonly or error_code(error) not in NO_RIGHTS:
                raise
            env = open_environment(self.home, size, readonly, lock=False)
        # On a file system mounted for reading, LMDB does without its lock file and does not say so.
        self.is_guarded = os.access(self.home / LOCK_TABLE_NAME, os.W_OK)
        return env


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True


def identity(path: Path) -> tuple[int, int]:
    """Return what tells a file from all others of this machine."""
    found = path.stat()
    return found.st_dev, found.st_ino


_open_files: dict[tuple[int, int], DataFile] = {}
# Reentrant, since a store that nobody closed may be collected while another is opened.
_registry = threading.RLock()


def acquire(folder: Path, readonly: bool) -> DataFile:
    """Return the data file of a folder, opened or shared; each call is answered by one of `release`.

    Raises
    ------
    InputError
        If there is no index, or it cannot be read.
    IndexFormatError
        If it is damaged.
    OutputError
        If it is to be written and cannot be.
    """
    for _ in range(_MOST_TRIES):
        number = newest_number(folder)
        try:
            with _registry:
                return _acquire(folder, number, readonly)
        except SamestoryError:
            # The file may have been replaced since its number was looked up.
            if newest_number(folder) == number:
                raise
    raise InputError(f"the index at {folder} is replaced all the time", hint="try again")


def _acquire(folder: Path, number: int, readonly: bool) -> DataFile:
    home = home_of(folder, number)
    examine(folder, home)
    try:
        file = _open_files.get(identity(home / DATA_NAME))
    except OSError as error:
        raise read_failure(folder, error) from error
    # Another file may have come to the number of one that is no more mapped.
    if file is None or file.number != number:
        file = DataFile(folder, number, readonly)
        _open_files[file.identity] = file
    file.require_own_process()
    if not readonly:
        file.allow_writing()
    file.users += 1
    return file


def release(file: DataFile) -> None:
    """Give back a data file; the last to do so closes it."""
    with _registry:
        file.users -= 1
        if file.users == 0:
            if _open_files.get(file.identity) is file:
                del _open_files[file.identity]
            file.close()


def _renew_registry_lock() -> None:
    """Another thread may have held it at the fork, and does not exist in the child."""
    global _registry
    _registry = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_registry_lock)
