"""A few facts for the user: a table, or one JSON object."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from samestory.cli.failures import printable

Row = tuple[str, str, str]
"""A name, a value, and a remark on it."""


def print_facts(rows: Iterable[Row], *, to_stderr: bool) -> None:
    """Print rows as a table; nothing in them is obeyed by the terminal."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    for name, value, remark in rows:
        table.add_row(name, Text(printable(value)), Text(printable(remark)))
    Console(stderr=to_stderr, highlight=False).print(table)


def print_json(facts: dict[str, Any]) -> None:
    """Print one JSON object on standard output."""
    try:
        text = json.dumps(facts, allow_nan=False)  # in ASCII, and so exact and harmless
    except ValueError:
        text = json.dumps(_finite(facts), allow_nan=False)
    click.echo(text)


def _finite(value: Any) -> Any:
    """Return a value with null for the numbers that JSON has no words for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, (list, tuple)) else value
