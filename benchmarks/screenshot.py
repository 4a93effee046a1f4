"""The README's picture of a report, made from the example articles that come with the package.

    python benchmarks/screenshot.py        # writes benchmarks/results/report.png

It shows the page's beginning and, below it, a cluster opened to two articles side by side.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

import samestory
from chromium import started_chromium, wait_until_ready
from samestory.examples import example_text
from samestory.report import write_report

WIDTH = 1280
HERO_HEIGHT = 900
MOST_BYTES = 300_000
_CLUSTER = "Engineers lower"
_LEAD_HEIGHT = 840
_GAP = 28


def make_page(folder: Path) -> Path:
    """Cluster the example articles and write their report."""
    news = folder / "news.jsonl"
    news.write_text(example_text(), encoding="utf-8")
    samestory.cluster(news, samestory.Config(level="story")).write(folder / "out")
    write_report(folder / "out", folder / "report.html")
    return folder / "report.html"


def take(page: Any) -> Image.Image:
    """Picture the page's beginning and an open cluster, one above the other."""
    top = _image(page.screenshot())
    page.locator(".open", has_text=_CLUSTER).click()
    page.locator(".next").click()
    page.evaluate("document.querySelector('.top').style.position = 'static'")
    box = page.locator(".row", has_text=_CLUSTER).bounding_box()
    whole = _image(page.screenshot(full_page=True))
    begin = round(box["y"] + page.evaluate("scrollY"))
    opened = whole.crop((0, begin, WIDTH, begin + _LEAD_HEIGHT))
    picture = Image.new("RGB", (WIDTH, top.height + _GAP + opened.height), top.getpixel((2, 200)))
    picture.paste(top, (0, 0))
    picture.paste(opened, (0, top.height + _GAP))
    return picture


def _image(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def save_small(picture: Image.Image, path: Path) -> int:
    """Write a PNG of few colours; its size in bytes."""
    few = picture.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    return path.stat().st_size


def main() -> None:
    """Make the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent / "results" / "report.png")
    output = parser.parse_args().output
    with tempfile.TemporaryDirectory() as folder, started_chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HERO_HEIGHT}, color_scheme="light")
        page.goto(make_page(Path(folder)).as_uri())
        wait_until_ready(page)
        size = save_small(take(page), output)
    print(f"{output}: {size:,} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"more than {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
