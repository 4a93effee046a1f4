"""A run that is done: its tables, and its articles read again from wherever they came."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import samestory
from newsroom import Newsroom, news, typeset
from samestory.errors import InputError, SamestoryError
from samestory.finished import FinishedRun
from samestory.passages import compare_readings
from tabled import to_table


def corpus(n: int = 24) -> list[dict[str, Any]]:
    """Stories of two sites with footers, the second of each pair a copy."""
    room = Newsroom(5)
    footers = [typeset(room.words(30)) for _ in range(2)]
    found = []
    for k, story in enumerate(room.stories(n // 2, 90)):
        for site, text in enumerate((story, room.edited(story))):
            source = ("Harbour Post", "Tidewire")[site]
            found.append({**news(f"{site}.{k}", f"{text}\n{footers[site]}", k, source), "title": f"T {k}"})
    return found


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    lines = [json.dumps({**row, "published_at": row["published_at"].isoformat()}) + "\n" for row in rows]
    data = "".join(lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(to_table(rows), path, row_group_size=5)
    return path


def write_texts(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.mkdir()
    for row in rows:
        (path / f"{row['doc_id']}.txt").write_text(row["text"], encoding="utf-8")
    return path


def run_over(inputs: Path, out: Path, **settings: Any) -> FinishedRun:
    samestory.cluster(str(inputs), samestory.Config(threads=1, **settings)).write(out, overwrite=True)
    return FinishedRun.open(out)


WRITERS: dict[str, Callable[[Path, list[dict[str, Any]]], Path]] = {
    "news.jsonl": write_jsonl,
    "news.jsonl.gz": write_jsonl,
    "news.parquet": write_parquet,
    "texts": write_texts,
}


@pytest.mark.parametrize("name", WRITERS)
def test_articles_are_read_as_the_run_read_them(name: str, tmp_path: Path) -> None:
    run = run_over(WRITERS[name](tmp_path / name, corpus()), tmp_path / "out")
    ids = run.clusters(["doc_id"])["doc_id"].to_pylist()
    readings = run.readings(ids)
    assert list(readings) == ids
    assert all(reading.is_as_recorded for reading in readings.values())
    pairs = run.pairs(["doc_id_a", "doc_id_b", "jaccard", "shared_shingles"]).to_pylist()
    assert len(pairs) >= 12
    for row in pairs:
        compared = compare_readings(readings[row["doc_id_a"]], readings[row["doc_id_b"]])
        assert (compared.jaccard, compared.shared_shingles) == (row["jaccard"], row["shared_shingles"])


def test_an_article_has_its_metadata_from_the_tables(tmp_path: Path) -> None:
    run = run_over(write_jsonl(tmp_path / "n.jsonl", corpus()), tmp_path / "out")
    (article,) = run.articles(["1.3"]).values()
    row = corpus()[7]
    assert (article.doc_id, article.text, article.title) == ("1.3", row["text"], "T 3")
    assert (article.source, article.published_at) == (row["source"], row["published_at"])


def test_no_more_is_read_than_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("MAX_ROWS", 4), ("_SMALL_BYTES", 200), ("_SMALL_ROWS", 3)):
        monkeypatch.setattr(f"samestory.read.bounded.{name}", value)
    run = run_over(write_jsonl(tmp_path / "n.jsonl", corpus()), tmp_path / "out")
    seen: list[int] = []
    assert list(run.articles(["1.1", "0.0"], lambda _, n, __: seen.append(n))) == ["0.0", "1.1"]
    assert max(seen) <= 8


def test_unknown_ids_are_left_out(tmp_path: Path) -> None:
    run = run_over(write_jsonl(tmp_path / "n.jsonl", corpus()), tmp_path / "out")
    assert run.rows_of(["1.0", "nobody", "0.0", "1.0"]).tolist()[:3] == [1, -1, 0]
    assert list(run.articles(["nobody", "0.0", "0.0"])) == ["0.0"]
    assert run.readings(["nobody"]) == {}


def test_inputs_that_have_moved(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "n.jsonl", corpus())
    run_over(path, tmp_path / "out")
    moved = path.rename(tmp_path / "moved.jsonl")
    with pytest.raises(InputError, match=r"cannot be read again.*n\.jsonl: no such file") as caught:
        FinishedRun.open(tmp_path / "out").articles(["0.0"])
    assert "--input" in str(caught.value.hint)
    again = FinishedRun.open(tmp_path / "out", inputs=[str(moved)])
    assert again.readings(["0.0"])["0.0"].is_as_recorded
    with pytest.raises(InputError, match=r"gone\.jsonl") as caught:
        FinishedRun.open(tmp_path / "out", inputs=["gone.jsonl"]).articles(["0.0"])
    assert "--input" not in str(caught.value.hint)


def test_ids_made_of_places_are_found_where_the_file_has_another_name(tmp_path: Path) -> None:
    rows = [{name: value for name, value in row.items() if name != "doc_id"} for row in corpus()]
    path = write_jsonl(tmp_path / "n.jsonl", rows)
    run = run_over(path, tmp_path / "out")
    doc_id = run.clusters(["doc_id"])["doc_id"][9].as_py()
    assert doc_id.endswith("n.jsonl:10")
    assert run.readings([doc_id])[doc_id].text == corpus()[9]["text"]
    moved = path.rename(tmp_path / "moved.jsonl")
    again = FinishedRun.open(tmp_path / "out", inputs=[str(moved)])
    assert again.readings([doc_id])[doc_id].text == corpus()[9]["text"]


def test_relative_inputs_are_found_from_elsewhere_beside_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, other = tmp_path / "there", tmp_path / "other"
    there.mkdir()
    other.mkdir()
    monkeypatch.chdir(there)
    rows = [{name: value for name, value in row.items() if name != "doc_id"} for row in corpus()]
    write_jsonl(Path("n.jsonl"), rows)
    run = run_over(Path("n.jsonl"), Path("out"))
    assert run.inputs == ["n.jsonl"]
    monkeypatch.chdir(other)
    away = FinishedRun.open(Path("../there/out"))
    reading = away.readings(["n.jsonl:10"])["n.jsonl:10"]  # ids of places are those of the run
    assert (reading.text, reading.is_as_recorded) == (corpus()[9]["text"], True)
    # What is in the present folder goes first.
    write_jsonl(Path("n.jsonl"), rows[::-1])
    assert FinishedRun.open("../there/out").readings(["n.jsonl:10"])["n.jsonl:10"].text == rows[14]["text"]
    Path("n.jsonl").unlink()
    (there / "n.jsonl").unlink()
    with pytest.raises(InputError, match=r"n\.jsonl: no such file") as caught:
        FinishedRun.open("../there/out").articles(["n.jsonl:10"])
    assert "looked for in the present folder and in the one that holds ../there/out" in str(caught.value)
    assert "--input" in str(caught.value.hint)


def test_globs_and_several_inputs_are_found_beside_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    monkeypatch.chdir(there)
    write_jsonl(Path("n1.jsonl"), corpus()[:12])
    absolute = write_jsonl(tmp_path / "m.jsonl", corpus()[12:])
    samestory.cluster(["n*.jsonl", str(absolute)], samestory.Config(threads=1)).write("out")
    monkeypatch.chdir(tmp_path)
    assert set(FinishedRun.open("there/out").readings(["0.0", "1.11"])) == {"0.0", "1.11"}


def test_dates_that_python_does_not_have(tmp_path: Path) -> None:
    far = pa.array([2**62, -(2**62), 0], pa.timestamp("us", tz="UTC"))
    table = to_table(corpus()[:3])
    table = table.set_column(table.schema.get_field_index("published_at"), "published_at", far)
    pq.write_table(table, tmp_path / "n.parquet")
    run = run_over(tmp_path / "n.parquet", tmp_path / "out")
    dates = [article.published_at for article in run.articles(["0.0", "1.0", "0.1"]).values()]
    years = [date and date.year for date in dates]
    assert years == [None, None, 1970]


def test_rows_that_were_set_aside_do_not_move_the_others(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "n.jsonl", corpus())
    path.write_text("{broken\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    run = run_over(path, tmp_path / "out", on_error="skip")
    assert run.readings(["1.11"])["1.11"].is_as_recorded


def test_articles_that_have_changed(tmp_path: Path) -> None:
    rows = corpus()
    path = write_jsonl(tmp_path / "n.jsonl", rows)
    run_over(path, tmp_path / "out")
    rows[0]["text"] += " And three more words."
    write_jsonl(path, rows[:-1])
    readings = FinishedRun.open(tmp_path / "out").readings(["0.0", "0.1", "1.11"])
    assert {doc_id: reading.is_as_recorded for doc_id, reading in readings.items()} == {
        "0.0": False,
        "0.1": True,
    }


def test_what_cannot_be_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    samestory.cluster(to_table(corpus()), samestory.Config(threads=1)).write(tmp_path / "out")
    with pytest.raises(InputError, match="a table in memory") as caught:
        FinishedRun.open(tmp_path / "out").articles(["0.0"])
    assert "--input" in str(caught.value.hint)
    stats = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))
    (tmp_path / "out/run.json").write_text(json.dumps({**stats, "inputs": ["-"]}), encoding="utf-8")
    with pytest.raises(InputError, match="standard input"):
        FinishedRun.open(tmp_path / "out").articles(["0.0"])


def test_settings_that_a_later_version_may_add_are_left_out(tmp_path: Path) -> None:
    run = run_over(write_jsonl(tmp_path / "n.jsonl", corpus()), tmp_path / "out", shingle="word:4")
    stats = run.stats
    stats["config"]["later"] = 1
    (tmp_path / "out/run.json").write_text(json.dumps(stats), encoding="utf-8")
    assert FinishedRun.open(tmp_path / "out").config.shingle == "word:4"


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _with_json(text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "run.json").write_text(text, encoding="utf-8") and None


def _other_table(folder: Path) -> None:
    pq.write_table(pa.table({"doc_id": ["a"]}), folder / "clusters.parquet")


def _other_settings(folder: Path) -> None:
    table = pq.read_table(folder / "clusters.parquet")
    footer = {**table.schema.metadata, b"samestory.fingerprint": b"other"}
    pq.write_table(table.replace_schema_metadata(footer), folder / "clusters.parquet")


def _later_format(folder: Path) -> None:
    table = pq.read_table(folder / "clusters.parquet")
    footer = {**table.schema.metadata, b"samestory.format_version": b"99"}
    pq.write_table(table.replace_schema_metadata(footer), folder / "clusters.parquet")


def _cut_off(folder: Path) -> None:
    data = (folder / "clusters.parquet").read_bytes()
    (folder / "clusters.parquet").write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_without("run.json"), "no run.json"),
        (_without("clusters.parquet"), "no clusters.parquet"),
        (_with_json("{"), "cannot be read as JSON"),
        (_with_json("[]"), "not written by samestory"),
        (_with_json('{"inputs": []}'), "settings"),
        (_with_json('{"inputs": [], "config": {"threshold": 7}}'), "threshold"),
        (_other_table, "not written by samestory"),
        (_other_settings, "other settings"),
        (_later_format, "format 99"),
        (_cut_off, "cannot be read as Parquet"),
    ],
)
def test_damage_is_named(damage: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    run_over(write_jsonl(tmp_path / "n.jsonl", corpus(4)), tmp_path / "out")
    damage(tmp_path / "out")
    with pytest.raises(SamestoryError, match=message) as caught:
        FinishedRun.open(tmp_path / "out").articles(["0.0"])
    assert caught.value.hint


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_there_is_no_run(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match=name):
        FinishedRun.open(tmp_path / name)
