"""Stopped at any moment: no half result, and nothing that the next run trips over."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import SAMESTORY, call, environment, wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
N_ARTICLES = 3000
N_KILLS = 10
FILES = ["clusters.parquet", "pairs.parquet", "run.json"]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some thousand made-up articles, a third of them copies with an edit."""
    rng = random.Random(8)
    vocabulary = [f"word{i}" for i in range(5000)]
    texts: list[str] = []
    for _ in range(N_ARTICLES):
        if texts and rng.random() < 0.3:
            texts.append(rng.choice(texts[-200:]).replace("word1", "edited", 1))
        else:
            texts.append(" ".join(rng.choices(vocabulary, k=rng.randint(100, 500))))
    path = tmp_path_factory.mktemp("many") / "many.parquet"
    pq.write_table(pa.table({"id": [f"d{i}" for i in range(N_ARTICLES)], "text": texts}), path)
    return path


def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    command = [*SAMESTORY, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), bufsize=0
    )


def finish(process: subprocess.Popen[bytes]) -> int:
    process.communicate(timeout=180)
    return process.returncode


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    finish(process)


def is_complete(out: Path) -> bool:
    names = sorted(path.name for path in out.iterdir())
    n_rows = pq.read_metadata(out / "clusters.parquet").num_rows
    return names == FILES and n_rows == N_ARTICLES and (out / "run.json").read_text().endswith("}\n")


@pytest.mark.slow
def test_killed_at_random_moments(many: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    begin = time.monotonic()
    assert finish(start("cluster", many, "-o", tmp_path / "whole", "-q")) == 0
    seconds = time.monotonic() - begin
    rng = random.Random(1)
    outcomes: set[bool] = set()
    # Most of these in the last part of the run, when the result is written.
    for delay in [rng.uniform(0, seconds) for _ in range(6)] + [
        rng.uniform(0.8, 1.02) * seconds for _ in range(N_KILLS - 6)
    ]:
        process = start("cluster", many, "-o", out, "-q", "--overwrite")
        time.sleep(delay)
        kill(process)
        outcomes.add(out.exists())
        assert not out.exists() or is_complete(out)
    assert False in outcomes
    assert finish(start("cluster", many, "-o", out, "-q", "--overwrite")) == 0
    assert is_complete(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"]
    for name in FILES[:2]:
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_killed_while_it_writes(many: Path, tmp_path: Path) -> None:
    # The moment at which a temporary folder is there is found by looking.
    out = tmp_path / "out"
    process = start("cluster", many, "-o", out, "-q")
    seen = wait_for(lambda: any(tmp_path.iterdir()) or process.poll() is not None)
    kill(process)
    assert seen
    assert not out.exists() or is_complete(out)
    assert call("cluster", many, "-o", out, "--overwrite", "-q").code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


WAITING = """
import sys, time
import {module}
from samestory.cli import main
work = {module}.{name}
def waiting(*arguments, **settings):
    print("waiting", flush=True)
    time.sleep(1)
    return work(*arguments, **settings)
{module}.{name} = waiting
sys.argv = ["samestory", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("samestory.corpus", "normalise"),  # in a worker thread
        ("samestory.pipeline", "find_components"),
        ("samestory.pipeline", "gather_clusters"),
        ("samestory.write", "_write_table"),
    ],
)
def test_interrupted_in_any_stage(
    news: Path, tmp_path: Path, module: str, name: str, number: signal.Signals
) -> None:
    code = WAITING.format(module=module, name=name)
    process = subprocess.Popen(
        [sys.executable, "-c", code, "cluster", str(news), "-o", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"waiting\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"interrupted" in said
    assert b"Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["news.jsonl"]


def test_a_reader_that_goes_away(many: Path) -> None:
    process = start("dedup", many, "-o", "-", "-q")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1000)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 2
    assert b"Traceback" not in said
    assert b"Exception ignored" not in said


def test_dedup_killed_while_it_writes(many: Path, tmp_path: Path) -> None:
    process = start("dedup", many, "-o", tmp_path / "out.jsonl", "-q")
    assert wait_for(lambda: any(tmp_path.iterdir()) or process.poll() is not None)
    kill(process)
    finished = (tmp_path / "out.jsonl").exists()
    assert call("dedup", many, "-o", tmp_path / "out.jsonl", "-q", *["--overwrite"] * finished).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
