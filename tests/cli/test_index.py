"""`samestory index`: what it prints, changes and refuses."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from command import BRIDGE, FERRY, ROWS, call, read_lines, run, run_on_terminal, write_lines

import samestory.cli.jobs
from samestory import Index
from samestory.cli import app
from samestory.index.locks import write_lock

assert samestory.cli.jobs  # so that it has the real function, not that of the fixture
COMMANDS = ("info", "verify", "compact", "expire", "export", "delete", "resolve")
MORE = {
    "expire": ["--before", "2025-01-01"],
    "export": ["-o", "out"],
    "delete": ["a"],
    "resolve": ["a"],
}
EVIL = "\x1b]0;owned\x07\x1b[2J\u202egnp\x9b31m\tx\n"
OBEYED = ("\x1b]0;", "\x1b[2J", "\x07", "\u202e", "\x9b")


@pytest.fixture(autouse=True)
def _an_ordinary_process() -> Iterator[None]:
    with mock.patch("samestory.cli.startup.lighten_startup"):
        yield


@pytest.fixture
def folder(news: Path, tmp_path: Path) -> Path:
    """An index of three articles, the second a copy of the first."""
    assert call("ingest", news, "--index", tmp_path / "ix", "-q").code == 0
    return tmp_path / "ix"


def n_articles(folder: Path) -> int:
    with Index.open(folder, readonly=True) as index:
        return len(index)


def some_articles() -> list[dict[str, Any]]:
    """Sixty articles, a third of them edited copies or excerpts of others."""
    rng = random.Random(5)
    rows: list[dict[str, Any]] = []
    for n in range(60):
        words = [f"word{rng.randrange(3000)}" for _ in range(80)]
        if rows and rng.random() < 0.35:
            words = rng.choice(rows)["text"].split()
            if rng.random() < 0.5:
                words = words[: len(words) // 2]
            words[rng.randrange(len(words))] = "edited"
        day = rng.randrange(1, 28)
        rows.append({"id": f"d{n}", "text": " ".join(words), "date": f"2025-03-{day:02}", "title": f"T{n}"})
    return rows


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples(command: str) -> None:
    shown = CliRunner().invoke(app, ["index", command, "--help"], prog_name="samestory")
    assert shown.exit_code == 0
    assert f"samestory index {command} " in shown.output.partition("Examples:")[2]
    assert max(map(len, shown.output.splitlines())) <= 80


def test_help_of_the_group() -> None:
    shown = CliRunner().invoke(app, ["index", "--help"], prog_name="samestory").output
    assert all(f"  {command} " in shown for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_there_is_no_index(tmp_path: Path, command: str) -> None:
    for name in ("none", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        more = [tmp_path / word if word == "out" else word for word in MORE.get(command, [])]
        ran = call("index", command, tmp_path / name, *more)
        assert (ran.code, ran.out) == (2, "")
        assert "there is no index at" in ran.err
        assert "samestory ingest" in ran.err
        assert "Traceback" not in ran.err
    assert not (tmp_path / "none").exists()


def test_info(folder: Path) -> None:
    ran = run("index", "info", folder)
    assert (ran.code, ran.err) == (0, "")
    words = [line.split()[:2] for line in ran.out.splitlines()]
    assert ["articles", "3"] in words
    assert ["clusters", "1"] in words
    assert max(map(len, ran.out.splitlines())) <= 80
    found = json.loads(call("index", "info", folder, "--json").out)
    assert (found["articles"], found["texts"], found["unique"]) == (3, 2, 1)
    assert found["config"]["threshold"] == 0.7
    assert "num_perm" in call("index", "info", folder, "-v").out


def test_verify(folder: Path) -> None:
    for arguments in ([], ["--deep"]):
        ran = call("index", "verify", folder, *arguments)
        assert (ran.code, ran.out, ran.err) == (0, "the index is sound\n", "")
    assert call("index", "verify", folder, "-q").out == ""
    assert json.loads(call("index", "verify", folder, "--json").out) == {"sound": True, "wrong": []}


def test_verify_finds_damage(folder: Path) -> None:
    data = (folder / "data.mdb").read_bytes()
    # All of them: some are on pages that are no longer used.
    (folder / "data.mdb").write_bytes(data.replace(b'"n_articles"', b'"x_articles"'))
    ran = run("index", "verify", folder)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.strip()
    assert "Traceback" not in ran.err
    ran = run("index", "verify", folder, "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["sound"]) == (2, False)
    assert found["wrong"]


def test_every_fault_has_a_line(folder: Path) -> None:
    with mock.patch("samestory.index.durable.Index.verify", return_value=["one\nof two", EVIL]):
        ran = call("index", "verify", folder)
    assert (ran.code, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert lines[0] == "one\\nof two"
    assert len(lines) == 2
    assert [sequence for sequence in OBEYED if sequence in ran.err] == []


def test_compact(folder: Path) -> None:
    if not hasattr(Index, "compact"):
        pytest.skip("Index.compact is not there yet")
    ran = call("index", "compact", folder, "--json")
    assert ran.code == 0, ran.err
    assert all(value > 0 for value in json.loads(ran.out).values())
    told = call("index", "compact", folder)
    assert (told.code, told.out) == (0, "")
    assert [line.split()[0] for line in told.err.splitlines()] == ["size", "articles", "time"]
    assert n_articles(folder) == 3
    assert call("index", "verify", folder, "--deep").code == 0


def test_expire(folder: Path) -> None:
    ran = call("index", "expire", folder, "--before", "2025-03-02")
    assert (ran.code, ran.out) == (0, "")
    assert "2 articles taken out, 1 left" in ran.err
    ran = call("index", "expire", folder, "--before", "2025-03-02T08:00:00Z", "--json")
    assert json.loads(ran.out) == {"expired": 0, "articles": 1}


def test_expire_before_what(folder: Path) -> None:
    ran = call("index", "expire", folder, "--before", "last week")
    assert ran.code == 2
    assert "'last week' is not a date" in ran.err
    assert call("index", "expire", folder).code == 2
    assert n_articles(folder) == 3


def test_delete(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("c\r\n\n")
    ran = call("index", "delete", folder, "a", "--ids-from", tmp_path / "ids.txt")
    assert (ran.code, ran.out) == (0, "")
    assert "2 articles taken out, 1 left" in ran.err
    assert call("index", "resolve", folder, "a").out == "a\tb\n"
    ran = call("index", "delete", folder, "--ids-from", "-", "--json", stdin="b")
    assert json.loads(ran.out) == {"deleted": 1, "articles": 0}


def test_delete_all_or_none(folder: Path) -> None:
    ran = call("index", "delete", folder, "a", "nobody")
    assert (ran.code, ran.out) == (2, "")
    assert "'nobody'" in ran.err
    assert n_articles(folder) == 3


@pytest.mark.parametrize("command", ["delete", "resolve"])
def test_ids_that_are_none(folder: Path, tmp_path: Path, command: str) -> None:
    ran = call("index", command, folder)
    assert ran.code == 2
    assert "--ids-from" in ran.err
    ran = call("index", command, folder, "--ids-from", tmp_path / "none.txt")
    assert ran.code == 2
    assert "none.txt: cannot be read" in ran.err
    (tmp_path / "bad.txt").write_bytes(b"a\n\xff\n")
    ran = call("index", command, folder, "--ids-from", tmp_path / "bad.txt")
    assert ran.code == 2
    assert "not valid UTF-8" in ran.err


def test_resolve(folder: Path) -> None:
    ran = call("index", "resolve", folder, "b", "c", "a")
    assert (ran.code, ran.out, ran.err) == (0, "b\ta\nc\tc\na\ta\n", "")
    assert json.loads(call("index", "resolve", folder, "b", "--json").out) == {"b": "a"}
    ran = call("index", "resolve", folder, "a", "nobody")
    assert (ran.code, ran.out) == (2, "")
    assert "'nobody'" in ran.err


def test_ids_are_not_obeyed(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "n.jsonl", [{"id": EVIL, "text": FERRY}])
    assert call("ingest", path, "--index", tmp_path / "ix").code == 0
    (tmp_path / "ids.txt").write_text(EVIL.rstrip("\n"), encoding="utf-8")
    shown = [
        call("index", "resolve", tmp_path / "ix", EVIL),
        call("index", "resolve", tmp_path / "ix", EVIL, "--json"),
        run_on_terminal("index", "delete", tmp_path / "ix", EVIL + EVIL),
        run_on_terminal("index", "resolve", tmp_path / "ix", "--ids-from", tmp_path / "ids.txt"),
        run_on_terminal("index", "info", tmp_path / EVIL.strip()),
    ]
    assert [ran.code for ran in shown] == [0, 0, 2, 2, 2]
    assert shown[0].out.count("\n") == 1
    assert json.loads(shown[1].out) == {EVIL: EVIL}
    for ran in shown:
        assert [sequence for sequence in OBEYED if sequence in ran.out + ran.err] == []


def test_export_is_what_cluster_finds(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "n.jsonl", some_articles())
    arguments = ["--index", tmp_path / "ix", "--no-boilerplate", "-q"]
    assert call("ingest", path, *arguments, "--batch-size", "7").code == 0
    assert call("cluster", path, "-o", tmp_path / "want", "--no-boilerplate", "-q").code == 0
    ran = call("index", "export", tmp_path / "ix", "-o", tmp_path / "got")
    assert (ran.code, ran.out) == (0, "")
    assert "60 articles" in ran.err
    for name in ("clusters.parquet", "pairs.parquet"):
        got, want = (pq.read_table(tmp_path / place / name) for place in ("got", "want"))
        assert len(want) > 5
        assert got.to_pylist() == want.to_pylist()
    facts = json.loads((tmp_path / "got/run.json").read_text())
    assert facts["counts"]["articles"] == 60


def test_export_replaces_nothing_unasked(folder: Path, tmp_path: Path) -> None:
    arguments = ["index", "export", folder, "-o", tmp_path / "out"]
    found = json.loads(call(*arguments, "--json").out)
    assert found["counts"]["clusters"] == 1
    ran = call(*arguments)
    assert ran.code == 2
    assert "--overwrite" in ran.err
    assert call(*arguments, "--overwrite", "-q").code == 0


@pytest.mark.parametrize("command", ["compact", "expire", "delete"])
def test_what_writes_waits_for_the_lock(folder: Path, command: str) -> None:
    if command == "compact" and not hasattr(Index, "compact"):
        pytest.skip("Index.compact is not there yet")
    more = ["--before", "2025-03-02"] if command == "expire" else MORE.get(command, [])
    with write_lock(folder, 0):
        ran = call("index", command, folder, *more, "--lock-timeout", "0")
    assert ran.code == 2
    assert "is writing to the index" in ran.err
    assert n_articles(folder) == 3


def test_what_only_asks_does_not_wait(folder: Path, tmp_path: Path) -> None:
    with write_lock(folder, 0):
        for command, more in (
            ("info", []),
            ("verify", []),
            ("resolve", ["b"]),
            ("export", ["-o", tmp_path / "o"]),
        ):
            assert call("index", command, folder, *more).code == 0


def test_settings_of_the_environment(folder: Path) -> None:
    ran = call("index", "info", folder, SAMESTORY_INDEX_INFO_JSON="1")
    assert json.loads(ran.out)["articles"] == 3


def test_what_an_update_leaves_resolvable(folder: Path) -> None:
    rows = "".join(json.dumps({**ROWS[n], "text": BRIDGE}) + "\n" for n in (0, 1))
    assert len(read_lines(call("ingest", "-", "--index", folder, stdin=rows).out)) == 2
    assert call("index", "resolve", folder, "a", "b", "c").out == "a\ta\nb\ta\nc\ta\n"
