"""Progress: what is drawn of a stage, in how much room, and what the stages of each command tell."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import SAMESTORY, call, environment, run_on_terminal

import samestory
from samestory.cli.bars import Board, Pace, line_of
from samestory.progress import STAGES, Stage, describe, each
from samestory.read.arrivals import Arrivals

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
READING = STAGES["read and sketch"]


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    texts = [f"The ferry number {i} to the islands runs again from Monday morning." for i in range(40)]
    table = pa.table({"id": [f"a{i}" for i in range(40)], "text": texts})
    pq.write_table(table, tmp_path / "news.parquet")
    return tmp_path / "news.parquet"


def pace_of(done: int, total: int | None, seconds: float, stage: Stage = READING) -> Pace:
    """A stage that has come so far, at an even pace."""
    pace = Pace(stage, 0.0)
    for step in range(11):
        pace.note(seconds * step / 10, done * step // 10, total)
    return pace


def test_a_line_has_a_bar_counts_a_rate_and_times() -> None:
    line = line_of(pace_of(250_000, 1_000_000, 10.0), 10.0, 80).plain
    assert line[1:].split()[0] == "Reading"
    assert line.count("━") == line.count("╌") // 3
    for part in ("250k/1.00M articles", "25.0k/s", "0:10", "0:30 left"):
        assert part in line


def test_without_a_total_nothing_is_made_up() -> None:
    line = line_of(pace_of(5_000, None, 10.0), 10.0, 80).plain
    assert "5.00k articles" in line
    assert "500/s" in line
    assert "left" not in line
    assert "━" not in line
    assert "%" not in line


def test_steps_have_no_rate() -> None:
    line = line_of(pace_of(3, 9, 10.0, STAGES["furniture"]), 10.0, 80).plain
    assert "3/9 steps" in line
    assert "/s" not in line
    assert "left" not in line


def test_a_stage_that_is_done_says_how_long_it_took() -> None:
    pace = pace_of(1_000, 1_000, 8.0)
    pace.ended = 8.0
    line = line_of(pace, 500.0, 80).plain
    assert line.startswith("✓ Reading")
    assert line.endswith("1.00k articles    125/s   0:08")


@pytest.mark.parametrize("width", [20, 40, 60, 72, 80, 100, 200])
@pytest.mark.parametrize("seconds", [0.0, 3.0, 40_000.0])
@pytest.mark.parametrize("done", [0, 1, 999_999, 123_456_789])
def test_no_line_is_wider_than_the_terminal(width: int, seconds: float, done: int) -> None:
    for total in (None, done, 987_654_321):
        for stage in STAGES.values():
            for plain in (False, True):
                line = line_of(pace_of(done, total, seconds, stage), seconds, width, plain=plain)
                assert line.cell_len < width
                assert not plain or line.plain.isascii()


def test_in_little_room_the_share_and_the_time_left_are_said() -> None:
    line = line_of(pace_of(250_000, 1_000_000, 10.0), 10.0, 40).plain
    assert line.split()[1:] == ["Reading", "25%", "0:30", "left"]


def test_the_pace_of_late_decides_what_is_left() -> None:
    pace = Pace(READING, 0.0)
    for second in range(100):  # ten a second at first, then a hundred
        pace.note(float(second), 10 * second if second < 50 else 500 + 100 * (second - 50), 10_000)
    assert pace.left(99.0) == pytest.approx((10_000 - pace.done) / 100, rel=0.01)


def test_every_stage_fits_its_column() -> None:
    assert max(len(stage.words) for stage in STAGES.values()) <= 18
    assert describe("something else") == Stage("Something else")


def test_each_tells_of_what_is_taken() -> None:
    seen: list[tuple[str, int, int | None]] = []
    items = each([3, 4], lambda *told: seen.append(told), "read and sketch", 7, lambda item: item)
    assert next(items) == 3
    assert seen == [("read and sketch", 0, 7)]
    assert list(items) == [4]
    assert seen[1:] == [("read and sketch", 3, 7), ("read and sketch", 7, 7)]


def test_a_stage_that_comes_again_is_shown_again() -> None:
    board = Board()
    for stage in ("read and sketch", "write", "read and sketch"):
        board(stage, 0, None)
    assert len(board._paces) == 3
    assert [pace.ended is None for pace in board._paces] == [False, False, True]


@pytest.mark.parametrize("level", ["duplicate", "story"])
def test_stages_of_a_run_count_up_to_their_totals(parquet: Path, level: str) -> None:
    seen: dict[str, list[tuple[int, int | None]]] = {}
    samestory.cluster(
        parquet,
        samestory.Config(level=level),
        observer=lambda stage, done, total: seen.setdefault(stage, []).append((done, total)),
    )
    assert set(seen) <= set(STAGES)
    assert seen["read and sketch"][0] == (0, 40)
    assert seen["read and sketch"][-1] == (40, 40)
    assert seen["band"][-1] == (17, 17)
    assert ("neighbours" in seen) == (level == "story")
    for told in seen.values():
        counts = [done for done, _ in told]
        assert counts == sorted(counts)
        assert all(done <= total for done, total in told if total is not None)


def test_where_the_rows_are_not_known_there_is_no_total(news: Path) -> None:
    seen: list[int | None] = []
    samestory.cluster(news, observer=lambda stage, done, total: seen.append(total) if done else None)
    assert seen[0] is None


def test_ingesting_knows_its_total(parquet: Path, tmp_path: Path) -> None:
    arrivals = Arrivals([str(parquet)], samestory.Config(), rows=15, seconds=1)
    seen = [(len(batch), arrivals.n_rows) for batch in arrivals.batches()]
    assert seen == [(15, 40), (15, 40), (10, 40)]
    (tmp_path / "n.jsonl").write_text('{"id": "x", "text": "y"}\n')
    mixed = Arrivals([str(tmp_path / "n.jsonl")], samestory.Config(), rows=15, seconds=1)
    assert [mixed.n_rows for _ in mixed.batches()] == [None]


def test_a_result_is_written_row_by_row_to_the_total(parquet: Path, tmp_path: Path) -> None:
    result = samestory.cluster(parquet)
    seen: list[tuple[int, int | None]] = []
    result.write(tmp_path / "out", observer=lambda stage, done, total: seen.append((done, total)))
    n_rows = len(result.clusters) + len(result.pairs)
    assert seen[0] == (0, n_rows)
    assert seen[-1] == (n_rows, n_rows)


def test_one_line_a_stage_where_there_is_no_terminal(parquet: Path, tmp_path: Path) -> None:
    lines = call("cluster", parquet, "-o", tmp_path / "out", "--progress", "-q").err.splitlines()
    assert lines[0] == "Reading 40 articles ..."
    assert len(lines) == len(set(lines))
    assert all(line.endswith(" ...") for line in lines)


def test_commands_of_an_index_and_of_a_run_tell_their_stages(parquet: Path, tmp_path: Path) -> None:
    index, out = tmp_path / "ix", tmp_path / "out"
    for words, stage in (
        (("ingest", parquet, "--index", index), "Ingesting"),
        (("index", "verify", index), "Checking texts 40 texts"),
        (("index", "compact", index), "Moving texts 40 texts"),
        (("index", "export", index, "-o", out), "Reading 40 articles"),
        (("index", "expire", index, "--before", "1990-01-01"), "Taking out"),
        (("index", "delete", index, "a7"), "Taking out"),
        (("explain", index, "a1", "a2"), "Opening the index"),
        (("evaluate", out, "--truth", truth_of(tmp_path), "--sweep"), "Sweeping 20 thresholds"),
        (("dedup", parquet, "-o", tmp_path / "kept.parquet"), "Writing 40 rows"),
    ):
        ran = call(*words, "--progress", "-q")
        assert ran.code == 0, ran.err
        assert f"{stage} ..." in ran.err.splitlines()


def truth_of(folder: Path) -> Path:
    (folder / "truth.csv").write_text("id,label\na1,x\na2,x\na3,y\n")
    return folder / "truth.csv"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("columns", [40, 80])
def test_nothing_wraps_on_a_terminal(parquet: Path, tmp_path: Path, columns: int) -> None:
    ran = run_on_terminal("cluster", parquet, "-o", tmp_path / "out", columns=columns)
    assert ran.code == 0
    shown = ESCAPES.sub("", ran.err)
    drawn = [line for line in re.split(r"[\r\n]+", shown) if "Reading" in line or "Verifying" in line]
    assert drawn
    assert max(map(len, drawn)) < columns


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_an_interrupt_leaves_a_clean_terminal(tmp_path: Path) -> None:
    import pty

    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        [*SAMESTORY, "cluster", "-", "-o", str(tmp_path / "out"), "--progress"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=environment(TERM="xterm-256color"),
    )
    os.close(theirs)
    shown = b""
    while b"\x1b[?25l" not in shown:  # the cursor is hidden: it draws
        shown += os.read(mine, 4096)
    process.send_signal(signal.SIGINT)
    while True:
        try:
            piece = os.read(mine, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    process.communicate(timeout=60)
    os.close(mine)
    assert process.returncode == 130
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")
    assert shown.rstrip().endswith(b"interrupted")
