"""The store of the index when something goes wrong: damage, full disks, killed writers, missing rights."""

from __future__ import annotations

import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from samestory.errors import IndexFormatError
from samestory.index.store import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")

# Reads everything in a process of its own, which a signal may kill; prints how that went.
READ_ALL = """
import sys
from samestory.errors import IndexFormatError
from samestory.index.store import Store
for folder in sys.argv[1:]:
    try:
        with Store(folder, readonly=True) as store:
            wrong = store.check()
            for name in store.view.names() if not wrong else []:
                store.view.get(name)
            print("wrong" if wrong else f"clean {store.view.number}", *wrong)
    except IndexFormatError as error:
        print("refused", str(error).splitlines()[0])
"""


def run(code: str, *arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=100
    )


def read_all(*folders: Path) -> list[str]:
    done = run(READ_ALL, *folders)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def commit(store: Store, puts: dict[bytes, bytes], deletes=()) -> None:
    with store.locked(5):
        store.refresh()
        store.commit([(name, [value]) for name, value in puts.items()], list(deletes))


@pytest.fixture
def index(tmp_path) -> Path:
    folder = tmp_path / "index"
    with Store(folder, create=True) as store:
        for count in range(4):
            commit(store, {b"n%03d" % number: b"%d" % count * (number * 40) for number in range(120)})
        commit(store, {b"large": bytes(range(256)) * 400}, [b"n%03d" % number for number in range(0, 120, 3)])
    return folder


def copies(index: Path, datas: list[bytes]) -> list[Path]:
    folders = []
    for number, data in enumerate(datas):
        folder = index.parent / f"copy-{number}"
        folder.mkdir()
        (folder / "data.mdb").write_bytes(data)
        folders.append(folder)
    return folders


def test_files_cut_anywhere_are_refused_and_kill_nobody(index):
    data = (index / "data.mdb").read_bytes()
    with Store(index, readonly=True) as store:
        needed = store.size_bytes()
    lengths = [0, 1, 15, 16, 100, 151, 152, 4095, 4096, 4200, 4247, 4248, 8191, 8192, 8193, 12_288]
    lengths += [*range(16_384, needed, 36_864 + 512), needed - 4096, needed - 1]
    found = read_all(*copies(index, [data[:length] for length in lengths]))
    assert [line.split()[0] for line in found] == ["refused"] * len(lengths), found
    assert all("cut short" in line for line in found)
    # What is behind the pages in use may be missing.
    (index / "data.mdb").write_bytes(data[:needed])
    assert read_all(index) == ["clean 5"]


def test_a_file_that_is_cut_while_it_is_open_is_noticed(index):
    code = """
import os, sys
from samestory.errors import IndexFormatError
from samestory.index.store import Store
with Store(sys.argv[1]) as store:
    os.truncate(sys.argv[1] + "/data.mdb", int(sys.argv[2]))
    for use in (store.refresh, lambda: store.commit([(b"a", [b"b"])], [])):
        with store.locked(0):
            try:
                use()
            except IndexFormatError as error:
                assert "cut short" in str(error)
                print("refused")
"""
    lengths = (100_000, 8192, 4096, 0)
    folders = copies(index, [(index / "data.mdb").read_bytes()] * len(lengths))
    for folder, length in zip(folders, lengths, strict=True):
        done = run(code, folder, length)
        assert (done.returncode, done.stdout) == (0, "refused\nrefused\n"), done.stderr


def test_other_files_are_refused(index):
    datas = [
        b"",
        b"text",
        b"x" * 100,
        random.Random(1).randbytes(50_000),
        bytes(50_000),
        b"\xde\xc0\xef\xbe" * 9000,
    ]
    found = read_all(*copies(index, datas))
    assert [line.split()[0] for line in found] == ["refused"] * len(datas), found


def test_another_programs_environment_is_refused(tmp_path):
    import lmdb

    with lmdb.open(str(tmp_path / "other")) as env, env.begin(write=True) as txn:
        txn.put(b"a", b"b")
    with pytest.raises(IndexFormatError, match="another program"):
        Store(tmp_path / "other", readonly=True)


def test_a_changed_byte_of_a_value_is_found_and_named(index):
    data = (index / "data.mdb").read_bytes()
    at = data.index(bytes(range(256)) * 8)
    for position in (at - 32, at - 28, at - 24, at - 16, at - 8, at, at + 77_777):
        damaged = bytearray(data)
        damaged[position] ^= 4
        (index / "data.mdb").write_bytes(damaged)
        with Store(index, readonly=True) as store:
            with pytest.raises(IndexFormatError, match=rf"{index} is damaged.*b'large'.*\nHint: restore"):
                store.view.get(b"large")
            assert len(store.view.get(b"n001")) == 40
            (wrong,) = store.check()
            assert "b'large'" in wrong


def test_a_version_of_a_large_value_is_compared_once_and_the_next_again(index, monkeypatch):
    from samestory.index import view

    compared = []
    monkeypatch.setattr(view, "fault", lambda name, raw: compared.append(name))
    with Store(index) as store:
        for _ in range(3):
            store.view.get(b"large")
        assert compared.count(b"large") == 1
        commit(store, {b"large": bytes(store.view.get(b"large"))})
        store.view.get(b"large")
        assert compared.count(b"large") == 2


def test_lost_and_foreign_and_old_values_are_found(index, tmp_path):
    import lmdb

    def change(folder: Path, puts: dict[bytes, bytes], deletes: list[bytes]) -> list[str]:
        shutil.copytree(index, folder)
        with lmdb.open(str(folder)) as env, env.begin(write=True) as txn:
            for name, value in puts.items():
                txn.put(name, value)
            for name in deletes:
                assert txn.delete(name)
        with Store(folder, readonly=True) as store:
            return store.check()

    with lmdb.open(str(index)) as env, env.begin() as txn:
        old = txn.get(b"large")
    with Store(index) as store:
        commit(store, {b"large": b"new" * 9000})
        assert store.check() == []
    assert "instead of 81" in change(tmp_path / "lost", {}, [b"n001"])[0]
    assert "does not begin" in change(tmp_path / "foreign", {b"other": bytes(40)}, [])[0]
    assert "too few" in change(tmp_path / "short", {b"n001": b"abc"}, [])[0]
    assert "stored last" in change(tmp_path / "old", {b"large": old}, [])[0]


def test_an_index_of_a_later_format_asks_for_a_later_version(index):
    import lmdb

    with lmdb.open(str(index)) as env, env.begin(write=True) as txn:
        state = bytearray(txn.get(b"\x00state"))
        state[4] = 9
        txn.put(b"\x00state", bytes(state))
    with pytest.raises(IndexFormatError, match=r"format 9; .*\nHint: use a newer"):
        Store(index)


@pytest.mark.slow
def test_changed_bytes_of_the_first_pages_are_refused_or_harmless(index):
    data = (index / "data.mdb").read_bytes()
    chance = random.Random(3)
    datas = []
    for _ in range(150):
        changed = bytearray(data)
        changed[chance.choice([0, 4096]) + chance.randrange(152)] ^= 1 << chance.randrange(8)
        datas.append(bytes(changed))
    kinds = {line.split()[0] for line in read_all(*copies(index, datas))}
    assert kinds <= {"refused", "clean", "wrong"}
    assert "refused" in kinds


FILL = """
import sys
from samestory.errors import OutputError
from samestory.index.store import Store
{limit}
with Store(sys.argv[1], create=True) as store:
    for count in range(50):
        try:
            with store.locked(0):
                puts = [(b"%d" % count, [b"x" * 500_000]), (b"count", [b"%d" % count])]
                store.commit(puts, [b"%d" % (count - 9)])
        except OutputError as error:
            assert store.view.number == count > 0
            assert bytes(store.view.get(b"count")) == b"%d" % (count - 1)
            assert b"%d" % count not in store.view
            assert store.check() == []
            print(str(error).splitlines()[1])
            break
    shown = [bytes(store.view.get(name)) for name in store.view.names()]
    with store.locked(0):
        try:
            store.commit([(b"again", [b"x" * 900_000])], [])
        except OutputError:
            print("again")
    {lift}
    with store.locked(0):
        store.commit([(b"last", [b"room again"])], [])
    assert store.check() == []
with Store(sys.argv[1]) as store:
    assert store.check() == [] and bytes(store.view.get(b"last")) == b"room again"
print("done")
"""


@pytest.mark.parametrize("n_bytes", [2_000_000, 2_501_000])
def test_a_limit_of_file_size_changes_nothing(tmp_path, n_bytes):
    limit = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({n_bytes}, resource.RLIM_INFINITY))"
    )
    lift = "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"
    done = run(FILL.format(limit=limit, lift=lift), tmp_path / "index")
    assert done.returncode == 0, done.stderr
    hint, again, last = done.stdout.splitlines()
    assert "disk may be full" in hint
    assert (again, last) == ("again", "done")


def test_a_full_disk_changes_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(disk)], capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("no right to mount a small disk")
    try:
        (disk / "ballast").write_bytes(bytes(500_000))
        code = FILL.format(limit="", lift='import os; os.remove(sys.argv[1] + "/../ballast")')
        done = run(code, disk / "index")
        assert done.returncode == 0, done.stderr
        hint, again, last = done.stdout.splitlines()
        assert "disk may be full" in hint
        assert (again, last) == ("again", "done")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_map_that_cannot_grow_changes_nothing(tmp_path):
    code = """
import resource, sys
from samestory.errors import OutputError
from samestory.index import datafile
from samestory.index.store import Store
datafile.FIRST_MAP = 1 << 20
with Store(sys.argv[1], create=True) as store:
    with store.locked(0):
        store.commit([(b"a", [b"1" * 300_000])], [])
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (60 << 20), resource.RLIM_INFINITY))
        value = b"x" * (9 << 20)
        for count in range(30):
            try:
                store.commit([(b"%d" % count, [value])], [])
            except OutputError as error:
                print(error)
                break
        else:
            sys.exit("the limit was never reached")
        assert store.view.number == count + 1 and bytes(store.view.get(b"a")) == b"1" * 300_000
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        store.commit([(b"last", [value])], [])
        assert store.check() == []
"""
    if not Path("/proc/self/statm").exists():
        pytest.skip("no /proc on this system")
    done = run(code, tmp_path / "index")
    assert done.returncode == 0, done.stderr
    assert "ulimit -v" in done.stdout


def test_a_small_address_space_is_enough_to_read(index):
    code = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n" + READ_ALL
    done = run(code, index)
    assert (done.returncode, done.stdout) == (0, "clean 5\n"), done.stderr


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="needs root to become somebody else"
)
@pytest.mark.parametrize("guarded", [True, False])
def test_an_index_of_another_user_can_be_read_and_not_written(index, guarded):
    code = """
import os, sys
from samestory.errors import OutputError
from samestory.index.store import Store
Store(sys.argv[1], readonly=True).close()  # loads what another user may not reach
os.setgid(65534), os.setuid(65534)
with Store(sys.argv[1], readonly=True) as store:
    assert store.check() == [] and len(store.view.get(b"large")) == 102_400
    print(store._file.is_guarded)
for create in (False, True):
    try:
        Store(sys.argv[1], create=create)
    except OutputError as error:
        print(str(error).splitlines()[1])
"""
    for folder in index.parents[:4]:
        if folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    (index / "lock.mdb").chmod(0o666 if guarded else 0o644)
    done = run(code, index)
    assert done.returncode == 0, done.stderr
    hint = "Hint: check that you may write to it; an index can be read without"
    assert done.stdout.splitlines() == [str(guarded), hint, hint]


KEEP_WRITING = """
import sys
from samestory.index.store import Store
with Store(sys.argv[1], create=True) as store:
    count = store.view.number
    while True:
        with store.locked(10):
            store.refresh()
            count = store.view.number + 1
            value = b"%d " % count * (count * 977 % 20_000)
            puts = [(b"%d" % (count * 7 % 40 + i), [value]) for i in range(5)]
            store.commit([*puts, (b"count", [b"%d" % count])], [b"%d" % (count * 3 % 40 + 3)])
        print(count, flush=True)
"""


@pytest.mark.slow
def test_killed_writers_lose_nothing_they_reported(tmp_path):
    chance = random.Random(int.from_bytes(os.urandom(4), "little"))
    last = 0
    for _ in range(14):
        writer = subprocess.Popen(
            [sys.executable, "-c", KEEP_WRITING, str(tmp_path / "index")], stdout=subprocess.PIPE, text=True
        )
        reported = writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.15))
        writer.send_signal(signal.SIGKILL)
        last = int((reported + writer.stdout.read()).split("\n")[-2])
        writer.stdout.close()
        writer.wait()
        with Store(tmp_path / "index") as store:
            assert store.check() == []
            assert store.view.number - last in (0, 1)
            assert int(bytes(store.view.get(b"count"))) == store.view.number
            # Nothing that the dead one held is in the way.
            with store.locked(0):
                pass
    assert last > 14
    assert sorted(os.listdir(tmp_path / "index")) == ["data.mdb", "lock.mdb", "write.lock"]


def test_writers_killed_while_creating_leave_nothing_in_the_way(tmp_path):
    chance = random.Random(5)
    code = """
import sys
from samestory.index.store import Store
print(1, flush=True)
Store(sys.argv[1], create=True)
"""
    for count in range(5):
        folder = tmp_path / f"index-{count}"
        writer = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)
        writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.004))
        writer.kill()
        writer.stdout.close()
        writer.wait()
        with Store(folder, create=True) as store:
            assert store.check() == []
            assert store.view.number == 0
        assert (
            not [name for name in os.listdir(folder) if name.startswith(".")]
            or (folder / "data.mdb").exists()
        )


def test_readers_that_were_killed_do_not_make_the_file_grow(tmp_path):
    code = """
import sys, time
from samestory.index.store import Store
store = Store(sys.argv[1])
print(1, flush=True)
time.sleep(99)
"""
    with Store(tmp_path / "index", create=True) as store:
        commit(store, {b"a": bytes(200_000)})
        reader = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "index")], stdout=subprocess.PIPE
        )
        reader.stdout.readline()
        reader.kill()
        reader.stdout.close()
        reader.wait()
        for count in range(20):
            commit(store, {b"a": bytes([count]) * 200_000})
        assert store.size_bytes() < 6 * 200_000


# Of some hundred sequences of commits that were tried, those in which LMDB alone leaves the file short.
@pytest.mark.parametrize("seed", [0, 23, 89])
def test_a_healthy_file_is_never_shorter_than_it_says(tmp_path, seed):
    chance = random.Random(seed)
    everything = [b"k%03d" % number for number in range(300)]
    with Store(tmp_path / "index", create=True) as store:
        for _ in range(12):
            names = [b"k%03d" % chance.randrange(300) for _ in range(chance.choice((1, 20, 200)))]
            puts = {
                name: bytes(chance.choice((10, 100, 1500, 9000)))
                for name in names
                if chance.random() < chance.choice((0, 0.3, 1))
            }
            commit(store, puts, everything if chance.random() < 0.4 else names)
            assert store.size_bytes() <= (tmp_path / "index" / "data.mdb").stat().st_size
            assert store.check() == []


def test_changed_bytes_of_any_page_of_the_tree_are_found(index):
    pytest.importorskip("lmdb.verify")
    data = (index / "data.mdb").read_bytes()
    with Store(index, readonly=True) as store:
        n_pages = store.size_bytes() // 4096
    chance = random.Random(5)
    datas = []
    for page in range(2, n_pages):
        (flags,) = struct.unpack_from("<H", data, page * 4096 + 10)
        # Opening an index reads the root, and the leaf with the state, without that look.
        if flags == 2 and b"\x00state" not in data[page * 4096 : page * 4096 + 4096]:
            changed = bytearray(data)
            changed[page * 4096 + chance.randrange(60)] ^= 1 << chance.randrange(8)
            datas.append(bytes(changed))
    found = read_all(*copies(index, datas[:150]))
    assert {line.split()[0] for line in found} <= {"clean", "wrong"}
    assert any(line.startswith("wrong its pages are damaged") for line in found)
