"""`samestory cluster --engine spark`, in a process of its own, and what reads its result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from made_corpus import articles, assert_same, table

import samestory
from samestory.finished import FinishedRun
from samestory.schema import CLUSTERS, PAIRS

_OWN = {"engine", "partitions", "finished_at", "seconds", "peak_memory_bytes", "config", "text_bytes"}


def written(path: Path) -> Any:
    return pq.read_table(path)


def cluster(folder: Path, *inputs: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "samestory", "cluster", *inputs, "-o", "out", "--overwrite"]
    command += ["--engine", "spark", "--partitions", "3", "--threads", "2", "--json"]
    paths = [str(Path(samestory.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=check)


@pytest.mark.slow
@pytest.mark.usefixtures("spark")  # or there is no Java
def test_files_of_several_formats_give_the_local_result(tmp_path: Path) -> None:
    rows = articles(6, 30)
    pq.write_table(table(rows[:40]), tmp_path / "a.parquet", row_group_size=7)
    lines = [json.dumps({**row, "published_at": str(row["published_at"] or "soon")}) for row in rows[40:]]
    (tmp_path / "b.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    inputs = [str(tmp_path / "a.parquet"), str(tmp_path / "b.jsonl")]
    local = samestory.cluster(inputs)
    done = cluster(tmp_path, *inputs)
    assert "WARN" not in done.stderr
    out = tmp_path / "out"
    clusters, pairs = written(out / "clusters.parquet"), written(out / "pairs.parquet")
    assert clusters.schema.remove_metadata() == CLUSTERS
    assert pairs.schema.remove_metadata() == PAIRS
    assert_same(local, clusters, pairs)
    stats = json.loads(done.stdout)
    assert stats == json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert stats["engine"] == "spark"
    assert stats["seconds"]["total"] > 0
    assert stats["partitions"] == 3
    assert {k: v for k, v in stats.items() if k not in _OWN} == {
        k: v for k, v in json.loads(json.dumps(local.stats)).items() if k not in _OWN
    }
    run = FinishedRun.open(out)
    assert run.clusters(["doc_id"])["doc_id"].to_pylist() == local.clusters["doc_id"].to_pylist()
    assert local.furniture is not None
    assert run.furniture().table.to_pylist() == local.furniture.to_pylist()
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_a_repeated_id_is_named_with_its_files(tmp_path: Path) -> None:
    rows = articles(6, 4)
    pq.write_table(table(rows[:3]), tmp_path / "a.parquet")
    pq.write_table(table(rows[2:6]), tmp_path / "b.parquet")
    done = cluster(tmp_path, "a.parquet", "b.parquet", check=False)
    assert done.returncode == 2
    assert "duplicate ids: 'a0002' at a.parquet:3, b.parquet:1" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
