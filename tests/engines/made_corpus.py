"""Articles that give every stage of the engines something to do."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from newsroom import Newsroom, news
from samestory import Result

FURNITURE = (
    "Read all our correspondents every morning before breakfast and write to the editor about what they "
    "said on the pages of the paper that you hold in your hands today or tomorrow evening at home."
)
SCHEMA = pa.schema(
    [
        ("doc_id", pa.string()),
        ("title", pa.string()),
        ("text", pa.string()),
        ("source", pa.string()),
        ("url", pa.string()),
        ("published_at", pa.timestamp("us", "UTC")),
    ]
)


def articles(seed: int = 1, n_stories: int = 40) -> list[dict[str, Any]]:
    """Stories at several sites with their furniture; copies, edited copies, excerpts, digests, nothing."""
    room = Newsroom(seed)
    texts = room.stories(n_stories, 90)
    rows: list[dict[str, Any]] = []

    def add(text: str | None, k: int, **changes: Any) -> None:
        site = k % 4
        row = news(
            f"a{len(rows):04}", text or "", len(rows) % 50, f"outlet {site}", f"https://s{site}.example/{k}"
        )
        rows.append({**row, "title": f"title {k}", **changes})

    for k, text in enumerate(texts):
        add(f"{text}\n\n{FURNITURE if k % 4 else ''}", k)
    for k, text in enumerate(texts[::3]):
        add(room.edited(text), k + 1)
        add(text, k + 2, published_at=None)
    for k in range(0, n_stories - 3, 9):
        add(room.expanded(texts[k]), k, source=None, url=None)
        add(room.digest(texts[k : k + 3]), k + 3)
    for k in range(6):
        add(room.edited(texts[1], 60), k, source=f"agency {k}", url="https://collected.example/x")
    for k in range(10):  # an aggregator has many outlets
        add(room.story(60), k, source=f"agency {k}", url="https://collected.example/y")
    for row in small_sites(room):
        rows.append({**row, "doc_id": f"a{len(rows):04}"})
    for text in ("", " ", "one", None):
        add(text, 0, title=None)
    add(None, 1, title=texts[2])
    return rows


def small_sites(room: Newsroom) -> list[dict[str, Any]]:
    """Sites of three pages, two of which share a block: furniture, if no other site has most of the pages.

    What other sites have is known where the whole input is counted only; some of them have the pages here.
    """
    rows = []
    for site in range(12):
        *texts, block = [*room.stories(3, 80), room.story(25)]
        for k, text in enumerate(texts):
            url = f"https://small{site}.example/{k}"
            page = text if k == 2 else f"{text}\n\n{block}"
            rows.append(news("", page, k, f"small outlet {site}", url))
            if site % 2 and k < 2:
                url = f"https://other{k}.example/{site}"
                rows.append(news("", text, k, f"other outlet {k}", url))
    return rows


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Articles as a table."""
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def crowd(seed: int = 5, n: int = 150) -> pa.Table:
    """Many different edits of one text: more than are compared all with all."""
    room = Newsroom(seed)
    text = room.story(150)
    return table([news(f"c{k:04}", room.edited(text, 75), k % 24) for k in range(n)])


def chain(n: int, seed: int = 7, width: int = 60, step: int = 6) -> pa.Table:
    """Each article near to the next only: a window that moves on over a long text."""
    found = Newsroom(seed).words(width + step * n)
    return table([news(f"l{k:06}", " ".join(found[k * step : k * step + width]), 0) for k in range(n)])


def assert_same(local: Result, clusters: pa.Table, pairs: pa.Table) -> None:
    """Both tables are equal in all columns, and in the order of their rows."""
    for expected, found in ((local.clusters, clusters), (local.pairs, pairs)):
        assert found.column_names == expected.column_names
        found = found.cast(expected.schema)
        for name in expected.column_names:
            assert found[name].to_pylist() == expected[name].to_pylist(), name
