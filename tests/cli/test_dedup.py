"""`samestory dedup`: the input's own rows and columns, less the redundant ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from command import FERRY, ROWS, call, read_lines, run, write_lines

COLUMNS = pa.table(
    {
        "published": pa.array([3, 1, 2], pa.timestamp("s")),
        "headline": ["Third", None, "Second"],
        "id": pa.array([30, 10, 20], pa.int16()),
        "body": [FERRY, FERRY.lower(), "Something else altogether"],
        "tags": [["sea"], [], None],
        "score": pa.array([0.5, None, 1.5], pa.float32()),
    }
)


def read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    if path.suffix in (".arrow", ".feather"):
        return pa.feather.read_table(path)
    delimiter = "\t" if path.suffix == ".tsv" else ","
    return pa.csv.read_csv(path, parse_options=pa.csv.ParseOptions(delimiter=delimiter))


def test_parquet_rows_and_columns_are_kept(tmp_path: Path) -> None:
    pq.write_table(COLUMNS, tmp_path / "in.parquet")
    ran = run("dedup", tmp_path / "in.parquet", "-o", tmp_path / "out.parquet")
    assert (ran.code, ran.out) == (0, "")
    found = pq.read_table(tmp_path / "out.parquet")
    # The second is the earliest of the cluster; the rows stay in the input's order.
    assert found.to_pylist() == COLUMNS.take([1, 2]).to_pylist()
    assert found.schema.names == COLUMNS.schema.names
    assert found.schema.field("id").type == pa.int16()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]


def test_json_lines_are_copied_byte_for_byte(tmp_path: Path) -> None:
    lines = [
        f'{{"text":"{FERRY}",  "id":"x", "n": 1.50, "more": {{"b":1,"a":[ ]}}}}',
        f'{{"text":"{FERRY}", "id":"y"}}',
        '{"id": "z", "text": "caf\\u00e9 — naïve"}',
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert call("dedup", tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl").code == 0
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == f"{lines[0]}\n{lines[2]}\n"


@pytest.mark.parametrize(
    "name", ["out.csv", "out.tsv", "out.arrow", "out.feather", "out.parquet", "out.csv.gz"]
)
def test_other_formats(news: Path, tmp_path: Path, name: str) -> None:
    assert call("dedup", news, "-o", tmp_path / name).code == 0
    found = read(tmp_path / name) if not name.endswith(".gz") else pa.csv.read_csv(tmp_path / name)
    assert found.column_names == ["id", "text", "title", "date"]
    assert found["id"].to_pylist() == ["a", "c"]


def test_to_standard_output(news: Path) -> None:
    ran = run("dedup", news, "-o", "-")
    assert ran.code == 0
    assert read_lines(ran.out) == [ROWS[0], ROWS[2]]
    assert "redundant" in ran.err


def test_a_filter_in_a_pipe() -> None:
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    ran = call("dedup", "-", "-o", "-", "-q", stdin=lines)
    assert (ran.code, ran.err) == (0, "")
    assert [row["id"] for row in read_lines(ran.out)] == ["a", "c"]


def test_json_and_rows_cannot_share_standard_output(news: Path) -> None:
    ran = call("dedup", news, "-o", "-", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "--json" in ran.err


def test_json_beside_a_file(news: Path, tmp_path: Path) -> None:
    ran = call("dedup", news, "-o", tmp_path / "out.jsonl", "--json")
    counts = json.loads(ran.out)["counts"]
    assert (ran.code, counts["articles"], counts["redundant"]) == (0, 3, 1)


@pytest.mark.parametrize(("rows", "code"), [(ROWS, 1), (ROWS[1:], 0)])
def test_fail_on_duplicates(tmp_path: Path, rows: Any, code: int) -> None:
    path = write_lines(tmp_path / "in.jsonl", rows)
    ran = run("dedup", path, "-o", tmp_path / "out.jsonl", "--fail-on-duplicates", "-q")
    assert ran.code == code
    assert len(read_lines((tmp_path / "out.jsonl").read_text())) == 2
    assert call("dedup", path, "-o", tmp_path / "again.jsonl").code == 0


@pytest.mark.parametrize(
    ("rule", "kept"), [("earliest", ["b", "c"]), ("first", ["a", "c"]), ("longest", ["c", "d"])]
)
def test_representative(tmp_path: Path, rule: str, kept: list[str]) -> None:
    dates = ["2025-03-03", "2025-03-01", "2025-03-02"]
    rows = [{**row, "date": date} for row, date in zip(ROWS, dates, strict=True)]
    rows.append({"id": "d", "text": FERRY + " Tickets cost the same.", "date": "2025-03-09"})
    path = write_lines(tmp_path / "in.jsonl", rows)
    ran = call("dedup", path, "-o", "-", "-q", "--representative", rule, "--threshold", "0.6")
    assert [row["id"] for row in read_lines(ran.out)] == kept


def test_an_old_file_is_not_replaced_unasked(news: Path, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("old\n")
    ran = call("dedup", news, "-o", tmp_path / "out.jsonl")
    assert ran.code == 2
    assert "--overwrite" in ran.err
    assert (tmp_path / "out.jsonl").read_text() == "old\n"
    assert call("dedup", news, "-o", tmp_path / "out.jsonl", "--overwrite").code == 0
    assert len(read_lines((tmp_path / "out.jsonl").read_text())) == 2


def test_in_place(news: Path) -> None:
    assert call("dedup", news, "-o", news, "--overwrite").code == 0
    assert [row["id"] for row in read_lines(news.read_text())] == ["a", "c"]


def test_a_name_without_a_format(news: Path, tmp_path: Path) -> None:
    ran = call("dedup", news, "-o", tmp_path / "out.docx")
    assert ran.code == 2
    assert "Hint: " in ran.err
    assert not (tmp_path / "out.docx").exists()


def test_broken_lines_are_left_out_and_recorded(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "in.jsonl")
    path.write_text("not json\n" + path.read_text())
    assert call("dedup", path, "-o", tmp_path / "out.jsonl").code == 2
    assert not (tmp_path / "out.jsonl").exists()
    assert call("dedup", path, "-o", tmp_path / "out.jsonl", "--on-error", "skip").code == 0
    assert [row["id"] for row in read_lines((tmp_path / "out.jsonl").read_text())] == ["a", "c"]
    (record,) = [path for path in tmp_path.iterdir() if "rejects" in path.name]
    assert [reject["row"] for reject in read_lines(record.read_text())] == [1]
