"""Help, versions and usage errors."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from command import call, run

import samestory
from samestory.cli import app

COMMANDS = ("cluster", "dedup", "evaluate", "example", "ingest")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_shows_examples(command: str, flag: str) -> None:
    shown = CliRunner().invoke(app, [command, flag], prog_name="samestory")
    assert shown.exit_code == 0
    assert "Examples:" in shown.output
    assert f"samestory {command} " in shown.output.partition("Examples:")[2]
    assert max(map(len, shown.output.splitlines())) <= 80


@pytest.mark.parametrize("command", ["cluster", "dedup"])
def test_help_shows_every_common_option(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"]).output
    for option in (
        "-q, --quiet",
        "-v, --verbose",
        "--json",
        "--progress",
        "--config",
        "--threads",
        "--on-error",
    ):
        assert option in shown
    for option in ("--threshold", "--shingle", "--num-perm", "--seed", "--recall", "--representative"):
        assert option in shown
    for option in ("--level [duplicate|story]", "--story-threshold", "--story-window", "7d", "36h"):
        assert option in shown


def test_help_of_evaluate_has_what_a_judge_needs() -> None:
    # It reads no articles, so there are no rows to break, no threads and no settings of a run.
    shown = CliRunner().invoke(app, ["evaluate", "--help"]).output
    for option in ("-q, --quiet", "-v, --verbose", "--json", "--truth", "--sweep", "--fail-under"):
        assert option in shown


def test_help_of_the_whole() -> None:
    ran = run("--help")
    assert (ran.code, ran.err) == (0, "")
    assert all(command in ran.out for command in COMMANDS)


def test_commands_stand_in_the_order_of_their_use() -> None:
    shown = CliRunner().invoke(app, ["--help"], prog_name="samestory").output
    listed = shown.partition("Commands:")[2].partition("Start with:")[0].split("\n")
    names = [line.split()[0] for line in listed if line.strip()]
    assert names == ["cluster", "dedup", "ingest", "index", "explain", "report", "evaluate", "example"]
    assert "\n    samestory example news.jsonl\n" in shown


@pytest.mark.parametrize("command", ["cluster", "dedup", "ingest"])
def test_many_options_stand_under_headings(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"], prog_name="samestory").output
    places = [shown.index(f"\n{name}:\n") for name in ("Input", "Matching", "Stories", "Output", "Running")]
    assert places == sorted(places)
    matching = shown[places[1] : places[2]]
    assert "--threshold" in matching
    assert "--threads" not in matching
    options = [option for option in app.commands[command].params if option.param_type_name == "option"]
    assert all(f"{max(option.opts, key=len)} " in shown for option in options)


def test_version() -> None:
    ran = run("--version")
    assert (ran.code, ran.err) == (0, "")
    assert samestory.__version__ in ran.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["clutser"],
        ["cluster"],
        ["cluster", "x.jsonl"],
        ["cluster", "-o", "out"],
        ["dedup", "x.jsonl"],
        ["evaluate", "out"],
        ["--what"],
    ],
)
def test_usage_errors(arguments: list[str]) -> None:
    ran = call(*arguments)
    assert (ran.code, ran.out) == (2, "")
    error, hint = ran.err.splitlines()
    assert error.startswith("Error: ")
    assert hint.startswith("Hint: ")
    assert "--help`" in hint or "did you mean cluster?" in hint
