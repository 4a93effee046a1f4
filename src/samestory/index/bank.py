"""The coded texts of an index: kept in values of the store, found by their addresses in memory."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from samestory.index.columns import Columns
from samestory.index.lexicon import Coded, gather

CHUNK_BYTES: Final = 1 << 18
"""A value takes texts up to so many bytes; then the next one is begun."""
_LEAST_BYTES: Final = 1 << 13
"""Padded to so many, a value lies on pages of its own: it stays where it is in memory."""
_NAME: Final = b"texts/%08x"


class Bank:
    """Coded texts in chunks; the last chunk is written again with each batch until it is full.

    Attributes
    ----------
    n_chunks : int
        Values in the store.
    tail : bytes
        What the last one holds, if it is not full.
    """

    def __init__(self) -> None:
        self.n_chunks = 0
        self.tail = b""
        self._view: Any = None
        self._addresses = np.zeros(0, dtype=np.int64)
        self._kept: dict[int, NDArray[np.uint8]] = {}
        self._pending: Coded | None = None
        self._first_pending = 0

    def load(self, view: Any, n_chunks: int, tail_bytes: int) -> None:
        """Take up what a view of the store shows."""
        self._view = view
        self._addresses = np.zeros(n_chunks, dtype=np.int64)
        self._kept = {}
        self.n_chunks = n_chunks
        self.tail = bytes(view.get(chunk_name(n_chunks - 1))[:tail_bytes]) if tail_bytes else b""

    def moved(self, view: Any) -> None:
        """Look at a newer view of a store whose values have stayed where they were but for the last."""
        self._view = view
        if len(self._addresses) < self.n_chunks:
            self._addresses = np.append(
                self._addresses, np.zeros(self.n_chunks - len(self._addresses), dtype=np.int64)
            )
        if self.n_chunks:
            self._addresses[self.n_chunks - 1] = 0
            self._kept.pop(self.n_chunks - 1, None)

    def pend(self, coded: Coded | None, first: int) -> None:
        """Show texts from number `first` on that are not in the store yet."""
        self._pending = coded
        self._first_pending = first

    def plan(
        self, coded: Coded
    ) -> tuple[list[tuple[bytes, list[Any]]], bytes, NDArray[np.int32], NDArray[np.int32]]:
        """Return what to put to add texts, the last value then, and in which chunk and where each will be."""
        n_bytes = coded.n_bytes
        grows = bool(self.tail)
        chunk = self.n_chunks - 1 if grows else self.n_chunks
        places = len(self.tail) + coded.offsets[:-1]
        value = self.tail + coded.codes[:n_bytes].tobytes() if n_bytes else self.tail
        puts = [(chunk_name(chunk), [value, _padding(value)])] if n_bytes else []
        return puts, value, np.full(len(coded), chunk, dtype=np.int32), places.astype(np.int32)

    def plan_anew(
        self, coded: Coded
    ) -> tuple[list[tuple[bytes, list[Any]]], int, NDArray[np.int32], NDArray[np.int32]]:
        """Plan to keep texts, none of them empty, in new values of about `CHUNK_BYTES` behind all others.

        Returns
        -------
        puts : list of (name, buffers)
        tail_bytes : int
            What counts as not full yet of the last one.
        chunks, places : int32 arrays
            Of each text.
        """
        starts = coded.offsets[:-1]
        firsts, groups = np.unique(starts // CHUNK_BYTES, return_index=True, return_inverse=True)[1:]
        bounds = np.append(starts[firsts], coded.n_bytes)
        puts: list[tuple[bytes, list[Any]]] = []
        value = b""
        for k in range(len(firsts)):
            value = coded.codes[bounds[k] : bounds[k + 1]].tobytes()
            puts.append((chunk_name(self.n_chunks + k), [value, _padding(value)]))
        chunks, places = self.n_chunks + groups.reshape(-1), starts - bounds[groups.reshape(-1)]
        return puts, self.tail_after(value), chunks.astype(np.int32), places.astype(np.int32)

    @staticmethod
    def tail_after(value: bytes) -> int:
        """Return how many bytes of the last value count as not full yet."""
        return len(value) if len(value) < CHUNK_BYTES else 0

    def added(self, value: bytes) -> None:
        """Note that what was planned has been committed."""
        if not value:
            return
        if not self.tail:
            self.n_chunks += 1
        self.tail = value[: self.tail_after(value)]

    def collect(self, texts: Columns, wanted: NDArray[np.int64]) -> Coded:
        """Bring the codes of some texts together, in the given order."""
        chunks = texts["chunk"][wanted]
        lengths = texts["code_bytes"][wanted].astype(np.int64)
        addresses = np.zeros(len(wanted), dtype=np.int64)
        is_pending = (
            wanted >= self._first_pending if self._pending is not None else np.zeros(len(wanted), bool)
        )
        stored = ~is_pending & (lengths > 0)  # a text without a word may be in no value
        for chunk in np.unique(chunks[stored]).tolist():
            if not self._addresses[chunk]:
                self._locate(chunk)
        addresses[stored] = self._addresses[chunks[stored]] + texts["place"][wanted[stored]]
        if self._pending is not None:
            base = self._pending.codes.__array_interface__["data"][0]
            addresses[is_pending] = base + self._pending.offsets[wanted[is_pending] - self._first_pending]
        return gather(addresses, lengths)

    def _locate(self, chunk: int) -> None:
        data = self._view.array(chunk_name(chunk), np.uint8)
        self._kept[chunk] = data
        self._addresses[chunk] = data.__array_interface__["data"][0]


def chunk_name(chunk: int) -> bytes:
    """Return the name of the value that a chunk is."""
    return _NAME % chunk


def _padding(value: bytes) -> bytes:
    return bytes(max(16, _LEAST_BYTES - len(value)))
