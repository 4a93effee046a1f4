"""A seeded generator of news-like articles with planted near copies.

    python benchmarks/corpus.py --docs 100000 --seed 1 --kind ordinary -o corpus.parquet

writes the articles (doc_id, title, text, source, url, published_at) and, beside them, the truth
(`corpus.truth.parquet`: doc_id, cluster; null for an article that has no planted copy). The same
seed, number and kind give the same articles, on any number of threads.

Ordinary articles: Zipf vocabulary of 200,000 types, log-normal length with a median of 350 words
(about 2.4 KB on average), sentences, paragraphs, quotations, names and numbers; a few in a hundred
have curly quotes or accents. 30 % of the articles are in clusters of 2 to 20: one original, the
others with 1 to 15 % of the words replaced, inserted or deleted (log-uniform), one in four with
paragraphs dropped. Every article comes from one of 2,000 sites, and any article may carry the
header and the footer of its site (copies twice as often as others).

Other kinds: `identical` (one article N times), `footer` (unrelated articles of about the same
length as ordinary ones that share one footer, 60 % of their words), `short` (ordinary ones of about
500 bytes).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus_kernels import CURLY, FOOTER, HEADER, TITLE, Plan, render_articles
from vocabulary import Vocabulary, make_vocabulary

Made = TypeVar("Made")
KINDS = ("ordinary", "identical", "footer", "short")
ROW_GROUP_ROWS = 20_000
N_SITES = 2_000
CLUSTERED_SHARE = 0.3
CLUSTER_SIZES = np.arange(2, 21)
N_DAYS = 90
START = datetime(2024, 1, 1, tzinfo=timezone.utc)
SCHEMA = pa.schema(
    {
        "doc_id": pa.string(),
        "title": pa.string(),
        "text": pa.string(),
        "source": pa.string(),
        "url": pa.string(),
        "published_at": pa.timestamp("ms", tz="UTC"),
    }
)
TRUTH_SCHEMA = pa.schema({"doc_id": pa.string(), "cluster": pa.int32()})


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The shape of a corpus: lengths in words, furniture, and what is planted."""

    median_words: float = 350.0
    sigma: float = 0.6
    header_words: int = 12
    footer_words: int = 0
    furniture_share: float = 0.2
    clustered: bool = True


_SHAPES = {
    "ordinary": Kind(),
    "short": Kind(median_words=82.0, sigma=0.3, furniture_share=0.0),
    "identical": Kind(sigma=0.0, median_words=419.0, furniture_share=0.0, clustered=False),
    "footer": Kind(median_words=168.0, sigma=0.08, footer_words=252, furniture_share=1.0, clustered=False),
}


def rows_of(plan: Plan, rows: slice | NDArray[np.int64]) -> Plan:
    """Return the plan of some of the articles."""
    return Plan(*(column[rows] for column in plan))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Corpus:
    """A planned corpus: the plan of the texts and the times of publication, in shuffled order."""

    plan: Plan
    published: NDArray[np.int64]
    cluster: NDArray[np.int32]  # -1: not planted

    def __len__(self) -> int:
        return len(self.plan.base)


def truth_path(path: Path) -> Path:
    """Return where the truth of a corpus file is: FILE.truth.parquet."""
    return path.with_suffix(".truth.parquet")


def cluster_sizes(n_articles: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return sizes from 2 to 20 (small ones more often) that add up to `n_articles` or one less."""
    weights = 1.0 / CLUSTER_SIZES
    sizes = rng.choice(CLUSTER_SIZES, size=n_articles // 2 + 1, p=weights / weights.sum())
    ends = np.cumsum(sizes)
    sizes = sizes[: int(np.searchsorted(ends, n_articles, side="right"))]
    rest = n_articles - int(sizes.sum())
    return np.append(sizes, rest) if rest >= 2 else sizes


def plan_corpus(n_docs: int, seed: int, kind: str = "ordinary") -> Corpus:
    """Decide what every article of a corpus will be, in the order it is written."""
    shape = _SHAPES[kind]
    rng = np.random.default_rng([seed, 2])
    sizes = cluster_sizes(int(n_docs * CLUSTERED_SHARE), rng) if shape.clustered else np.empty(0, np.int64)
    n_planted = int(sizes.sum())
    n_single = n_docs - n_planted
    base = np.concatenate([np.repeat(np.arange(len(sizes)), sizes), len(sizes) + np.arange(n_single)])
    firsts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    copy = np.concatenate([np.arange(n_planted) - firsts, np.zeros(n_single, np.int64)])
    if kind == "identical":
        base[:] = 0
    n_bases = len(sizes) + n_single
    lengths = np.exp(rng.normal(np.log(shape.median_words), shape.sigma, n_bases))
    lengths = np.clip(np.rint(lengths), 20, 20_000).astype(np.int32)
    started = rng.integers(0, N_DAYS * 86_400, n_bases)
    delay = np.minimum(rng.exponential(8 * 3_600, n_docs) * (copy > 0), N_DAYS * 86_400).astype(np.int64)
    plan = Plan(
        base=base.astype(np.int32),
        copy=copy.astype(np.int32),
        n_words=lengths[base],
        edit_rate=np.exp(rng.uniform(np.log(0.01), np.log(0.15), n_docs)).astype(np.float32),
        drop_rate=(0.2 * (rng.random(n_docs) < 0.25)).astype(np.float32),
        site=_sites(n_docs, kind, rng),
        style=_styles(copy, shape, rng),
    )
    planted = (np.arange(n_docs) < n_planted) | (kind == "identical")
    cluster = np.where(planted, base, -1).astype(np.int32)
    order = rng.permutation(n_docs)
    published = np.minimum(started[base] + delay, N_DAYS * 86_400 - 1)
    return Corpus(rows_of(plan, order), published[order], cluster[order])


def _sites(n_docs: int, kind: str, rng: np.random.Generator) -> NDArray[np.int32]:
    """Return the site of each article; some sites publish much more than others."""
    if kind == "footer":
        return np.zeros(n_docs, np.int32)
    weights = 1.0 / (np.arange(N_SITES) + 20.0)
    return rng.choice(N_SITES, size=n_docs, p=weights / weights.sum()).astype(np.int32)


def _styles(copy: NDArray[np.int64], shape: Kind, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return which articles have curly quotes, a header, a footer."""
    n_docs = len(copy)
    chance = np.minimum(1.0, np.where(copy > 0, 2.0, 1.0) * shape.furniture_share)
    curly = rng.random(n_docs) < 0.04
    header = (rng.random(n_docs) < chance) & (shape.footer_words == 0)
    footer = rng.random(n_docs) < chance
    return (curly * CURLY + header * HEADER + footer * FOOTER).astype(np.uint8)


def make_batch(
    corpus: Corpus, vocabulary: Vocabulary, seed: int, kind: str, start: int, stop: int
) -> pa.Table:
    """Return the articles of one row group."""
    plan = rows_of(corpus.plan, slice(start, stop))
    return render_table(plan, corpus.published[start:stop], start, vocabulary, seed, _SHAPES[kind])


def render_table(
    plan: Plan, published: NDArray[np.int64], start: int, vocabulary: Vocabulary, seed: int, shape: Kind
) -> pa.Table:
    """Return planned articles, the first of them row `start`; `published` is in seconds after START."""
    texts = render_articles(vocabulary, seed, plan, shape.header_words, shape.footer_words)
    headline = plan._replace(
        n_words=(5 + plan.base % 7).astype(np.int32),
        edit_rate=np.where(plan.copy % 2 == 1, np.float32(0.15), np.float32(0.0)),
        drop_rate=np.zeros_like(plan.drop_rate),
        style=np.full(len(plan.base), TITLE, np.uint8),
    )
    titles = render_articles(vocabulary, seed, headline, 0, 0)
    ids = _digits(np.arange(start, start + len(plan.base)))
    source = pc.binary_join_element_wise("site", _digits(plan.site, 4), "example", ".")
    columns = {
        "doc_id": pc.binary_join_element_wise("doc", ids, "-"),
        "title": _strings(*titles),
        "text": _strings(*texts),
        "source": source,
        "url": pc.binary_join_element_wise("https:/", source, "news", ids, "/"),
        "published_at": pa.array(1_000 * (published + int(START.timestamp()))),
    }
    arrays = [columns[field.name].cast(field.type) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _strings(letters: NDArray[np.uint8], offsets: NDArray[np.int32]) -> pa.StringArray:
    """Wrap UTF-8 bytes and offsets as an Arrow array without copying."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(letters))


def _digits(numbers: NDArray[np.integer], width: int = 8) -> pa.StringArray:
    """Return numbers as strings of fixed width."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    letters = (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)
    return _strings(letters.ravel(), np.arange(len(numbers) + 1, dtype=np.int32) * width)


def batches(
    n_docs: int, seed: int, kind: str, threads: int = 2
) -> Iterator[tuple[pa.Table, NDArray[np.int32]]]:
    """Yield the row groups of a corpus in order, each with its planted clusters; few are in memory."""
    corpus = plan_corpus(n_docs, seed, kind)
    vocabulary = make_vocabulary(seed)

    def make(start: int, stop: int) -> tuple[pa.Table, NDArray[np.int32]]:
        return make_batch(corpus, vocabulary, seed, kind, start, stop), corpus.cluster[start:stop]

    return in_row_groups(make, n_docs, threads)


def in_row_groups(make: Callable[[int, int], Made], n_docs: int, threads: int = 2) -> Iterator[Made]:
    """Yield what `make` makes of the rows of each row group, in order, made in threads, few at a time."""
    with ThreadPoolExecutor(threads) as pool:
        pending = []
        for start in range(0, n_docs, ROW_GROUP_ROWS):
            pending.append(pool.submit(make, start, min(start + ROW_GROUP_ROWS, n_docs)))
            if len(pending) > threads:
                yield pending.pop(0).result()
        for made in pending:
            yield made.result()


def write_corpus(
    path: Path,
    n_docs: int,
    seed: int = 1,
    kind: str = "ordinary",
    compression: str = "snappy",
    threads: int = 2,
) -> None:
    """Write a corpus and its truth as Parquet files, whole or not at all."""
    write_batches(path, batches(n_docs, seed, kind, threads), compression)


def write_batches(
    path: Path, made: Iterable[tuple[pa.Table, NDArray[np.int32]]], compression: str = "snappy"
) -> None:
    """Write articles with their planted clusters, -1 for none, as Parquet files, whole or not at all."""
    truth = truth_path(path)
    part, truth_part = path.with_name(path.name + ".part"), truth.with_name(truth.name + ".part")
    with (
        pq.ParquetWriter(part, SCHEMA, compression=compression) as articles,
        pq.ParquetWriter(truth_part, TRUTH_SCHEMA) as labels,
    ):
        for table, cluster in made:
            articles.write_table(table, row_group_size=ROW_GROUP_ROWS)
            planted = pa.array(cluster, mask=cluster < 0)
            labels.write_table(pa.table({"doc_id": table["doc_id"], "cluster": planted}))
    truth_part.replace(truth)
    part.replace(path)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--docs", type=int, required=True, help="number of articles")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=KINDS, default="ordinary")
    parser.add_argument("--compression", choices=("snappy", "zstd", "none"), default="snappy")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    if args.docs < 1:
        parser.error(f"--docs must be at least 1, not {args.docs}")
    write_corpus(args.output, args.docs, args.seed, args.kind, args.compression, args.threads)


if __name__ == "__main__":
    main()
