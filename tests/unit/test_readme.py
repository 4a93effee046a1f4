"""The README's Python runs as it stands and prints what the README shows."""

import contextlib
import io
import re
from pathlib import Path

import pytest

import samestory
from samestory.cli.app import app
from samestory.examples import example_text

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SHOWN = re.compile(r"```python\n((?:(?!```).)*)```\n\n```text\n(.*?)```", re.DOTALL)


@pytest.fixture
def example_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "news.jsonl").write_text(example_text(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_is_python_to_try() -> None:
    assert SHOWN.findall(README)


@pytest.mark.usefixtures("example_folder")
@pytest.mark.parametrize(("code", "shown"), SHOWN.findall(README))
def test_python_prints_what_is_shown(code: str, shown: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    assert printed.getvalue() == shown


@pytest.mark.parametrize("command", sorted(app.commands))
def test_every_command_is_described(command: str) -> None:
    assert re.search(rf"^\| `samestory {command} ", README, re.MULTILINE)


def test_the_version_is_the_same_everywhere() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{samestory.__version__}"' in project
