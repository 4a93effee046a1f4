"""Ask an index of single articles, add single ones to it, and print the times as JSON.

    python -m indexing.singles INDEX_DIR --known 1000000 --seed 1 --calls 1000

The first calls, with articles not used again, are not counted: the process is warm. What a call costs is what
a caller waits for: from an Arrow table of one row to one of what is known of it, for `ingest` with the disk
having it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import samestory
from indexing.fresh import fresh_articles
from indexing.resources import disk_bytes, memory, per_article, times

WARM_UP_CALLS = 20


def single_rows(table: pa.Table) -> list[pa.Table]:
    """Return the rows as tables of their own."""
    return [pa.Table.from_pylist([row], schema=table.schema) for row in table.to_pylist()]


def timed_calls(
    call: Callable[[Any], pa.Table], articles: list[pa.Table], is_copy: NDArray[np.bool_]
) -> dict[str, Any]:
    """Call with one article after another; return the times, and how many copies and others were matched."""
    seconds, matched = [], []
    for article in articles:
        begin = time.perf_counter()
        told = call(article)
        seconds.append(time.perf_counter() - begin)
        matched.append(told["matched_id"][0].is_valid)
    of_copies, of_others = np.array(matched)[is_copy], np.array(matched)[~is_copy]
    return {
        "calls": len(seconds),
        **times(seconds),
        "docs_per_second": round(len(seconds) / sum(seconds), 1),
        "copies": len(of_copies),
        "copies_matched": int(of_copies.sum()),
        "others_matched": int(of_others.sum()),
    }


def measure(folder: Path, articles: list[pa.Table], is_copy: NDArray[np.bool_], calls: int) -> dict[str, Any]:
    """Open an index and call it: `WARM_UP_CALLS` articles are for warming up, then `calls` twice."""
    with samestory.Index.open(folder) as index:
        n_articles = len(index)
        for article in articles[:WARM_UP_CALLS]:
            index.query(article)
            index.ingest(article)
        ask = slice(WARM_UP_CALLS, WARM_UP_CALLS + calls)
        add = slice(ask.stop, ask.stop + calls)
        asked = timed_calls(index.query, articles[ask], is_copy[ask])
        before = disk_bytes(folder)
        added = timed_calls(index.ingest, articles[add], is_copy[add])
        added["disk_bytes_per_article"] = per_article(disk_bytes(folder) - before, calls)
        held = {f"{name}_bytes": value for name, value in memory().items()}
        return {"articles": n_articles, "query": asked, "ingest": added, **held}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--known", type=int, required=True, help="articles of the corpus in the index")
    parser.add_argument("--seed", type=int, default=1, help="of that corpus")
    parser.add_argument("--calls", type=int, default=1_000)
    args = parser.parse_args()
    table, is_copy = fresh_articles(args.known, args.seed, WARM_UP_CALLS + 2 * args.calls)
    print(json.dumps(measure(args.folder, single_rows(table), is_copy, args.calls)))


if __name__ == "__main__":
    main()
