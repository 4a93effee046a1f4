"""Example articles that come with the package: invented news, with copies planted among them."""

from __future__ import annotations

from importlib import resources


def example_text() -> str:
    """The example articles as JSON Lines, one article a line."""
    return resources.files(__name__).joinpath("articles.jsonl").read_text(encoding="utf-8")
