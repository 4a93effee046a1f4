"""What does not fit in memory goes to files and comes back: the answer is the same byte for byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import samestory
from newsroom import Article, Newsroom, first_part, news, typeset
from samestory.budget import Budget
from samestory.errors import OutputError
from samestory.fingerprints import FiledSample, Sample, Samples, sort_postings
from samestory.kernels.runs import LOCAL_BITS
from samestory.pipeline import cluster_source
from samestory.read import open_source
from samestory.scratch import Scratch
from samestory.spill import BandKeys, Partitions
from tabled import to_table

NOTHING = Budget(texts=0, band_keys=0, fingerprints=0, metadata=0, round=1, batches=1, stories=1)
SOME = Budget(
    texts=40_000,
    band_keys=10_000,
    fingerprints=20_000,
    metadata=4_000,
    round=30_000,
    batches=3,
    stories=100_000,
)
MUCH = Budget.of(4 << 30, 2, 1000)


@pytest.fixture(scope="module")
def corpus() -> list[Article]:
    """Sites with footers, copies of every kind, a crowd of variants, many equal articles, empty ones."""
    room = Newsroom(71)
    found: list[Article] = []
    footers = [typeset(room.words(60)) for _ in range(3)]
    for i, story in enumerate(room.stories(40, 200)):
        site = i % 3
        copies = (story, room.edited(story), first_part(story, 0.4), room.expanded(story), story)
        for k, copy in enumerate(copies[: 1 + i % 5]):
            url = f"https://site{site}.example/{i}/{k}"
            found.append(news(f"s{i}.{k}", f"{copy}\n\n{footers[site]}", 10 * i + k, f"Desk {site}", url))
    often = room.story(150).split()
    for i in range(90):
        words = often.copy()
        words[1 + i] = f"variant{i}"
        found.append(news(f"crowd{i}", " ".join(words), 500 + i))
    same = room.story(120)
    found += [news(f"same{i}", same, 700 + i) for i in range(60)]
    found += [news(f"empty{i}", "", 900 + i) for i in range(3)]
    stories = [row["text"] for row in found[:60]]
    found += [news(f"digest{i}", room.digest(stories[7 * i : 7 * i + 5]), 950 + i) for i in range(6)]
    room.rng.shuffle(found)
    return found


def bytes_of(result: samestory.Result, folder: Path) -> dict[str, bytes]:
    result.write(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "run.json"}


def run(data: Any, budget: Budget, config: samestory.Config) -> samestory.Result:
    with open_source(data, config) as source:
        return cluster_source(source, config, budget=budget)


def tiny_batches(patch: pytest.MonkeyPatch, rows: int) -> None:
    for name, value in (
        ("MAX_ROWS", rows),
        ("TARGET_BYTES", 9000),
        ("_SMALL_BYTES", 200),
        ("_SMALL_ROWS", 3),
    ):
        patch.setattr(f"samestory.read.bounded.{name}", value)


SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "char": {"shingle": "char:9"},
    "split": {"founder_overlap": 0.3},
    "near only": {"partial": False, "boilerplate": False},
    "no furniture": {"boilerplate": False, "representative": "longest"},
    "low": {"threshold": 0.4, "representative": "first"},
    "story": {"level": "story"},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_same_bytes(
    corpus: list[Article], settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = to_table(corpus)
    expected = bytes_of(run(table, MUCH, samestory.Config(threads=1, **settings)), tmp_path / "much")
    for number, (budget, threads, rows) in enumerate(((NOTHING, 3, 7), (SOME, 2, 40), (NOTHING, 1, 16384))):
        with monkeypatch.context() as patch:
            tiny_batches(patch, rows)
            result = run(table, budget, samestory.Config(threads=threads, **settings))
        assert bytes_of(result, tmp_path / str(number)) == expected


def test_the_corpus_is_worth_it(corpus: list[Article]) -> None:
    stats = samestory.cluster(to_table(corpus)).stats
    relations = stats["counts"]["relations"]
    assert relations["partial"] > 5
    assert relations["near"] > 20
    assert relations["exact"] > 50
    assert stats["furniture"]["articles"] > 50


@pytest.mark.parametrize("budget", [NOTHING, SOME])
def test_a_sampled_corpus(
    corpus: list[Article], budget: Budget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fingerprints as in a large corpus, where only some runs are kept and are taken once."""
    monkeypatch.setattr("samestory.fingerprints.SMALL_CORPUS", 10)
    config, table = samestory.Config(threads=2), to_table(corpus)
    expected = bytes_of(run(table, MUCH, config), tmp_path / "much")
    tiny_batches(monkeypatch, 11)
    assert bytes_of(run(table, budget, config), tmp_path / "out") == expected


def test_texts_that_are_read_again(
    corpus: list[Article], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk has no room for texts, the other files are written all the same."""
    config, table = samestory.Config(threads=2), to_table(corpus)
    expected = bytes_of(run(table, MUCH, config), tmp_path / "much")
    tiny_batches(monkeypatch, 11)
    monkeypatch.setattr("samestory.textstore.FILE_BYTES", 100)
    assert bytes_of(run(table, NOTHING, config), tmp_path / "out") == expected


def test_texts_with_equal_keys_are_compared(
    corpus: list[Article], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where keys of texts collide, a component that is too large for a round is parted by its texts."""
    pieces = [f"{'a' * 9} {k % 7} {'b' * 9}" for k in range(40)]
    words = Newsroom(5).story(100)
    rows = [news(str(k), f"{words} {piece}", k) for k, piece in enumerate(pieces)]

    from samestory import corpus as module

    original = module.sketch

    def colliding(*given: Any) -> Any:
        made = original(*given)
        made.text_keys[:] = 5
        return made

    monkeypatch.setattr(module, "sketch", colliding)
    config = samestory.Config(threads=2, partial=False)
    much, little = (run(to_table(rows), budget, config) for budget in (MUCH, NOTHING))
    assert bytes_of(little, tmp_path / "a") == bytes_of(much, tmp_path / "b")
    assert much.stats["counts"]["relations"]["exact"] > 3
    assert much.stats["counts"]["relations"]["near"] > 3


def test_of_a_large_component_only_distinct_texts_are_collected(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from samestory.corpus import Corpus

    room = Newsroom(6)
    rows = [news(f"same{i}", room_story, i) for room_story in [room.story(200)] for i in range(500)]
    config = samestory.Config(threads=2, boilerplate=False, partial=False)
    expected = bytes_of(run(to_table(rows), MUCH, config), tmp_path / "much")
    collected: list[int] = []
    original = Corpus.collect

    def counting(self: Corpus, docs: Any) -> Any:
        collected.append(len(docs))
        return original(self, docs)

    monkeypatch.setattr(Corpus, "collect", counting)
    assert bytes_of(run(to_table(rows), NOTHING, config), tmp_path / "out") == expected
    assert max(collected) == 1


# --- The parts ----------------------------------------------------------------


@pytest.mark.parametrize("memory_bytes", [0, 400, 1 << 20])
def test_band_keys_come_back(memory_bytes: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    blocks = [rng.integers(0, 1 << 60, (3, n), dtype=np.uint64) for n in (7, 0, 5, 9)]
    whole = np.concatenate(blocks, axis=1)
    with Scratch(tmp_path) as scratch:
        keys = BandKeys(3, memory_bytes, scratch)
        for block in blocks:
            keys.add(block.copy())
        assert keys.is_filed == (memory_bytes < whole.nbytes)
        changed = np.array([0, 6, 7, 13, 20])
        others = rng.integers(0, 1 << 60, (3, 5), dtype=np.uint64)
        keys.replace(changed, others)
        whole[:, changed] = others
        for band in range(3):
            parts = list(keys.parts(band))
            assert [first for first, _ in parts] == [0, 7, 7, 12]
            assert np.array_equal(np.concatenate([part for _, part in parts]), whole[band])
        if not keys.is_filed:
            assert np.array_equal(keys.in_memory(), whole)
            return
        docs = np.array([3, 20, 11, 4, 8])
        keys.arrange(docs)
        for asked in (docs, docs[1:4], docs[[4, 0]], docs[:0]):
            assert np.array_equal(keys.of(asked), whole[:, asked])
    assert list(tmp_path.iterdir()) == []


def test_partitions_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    values = [rng.integers(0, 1 << 60, n, dtype=np.uint64) for n in (4, 0, 9, 6)]
    with Scratch(tmp_path) as scratch:
        partitions = Partitions(4, 50, scratch)
        for p, part in enumerate(values):
            partitions[p] = part
        assert scratch.n_bytes == 8 * 15
        partitions[2] = values[2][:4]
        assert [part.tolist() for part in partitions] == [
            values[0].tolist(),
            [],
            values[2][:4].tolist(),
            values[3].tolist(),
        ]


@pytest.mark.parametrize(("memory_bytes", "finer"), [(0, 4), (2000, 1), (100_000, 0)])
def test_postings_are_the_same_however_fine(memory_bytes: int, finer: int, tmp_path: Path) -> None:
    def batches() -> list[Sample]:
        rng = np.random.default_rng(8)
        made = []
        for _ in range(5):
            keys = rng.integers(0, 300, 400, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            docs = rng.integers(0, 20, 400, dtype=np.uint64)
            entries = (keys & ~np.uint64((1 << LOCAL_BITS) - 1)) | docs
            of = entries >> np.uint64(60)
            made.append(Sample([entries[of == p] for p in range(16)]))
        return made

    ranks = np.random.default_rng(9).permutation(100).astype(np.int32)
    with ThreadPoolExecutor(2) as executor, Scratch(tmp_path) as scratch:
        plain = sort_postings(batches(), [20] * 5, ranks, executor)
        store = Samples(2 * memory_bytes, scratch)
        kept = [store.keep(one) for one in batches()]
        assert any(isinstance(one, FiledSample) for one in kept) == (memory_bytes < 100_000)
        filed = sort_postings(kept, [20] * 5, ranks, executor, memory_bytes, scratch)
        assert np.array_equal(filed.n_single, plain.n_single)
        assert filed.finer == finer
        together: list[list[int]] = [[] for _ in range(16)]
        for p, part in filed.numbered():
            together[p] += part.tolist()
        assert together == [part.tolist() for part in plain.partitions]


def test_the_memory_is_divided() -> None:
    for memory in (512_000_000, 1 << 30, 4 << 30, 64 << 30):
        for n in (0, 10**5, 10**6, 10**7):
            budget = Budget.of(memory, 2, n)
            shares = budget.texts + budget.band_keys + 2 * budget.fingerprints + budget.metadata
            assert 0 < shares + budget.round <= memory
            assert budget.batches >= 3
    assert Budget.of(1 << 30, 2, None, 10**9) == Budget.of(1 << 30, 2, 10**6)


# --- The folder ---------------------------------------------------------------


class Small(Scratch):
    """A disk that is full after a few bytes."""

    def free_bytes(self) -> int:
        return 20_000 - self.n_bytes


def test_a_full_disk_is_found_out(
    corpus: list[Article], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samestory.pipeline.Scratch", Small)
    monkeypatch.setattr("samestory.scratch._CHECKED_BYTES", 1)
    with pytest.raises(OutputError, match="has room for") as caught:
        run(to_table(corpus), NOTHING, samestory.Config(threads=2, scratch=str(tmp_path)))
    assert "--scratch" in (caught.value.hint or "")
    assert list(tmp_path.iterdir()) == []


def test_too_small_a_disk_is_found_out_before_reading(
    corpus: list[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("samestory.pipeline.Scratch", Small)
    with open_source(to_table(corpus * 20), samestory.Config()) as source:
        monkeypatch.setattr(source, "batches", lambda *_: pytest.fail("it was read"))
        with pytest.raises(OutputError, match="are needed"):
            cluster_source(source, samestory.Config(), budget=NOTHING)


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_folder_that_cannot_be_used(corpus: list[Article], tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "scratch"
    if kind == "file":
        folder.write_text("x")
    with pytest.raises(OutputError, match="no temporary file can be made") as caught:
        samestory.cluster(to_table(corpus[:3]), samestory.Config(scratch=str(folder)))
    assert "--scratch" in (caught.value.hint or "")


SCRIPT = """
import sys, time
import pyarrow.parquet as pq
import samestory
from samestory.budget import Budget
from samestory.pipeline import cluster_source
from samestory.read import open_source

def observe(stage, done, total):
    if stage == sys.argv[3]:
        print("there", flush=True)
        time.sleep(60)

config = samestory.Config(threads=2, scratch=sys.argv[2])
nothing = Budget(0, 0, 0, 0, 1, 1, 1)
with open_source(pq.read_table(sys.argv[1]), config) as source:
    cluster_source(source, config, observe, budget=nothing)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("stage", ["band", "verify"])
def test_nothing_is_left_of_a_run_that_is_ended(
    corpus: list[Article], tmp_path: Path, number: signal.Signals, stage: str
) -> None:
    import pyarrow.parquet as pq

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    pq.write_table(to_table(corpus), tmp_path / "a.parquet")
    words = [sys.executable, "-c", SCRIPT, str(tmp_path / "a.parquet"), str(scratch), stage]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        held = [str(file.readlink()) for file in Path(f"/proc/{process.pid}/fd").iterdir()] if LINUX else []
        assert not LINUX or any(place.startswith(str(scratch)) for place in held)
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(30) != 0
        assert time.monotonic() - began < 20
    assert list(scratch.iterdir()) == []


LINUX = sys.platform == "linux"

MEASURED = """
import sys
import pyarrow.parquet as pq
import samestory
result = samestory.cluster(sys.argv[1], samestory.Config(threads=2, memory=sys.argv[2]))
print(result.stats["peak_memory_bytes"])
result.write(sys.argv[3])
"""


@pytest.mark.slow
@pytest.mark.skipif(not LINUX, reason="what is measured differs from system to system")
def test_memory_is_bounded(tmp_path: Path) -> None:
    """300,000 articles of 1.5 KB in 512 MB: they take more than twice that without a bound."""
    import pyarrow.parquet as pq

    rng = np.random.default_rng(12)
    words = np.array(Newsroom(12).words(5000))
    with pq.ParquetWriter(
        tmp_path / "a.parquet", pa.schema([("id", pa.string()), ("text", pa.string())])
    ) as out:
        for begin in range(0, 300_000, 10_000):
            texts = [" ".join(row) for row in words[rng.integers(0, len(words), (10_000, 200))]]
            for k in range(0, 10_000, 3):
                texts[k] = f"{texts[k - 1]} again"
            ids = [str(begin + k) for k in range(10_000)]
            out.write_table(pa.table({"id": ids, "text": texts}))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    peaks, answers = {}, {}
    for memory in ("512MB", "8GB"):
        place = tmp_path / memory
        command = [sys.executable, "-c", MEASURED, str(tmp_path / "a.parquet"), memory, str(place)]
        done = subprocess.run(command, capture_output=True, check=True, env=environment)
        peaks[memory] = int(done.stdout)
        answers[memory] = [(place / name).read_bytes() for name in ("clusters.parquet", "pairs.parquet")]
    assert answers["512MB"] == answers["8GB"]
    assert peaks["512MB"] < 800 << 20
    assert peaks["8GB"] > peaks["512MB"] + (100 << 20)
