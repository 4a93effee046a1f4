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
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.errors import OutputError, SamestoryError
from samestory.index import runvalues
from samestory.index.runvalues import (
    ArrayView,
    Batch,
    Entries,
    Manifest,
    Run,
    SmallRun,
    address,
    damage,
    in_partitions,
    merged,
    name_of,
    packed,
    partition_of,
    raw,
    read_manifest,
    read_run,
    read_small,
    run_value,
    size_of,
    small_value,
    with_small,
    word_of,
)
from samestory.kernels.index.keyruns import (
    N_PARTITIONS,
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
MOST_MERGED_BYTES = 32 << 20
"""What one plan writes by merging, unless a single merge is larger."""

_SPLIT_FROM: Final = 4096  # keys, under which threads cost more than they save

Puts = list[tuple[bytes, list[memoryview]]]


def _size_class(size: int) -> int:
    return (size.bit_length() - 1) // FAN_OUT_BITS


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

    def __init__(self, prefix: bytes, manifest: Manifest) -> None:
        self._prefix = prefix
        self._number = manifest.next_number
        self._words = manifest.words
        self._added: list[int] = []
        self._dropped: list[int] = []
        self._puts: Puts = []
        self.start = manifest.start

    def put(self, partition: int, size: int, value: list[memoryview]) -> None:
        word = word_of(partition, self._number, size)
        self._added.append(word)
        self._puts.append((name_of(self._prefix, word), value))

    def put_run(self, partition: int, entries: Entries) -> None:
        if len(entries):
            self.put(partition, len(entries), run_value(entries))

    def drop(self, runs: Sequence[Run] | Sequence[SmallRun]) -> None:
        self._dropped.extend(run.word for run in runs)

    def finish(self) -> tuple[Puts, list[bytes]]:
        if not self._puts and not self._dropped:
            return [], []
        if self._number + 1 >= 1 << runvalues.NUMBER_BITS:
            raise OutputError(
                f"the index cannot take more changes: it has had {self._number}", hint="build it again"
            )
        dropped = np.array(self._dropped, dtype=np.uint64)
        words = np.concatenate(
            [self._words[~np.isin(self._words, dropped)], np.array(self._added, dtype=np.uint64)]
        )
        words.sort()
        head = np.array([runvalues.FORMAT, self._number + 1, self.start], dtype=np.uint64)
        manifest = (self._prefix + b"runs", [raw(np.concatenate([head, words]))])
        return [*self._puts, manifest], [name_of(self._prefix, word) for word in self._dropped]


def _crowded(manifest: Manifest) -> NDArray[np.bool_]:
    """Return for each partition whether a merge was put off."""
    classes = (np.frexp(manifest.sizes())[1].astype(np.int64) - 1) // FAN_OUT_BITS
    n_classes = runvalues.SIZE_BITS // FAN_OUT_BITS + 1
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
        self._manifest: Manifest | None = None
        self._runs: dict[int, Run] = {}
        self._small: dict[int, SmallRun] = {}
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

    @property
    def has_small(self) -> bool:
        """Whether there are small runs: of all partitions together."""
        self._loaded()
        return bool(self._small)

    def names(self) -> list[bytes]:
        """Return the names of all values there should be under the prefix, in order."""
        runs = [name_of(self._prefix, word) for word in self._loaded().words.tolist()]
        return [*runs, self._prefix + b"runs"] if self._loaded().next_number else runs

    def _loaded(self) -> Manifest:
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
        manifest = read_manifest(view, self._prefix)
        n_runs = int(np.searchsorted(manifest.words, np.uint64(word_of(N_PARTITIONS, 0, 0))))
        words, small_words = manifest.words[:n_runs], manifest.words[n_runs:].tolist()
        if anew or self._has_moved(view, runs):
            known, runs, small = None, {}, {}
        if known is not None and np.array_equal(known.words[: len(runs)], words):
            self._runs, self._rows, self._row_offsets = runs, rows, row_offsets
            self._is_crowded = is_crowded
        else:
            self._runs = {
                word: runs.get(word) or read_run(view, self._prefix, word) for word in words.tolist()
            }
            self._lay_rows(manifest.partitions()[:n_runs])
            self._is_crowded = _crowded(manifest)
        self._small = {word: small.get(word) or read_small(view, self._prefix, word) for word in small_words}
        self._gather_small()
        self._manifest = manifest

    def _has_moved(self, view: ArrayView, runs: dict[int, Run]) -> bool:
        for word, run in runs.items():
            name = name_of(self._prefix, word)
            if run.is_mapped and name in view:
                return address(view.array(name, np.uint64)) != address(run.value)
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
        offsets, self._small_entries = with_small(none, list(self._small.values()), None)
        places = self._row_offsets[1:] - 1
        self._rows[places, 0] = address(self._small_entries) + 8 * offsets[:-1]
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
        batch = in_partitions(*packed(keys, members), is_kept)
        batch = self._plan_small(draft, batch, is_kept)
        self._plan_partitions(draft, *batch, is_kept)
        return draft.finish()

    def _plan_small(self, draft: _Draft, batch: Batch, is_kept: NDArray[np.bool_] | None) -> Batch:
        """Put a small batch, or a merge with small runs, as a small run; return what is to be cut up."""
        size = len(batch[1])
        if not 0 < size < SMALL_BELOW:
            return batch
        up_to = _merge_up_to([size_of(word) for word in self._small], size)
        due = [run for word, run in self._small.items() if _size_class(size_of(word)) <= up_to]
        if due:
            batch = with_small(batch, due, is_kept)
            draft.drop(due)
        size = len(batch[1])
        if size >= SMALL_BELOW:
            return batch
        if size:
            draft.put(N_PARTITIONS, size, small_value(*batch))
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
            up_to = _merge_up_to([size_of(run.word) for run in runs[p]], added[p])
            due = [run for run in runs[p] if _size_class(size_of(run.word)) <= up_to]
            n_bytes = 8 * (added[p] + sum(size_of(run.word) for run in due))
            if due and 0 < merged_bytes > MOST_MERGED_BYTES - n_bytes:
                put_off.append(p)
                due = []
            if due:
                merged_bytes += n_bytes
                new = merged([*(run.entries for run in due), new], is_kept)
                draft.drop(due)
            draft.put_run(p, new)
        if put_off:
            draft.start = put_off[0]

    def _by_partition(self) -> list[list[Run]]:
        runs: list[list[Run]] = [[] for _ in range(N_PARTITIONS)]
        for word, run in self._runs.items():
            runs[partition_of(word)].append(run)
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
        offsets, entries = with_small(none, small, is_kept)
        draft.drop(small)
        runs = self._by_partition()
        for p in partitions:
            new = entries[offsets[p] : offsets[p + 1]]
            together = merged([*(run.entries for run in runs[p]), new], is_kept)
            if len(runs[p]) != 1 or len(together) != size_of(runs[p][0].word) or len(new):
                draft.drop(runs[p])
                draft.put_run(p, together)
        return draft.finish()

    def check(self) -> list[str]:
        """Read all values of the view last given to `load` again; return what is wrong, in words."""
        if self._view is None:
            return []
        try:
            manifest = read_manifest(self._view, self._prefix)
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
        name = name_of(self._prefix, word)
        if partition_of(word) == N_PARTITIONS:
            small = read_small(view, self._prefix, word)
            starts = small.offsets[1:-1]
            is_first = np.zeros(len(small.entries) + 1, dtype=np.bool_)
            is_first[starts] = True
            is_sorted = np.all((small.entries[1:] > small.entries[:-1]) | is_first[1:-1])
            return [] if is_sorted else [damage(name, "is not in order").message]
        run = read_run(view, self._prefix, word)
        if np.any(run.entries[1:] <= run.entries[:-1]):
            return [damage(name, "is not in order").message]
        bits = int(run.value[0])
        directory = run.value[1 : len(run.value) - len(run.entries)]
        if bits and not np.array_equal(make_directory(run.entries.copy(), bits), directory):
            return [damage(name, "has a wrong directory").message]
        return []
