"""Writers of an index that are killed at any moment, while others ask."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from index_tools import Article, Ledger, Writer, differences, told_by_index, told_by_run

import samestory
from tabled import to_table

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes as POSIX has them")

PLAIN = samestory.Config(boilerplate=False, threads=2)
HERE = [str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path]
START = f"""
import sys
sys.path[:0] = {HERE!r}
from samestory.index import bank, saved
saved.LOG_BYTES, bank.CHUNK_BYTES = 20000, 3000
from test_index_kill import *
"""
WRITE = START + "breed_writers(Path(sys.argv[1]), int(sys.argv[2]))"
ASK = START + "keep_asking(Path(sys.argv[1]), int(sys.argv[2]))"

Step = tuple[str, Any]


def steps(n: int) -> list[Step]:
    """So many changes, always the same: each changes something."""
    rng = random.Random(77)
    writer, ledger = Writer(rng), Ledger()
    found: list[Step] = []
    for k in range(n):
        if k % 5 == 3:
            gone = rng.sample(list(ledger.articles), 4)
            ledger.delete(gone)
            found.append(("delete", gone))
            continue
        batch = writer.batch(6)
        if k % 3 == 2:
            batch += [writer.another(doc_id) for doc_id in rng.sample(list(ledger.articles), 3)]
        ledger.ingest(batch)
        found.append(("ingest", batch))
    return found


def ledgers(n: int) -> list[list[Article]]:
    """What must be in the index after each number of changes."""
    ledger = Ledger()
    found: list[list[Article]] = [[]]
    for kind, what in steps(n):
        getattr(ledger, kind)(what)
        found.append(ledger.rows)
    return found


def do(index: samestory.Index, step: Step) -> None:
    kind, what = step
    getattr(index, kind)(to_table(what) if kind == "ingest" else what)


def tell(*words: object) -> None:
    """Print a line all at once: `print` writes it in pieces where output is not buffered."""
    os.write(sys.stdout.fileno(), f"{' '.join(map(str, words))}\n".encode())


def breed_writers(folder: Path, n: int) -> None:
    """For each line of the input, let a child go on writing, and name it; it tells each change it has done.

    Children are forked, for it would take them a second to begin.
    """
    plan = steps(n)
    with samestory.Index.open(folder.with_name("warm"), PLAIN, create=True) as index:
        for step in plan[:6]:
            do(index, step)
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            try:
                write(folder, plan)
            except BaseException:
                traceback.print_exc()
                tell("failed")
            time.sleep(60)  # it is killed before that: till then its number is its own
            os._exit(1)
        tell(child)
        os.waitpid(child, 0)
        tell("gone")


def write(folder: Path, plan: list[Step]) -> None:
    with samestory.Index.open(folder, PLAIN, create=True) as index:
        done = index.info()["batches"]
        tell("begin", done)
        for k in range(done, len(plan)):
            do(index, plan[k])
            tell("done", k + 1)
    tell("finished")


def keep_asking(folder: Path, n: int) -> None:
    """Ask all the time, and compare the answers with what was there after each change; tell how often."""
    sizes = [len(rows) for rows in ledgers(n)]
    asked = Writer(random.Random(77)).batch(6)
    n_asked, last = 0, 0
    with samestory.Index.open(folder, readonly=True) as index:
        tell("ready")
        while not (folder.parent / "stop").exists():
            found = index.query(to_table(asked))
            info = index.info()
            assert info["articles"] == sizes[info["batches"]], info
            assert info["batches"] >= last, (info, last)
            last = info["batches"]
            assert found["doc_id"].to_pylist() == [row["doc_id"] for row in asked]
            told = told_by_index(index)
            assert len(told) in (sizes[last:]), (len(told), last)
            assert all(row["cluster_id"] in told for row in told.values())
            n_asked += 1
    tell(n_asked)


@contextmanager
def started(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        except BaseException:
            process.kill()  # or it would be waited for
            raise


def kill_one(breeder: Any, seconds: float) -> tuple[int, bool]:
    """Let a writer begin, and kill it; return the changes that it told of, and if it was done."""
    breeder.stdin.write("next\n")
    breeder.stdin.flush()
    lines = [breeder.stdout.readline()]
    while not lines[-1].strip().isdigit():
        lines.append(breeder.stdout.readline())
    child = int(lines[-1])
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    while lines[-1] != "gone\n":
        lines.append(breeder.stdout.readline())
    assert "failed\n" not in lines
    told = [int(line.split()[1]) for line in lines if line.startswith(("begin", "done"))]
    return told[-1] if told else 0, "finished\n" in lines


def check(folder: Path, expected: list[list[Article]], told: int, *, thoroughly: bool) -> int:
    """Look at what a killed writer has left: all that it told of, or one change more; return how many."""
    with samestory.Index.open(folder, PLAIN, lock_timeout=0) as index:
        batches = index.info()["batches"]
        assert batches - told in (0, 1)
        assert set(told_by_index(index)) == {row["doc_id"] for row in expected[batches]}
        assert index.verify() == []
        if thoroughly:
            assert not differences(index, expected[batches])
            assert index.verify(deep=True) == []
    return int(batches)


def run_killing(folder: Path, n_kills: int, n_steps: int, most_seconds: float) -> None:
    expected = ledgers(n_steps)
    chance = random.Random(int.from_bytes(os.urandom(4), "little"))
    with samestory.Index.open(folder, PLAIN, create=True):
        pass
    with started(WRITE, folder, n_steps) as breeder, started(ASK, folder, n_steps) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        told, is_done, n_killed = 0, False, 0
        while n_killed < n_kills and not is_done:
            seconds = chance.uniform(0, most_seconds)
            told_now, is_done = kill_one(breeder, seconds)
            told = check(folder, expected, max(told, told_now), thoroughly=n_killed % 10 == 9)
            n_killed += 1
            assert reader.poll() is None, "the reader has failed"
        assert n_killed >= n_kills * 0.7, f"all was written after {n_killed} kills"
        (folder.parent / "stop").touch()
        assert int(reader.stdout.readline()) > 3
        assert reader.wait(60) == 0
    with samestory.Index.open(folder) as index:
        for step in steps(n_steps)[told:]:
            do(index, step)
        assert not differences(index, expected[-1])
        assert index.verify(deep=True) == []
        assert told_by_index(index) == told_by_run(expected[-1], PLAIN)
    assert not [name for name in os.listdir(folder) if name not in ("data.mdb", "lock.mdb", "write.lock")]


def test_killed_writers_leave_all_that_they_told_of(tmp_path: Path) -> None:
    run_killing(tmp_path / "index", n_kills=12, n_steps=60, most_seconds=0.15)


def die_in_commit(folder: Path, n: int) -> None:
    """Make some changes, and die where LMDB has written the last of them, but begins no transaction on it."""
    with samestory.Index.open(folder, PLAIN) as index:
        for step in steps(n):
            do(index, step)
        file = index._store._file
        with file.begin(write=True):
            head = np.memmap(folder / "lock.mdb", np.uint64, "r+", shape=16)
            (place,) = np.flatnonzero(head == file.last_commit())
            head[place] -= 1
            os.kill(os.getpid(), signal.SIGKILL)


def test_the_last_commit_of_a_killed_writer_counts(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with samestory.Index.open(folder, PLAIN, create=True) as index, started(ASK, folder, 8) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        with started(START + "die_in_commit(Path(sys.argv[1]), int(sys.argv[2]))", folder, 5) as writer:
            assert writer.wait() == -signal.SIGKILL
        for k, step in enumerate(steps(8)[5:]):
            assert index.info()["batches"] == 5 + k
            do(index, step)
        assert set(told_by_index(index)) == {row["doc_id"] for row in ledgers(8)[-1]}
        assert index.verify(deep=True) == []
        (tmp_path / "stop").touch()
        assert reader.wait(60) == 0


N_KILLS = int(os.environ.get("KILLS", "200"))
"""Fewer where the time is short."""


@pytest.mark.slow
def test_many_killed_writers(tmp_path: Path) -> None:
    run_killing(tmp_path / "index", n_kills=N_KILLS, n_steps=max(60, N_KILLS * 9 // 2), most_seconds=0.15)
