"""Completion in shells: what bash, zsh and fish get to offer, asked of the shells themselves."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import environment

SHELLS = ("bash", "zsh", "fish")
NEEDED = os.environ.get("SAMESTORY_NEEDS_SHELLS") == "1"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has none of these shells")


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the command `samestory`, as an installation puts it on the path."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "samestory"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m samestory "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with files and folders to complete."""
    (tmp_path / "newsroom").mkdir()
    (tmp_path / "news.jsonl").write_text("")
    return tmp_path


def run_in(shell: str, script: str, command: Path, place: Path) -> str:
    """Run a script in a shell with nothing of its user's."""
    program = shutil.which(shell)
    if program is None:
        if NEEDED:
            pytest.fail(f"{shell} is not installed")
        pytest.skip(f"{shell} is not installed")
    plain = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    there = environment(PATH=f"{command}:{os.environ['PATH']}", HOME=str(place), TERM="dumb")
    if "PYTHONPATH" in os.environ:
        there["PYTHONPATH"] = os.pathsep.join(
            str(Path(part).resolve()) for part in os.environ["PYTHONPATH"].split(os.pathsep)
        )
    done = subprocess.run(
        [program, *plain, "-c", script], capture_output=True, text=True, cwd=place, env=there, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def offered(shell: str, line: str, command: Path, place: Path) -> list[str]:
    """What a shell offers for the last word of a line."""
    return sorted(run_in(shell, SCRIPTS[shell](line), command, place).split())


def _bash(line: str) -> str:
    """Call the function that bash would; of files and folders compgen tells as `compopt` has asked for."""
    words = line.split(" ")
    return f"""
eval "$(_SAMESTORY_COMPLETE=bash_source samestory)"
asked=; compopt() {{ asked=$2; }}
COMP_WORDS=({" ".join(shlex.quote(word) for word in words)}); COMP_CWORD={len(words) - 1}
complete -p samestory > /dev/null || exit 1
_samestory_completion samestory
[ "$asked" = dirnames ] && COMPREPLY=($(compgen -d -- {shlex.quote(words[-1])}))
[ "$asked" = default ] && COMPREPLY=($(compgen -f -- {shlex.quote(words[-1])}))
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def _zsh(line: str) -> str:
    """Call the function that zsh would, with builtins of completion that print what they are given."""
    words = line.split(" ")
    return f"""
compdef() {{ }}; compadd() {{ print -l -- $completions }}
_describe() {{ for one in "${{(@P)argv[3]}}"; do print -r -- ${{one%%:*}}; done }}
_path_files() {{ [[ $1 == -/ ]] && print -l -- ${{words[-1]}}*(/N) || print -l -- ${{words[-1]}}*(N) }}
words=({" ".join(shlex.quote(word) for word in words)}); CURRENT={len(words)}
source <(_SAMESTORY_COMPLETE=zsh_source samestory)
(( $+functions[_samestory_completion] )) || exit 1
_samestory_completion; true
"""


def _fish(line: str) -> str:
    return f"""
_SAMESTORY_COMPLETE=fish_source samestory | source
complete -C {shlex.quote(line)} | string replace -r '\\t.*' ''
true
"""


SCRIPTS = {"bash": _bash, "zsh": _zsh, "fish": _fish}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("samestory ev", ["evaluate"]),
        ("samestory index ex", ["expire", "export"]),
        ("samestory cluster news.jsonl --thres", ["--threshold"]),
        ("samestory cluster news.jsonl --level ", ["duplicate", "story"]),
        ("samestory dedup news.jsonl --representative l", ["longest"]),
        ("samestory ingest news.jsonl --on-error ", ["fail", "skip"]),
        ("samestory cluster news.jsonl --format par", ["parquet"]),
    ],
)
def test_commands_options_and_choices(
    shell: str, line: str, expected: list[str], command: Path, place: Path
) -> None:
    assert offered(shell, line, command, place) == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_files_and_folders(shell: str, command: Path, place: Path) -> None:
    both = [name.rstrip("/") for name in offered(shell, "samestory cluster new", command, place)]
    assert both == ["news.jsonl", "newsroom"]
    folders = offered(shell, "samestory cluster news.jsonl -o new", command, place)
    assert [name.rstrip("/") for name in folders] == ["newsroom"]
    files = offered(shell, "samestory cluster news.jsonl --config new", command, place)
    assert "news.jsonl" in files


def test_it_is_quick(command: Path, place: Path) -> None:
    script = "COMP_WORDS='samestory cluster ' COMP_CWORD=2 _SAMESTORY_COMPLETE=bash_complete exec samestory"
    assert "file," in run_in("bash", script, command, place)
    code = (
        "import sys; from samestory.cli import app; "
        "print(*{'numpy', 'pyarrow', 'numba', 'rich', 'tomllib'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (loaded.stdout.split(), loaded.stderr) == ([], "")
