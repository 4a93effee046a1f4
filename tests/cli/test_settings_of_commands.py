"""Settings files of all commands: a table for each, over the top level, and nothing unknown in any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import call

from samestory.cli import app


@pytest.fixture
def place(news: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(news.parent)
    return news.parent


def seed_of(place: Path, settings: str, *words: str, **changes: str) -> int:
    """The seed that a run had; any setting would do."""
    (place / "s.toml").write_text(settings)
    found = call(
        "cluster", "news.jsonl", "-o", "o", "--dry-run", "--json", "--config", "s.toml", *words, **changes
    )
    assert found.code == 0, found.err
    seed: int = json.loads(found.out)["config"]["seed"]
    return seed


def test_what_counts_more(place: Path) -> None:
    both = "seed = 2\n[cluster]\nseed = 3\n"
    changed = {"SAMESTORY_CLUSTER_SEED": "4"}
    assert seed_of(place, "") == 1
    assert seed_of(place, "seed = 2\n") == 2
    assert seed_of(place, both) == 3
    assert seed_of(place, both, **changed) == 4
    assert seed_of(place, both, "--seed", "5", **changed) == 5


def test_only_the_table_of_the_command_counts(place: Path) -> None:
    assert seed_of(place, "seed = 2\n[dedup]\nseed = 3\n[index.compact]\nlock-timeout = 3\n") == 2


def test_the_file_may_be_named_in_the_environment(place: Path) -> None:
    (place / "s.toml").write_text("seed = 7\n")
    ran = call("cluster", "news.jsonl", "-o", "o", "--dry-run", "--json", SAMESTORY_CLUSTER_CONFIG="s.toml")
    assert json.loads(ran.out)["config"]["seed"] == 7


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return [path]
    return [found for name, one in inner.items() for found in commands(one, (*path, name))]


@pytest.mark.parametrize("path", commands(app), ids=" ".join)
def test_every_command_takes_one(place: Path, path: tuple[str, ...]) -> None:
    (place / "s.toml").write_text(f"[{'.'.join(path)}]\nquiet = 3\n")
    ran = call(*path, "--config", "s.toml", "x", "y", "z")
    assert ran.code == 2
    assert ran.err.splitlines()[0] == f"Error: s.toml: {'.'.join((*path, 'quiet'))} is 3, not true or false"
    shown = call(*path, "--help").out
    for option in ("--config FILE.toml", "--json", "--quiet", "--verbose", "Examples:"):
        assert option in shown


@pytest.mark.parametrize(
    ("settings", "error", "hint"),
    [
        ("treshold = 1", "has the unknown key 'treshold'", "did you mean threshold?"),
        ("[cluster]\ntreshold = 1", "in [cluster] has the unknown key 'treshold'", "did you mean threshold?"),
        ("[evaluate]\nsweeep = true", "in [evaluate] has the unknown key 'sweeep'", "did you mean sweep?"),
        ("fail-on-duplicates = true", "unknown key 'fail-on-duplicates'", "put it in the table [dedup]"),
        ("[clutser]\nseed = 1", "[clutser] is the table of no command", "did you mean cluster?"),
        ("[index]\njson = true", "json stands in [index]", "[index.info]"),
        ("[index.compat]\njson = true", "[index.compat] is the table of no command", "did you mean compact?"),
        ("[cluster.more]\nseed = 1", "[cluster.more] is the table of no command", "it has no tables"),
        ("seed = 1.5", "seed is 1.5, not a whole number", "--help"),
        ("seed = true", "seed is True, not a whole number", "--help"),
        ("threshold = '0.7'", "threshold is '0.7', not a number", "--help"),
        ("[dedup]\noverwrite = 1", "dedup.overwrite is 1, not true or false", "--help"),
        ("level = 'both'", "level: 'both' is not one of 'duplicate', 'story'", "--help"),
        ("[explain]\ninput = 'x'", "explain.input is 'x', not a list", "['x']"),
        ("[explain]\ninput = ['x', 5]", "explain.input is 5, not text", "--help"),
        ("num-perm = 64\nnum_perm = 32", "num_perm is given twice", "leave one out"),
        ("config = 'other.toml'", "has the unknown key 'config'", ""),
        ("inputs = ['news.jsonl']", "has the unknown key 'inputs'", ""),
    ],
)
def test_what_is_refused(place: Path, settings: str, error: str, hint: str) -> None:
    (place / "s.toml").write_text(settings)
    ran = call("cluster", "news.jsonl", "-o", "o", "--config", "s.toml")
    assert (ran.code, ran.out) == (2, "")
    told = ran.err.splitlines()
    assert told[0].startswith("Error: s.toml")
    assert error in told[0]
    assert told[1].startswith("Hint: ")
    assert hint in told[1]
    assert not (place / "o").exists()


def test_options_given_several_times_are_lists(place: Path) -> None:
    (place / "labels.csv").write_text("doc_id_a,doc_id_b,label\na,b,copy\na,c,other\nb,c,excerpt\n")
    assert call("cluster", "news.jsonl", "-o", "run", "-q").code == 0
    (place / "s.toml").write_text(
        "[evaluate]\ntruth = 'labels.csv'\njson = true\npositive = ['copy', 'excerpt']\n"
    )
    ran = call("evaluate", "run", "--config", "s.toml")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["n_same"] == 2
    given = call("evaluate", "run", "--config", "s.toml", "--positive", "copy")
    assert json.loads(given.out)["n_same"] == 1
