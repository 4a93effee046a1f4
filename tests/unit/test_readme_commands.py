"""Every command that the README tells to run runs as it stands, in its order, and prints what is shown."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import samestory
from readme_blocks import README, Block, blocks_of, comparable

ROOT = README.parent
BLOCKS = blocks_of(README.read_text(encoding="utf-8"))
SHELL = [block for block in BLOCKS if block.kind == "bash"]
ELSEWHERE = "In a pipeline"
"""The section whose blocks tests/index/test_recipes.py runs."""
SPARK = "--engine spark"
INSTALLING = re.compile(r"^.*\b(python3 -m venv|pip install)\b.*\n", re.MULTILINE)


def programs(folder: Path) -> Path:
    """A folder with `samestory` and `python` as they would be in an activated environment."""
    folder.mkdir()
    for name, words in {"samestory": ("-m", "samestory"), "python": ()}.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, *words])} "$@"\n')
        program.chmod(0o755)
    return folder


def run_block(block: Block, folder: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """Run a block in a folder as a reader would, on a terminal of 80 columns."""
    settings = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SAMESTORY_") and name not in ("NO_COLOR", "FORCE_COLOR", "LINES")
    }
    source = str(Path(samestory.__file__).parents[1])
    settings |= {
        "PATH": f"{path}{os.pathsep}{settings['PATH']}",
        "PYTHONPATH": f"{source}{os.pathsep}{settings.get('PYTHONPATH', '')}",
        "COLUMNS": "80",
        "HOME": str(folder),
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
        "PYTHONUTF8": "1",
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"exec 2>&1\n{INSTALLING.sub('', block.code)}"],
        cwd=folder,
        env=settings,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.mark.skipif(shutil.which("bash") is None, reason="the README's commands are for bash")
@pytest.mark.parametrize("on_spark", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_every_command_runs_and_prints_what_is_shown(tmp_path: Path, on_spark: bool) -> None:
    path = programs(tmp_path / "programs")
    folder = tmp_path / "work"
    folder.mkdir()
    ran = 0
    for block in SHELL:
        if block.section == ELSEWHERE or block.mark == "tests":
            continue
        if SPARK in block.code and not on_spark:
            continue
        done = run_block(block, folder, path)
        assert done.returncode == 0, f"{block.code}\n{done.stdout}"
        if block.shown is not None:
            assert comparable(done.stdout) == comparable(block.shown), block.code
        ran += 1
    assert ran >= 8
    assert (folder / "spread" / "run.json").exists() == on_spark
    assert "complete" in (folder / ".config/fish/completions/samestory.fish").read_text()
    assert (folder / "report.html").stat().st_size > 100_000


def test_ci_runs_the_marked_blocks() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    marks = {block.mark for block in BLOCKS if block.mark}
    assert marks == {"setup", "first run", "tests"}
    assert set(re.findall(r"readme_block '([^']*)'", script)) == marks


def test_what_is_shown_in_other_words_is_run_too() -> None:
    # A console transcript or an "sh" block would escape the test above.
    assert {block.kind for block in BLOCKS} <= {"bash", "python", "text", "crontab", "toml"}


def test_the_pictures_of_the_readme_are_there() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README.read_text(encoding="utf-8"))
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)


def test_links_within_the_readme_lead_somewhere() -> None:
    text = README.read_text(encoding="utf-8")
    heads = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads}
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert links
    assert set(links) <= anchors
