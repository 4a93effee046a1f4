"""Compaction: what nothing refers to is gone, and nobody can tell but by the size of the file."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from index_tools import Article, Ledger, Writer, differences, settings, told_by_index
from test_index_changes import PLAIN, Driver, resolved, small_values
from test_index_kill import HERE, started

import samestory
from samestory.errors import IndexFormatError, OutputError
from samestory.index import compact as compaction
from samestory.index import lmdb_file
from samestory.index.datafile import DataFile
from samestory.index.export import read_metadata
from samestory.index.rows import describe
from samestory.index.store import Store
from tabled import NOON, article, to_table

FEWER = hypothesis.settings(max_examples=max(1, hypothesis.settings().max_examples // 6))
N_BATCHES = 24
POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes as POSIX has them")

START = f"""
import sys
sys.path[:0] = {HERE!r}
from samestory.index import bank, compact, saved
saved.LOG_BYTES, bank.CHUNK_BYTES, compact.MOVED_BYTES, compact.METADATA_ROWS = 20000, 3000, 9000, 30
from test_index_compact import *
"""


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many commits, that move little each."""
    monkeypatch.setattr(compaction, "MOVED_BYTES", 2000)
    monkeypatch.setattr(compaction, "METADATA_ROWS", 20)


def known(index: samestory.Index, ids: list[str]) -> dict[str, Any]:
    """What can be asked of an index, without its size."""
    asked = to_table(Writer(random.Random(5)).batch(12))
    result = index.export()
    return {
        "told": told_by_index(index),
        "query": index.query(asked).to_pylist(),
        "clusters": result.clusters.to_pylist(),
        "pairs": result.pairs.to_pylist(),
        "ids": [resolved(index, doc_id) for doc_id in ids],
        "info": {
            name: value for name, value in index.info().items() if "byte" not in name and name != "folder"
        },
    }


def names_there(folder: Path) -> set[str]:
    return {name for name in os.listdir(folder) if name != "write.lock"}


def values(index: samestory.Index, prefix: bytes) -> list[bytes]:
    return index._store.view.names(prefix)


def filled(path: Path, n: int = 120, *, seed: int = 3) -> list[Article]:
    """Make an index of some batches, and delete some articles; return those that are there."""
    rng, ledger = random.Random(seed), Ledger()
    writer = Writer(rng)
    with small_values(), samestory.Index.open(path, PLAIN, create=True) as index:
        for _ in range(4):
            batch = writer.batch(n // 4)
            ledger.ingest(batch)
            index.ingest(to_table(batch))
        gone = rng.sample(list(ledger.articles), n // 3)
        ledger.delete(gone)
        index.delete(gone)
    return ledger.rows


# --- What stays and what goes -------------------------------------------------


@FEWER
@given(st.randoms(use_true_random=False), st.booleans())
def test_nothing_changes_but_the_size(rng: random.Random, changes_over: bool) -> None:
    with (
        small_values(),
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory() as name,
        samestory.Index.open(Path(name) / "index", settings(rng), create=True) as index,
    ):
        if changes_over:
            patch.setattr("samestory.fingerprints.SMALL_CORPUS", 12)
        patch.setattr(compaction, "MOVED_BYTES", rng.choice((2000, 32 << 20)))
        driver = Driver(rng, index)
        ids: list[str] = []
        try:
            for _ in range(rng.randint(1, 3)):
                for _ in range(rng.randint(1, 5)):
                    driver.step()
                    ids = list(dict.fromkeys([*ids, *driver.ledger.articles]))
                check_compaction(driver.index, ids)
        finally:
            driver.index.close()


def check_compaction(index: samestory.Index, ids: list[str]) -> None:
    before = known(index, ids)
    n_before = index.info()["bytes"]
    done = index.compact()
    assert known(index, ids) == before
    assert index.verify(deep=True) == []
    assert (done["bytes_before"], done["bytes_after"]) == (n_before, index.info()["bytes"])
    assert (done["articles"], done["texts"]) == (len(index), index.info()["texts"])
    assert done["seconds"] > 0
    with samestory.Index.open(index._store.folder, readonly=True) as again:
        assert known(again, ids) == before
    check_nothing_is_left(index)


def check_nothing_is_left(index: samestory.Index) -> None:
    state = index._saved.load()
    texts, articles, facts = state.texts, state.articles, state.facts
    is_alive = articles["is_alive"] > 0
    is_used = texts["n_articles"] > 0
    for name in ("whole", "title"):
        is_used[articles[name][is_alive & (articles[name] >= 0)]] = True
    is_coded = texts["code_bytes"] > 0
    assert not (is_coded & ~is_used).any()
    assert np.array_equal(texts["chunk"] >= 0, is_coded)
    assert set(texts["chunk"][is_coded]) == set(range(facts["first_chunk"], facts["n_chunks"]))
    assert len(values(index, b"texts/")) == facts["n_chunks"] - facts["first_chunk"]
    assert (state.edges["is_alive"] > 0).all()
    assert len(values(index, b"log/")) == 0
    assert len(values(index, b"base/words/")) == len(values(index, b"base/ids/")) == 1
    assert all(runs.n_runs <= 256 for runs in (state.keys, state.prints, state.id_keys))
    for runs in (state.keys, state.prints):
        members = np.concatenate([run.entries for run in runs._runs.values()] or [np.zeros(0, np.uint64)])
        assert (texts["n_articles"][(members & np.uint64((1 << 27) - 1)).astype(np.int64)] > 0).all()
        # Where all are not merged at once small runs are left alone.
        assert not runs._small or 8 * runs.n_entries > compaction.MOVED_BYTES
    told = read_metadata(index._store.view, state, np.arange(articles.n))
    for column in told.columns:
        assert not np.asarray(column.is_valid())[~is_alive].any()


def plain_pages(k: int) -> list[Article]:
    """Three pages of one site, each with words of its own and the site's footer."""
    footer = " ".join(f"plainfooter{i}" for i in range(24))
    texts = [" ".join(f"page{k}x{j}x{i}" for i in range(60)) for j in range(3)]
    return [
        {**article(f"plain{k}-{j}", f"{text} {footer}", 24 * 400), "source": "Plain"}
        for j, text in enumerate(texts)
    ]


@pytest.mark.parametrize("changes", [{}, {"boilerplate": True}, {"level": "story", "boilerplate": True}])
def test_an_index_goes_on_as_if_it_had_not_been_compacted(tmp_path: Path, changes: dict[str, Any]) -> None:
    config = samestory.Config(**{"boilerplate": False, "threads": 2, **changes})
    rng = random.Random(11)
    batches = [[*on_sites(rng, Writer(rng).batch(22), f"{k}-"), *plain_pages(k)] for k in range(7)]
    gone = [row["doc_id"] for row in rng.sample([*batches[0], *batches[1], *batches[2]], 25)]
    one, other = tmp_path / "one", tmp_path / "other"
    with small_values():
        with samestory.Index.open(one, config, create=True) as index:
            for batch in batches[:4]:
                index.ingest(to_table(batch))
            index.delete(gone)
        shutil.copytree(one, other)
        with samestory.Index.open(one) as index, samestory.Index.open(other) as compacted:
            compacted.compact()
            for k, batch in enumerate(batches[3:]):
                later = [{**row, "text": f"{row['text']} and more"} for row in batch[::5]]
                table = to_table([*batch, *batches[0][k::6], *later])
                assert compacted.ingest(table).equals(index.ingest(table))
                if k == 1:
                    compacted.compact()
            assert index.expire(NOON) == compacted.expire(NOON)
            ids = [row["doc_id"] for batch in batches for row in batch]
            assert known(compacted, ids) == known(index, ids)
            furniture = [each.export().furniture for each in (index, compacted)]
            assert furniture[0].equals(furniture[1])
            assert not config.boilerplate or len(furniture[0]) > 0
            assert compacted.verify(deep=True) == []


def on_sites(rng: random.Random, batch: list[Article], prefix: str) -> list[Article]:
    """The articles as pages of two sites, with a footer."""
    found = []
    for row in batch:
        site = rng.randrange(2)
        footer = " ".join(f"site{site}footer{k}" for k in range(24))
        text = f"{row['text']} {footer}" if row["text"] else None
        about = {"url": f"https://site{site}.example/{row['doc_id']}", "source": f"Site {site}"}
        title = f"Title of {row['doc_id']}"
        found.append({**row, **about, "doc_id": prefix + row["doc_id"], "title": title, "text": text})
    return found


def test_deleting_half_makes_it_smaller(tmp_path: Path) -> None:
    rng = random.Random(2)
    rows = [
        article(f"a{k}", " ".join(f"w{rng.randrange(9000)}" for _ in range(250)), k, f"Title {k}")
        for k in range(500)
    ]
    with samestory.Index.open(tmp_path / "index", PLAIN, create=True) as index:
        for begin in range(0, len(rows), 50):
            index.ingest(to_table(rows[begin : begin + 50]))
        full = index.compact()["bytes_after"]
        index.delete([row["doc_id"] for row in rows[::2]])
        half = index.compact()
        assert half["bytes_before"] >= full
        assert half["bytes_after"] < 0.75 * full
        assert (half["articles"], half["texts"]) == (250, 250)
        index.delete([row["doc_id"] for row in rows[1::2]])
        assert index.compact()["bytes_after"] < 0.6 * half["bytes_after"]
        assert values(index, b"texts/") == []
        (path,) = (tmp_path / "index").glob("data-*/data.mdb")
        assert path.stat().st_size <= 1.01 * index.info()["bytes"]
        index.ingest(to_table(rows[:3]))
        assert index.verify(deep=True) == []
        assert index.resolve("a1") == "a1"


def test_compacting_twice_gains_nothing(tmp_path: Path) -> None:
    filled(tmp_path / "index")
    with samestory.Index.open(tmp_path / "index") as index:
        once, twice = index.compact(), index.compact()
        assert twice["bytes_before"] == once["bytes_after"]
        assert abs(twice["bytes_after"] - once["bytes_after"]) <= 8 * 4096


def test_an_empty_index(tmp_path: Path) -> None:
    with samestory.Index.open(tmp_path / "index", PLAIN, create=True) as index:
        assert (index.compact()["articles"], index.verify(deep=True)) == (0, [])
        index.ingest(to_table([article("a", "one two three four")]))
        assert (index.compact()["texts"], index.verify(deep=True)) == (1, [])


def test_one_that_only_reads_cannot(tmp_path: Path) -> None:
    filled(tmp_path / "index")
    with (
        samestory.Index.open(tmp_path / "index", readonly=True) as index,
        pytest.raises(OutputError, match="reading only"),
    ):
        index.compact()


def test_a_compacted_index_is_not_created_again(tmp_path: Path) -> None:
    rows = filled(tmp_path / "index")
    with samestory.Index.open(tmp_path / "index") as index:
        index.compact()
    assert names_there(tmp_path / "index") == {"data-000001"}
    with samestory.Index.open(tmp_path / "index", PLAIN, create=True) as index:
        assert len(index) == len(rows)


# --- When it is cut short -----------------------------------------------------


def test_each_step_leaves_a_sound_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = filled(tmp_path / "index", 60)
    n_done = stop_after = 0
    commit = Store.commit

    def stopping(self: Store, *changes: Any) -> None:
        nonlocal n_done
        if n_done == stop_after:
            raise KeyboardInterrupt
        n_done += 1
        commit(self, *changes)

    with small_values(), samestory.Index.open(tmp_path / "index") as index:
        before = told_by_index(index)
        monkeypatch.setattr(Store, "commit", stopping)
        for stop_after in range(1000):
            n_done = 0
            try:
                index.compact()
            except KeyboardInterrupt:
                pass
            else:
                break
            assert told_by_index(index) == before
            assert index.verify() == []
            if stop_after % 3 == 0:  # and one that has seen nothing of this
                with samestory.Index.open(tmp_path / "index", readonly=True) as other:
                    assert told_by_index(other) == before
                    assert other.verify() == []
        assert 6 < stop_after < 1000
        assert not differences(index, rows)
        check_nothing_is_left(index)


def killed_child(folder: Path, seconds: float) -> bool:
    """Let a child compact, and kill it some seconds later; return whether it was done before."""
    ready, tell = os.pipe()
    child = os.fork()
    if not child:
        with samestory.Index.open(folder, PLAIN) as index:
            os.write(tell, b"!")
            index.compact()
            os.write(tell, b"done")
        os._exit(0)
    os.read(ready, 1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(tell)
    is_done = os.read(ready, 4) == b"done"
    os.close(ready)
    return is_done


def kill_some(folder: Path, n: int) -> None:
    """Kill compactions at any moment, and look at what they leave."""
    chance = random.Random(int.from_bytes(os.urandom(4), "little"))
    last = 0.0
    for _ in range(n):
        copy = folder.with_name("copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        if not last:
            begin = time.perf_counter()
            killed_child(copy, 0)
            with samestory.Index.open(copy, PLAIN) as index:
                before = told_by_index(index)
                begin = time.perf_counter()
                index.compact()
                last = time.perf_counter() - begin
            continue
        seconds = last * chance.choice((chance.uniform(0, 1.2), chance.uniform(0.6, 1.1)))
        killed_child(copy, seconds)
        with samestory.Index.open(copy, PLAIN, lock_timeout=0) as index:
            assert told_by_index(index) == before, seconds
            assert index.verify(deep=True) == [], seconds
            index.compact()
            assert told_by_index(index) == before, seconds
            assert index.verify() == [], seconds
            check_nothing_is_left(index)
        left = names_there(copy)
        assert len(left) == 1, left
        assert left.pop().startswith("data-"), left
    print("all is well", flush=True)


@pytest.mark.slow
@POSIX
def test_compactions_that_are_killed_lose_nothing(tmp_path: Path) -> None:
    filled(tmp_path / "index", 160)
    # A process of its own: it is forked, which an index that others have open here may not be.
    with started(START + "kill_some(Path(sys.argv[1]), 9)", tmp_path / "index") as process:
        assert process.communicate()[0] == "all is well\n"


@POSIX
@pytest.mark.parametrize("moment", ["copied", "counts", "half removed"])
def test_what_a_killed_compaction_leaves_is_removed_by_the_next(tmp_path: Path, moment: str) -> None:
    folder = tmp_path / "index"
    rows = filled(folder)
    child = os.fork()
    if not child:
        stop_at(moment)
        with samestory.Index.open(folder) as index:
            index.compact()
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    left = names_there(folder)
    assert any(name.endswith(".samestory-tmp") for name in left) == (moment == "copied")
    assert ("data-000001" in left) == (moment != "copied")
    assert ("data.mdb" in left) == (moment != "half removed")
    with samestory.Index.open(folder) as index:
        assert not differences(index, rows)
        index.compact()
        assert index.verify(deep=True) == []
    assert names_there(folder) == {"data-000001" if moment == "copied" else "data-000002"}


def stop_at(moment: str) -> None:
    """Have this process killed at a moment of the exchange of the files."""

    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if moment == "copied":
        lmdb_file._sync_file = die
    elif moment == "counts":
        DataFile.remove_older = die  # type: ignore[method-assign]
    else:
        unlink = Path.unlink

        def unlink_one(path: Path, missing_ok: bool = False) -> None:
            unlink(path, missing_ok)
            die()

        Path.unlink = unlink_one  # type: ignore[method-assign]


@POSIX
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    rows = filled(tmp_path / "index")
    # What the commits before the copy need is there already; the copy is larger than what is allowed.
    code = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path(sys.argv[1])
with samestory.Index.open(folder) as index:
    before, generation = told_by_index(index), index._store.generation
    add_copy = lmdb_file.add_copy
    def limited(*arguments):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, resource.RLIM_INFINITY))
        try:
            add_copy(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    datafile.add_copy = limited
    try:
        index.compact()
    except samestory.OutputError as error:
        print(str(error).splitlines()[1])
    assert index._store.generation == generation
    assert told_by_index(index) == before and index.verify(deep=True) == []
    print(*sorted(names_there(folder)))
    datafile.add_copy = add_copy
    index.compact()
    assert told_by_index(index) == before and index.verify(deep=True) == []
"""
    done = subprocess.run(
        [sys.executable, "-c", f"{START}\nfrom samestory.index import datafile\n{code}", tmp_path / "index"],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    hint, left = done.stdout.splitlines()
    assert "disk may be full" in hint
    assert left == "data.mdb lock.mdb"
    with samestory.Index.open(tmp_path / "index") as index:
        assert not differences(index, rows)


# --- Others at the same time --------------------------------------------------


def keep_reading(folder: Path) -> None:
    """Ask all the time; the articles never become fewer, and the first ones are always told the same."""
    asked = to_table(Writer(random.Random(7)).batch(8))
    n_asked = n_seen = 0
    generations = set()
    with samestory.Index.open(folder, readonly=True) as index:
        print("ready", flush=True)
        while not (folder.parent / "stop").exists():
            assert index.query(asked)["doc_id"].to_pylist() == asked["doc_id"].to_pylist()
            n = len(index)
            assert n >= n_seen, (n, n_seen)
            n_seen = n
            assert clusters_that_are_there(index) >= n
            if n_asked % 5 == 0:
                assert index.verify() == []
                with samestory.Index.open(folder, readonly=True) as another:
                    assert len(another) >= n_seen
            generations.add(index._store.generation)
            n_asked += 1
    print(n_asked, len(generations), flush=True)


def clusters_that_are_there(index: samestory.Index) -> int:
    """Look at what an index says of each article, all from one state; return how many there are."""
    state = index._saved.load()
    own = np.flatnonzero(state.articles["is_alive"] > 0)
    ids = {state.id_of(one) for one in own.tolist()}
    assert set(describe(state, own, index.config)["cluster_id"].to_pylist()) <= ids
    return len(ids)


def keep_writing(folder: Path) -> None:
    """Add a batch after the other, whoever else has the lock."""
    writer = Writer(random.Random(8))
    with samestory.Index.open(folder, PLAIN) as index:
        print("ready", flush=True)
        for k in range(N_BATCHES):
            index.ingest(to_table([{**row, "doc_id": f"w{k}-{row['doc_id']}"} for row in writer.batch(3)]))
            print("done", flush=True)
    print("finished", flush=True)


@pytest.mark.slow
@POSIX
def test_others_read_and_write_during_compactions(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    rows = filled(folder, 80)
    with (
        started(START + "keep_reading(Path(sys.argv[1]))", folder) as reader,
        started(START + "keep_writing(Path(sys.argv[1]))", folder) as writer,
        samestory.Index.open(folder) as index,
    ):
        assert reader.stdout is not None
        assert writer.stdout is not None
        assert reader.stdout.readline() == writer.stdout.readline() == "ready\n"
        n_compacted = 0
        lines = []
        while not lines or lines[-1] != "finished\n":
            lines.append(writer.stdout.readline())
            assert lines[-1] in ("done\n", "finished\n"), "the writer has failed"
            assert reader.poll() is None, "the reader has failed"
            if len(lines) % 3 == 1:
                index.compact()
                n_compacted += 1
        (folder.parent / "stop").touch()
        n_asked, n_generations = map(int, reader.stdout.readline().split())
        assert reader.wait(60) == 0
        assert n_asked > 3
        assert n_generations > 2
        assert n_compacted > 6
        mine = Ledger()
        mine.ingest(rows)
        writer_again = Writer(random.Random(8))
        for k in range(N_BATCHES):
            mine.ingest([{**row, "doc_id": f"w{k}-{row['doc_id']}"} for row in writer_again.batch(3)])
        assert not differences(index, mine.rows)
        assert index.verify(deep=True) == []
    assert len(names_there(folder)) == 1


def test_who_waits_for_the_lock_writes_to_the_new_file(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    rows = filled(folder)
    more = Writer(random.Random(9)).batch(5)
    more = [{**row, "doc_id": f"more{row['doc_id']}"} for row in more]
    with samestory.Index.open(folder) as index, started(WAIT, folder) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "open\n"
        with index._store.locked(5):
            other.stdin.write("go\n")
            other.stdin.flush()
            assert other.stdout.readline() == "waiting\n"
            index._saved.load()
            compaction.compact(index._saved)
        assert other.stdout.readline() == "done\n"
        ledger = Ledger()
        ledger.ingest(rows)
        ledger.ingest(more)
        assert not differences(index, ledger.rows)
        assert index.verify(deep=True) == []


WAIT = (
    START
    + """
more = [{**row, "doc_id": f"more{row['doc_id']}"} for row in Writer(random.Random(9)).batch(5)]
with samestory.Index.open(sys.argv[1]) as index:
    print("open", flush=True)
    sys.stdin.readline()
    print("waiting", flush=True)
    index.ingest(to_table(more))
    print("done", flush=True)
"""
)


def test_memory_of_the_old_file_can_be_read_until_the_next_refresh(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    value = np.arange(90_000)
    with Store(folder, create=True) as one, Store(folder, readonly=True) as other:
        put(one, {b"large": value, b"small": b"1"})
        other.refresh()
        generation, view = other.generation, other.view
        shown = view.array(b"large", np.int64)
        for count in range(5):
            with one.locked(0):
                one.refresh()
                one.rewrite()
            put(one, {b"large": value + count, b"filler": bytes(3_000_000 + count)})
            assert np.array_equal(shown, value)
            assert other.view is view
            assert bytes(view.get(b"small")) == b"1"
        assert other.refresh()
        assert other.generation > generation
        assert np.array_equal(other.view.array(b"large", np.int64), value + 4)
        assert one.check() == other.check() == []
    assert names_there(folder) == {"data-000005"}


def put(store: Store, puts: dict[bytes, Any]) -> None:
    with store.locked(5):
        store.refresh()
        store.commit([(name, [value]) for name, value in puts.items()], [])


@pytest.mark.parametrize("use", [lambda store: store.commit([(b"a", [b"2"])], []), Store.rewrite])
def test_who_has_not_looked_at_the_new_file_cannot_write(
    tmp_path: Path, use: Callable[[Store], None]
) -> None:
    with Store(tmp_path / "index", create=True) as one, Store(tmp_path / "index") as other:
        put(one, {b"a": b"1"})
        with other.locked(0), pytest.raises(RuntimeError, match=r"refresh once locked|number 0"):
            other.commit([], [])
        with one.locked(0):
            one.rewrite()
        with pytest.raises(RuntimeError, match="holding the lock"):
            use(other)
        with other.locked(0):
            with pytest.raises(RuntimeError, match="refresh once locked"):
                use(other)
            assert other.refresh()
            use(other)
        one.refresh()
        assert bytes(one.view.get(b"a")) in (b"1", b"2")
        assert one.view.number == other.view.number
        assert one.check() == []


def test_rights_stay(tmp_path: Path) -> None:
    with Store(tmp_path / "index", create=True) as store:
        put(store, {b"a": b"1"})
        (tmp_path / "index").chmod(0o751)
        (tmp_path / "index" / "data.mdb").chmod(0o640)
        (tmp_path / "index" / "lock.mdb").chmod(0o666)
        with store.locked(0):
            store.rewrite()
    home = tmp_path / "index" / "data-000001"
    found = [path.stat().st_mode & 0o777 for path in (home, home / "data.mdb", home / "lock.mdb")]
    assert found == [0o751, 0o640, 0o666]


def test_a_new_file_that_is_taken_away_is_noticed(tmp_path: Path) -> None:
    with Store(tmp_path / "index", create=True) as store:
        with store.locked(0):
            store.rewrite()
        os.replace(tmp_path / "index" / "data-000001" / "data.mdb", tmp_path / "old.mdb")
        with pytest.raises(IndexFormatError, match="deleted or replaced"):
            store.refresh()
