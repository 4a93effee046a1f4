"""Runs of keys against a dict of sets, however they were added and merged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import samestory.index.keyruns as module
from samestory.errors import IndexFormatError, OutputError
from samestory.index import runvalues
from samestory.index.asked import Asked
from samestory.index.keyruns import KeyRuns

PREFIX = b"keys/"
KEPT = ~np.uint64((1 << 21) - 1)


class Values:
    """A view of values in a dict."""

    def __init__(self):
        self.values = {}
        self.asked = []

    def __contains__(self, name):
        return name in self.values

    def array(self, name, dtype):
        self.asked.append(name)
        if name not in self.values:
            raise IndexFormatError(f"no value {name!r}")
        try:
            return np.frombuffer(self.values[name], dtype=dtype)
        except ValueError as error:
            raise IndexFormatError(f"value {name!r} is cut off") from error

    def apply(self, puts, deletes):
        assert not {name for name, _ in puts} & set(deletes)
        for name, pieces in puts:
            assert name not in self.values or name == PREFIX + b"runs"  # numbers are not used again
            self.values[name] = b"".join(pieces)
        for name in deletes:
            del self.values[name]
        return sum(len(self.values[name]) for name, _ in puts)


@contextmanager
def sizes(fan_out_bits=1, small_below=40, directory_from=4, most_merged=1 << 20, copied_below=16 << 10):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FAN_OUT_BITS", fan_out_bits)
        patch.setattr(module, "SMALL_BELOW", small_below)
        patch.setattr(runvalues, "DIRECTORY_FROM", directory_from)
        patch.setattr(module, "MOST_MERGED_BYTES", most_merged)
        patch.setattr(runvalues, "COPIED_BELOW", copied_below)
        yield


def loaded(view):
    runs = KeyRuns(PREFIX)
    runs.load(view)
    return runs


def arrays(entries):
    keys = np.array([key for key, _ in entries], dtype=np.uint64)
    return keys, np.array([member for _, member in entries], dtype=np.int32)


def add(runs, view, entries, is_kept=None):
    n_bytes = view.apply(*runs.plan(*arrays(entries), is_kept))
    runs.load(view)
    return n_bytes


def found(runs, keys, **how):
    offsets, members = runs.lookup(np.array(keys, dtype=np.uint64), **how)
    assert offsets.dtype == np.int64
    assert members.dtype == np.int32
    assert offsets[0] == 0
    assert offsets[-1] == len(members)
    return [members[a:b].tolist() for a, b in pairwise(offsets)]


class Model:
    def __init__(self):
        self.members = {}

    def add(self, entries):
        for key, member in entries:
            self.members.setdefault(key >> 21, set()).add(member)

    def found(self, keys):
        return [sorted(self.members.get(key >> 21, ())) for key in keys]


def random_entries(rng, n, n_members=1000, n_keys=None):
    keys = rng.integers(0, 1 << 64, n_keys or n, dtype=np.uint64)
    chosen = keys if n_keys is None else keys[rng.integers(0, n_keys, n)]
    return list(zip(chosen.tolist(), rng.integers(0, n_members, n).tolist(), strict=True))


# Few enough for repeats, in partitions and slots that are first, last and between, some alike in 43 bits.
KEYS = st.builds(
    lambda partition, slot, low, beyond: partition << 58 | slot << 50 | low << 21 | beyond,
    st.sampled_from([0, 1, 2, 31, 63]),
    st.sampled_from([0, 1, 37, 128, 255]),
    st.sampled_from([0, 1, 2, (1 << 29) - 1]),
    st.sampled_from([0, 1, (1 << 21) - 1]),
)
MEMBERS = st.one_of(st.integers(0, 30), st.integers(0, (1 << 27) - 1))
BATCHES = st.lists(st.lists(st.tuples(KEYS, MEMBERS), max_size=120), max_size=12)


@given(
    BATCHES,
    st.lists(KEYS, max_size=40),
    st.sampled_from([(1, 40), (1, 5), (2, 300)]),
    st.sampled_from([0, 1 << 20]),
    st.sampled_from([0, 16 << 10]),
)
def test_lookup_equals_a_dict_of_sets(batches, others, thresholds, most_merged, copied_below):
    view, model = Values(), Model()
    with sizes(*thresholds, most_merged=most_merged, copied_below=copied_below):
        runs = loaded(view)
        for batch in batches:
            add(runs, view, batch)
            model.add(batch)
            keys = [*others, *(key for key, _ in batch)]
            assert found(runs, keys) == model.found(keys)
            assert found(loaded(view), keys) == model.found(keys)
            assert runs.check() == []
        keys = [key for batch in batches for key, _ in batch]
        view.apply(*runs.plan_all(None))
        runs.load(view)
        assert found(runs, keys) == model.found(keys)
        assert runs.check() == []
        assert runs.n_entries == sum(map(len, model.members.values()))
        assert runs.n_runs == len({key >> 58 for key in keys})
        assert set(view.values) == set(runs.names())


@given(st.lists(st.tuples(KEYS, MEMBERS), max_size=200), st.randoms(use_true_random=False))
def test_the_order_and_division_of_batches_change_nothing(entries, random):
    shuffled = random.sample(entries, len(entries))
    with sizes():
        one, many = Values(), Values()
        add(loaded(one), one, entries)
        runs = loaded(many)
        while shuffled:
            n = random.randint(1, 60)
            add(runs, many, shuffled[:n])
            shuffled = shuffled[n:]
        keys = [key for key, _ in entries]
        assert found(runs, keys) == found(loaded(one), keys)


@given(BATCHES, st.sets(st.integers(0, 30)))
def test_members_not_kept_go_where_runs_are_merged(batches, dropped):
    is_kept = np.ones(31, dtype=np.bool_)
    is_kept[list(dropped)] = False
    view, model, full = Values(), Model(), Model()
    with sizes():
        runs = loaded(view)
        for k, batch in enumerate(batches):
            add(runs, view, batch, is_kept if k % 2 else None)
            full.add(batch)
            model.add([(key, member) for key, member in batch if member not in dropped])
            keys = [key for key, _ in batch]
            for least, its, most in zip(model.found(keys), found(runs, keys), full.found(keys), strict=True):
                assert set(least) <= set(its) <= set(most)
        view.apply(*runs.plan_all(is_kept))
        runs.load(view)
        keys = [key for batch in batches for key, _ in batch]
        assert found(runs, keys) == model.found(keys)
        assert runs.check() == []


def test_large_batches_with_directories_and_threads():
    rng = np.random.default_rng(5)
    view, model, keys = Values(), Model(), []
    runs = loaded(view)
    for _ in range(10):
        entries = random_entries(rng, 9_000, n_keys=6_000)
        add(runs, view, entries)
        model.add(entries)
        keys += [key for key, _ in entries[::7]]
    keys += [key for key, _ in random_entries(rng, 5_000)]
    assert runs.n_runs <= 64 * 3  # eight batches merged as one, then two
    assert found(runs, keys) == model.found(keys)
    with ThreadPoolExecutor(2) as executor:
        assert found(runs, keys, executor=executor, n_threads=2) == model.found(keys)
    assert runs.check() == []


def test_a_key_of_very_many_members_in_several_runs():
    key = 0x1234_5678_9ABC_DEF0
    view = Values()
    members = np.random.default_rng(1).permutation(9_000)
    with sizes(fan_out_bits=3, small_below=100):
        runs = loaded(view)
        for part in np.split(members, 3):  # in pieces that interleave
            add(runs, view, [(key, int(member)) for member in part])
        add(runs, view, [(key, 17), (key, 8_999)])
    assert runs.n_runs == 4
    assert found(runs, [key, key, key + (1 << 21)]) == [list(range(9_000)), list(range(9_000)), []]


def test_keys_that_differ_beyond_43_bits_are_one():
    view = Values()
    runs = loaded(view)
    add(runs, view, [(1 << 60, 1), ((1 << 60) + 5, 2), ((1 << 60) + (1 << 21), 3)])
    assert found(runs, [(1 << 60) + 7, (1 << 60) + (1 << 21)]) == [[1, 2], [3]]


def test_partitions_that_hold_the_same_are_kept_apart():
    view = Values()
    runs = loaded(view)
    add(runs, view, [(1 << 58, 7), (2 << 58, 7), (2 << 58, 7)])
    assert runs.n_entries == 2
    assert found(runs, [2 << 58, 1 << 58, 3 << 58]) == [[7], [7], []]


@pytest.mark.parametrize("n_marks", [0, 1, 4])
def test_members_beyond_the_marks_are_kept(n_marks):
    view = Values()
    runs = loaded(view)
    add(runs, view, [(5 << 40, member) for member in (0, 3, 4, 1000)])
    view.apply(*runs.plan_all(np.zeros(n_marks, dtype=np.bool_)))
    runs.load(view)
    assert found(runs, [5 << 40]) == [[member for member in (0, 3, 4, 1000) if member >= n_marks]]


def test_no_partition_waits_for_ever_to_be_merged():
    rng = np.random.default_rng(11)
    view, most = Values(), 0
    with sizes(fan_out_bits=1, small_below=100, most_merged=24_000):
        runs = loaded(view)
        for _ in range(40):
            add(runs, view, random_entries(rng, 1_500))
            most = max(most, *np.bincount([int(name[5:7], 16) for name in runs.names()[:-1]]))
    assert most < 25


def test_nothing_in_nothing():
    view = Values()
    runs = loaded(view)
    assert runs.plan(*arrays([])) == ([], [])
    assert runs.plan_all(None) == ([], [])
    assert found(runs, [1, 2]) == [[], []]
    assert found(runs, []) == []
    assert (runs.n_entries, runs.n_runs, runs.check(), runs.names()) == (0, 0, [], [])


def test_plan_changes_nothing_in_the_object():
    rng = np.random.default_rng(2)
    view = Values()
    with sizes():
        runs = loaded(view)
        for _ in range(3):
            entries = random_entries(rng, 200)
            keys = [key for key, _ in entries]
            before = found(runs, keys), runs.n_runs
            first = runs.plan(*arrays(entries))
            again = runs.plan(*arrays(entries))
            assert (found(runs, keys), runs.n_runs) == before
            assert [(name, b"".join(pieces)) for name, pieces in first[0]] == [
                (name, b"".join(pieces)) for name, pieces in again[0]
            ]
            assert first[1] == again[1]
            view.apply(*first)
            runs.load(view)


def test_many_articles_one_by_one():
    rng = np.random.default_rng(3)
    view, model, n_puts, n_bytes = Values(), Model(), 0, 0
    runs = loaded(view)
    for member in range(600):
        entries = [(key, member) for key, _ in random_entries(rng, 60)]
        puts, deletes = runs.plan(*arrays(entries))
        n_puts += len(puts)
        assert puts[-1][0] == PREFIX + b"runs"
        view.apply(puts[:-1], deletes)
        n_bytes += sum(len(piece) for _, pieces in puts[:-1] for piece in pieces)
        view.values[puts[-1][0]] = b"".join(puts[-1][1])
        runs.load(view)
        model.add(entries)
    keys = [key << 21 for key in model.members]
    assert found(runs, keys) == model.found(keys)
    assert runs.check() == []
    assert n_puts < 2.5 * 600
    assert n_bytes < 5.5 * 8 * 600 * 60
    assert runs.n_runs < 64 + 4 * 8


def test_merges_beyond_the_bound_are_put_off_and_made_up_for():
    rng = np.random.default_rng(4)
    view, model, worst = Values(), Model(), 0
    most = 20_000
    with sizes(fan_out_bits=1, small_below=100, most_merged=most):
        runs = loaded(view)
        for _ in range(24):
            entries = random_entries(rng, 1_500)
            worst = max(worst, add(runs, view, entries) - 8 * 1_500)
            model.add(entries)
        assert worst < 1.5 * most + 64 * 100  # directories and the manifest besides
        crowded = runs.n_runs
        for _ in range(30):
            view.apply(*runs.plan(*arrays([])))
            runs.load(view)
        assert runs.n_runs < crowded
        assert runs.plan(*arrays([])) == ([], [])
    keys = [key << 21 for key in model.members]
    assert found(runs, keys) == model.found(keys)


def test_all_is_merged_in_steps():
    rng = np.random.default_rng(6)
    view, model = Values(), Model()
    with sizes(fan_out_bits=3):
        runs = loaded(view)
        for n in (900, 800, 20, 30):
            entries = random_entries(rng, n)
            add(runs, view, entries)
            model.add(entries)
        for begin in range(0, 64, 16):
            view.apply(*runs.plan_all(None, range(begin, begin + 16)))
            runs.load(view)
    assert runs.n_runs == 64 + 2  # the small ones are left
    keys = [key << 21 for key in model.members]
    assert found(runs, keys) == model.found(keys)
    view.apply(*runs.plan_all(None))
    runs.load(view)
    assert runs.n_runs == 64
    assert runs.plan_all(None) == ([], [])
    assert runs.plan_all(np.ones(1000, dtype=np.bool_)) == ([], [])


def test_load_asks_only_for_what_is_new():
    rng = np.random.default_rng(7)
    view = Values()
    with sizes(copied_below=0):
        runs = loaded(view)
        add(runs, view, random_entries(rng, 500))
        puts, deletes = runs.plan(*arrays(random_entries(rng, 20)))
        view.apply(puts, deletes)
        view.asked.clear()
        runs.load(view)
        assert len(view.asked) == 3  # the manifest, the new run, and one to see whether it has moved
        view.asked.clear()
        runs.load(view, anew=True)
        assert sorted(view.asked) == runs.names()


def test_values_that_have_moved_are_read_again():
    rng = np.random.default_rng(8)
    view, model = Values(), Model()
    with sizes(copied_below=0):
        runs = loaded(view)
        entries = random_entries(rng, 500)
        add(runs, view, entries)
        model.add(entries)
        moved = Values()
        moved.values = {name: bytes(bytearray(value)) for name, value in view.values.items()}
        runs.load(moved)
        held = {np.frombuffer(value, dtype=np.uint8).ctypes.data for value in moved.values.values()}
        assert {run.value.ctypes.data for run in runs._runs.values()} <= held
    keys = [key for key, _ in entries]
    assert found(runs, keys) == model.found(keys)


@pytest.mark.parametrize("member", [-1, 1 << 27])
def test_members_out_of_range_are_refused(member):
    runs = loaded(Values())
    with pytest.raises(OutputError, match="from 0 to 134217727"):
        runs.plan(*arrays([(1, 0), (2, member)]))


def test_nothing_is_planned_on_what_was_not_loaded():
    with pytest.raises(RuntimeError):
        KeyRuns(PREFIX).plan(*arrays([(1, 2)]))


def some_values():
    view = Values()
    with sizes(fan_out_bits=3):
        runs = loaded(view)
        add(runs, view, random_entries(np.random.default_rng(9), 3_000))
        add(runs, view, random_entries(np.random.default_rng(10), 30))
    assert runs.check() == []
    return view, runs


def words_of(view, name):
    return np.frombuffer(view.values[name], dtype=np.uint64).copy()


RUN, SMALL, MANIFEST = PREFIX + b"070000000", PREFIX + b"400000001", PREFIX + b"runs"


def swapped(words, a, b):
    words[[a, b]] = words[[b, a]]
    return words


def with_word(words, at, value):
    words[at] = value
    return words


# What check says, and whether the runs can be looked at no more.
DAMAGE = {
    "manifest of another format": (MANIFEST, lambda words: with_word(words, 0, 9), "format 1", True),
    "manifest cut off": (MANIFEST, lambda words: words[:2], "format 1", True),
    "manifest out of order": (MANIFEST, lambda words: swapped(words, 3, 9), "not in order", True),
    "manifest of runs to come": (MANIFEST, lambda words: with_word(words, 1, 1), "cannot be", True),
    "manifest with another size": (MANIFEST, lambda words: with_word(words, 10, words[10] + 1), "070", True),
    "run cut off": (RUN, lambda words: words[:-1], "entries listed", True),
    "run empty": (RUN, lambda words: words[:0], "entries listed", True),
    "run out of order": (RUN, lambda words: swapped(words, -1, -2), "not in order", False),
    "run's directory": (RUN, lambda words: with_word(words, 2, words[2] + 1), "wrong directory", False),
    "run's directory far off": (RUN, lambda words: with_word(words, 0, 60), "entries listed", True),
    "small run cut off": (SMALL, lambda words: words[:-1], "entries listed", True),
    "small run empty": (SMALL, lambda words: words[:0], "entries listed", True),
    "small run's partitions": (SMALL, lambda words: with_word(words, 5, 1 << 20), "overlap", True),
}


@pytest.mark.parametrize(("name", "harm", "says", "is_fatal"), DAMAGE.values(), ids=DAMAGE.keys())
def test_check_tells_damage_in_words(name, harm, says, is_fatal):
    view, runs = some_values()
    view.values[name] = harm(words_of(view, name)).tobytes()
    if is_fatal:
        with pytest.raises(IndexFormatError, match=says):
            runs.load(view, anew=True)
    else:
        runs.load(view, anew=True)
        runs.lookup(np.arange(0, 1 << 63, 1 << 52, dtype=np.uint64) * np.uint64(2))  # reads nothing outside
    faults = runs.check()
    assert len(faults) == 1
    assert says in faults[0]
    assert "damaged" in faults[0]


def test_a_small_run_out_of_order_is_found():
    view, runs = some_values()
    offsets = words_of(view, SMALL)[:33].view(np.uint32)
    partition = int(np.flatnonzero(np.diff(offsets[:65].astype(int)) > 1)[0])
    at = 33 + int(offsets[partition])
    view.values[SMALL] = swapped(words_of(view, SMALL), at, at + 1).tobytes()
    runs.load(view, anew=True)
    assert runs.check() == [f"the index is damaged: value {SMALL!r} is not in order"]


@pytest.mark.parametrize("name", [RUN, SMALL])
def test_a_missing_run_is_told(name):
    view, runs = some_values()
    del view.values[name]
    with pytest.raises(IndexFormatError, match="no value"):
        runs.load(view, anew=True)
    assert runs.check() == [f"no value {name!r}"]


@given(BATCHES, st.lists(KEYS, max_size=40), st.lists(KEYS, max_size=40))
def test_what_was_asked_for_ahead_and_what_was_not(batches, asked, wanted):
    view, model = Values(), Model()
    runs = loaded(view)
    for batch in batches:
        model.add(batch)
        add(runs, view, batch)
    wanted = sorted({key >> 21 << 21 for key in wanted})
    with ThreadPoolExecutor(1) as executor:
        ahead = Asked(runs, np.array([key >> 21 << 21 for key in asked], dtype=np.uint64), executor)
        offsets, members = ahead.lookup(np.array(wanted, dtype=np.uint64))
        ahead.settle()
    assert [members[a:b].tolist() for a, b in pairwise(offsets)] == model.found(wanted)
