"""Runs that really ran, and what is in a page that was made from them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import samestory
from samestory.report import write_report


def write_articles(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write articles as JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run_on(folder: Path, rows: Sequence[Mapping[str, Any]], **settings: Any) -> Path:
    """Cluster articles; the folder holds their file and the result, which is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    articles = write_articles(folder / "news.jsonl", rows)
    out = folder / "out"
    samestory.cluster(articles, samestory.Config(**settings)).write(out, overwrite=True)
    return out


@dataclass(frozen=True)
class Page:
    """A page, taken apart."""

    content: bytes
    data: dict[str, Any]
    texts: dict[str, Any]

    @property
    def html(self) -> str:
        """The whole of it."""
        return self.content.decode("utf-8")

    @property
    def words(self) -> str:
        """What a reader without a script sees, with single spaces."""
        body = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", self.html, flags=re.DOTALL)
        inline = re.sub(r"</?(?:b|bdi|em|i|small|span)\b[^>]*>", "", body)
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", inline)).split())


def page_of(out: Path, file: Path, **options: Any) -> Page:
    """Write the page of a run and read it back."""
    write_report(out, file, overwrite=True, **options)
    return read_page(file)


def read_page(file: Path) -> Page:
    """Take a page apart."""
    content = file.read_bytes()
    held = _Held()
    held.feed(content.decode("utf-8"))
    return Page(content, json.loads(held.found["data"]), json.loads(held.found["texts"]))


class _Held(HTMLParser):
    """Collects what the script elements with an id hold."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: dict[str, str] = {}
        self._name: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._name = dict(attrs).get("id") if tag == "script" else None
        if self._name:
            self.found[self._name] = ""

    def handle_data(self, data: str) -> None:
        if self._name:
            self.found[self._name] += data

    def handle_endtag(self, tag: str) -> None:
        self._name = None
