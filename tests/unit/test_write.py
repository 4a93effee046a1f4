"""Results on disk: whole or not at all, the same bytes again, and nothing left beside them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import samestory
from samestory.exchange import exchange
from samestory.schema import CLUSTERS, FORMAT_VERSION, PAIRS
from tabled import article, to_table

FILES = ["clusters.parquet", "pairs.parquet", "run.json"]
TEXT = "The ferry between the two islands will run again from Monday after a month of repairs"


@pytest.fixture(scope="module")
def result() -> samestory.Result:
    found = [article("a", TEXT, 1, "Ferry"), article("b", TEXT.upper(), 2), article("c", "Nothing new here")]
    return samestory.cluster(to_table(found))


@pytest.fixture(scope="module")
def other() -> samestory.Result:
    return samestory.cluster(to_table([article("other", "Quite another thing")]), samestory.Config(seed=2))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def left_by(folder: Path, pid: int) -> Path:
    """A temporary folder as a run of this machine makes it, with something in it."""
    left = folder.parent / f".{folder.name}.{socket.gethostname()}.{pid}.samestory-tmp"
    left.mkdir()
    (left / "clusters.parquet").write_bytes(b"half a file")
    return left


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_three_files_and_nothing_beside_them(result: samestory.Result, tmp_path: Path) -> None:
    result.write(tmp_path / "out")
    assert names_in(tmp_path) == ["out"]
    assert names_in(tmp_path / "out") == FILES


def test_files_hold_the_result(result: samestory.Result, tmp_path: Path) -> None:
    result.write(tmp_path / "out")
    clusters = pq.read_table(tmp_path / "out/clusters.parquet")
    pairs = pq.read_table(tmp_path / "out/pairs.parquet")
    assert clusters.equals(result.clusters)
    assert pairs.equals(result.pairs)
    assert clusters.schema.equals(CLUSTERS)
    assert pairs.schema.equals(PAIRS)
    assert json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8")) == result.stats


def test_footers_carry_version_and_fingerprint(result: samestory.Result, tmp_path: Path) -> None:
    result.write(tmp_path / "out")
    for name in ("clusters.parquet", "pairs.parquet"):
        footer = pq.read_metadata(tmp_path / "out" / name).metadata
        assert footer[b"samestory.version"].decode() == samestory.__version__
        assert footer[b"samestory.fingerprint"].decode() == samestory.Config().fingerprint
        assert footer[b"samestory.format_version"].decode() == str(FORMAT_VERSION)


def test_same_bytes_on_a_second_run(tmp_path: Path) -> None:
    for name in ("one", "two"):
        found = [article(f"d{i}", f"{TEXT} {i // 3}", i) for i in range(20)]
        samestory.cluster(to_table(found)).write(tmp_path / name)
    for name in ("clusters.parquet", "pairs.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_parents_are_made_and_an_empty_folder_is_used(result: samestory.Result, tmp_path: Path) -> None:
    result.write(tmp_path / "deep/er/out")
    assert names_in(tmp_path / "deep/er/out") == FILES
    (tmp_path / "empty").mkdir()
    result.write(tmp_path / "empty")
    assert names_in(tmp_path / "empty") == FILES


def test_here(result: samestory.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result.write(".")
    assert names_in(tmp_path) == FILES


def test_a_link_to_an_empty_folder(result: samestory.Result, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    result.write(tmp_path / "link")
    assert names_in(tmp_path / "link") == FILES


# --- Overwriting ---------------------------------------------------------------


def test_an_old_result_is_not_replaced_unasked(
    result: samestory.Result, other: samestory.Result, tmp_path: Path
) -> None:
    result.write(tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(samestory.OutputError, match=r"not empty\nHint: .*--overwrite"):
        other.write(tmp_path / "out")
    assert contents(tmp_path / "out") == before
    assert names_in(tmp_path) == ["out"]


def test_overwrite_replaces_the_whole_result(
    result: samestory.Result, other: samestory.Result, tmp_path: Path
) -> None:
    result.write(tmp_path / "out")
    (tmp_path / "out/rejects.jsonl").write_text("{}\n")
    other.write(tmp_path / "out", overwrite=True)
    other.write(tmp_path / "fresh")
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")
    assert names_in(tmp_path) == ["fresh", "out"]


def test_overwrite_leaves_other_peoples_files(result: samestory.Result, tmp_path: Path) -> None:
    result.write(tmp_path / "out")
    (tmp_path / "out/notes.txt").write_text("mine")
    result.write(tmp_path / "out", overwrite=True)
    assert names_in(tmp_path / "out") == sorted([*FILES, "notes.txt"])


def test_a_folder_without_a_result_is_never_replaced(result: samestory.Result, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter1.tex").write_text("years of work")
    with pytest.raises(samestory.OutputError, match="holds no result"):
        result.write(tmp_path / "thesis", overwrite=True)
    assert names_in(tmp_path / "thesis") == ["chapter1.tex"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_is_no_folder(result: samestory.Result, tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(samestory.OutputError, match="is a file"):
        result.write(tmp_path / "out", overwrite=overwrite)
    assert (tmp_path / "out").read_text() == "a file"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_rights(result: samestory.Result, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(samestory.OutputError, match="cannot be written"):
        result.write(tmp_path / "locked/out")


# --- Failures on the way -------------------------------------------------------


def broken_disk(*arguments: object, **settings: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    "place", ["pyarrow.parquet.ParquetWriter.write_table", "os.fsync", "samestory.write._write_synced"]
)
def test_a_failure_while_writing_leaves_the_old_result(
    result: samestory.Result,
    other: samestory.Result,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    result.write(tmp_path / "out")
    before = contents(tmp_path / "out")
    monkeypatch.setattr(place, broken_disk)
    for folder, overwrite in (("out", True), ("new", False)):
        with pytest.raises(samestory.OutputError, match="No space left on device"):
            other.write(tmp_path / folder, overwrite=overwrite)
    assert contents(tmp_path / "out") == before
    assert names_in(tmp_path) == ["out"]


def test_overwriting_is_one_step(
    result: samestory.Result, other: samestory.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object) -> None:
        raise AssertionError("moved file by file")

    result.write(tmp_path / "out")
    other.write(tmp_path / "other")
    (tmp_path / "out").chmod(0o751)
    if not exchange(tmp_path / "out", tmp_path / "other"):
        pytest.skip("this system cannot exchange two folders")
    exchange(tmp_path / "out", tmp_path / "other")
    monkeypatch.setattr("samestory.write._move_one_by_one", never)
    other.write(tmp_path / "out", overwrite=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "other")
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o751
    assert names_in(tmp_path) == ["other", "out"]


def test_a_folder_somebody_works_in_stays_that_folder(
    result: samestory.Result, other: samestory.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result.write(tmp_path / "out")
    other.write(tmp_path / "other")
    monkeypatch.chdir(tmp_path / "out")
    other.write(".", overwrite=True)
    assert contents(Path()) == contents(tmp_path / "other")


def test_nothing_to_exchange(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    assert not exchange(tmp_path / "one", tmp_path / "none")
    assert names_in(tmp_path) == ["one"]


@pytest.mark.parametrize("n_moves", [0, 1, 2, 3])
def test_a_failure_while_moving_leaves_a_whole_result_or_none(
    result: samestory.Result,
    other: samestory.Result,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    n_moves: int,
) -> None:
    for name, one in (("out", result), ("other", other)):
        one.write(tmp_path / name)
    before, after = contents(tmp_path / "out"), contents(tmp_path / "other")
    move, left = os.replace, [n_moves]
    monkeypatch.setattr("samestory.write.exchange", lambda *paths: False)

    def moves_that_run_out(source: Path, target: Path) -> None:
        if not left[0]:
            broken_disk()
        left[0] -= 1
        move(source, target)

    monkeypatch.setattr(os, "replace", moves_that_run_out)
    monkeypatch.setattr(os, "rename", moves_that_run_out)
    with contextlib.suppress(samestory.OutputError):
        other.write(tmp_path / "out", overwrite=True)
    found = contents(tmp_path / "out")
    # Without its run.json a result does not count as one.
    assert found in (before, after) or "run.json" not in found
    assert names_in(tmp_path) == ["other", "out"]


def test_an_interruption_leaves_no_temporary_folder(
    result: samestory.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        result.write(tmp_path / "out")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("name", ["out", "out[1]", "o*t", "neuigkeiten-ü"])
def test_what_a_killed_run_left_is_removed(result: samestory.Result, tmp_path: Path, name: str) -> None:
    left_by(tmp_path / name, dead_pid())
    result.write(tmp_path / name)
    assert names_in(tmp_path) == [name]


def test_what_a_living_run_or_another_result_needs_stays(result: samestory.Result, tmp_path: Path) -> None:
    kept = [left_by(tmp_path / "out", os.getppid()), left_by(tmp_path / "another", dead_pid())]
    kept += [
        tmp_path / f".out.{socket.gethostname()}.notes.samestory-tmp",
        tmp_path / ".out.otherhost.1.samestory-tmp",
    ]
    for folder in kept[2:]:
        folder.mkdir()
    result.write(tmp_path / "out")
    assert names_in(tmp_path) == sorted(["out", *(folder.name for folder in kept)])
