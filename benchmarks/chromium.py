"""A headless Chromium, Debian's or another, for what looks at pages: tests, figures and screenshots."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
_ARGUMENTS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def started_chromium() -> Iterator[Any]:
    """Start the browser, with a fresh folder for its user's data."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def wait_until_ready(page: Any) -> float:
    """Wait until a page of `samestory report` can be used; milliseconds that it took by its own clock."""
    page.wait_for_selector("html[data-ready]", state="attached")
    return float(page.evaluate("performance.getEntriesByName('ready')[0].startTime"))
