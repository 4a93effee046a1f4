"""Which articles have a key: an inverted index of 64-bit keys, in sorted runs that never change.

The key space is cut into partitions. Each batch of entries becomes one run a
partition, and runs of a partition that have grown many of about a size are
merged into one, so that an entry is written a few times over in all and a key
is looked up in few runs. A batch too small to be cut up becomes one small run
of all partitions; these are merged among themselves until they are worth
cutting up.

Values, all under one prefix: a manifest, ``runs``, and one for each run, named
by its partition (`N_PARTITIONS` for a small run) and the number of the plan
that made it. How keys are packed into entries is told in
`samestory.kernels.index.keyruns`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from samestory.errors import IndexFormatError, OutputError, SamestoryError
from samestory.kernels.index.keyruns import (
    MEMBER_BITS,
    N_PARTITIONS,
    PARTITION_BITS,
    ROW_FIELDS,
    find_members,
    make_directory,
    put_in_order,
)

FAN_OUT_BITS = 3
"""Runs of one size class, floor(log of their entries to the base 2**FAN_OUT_BITS), are merged when there are
2**FAN_OUT_BITS."""
SMALL_BELOW = 64 * N_PARTITIONS
"""Entries from which a batch is cut into partitions."""
DIRECTORY_FROM = 64
"""Entries from which a run has a directory."""
MOST_MERGED_BYTES = 32 << 20
"""What one plan writes by merging, unless a single merge is larger."""

_SLOT_BITS: Final = 2  # a directory has a slot for each 4 to 8 entries
_COPIED_BELOW: Final = 16 << 10  # LMDB moves values of up to half a page, and pages have up to 32 KiB
_SPLIT_FROM: Final = 4096  # keys, under which threads cost more than they save
_FORMAT: Final = 1
_HEADER: Final = 3  # of the manifest: format, number of the next plan, partition to merge first
_NUMBER_BITS: Final = 28
_SIZE_BITS: Final = 29
_PARTITION_SHIFT: Final = np.uint64(64 - PARTITION_BITS)
_BOUNDS: Final = np.arange(N_PARTITIONS + 1, dtype=np.uint8)
_MEMBER_MASK: Final = np.uint64((1 << MEMBER_BITS) - 1)
_DAMAGE_HINT: Final = "restore a copy of the index, or build it again"

Entries = NDArray[np.uint64]
Puts = list[tuple[bytes, list[memoryview]]]
_Batch = tuple[NDArray[np.int64], Entries]  # where each partition begins; entries, in order in each


class ArrayView(Protocol):
    """One state of a store of named values."""

    def array(self, name: bytes, dtype: DTypeLike) -> NDArray[Any]:
        """Return a value as an array of one dimension."""

    def __contains__(self, name: bytes, /) -> bool: ...


class NoValues:
    """A view of a store that is empty."""

    def array(self, name: bytes, dtype: DTypeLike) -> NDArray[Any]:
        """Fail: there is no value."""
        raise _damage(name, "is missing")

    def __contains__(self, name: object) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class _Manifest:
    """What runs there are.

    A run's word is, from the highest bits, its partition, number and entries;
    the words are in order.
    """

    next_number: int
    start: int
    words: NDArray[np.uint64]

    def partitions(self) -> NDArray[np.int64]:
        partitions: NDArray[np.int64] = (self.words >> np.uint64(_NUMBER_BITS + _SIZE_BITS)).astype(np.int64)
        return partitions

    def sizes(self) -> NDArray[np.int64]:
        sizes: NDArray[np.int64] = (self.words & np.uint64((1 << _SIZE_BITS) - 1)).astype(np.int64)
        return sizes


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of one partition; `row` is what the kernel is told of it."""

    word: int
    value: Entries
    entries: Entries
    row: tuple[int, int, int, int]
    is_mapped: bool


@dataclass(frozen=True, slots=True)
class _SmallRun:
    """A run of all partitions."""

    word: int
    offsets: NDArray[np.int64]
    entries: Entries


def _word(partition: int, number: int, size: int) -> int:
    return (partition << _NUMBER_BITS | number) << _SIZE_BITS | size


def _partition(word: int) -> int:
    return word >> (_NUMBER_BITS + _SIZE_BITS)


def _number(word: int) -> int:
    return word >> _SIZE_BITS & ((1 << _NUMBER_BITS) - 1)


def _size(word: int) -> int:
    return word & ((1 << _SIZE_BITS) - 1)


def _name(prefix: bytes, word: int) -> bytes:
    return prefix + b"%02x%07x" % (_partition(word), _number(word))


def _size_class(size: int) -> int:
    return (size.bit_length() - 1) // FAN_OUT_BITS


def _raw(array: NDArray[Any]) -> memoryview:
    return array.view(np.uint8).data


def _address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


def _damage(name: bytes, what: str) -> IndexFormatError:
    return IndexFormatError(f"the index is damaged: value {name!r} {what}", hint=_DAMAGE_HINT)


def _read_manifest(view: ArrayView, prefix: bytes) -> _Manifest:
    name = prefix + b"runs"
    if name not in view:
        return _Manifest(0, 0, np.empty(0, dtype=np.uint64))
    stored = view.array(name, np.uint64)
    head = stored[:_HEADER].tolist()
    if len(head) < _HEADER or head[0] != _FORMAT:
        raise _damage(name, f"begins with {head}, not with format {_FORMAT}")
    manifest = _Manifest(head[1], head[2], stored[_HEADER:].copy())
    words = manifest.words
    numbers = words >> np.uint64(_SIZE_BITS) & np.uint64((1 << _NUMBER_BITS) - 1)
    if manifest.start >= N_PARTITIONS or np.any(words[1:] <= words[:-1]):
        raise _damage(name, "is not in order")
    wrong = (manifest.partitions() > N_PARTITIONS) | (numbers >= head[1]) | (manifest.sizes() == 0)
    if wrong.any():
        word = int(words[wrong][0])
        raise _damage(name, f"lists a run {_name(b'', word)!r} of {_size(word)} entries, which cannot be")
    return manifest


def _read_run(view: ArrayView, prefix: bytes, word: int) -> _Run:
    value = view.array(_name(prefix, word), np.uint64)
    is_mapped = value.nbytes >= _COPIED_BELOW
    if not is_mapped:
        value = value.copy()
    size = _size(word)
    bits = int(value[0]) if len(value) else -1
    directory_words = (1 << bits) + 1 if 0 < bits <= _SIZE_BITS else 0
    if not 0 <= bits <= _SIZE_BITS or len(value) != 1 + directory_words + size:
        raise _damage(_name(prefix, word), f"of {value.nbytes} bytes does not hold the {size} entries listed")
    entries = value[1 + directory_words :]
    directory = _address(value) + 8 if bits else 0
    return _Run(word, value, entries, (_address(entries), size, directory, 64 - bits), is_mapped)


def _run_value(entries: Entries) -> list[memoryview]:
    """Return a run as a value: bits of its directory, directory, entries."""
    size = len(entries)
    if size < DIRECTORY_FROM:
        return [_raw(np.zeros(1, dtype=np.uint64)), _raw(entries)]
    bits = max(size.bit_length() - 1 - _SLOT_BITS, 1)
    return [_raw(np.array([bits], dtype=np.uint64)), _raw(make_directory(entries, bits)), _raw(entries)]


def _read_small(view: ArrayView, prefix: bytes, word: int) -> _SmallRun:
    value = view.array(_name(prefix, word), np.uint64).copy()
    head = N_PARTITIONS // 2 + 1
    offsets = value[:head].view(np.uint32).astype(np.int64)[: N_PARTITIONS + 1]
    if len(value) != head + _size(word) or offsets[[0, -1]].tolist() != [0, _size(word)]:
        raise _damage(
            _name(prefix, word), f"of {value.nbytes} bytes does not hold the {_size(word)} entries listed"
        )
    if np.any(np.diff(offsets) < 0):
        raise _damage(_name(prefix, word), "has partitions that overlap")
    return _SmallRun(word, offsets, value[head:])


def _small_value(offsets: NDArray[np.int64], entries: Entries) -> list[memoryview]:
    """Return a small run as a value: where each partition begins, entries."""
    head = np.zeros(N_PARTITIONS + 2, dtype=np.uint32)
    head[: N_PARTITIONS + 1] = offsets
    return [_raw(head), _raw(entries)]


def _kept(entries: Entries, is_kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which entries to keep: all but those whose member is marked False."""
    if len(is_kept) == 0:
        return np.ones(len(entries), dtype=np.bool_)
    members = (entries & _MEMBER_MASK).astype(np.int64)
    kept: NDArray[np.bool_] = is_kept[np.minimum(members, len(is_kept) - 1)] | (members >= len(is_kept))
    return kept


def _merged(parts: Sequence[Entries], is_kept: NDArray[np.bool_] | None) -> Entries:
    """Return the entries of all parts in order, each once."""
    entries = np.concatenate(parts)
    if is_kept is not None:
        entries = entries[_kept(entries, is_kept)]
    entries.sort()
    is_repeat = entries[1:] == entries[:-1]
    return entries[np.append(True, ~is_repeat)] if is_repeat.any() else entries


def _in_partitions(
    partitions: NDArray[np.uint8], entries: Entries, is_kept: NDArray[np.bool_] | None
) -> _Batch:
    """Return where each partition begins, and its entries in order, each once."""
    if is_kept is not None:
        kept = _kept(entries, is_kept)
        partitions, entries = partitions[kept], entries[kept]
    order = np.argsort(partitions, kind="stable")
    partitions, entries = partitions[order], entries[order]
    bounds = np.searchsorted(partitions, _BOUNDS).tolist()
    for begin, end in pairwise(bounds):
        if end - begin > 1:
            entries[begin:end].sort()
    is_repeat = (entries[1:] == entries[:-1]) & (partitions[1:] == partitions[:-1])
    if is_repeat.any():
        first = np.append(True, ~is_repeat)
        partitions, entries = partitions[first], entries[first]
    return np.searchsorted(partitions, _BOUNDS), entries


def _with_small(batch: _Batch, runs: Sequence[_SmallRun], is_kept: NDArray[np.bool_] | None) -> _Batch:
    """Return the entries of a batch and of small runs as one batch."""
    sources = [batch, *((run.offsets, run.entries) for run in runs)]
    partitions = np.concatenate([np.repeat(_BOUNDS[:-1], np.diff(offsets)) for offsets, _ in sources])
    return _in_partitions(partitions, np.concatenate([entries for _, entries in sources]), is_kept)


def _packed(keys: Entries, members: NDArray[np.int32]) -> tuple[NDArray[np.uint8], Entries]:
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


def _merge_up_to(sizes: Sequence[int], added: int) -> int:
    """Return the size class up to which runs are to be merged with what is added, or -1 for none.

    All runs of smaller classes are taken along, so that a plan puts one run a
    partition and large runs stay older than small ones.
    """
    up_to = -1
    new_class = _size_class(added) if added else -1
    classes = [_size_class(size) for size in sizes]
    for size_class in range(max([new_class, *classes]) + 1):
        if classes.count(size_class) + (new_class == size_class) >= 1 << FAN_OUT_BITS:
            up_to = size_class
            taken = (size for size, its in zip(sizes, classes, strict=True) if its <= up_to)
            new_class = _size_class(added + sum(taken))
    return up_to


class _Draft:
    """The values to put and to delete, as they gather."""

    def __init__(self, prefix: bytes, manifest: _Manifest) -> None:
        self._prefix = prefix
        self._number = manifest.next_number
        self._words = manifest.words
        self._added: list[int] = []
        self._dropped: list[int] = []
        self._puts: Puts = []
        self.start = manifest.start

    def put(self, partition: int, size: int, value: list[memoryview]) -> None:
        word = _word(partition, self._number, size)
        self._added.append(word)
        self._puts.append((_name(self._prefix, word), value))

    def put_run(self, partition: int, entries: Entries) -> None:
        if len(entries):
            self.put(partition, len(entries), _run_value(entries))

    def drop(self, runs: Sequence[_Run] | Sequence[_SmallRun]) -> None:
        self._dropped.extend(run.word for run in runs)

    def finish(self) -> tuple[Puts, list[bytes]]:
        if not self._puts and not self._dropped:
            return [], []
        if self._number + 1 >= 1 << _NUMBER_BITS:
            raise OutputError(
                f"the index cannot take more changes: it has had {self._number}", hint="build it again"
            )
        dropped = np.array(self._dropped, dtype=np.uint64)
        words = np.concatenate(
            [self._words[~np.isin(self._words, dropped)], np.array(self._added, dtype=np.uint64)]
        )
        words.sort()
        head = np.array([_FORMAT, self._number + 1, self.start], dtype=np.uint64)
        manifest = (self._prefix + b"runs", [_raw(np.concatenate([head, words]))])
        return [*self._puts, manifest], [_name(self._prefix, word) for word in self._dropped]


def _crowded(manifest: _Manifest) -> NDArray[np.bool_]:
    """Return for each partition whether a merge was put off."""
    classes = (np.frexp(manifest.sizes())[1].astype(np.int64) - 1) // FAN_OUT_BITS
    n_classes = _SIZE_BITS // FAN_OUT_BITS + 1
    counts = np.bincount(
        manifest.partitions() * n_classes + classes, minlength=(N_PARTITIONS + 1) * n_classes
    )
    most: NDArray[np.int64] = counts.reshape(-1, n_classes)[:N_PARTITIONS].max(axis=1)
    return most >= 1 << FAN_OUT_BITS


class KeyRuns:
    """An inverted index from keys to members, over the values of a store.

    Keys are uint64, evenly spread; two that agree in their highest 43 bits are
    taken for one. Members are from 0 to 2**27 - 1.

    The object reads what `load` was given and writes nothing itself: `plan`
    says what to commit, and `load` takes up the state after that.

    Parameters
    ----------
    prefix : bytes
        Begins the names of all its values.
    """

    def __init__(self, prefix: bytes) -> None:
        self._prefix = prefix
        self._view: ArrayView | None = None
        self._forget()

    def _forget(self) -> None:
        self._manifest: _Manifest | None = None
        self._runs: dict[int, _Run] = {}
        self._small: dict[int, _SmallRun] = {}
        self._is_crowded = np.zeros(N_PARTITIONS, dtype=np.bool_)
        self._row_offsets = np.zeros(N_PARTITIONS + 1, dtype=np.int64)
        self._rows = np.zeros((0, ROW_FIELDS), dtype=np.int64)

    @property
    def n_entries(self) -> int:
        """Entries in all runs; one that is in several counts several times."""
        return int(self._loaded().sizes().sum())

    @property
    def n_runs(self) -> int:
        """Runs, each of which is one value."""
        return len(self._loaded().words)

    def names(self) -> list[bytes]:
        """Return the names of all values there should be under the prefix, in order."""
        runs = [_name(self._prefix, word) for word in self._loaded().words.tolist()]
        return [*runs, self._prefix + b"runs"] if self._loaded().next_number else runs

    def _loaded(self) -> _Manifest:
        if self._manifest is None:
            raise RuntimeError("key runs were not loaded, or could not be")
        return self._manifest

    def load(self, view: ArrayView, *, anew: bool = False) -> None:
        """Take up the runs as a view shows them.

        Only runs that are new are read, unless values have moved in memory.
        The view's arrays must stay valid until the next call.

        Parameters
        ----------
        view : ArrayView
            A state of the store.
        anew : bool
            Read all runs. To be set where large values that have stayed may lie elsewhere than before and
            one of them where it was: after a store was opened again or compacted, but not where a map has
            moved as a whole, which is noticed.

        Raises
        ------
        IndexFormatError
            If a value is missing or damaged; `check` then says more, and nothing else can be done.
        """
        known, runs, small, rows, row_offsets = (
            self._manifest, self._runs, self._small, self._rows, self._row_offsets
        )  # fmt: skip
        is_crowded = self._is_crowded
        self._view = view
        self._forget()
        manifest = _read_manifest(view, self._prefix)
        n_runs = int(np.searchsorted(manifest.words, np.uint64(_word(N_PARTITIONS, 0, 0))))
        words, small_words = manifest.words[:n_runs], manifest.words[n_runs:].tolist()
        if anew or self._has_moved(view, runs):
            known, runs, small = None, {}, {}
        if known is not None and np.array_equal(known.words[: len(runs)], words):
            self._runs, self._rows, self._row_offsets = runs, rows, row_offsets
            self._is_crowded = is_crowded
        else:
            self._runs = {
                word: runs.get(word) or _read_run(view, self._prefix, word) for word in words.tolist()
            }
            self._lay_rows(manifest.partitions()[:n_runs])
            self._is_crowded = _crowded(manifest)
        self._small = {word: small.get(word) or _read_small(view, self._prefix, word) for word in small_words}
        self._gather_small()
        self._manifest = manifest

    def _has_moved(self, view: ArrayView, runs: dict[int, _Run]) -> bool:
        for word, run in runs.items():
            name = _name(self._prefix, word)
            if run.is_mapped and name in view:
                return _address(view.array(name, np.uint64)) != _address(run.value)
        return False

    def _lay_rows(self, partitions: NDArray[np.int64]) -> None:
        """Lay out what the kernel is told: the rows of each partition, and one for its small entries."""
        n_rows = np.bincount(partitions, minlength=N_PARTITIONS) + 1
        self._row_offsets = np.concatenate([[0], np.cumsum(n_rows)]).astype(np.int64)
        self._rows = np.zeros((int(n_rows.sum()), ROW_FIELDS), dtype=np.int64)
        if self._runs:
            places = np.arange(len(self._runs)) + partitions
            self._rows[places] = [run.row for run in self._runs.values()]

    def _gather_small(self) -> None:
        """Bring all small runs into one, in memory, so that they cost one look a key."""
        none = np.zeros(N_PARTITIONS + 1, dtype=np.int64), np.empty(0, dtype=np.uint64)
        offsets, self._small_entries = _with_small(none, list(self._small.values()), None)
        places = self._row_offsets[1:] - 1
        self._rows[places, 0] = _address(self._small_entries) + 8 * offsets[:-1]
        self._rows[places, 1] = np.diff(offsets)

    def lookup(
        self, keys: NDArray[np.uint64], executor: Executor | None = None, n_threads: int = 1
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Find the members of keys.

        Parameters
        ----------
        keys : uint64 array of shape (n,)
            In any order; may repeat.
        executor : Executor, optional
            Runs `n_threads` parts at once.

        Returns
        -------
        offsets : int64 array of shape (n + 1,)
            Where the members of each key begin; those of an absent key are an empty range.
        members : int32 array
            Of each key, ascending, each once.
        """
        self._loaded()
        order = np.argsort(keys)
        keys = np.ascontiguousarray(keys, dtype=np.uint64)[order]
        if executor is None or n_threads < 2 or len(keys) < _SPLIT_FROM:
            return put_in_order(order, *find_members(keys, self._row_offsets, self._rows))
        parts = np.array_split(keys, n_threads)
        waiting = [executor.submit(find_members, part, self._row_offsets, self._rows) for part in parts]
        found = [future.result() for future in waiting]
        counts = np.concatenate([[0], *(np.diff(offsets) for offsets, _ in found)]).astype(np.int64)
        return put_in_order(order, np.cumsum(counts), np.concatenate([members for _, members in found]))

    def plan(
        self,
        keys: NDArray[np.uint64],
        members: NDArray[np.int32],
        is_kept: NDArray[np.bool_] | None = None,
    ) -> tuple[Puts, list[bytes]]:
        """Return what to put and to delete so that entries are added; changes nothing here.

        Parameters
        ----------
        keys, members : uint64 and int32 arrays of shape (m,)
            The entries, in any order.
        is_kept : bool array, optional
            By member: entries of those marked False are not written again where runs are merged, nor
            added. Members beyond its end are kept.

        Returns
        -------
        puts : list of (bytes, list of memoryview)
            Names, and the pieces of the values.
        deletes : list of bytes
            Both are empty if there is nothing to do.

        Raises
        ------
        OutputError
            If a member is out of range.
        """
        draft = _Draft(self._prefix, self._loaded())
        batch = _in_partitions(*_packed(keys, members), is_kept)
        batch = self._plan_small(draft, batch, is_kept)
        self._plan_partitions(draft, *batch, is_kept)
        return draft.finish()

    def _plan_small(self, draft: _Draft, batch: _Batch, is_kept: NDArray[np.bool_] | None) -> _Batch:
        """Put a small batch, or a merge with small runs, as a small run; return what is to be cut up."""
        size = len(batch[1])
        if not 0 < size < SMALL_BELOW:
            return batch
        up_to = _merge_up_to([_size(word) for word in self._small], size)
        due = [run for word, run in self._small.items() if _size_class(_size(word)) <= up_to]
        if due:
            batch = _with_small(batch, due, is_kept)
            draft.drop(due)
        size = len(batch[1])
        if size >= SMALL_BELOW:
            return batch
        if size:
            draft.put(N_PARTITIONS, size, _small_value(*batch))
        return np.zeros(N_PARTITIONS + 1, dtype=np.int64), batch[1][:0]

    def _plan_partitions(
        self,
        draft: _Draft,
        offsets: NDArray[np.int64],
        entries: Entries,
        is_kept: NDArray[np.bool_] | None,
    ) -> None:
        """Put a run of each partition, merged with others where that is due and not too much at once."""
        is_crowded = self._is_crowded
        if not len(entries) and not is_crowded.any():
            return
        added = np.diff(offsets).tolist()
        runs = self._by_partition()
        merged_bytes = 0
        put_off = []
        for step in range(N_PARTITIONS):
            p = (draft.start + step) % N_PARTITIONS
            if not added[p] and not is_crowded[p]:
                continue
            new = entries[offsets[p] : offsets[p + 1]]
            up_to = _merge_up_to([_size(run.word) for run in runs[p]], added[p])
            due = [run for run in runs[p] if _size_class(_size(run.word)) <= up_to]
            n_bytes = 8 * (added[p] + sum(_size(run.word) for run in due))
            if due and 0 < merged_bytes > MOST_MERGED_BYTES - n_bytes:
                put_off.append(p)
                due = []
            if due:
                merged_bytes += n_bytes
                new = _merged([*(run.entries for run in due), new], is_kept)
                draft.drop(due)
            draft.put_run(p, new)
        if put_off:
            draft.start = put_off[0]

    def _by_partition(self) -> list[list[_Run]]:
        runs: list[list[_Run]] = [[] for _ in range(N_PARTITIONS)]
        for word, run in self._runs.items():
            runs[_partition(word)].append(run)
        return runs

    def plan_all(
        self, is_kept: NDArray[np.bool_] | None, partitions: range = range(N_PARTITIONS)
    ) -> tuple[Puts, list[bytes]]:
        """Return what to put and to delete so that each partition is one run, without members not kept.

        Parameters
        ----------
        is_kept : bool array or None
            As `plan` takes it.
        partitions : range
            Which to merge, where all at once would take too much memory: 8 bytes an entry. The small runs
            are left alone then; they are merged into the partitions when these are all taken.
        """
        draft = _Draft(self._prefix, self._loaded())
        none = np.zeros(N_PARTITIONS + 1, dtype=np.int64), np.empty(0, dtype=np.uint64)
        small = list(self._small.values()) if len(partitions) == N_PARTITIONS else []
        offsets, entries = _with_small(none, small, is_kept)
        draft.drop(small)
        runs = self._by_partition()
        for p in partitions:
            new = entries[offsets[p] : offsets[p + 1]]
            merged = _merged([*(run.entries for run in runs[p]), new], is_kept)
            if len(runs[p]) != 1 or len(merged) != _size(runs[p][0].word) or len(new):
                draft.drop(runs[p])
                draft.put_run(p, merged)
        return draft.finish()

    def check(self) -> list[str]:
        """Read all values of the view last given to `load` again; return what is wrong, in words."""
        if self._view is None:
            return []
        try:
            manifest = _read_manifest(self._view, self._prefix)
        except SamestoryError as error:
            return [error.message]
        faults = []
        for word in manifest.words.tolist():
            try:
                faults += self._faults(self._view, word)
            except SamestoryError as error:
                faults.append(error.message)
        return faults

    def _faults(self, view: ArrayView, word: int) -> list[str]:
        name = _name(self._prefix, word)
        if _partition(word) == N_PARTITIONS:
            small = _read_small(view, self._prefix, word)
            starts = small.offsets[1:-1]
            is_first = np.zeros(len(small.entries) + 1, dtype=np.bool_)
            is_first[starts] = True
            is_sorted = np.all((small.entries[1:] > small.entries[:-1]) | is_first[1:-1])
            return [] if is_sorted else [_damage(name, "is not in order").message]
        run = _read_run(view, self._prefix, word)
        if np.any(run.entries[1:] <= run.entries[:-1]):
            return [_damage(name, "is not in order").message]
        bits = int(run.value[0])
        directory = run.value[1 : len(run.value) - len(run.entries)]
        if bits and not np.array_equal(make_directory(run.entries.copy(), bits), directory):
            return [_damage(name, "has a wrong directory").message]
        return []
