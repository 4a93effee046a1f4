"""A Matplotlib figure as SVG that lives in a page: the page's colours and letters, no style attributes.

A page with a strict content security policy obeys no ``style`` attribute, and a chart with colours
of its own would not follow the reader's choice of light or dark.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree import ElementTree

INK: Final = "#101010"
MUTED: Final = "#202020"
GRID: Final = "#303030"
STRONG: Final = "#400001"
ACCENT: Final = "#400002"
SOFT: Final = "#400003"
FAINT: Final = "#400004"
CONTRAST: Final = "#400005"
_COLOURS: Final = {
    INK: "ink", MUTED: "muted", GRID: "grid", STRONG: "strong", ACCENT: "accent", SOFT: "soft",
    FAINT: "faint", CONTRAST: "contrast",
}  # fmt: skip
_SVG: Final = "{http://www.w3.org/2000/svg}"
_XLINK: Final = "{http://www.w3.org/1999/xlink}"
_PAINTED: Final = ("fill", "stroke")
_KEPT: Final = (
    "opacity", "fill-opacity", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-dashoffset",
    "stroke-linecap", "stroke-linejoin", "text-anchor",
)  # fmt: skip
_FONT: Final = re.compile(r"(?:(?P<weight>bold|[1-9]00)\s+)?(?P<size>[0-9.]+)px")
_LONG_NUMBER: Final = re.compile(r"-?\d+\.\d{2,}")
_REFERENCE: Final = re.compile(r"#(?=[A-Za-z])")
_SETTINGS: Final = {"svg.fonttype": "none", "svg.hashsalt": "samestory", "path.simplify": False}


def page_svg(figure: Any, name: str, tips: Mapping[str, str], texts: Mapping[str, str]) -> str:
    """Return a figure as an ``<svg>`` element for a page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        In points, of which each becomes a pixel; its colours are those named here.
    name : str
        Put before all ids, which must differ from those of other figures of the page.
    tips : mapping
        What to show when the pointer rests on the artist of a gid.
    texts : mapping
        What to write instead of some text of the figure: words of articles, which Matplotlib would
        take for formulas and for which it has no letters.
    """
    import matplotlib

    buffer = io.BytesIO()
    with matplotlib.rc_context(_SETTINGS):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(buffer.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                parent.remove(child)
    for element in list(root.iter()):
        _dress(element, name, tips, texts)
    for unwanted in ("version", "width", "height"):
        root.attrib.pop(unwanted, None)
    root.set("aria-hidden", "true")
    root.set("focusable", "false")
    return _serialised(root)


def _dress(element: Any, name: str, tips: Mapping[str, str], texts: Mapping[str, str]) -> None:
    own = element.get("id")
    if own is not None:
        element.set("id", f"{name}-{own}")
        if not (element.tag.endswith(("clipPath", "path")) and own[:1] in "pmc"):
            del element.attrib["id"]
    if own in tips:
        title = ElementTree.Element(f"{_SVG}title")
        title.text = tips[own]
        element.insert(0, title)
    if element.text in texts:
        element.text = texts[element.text]
    for key, value in _attributes(element.attrib.pop("style", "")):
        element.set(key, f"{element.get('class')} {value}" if key == "class" and element.get(key) else value)
    target = element.attrib.pop(f"{_XLINK}href", None)
    if target is not None:
        element.set("href", f"#{name}-{target[1:]}")
    if "clip-path" in element.attrib:
        element.set("clip-path", _REFERENCE.sub(f"#{name}-", element.get("clip-path")))
    for key in ("d", "x", "y", "width", "height", "transform", "stroke-width", "stroke-dasharray"):
        if key in element.attrib:
            element.set(key, _LONG_NUMBER.sub(_shorter, element.get(key)))


def _attributes(style: str) -> Iterator[tuple[str, str]]:
    """Turn a style into presentation attributes and classes."""
    for declaration in style.split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key in _PAINTED and value in _COLOURS:
            yield "class", f"{key}-{_COLOURS[value]}"
        elif key in _PAINTED or key in _KEPT:
            yield key, value
        elif key == "font" and (font := _FONT.match(value)):
            yield "font-size", font["size"]
            if font["weight"]:
                yield "font-weight", font["weight"]
        elif key == "font-size":
            yield key, value.removesuffix("px")
        elif key == "font-weight":
            yield key, value


def _shorter(number: re.Match[str]) -> str:
    rounded = f"{float(number[0]):.1f}".removesuffix(".0")
    return "0" if rounded == "-0" else rounded


def _serialised(root: Any) -> str:
    """Write elements as HTML parsers read them: without the namespaces' prefixes."""
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)
