"""Inputs that the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import write_lines


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """A file of three articles, the second a copy of the first."""
    return write_lines(tmp_path / "news.jsonl")
