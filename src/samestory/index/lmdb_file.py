"""An LMDB data file before it is mapped: made whole or not at all, and examined.

The first file of an index lies in its folder. One that takes its place lies in a folder of its own in there,
``data-000001`` and so on, together with LMDB's lock file: who still reads the old file and who reads the new
one never share a lock file, which would tell each of them of the other's commits. The highest number counts.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import lmdb

from samestory.errors import IndexFormatError, InputError, OutputError
from samestory.index.lmdb_faults import MOST_READERS, RESTORE_HINT, damaged, read_failure, write_failure
from samestory.index.locks import LOCK_NAME, write_lock
from samestory.leftovers import SUFFIX, hidden_prefix, remove_left_over

DATA_NAME: Final = "data.mdb"
LOCK_TABLE_NAME: Final = "lock.mdb"

_HOME: Final = re.compile(r"data-([0-9]{6,})")

_CREATING_SECONDS: Final = 10.0
_NEW_MAP: Final = 1 << 20
# A meta page in LMDB's data format 1, on 64 bits: magic, version, (address, size of map), page size,
# (the rest of the tree of free pages, and of the main one), root, last page, commit.
_META: Final = struct.Struct("=16x II 16x I 84x Q QQ")
_MAGIC: Final = 0xBEEFC0DE
_EXAMINED_VERSION: Final = 1
_NO_PAGE: Final = (1 << 64) - 1
_PAGE_SIZES: Final = tuple(1 << bits for bits in range(9, 17))


def home_of(folder: Path, number: int) -> Path:
    """Return the folder in which a data file lies, given how many there were before it."""
    return folder / f"data-{number:06}" if number else folder


def newest_number(folder: Path) -> int:
    """Return the number of the data file that counts; 0 also if there is none.

    Raises
    ------
    InputError
        If the folder cannot be listed.
    """
    try:
        found = [_HOME.fullmatch(name) for name in os.listdir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        raise read_failure(folder, error) from error
    return max((int(match[1]) for match in found if match), default=0)


def open_environment(home: Path, size: int, readonly: bool, lock: bool = True) -> lmdb.Environment:
    """Open LMDB's environment of a folder, durably: a commit has reached the disk when it returns."""
    return lmdb.open(
        str(home),
        map_size=size,
        readonly=readonly,
        create=False,
        lock=lock,
        max_readers=MOST_READERS,
        # A map that is written to would turn a full disk into a signal.
        writemap=False,
        # Every value is read in full when its checksum is first compared.
        readahead=True,
    )


def create_file(folder: Path, fill: Callable[[lmdb.Transaction[bytes]], None]) -> None:
    """Make a folder an index with a first commit, unless it is one.

    Parameters
    ----------
    folder : Path
        Made with its parents if missing; otherwise empty, or an index already.
    fill : callable
        Puts the first values.

    Raises
    ------
    OutputError
        If the folder holds other files, or cannot be written.
    IndexLockedError
        If another process is writing to it.
    """
    path = folder / DATA_NAME
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, not the folder of an index", hint="name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # In this order: the first file goes only once another one has come.
        if path.exists() or newest_number(folder):
            return
        _refuse_other_files(folder)
        with write_lock(folder, _CREATING_SECONDS):
            if not path.exists() and not newest_number(folder):
                _create_hidden(path, fill)
    except (OSError, lmdb.Error) as error:
        raise write_failure(folder, error) from error


def _refuse_other_files(folder: Path) -> None:
    names = sorted(name for name in os.listdir(folder) if name != LOCK_NAME and not name.endswith(SUFFIX))
    if names:
        raise OutputError(
            f"{folder} is not an index and is not empty: it holds {names[0]!r}",
            hint="give a new or an empty folder",
        )


def _create_hidden(path: Path, fill: Callable[[lmdb.Transaction[bytes]], None]) -> None:
    """Make the data file under a hidden name first: a run that is killed must leave no empty one."""
    hidden = _make_hidden(path.parent)
    env = open_environment(hidden, _NEW_MAP, readonly=False)
    try:
        with env.begin(write=True) as txn:
            fill(txn)
    finally:
        env.close()
    (hidden / DATA_NAME).rename(path)
    shutil.rmtree(hidden, ignore_errors=True)
    _sync_folder(path.parent)


def _make_hidden(folder: Path) -> Path:
    """Return a new hidden folder for a data file, once what killed processes left of theirs is gone."""
    path = folder / DATA_NAME
    remove_left_over(path)
    hidden = folder / f"{hidden_prefix(path)}{os.getpid()}{SUFFIX}"
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.mkdir()
    return hidden


def _sync_folder(folder: Path) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def add_copy(env: lmdb.Environment, folder: Path, number: int) -> None:
    """Copy a data file without its free pages; the copy counts once it is whole and on the disk.

    The writer's lock must be held: what is committed meanwhile would be lost.

    Parameters
    ----------
    env : lmdb.Environment
        Of the file that counts so far.
    folder : Path
        Of the index.
    number : int
        Of that file.

    Raises
    ------
    OutputError
        If there is no room for it; nothing has changed then.
    """
    try:
        remove_old(folder, number)
        hidden = _make_hidden(folder)
        try:
            env.copy(str(hidden), compact=True)
            _take_rights(home_of(folder, number), hidden)
            _sync_file(hidden / DATA_NAME)
            _sync_folder(hidden)
            hidden.rename(home_of(folder, number + 1))
        finally:
            shutil.rmtree(hidden, ignore_errors=True)
        _sync_folder(folder)
    except (OSError, lmdb.Error) as error:
        raise write_failure(folder, error) from error


def _take_rights(old: Path, new: Path) -> None:
    """Let those use a copied data file who may use the old one; make its lock file, still empty."""
    (new / LOCK_TABLE_NAME).touch()
    shutil.copymode(old, new)
    for name in (DATA_NAME, LOCK_TABLE_NAME):
        shutil.copymode(old / name, new / name)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_old(folder: Path, newest: int) -> None:
    """Remove the data files before the newest; what cannot be removed yet is left for another time.

    The older first, and none after one that stays: who has one open looks for the next to see if it counts.
    """
    with contextlib.suppress(OSError):
        found = [_HOME.fullmatch(name) for name in os.listdir(folder)]
        numbers = sorted({0, *(int(match[1]) for match in found if match)})
        for number in (number for number in numbers if number < newest):
            home = home_of(folder, number)
            (home / DATA_NAME).unlink(missing_ok=True)
            (home / LOCK_TABLE_NAME).unlink(missing_ok=True)
            if number:
                home.rmdir()


def examine(folder: Path, home: Path) -> None:
    """Raise an error if a data file cannot be mapped without danger.

    Parameters
    ----------
    folder : Path
        Of the index.
    home : Path
        Of the data file.

    Raises
    ------
    InputError
        If the folder has no data file or it cannot be read.
    IndexFormatError
        If the file is not LMDB's, or shorter than its newest meta page says.
    """
    path = home / DATA_NAME
    try:
        with open(path, "rb") as file:
            head = file.read(2 * max(_PAGE_SIZES))
            # After the meta pages, since a writer lengthens the file before it writes one.
            size = os.fstat(file.fileno()).st_size
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(
            f"there is no index at {folder}", hint="check the path, or say that it is to be created"
        ) from error
    except OSError as error:
        raise read_failure(folder, error) from error
    _examine_metas(folder, head, size)


def _examine_metas(folder: Path, head: bytes, size: int) -> None:
    first = _meta(folder, head, 0, size)
    page_size = first[2]
    if first[1] != _EXAMINED_VERSION or struct.calcsize("P") != 8:
        return
    if page_size not in _PAGE_SIZES:
        raise damaged(folder, f"its pages have {page_size} bytes")
    second = _meta(folder, head, page_size, size)
    _, _, _, root, last_page, _ = max(first, second, key=lambda meta: meta[5])
    if size < (last_page + 1) * page_size:
        raise truncated(folder, size, (last_page + 1) * page_size)
    if root != _NO_PAGE and not 1 < root <= last_page:
        raise damaged(folder, f"its root is page {root} of {last_page + 1}")


def _meta(folder: Path, head: bytes, start: int, size: int) -> tuple[int, ...]:
    if len(head) < start + _META.size:
        raise truncated(folder, size, start + _META.size)
    found: tuple[int, ...] = _META.unpack_from(head, start)
    if found[0] != _MAGIC:
        raise IndexFormatError(
            f"{folder / DATA_NAME} is not the data file of an index, or is damaged", hint=RESTORE_HINT
        )
    return found


def truncated(folder: Path, size: int, needed: int) -> IndexFormatError:
    """Return the error that the data file was cut."""
    return damaged(folder, f"{DATA_NAME} was cut short; it has {size:,} of at least {needed:,} bytes")


def structure_faults(folder: Path, home: Path) -> list[str]:
    """Return what is wrong with LMDB's pages as the newest commit left them, in words.

    LMDB trusts its pages, and a changed bit in one of them can end the process that reads it; this looks
    at them without LMDB. Nothing is found where LMDB's package comes without its verifier (before 3.0).
    """
    try:
        verifier = importlib.import_module("lmdb.verify")
    except ImportError:
        return []
    try:
        return [f"its pages are damaged: {found}" for found in verifier.verify(str(home / DATA_NAME))]
    except verifier.VerifyError as error:
        return [f"its pages are damaged: {error}"]
    except OSError as error:
        raise read_failure(folder, error) from error
