"""How much of what articles share says that they report one event: story/*.parquet of a data directory.

The pairs looked at share at least 20 % of the shorter one's five-word shingles: by an exact join over
the texts as given (column `exact`), and as samestory prints them, with page furniture taken out and
without; samestory prints the pairs of one cluster only, and as it comes (first row) it measures its
own default shingles. `one event` is the share of such pairs within one true cluster; `kept` and
`true kept` are the shares of the exact join's pairs, and of those within one cluster, that are printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exact_join import ranked
from judging.answers import Figures, Ints, cell, numbers, places
from judging.exact_part import judged_texts, read_articles, shingle_hashes
from judging.runner import Result, Samestory
from judging.tasks import Row, Way

SHARE, SHINGLE = 0.2, "word:5"
SHOWN = ("pairs", "one_event", "kept", "true_kept")
MEASURE = "pairs sharing 20 % / one event / kept / true kept"
_LOW = ("--shingle", SHINGLE, "--containment", str(SHARE))
WAYS = (
    Way(),
    Way(note="--containment 0.2", options=_LOW),
    Way(note="--containment 0.2 --no-boilerplate", options=(*_LOW, "--no-boilerplate")),
)


@dataclass(frozen=True)
class Story:
    """A set with true stories, and its pairs by the exact join (each as one number)."""

    file: Path
    doc_id: pa.ChunkedArray
    truth: Ints
    base: Ints


def story_files(data: Path) -> Iterator[Path]:
    """Yield the files with true stories."""
    for file in sorted(data.glob("story/*.parquet")):
        labels = file.name.endswith((".pairs.parquet", ".truth.parquet"))
        if not labels and "truth" in pq.read_schema(file).names:
            yield file


def contained_pairs(texts: pa.ChunkedArray, share: float) -> Ints:
    """Return the pairs sharing `share` of the smaller set, each as lower place times n and the higher."""
    from scipy.sparse import csr_matrix, triu

    ranks, offsets, n_ranks = ranked(*shingle_hashes(texts, SHINGLE))
    has = csr_matrix(
        (np.ones(len(ranks), np.int32), ranks, offsets), shape=(len(offsets) - 1, max(1, n_ranks))
    )
    shared = triu(has @ has.T, k=1).tocoo()
    a, b = shared.row.astype(np.int64), shared.col.astype(np.int64)
    sizes = np.diff(offsets)
    near = shared.data >= share * np.minimum(sizes[a], sizes[b]) - 1e-9
    return a[near] * len(sizes) + b[near]


def read_story(file: Path) -> Story:
    """Return a set with its exact pairs."""
    table = read_articles(file)
    truth = numbers(pq.read_table(file, columns=["truth"])["truth"])
    return Story(file, table["doc_id"], truth, np.unique(contained_pairs(judged_texts(table), SHARE)))


def printed_pairs(story: Story, result: Result) -> Ints:
    """Return the printed pairs sharing 20 % of the shorter one."""
    pairs = result.pairs
    a, b = places(story.doc_id, pairs["doc_id_a"]), places(story.doc_id, pairs["doc_id_b"])
    both = [pairs[name].to_numpy() for name in ("containment_a_in_b", "containment_b_in_a")]
    near = np.maximum(*both) >= np.float32(SHARE)
    return (np.minimum(a, b) * len(story.doc_id) + np.maximum(a, b))[near]


def figures(story: Story, found: Ints) -> Figures:
    """Return the figures of the pairs found."""
    n = len(story.doc_id)

    def true(pairs: Ints) -> Ints:
        first, second = story.truth[pairs // n], story.truth[pairs % n]
        return pairs[(first == second) & (first >= 0)]

    base_true = true(story.base)
    return {
        "pairs": len(found),
        "one_event": len(true(found)) / len(found) if len(found) else None,
        "kept": float(np.isin(story.base, found).mean()) if len(story.base) else None,
        "true_kept": float(np.isin(base_true, found).mean()) if len(base_true) else None,
    }


def story_rows(file: Path, samestory: Samestory) -> Iterator[Row]:
    """Yield a row for every way to run samestory on a set; the exact join stands in the first."""
    story = read_story(file)
    for way in WAYS:
        result = samestory.run(file, way.options)
        row: Row = {"set": f"{file.stem}, {way.note}" if way.note else file.stem, "measure": MEASURE}
        if way is WAYS[0]:
            row["exact"] = cell("containment 0.20", figures(story, story.base), SHOWN)
        if result is not None:
            row["samestory"] = cell("", figures(story, printed_pairs(story, result)), SHOWN)
        yield row
