"""The figures of indexes as tables."""

from __future__ import annotations

from typing import Any

import report
from report import Columns, Row, number, share

WIDTH = 140
SPEED_TITLE = "indexes filled article by article, or in batches"
SPEED: Columns = (
    ("tool", "tool", str),
    ("articles", "articles", number()),
    ("batch", "batch", number()),
    ("articles/s", "docs_per_second", number()),
    ("last 5 %", "last_docs_per_second", number()),
    ("batch p50 ms", "p50_ms", number(1)),
    ("p99", "p99_ms", number(1)),
    ("max", "max_ms", number(1)),
)
SPACE: Columns = (
    ("tool", "tool", str),
    ("articles", "articles", number()),
    ("disk bytes/article", "disk_bytes_per_article", number()),
    ("resident MB", "resident_bytes", number(scale=1e6)),
    ("own MB", "anonymous_bytes", number(scale=1e6)),
    ("own bytes/article", "own_bytes_per_article", number()),
    ("server bytes/article", "server_bytes_per_article", number()),
)
SINGLE: Columns = (
    ("tool", "tool", str),
    ("articles", "articles", number()),
    ("query p50 ms", "query_p50_ms", number(2)),
    ("p99", "query_p99_ms", number(2)),
    ("max", "query_max_ms", number(2)),
    ("ingest p50 ms", "ingest_p50_ms", number(2)),
    ("p99", "ingest_p99_ms", number(2)),
    ("max", "ingest_max_ms", number(2)),
    ("copies matched", "copies_matched", share),
    ("others matched", "others_matched", share),
)
OPENING: Columns = (
    ("tool", "tool", str),
    ("articles", "articles", number()),
    ("import s", "import_seconds", number(2)),
    ("open s", "open_seconds", number(2)),
    ("from import to first answer s", "asked_seconds", number(2)),
)
SCORES: Columns = (
    SPEED[0],
    SPEED[1],
    *report.SCORES,
    ("recall as told", "recall_told", share),
    ("pair precision as told", "pair_precision_told", share),
    ("moved since told", "moved_since_told", number()),
)
GROWTH: Columns = (
    ("articles", "articles", number()),
    ("articles/s since the row above", "docs_per_second", number()),
    ("batch p50 ms", "p50_ms", number(1)),
    ("max", "max_ms", number(1)),
    ("disk MB", "disk_bytes", number(scale=1e6)),
    ("resident MB", "resident_bytes", number(scale=1e6)),
    ("own MB", "anonymous_bytes", number(scale=1e6)),
)


def single_row(row: Row) -> Row:
    """Return the figures of single articles: of datasketch they are all, of samestory those after filling."""
    found = {"tool": row["tool"], "articles": row["articles"]}
    for way in ("query", "ingest"):
        found |= {f"{way}_{name}": row[way].get(name) for name in ("p50_ms", "p99_ms", "max_ms")}
    asked = [row[way] for way in ("query", "ingest") if "copies" in row[way]]
    copies = sum(one["copies"] for one in asked)
    others = sum(one["calls"] for one in asked) - copies
    if copies and others:
        found["copies_matched"] = sum(one["copies_matched"] for one in asked) / copies
        found["others_matched"] = sum(one["others_matched"] for one in asked) / others
    return found


def judged_row(row: Row) -> Row:
    """Return recall and precision at the end, and of what was told as articles came."""
    return row | {f"{name}_told": value for name, value in row.get("as_told", {}).items()}


def all_tables(rows: list[Row]) -> list[tuple[str, list[Row], Columns]]:
    """Return the tables of a record: titles, rows and columns."""
    right = [row for row in rows if not row.get("problem")]
    own = [row for row in right if "opening" in row]
    made: list[tuple[str, list[Row], Columns]] = [
        (SPEED_TITLE, rows, SPEED),
        ("memory and disk", [row | {"note": ""} for row in right], SPACE),
        ("one article at a time", [single_row(row) for row in right], SINGLE),
        ("opened in a new process", [{"tool": row["tool"], **row["opening"]} for row in own], OPENING),
        ("right and wrong", [judged_row(row) | {"note": ""} for row in right], SCORES),
    ]
    if own:
        growth = [{"tool": "", **look} for look in own[0]["growth"]]
        made.append((f"while it grows: {own[0]['tool']}", growth, GROWTH))
    return [one for one in made if one[1]]


def notes(rows: list[Row], disk: dict[str, Any]) -> str:
    """Return what the reader of the tables must know."""
    lines = [
        "Times are those of calls that return when a batch is on the disk (datasketch: in its tables).",
        f"Writing 4 KiB there and waiting for the disk takes {disk['p50_ms']} ms (p99 {disk['p99_ms']}).",
        "`resident` counts pages of the mapped file, `own` memory that no file backs. Of datasketch, single",
        "articles are all it took, an `ingest` sketches, asks and inserts; its figures are of the articles",
        "given, not scaled up. Linked precision counts pairs joined by near copies, so that clusters with",
        "partial copies score less. `As told`: the clusters that were told when articles came, by the ids",
        "that they have at the end; an article has moved if it has left that cluster since.",
    ]
    wrong = [f"{row['tool']}: {text}" for row in rows for text in row.get("wrong", [])]
    return "\n".join(lines + [f"- {line}" for line in wrong]) + "\n"
