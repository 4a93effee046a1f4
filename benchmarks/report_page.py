"""The page of a run: how large it is, how long it takes to write, how soon it can be used.

    python benchmarks/report_page.py --docs 20000 1000000 --workdir WORK --out benchmarks/results

Makes the corpora and runs in WORK where they are not there yet (a million articles: 2.5 GB), writes
each page in a process of its own, with and without texts, and opens it in headless Chromium.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from chromium import started_chromium, wait_until_ready
from corpus import write_corpus
from measure import run_measured
from report import Columns, markdown, number, save, show, show_problems, surroundings

SEED = 1
COLUMNS: Columns = (
    ("page", "tool", str),
    ("MB", "page_bytes", number(2, 1e6)),
    ("seconds", "wall_seconds", number(1)),
    ("CPU s", "cpu_seconds", number(1)),
    ("peak MB", "peak_bytes", number(scale=1e6)),
    ("clusters listed", "clusters_listed", number()),
    ("of", "clusters", number()),
    ("side by side", "comparisons", number()),
    ("usable after ms", "ready_ms", number()),
    ("min", "ready_ms_min", number()),
    ("max", "ready_ms_max", number()),
)
_SAMESTORY = (sys.executable, "-m", "samestory")


def make_run(n_docs: int, workdir: Path) -> Path:
    """Cluster a corpus of so many generated articles, unless that was done before."""
    articles, out = workdir / f"report-{n_docs}.parquet", workdir / f"report-{n_docs}"
    if not articles.exists():
        write_corpus(articles, n_docs, SEED)
    if not (out / "run.json").exists():
        made = run_measured([*_SAMESTORY, "cluster", str(articles), "-o", str(out), "-q"])
        if made.exit_code:
            raise SystemExit(made.errors)
    return out


def measure_page(out: Path, n_docs: int, n_loads: int, browser: Any, *, text: bool) -> dict[str, Any]:
    """Write a page and open it a few times."""
    name = f"{n_docs:,} articles" + ("" if text else ", --no-text")
    file = out.parent / f"{out.name}{'' if text else '-bare'}.html"
    command = [*_SAMESTORY, "report", str(out), "-o", str(file), "--overwrite", "-q"]
    made = run_measured([*command, "--text" if text else "--no-text"])
    if made.exit_code:
        return {"tool": name, "problem": made.errors.strip()[-200:]}
    opened = [_open(browser, file) for _ in range(n_loads)]
    waits = [waited for waited, _, _ in opened]
    return {
        "tool": name,
        "problem": "",
        "page_bytes": file.stat().st_size,
        "wall_seconds": made.wall_seconds,
        "cpu_seconds": made.cpu_seconds,
        "peak_bytes": made.peak_bytes,
        "clusters": json.loads((out / "run.json").read_text())["counts"]["clusters"],
        "clusters_listed": opened[0][1],
        "comparisons": opened[0][2],
        "ready_ms": statistics.median(waits),
        "ready_ms_min": min(waits),
        "ready_ms_max": max(waits),
    }


def _open(browser: Any, file: Path) -> tuple[float, int, int]:
    """Milliseconds until the page could be used, and how many clusters and comparisons it holds."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(file.as_uri())
    waited = wait_until_ready(page)
    held = "JSON.parse(document.getElementById({!r}).textContent).{}"
    n_clusters = page.evaluate(held.format("data", "clusters.length"))
    n_compared = page.evaluate(f"Object.keys({held.format('texts', 'comparisons')}).length")
    page.close()
    return waited, n_clusters, n_compared


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--docs", type=int, nargs="+", default=[20_000])
    parser.add_argument("--loads", type=int, default=5, help="times that each page is opened")
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="folder for the figures")
    options = parser.parse_args()
    options.workdir.mkdir(parents=True, exist_ok=True)
    runs = [(n_docs, make_run(n_docs, options.workdir)) for n_docs in options.docs]
    with started_chromium() as browser:
        rows = [
            measure_page(out, n_docs, options.loads, browser, text=text)
            for n_docs, out in runs
            for text in (True, False)
        ]
    title = "the page of a run"
    show(title, rows, COLUMNS, 130)
    show_problems(rows)
    if options.out:
        body = {"pages": rows}
        print(save(options.out, "report", surroundings(), body, markdown(title, rows, COLUMNS)))


if __name__ == "__main__":
    main()
