"""The values of an inverted index: a manifest, and runs of entries in order.

A run of one partition has a directory, if it is not small. A small run is of all
partitions, and tells where each begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from samestory.errors import IndexFormatError, OutputError
from samestory.kernels.index.keyruns import MEMBER_BITS, N_PARTITIONS, PARTITION_BITS, make_directory

DIRECTORY_FROM = 64
"""Entries from which a run has a directory."""
COPIED_BELOW = 16 << 10
"""A value of fewer bytes is copied: LMDB moves those of up to half a page, and pages have up to 32 KiB."""
FORMAT: Final = 1
NUMBER_BITS: Final = 28
SIZE_BITS: Final = 29
BOUNDS: Final = np.arange(N_PARTITIONS + 1, dtype=np.uint8)

_SLOT_BITS: Final = 2  # a directory has a slot for each 4 to 8 entries
_HEADER: Final = 3  # of the manifest: format, number of the next plan, partition to merge first
_PARTITION_SHIFT: Final = np.uint64(64 - PARTITION_BITS)
_MEMBER_MASK: Final = np.uint64((1 << MEMBER_BITS) - 1)
_DAMAGE_HINT: Final = "restore a copy of the index, or build it again"

Entries = NDArray[np.uint64]
Batch = tuple[NDArray[np.int64], Entries]
"""Where each partition begins; entries, in order in each."""


class ArrayView(Protocol):
    """One state of a store of named values."""

    def array(self, name: bytes, dtype: DTypeLike) -> NDArray[Any]:
        """Return a value as an array of one dimension."""

    def __contains__(self, name: bytes, /) -> bool: ...


class NoValues:
    """A view of a store that is empty."""

    def array(self, name: bytes, dtype: DTypeLike) -> NDArray[Any]:
        """Fail: there is no value."""
        raise damage(name, "is missing")

    def __contains__(self, name: object) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Manifest:
    """What runs there are.

    A run's word is, from the highest bits, its partition, number and entries;
    the words are in order.
    """

    next_number: int
    start: int
    words: NDArray[np.uint64]

    def partitions(self) -> NDArray[np.int64]:
        """Return the partition of each run."""
        partitions: NDArray[np.int64] = (self.words >> np.uint64(NUMBER_BITS + SIZE_BITS)).astype(np.int64)
        return partitions

    def sizes(self) -> NDArray[np.int64]:
        """Return how many entries each run has."""
        sizes: NDArray[np.int64] = (self.words & np.uint64((1 << SIZE_BITS) - 1)).astype(np.int64)
        return sizes


@dataclass(frozen=True, slots=True)
class Run:
    """A run of one partition; `row` is what the kernel is told of it."""

    word: int
    value: Entries
    entries: Entries
    row: tuple[int, int, int, int]
    is_mapped: bool


@dataclass(frozen=True, slots=True)
class SmallRun:
    """A run of all partitions."""

    word: int
    offsets: NDArray[np.int64]
    entries: Entries


def word_of(partition: int, number: int, size: int) -> int:
    """Return the word of a run."""
    return (partition << NUMBER_BITS | number) << SIZE_BITS | size


def partition_of(word: int) -> int:
    """Return the partition of a run."""
    return word >> (NUMBER_BITS + SIZE_BITS)


def _number_of(word: int) -> int:
    return word >> SIZE_BITS & ((1 << NUMBER_BITS) - 1)


def size_of(word: int) -> int:
    """Return how many entries a run has."""
    return word & ((1 << SIZE_BITS) - 1)


def name_of(prefix: bytes, word: int) -> bytes:
    """Return the name of the value that a run is."""
    return prefix + b"%02x%07x" % (partition_of(word), _number_of(word))


def raw(array: NDArray[Any]) -> memoryview:
    """Return the bytes of an array."""
    return array.view(np.uint8).data


def address(array: NDArray[Any]) -> int:
    """Return where an array begins in memory."""
    return int(array.__array_interface__["data"][0])


def damage(name: bytes, what: str) -> IndexFormatError:
    """Return the error that a value is damaged."""
    return IndexFormatError(f"the index is damaged: value {name!r} {what}", hint=_DAMAGE_HINT)


def read_manifest(view: ArrayView, prefix: bytes) -> Manifest:
    """Return which runs there are under a prefix."""
    name = prefix + b"runs"
    if name not in view:
        return Manifest(0, 0, np.empty(0, dtype=np.uint64))
    stored = view.array(name, np.uint64)
    head = stored[:_HEADER].tolist()
    if len(head) < _HEADER or head[0] != FORMAT:
        raise damage(name, f"begins with {head}, not with format {FORMAT}")
    manifest = Manifest(head[1], head[2], stored[_HEADER:].copy())
    words = manifest.words
    numbers = words >> np.uint64(SIZE_BITS) & np.uint64((1 << NUMBER_BITS) - 1)
    if manifest.start >= N_PARTITIONS or np.any(words[1:] <= words[:-1]):
        raise damage(name, "is not in order")
    wrong = (manifest.partitions() > N_PARTITIONS) | (numbers >= head[1]) | (manifest.sizes() == 0)
    if wrong.any():
        word = int(words[wrong][0])
        raise damage(name, f"lists a run {name_of(b'', word)!r} of {size_of(word)} entries, which cannot be")
    return manifest


def read_run(view: ArrayView, prefix: bytes, word: int) -> Run:
    """Return a run of one partition."""
    value = view.array(name_of(prefix, word), np.uint64)
    is_mapped = value.nbytes >= COPIED_BELOW
    if not is_mapped:
        value = value.copy()
    size = size_of(word)
    bits = int(value[0]) if len(value) else -1
    directory_words = (1 << bits) + 1 if 0 < bits <= SIZE_BITS else 0
    if not 0 <= bits <= SIZE_BITS or len(value) != 1 + directory_words + size:
        raise damage(
            name_of(prefix, word), f"of {value.nbytes} bytes does not hold the {size} entries listed"
        )
    entries = value[1 + directory_words :]
    directory = address(value) + 8 if bits else 0
    return Run(word, value, entries, (address(entries), size, directory, 64 - bits), is_mapped)


def run_value(entries: Entries) -> list[memoryview]:
    """Return a run as a value: bits of its directory, directory, entries."""
    size = len(entries)
    if size < DIRECTORY_FROM:
        return [raw(np.zeros(1, dtype=np.uint64)), raw(entries)]
    bits = max(size.bit_length() - 1 - _SLOT_BITS, 1)
    return [raw(np.array([bits], dtype=np.uint64)), raw(make_directory(entries, bits)), raw(entries)]


def read_small(view: ArrayView, prefix: bytes, word: int) -> SmallRun:
    """Return a run of all partitions."""
    value = view.array(name_of(prefix, word), np.uint64).copy()
    head = N_PARTITIONS // 2 + 1
    offsets = value[:head].view(np.uint32).astype(np.int64)[: N_PARTITIONS + 1]
    if len(value) != head + size_of(word) or offsets[[0, -1]].tolist() != [0, size_of(word)]:
        raise damage(
            name_of(prefix, word), f"of {value.nbytes} bytes does not hold the {size_of(word)} entries listed"
        )
    if np.any(np.diff(offsets) < 0):
        raise damage(name_of(prefix, word), "has partitions that overlap")
    return SmallRun(word, offsets, value[head:])


def small_value(offsets: NDArray[np.int64], entries: Entries) -> list[memoryview]:
    """Return a small run as a value: where each partition begins, entries."""
    head = np.zeros(N_PARTITIONS + 2, dtype=np.uint32)
    head[: N_PARTITIONS + 1] = offsets
    return [raw(head), raw(entries)]


def _kept(entries: Entries, is_kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which entries to keep: all but those whose member is marked False."""
    if len(is_kept) == 0:
        return np.ones(len(entries), dtype=np.bool_)
    members = (entries & _MEMBER_MASK).astype(np.int64)
    kept: NDArray[np.bool_] = is_kept[np.minimum(members, len(is_kept) - 1)] | (members >= len(is_kept))
    return kept


def merged(parts: Sequence[Entries], is_kept: NDArray[np.bool_] | None) -> Entries:
    """Return the entries of all parts in order, each once."""
    entries = np.concatenate(parts)
    if is_kept is not None:
        entries = entries[_kept(entries, is_kept)]
    entries.sort()
    is_repeat = entries[1:] == entries[:-1]
    return entries[np.append(True, ~is_repeat)] if is_repeat.any() else entries


def in_partitions(
    partitions: NDArray[np.uint8], entries: Entries, is_kept: NDArray[np.bool_] | None
) -> Batch:
    """Return where each partition begins, and its entries in order, each once."""
    if is_kept is not None:
        kept = _kept(entries, is_kept)
        partitions, entries = partitions[kept], entries[kept]
    order = np.argsort(partitions, kind="stable")
    partitions, entries = partitions[order], entries[order]
    bounds = np.searchsorted(partitions, BOUNDS).tolist()
    for begin, end in pairwise(bounds):
        if end - begin > 1:
            entries[begin:end].sort()
    is_repeat = (entries[1:] == entries[:-1]) & (partitions[1:] == partitions[:-1])
    if is_repeat.any():
        first = np.append(True, ~is_repeat)
        partitions, entries = partitions[first], entries[first]
    return np.searchsorted(partitions, BOUNDS), entries


def with_small(batch: Batch, runs: Sequence[SmallRun], is_kept: NDArray[np.bool_] | None) -> Batch:
    """Return the entries of a batch and of small runs as one batch."""
    sources = [batch, *((run.offsets, run.entries) for run in runs)]
    partitions = np.concatenate([np.repeat(BOUNDS[:-1], np.diff(offsets)) for offsets, _ in sources])
    return in_partitions(partitions, np.concatenate([entries for _, entries in sources]), is_kept)


def packed(keys: Entries, members: NDArray[np.int32]) -> tuple[NDArray[np.uint8], Entries]:
    """Return the partition of each entry, and the entry."""
    if len(members) and not 0 <= int(members.min()) <= int(members.max()) < 1 << MEMBER_BITS:
        raise OutputError(
            f"the index cannot number members from {members.min()} to {members.max()}, but from 0 to "
            f"{(1 << MEMBER_BITS) - 1}",
            hint="split the articles between several indexes",
        )
    shift = np.uint64(MEMBER_BITS)
    entries = (keys << np.uint64(PARTITION_BITS)) >> shift << shift | members.astype(np.uint64)
    return (keys >> _PARTITION_SHIFT).astype(np.uint8), entries
