"""An index that was damaged, or cannot be written: an error that says so, never a wrong answer."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from index_tools import Writer, differences, told_by_index

import samestory
from samestory.index.store import Store
from tabled import to_table

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")

PLAIN = samestory.Config(boilerplate=False, threads=2)
KINDS = ("facts", "log/", "base/texts/", "base/articles/", "base/edges/", "base/words/", "base/ids/",
    "texts/", "keys/", "prints/", "ids/", "meta/")  # fmt: skip
HERE = [str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path]

# Asks all that can be asked, in a process of its own, which a signal may kill. What is told must be right.
ASK_ALL = f"""
import json, sys
sys.path[:0] = {HERE!r}
import samestory
from test_index_damage import answers
for folder in sys.argv[1:]:
    try:
        with samestory.Index.open(folder, readonly=True) as index:
            wrong = index.verify()
            print(json.dumps(["wrong" if wrong else "sound", answers(index)]), flush=True)
    except samestory.SamestoryError as error:
        print(json.dumps(["refused", type(error).__name__ + ": " + str(error)]), flush=True)
"""


def answers(index: samestory.Index) -> dict[str, Any]:
    """What an index answers, and of what it refuses to answer why."""
    asked = to_table(Writer(random.Random(5)).batch(20))
    found: dict[str, Any] = {}
    for name, ask in (
        ("told", lambda: told_by_index(index)),
        ("query", lambda: index.query(asked).to_pylist()),
        ("export", lambda: index.export().clusters.to_pylist()),
    ):
        try:
            found[name] = json.loads(json.dumps(ask(), default=str))
        except samestory.SamestoryError as error:
            found[name] = f"{type(error).__name__}: {error}"
    return found


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with every kind of value in it."""
    folder = tmp_path_factory.mktemp("damage") / "index"
    writer = Writer(random.Random(31))
    with (
        pytest.MonkeyPatch.context() as patch,
        samestory.Index.open(folder, PLAIN, create=True) as made,
    ):
        patch.setattr("samestory.index.bank.CHUNK_BYTES", 4000)
        for _ in range(4):
            made.ingest(to_table(writer.batch(25)))
        patch.setattr("samestory.index.saved.LOG_BYTES", 0)
        made.ingest(to_table(writer.batch(25)))
        patch.undo()
        for _ in range(2):
            made.ingest(to_table(writer.batch(25)))
        names = made._store.view.names()
        assert all(any(name.startswith(kind.encode()) for name in names) for kind in KINDS)
    return folder


@pytest.fixture(scope="module")
def right(index: Path) -> dict[str, Any]:
    with samestory.Index.open(index, readonly=True) as opened:
        assert opened.verify(deep=True) == []
        return answers(opened)


def ask_all(folders: list[Path]) -> list[tuple[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", ASK_ALL, *map(str, folders)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, (done.returncode, len(done.stdout.splitlines()), done.stderr[-2000:])
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def copies(tmp_path: Path, datas: Iterator[bytes]) -> list[Path]:
    folders = []
    for number, data in enumerate(datas):
        folder = tmp_path / f"copy-{number}"
        folder.mkdir()
        (folder / "data.mdb").write_bytes(data)
        folders.append(folder)
    return folders


def never_wrong(found: dict[str, Any], right: dict[str, Any]) -> None:
    """What is answered is right, or refused."""
    for name, answer in found.items():
        assert answer == right[name] or (isinstance(answer, str) and answer.startswith("IndexFormatError")), (
            name,
            str(answer)[:500],
        )


def test_files_cut_anywhere_are_refused(index: Path, right: dict[str, Any], tmp_path: Path) -> None:
    data = (index / "data.mdb").read_bytes()
    with Store(index, readonly=True) as store:
        needed = store.size_bytes()
    rng = random.Random(1)
    sizes = sorted({0, 1, 4096, 8192, needed - 4096, needed - 1, *(rng.randrange(needed) for _ in range(6))})
    for size, (kind, found) in zip(
        sizes, ask_all(copies(tmp_path, (data[:size] for size in sizes))), strict=True
    ):
        assert kind == "refused", size
        assert found.startswith(("IndexFormatError", "InputError")), (size, found)
        assert "Hint: " in found


def test_a_changed_byte_of_any_value_is_found(index: Path, right: dict[str, Any], tmp_path: Path) -> None:
    data = (index / "data.mdb").read_bytes()
    rng = random.Random(4)
    places: list[tuple[bytes, int]] = []
    with Store(index, readonly=True) as store:
        for kind in KINDS:
            name = rng.choice(
                [name for name in store.view.names(kind.encode()) if len(store.view.get(name)) > 8]
            )
            value = bytes(store.view.get(name))
            begin = data.find(value)
            while begin >= 0:  # an older version of it may be in the file as well
                places += [(name, begin + at) for at in (rng.randrange(len(value)), len(value) - 1)]
                begin = data.find(value, begin + 1)

    def changed(place: int) -> bytes:
        return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]

    found = ask_all(copies(tmp_path, (changed(place) for _, place in places)))
    noticed = set()
    for (name, _), (state, answer) in zip(places, found, strict=True):
        if state == "refused":
            assert answer.startswith("IndexFormatError"), answer
        else:
            never_wrong(answer, right)
        noticed |= {name} if state != "sound" else set()
    assert noticed == {name for name, _ in places}


def test_any_changed_bytes(index: Path, right: dict[str, Any], tmp_path: Path) -> None:
    """Wherever in the file, pages of LMDB included."""
    data = (index / "data.mdb").read_bytes()
    rng = random.Random(2)

    def changed() -> bytes:
        own = bytearray(data)
        begin = rng.randrange(len(own))
        for place in range(begin, min(len(own), begin + rng.choice((1, 1, 8, 300)))):
            own[place] = rng.randrange(256)
        return bytes(own)

    for state, answer in ask_all(copies(tmp_path, (changed() for _ in range(16)))):
        if state == "refused":
            assert answer.startswith("IndexFormatError"), answer
        else:
            never_wrong(answer, right)


def test_lost_values_are_named(index: Path, tmp_path: Path) -> None:
    for kind in (kind for kind in KINDS if kind != "meta/"):  # of these it is not known which there are
        folder = tmp_path / kind.replace("/", "-")
        shutil.copytree(index, folder)
        with Store(folder) as store, store.locked(0):
            name = store.view.names(kind.encode())[-1]
            store.commit([], [name])
        try:
            with samestory.Index.open(folder) as opened:
                wrong = opened.verify()
        except samestory.SamestoryError as error:
            wrong = [str(error)]
        if kind == "facts":
            assert wrong
        elif name.endswith(b"/runs"):  # the list of all keys
            assert any("keys cannot be found" in line for line in wrong), (name, wrong)
        else:
            assert any(repr(name) in line for line in wrong), (name, wrong)


# --- What cannot be written ---------------------------------------------------

FILL = """
import sys
sys.path[:0] = %(path)r
import random, samestory
from index_tools import Ledger, Writer, differences, snapshot
from samestory.errors import OutputError
from tabled import to_table
%(limit)s
writer, ledger = Writer(random.Random(3)), Ledger()
with samestory.Index.open(sys.argv[1], samestory.Config(boilerplate=False, threads=1), create=True) as index:
    for count in range(300):
        batch = writer.batch(40)
        before = snapshot(index)
        try:
            index.ingest(to_table(batch))
        except OutputError as error:
            print(error)
            break
        ledger.ingest(batch)
    else:
        sys.exit("the limit was never reached")
    assert snapshot(index) == before
    assert not differences(index, ledger.rows)
    assert index.query(to_table(batch)).num_rows == len(batch)
    assert index.verify() == []
    with samestory.Index.open(sys.argv[1], readonly=True) as other:
        assert not differences(other, ledger.rows)
    %(lift)s
    index.ingest(to_table(batch))
    ledger.ingest(batch)
    assert not differences(index, ledger.rows)
with samestory.Index.open(sys.argv[1]) as index:
    assert not differences(index, ledger.rows)
    assert index.verify(deep=True) == []
print("done")
"""


def fill(folder: Path, limit: str, lift: str) -> None:
    code = FILL % {"path": HERE, "limit": limit, "lift": lift}
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "disk may be full" in done.stdout
    assert done.stdout.splitlines()[-1] == "done"


def test_a_limit_of_file_size_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    limit = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, resource.RLIM_INFINITY))"
    )
    lift = "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"
    fill(tmp_path / "index", limit, lift)


def test_a_full_disk_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(disk)], capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("no right to mount a small disk")
    try:
        (disk / "ballast").write_bytes(bytes(1_600_000))
        fill(disk / "index", "", 'import os; os.remove(sys.argv[1] + "/../ballast")')
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="needs root to become somebody else"
)
def test_an_index_of_another_user_is_only_read(index: Path, right: dict[str, Any], tmp_path: Path) -> None:
    code = f"""
import json, os, sys
sys.path[:0] = {HERE!r}
import samestory
from samestory.errors import OutputError
from test_index_damage import answers, to_table, Writer, random
with samestory.Index.open(sys.argv[1], readonly=True) as index:
    answers(index)  # everything is loaded
    os.setgid(65534), os.setuid(65534)
with samestory.Index.open(sys.argv[1], readonly=True) as index:
    try:
        index.ingest(to_table(Writer(random.Random(1)).batch(3)))
    except OutputError:
        print(json.dumps(answers(index)))
try:
    samestory.Index.open(sys.argv[1])
except OutputError as error:
    print(error)
"""
    folder = tmp_path / "index"
    shutil.copytree(index, folder)
    for parent in folder.parents[:4]:
        if parent.stat().st_uid == os.getuid():
            parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told, *error = done.stdout.splitlines()
    assert json.loads(told) == right
    assert "Hint: check that you may write to it" in "\n".join(error)


def test_the_same_index_still_answers_the_same(index: Path, right: dict[str, Any]) -> None:
    """After all the tests above: none of them has changed the index that they were made from."""
    with samestory.Index.open(index, readonly=True) as opened:
        assert answers(opened) == right
        assert not differences(opened, _articles())


def _articles() -> list[dict[str, Any]]:
    writer = Writer(random.Random(31))
    return [row for _ in range(7) for row in writer.batch(25)]
