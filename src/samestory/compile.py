"""Compile every kernel ahead of time: ``python -m samestory.compile``.

For image builds, and wherever the first job should not wait: Numba keeps the
compiled code on disk (see `samestory.kernels.jit`), and later processes load it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from samestory.config import Config
from samestory.engines.classdata import write_archive
from samestory.engines.session import check_installed, check_java
from samestory.errors import SamestoryError
from samestory.index.durable import Index
from samestory.index.keyruns import KeyRuns
from samestory.index.runvalues import NoValues
from samestory.inspect import signatures
from samestory.pipeline import cluster

_N_VARIANTS: Final = 80
_N_COPIES: Final = 80
_N_WORDS: Final = 120
_N_PAGES: Final = 16
_N_BATCHES: Final = 4
_N_ALIKE: Final = 48
_N_KEYS: Final = 20_000
_DATES: Final = ["2024-01-01", "2024-01-02", None, "2024-01-09", "2024-03-01"]


def _articles() -> pa.Table:
    """Return articles that send the pipeline down each of its ways.

    A crowd of variants of one text, a large cluster of copies, a pair of near
    copies, excerpts, a round-up, pages of one site with its furniture (many,
    and two), chrome, a hyphen at a line's end, and texts beyond ASCII, hard
    ones among them.
    """
    words = [f"w{i}" for i in range(_N_WORDS)]
    variants = [" ".join([f"v{k}", *words[: k % 7], *words[k % 7 + 1 :]]) for k in range(_N_VARIANTS)]
    copies = [" ".join(reversed(words))] * _N_COPIES
    pair = [" ".join(f"x{i}" for i in range(40 + k)) for k in range(2)]
    stories = [[f"s{k}x{i}" for i in range(_N_WORDS)] for k in range(4)]
    whole = [" ".join(story) for story in stories]
    excerpts = [" ".join(story[:60]) for story in stories]
    round_up = [" ".join(word for story in stories for word in story)]
    pages = [
        " ".join([*(f"p{k}x{i}" for i in range(_N_WORDS)), *(f"foot{i}" for i in range(60))])
        for k in range(_N_PAGES)
    ]
    chrome = ["Please wait...\nA title\nA story that is told in a sen-\ntence.\nAll rights reserved."]
    beyond = ["Crème brûlée à Qalʿat Marūn", "e\u0301te\u0301 \u0928\u093c", ""]
    two = [
        " ".join([*(f"q{k}x{i}" for i in range(_N_WORDS)), *(f"end{i}" for i in range(60))]) for k in range(2)
    ]
    sourced = [*pages[: _N_PAGES // 2], *two]
    texts = [*variants, *copies, *pair, *whole, *excerpts, *round_up, *chrome, *beyond, *sourced]
    sources = [None] * (len(texts) - len(sourced)) + ["a"] * (len(sourced) - 2) + ["b"] * 2
    urls = ["https://www.example.org/1" if source == "a" else None for source in sources]
    ids = [str(i) for i in range(len(texts))]
    return pa.table({"id": ids, "text": texts, "source": sources, "url": urls})


def _reports() -> pa.Table:
    """Return reports of a few events in other words, one of them by many outlets, dated and undated."""
    n = 30
    events = [[f"e{k}x{i}" for i in range(12)] for k in range(3)]
    own = [[f"r{k}x{i}" for i in range(20)] for k in range(n)]
    texts = [
        " ".join(word for i, x in enumerate(own[k]) for word in (x, events[k % 3][(k + i) % 12]))
        for k in range(n)
    ]
    titles = [text[:60] for text in texts]
    ids = [str(k) for k in range(n)]
    return pa.table({"id": ids, "title": titles, "text": texts, "date": _DATES * (n // len(_DATES))})


def _ingest(folder: Path) -> None:
    """Send articles down each of the ways of an index."""
    articles = _articles()
    order = np.random.default_rng(1).permutation(len(articles))
    with Index.open(folder / "first", Config(threads=1), create=True) as index:
        for part in np.array_split(order, _N_BATCHES):
            index.ingest(articles.take(pa.array(part)))
        index.query(articles.take(pa.array(order[:2])).set_column(0, "id", pa.array(["x", "y"])))
        index.delete([str(k) for k in order[::3]])
    alike = [
        " ".join([*(f"a{k}x{i}" for i in range(60)), *(f"c{i}" for i in range(60))]) for k in range(_N_ALIKE)
    ]
    many = pa.table({"id": [str(k) for k in range(_N_ALIKE)], "text": alike})
    with Index.open(folder / "many", Config(threads=1, boilerplate=False), create=True) as index:
        for begin in range(0, _N_ALIKE, _N_ALIKE // 2):
            index.ingest(many.slice(begin, _N_ALIKE // 2))
    keys = np.random.default_rng(1).integers(0, 1 << 63, _N_KEYS, dtype=np.uint64) * np.uint64(2)
    runs = KeyRuns(b"")
    runs.load(NoValues())
    runs.plan(keys, np.zeros(_N_KEYS, dtype=np.int32))


def compile_kernels() -> float:
    """Compile what is not compiled yet; return the seconds it took."""
    start = time.perf_counter()
    cluster(_articles(), Config(threads=1))
    cluster(_reports(), Config(threads=1, level="story"))
    cluster(_articles().slice(0, _N_VARIANTS), Config(threads=1, founder_overlap=0.5))
    signatures(["one two three four five six"], Config(threads=1))
    with tempfile.TemporaryDirectory() as folder:
        _ingest(Path(folder))
    return time.perf_counter() - start


def prepare_spark() -> float | None:
    """Keep on disk what Java loads of Spark; return the seconds it took, None where there is no Spark."""
    start = time.perf_counter()
    try:
        check_installed()
        done = write_archive(check_java(), _articles())
    except SamestoryError:
        return None
    return time.perf_counter() - start if done else None


if __name__ == "__main__":
    sys.stdout.write(f"kernels ready in {compile_kernels():.1f} s\n")
    if (seconds := prepare_spark()) is not None:
        sys.stdout.write(f"Spark ready in {seconds:.1f} s\n")
