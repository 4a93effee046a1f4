"""The main text of a page and what the page says of itself, by trafilatura."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from html import unescape
from typing import Any, Final
from urllib.parse import urlsplit

import trafilatura
from lxml import etree
from trafilatura.meta import reset_caches

from samestory.pages.ways import ALL_TEXT, BARE

MOST_ELEMENTS: Final = 50_000
"""Of a page with more, all the text is taken: finding the main text takes longer than its share."""

_DEEPEST: Final = 256  # Steps down that the parser goes; it drops the text of all that lies deeper.

_FORGETFUL_BYTES: Final = 1 << 20  # The library remembers the last thousand lines, however long.
_MOST_TITLE: Final = 10_000
_UNSEEN: Final = ("script", "style", "noscript", "template", "svg", "head")
_WITH_TIME: Final = "%Y-%m-%dT%H:%M:%S%z"
_SCRIPT: Final = re.compile(r"<(script|style)\b", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")
_TITLE: Final = re.compile(r"<title[^<>]{0,200}>([^<]{0,10000})", re.IGNORECASE)


@dataclass
class Page:
    """An article as its page has it.

    Attributes
    ----------
    text : str
        The main text; empty where none is found.
    title, source, url, date : str, optional
        Source is the name of the site, else the host of its address; the date is in ISO 8601.
    is_plain : bool
        Whether all the page's text was taken, its main text not looked for.
    """

    text: str = ""
    title: str | None = None
    source: str | None = None
    url: str | None = None
    date: str | None = None
    is_plain: bool = False


def read_page(html: str, url: str | None, way: str) -> Page:
    """Take a page apart.

    Parameters
    ----------
    html : str
    url : str, optional
        Where it was found; else the address it names itself.
    way : str
        One of `WAYS`.
    """
    if way == BARE:
        return _barely(html, url)
    tree = _parse(html)
    if tree is None:
        return Page(url=_link(url))
    is_cut_off = _is_cut_off(tree)
    page = _read_tree(tree, html, url, way)
    if is_cut_off and not page.text:
        page.text, page.is_plain = _barely(html, url).text, True
    return page


def _read_tree(tree: Any, html: str, url: str | None, way: str) -> Page:
    if way == ALL_TEXT or tree.xpath("count(//*)") > MOST_ELEMENTS:
        return _plainly(tree, url)
    try:
        page = _described(tree, url)
        text = trafilatura.extract(tree, include_comments=False)
    except Exception:  # a fault of the library must not cost the article
        return _plainly(tree, url)
    finally:
        if len(html) > _FORGETFUL_BYTES:
            reset_caches()
    page.text = text or ""
    return page


def _is_cut_off(tree: Any) -> bool:
    """Whether elements lie so deep in one another that the parser has dropped the text within."""
    return bool(tree.xpath(f"boolean({'/*' * _DEEPEST})"))


def _parse(html: str) -> Any:
    """The page's tree, None where there is nothing in it."""
    if not html.strip("\0 \t\r\n\ufeff"):
        return None
    tree = trafilatura.load_html(html)
    # What has too few tags for it is a piece of a page, or mere text.
    return tree if tree is not None else trafilatura.load_html(f"<html><body><div>{html}</div></body></html>")


def _described(tree: Any, url: str | None) -> Page:
    today = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    found = trafilatura.extract_metadata(
        tree,
        default_url=url,
        date_config={
            "original_date": True,
            # Guesses from any number in the text do more harm than no date.
            "extensive_search": False,
            # The day alone does not tell which of two copies came first.
            "outputformat": _WITH_TIME,
            "deferred_url_extractor": True,
            "max_date": today,
        },
    )
    address = _link(url) or _link(found.url)
    return Page("", found.title, found.sitename or _host(address), address, found.date)


def _plainly(tree: Any, url: str | None) -> Page:
    """All the text that a page shows, and the simplest of what it says of itself."""
    said: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name")
        if name and element.get("content"):
            said.setdefault(name.lower(), element.get("content").strip()[:_MOST_TITLE])
    title = said.get("og:title") or next((_text_of(element) for element in tree.iter("title")), None)
    etree.strip_elements(tree, *_UNSEEN, with_tail=False)
    pieces = (" ".join(piece.split()) for piece in tree.itertext())
    address = _link(url) or _link(said.get("og:url"))
    return Page(
        "\n".join(piece for piece in pieces if piece),
        title or None,
        said.get("og:site_name") or _host(address),
        address,
        said.get("article:published_time"),
        is_plain=True,
    )


def _barely(html: str, url: str | None) -> Page:
    """The text between tags, without a parser, which can be kept busy by a tag alone."""
    first, *parts = _SCRIPT.split(html)
    shown = [first]
    for name, part in zip(parts[::2], parts[1::2], strict=True):
        end = part.lower().find(f"</{name.lower()}")
        shown.append(part[end:] if end >= 0 else "")
    lines = unescape(_TAG.sub("\n", "".join(shown))).splitlines()
    title = _TITLE.search(html)
    address = _link(url)
    return Page(
        "\n".join(line for piece in lines if (line := " ".join(piece.split()))),
        " ".join(unescape(title[1]).split()) or None if title else None,
        _host(address),
        address,
        is_plain=True,
    )


def _text_of(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())[:_MOST_TITLE]


def _link(url: str | None) -> str | None:
    """The address if it is one of the web's."""
    return url if url and url.lower().startswith(("http://", "https://")) else None


def _host(url: str | None) -> str | None:
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:
        return None
    return host.removeprefix("www.") or None
