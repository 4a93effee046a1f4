"""The commands write tables piece by piece: none is made whole, and no byte hangs on where metadata are."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import BRIDGE, FERRY, call

from samestory.pieces import Pieces
from small_pieces import tiny_tables

LINES = [
    {"id": "größe-1", "text": FERRY, "title": "Ferry back 🛳", "date": "2025-03-01T08:00:00+05:30"},
    {"id": "größe-2", "text": FERRY.upper(), "title": None, "date": "2025-03-01T01:00:00-03:00", "url": ""},
    {"id": "größe-1", "text": "The same id again, of another article.", "title": "Twice"},
    {"id": "x" * 500, "text": BRIDGE, "date": None, "source": "Tidewire"},
    *({"id": f"n{k}", "text": f"{BRIDGE} {k}", "title": f"Bridge {k}"} for k in range(20)),
]


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    """Articles, with a repeated id and a broken line."""
    told = [json.dumps(line, ensure_ascii=False) for line in LINES]
    (tmp_path / "in.jsonl").write_text("\n".join([*told[:3], '{"id": "cut o', *told[3:]]), encoding="utf-8")
    return tmp_path / "in.jsonl"


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "run.json"}


@pytest.mark.parametrize("level", ["duplicate", "story"])
def test_the_same_bytes_from_memory_and_from_a_file(
    lines: Path, tmp_path: Path, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--on-error", "skip", "--level", level, "-q")
    assert call("cluster", lines, "-o", tmp_path / "kept", *options).code == 0
    tiny_tables(monkeypatch)
    assert call("cluster", lines, "-o", tmp_path / "filed", *options).code == 0
    kept, filed = files_of(tmp_path / "kept"), files_of(tmp_path / "filed")
    assert kept == filed
    assert kept["rejects.jsonl"].count(b"\n") == 2
    clusters = pq.read_table(tmp_path / "filed/clusters.parquet").to_pylist()
    assert [row["doc_id"] for row in clusters[:3]] == ["größe-1", "größe-2", "x" * 500]
    assert clusters[1]["cluster_id"] == "größe-1"
    dates = [row["published_at"] and row["published_at"].isoformat() for row in clusters[:3]]
    assert dates == ["2025-03-01T02:30:00+00:00", "2025-03-01T04:00:00+00:00", None]
    assert (clusters[1]["title"], clusters[1]["url"], clusters[2]["source"]) == (None, "", "Tidewire")


def test_nothing_to_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_tables(monkeypatch)
    (tmp_path / "in.jsonl").write_text("")
    assert call("cluster", tmp_path / "in.jsonl", "-o", tmp_path / "out", "-q").code == 0
    for name in ("clusters", "pairs"):
        assert pq.read_table(tmp_path / f"out/{name}.parquet").num_rows == 0


@pytest.mark.parametrize("level", ["duplicate", "story"])
def test_no_command_makes_a_whole_table(
    lines: Path, tmp_path: Path, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Pieces) -> None:
        raise AssertionError("a whole table")

    monkeypatch.setattr(Pieces, "table", refuse)
    options = ("--on-error", "skip", "--level", level, "-q")
    assert call("cluster", lines, "-o", tmp_path / "out", *options).code == 0
    assert call("dedup", lines, "-o", tmp_path / "out.jsonl", *options).code == 0
    assert "größe-2" not in (tmp_path / "out.jsonl").read_text(encoding="utf-8")
