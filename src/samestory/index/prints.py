"""Fingerprints of texts, and which texts of the index have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.fingerprints import Runs, sample
from samestory.index.asked import Asked
from samestory.index.compare import decode
from samestory.index.lists import join_lists, pick_lists
from samestory.index.state import PRINT, Ints, State, salted
from samestory.kernels.runs import LOCAL_BITS
from samestory.normalise import FoldedTexts

Keys = NDArray[np.uint64]
_LOW: Final = np.uint64((1 << LOCAL_BITS) - 1)
_AT_ONCE: Final = 1 << LOCAL_BITS


@dataclass(frozen=True)
class Prints:
    """Distinct fingerprints of texts: text i has ``keys[offsets[i]:offsets[i + 1]]``, in order."""

    keys: Keys
    offsets: Ints

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def of(self, places: Ints) -> Prints:
        """Return those of some of the texts, in the given order."""
        offsets, keys = pick_lists(self.keys, self.offsets, places)
        return Prints(keys, offsets)


@dataclass(frozen=True)
class Ready:
    """Fingerprints of new texts, from number `first` on, and who else has them, being looked up."""

    first: int
    prints: Prints
    asked: Asked | None


def join_prints(parts: list[Prints]) -> Prints:
    """Put fingerprints together, those of one part after those of another."""
    offsets, keys = join_lists([(part.offsets, part.keys) for part in parts])
    return Prints(keys, offsets)


def prints_of(folded: FoldedTexts, runs: Runs) -> Prints:
    """Take the fingerprints of folded texts."""
    parts = [
        _prints_of(FoldedTexts(folded.data, folded.offsets[begin : begin + _AT_ONCE + 1]), runs)
        for begin in range(0, max(len(folded), 1), _AT_ONCE)
    ]
    return join_prints(parts)


def _prints_of(folded: FoldedTexts, runs: Runs) -> Prints:
    sampled = sample(folded, runs)
    entries = np.concatenate([part for part in sampled.partitions if part is not None])
    few = len(folded) <= np.iinfo(np.uint16).max  # numbers of 16 bits are sorted without comparing
    place = (entries & _LOW).astype(np.uint16 if few else np.uint32)
    key = salted(entries & ~_LOW, PRINT)
    order = np.argsort(key)
    order = order[np.argsort(place[order], kind="stable")]
    place, key = place[order], key[order]
    is_first = np.ones(len(key), dtype=np.bool_)
    is_first[1:] = (key[1:] != key[:-1]) | (place[1:] != place[:-1])
    counts = np.bincount(place[is_first], minlength=len(folded))
    return Prints(key[is_first], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def take_prints(state: State, texts: Ints, runs: Runs, ready: Ready | None = None) -> Prints:
    """Return the fingerprints of some texts of the index."""
    if ready is None:
        return prints_of(decode(state, texts), runs)
    is_ready = (texts >= ready.first) & (texts < ready.first + len(ready.prints))
    known = ready.prints.of(texts[is_ready] - ready.first)
    if is_ready.all():
        return known
    both = join_prints([known, prints_of(decode(state, texts[~is_ready]), runs)])
    return both.of(np.argsort(np.argsort(~is_ready, kind="stable"), kind="stable"))


def sample_prints(texts: FoldedTexts, runs: Runs) -> tuple[Ints, Keys]:
    """Return the fingerprints of texts as they are sampled, and the place of the text that has each."""
    sampled = sample(texts, runs)
    entries = np.sort(np.concatenate([part for part in sampled.partitions if part is not None]))
    entries = entries[np.append(True, entries[1:] != entries[:-1])] if len(entries) else entries
    return (entries & _LOW).astype(np.int64), entries & ~_LOW


def look_up_prints(state: State, entries: Keys, runs: Runs) -> tuple[Ints, NDArray[np.int32]]:
    """Return the texts of the index that have sampled fingerprints: offsets, and texts."""
    keys = entries
    if not state.facts["is_sampled"]:  # there, the key of a run keeps its highest bits
        keys = (entries >> np.uint64(runs.shift)) & ~_LOW
    return state.prints.lookup(salted(keys, PRINT))
