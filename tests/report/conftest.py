"""One headless Chromium for all tests of the page, and pages that really were made."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hostile import hostile_articles
from made_reports import run_on

from chromium import CHROMIUM, started_chromium, wait_until_ready
from newsroom import vocabulary
from samestory.examples import example_text
from samestory.report import write_report


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of the package's example articles, stories too."""
    rows = [json.loads(line) for line in example_text().splitlines()]
    return run_on(tmp_path_factory.mktemp("example"), rows, level="story")


@pytest.fixture(scope="session")
def example_page(example: Path) -> Path:
    """The page of the example articles."""
    file = example.parent / "report.html"
    write_report(example, file)
    return file


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of articles that try everything."""
    return run_on(tmp_path_factory.mktemp("hostile"), hostile_articles(), level="story")


@pytest.fixture(scope="session")
def hostile_page(hostile: Path) -> Path:
    """Their page."""
    file = hostile.parent / "report.html"
    write_report(hostile, file)
    return file


@pytest.fixture(scope="session")
def large_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 20,000 articles, 4,000 of them copies."""
    rng = random.Random(20)
    words = vocabulary(20, 20_000)
    rows = []
    for k in range(16_000):
        text = rng.choices(words, k=80)
        copies = [text, *([[*text[:70], *rng.choices(words, k=6)]] if k < 4000 else [])]
        rows += [
            {
                "id": f"{k}-{n}",
                "title": " ".join(copy[:7]),
                "text": " ".join(copy),
                "source": f"desk{rng.randrange(900)}.example",
                "url": f"https://desk.example/{k}/{n}",
                "date": f"2025-03-{1 + k % 28:02}T{n:02}:00:00Z",
            }
            for n, copy in enumerate(copies)
        ]
    return run_on(tmp_path_factory.mktemp("large"), rows)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, or a skip that says why; where it must be there its absence is a failure."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("SAMESTORY_NEEDS_CHROMIUM") == "1":
            pytest.fail(f"SAMESTORY_NEEDS_CHROMIUM is set and there is no {CHROMIUM}")
        pytest.skip(f"no Chromium ({CHROMIUM}); on Debian: apt-get install chromium")
    with started_chromium() as started:
        yield started


@dataclass
class Opened:
    """A page in a browser, and what it has said and asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def check_quiet(self) -> None:
        """Raise unless nothing went wrong and nothing but the file itself was asked for."""
        assert self.said == []
        assert len(self.asked) == 1
        assert self.page.evaluate("typeof window.hit") == "undefined"
        assert self.page.evaluate("performance.getEntriesByType('resource').map((each) => each.name)") == []


@pytest.fixture
def open_page(browser: Any) -> Iterator[Any]:
    """Opens files; at the end each is asked whether it was quiet."""
    opened: list[Opened] = []

    def open_file(file: Path, width: int = 1280, scheme: str = "light", **options: Any) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        context.set_default_timeout(10_000)
        one = Opened(context.new_page())
        # Only what the pages say of themselves is of interest: not the pages that links would lead to.
        one.page.on("console", lambda message: one.said.append(message.text))
        one.page.on("pageerror", lambda error: one.said.append(str(error)))
        one.page.on("dialog", lambda dialog: (one.said.append("dialog"), dialog.dismiss()))
        one.page.on(
            "request",
            lambda request: one.asked.append(request.url) if not request.url.startswith("data:") else None,
        )
        one.page.goto(file.as_uri())
        wait_until_ready(one.page)
        opened.append(one)
        return one.page

    yield open_file
    for one in opened:
        one.check_quiet()
        one.page.context.close()
