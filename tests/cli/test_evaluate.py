"""`samestory evaluate`: tables, JSON, exit codes, and what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from command import ROWS, call, environment, run, write_lines

from made_run import MadeRun, clusters_of, pairs_of, write_run
from samestory.cli import app

EVIL = "\x1b]0;owned\x07\x1b[2J\u202egnp\x9b31m"
OBEYED = ("\x1b]0;", "\x1b[2J", "\x07", "\u202e", "\x9b")
IDS = ("a", "b", "c", "d")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A run of four articles, two pairs of them in one cluster."""
    clusters = clusters_of({"a": "a", "b": "a", "c": "c", "d": "c"})
    return write_run(
        tmp_path / "out",
        MadeRun(clusters, pairs_of([("a", "b", 0.9, 0.95, 0.92), ("c", "d", 0.6, 0.7, 0.75)])),
    )


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """Labels of its articles: the second cluster is wrong."""
    return write_lines(
        tmp_path / "t.jsonl", [{"id": i, "truth": t} for i, t in zip(IDS, "xxyz", strict=True)]
    )


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    """Labels of pairs, in words of their own."""
    rows = [("a", "b", "wholly"), ("a", "c", "partly"), ("c", "d", EVIL)]
    return write_lines(tmp_path / "p.jsonl", [{"a": a, "b": b, "label": label} for a, b, label in rows])


def test_the_table(out: Path, truth: Path) -> None:
    ran = call("evaluate", out, "--truth", truth)
    assert (ran.code, ran.err) == (0, "")
    lines = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines() if line.strip()}
    assert lines["articles"] == ["4", "labelled,", "of", "4"]
    assert lines["pairwise"] == ["0.5000", "1.0000", "0.6667"]
    assert lines["BCubed"] == ["0.7500", "1.0000", "0.8571"]
    assert lines["Adjusted"][-1] == "0.5714"
    assert "\x1b" not in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_json(out: Path, truth: Path) -> None:
    ran = call("evaluate", out, "--truth", truth, "--json", "--sweep", "--thresholds", "0.5,0.7")
    found = json.loads(ran.out)
    assert (ran.code, ran.err, ran.out.count("\n")) == (0, "", 1)
    assert found["level"] == "duplicate"
    assert found["pairwise"] == {
        "true": 1, "found": 2, "right": 1, "precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3),
    }  # fmt: skip
    assert found["sweep"]["best_threshold"] == 0.7
    assert [point["pairwise"]["f1"] for point in found["sweep"]["points"]] == [pytest.approx(2 / 3), 1]


def test_the_sweep(out: Path, truth: Path, tmp_path: Path) -> None:
    options = ("--sweep", "--thresholds", "0.5:0.95:0.15", "--plot", tmp_path / "s.png")
    ran = call("evaluate", out, "--truth", truth, *options)
    assert ran.code == 0
    rows = re.findall(r"^ +(0\.\d\d) .*$", ran.out, re.MULTILINE)
    assert rows == ["0.50", "0.65", "0.80", "0.95"]
    (best,) = [line for line in ran.out.splitlines() if "best F1" in line]
    assert best.split()[:4] == ["0.80", "1.0000", "1.0000", "1.0000"]
    assert max(map(len, ran.out.splitlines())) <= 80
    assert ran.err == f"Written: {tmp_path / 's.png'}\n"
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")


def test_the_sweep_says_what_it_cannot_see(out: Path, truth: Path) -> None:
    shown = " ".join(call("evaluate", out, "--truth", truth, "--sweep").out.split())
    assert "Note: under the run's own threshold of 0.5 not every pair is in pairs.parquet" in shown


def test_pairs(out: Path, graded: Path) -> None:
    asked = call("evaluate", out, "--truth", graded)
    assert asked.code == 2
    assert "'wholly' (1)" in asked.err
    assert "--positive" in asked.err
    ran = call(
        "evaluate", out, "--truth", graded, "--positive", "wholly", "--positive", "partly", "-v", "--sweep"
    )
    assert ran.code == 0
    assert "3  labelled: 2 the same, 1 different" in ran.out
    assert "pairwise     0.5000  0.5000  0.5000" in ran.out
    assert "BCubed" not in ran.out
    assert "'partly'" in ran.out
    assert "owned" in ran.out
    for shown in (asked.err, ran.out):
        assert [sequence for sequence in OBEYED if sequence in shown] == []


def test_hostile_ids_and_names(out: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "t.jsonl", [{"id": EVIL, "truth": "x", EVIL: 1}])
    for options in ([], ["--truth-column", EVIL], ["--truth-column", EVIL + "?"], ["--thresholds", EVIL]):
        ran = call("evaluate", out, "--truth", path, *options)
        assert ran.code == 2
        assert "owned" in ran.err
        assert [sequence for sequence in OBEYED if sequence in ran.err] == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--fail-under", "0.6"], 0),
        (["--fail-under", "0.7"], 1),
        (["--fail-under", "nan"], 1),
        (["--fail-under", "0.5", "--measure", "precision"], 0),
        (["--fail-under", "1", "--measure", "recall"], 0),
        (["--fail-under", "0.9", "--measure", "bcubed_f1"], 1),
        (["--fail-under", "0.6", "--measure", "ari"], 1),
        (["--fail-under", "-1", "--measure", "ari"], 0),
    ],
)
def test_fail_under(out: Path, truth: Path, options: list[str], code: int) -> None:
    ran = call("evaluate", out, "--truth", truth, *options)
    assert ran.code == code
    assert ("under" in ran.err) == bool(code)
    assert "pairwise" in ran.out
    quiet = call("evaluate", out, "--truth", truth, "-q", *options)
    assert (quiet.code, quiet.out, quiet.err) == (code, "", "")


def test_a_measure_that_is_not_known_cannot_fail(out: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "p.jsonl", [{"a": "a", "b": "b", "label": "copy"}])
    ran = call("evaluate", out, "--truth", path)
    assert ran.code == 0
    assert "Note: no pair is labelled different" in ran.out
    assert call("evaluate", out, "--truth", path, "--fail-under", "1", "--measure", "recall").code == 0
    for measure in ("f1", "bcubed_f1"):
        ran = call("evaluate", out, "--truth", path, "--fail-under", "0.1", "--measure", measure)
        assert ran.code == 2
        assert "--measure" in ran.err or "one of" in ran.err


@pytest.mark.parametrize(
    "options",
    [
        ["--plot", "s.png"],
        ["--score", "jaccard"],
        ["--thresholds", "0.5"],
        ["--sweep", "--thresholds", "0.5:0.6"],
        ["--sweep", "--thresholds", ""],
        ["--sweep", "--thresholds", "0.5;0.6"],
        ["--sweep", "--thresholds", "0.9:0.5:0.1"],
        ["--sweep", "--thresholds", "0,1"],
        ["--sweep", "--score", "cosine"],
        ["--sweep", "--score", "story_score"],
        ["--sweep", "--plot", "s.gif"],
        ["--level", "story"],
        ["--measure", "accuracy"],
        ["--fail-under", "much"],
        ["--truth-column", "none"],
        ["--id-column", "none"],
        ["--positive", "x"],
    ],
)
def test_wrong_options(out: Path, truth: Path, options: list[str]) -> None:
    ran = call("evaluate", out, "--truth", truth, *options)
    assert (ran.code, ran.out) == (2, "")
    assert "Error: " in ran.err
    assert "Traceback" not in ran.err


def test_missing_arguments(out: Path, truth: Path, tmp_path: Path) -> None:
    for words in (["evaluate"], ["evaluate", out], ["evaluate", "--truth", truth]):
        assert call(*words).code == 2
    for folder, file in ((tmp_path / "none", truth), (out, tmp_path / "none.csv"), (truth, truth)):
        ran = call("evaluate", folder, "--truth", file)
        assert (ran.code, ran.out) == (2, "")
        assert "Hint: " in ran.err


def test_the_input_is_a_truth(tmp_path: Path) -> None:
    rows = [{**row, "event": event} for row, event in zip(ROWS, ("ferry", "ferry", "bridge"), strict=True)]
    news = write_lines(tmp_path / "news.jsonl", rows)
    assert run("cluster", news, "-o", tmp_path / "out", "-q").code == 0
    ran = run("evaluate", tmp_path / "out", "--truth", news, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out)["pairwise"]["f1"] == 1


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(flag: str) -> None:
    shown = CliRunner().invoke(app, ["evaluate", flag], prog_name="samestory")
    assert shown.exit_code == 0
    assert "samestory evaluate " in shown.output.partition("Examples:")[2]
    assert max(map(len, shown.output.splitlines())) <= 80


def modules_after(*words: Any) -> set[str]:
    code = (
        f"import json, sys\nsys.argv = {['samestory', *map(str, words)]!r}\nfrom samestory.cli import main\n"
        "try:\n    main()\nexcept SystemExit as leave:\n    assert not leave.code\n"
        "print(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=environment(), timeout=60
    )
    return set(json.loads(ran.stdout.splitlines()[-1]))


def test_nothing_is_loaded_before_it_is_needed(out: Path, truth: Path, tmp_path: Path) -> None:
    heavy = {"numpy", "pyarrow", "numba", "rich", "matplotlib", "sklearn"}
    assert modules_after("evaluate", "--help").isdisjoint(heavy)
    swept = ("evaluate", out, "--truth", truth, "--sweep", "-q")
    assert modules_after(*swept).isdisjoint({"numba", "matplotlib", "sklearn", "rich"})
    assert "matplotlib" in modules_after(*swept, "--plot", tmp_path / "s.svg")
