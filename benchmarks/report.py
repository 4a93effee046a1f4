"""Results as a table on the terminal, and as JSON and Markdown files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from machine import SPARK_PACKAGES, java_version, machine, revision, versions

Row = dict[str, Any]
Columns = tuple[tuple[str, str, Callable[[Any], str]], ...]


def number(digits: int = 0, scale: float = 1.0) -> Callable[[Any], str]:
    """Return a formatter of numbers; a missing one is a dash."""
    return lambda value: "-" if value is None else f"{value / scale:,.{digits}f}"


def share(value: Any) -> str:
    """Format a share between 0 and 1 so that 0.9996 does not look like 1."""
    return "-" if value is None else f"{int(value * 10_000) / 10_000:.4f}"


SPEED: Columns = (
    ("tool", "tool", str),
    ("docs/s", "docs_per_second", number()),
    ("MB/s", "mb_per_second", number(1)),
    ("wall s", "wall_seconds", number(2)),
    ("min", "wall_seconds_min", number(2)),
    ("max", "wall_seconds_max", number(2)),
    ("CPU s", "cpu_seconds", number(1)),
    ("peak MB", "peak_bytes", number(scale=1e6)),
)
RATIOS: Columns = (
    ("x fastest peer", "times_fastest_peer", number(2)),
    ("x datasketch", "times_datasketch", number(2)),
)
SCORES: Columns = (
    ("recall", "recall", share),
    ("pair precision", "pair_precision", share),
    ("linked precision", "linked_precision", share),
)


def cells(columns: Columns, row: Row) -> list[str]:
    """Return the formatted cells of one row."""
    return [form(row.get(key)) for _, key, form in columns]


def show(title: str, rows: Sequence[Row], columns: Columns, least_width: int = 0) -> None:
    """Print a table of the tools that have figures, `least_width` characters wide where that is needed."""
    console = Console()
    console.width = max(console.width, least_width)
    table = Table(title=title, title_justify="left")
    for place, (heading, _, _) in enumerate(columns):
        table.add_column(heading, justify="left" if place == 0 else "right", no_wrap=place == 0)
    for row in rows:
        if not row.get("problem"):
            table.add_row(*cells(columns, row))
    console.print(table)


def show_problems(rows: Sequence[Row]) -> None:
    """Print the tools that have no figures, and why."""
    for row in rows:
        if row.get("problem"):
            Console().print(f"{row['tool']}: {row['problem']}", markup=False)


def markdown(title: str, rows: Sequence[Row], columns: Columns) -> str:
    """Return the table as Markdown, followed by the notes on the tools."""
    lines = [f"## {title}", "", "| " + " | ".join(heading for heading, _, _ in columns) + " |"]
    lines.append("| --- |" + " ---: |" * (len(columns) - 1))
    lines += ["| " + " | ".join(cells(columns, row)) + " |" for row in rows if not row.get("problem")]
    lines += [
        "",
        *(f"- {row['tool']}: {row.get('problem') or row['note']}" for row in rows if row.get("note")),
    ]
    return "\n".join(lines) + "\n"


def surroundings(spark: bool = False) -> Row:
    """Return the date, the revision, the versions and the machine of a measurement."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    found = {**versions(SPARK_PACKAGES), "java": java_version()} if spark else versions()
    return {"date": now.isoformat(), "revision": revision(), "versions": found, "machine": machine()}


def surroundings_text(about: Row) -> str:
    """Return the surroundings as a paragraph."""
    host = about["machine"]
    tools = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    size = f"{host['cores']} cores, {host['memory_gib']} GiB, {host['processor']}, {host['system']}"
    revision = f" Revision {about['revision']}." if "revision" in about else ""
    return f"{about['date']}.{revision} {size}. {tools}.\n"


def save(results: Path, name: str, about: Row, body: Row, text: str) -> Path:
    """Write NAME.json and NAME.md, numbered when there is one of that name; return the Markdown file."""
    results.mkdir(parents=True, exist_ok=True)
    stem, n = f"{about['date'][:10]}-{name}", 1
    while (results / f"{stem}.md").exists() or (results / f"{stem}.json").exists():
        n += 1
        stem = f"{about['date'][:10]}-{name}-{n}"
    (results / f"{stem}.json").write_text(json.dumps({**about, **body}, indent=2) + "\n", encoding="utf-8")
    (results / f"{stem}.md").write_text(f"{surroundings_text(about)}\n{text}", encoding="utf-8")
    return results / f"{stem}.md"
