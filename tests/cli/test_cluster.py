"""`samestory cluster`: what it writes, what it says, and where."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import ROWS, call, environment, run, write_lines

FILES = ["clusters.parquet", "pairs.parquet", "run.json"]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_run_in_its_own_process(news: Path, tmp_path: Path) -> None:
    ran = run("cluster", news, "-o", tmp_path / "out")
    assert (ran.code, ran.out) == (0, "")
    assert names_in(tmp_path / "out") == FILES
    assert names_in(tmp_path) == ["news.jsonl", "out"]
    clusters = pq.read_table(tmp_path / "out/clusters.parquet").to_pylist()
    assert [row["doc_id"] for row in clusters] == ["a", "b", "c"]
    assert [row["relation"] for row in clusters] == ["representative", "exact", "unique"]
    assert [row["title"] for row in clusters] == ["Ferry back", "Ferry", "Bridge shut"]
    for word in ("articles", "clusters", "redundant", "time", "of text", "peak memory", "33.3%"):
        assert word in ran.err
    assert f"{tmp_path / 'out'}/clusters.parquet" in ran.err


def test_json_is_run_json_and_alone_on_stdout(news: Path, tmp_path: Path) -> None:
    ran = run("cluster", news, "-o", tmp_path / "out", "--json", "--quiet")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("\n") == 1
    assert json.loads(ran.out) == json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))


def test_json_without_quiet_leaves_stdout_clean(news: Path, tmp_path: Path) -> None:
    ran = call("cluster", news, "-o", tmp_path / "out", "--json", "-v")
    assert json.loads(ran.out)["counts"]["articles"] == 3


def test_run_json_holds_the_facts(news: Path, tmp_path: Path) -> None:
    call("cluster", news, "-o", tmp_path / "out", "--seed", "5", "--threads", "1")
    facts = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))
    assert facts["inputs"] == [str(news)]
    assert facts["config"]["seed"] == 5
    assert facts["columns"]["published_at"] == "date"
    assert facts["columns"]["source"] is None
    assert facts["counts"]["relations"] == {
        "unique": 1,
        "representative": 1,
        "exact": 1,
        "near": 0,
        "partial": 0,
        "linked": 0,
    }
    assert facts["counts"]["rejected"] == 0
    assert set(facts["banding"]) == {"bands", "rows_per_band", "recall_at_threshold"}
    assert facts["seconds"]["total"] >= 0
    assert facts["peak_memory_bytes"] > 1 << 20
    footer = pq.read_metadata(tmp_path / "out/clusters.parquet").metadata
    assert footer[b"samestory.fingerprint"].decode() == facts["fingerprint"]


def test_quiet_says_nothing(news: Path, tmp_path: Path) -> None:
    ran = call("cluster", news, "-o", tmp_path / "out", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert names_in(tmp_path / "out") == FILES


def test_quiet_still_says_what_is_wrong(tmp_path: Path) -> None:
    ran = call("cluster", tmp_path / "absent.parquet", "-o", tmp_path / "out", "-q")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: ")


def test_verbose_shows_columns_and_bands(news: Path, tmp_path: Path) -> None:
    ran = call("cluster", news, "-o", tmp_path / "out", "-v")
    for word in ("doc_id", "published_at", "date", "bands", "recall", "verify"):
        assert word in ran.err


def test_standard_input(tmp_path: Path) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    ran = run("cluster", "-", "-o", tmp_path / "out", stdin=lines)
    assert ran.code == 0
    clusters = pq.read_table(tmp_path / "out/clusters.parquet")
    assert clusters["doc_id"].to_pylist() == ["a", "b", "c"]
    assert clusters["cluster_size"].to_pylist() == [2, 2, 1]


def test_several_inputs_in_the_order_given(tmp_path: Path) -> None:
    one, two = write_lines(tmp_path / "z.jsonl", ROWS[:1]), write_lines(tmp_path / "a.jsonl", ROWS[1:])
    assert call("cluster", one, two, "-o", tmp_path / "out").code == 0
    clusters = pq.read_table(tmp_path / "out/clusters.parquet")
    assert clusters["doc_id"].to_pylist() == ["a", "b", "c"]


def test_without_ids_the_place_is_the_id(tmp_path: Path) -> None:
    write_lines(tmp_path / "n.jsonl", [{"text": row["text"]} for row in ROWS])
    call("cluster", tmp_path / "n.jsonl", "-o", tmp_path / "out")
    ids = pq.read_table(tmp_path / "out/clusters.parquet")["doc_id"].to_pylist()
    assert [name.rpartition(":")[2] for name in ids] == ["1", "2", "3"]
    assert all("n.jsonl:" in name for name in ids)


def test_settings_reach_the_run(news: Path, tmp_path: Path) -> None:
    options = {
        "--threshold": "0.55",
        "--containment": "0.35",
        "--founder-overlap": "0.2",
        "--shingle": "char:7",
        "--num-perm": "64",
        "--seed": "9",
        "--recall": "0.9",
        "--representative": "longest",
        "--threads": "1",
        "--on-error": "skip",
        "--id-column": "id",
        "--text-column": "title",
        "--title-column": "text",
        "--date-column": "date",
        "--source-column": "text",
        "--url-column": "id",
        "--format": "jsonl",
    }
    flat = [word for pair in options.items() for word in pair]
    flags = ["--no-partial", "--no-boilerplate"]
    ran = call("cluster", news, "-o", tmp_path / "out", "--json", *flat, *flags)
    assert ran.code == 0
    facts = json.loads(ran.out)
    assert (facts["config"]["partial"], facts["config"]["boilerplate"]) == (False, False)
    given = {name[2:].replace("-", "_"): value for name, value in options.items()}
    assert {name: str(facts["config"][name]) for name in given} == given
    assert facts["columns"]["text"] == "title"


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_old_result(news: Path, tmp_path: Path, overwrite: bool) -> None:
    call("cluster", news, "-o", tmp_path / "out")
    before = (tmp_path / "out/run.json").read_bytes()
    ran = call("cluster", news, "-o", tmp_path / "out", "--seed", "2", *["--overwrite"] * overwrite)
    after = (tmp_path / "out/run.json").read_bytes()
    assert ran.code == (0 if overwrite else 2)
    assert (after != before) == overwrite
    if not overwrite:
        assert "not empty" in ran.err
        assert "Hint: " in ran.err
        assert "--overwrite" in ran.err


def test_where_it_cannot_write_is_found_before_the_work(news: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    ran = call("cluster", tmp_path / "absent.jsonl", "-o", tmp_path / "out")
    assert ran.code == 2
    assert "is a file" in ran.err


# --- Stories -------------------------------------------------------------------

REPORTS = (
    {"id": "a", "title": "Ferry sinks off Marmora island, 41 dead", "date": "2025-03-01T08:00:00Z"},
    {"id": "b", "title": "Marmora mourns 41 victims of ferry sinking", "date": "2025-03-02T08:00:00Z"},
    {"id": "c", "title": "Divers search sunken ferry near Marmora", "date": "2025-03-02T10:00:00Z"},
    {"id": "d", "title": "Wheat harvest in Dorvania falls by a third", "date": "2025-03-01T09:00:00Z"},
)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A file of three reports of one event and one of another."""
    return write_lines(tmp_path / "reports.jsonl", [{"text": "", **row} for row in REPORTS])


def test_stories_in_their_own_process(reports: Path, tmp_path: Path) -> None:
    ran = run("cluster", reports, "-o", tmp_path / "out", "--level", "story")
    assert (ran.code, ran.out) == (0, "")
    assert names_in(tmp_path / "out") == [*FILES, "stories.parquet"]
    clusters = pq.read_table(tmp_path / "out/clusters.parquet").to_pylist()
    assert [row["story_id"] for row in clusters] == ["a", "a", "a", "d"]
    assert [row["relation"] for row in clusters] == ["unique"] * 4
    (line,) = [line for line in ran.err.splitlines() if line.split()[:1] == ["stories"]]
    assert line.split()[1] == "2"
    assert "1 of them told in other words" in line
    assert "largest stories" in ran.err
    assert "held together by" in ran.err
    assert "Ferry sinks off Marmora" in ran.err
    for word in ("marmora", "ferry", f"{tmp_path / 'out'}/clusters.parquet"):
        assert word in ran.err


def test_stories_are_of_several_clusters_to_be_shown(news: Path, tmp_path: Path) -> None:
    ran = call("cluster", news, "-o", tmp_path / "out", "--level", "story")
    assert ran.code == 0
    assert any(line.split()[:2] == ["stories", "2"] for line in ran.err.splitlines())
    assert "largest stories" not in ran.err


def test_without_stories_none_are_told_of(news: Path, tmp_path: Path) -> None:
    ran = call("cluster", news, "-o", tmp_path / "out", "--json", "-v")
    assert "stories" not in json.loads(ran.out)
    assert "stories" not in ran.err


def test_json_has_stories(reports: Path, tmp_path: Path) -> None:
    ran = call("cluster", reports, "-o", tmp_path / "out", "--level", "story", "--json", "-q")
    assert (ran.code, ran.err) == (0, "")
    facts = json.loads(ran.out)
    assert facts["config"]["level"] == "story"
    assert (facts["stories"]["stories"], facts["stories"]["of_several_clusters"]) == (2, 1)
    assert facts["stories"]["largest"][0]["story_id"] == "a"


def test_settings_of_stories_reach_the_run(reports: Path, tmp_path: Path) -> None:
    options = ["--level", "story", "--story-threshold", "0.99", "--story-window", "36h"]
    ran = call("cluster", reports, "-o", tmp_path / "out", "--json", *options)
    assert ran.code == 0
    facts = json.loads(ran.out)
    assert (facts["config"]["story_threshold"], facts["config"]["story_window"]) == (0.99, "36h")
    assert facts["stories"]["stories"] == 4


def test_overwriting_stories_without_any_takes_them_away(reports: Path, tmp_path: Path) -> None:
    call("cluster", reports, "-o", tmp_path / "out", "--level", "story")
    assert call("cluster", reports, "-o", tmp_path / "out", "--overwrite").code == 0
    assert names_in(tmp_path / "out") == FILES


@pytest.mark.parametrize("value", ["7", "0d", "-1d", "soon"])
def test_a_wrong_window_is_told_what_is_right(reports: Path, tmp_path: Path, value: str) -> None:
    ran = call("cluster", reports, "-o", tmp_path / "out", f"--story-window={value}")
    assert (ran.code, ran.out) == (2, "")
    assert repr(value) in ran.err
    assert "Hint: " in ran.err
    assert "36h" in ran.err


def test_titles_that_command_a_terminal_are_shown_harmless(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J Ferry sinks off Marmora, 41 dead"
    rows = [{"id": "a", "text": "", "title": evil}, {**REPORTS[1], "text": ""}]
    ran = call("cluster", write_lines(tmp_path / "n.jsonl", rows), "-o", tmp_path / "out", "--level", "story")
    assert ran.code == 0
    assert "largest stories" in ran.err
    assert "\x1b" not in ran.err
    assert "\x07" not in ran.err


# --- Broken input --------------------------------------------------------------


def broken_input(folder: Path) -> Path:
    path = write_lines(folder / "broken.jsonl")
    path.write_text(path.read_text() + '{"id": "d", "text": "cut o\n' + json.dumps(ROWS[0]) + "\n")
    return path


def test_a_broken_line_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    ran = run("cluster", broken_input(tmp_path), "-o", tmp_path / "out")
    assert (ran.code, ran.out) == (2, "")
    assert "broken.jsonl:4" in ran.err
    assert "Hint: " in ran.err
    assert "--on-error skip" in ran.err
    assert "Traceback" not in ran.err
    assert names_in(tmp_path) == ["broken.jsonl"]


def test_broken_lines_and_repeated_ids_are_set_aside(tmp_path: Path) -> None:
    ran = call("cluster", broken_input(tmp_path), "-o", tmp_path / "out", "--on-error", "skip", "--json")
    assert ran.code == 0
    assert names_in(tmp_path / "out") == ["clusters.parquet", "pairs.parquet", "rejects.jsonl", "run.json"]
    rejects = [json.loads(line) for line in (tmp_path / "out/rejects.jsonl").read_text().splitlines()]
    assert [(reject["row"], set(reject)) for reject in rejects] == [
        (4, {"file", "row", "reason", "raw"}),
        (5, {"file", "row", "reason", "raw"}),
    ]
    assert rejects[0]["raw"] == '{"id": "d", "text": "cut o'
    assert "'a'" in rejects[1]["reason"]
    assert json.loads(ran.out)["counts"]["rejected"] == 2
    assert pq.read_table(tmp_path / "out/clusters.parquet")["doc_id"].to_pylist() == ["a", "b", "c"]


def test_nothing_set_aside_is_an_empty_record(news: Path, tmp_path: Path) -> None:
    call("cluster", news, "-o", tmp_path / "out", "--on-error", "skip")
    assert (tmp_path / "out/rejects.jsonl").read_text() == ""


def test_duplicate_ids_are_named_with_their_rows(tmp_path: Path) -> None:
    rows = [*ROWS, {"id": "b", "text": "x"}, {"id": "c", "text": "y"}]
    ran = call("cluster", write_lines(tmp_path / "twice.jsonl", rows), "-o", tmp_path / "out")
    assert ran.code == 2
    for part in ("duplicate ids", "'b'", "'c'", "twice.jsonl:2", "twice.jsonl:4", "twice.jsonl:5", "Hint: "):
        assert part in ran.err
    assert not (tmp_path / "out").exists()


def test_thousands_of_duplicate_ids_make_a_short_message(tmp_path: Path) -> None:
    rows = [{"id": f"d{i % 500}", "text": "x"} for i in range(2000)]
    ran = call("cluster", write_lines(tmp_path / "twice.jsonl", rows), "-o", tmp_path / "out")
    assert ran.code == 2
    assert len(ran.err) < 1500
    assert "more" in ran.err


@pytest.mark.parametrize("name", ["absent.parquet", "absent/", "absent*.jsonl"])
def test_missing_input(tmp_path: Path, name: str) -> None:
    ran = call("cluster", f"{tmp_path}/{name}", "-o", tmp_path / "out")
    assert ran.code == 2
    assert name in ran.err
    assert "Hint: " in ran.err
    assert not (tmp_path / "out").exists()


def test_an_empty_directory_and_a_file_without_text(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert call("cluster", tmp_path / "empty", "-o", tmp_path / "out").code == 2
    write_lines(tmp_path / "n.jsonl", [{"id": "a", "words": "x"}])
    ran = call("cluster", tmp_path / "n.jsonl", "-o", tmp_path / "out")
    assert ran.code == 2
    assert "--text-column" in ran.err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--threshold", "1.5"),
        ("--threshold", "0.001"),
        ("--threshold", "many"),
        ("--num-perm", "1"),
        ("--shingle", "letters:5"),
        ("--representative", "shortest"),
        ("--level", "event"),
        ("--story-threshold", "0.01"),
        ("--story-threshold", "1"),
        ("--story-threshold", "high"),
        ("--story-window", "7"),
        ("--story-window", "0d"),
        ("--threads", "0"),
        ("--recall", "1"),
        ("--nonsense", "1"),
    ],
)
def test_an_impossible_setting(news: Path, tmp_path: Path, option: str, value: str) -> None:
    ran = call("cluster", news, "-o", tmp_path / "out", option, value)
    assert (ran.code, ran.out) == (2, "")
    assert "Error: " in ran.err
    assert "Traceback" not in ran.err
    assert option.lstrip("-").replace("-", "_") in ran.err.replace("-", "_")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="what is measured differs from system to system")
def test_peak_memory_is_that_of_the_run_alone(tmp_path: Path) -> None:
    write_lines(tmp_path / "news.jsonl")
    started_by_a_large_one = (
        "import subprocess, sys; held = b'x' * (600 << 20);"
        " sys.exit(subprocess.run([sys.executable, '-m', 'samestory', *sys.argv[1:]]).returncode)"
    )
    words = ["cluster", str(tmp_path / "news.jsonl"), "-o", str(tmp_path / "out"), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", started_by_a_large_one, *words], capture_output=True, env=environment()
    )
    assert done.returncode == 0, done.stderr.decode()
    assert 50 << 20 < json.loads(done.stdout)["peak_memory_bytes"] < 600 << 20
