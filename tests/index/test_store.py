"""The store of the index: what was put is there, in this process and in others, whatever the map does."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samestory.errors import IndexFormatError, IndexLockedError, InputError, OutputError
from samestory.index import datafile
from samestory.index.store import Store

NAMES = st.sampled_from([b"a", b"a/1", b"a/2", b"b" * 511, b"\xff\xff", b"c"])
PAYLOADS = st.builds(
    lambda byte, n, cut: [bytes([byte]) * (n // 3), np.full(cut, byte, dtype=np.uint32), bytearray(n)],
    st.integers(0, 255),
    st.sampled_from([0, 1, 7, 1000, 1995, 2040, 4096, 70_000]),
    st.integers(0, 5),
)
COMMITS = st.lists(
    st.tuples(
        st.lists(st.tuples(NAMES, PAYLOADS), max_size=5),
        st.lists(NAMES, max_size=3),
        st.sampled_from(["go on", "refresh", "reopen", "reopen readonly"]),
    ),
    max_size=8,
)


def put(store: Store, puts=(), deletes=()) -> None:
    with store.locked(5):
        store.refresh()
        store.commit([(name, [value]) for name, value in dict(puts).items()], list(deletes))


def contents(store: Store) -> dict[bytes, bytes]:
    return {name: bytes(store.view.get(name)) for name in store.view.names(b"")}


def joined(buffers) -> bytes:
    return b"".join(bytes(memoryview(buffer).cast("B")) if len(buffer) else b"" for buffer in buffers)


@contextmanager
def first_map(size: int):
    before = datafile.FIRST_MAP
    datafile.FIRST_MAP = size
    try:
        yield
    finally:
        datafile.FIRST_MAP = before


def python(code: str, *arguments: object, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


@given(COMMITS, st.sampled_from([1 << 16, 1 << 38]))
def test_is_a_dict(commits, map_size):
    expected: dict[bytes, bytes] = {}
    with tempfile.TemporaryDirectory() as name, first_map(map_size):
        folder = Path(name) / "index"
        store = Store(folder, create=True)
        for number, (puts, deletes, then) in enumerate(commits):
            assert store.view.number == number
            with store.locked(0):
                store.commit(puts, deletes)
            for key in deletes:
                expected.pop(key, None)
            expected.update((key, joined(buffers)) for key, buffers in puts)
            assert contents(store) == expected
            if then.startswith("reopen"):
                store.close()
                with Store(folder, readonly=then.endswith("readonly")) as again:
                    assert contents(again) == expected
                    assert again.check() == []
                store = Store(folder)
            elif then == "refresh":
                assert not store.refresh()
        assert store.view.names(b"") == sorted(expected)
        assert store.view.names(b"a/") == sorted(key for key in expected if key.startswith(b"a/"))
        assert all((key in store.view) == (key in expected) for key in [b"a", b"c", b"nothing"])
        assert store.check() == []
        assert store.size_bytes() <= (folder / "data.mdb").stat().st_size
        store.close()


@pytest.mark.parametrize("size", [0, 8, 1000, 1016, 1024, 2000, 2008, 2016, 2040, 2048, 3000, 4096, 100_000])
@pytest.mark.parametrize("name", [b"x", b"abcd", b"n" * 511])
def test_arrays_are_aligned_and_the_large_ones_stay(tmp_path, size, name):
    values = np.arange(size // 8, dtype=np.uint64)
    with Store(tmp_path / "index", create=True) as store:
        put(store, {name: values, b"filler": b"x" * 777})
        array = store.view.array(name, np.uint64)
        assert np.array_equal(array, values)
        assert array.ctypes.data % 8 == 0
        assert not array.flags.writeable
        is_in_place = array.ctypes.data == np.frombuffer(store.view.get(name), np.uint8).ctypes.data
        assert is_in_place == (len(name) + size > 2048)
        address, generation = array.ctypes.data, store.generation
        for count in range(4):
            put(store, {b"a%d" % count: b"y" * 900, b"large": bytes(50_000 + count)})
        if is_in_place and store.generation == generation:
            assert store.view.array(name, np.uint64).ctypes.data == address
        with pytest.raises(IndexFormatError, match="no whole number"):
            store.view.array(b"filler", np.uint64)


def test_a_map_too_small_grows_and_other_stores_follow(tmp_path):
    with first_map(1 << 16), Store(tmp_path / "index", create=True) as store:
        other = Store(tmp_path / "index", readonly=True)
        generation, old = store.generation, other.view
        for count in range(6):
            put(store, {b"%d" % count: bytes([count]) * 3_000_000})
        assert store.generation > generation
        assert other.generation == store.generation
        with pytest.raises(RuntimeError, match="gone"):
            old.get(b"0")
        assert contents(other) == contents(store)
        assert bytes(other.view.get(b"5")) == bytes([5]) * 3_000_000
        other.close()
        assert store.check() == []


def test_a_snapshot_stays_until_it_is_refreshed(tmp_path):
    with Store(tmp_path / "index", create=True) as store, Store(tmp_path / "index", readonly=True) as reader:
        put(store, {b"a": b"1" * 5000})
        assert reader.view.number == 0
        assert reader.refresh()
        shown = reader.view.get(b"a")
        for count in range(5):
            put(store, {b"a": b"%d" % count * 5000})
        assert bytes(shown) == b"1" * 5000
        assert reader.view.number == 1
        assert reader.refresh()
        assert not reader.refresh()
        assert bytes(reader.view.get(b"a")) == b"4" * 5000


def test_space_is_used_again(tmp_path):
    with Store(tmp_path / "index", create=True) as store:
        for count in range(30):
            put(store, {b"a": bytes([count]) * 300_000})
        assert store.size_bytes() < 5 * 300_000


WRITER = """
import sys
from samestory.index.store import Store
with Store(sys.argv[1]) as store:
    for line in sys.stdin:
        with store.locked(5):
            store.refresh()
            store.commit([(b"v%d" % i, [line.encode() * int(sys.argv[2])]) for i in range(3)], [])
        print(store.view.number, flush=True)
"""


@pytest.mark.parametrize("map_size", [1 << 16, 1 << 38])
def test_a_reader_follows_another_process(tmp_path, map_size):
    Store(tmp_path / "index", create=True).close()
    with (
        first_map(map_size),
        Store(tmp_path / "index", readonly=True) as reader,
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "index"), "400000"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as writer,
    ):
        for number in range(1, 5):
            writer.stdin.write(f"{number}\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == f"{number}\n"
            assert reader.view.number == number - 1
            assert reader.refresh()
            assert reader.view.number == number
            assert bytes(reader.view.get(b"v2")) == b"%d\n" % number * 400_000
            assert reader.check() == []
        assert (reader.generation > 0) == (map_size == 1 << 16)
        writer.stdin.close()


def test_two_writing_processes_take_turns(tmp_path):
    Store(tmp_path / "index", create=True).close()
    code = """
import sys
from samestory.index.store import Store
with Store(sys.argv[1]) as store:
    for _ in range(25):
        with store.locked(30):
            store.refresh()
            count = int(bytes(store.view.get(b"count"))) if b"count" in store.view else 0
            store.commit([(b"count", [b"%d" % (count + 1)])], [])
"""
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "index")]) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    with Store(tmp_path / "index", readonly=True) as store:
        assert bytes(store.view.get(b"count")) == b"50"
        assert store.view.number == 50


def test_the_lock_names_its_holder(tmp_path):
    Store(tmp_path / "index", create=True).close()
    code = """
import sys
from samestory.index.store import Store
with Store(sys.argv[1]) as store, store.locked(5):
    print("held", flush=True)
    sys.stdin.read()
"""
    with (
        Store(tmp_path / "index") as store,
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "index")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder,
    ):
        holder.stdout.readline()
        for timeout in (0, 0.2):
            began = time.monotonic()
            with (
                pytest.raises(IndexLockedError, match=rf"pid {holder.pid} on") as raised,
                store.locked(timeout),
            ):
                pass
            assert "--lock-timeout" in str(raised.value)
            assert timeout <= time.monotonic() - began < timeout + 5
        holder.kill()
        put(store, {b"a": b"after the holder was killed"})


def test_threads_of_one_process_exclude_each_other(tmp_path):
    counts = []

    def work() -> None:
        with Store(tmp_path / "index") as store:
            for _ in range(10):
                with store.locked(20):
                    counts.append(0)
                    seen = len(counts)
                    time.sleep(0.001)
                    assert len(counts) == seen
                    counts.append(1)

    with Store(tmp_path / "index", create=True) as store:
        workers = [threading.Thread(target=work) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert counts == [0, 1] * 30
        with store.locked(0), pytest.raises(IndexLockedError, match="this process"), store.locked(0.05):
            pass


def test_commits_need_the_lock_and_the_newest_view(tmp_path):
    with Store(tmp_path / "index", create=True) as store, Store(tmp_path / "index") as other:
        with pytest.raises(RuntimeError, match="lock"):
            store.commit([], [])
        put(other, {b"a": b"1"})
        with store.locked(0), pytest.raises(RuntimeError, match="refresh"):
            store.commit([(b"a", [b"2"])], [])
        assert contents(other) == {b"a": b"1"}
        with store.locked(0):
            for name in (b"", b"n" * 512, b"\x00state"):
                with pytest.raises(ValueError, match="cannot name"):
                    store.commit([(name, [b""])], [])
        with Store(tmp_path / "index", readonly=True) as reader, pytest.raises(OutputError), reader.locked(0):
            pass


def test_a_closed_store_says_so(tmp_path):
    store = Store(tmp_path / "index", create=True)
    view = store.view
    store.close()
    store.close()
    for use in (lambda: store.view, store.refresh, store.size_bytes, store.check, lambda: view.get(b"a")):
        with pytest.raises(RuntimeError, match=r"closed|gone"):
            use()


def test_stores_that_nobody_closes_are_closed(tmp_path):
    for _ in range(3):
        Store(tmp_path / "index", create=True)
    assert datafile._open_files == {}


def test_reading_turns_into_writing(tmp_path):
    Store(tmp_path / "index", create=True).close()
    with Store(tmp_path / "index", readonly=True) as reader:
        with Store(tmp_path / "index") as writer:
            put(writer, {b"a": b"1"})
        assert reader.refresh() or reader.view.number == 1
        assert contents(reader) == {b"a": b"1"}


def test_no_index(tmp_path):
    for readonly in (False, True):
        with pytest.raises(InputError, match="no index at"):
            Store(tmp_path / "missing", readonly=readonly)
    assert not (tmp_path / "missing").exists()
    (tmp_path / "file").write_text("text")
    with pytest.raises(OutputError):
        Store(tmp_path / "file", create=True)
    with pytest.raises(InputError):
        Store(tmp_path / "file")
    with pytest.raises(OutputError, match=r"not an index and is not empty.*'file'"):
        Store(tmp_path, create=True)
    assert sorted(os.listdir(tmp_path)) == ["file"]


def test_folders_made_before_and_left_over_are_taken(tmp_path):
    folder = tmp_path / "deep" / "index"
    folder.mkdir(parents=True)
    (folder / "write.lock").write_text("1 host\n")
    (folder / ".data.mdb.elsewhere.77.samestory-tmp").mkdir()
    with Store(folder, create=True) as store:
        put(store, {b"a": b"1"})
    with Store(folder, create=True) as store:
        assert contents(store) == {b"a": b"1"}


def test_a_deleted_or_replaced_index_is_noticed(tmp_path):
    with Store(tmp_path / "index", create=True) as store:
        put(store, {b"a": b"1"})
        os.replace(tmp_path / "index", tmp_path / "old")
        with pytest.raises(IndexFormatError, match="replaced"):
            store.refresh()
        with Store(tmp_path / "index", create=True) as other:
            assert other.view.number == 0
            with pytest.raises(IndexFormatError, match="replaced"):
                store.refresh()
            with store.locked(0), pytest.raises(IndexFormatError, match="replaced"):
                store.commit([(b"a", [b"lost"])], [])
            assert contents(store) == {b"a": b"1"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_is_refused_and_does_no_harm(tmp_path):
    code = """
import os, sys
from samestory.errors import SamestoryError
from samestory.index.store import Store
store = Store(sys.argv[1], create=True)
with store.locked(0):
    store.commit([(b"a", [b"1" * 5000])], [])
    shown = store.view.get(b"a")
    child = os.fork()
    if not child:
        for use in (lambda: store.view, lambda: store.commit([], []), lambda: Store(sys.argv[1])):
            try:
                use()
            except SamestoryError as error:
                assert "forked" in str(error) and "spawn" in str(error)
            else:
                os._exit(1)
        store.close()
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    try:
        Store(sys.argv[1]).locked(0).__enter__()
    except SamestoryError:
        pass
    else:
        sys.exit("the child freed the lock")
other = Store(sys.argv[1])
for count in range(10):
    with other.locked(0):
        other.refresh()
        other.commit([(b"a", [bytes(5000)])], [])
assert bytes(shown) == b"1" * 5000
"""
    done = python(code, tmp_path / "index")
    assert done.returncode == 0, done.stderr
