"""The values of an index as one commit left them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

import lmdb
import numpy as np
from numpy.typing import DTypeLike, NDArray

from samestory.errors import IndexFormatError
from samestory.index.datafile import DataFile
from samestory.index.lmdb_faults import damaged, read_failure
from samestory.index.sealed import FORMAT, HEADER_BYTES, fault, format_of, mark, number_of, version_of

# Names that begin so are the store's own.
OWN: Final = b"\x00"
STATE_NAME: Final = b"\x00state"
STATE: Final = struct.Struct("<QQ")  # how many values there are, and the sum of their marks
MASK: Final = (1 << 64) - 1

_MOST_SEEN: Final = 100_000
_CLOSED: Final = -1


class View:
    """The values as one commit left them.

    Memory that `get` and `array` return is valid until the store's next commit or refresh that changes
    its view, or until it is closed; reading it later may give anything, or end the process. Only values
    of more than half a page stay where they are as long as they are neither replaced nor deleted and the
    store's `generation` is the same.

    Attributes
    ----------
    number : int
        Of the commit; 0 for an empty store.
    """

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._txn = file.begin()
        self._generation = file.generation
        if len(file.seen) > _MOST_SEEN:
            file.seen.clear()
        try:
            self.number, self._n_values, self._digest = read_state(file.folder, self._txn)
        except lmdb.Error as error:
            self.close()
            raise read_failure(file.folder, error) from error
        except IndexFormatError:
            self.close()
            raise

    def get(self, name: bytes) -> memoryview:
        """Return a value without copying it, read-only.

        Its checksum is compared when this process sees this version of a large value for the first time,
        and always with small ones.

        Raises
        ------
        IndexFormatError
            If there is no such value, or it is damaged.
        """
        raw = self._raw(name)
        if raw is None:
            raise damaged(self._file.folder, f"its value {name!r} is missing")
        version = version_of(raw)
        if self._file.seen.get(name) != version:
            if found := fault(name, raw):
                raise damaged(self._file.folder, found)
            # Where a writer does not know of this reader it may overwrite what was right before.
            if self._file.is_guarded and self._is_large(name, raw):
                self._file.seen[name] = version
        return raw[HEADER_BYTES:]

    def array(self, name: bytes, dtype: DTypeLike) -> NDArray[Any]:
        """Return a value as a read-only array of one dimension, aligned to 8 bytes.

        Values of more than half a page (2 KB of 4) are not copied; smaller ones are, because LMDB keeps
        them between others, at any even address, and moves them at every commit.

        Raises
        ------
        IndexFormatError
            If there is no such value, it is damaged, or no whole number of items.
        """
        payload = self.get(name)
        item_type = np.dtype(dtype)
        if len(payload) % item_type.itemsize:
            what = f"its value {name!r} has {len(payload)} bytes, no whole number of items of {item_type}"
            raise damaged(self._file.folder, what)
        values: NDArray[Any] = np.frombuffer(payload, dtype=item_type)
        if not self._is_large(name, payload) or values.ctypes.data % 8:
            values = values.copy()
            values.flags.writeable = False
        return values

    def __contains__(self, name: object) -> bool:
        return isinstance(name, bytes) and self._raw(name) is not None

    def names(self, prefix: bytes = b"") -> list[bytes]:
        """Return the names that begin with a prefix, in order."""
        found = []
        try:
            with self._transaction().cursor() as cursor:
                # Where there is none of them the cursor stays unplaced, and begins with another name.
                cursor.set_range(prefix or OWN)
                for key in cursor.iternext(keys=True, values=False):
                    name = bytes(key)
                    if not name.startswith(prefix):
                        break
                    if not name.startswith(OWN):
                        found.append(name)
        except lmdb.Error as error:
            raise read_failure(self._file.folder, error) from error
        return found

    def check(self) -> list[str]:
        """Return what is wrong with the values, in words; all of them are read."""
        wrong = []
        n_values = digest = 0
        try:
            with self._transaction().cursor() as cursor:
                for key, raw in cursor:
                    name = bytes(key)
                    if found := fault(name, raw):
                        wrong.append(found)
                    if name != STATE_NAME:
                        n_values += 1
                        digest += mark(name, raw)
        except lmdb.Error as error:
            wrong.append(f"its values cannot be walked through: {error}")
        if n_values != self._n_values:
            wrong.append(f"it has {n_values:,} values instead of {self._n_values:,}")
        elif digest & MASK != self._digest and not wrong:
            wrong.append("some of its values are not those that were stored last")
        return wrong

    def is_current(self) -> bool:
        """Return whether the view can be read: not once the file was mapped anew."""
        return self._generation == self._file.generation

    def is_newest(self) -> bool:
        """Return whether nothing was committed since."""
        return self._file.last_commit() == self._transaction().id()

    def close(self) -> None:
        """End the view; safe twice."""
        # A forked child would end its parent's.
        if self.is_current() and self._file.is_own_process():
            self._txn.abort()
        self._generation = _CLOSED

    def _transaction(self) -> lmdb.Transaction[memoryview]:
        self._file.require_own_process()
        if not self.is_current():
            raise RuntimeError("this view of the index is gone: take the one that the store has now")
        return self._txn

    def _raw(self, name: bytes) -> memoryview | None:
        try:
            return self._transaction().get(name)
        except lmdb.Error as error:
            raise read_failure(self._file.folder, error) from error

    def _is_large(self, name: bytes, value: memoryview) -> bool:
        """Return whether LMDB is sure to keep a value, with or without its header, in pages of its own."""
        return len(name) + len(value) > self._file.page_size // 2


def read_state(folder: Path, txn: lmdb.Transaction[memoryview]) -> tuple[int, int, int]:
    """Return the number of the commit, how many values it left and their digest."""
    raw = txn.get(STATE_NAME)
    if raw is None:
        raise damaged(folder, "its state is missing, or the file is another program's")
    version = format_of(raw)
    if version is not None and version > FORMAT:
        raise IndexFormatError(
            f"the index at {folder} is of format {version}; this version knows {FORMAT}",
            hint="use a newer version of samestory",
        )
    if found := fault(STATE_NAME, raw):
        raise damaged(folder, found)
    n_values, digest = STATE.unpack_from(raw, HEADER_BYTES)
    return number_of(raw), n_values, digest
