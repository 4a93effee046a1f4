"""`samestory ingest`: files and streams into an index, and what each article is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from unittest import mock

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from command import (
    BRIDGE,
    FERRY,
    ROWS,
    SAMESTORY,
    call,
    environment,
    read_lines,
    run,
    run_on_terminal,
    write_lines,
)

import samestory.cli.jobs
from samestory import Index, schema
from samestory.index.locks import write_lock

assert samestory.cli.jobs  # so that it has the real function, not that of the fixture
EVIL = "\x1b]0;owned\x07\x1b[2J\u202egnp\x9b31m"
OBEYED = ("\x1b]0;", "\x1b[2J", "\x07", "\u202e", "\x9b")


@pytest.fixture(autouse=True)
def _an_ordinary_process() -> Iterator[None]:
    with mock.patch("samestory.cli.startup.lighten_startup"):
        yield


def as_lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def info(folder: Path) -> dict[str, Any]:
    with Index.open(folder, readonly=True) as index:
        return index.info()


def clusters(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["doc_id"]: row["cluster_id"] for row in rows}


def unlike(n: int) -> dict[str, Any]:
    """An article that has nothing in common with those of other numbers."""
    return {"id": f"u{n}", "text": " ".join(f"{word}{n}" for word in FERRY.split())}


class Running:
    """A `samestory ingest -` whose standard input stays open."""

    def __init__(self, *arguments: str | Path) -> None:
        self.process = subprocess.Popen(
            [*SAMESTORY, "ingest", "-", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(PYTHONUNBUFFERED=""),  # or a missing flush would go unnoticed
            bufsize=0,
        )

    def pipe(self, name: str) -> IO[bytes]:
        pipe: IO[bytes] = getattr(self.process, name)
        return pipe

    def say(self, *rows: Any) -> None:
        self.pipe("stdin").write(as_lines(*rows).encode())

    def hear(self, seconds: float = 60.0) -> dict[str, Any]:
        """The next line, waited for so long at most."""
        killer = threading.Timer(seconds, self.process.kill)
        killer.start()
        line = b""
        while not line.endswith(b"\n") and (letter := self.pipe("stdout").read(1)):
            line += letter
        killer.cancel()
        assert line, "no answer came"
        row: dict[str, Any] = json.loads(line)
        return row

    def finish(self) -> tuple[int, str]:
        """Close what it reads; its exit code and what it said."""
        self.pipe("stdin").close()
        self.process.stdin = None
        said = self.process.communicate(timeout=120)[1]
        return self.process.returncode, said.decode()


# Files


def test_a_file(news: Path, tmp_path: Path) -> None:
    ran = run("ingest", news, "--index", tmp_path / "ix", "-o", tmp_path / "a.parquet")
    assert (ran.code, ran.out) == (0, "")
    words = [line.split()[:2] for line in ran.err.splitlines()]
    assert ["articles", "3"] in words
    assert ["new", "2"] in words
    assert ["copies", "1"] in words
    found = pq.read_table(tmp_path / "a.parquet")
    assert found.schema.names == schema.ASSIGNED.names
    assert found["doc_id"].to_pylist() == ["a", "b", "c"]
    assert found["matched_id"].to_pylist() == [None, "a", None]
    assert info(tmp_path / "ix")["articles"] == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "ix", "news.jsonl"]


def test_without_a_file_there_is_a_summary_alone(news: Path, tmp_path: Path) -> None:
    ran = call("ingest", news, "--index", tmp_path / "ix")
    assert (ran.code, ran.out) == (0, "")
    assert "articles" in ran.err
    ran = call("ingest", news, "--index", tmp_path / "ix", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_the_summary_as_json(news: Path, tmp_path: Path) -> None:
    ran = call("ingest", news, "--index", tmp_path / "ix", "--json", "-o", tmp_path / "a.jsonl")
    found = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "")
    counts = {name: found[name] for name in ("batches", "articles", "new", "copies", "in_index", "rejected")}
    assert counts == {"batches": 1, "articles": 3, "new": 2, "copies": 1, "in_index": 3, "rejected": 0}


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.arrow", "a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_formats_of_the_answers(news: Path, tmp_path: Path, name: str) -> None:
    assert (
        call("ingest", news, "--index", tmp_path / "ix", "-o", tmp_path / name, "--batch-size", "2").code == 0
    )
    path = tmp_path / name
    if name.endswith((".csv", ".tsv")):
        options = pa.csv.ParseOptions(delimiter="\t" if name.endswith(".tsv") else ",")
        found = pa.csv.read_csv(path, parse_options=options)
    elif name.endswith(".arrow"):
        found = pa.feather.read_table(path)
    elif name.endswith(".parquet"):
        found = pq.read_table(path)
    else:
        with pa.input_stream(str(path)) as stream:
            found = pa.Table.from_pylist(read_lines(stream.read().decode()))
    assert found.column_names == schema.ASSIGNED.names
    assert found["doc_id"].to_pylist() == ["a", "b", "c"]


def test_answers_of_files_to_standard_output(news: Path, tmp_path: Path) -> None:
    ran = call("ingest", news, "--index", tmp_path / "ix", "-o", "-", "-q")
    assert [row["doc_id"] for row in read_lines(ran.out)] == ["a", "b", "c"]


def test_json_and_answers_cannot_share_standard_output(news: Path, tmp_path: Path) -> None:
    for arguments in ([news, "-o", "-"], ["-"]):
        ran = call("ingest", *arguments, "--index", tmp_path / "ix", "--json")
        assert (ran.code, ran.out) == (2, "")
        assert "--json" in ran.err
    assert not (tmp_path / "ix").exists()


def test_an_old_file_is_not_replaced_unasked(news: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("old\n")
    arguments = ["ingest", news, "--index", tmp_path / "ix", "-o", tmp_path / "a.jsonl"]
    ran = call(*arguments)
    assert ran.code == 2
    assert "--overwrite" in ran.err
    assert not (tmp_path / "ix").exists()
    assert call(*arguments, "--overwrite").code == 0
    assert len(read_lines((tmp_path / "a.jsonl").read_text())) == 3


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_batches_change_nothing_in_the_end(news: Path, tmp_path: Path, size: int) -> None:
    ran = call("ingest", news, "--index", tmp_path / "ix", "--batch-size", size, "--json")
    found = json.loads(ran.out)
    assert found["batches"] == -(-3 // size)
    assert found["new"] == 2
    with Index.open(tmp_path / "ix", readonly=True) as index:
        assert [index.resolve(doc_id) for doc_id in "abc"] == ["a", "a", "c"]


def test_again_changes_nothing(news: Path, tmp_path: Path) -> None:
    first = call("ingest", news, "--index", tmp_path / "ix", "-o", "-")
    batches = info(tmp_path / "ix")["batches"]
    again = call("ingest", news, "--index", tmp_path / "ix", "-o", "-", "--batch-size", "1")
    assert clusters(read_lines(again.out)) == clusters(read_lines(first.out))
    assert read_lines(again.out)[2] == read_lines(first.out)[2]
    assert (info(tmp_path / "ix")["articles"], info(tmp_path / "ix")["batches"]) == (3, batches)


def test_another_text_is_an_update(news: Path, tmp_path: Path) -> None:
    assert call("ingest", news, "--index", tmp_path / "ix").code == 0
    ran = call("ingest", "-", "--index", tmp_path / "ix", "-q", stdin=as_lines({**ROWS[1], "text": BRIDGE}))
    (row,) = read_lines(ran.out)
    assert (row["doc_id"], row["cluster_size"], row["relation"]) == ("b", 2, "representative")
    found = info(tmp_path / "ix")
    assert (found["articles"], found["texts"]) == (3, 2)


def test_clusters_that_are_joined_are_told(tmp_path: Path) -> None:
    words = [f"word{n}" for n in range(90)]
    ends = [{"id": "left", "text": " ".join(words[:60])}, {"id": "right", "text": " ".join(words[45:])}]
    whole = {"id": "whole", "text": " ".join(words)}
    arguments = ["ingest", "-", "--index", tmp_path / "ix", "--no-boilerplate", "--containment", "0.6"]
    first = call(*arguments, stdin=as_lines(*ends))
    assert clusters(read_lines(first.out)) == {"left": "left", "right": "right"}
    ran = call(*arguments, stdin=as_lines(whole))
    (row,) = read_lines(ran.out)
    assert row["merged_cluster_ids"] == ["left", "right"]
    assert ["merged", "2"] in [line.split()[:2] for line in ran.err.splitlines()]
    found = run("index", "resolve", tmp_path / "ix", "left", "right", "whole")
    assert found.out == "left\tleft\nright\tleft\nwhole\tleft\n"


def test_window(tmp_path: Path) -> None:
    rows = [{**unlike(n), "date": f"2025-03-{n + 1:02}T00:00:00Z"} for n in range(10)]
    path = write_lines(tmp_path / "n.jsonl", rows)
    ran = call("ingest", path, "--index", tmp_path / "ix", "--window", "72h", "--batch-size", "4", "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["expired"], found["in_index"]) == (0, 6, 4)
    assert info(tmp_path / "ix")["first_published_at"].startswith("2025-03-07")


@pytest.mark.parametrize("window", ["0d", "3", "3 days", "-1d", "d"])
def test_a_window_that_is_none(news: Path, tmp_path: Path, window: str) -> None:
    ran = call("ingest", news, "--index", tmp_path / "ix", f"--window={window}")
    assert ran.code == 2
    assert "36h" in ran.err


def test_metrics(news: Path, tmp_path: Path) -> None:
    arguments = ["ingest", news, "--index", tmp_path / "ix", "-q", "--batch-size", "2"]
    for _ in range(2):
        assert call(*arguments, "--metrics", tmp_path / "m.jsonl").code == 0
    found = read_lines((tmp_path / "m.jsonl").read_text())
    assert [row["articles"] for row in found] == [2, 1, 2, 1]
    assert found[1]["n_articles"] == 3
    assert {"at", "new", "copies", "merged_clusters", "expired", "rejected", "seconds"} <= found[0].keys()
    assert len(read_lines(call(*arguments, "--metrics", "-").err)) == 2


def test_metrics_that_cannot_be_written(news: Path, tmp_path: Path) -> None:
    ran = call("ingest", news, "--index", tmp_path / "ix", "--metrics", tmp_path / "none" / "m.jsonl")
    assert ran.code == 2
    assert "m.jsonl: cannot be written" in ran.err
    assert info(tmp_path / "ix")["articles"] == 0


# Settings


def test_settings_that_are_not_given_are_the_index_s_own(news: Path, tmp_path: Path) -> None:
    made = ["--threshold", "0.8", "--shingle", "char:9", "--no-boilerplate"]
    assert call("ingest", news, "--index", tmp_path / "ix", *made).code == 0
    assert call("ingest", news, "--index", tmp_path / "ix").code == 0
    assert call("ingest", news, "--index", tmp_path / "ix", "--threshold", "0.8").code == 0
    found = info(tmp_path / "ix")["config"]
    assert (found["threshold"], found["shingle"], found["containment"]) == (0.8, "char:9", 0.45)


@pytest.mark.parametrize("where", ["option", "file", "environment"])
def test_settings_that_differ_are_an_error(news: Path, tmp_path: Path, where: str) -> None:
    assert call("ingest", news, "--index", tmp_path / "ix").code == 0
    (tmp_path / "s.toml").write_text("threshold = 0.6\n")
    words: dict[str, list[str | Path]] = {
        "option": ["--threshold", "0.6"],
        "file": ["--config", tmp_path / "s.toml"],
        "environment": [],
    }
    changes = {"SAMESTORY_INGEST_THRESHOLD": "0.6"} if where == "environment" else {}
    ran = call("ingest", news, "--index", tmp_path / "ix", *words[where], **changes)
    assert ran.code == 2
    assert "threshold is 0.7 there, 0.6 here" in ran.err
    # The default, said aloud, differs from what an index was made with as any other value does.
    assert call("ingest", news, "--index", tmp_path / "jx", "--threshold", "0.6").code == 0
    assert call("ingest", news, "--index", tmp_path / "jx", "--threshold", "0.7").code == 2


def test_settings_of_a_file_and_the_environment(news: Path, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(
        f"index = '{tmp_path / 'ix'}'\nbatch-size = 1\nnum_perm = 64\njson = true\n"
    )
    changes = {"SAMESTORY_INGEST_SEED": "7", "SAMESTORY_INGEST_OUTPUT": str(tmp_path / "a.jsonl")}
    ran = call("ingest", news, "--config", tmp_path / "s.toml", **changes)
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["batches"] == 3
    found = info(tmp_path / "ix")["config"]
    assert (found["num_perm"], found["seed"]) == (64, 7)
    assert (tmp_path / "a.jsonl").exists()


def test_an_unknown_key(news: Path, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("batchsize = 5\n")
    ran = call("ingest", news, "--index", tmp_path / "ix", "--config", tmp_path / "s.toml")
    assert ran.code == 2
    assert "batchsize" in ran.err
    assert not (tmp_path / "ix").exists()


def test_columns_may_be_named_anew_each_time(tmp_path: Path) -> None:
    one, two = ({"key": "a", "words": FERRY, "text": "no"}, {"id": "b", "text": FERRY})
    names = ["--id-column", "key", "--text-column", "words"]
    assert call("ingest", "-", "--index", tmp_path / "ix", *names, stdin=as_lines(one)).code == 0
    ran = call("ingest", write_lines(tmp_path / "n.jsonl", [two]), "--index", tmp_path / "ix", "-o", "-")
    (row,) = read_lines(ran.out)
    assert (row["cluster_id"], row["matched_id"]) == ("a", "a")


# Streams


def test_answers_come_while_the_stream_is_open(tmp_path: Path) -> None:
    running = Running("--index", tmp_path / "ix", "--batch-seconds", "0.1", "-q")
    running.say(ROWS[0])
    assert running.hear()["cluster_id"] == "a"
    begin = time.monotonic()
    running.say(ROWS[1], ROWS[2])
    assert [running.hear()["matched_id"] for _ in range(2)] == ["a", None]
    assert time.monotonic() - begin < 10
    # Others see it while it goes on.
    assert info(tmp_path / "ix")["articles"] == 3
    assert running.finish() == (0, "")


def test_a_full_batch_does_not_wait(tmp_path: Path) -> None:
    running = Running("--index", tmp_path / "ix", "--batch-size", "2", "--batch-seconds", "3600", "-q")
    running.say(*ROWS)
    assert [running.hear()["doc_id"] for _ in range(2)] == ["a", "b"]
    code, _ = running.finish()
    assert code == 0
    assert info(tmp_path / "ix")["articles"] == 3


def test_what_a_line_of_a_stream_says(tmp_path: Path) -> None:
    ran = run("ingest", "-", "--index", tmp_path / "ix", stdin=as_lines(*ROWS))
    assert ran.code == 0
    rows = read_lines(ran.out)
    assert [list(row) for row in rows] == [schema.ASSIGNED.names] * 3
    assert rows[0]["published_at"] == "2025-03-01T08:00:00+00:00"
    assert (rows[0]["story_id"], rows[0]["source"], rows[0]["merged_cluster_ids"]) == (None, None, [])
    assert "in the index" in ran.err


def test_a_stream_to_a_file(tmp_path: Path) -> None:
    ran = call("ingest", "-", "--index", tmp_path / "ix", "-o", tmp_path / "a.csv", stdin=as_lines(*ROWS))
    assert (ran.code, ran.out) == (0, "")
    assert len(pa.csv.read_csv(tmp_path / "a.csv")) == 3


def test_an_empty_stream(tmp_path: Path) -> None:
    ran = call("ingest", "-", "--index", tmp_path / "ix", stdin="\n\n")
    assert (ran.code, ran.out) == (0, "")
    assert info(tmp_path / "ix")["articles"] == 0


def test_a_broken_line_stops_the_stream_after_what_came_before(tmp_path: Path) -> None:
    text = as_lines(*ROWS) + "not json\n" + as_lines(unlike(1))
    ran = call("ingest", "-", "--index", tmp_path / "ix", "--batch-size", "2", stdin=text)
    assert ran.code == 2
    assert "-:4: not valid JSON" in ran.err
    assert "1 batch with 2 articles before it is in the index" in ran.err
    assert [row["doc_id"] for row in read_lines(ran.out)] == ["a", "b"]
    assert info(tmp_path / "ix")["articles"] == 2


def test_broken_lines_are_set_aside(tmp_path: Path) -> None:
    text = "not json\n" + as_lines(*ROWS) + "[1]\n"
    arguments = ["ingest", "-", "--index", tmp_path / "ix", "--on-error", "skip", "--batch-size", "2"]
    ran = call(*arguments, "-q", stdin=text)
    assert ran.code == 0
    assert len(read_lines(ran.out)) == 3
    assert [(reject["file"], reject["row"]) for reject in read_lines(ran.err)] == [("-", 1), ("-", 5)]
    ran = call(*arguments, "-o", tmp_path / "a.jsonl", "--json", stdin=text)
    assert json.loads(ran.out)["rejected"] == 2
    assert [reject["row"] for reject in read_lines((tmp_path / "a.jsonl.rejects.jsonl").read_text())] == [
        1,
        5,
    ]


def test_broken_rows_of_a_file(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "n.jsonl")
    path.write_text(path.read_text() + "not json\n")
    arguments = ["ingest", path, "--index", tmp_path / "ix", "-o", tmp_path / "a.jsonl"]
    ran = call(*arguments)
    assert ran.code == 2
    assert "n.jsonl:4" in ran.err
    assert not (tmp_path / "a.jsonl").exists()
    assert call(*arguments, "--on-error", "skip").code == 0
    assert len(read_lines((tmp_path / "a.jsonl").read_text())) == 3


def test_a_file_is_whole_or_not_there_but_batches_stay(tmp_path: Path) -> None:
    write_lines(tmp_path / "1.jsonl", [unlike(n) for n in range(2000)])
    (tmp_path / "2.jsonl").write_text("not json\n")
    arguments = ["--index", tmp_path / "ix", "-o", tmp_path / "a.parquet", "--batch-size", "500"]
    ran = call("ingest", tmp_path / "1.jsonl", tmp_path / "2.jsonl", *arguments)
    assert ran.code == 2
    assert "batches with" in ran.err
    assert "before it are in the index" in ran.err
    assert info(tmp_path / "ix")["articles"] >= 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.jsonl", "2.jsonl", "ix"]


def test_a_stream_without_ids(tmp_path: Path) -> None:
    ran = call("ingest", "-", "--index", tmp_path / "ix", stdin=as_lines({"text": FERRY}))
    assert ran.code == 2
    assert "--id-column" in ran.err


# Others, interruptions, and whoever reads


def test_two_at_once(tmp_path: Path) -> None:
    paths = [
        write_lines(tmp_path / f"{k}.jsonl", [unlike(n) for n in range(k * 20, k * 20 + 20)])
        for k in range(2)
    ]
    both = [
        subprocess.Popen(
            [*SAMESTORY, "ingest", str(path), "--index", str(tmp_path / "ix"), "--batch-size", "5", "-q"],
            env=environment(),
        )
        for path in paths
    ]
    assert [process.wait(180) for process in both] == [0, 0]
    assert info(tmp_path / "ix")["articles"] == 40
    assert call("index", "verify", tmp_path / "ix", "--deep").code == 0


def test_one_waits_for_the_other(news: Path, tmp_path: Path) -> None:
    arguments = ["ingest", news, "--index", tmp_path / "ix", "-q"]
    assert call(*arguments).code == 0
    write_lines(news, [*ROWS, unlike(1)])
    with write_lock(tmp_path / "ix", 0):
        ran = call(*arguments, "--lock-timeout", "0")
        assert ran.code == 2
        assert "is writing to the index" in ran.err
        assert "--lock-timeout" in ran.err
        assert info(tmp_path / "ix")["articles"] == 3
        process = subprocess.Popen([*SAMESTORY, *map(str, arguments)], env=environment())
        time.sleep(2.5)
        assert process.poll() is None
    assert process.wait(120) == 0
    assert info(tmp_path / "ix")["articles"] == 4


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    running = Running("--index", tmp_path / "ix", "--batch-seconds", "0.05")
    running.say(ROWS[0])
    running.hear()
    running.pipe("stdin").write(b'{"id": "half')
    running.process.send_signal(number)
    said = running.pipe("stderr").read().decode()
    assert running.process.wait(60) == 130
    running.finish()
    assert "interrupted" in said
    assert "1 batch with 1 article before it is in the index" in said
    assert "Traceback" not in said
    assert "Fatal Python error" not in said
    assert info(tmp_path / "ix")["articles"] == 1


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    running = Running("--index", tmp_path / "ix", "--batch-seconds", "0", "-q")
    running.say(ROWS[0])
    running.hear()
    running.pipe("stdout").close()
    running.say(ROWS[1])
    said = running.pipe("stderr").read()
    assert running.process.wait(60) == 2
    assert said == b""
    running.process.stdout = None
    running.finish()
    assert info(tmp_path / "ix")["articles"] == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", [["ingest", "NEWS", "-o", "-"], ["index", "info"], ["cluster", "--help"]])
def test_standard_output_that_is_full(news: Path, tmp_path: Path, command: list[str]) -> None:
    index = tmp_path / "ix"
    if command == ["index", "info"]:
        call("ingest", news, "--index", index, "-q")
    where = {"ingest": ["--index", str(index)], "index": [str(index)]}.get(command[0], [])
    words = [str(news) if word == "NEWS" else word for word in command]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*SAMESTORY, *words, *where], stdout=full, stderr=subprocess.PIPE, env=environment(), timeout=600
        )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"standard output: cannot be written: No space left on device" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal(tmp_path: Path) -> None:
    rows = [{"id": EVIL, "text": FERRY, "title": EVIL, "date": EVIL}, {"id": "b", "text": FERRY}]
    path = write_lines(tmp_path / "n.jsonl", rows)
    ran = run_on_terminal("ingest", path, "--index", tmp_path / "ix", "-o", tmp_path / "a.jsonl", "-v")
    assert ran.code == 0
    assert "Ingesting" in ran.err
    assert "Warning" in ran.err
    path.write_text(path.read_text() + f'{{"id": "{EVIL}\n')
    broken = run_on_terminal("ingest", path, "--index", tmp_path / "ix")
    assert broken.code == 2
    assert "owned" in broken.err
    assert [sequence for sequence in OBEYED if sequence in ran.err.partition("Warning")[2] + broken.err] == []


def test_help_is_quick_and_has_examples() -> None:
    begin = os.times()
    ran = run("ingest", "--help")
    used = sum(os.times()[2:4]) - sum(begin[2:4])
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "samestory ingest " in ran.out.partition("Examples:")[2]
    assert used < 1.0
