"""A few facts for the user: a table, or one JSON object."""

from __future__ import annotations

import json
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
    click.echo(json.dumps(facts))  # in ASCII, and so exact and harmless
