"""Settings from a TOML file, the environment and the command line, and which counts most."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import call, run


def settings_of(news: Path, out: Path, *arguments: str | Path, **changes: str) -> dict[str, Any]:
    ran = call("cluster", news, "-o", out, "--json", *arguments, **changes)
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)["config"]
    return found


def config_file(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_names_are_those_of_the_options(news: Path, tmp_path: Path) -> None:
    text = (
        'threshold = 0.6\nnum-perm = 64\nrepresentative = "first"\nid_column = "title"\non-error = "skip"\n'
    )
    found = settings_of(news, tmp_path / "out", "--config", config_file(tmp_path, text))
    assert (found["threshold"], found["num_perm"], found["representative"]) == (0.6, 64, "first")
    assert (found["id_column"], found["on_error"]) == ("title", "skip")


def test_settings_of_stories(news: Path, tmp_path: Path) -> None:
    text = 'level = "story"\nstory-threshold = 0.6\nstory_window = "36h"\n'
    found = settings_of(news, tmp_path / "out", "--config", config_file(tmp_path, text))
    assert (found["level"], found["story_threshold"], found["story_window"]) == ("story", 0.6, "36h")
    changes = {"SAMESTORY_CLUSTER_LEVEL": "story", "SAMESTORY_CLUSTER_STORY_WINDOW": "2w"}
    found = settings_of(news, tmp_path / "there", **changes)
    assert (found["level"], found["story_window"]) == ("story", "2w")


def test_flags_and_the_output_too(news: Path, tmp_path: Path) -> None:
    path = config_file(tmp_path, f"quiet = true\noutput = '{tmp_path / 'there'}'\n")
    ran = call("cluster", news, "--config", path)
    assert (ran.code, ran.err) == (0, "")
    assert (tmp_path / "there/run.json").exists()


def test_json_too(news: Path, tmp_path: Path) -> None:
    ran = call("cluster", news, "-o", tmp_path / "out", "--config", config_file(tmp_path, "json = true\n"))
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["counts"]["articles"] == 3


def test_the_command_line_counts_more(news: Path, tmp_path: Path) -> None:
    path = config_file(tmp_path, "threshold = 0.6\nseed = 4\n")
    for arguments in (["--config", path, "--threshold", "0.8"], ["--threshold", "0.8", "--config", path]):
        found = settings_of(news, tmp_path / "out", "--overwrite", *arguments)
        assert (found["threshold"], found["seed"]) == (0.8, 4)


def test_an_unknown_key_is_named(news: Path, tmp_path: Path) -> None:
    path = config_file(tmp_path, "threshold = 0.6\ntreshold = 0.7\n")
    ran = run("cluster", news, "-o", tmp_path / "out", "--config", path)
    assert (ran.code, ran.out) == (2, "")
    assert "treshold" in ran.err
    assert "settings.toml" in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "text",
    [
        'threshold = "much"\n',
        "threshold = 7\n",
        "threshold = [0.7]\n",
        "threshold = 2025-01-01\n",
        "num_perm = 64.5\n",
        "shingle = 5\n",
        "story_window = 7\n",
        'story_window = "a week"\n',
        "story_threshold = 0.01\n",
        'level = "event"\n',
        'quiet = "perhaps"\n',
        '[cluster]\nthreshold = "0.5"\n',
        "threshold = \n",
    ],
)
def test_a_wrong_value_is_an_error_that_names_the_setting(news: Path, tmp_path: Path, text: str) -> None:
    ran = call("cluster", news, "-o", tmp_path / "out", "--config", config_file(tmp_path, text))
    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err
    name = text.split(" ")[0].strip("[]\n").partition("]")[0]
    assert name.replace("_", "-") in ran.err.replace("_", "-") or "settings.toml" in ran.err


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"threshold = '\xe9'\n", b"= 5\n"])
def test_a_file_that_is_not_toml(news: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "settings.toml").write_bytes(content)
    ran = call("cluster", news, "-o", tmp_path / "out", "--config", tmp_path / "settings.toml")
    assert ran.code == 2
    assert "settings.toml" in ran.err
    assert "Traceback" not in ran.err


def test_a_missing_file(news: Path, tmp_path: Path) -> None:
    ran = call("cluster", news, "-o", tmp_path / "out", "--config", tmp_path / "absent.toml")
    assert ran.code == 2
    assert "absent.toml" in ran.err


def test_the_environment(news: Path, tmp_path: Path) -> None:
    ran = run("cluster", news, "-o", tmp_path / "out", "--json", "-q", SAMESTORY_CLUSTER_THRESHOLD="0.65")
    assert json.loads(ran.out)["config"]["threshold"] == 0.65


def test_the_command_line_counts_more_than_the_environment(news: Path, tmp_path: Path) -> None:
    changes = {"SAMESTORY_CLUSTER_THRESHOLD": "0.65", "SAMESTORY_CLUSTER_NUM_PERM": "32"}
    found = settings_of(news, tmp_path / "out", "--threshold", "0.75", **changes)
    assert (found["threshold"], found["num_perm"]) == (0.75, 32)


def test_a_wrong_value_in_the_environment(news: Path, tmp_path: Path) -> None:
    ran = call("cluster", news, "-o", tmp_path / "out", SAMESTORY_CLUSTER_THRESHOLD="high")
    assert ran.code == 2
    assert "high" in ran.err
