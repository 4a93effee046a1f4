"""Keys that are looked up by another thread, while something else is done."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samestory.index.keyruns import KeyRuns
from samestory.index.lists import join_lists, pick_lists

Keys = NDArray[np.uint64]
Lists = tuple[NDArray[np.int64], NDArray[np.int32]]


class Asked:
    """What an inverted index has under some keys.

    Parameters
    ----------
    runs : KeyRuns
        Must stay as it is until `settle` returns.
    keys : uint64 array
        In any order; may repeat.
    executor : Executor
    """

    def __init__(self, runs: KeyRuns, keys: Keys, executor: Executor) -> None:
        self._runs = runs
        self._found: Future[tuple[Keys, Lists]] = executor.submit(self._look_up, keys)

    def _look_up(self, keys: Keys) -> tuple[Keys, Lists]:
        keys = np.unique(keys)
        return keys, self._runs.lookup(keys)

    def lookup(self, keys: Keys) -> Lists:
        """Return the members of keys, given once each and in order: as `KeyRuns.lookup`."""
        known, found = self._found.result()
        if np.array_equal(known, keys):
            return found
        places = np.searchsorted(known, keys)
        places[places == len(known)] = 0
        is_known = known[places] == keys if len(known) else np.zeros(len(keys), dtype=np.bool_)
        others = keys[~is_known]
        offsets, members = join_lists([found, self._runs.lookup(others)])
        places[~is_known] = len(known) + np.arange(len(others))
        return pick_lists(members, offsets, places)

    def settle(self) -> None:
        """Wait until nothing is looked up any more, whatever came of it."""
        self._found.exception()


def look_up(runs: KeyRuns, keys: Keys, asked: Asked | None, executor: Executor, n_threads: int) -> Any:
    """Return the members of keys, given once each and in order, which may have been asked for already."""
    return runs.lookup(keys, executor, n_threads) if asked is None else asked.lookup(keys)
