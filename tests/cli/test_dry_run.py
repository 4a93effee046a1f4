"""`--dry-run`: what would be read, done and written, and nothing done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import ROWS, call, write_lines

from samestory import Config
from samestory.params import choose_banding
from samestory.plan import Counted, estimate_memory, estimate_scratch


def plan_of(*arguments: str | Path) -> dict[str, Any]:
    ran = call(*arguments, "--dry-run", "--json")
    assert (ran.code, ran.err) == (0, "")
    found: dict[str, Any] = json.loads(ran.out)
    return found


def files_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    rows = [{"nr": i, "body": f"Text number {i}, long enough.", "day": "2025-03-01"} for i in range(25)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "many.parquet")
    return tmp_path / "many.parquet"


def test_it_does_nothing(news: Path, tmp_path: Path) -> None:
    before = files_below(tmp_path)
    ran = call("cluster", news, "-o", tmp_path / "new/out", "--dry-run")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.endswith("Nothing is written: this was a dry run.\n")
    assert files_below(tmp_path) == before


def test_files_columns_and_articles(news: Path, parquet: Path, tmp_path: Path) -> None:
    plan = plan_of("cluster", news, "-o", tmp_path / "out")
    assert plan["files"] == {"count": 1, "bytes": news.stat().st_size, "formats": {"jsonl": 1}}
    assert plan["columns"] == {
        "doc_id": "id", "text": "text", "title": "title", "source": None, "url": None, "published_at": "date",
    }  # fmt: skip
    assert plan["articles"]["articles"] == 3
    assert plan["articles"]["by"] == "reading them"
    stored = plan_of("cluster", parquet, "-o", tmp_path / "out", "--id-column", "nr")
    assert stored["files"]["formats"] == {"parquet": 1}
    assert (stored["columns"]["doc_id"], stored["columns"]["text"]) == ("nr", "body")
    assert stored["articles"]["articles"] == 25
    assert stored["articles"]["by"] == "the files' own figures"


def test_it_is_what_the_run_does(news: Path, tmp_path: Path) -> None:
    words = ("cluster", news, "-o", tmp_path / "out", "--threshold", "0.8", "--seed", "5", "--level", "story")
    plan = plan_of(*words)
    ran = call(*words, "--json")
    stats = json.loads(ran.out)
    for name in ("inputs", "columns", "config", "fingerprint", "banding"):
        assert plan[name] == stats[name]
    assert plan["articles"]["articles"] == stats["counts"]["articles"]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written <= set(plan["writes"])
    assert set(plan["writes"]) - written <= {"furniture.parquet"}


def test_files_of_other_columns_are_told_of(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [{"id": "a", "text": "One text."}])
    write_lines(tmp_path / "b.jsonl", [{"id": "b", "body": "Another text."}])
    plan = plan_of("cluster", tmp_path, "-o", tmp_path / "out")
    assert plan["column_mappings"] == 2
    assert "2 sorts of columns" in call("cluster", tmp_path, "-o", tmp_path / "out", "--dry-run").err


@pytest.mark.parametrize("command", ["cluster", "dedup"])
def test_an_output_that_is_there_is_the_same_error(news: Path, tmp_path: Path, command: str) -> None:
    output = tmp_path / ("out" if command == "cluster" else "out.jsonl")
    assert call(command, news, "-o", output, "-q").code == 0
    refused = call(command, news, "-o", output)
    dry = call(command, news, "-o", output, "--dry-run")
    assert (dry.code, dry.err) == (2, refused.err)
    plan = plan_of(command, news, "-o", output, "--overwrite")
    assert plan["replaces"] is True
    assert plan_of(command, news, "-o", f"{tmp_path}/two.jsonl")["replaces"] is False


@pytest.mark.parametrize(
    "rows",
    [
        [{"id": "a", "words": "no column of text"}],
        [{"id": "a", "text": "one"}, {"id": "a", "text": "two"}],
        [{"id": "a", "text": 5}],
    ],
)
def test_errors_of_the_input_are_those_of_the_run(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = write_lines(tmp_path / "n.jsonl", rows)
    run = call("cluster", path, "-o", tmp_path / "out", "--no-progress")
    dry = call("cluster", path, "-o", tmp_path / "out", "--dry-run")
    assert run.code == 2
    assert (dry.code, dry.err) == (2, run.err)


def test_rows_that_would_be_set_aside(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "n.jsonl")
    path.write_text(path.read_text() + "not json\n")
    plan = plan_of("cluster", path, "-o", tmp_path / "out", "--on-error", "skip")
    assert (plan["articles"]["articles"], plan["rejected"]) == (3, 1)
    assert "rejects.jsonl" in plan["writes"]


def test_of_standard_input_and_to_standard_output(news: Path) -> None:
    ran = call("dedup", "-", "-o", "-", "--dry-run", "--json", stdin=news.read_text())
    assert ran.code == 0
    plan = json.loads(ran.out)
    assert (plan["articles"]["articles"], plan["writes"], plan["replaces"]) == (3, ["-"], False)


def test_the_table_fits_80_columns_and_says_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # "out" is short
    path = write_lines(tmp_path / "n.jsonl", [{"text": row["text"]} for row in ROWS])
    ran = call("cluster", path, "-o", "out", "--dry-run", "--no-partial", "--no-boilerplate", COLUMNS="80")
    lines = [line.rstrip() for line in ran.err.splitlines()]
    assert max(map(len, lines)) <= 80
    assert any(line.split() == ["title", "-"] for line in lines)
    assert any(line.startswith("  doc_id") and "FILE:ROW" in line for line in lines)
    assert any("partial copies are not looked for" in line for line in lines)
    assert any("left in" in line for line in lines)


def test_the_estimate_follows_its_formula() -> None:
    config = Config(threads=2, partial=False, boilerplate=False)
    banding = choose_banding(config.threshold, config.recall, config.num_perm)
    few = estimate_memory(Counted(1000, 0, 0, ""), config, banding)
    assert few == (250 << 20) + 1000 * (8 * banding.bands + 64)
    story = Config(threads=2, partial=False, boilerplate=False, level="story")
    assert estimate_memory(Counted(1000, 0, 0, ""), story, banding) == few + 1900 * 1000
    much = estimate_memory(Counted(1000, 1 << 40, 50, ""), config, banding)
    assert much == few + (256 << 20) * 2 + (512 << 20) + 100
    with_prints = estimate_memory(Counted(1000, 1 << 40, 50, ""), Config(threads=2), banding)
    assert with_prints > much


def test_with_less_memory_more_goes_to_files() -> None:
    counted = Counted(1_000_000, 2_400 * 1_000_000, 0, "")
    banding = choose_banding(0.7, 0.95, 128)
    estimates = [
        (estimate_memory(counted, config, banding), estimate_scratch(counted, config, banding))
        for config in (Config(threads=2, memory=memory) for memory in ("8GB", "1GB", "512MB"))
    ]
    memory, scratch = zip(*estimates, strict=True)
    assert memory[0] > memory[1] > memory[2]
    assert memory[1] < 1_200_000_000
    assert scratch[0] < scratch[1] < scratch[2]
    assert scratch[0] == counted.text_bytes - (256 << 20)
    few = Counted(1000, 2_400_000, 0, "")
    assert estimate_scratch(few, Config(threads=2), banding) == 0
