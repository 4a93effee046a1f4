"""Rows of numbers that grow at the end, and whose changes can be undone or listed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

_LEAST_ROOM: Final = 1024
_ALIGNED: Final = 8


class Columns:
    """A table of columns of numbers.

    Parameters
    ----------
    fields : mapping of str to (dtype, default)
        Names and types of the columns, and what a new row has where nothing is given.
    """

    def __init__(self, fields: Mapping[str, tuple[DTypeLike, int]]) -> None:
        self._fields = fields
        self._data = {name: np.empty(_LEAST_ROOM, dtype=dtype) for name, (dtype, _) in fields.items()}
        self._log: list[tuple[str, Any, NDArray[Any]]] = []
        self._n_before = 0
        self.n = 0

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._data[name][: self.n]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self._fields)

    def extend(self, n: int, **values: Any) -> None:
        """Add rows; columns that are not given have their defaults."""
        end = self.n + n
        for name, (_, default) in self._fields.items():
            data = self._data[name]
            if end > len(data):
                data = self._data[name] = np.concatenate(
                    [data[: self.n], np.empty(max(end, 2 * len(data)) - self.n, dtype=data.dtype)]
                )
            data[self.n : end] = values.get(name, default)
        self.n = end

    def put(self, name: str, rows: Any, values: Any) -> None:
        """Change some rows of a column; if a row occurs twice its last value counts."""
        data = self._data[name]
        self._log.append((name, rows, data[rows].copy()))
        data[rows] = values

    def before(self, name: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return the rows that were there at `begin` and have been put since, and their old values."""
        parts = [(np.atleast_1d(rows), np.atleast_1d(old)) for own, rows, old in self._log if own == name]
        if not parts:
            return np.zeros(0, dtype=np.int64), self._data[name][:0].copy()
        rows = np.concatenate([rows for rows, _ in parts]).astype(np.int64)
        old = np.concatenate([old for _, old in parts])
        rows, firsts = np.unique(rows, return_index=True)
        there = rows < self._n_before
        return rows[there], old[firsts[there]]

    def begin(self) -> None:
        """Take what there is now as given: `undo` comes back to it."""
        self._log.clear()
        self._n_before = self.n

    def undo(self) -> None:
        """Undo all changes since `begin`."""
        for name, rows, old in reversed(self._log):
            self._data[name][rows] = old
        self.n = self._n_before
        self.begin()

    def changes(self) -> dict[str, NDArray[Any]]:
        """Return what `apply` needs to repeat the changes since `begin`: arrays by name."""
        listed: dict[str, NDArray[Any]] = {"n": np.array([self._n_before, self.n], dtype=np.int64)}
        for name in self._fields:
            if self.n > self._n_before:
                listed[f"+{name}"] = self._data[name][self._n_before : self.n]
        touched: dict[str, list[Any]] = {}
        for name, rows, _ in self._log:
            touched.setdefault(name, []).append(np.atleast_1d(rows))
        for name, parts in touched.items():
            rows = np.unique(np.concatenate(parts))
            rows = rows[rows < self._n_before]
            if len(rows):
                listed[f"@{name}"] = rows.astype(np.int32)
                listed[f"={name}"] = self._data[name][rows]
        return listed

    def apply(self, listed: Mapping[str, NDArray[Any]]) -> None:
        """Repeat listed changes on the rows that they were made to."""
        n_before, n = (int(value) for value in listed["n"])
        if n_before != self.n:
            raise ValueError(f"changes of {n_before} rows meet {self.n}")
        if n > n_before:
            self.extend(n - n_before, **{name: listed[f"+{name}"] for name in self._fields})
        for name in self._fields:
            if f"@{name}" in listed:
                self._data[name][listed[f"@{name}"]] = listed[f"={name}"]
        self.begin()


def pack(arrays: Mapping[str, NDArray[Any]]) -> list[Any]:
    """Return buffers that hold named arrays."""
    heads = {name: [array.dtype.str, len(array)] for name, array in arrays.items()}
    head = json.dumps(heads).encode()
    head += b" " * (-(len(head) + 8) % _ALIGNED)
    buffers: list[Any] = [len(head).to_bytes(8, "little"), head]
    for array in arrays.values():
        data = np.ascontiguousarray(array).view(np.uint8)
        buffers += [memoryview(data), bytes(-len(data) % _ALIGNED)]  # type: ignore[arg-type]
    return buffers


def unpack(packed: memoryview) -> dict[str, NDArray[Any]]:
    """Return the arrays that `pack` has put together, as views of the buffer."""
    at = 8 + int.from_bytes(packed[:8], "little")
    arrays: dict[str, NDArray[Any]] = {}
    for name, (dtype, n) in json.loads(bytes(packed[8:at])).items():
        arrays[name] = np.frombuffer(packed, dtype=dtype, count=n, offset=at)
        size = arrays[name].nbytes
        at += size + -size % _ALIGNED
    return arrays
