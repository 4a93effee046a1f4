"""A seeded generator of short articles, any number of them, with planted copies.

    python benchmarks/short.py --docs 10000000 --seed 1 -o short.parquet

writes articles of about 500 bytes in the columns of corpus.py and, beside them, the truth
(`short.truth.parquet`). Nothing is planned ahead: what a row is follows from the seed, the number of
rows and its own number, so memory does not grow with the corpus, and corpora of all sizes have one
distribution. Copies stand anywhere in the file (a permutation of the rows, see `places_of`).

30 % of the articles are in clusters of 2 to 20, small ones more often. In nine clusters of ten the
copies are of the original: one in three word for word, the others with 1 to 15 % of the words edited,
one in four of these with paragraphs dropped. In the tenth they are a chain: each is the one before with
some 4 % of the words edited, so that its ends may be near only by way of the others. Articles come from
the sites of corpus.py, without page furniture.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import corpus
from corpus_kernels import CHAIN, CURLY, Plan
from vocabulary import make_vocabulary

Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]

SHAPE = corpus.Kind(median_words=82.0, sigma=0.3, furniture_share=0.0)
EXACT_SHARE = 1.0 / 3.0
DROP_SHARE = 0.25
CHAIN_SHARE = 0.1
CHAIN_RATE = 0.04
_N_SIZES = 512
_DAY = 86_400
# What a random number is for.
_LENGTH, _START, _CHAIN, _DELAY, _EXACT, _RATE, _DROP, _SITE, _STYLE, _ROUND = range(10)


class Members(NamedTuple):
    """The base article of each row, which copy of it the row is, and its planted cluster, -1 for none."""

    base: Ints
    copy: Ints
    cluster: Ints


def random_keys(seed: int, what: int, numbers: Ints) -> Keys:
    """Return 64 random bits for each number: SplitMix64, keyed by the seed and by what they are for."""
    with np.errstate(over="ignore"):
        z = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z += np.uint64(seed) * np.uint64(0xD6E8FEB86659FD93) + np.uint64(what + 1) * np.uint64(1 << 56)
        for _ in range(2):
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z ^= z >> np.uint64(31)
    return z


def shares(seed: int, what: int, numbers: Ints) -> NDArray[np.float64]:
    """Return a random number in [0, 1) for each number."""
    return (random_keys(seed, what, numbers) >> np.uint64(11)).astype(np.float64) / (1 << 53)


def normals(seed: int, what: int, numbers: Ints) -> NDArray[np.float64]:
    """Return for each number a random number of about a normal distribution: the sum of twelve shares."""
    keys = random_keys(seed, what, numbers)
    total = np.zeros(len(keys))
    for _ in range(3):
        for shift in (0, 16, 32, 48):
            total += ((keys >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.float64) / (1 << 16)
        keys = random_keys(seed, what, keys.astype(np.int64))
    return total - 6.0


def places_of(rows: Ints, n_docs: int, seed: int) -> Ints:
    """Return a permutation of 0 .. n_docs - 1 at some rows.

    A Feistel network over the next even power of two (Luby and Rackoff 1988), walked until the place is
    one of the corpus (Black and Rogaway 2002).
    """
    half = max(1, ((n_docs - 1).bit_length() + 1) // 2)
    places, outside = rows.copy(), np.ones(len(rows), np.bool_)
    while outside.any():
        left, right = places[outside] >> half, places[outside] & ((1 << half) - 1)
        for turn in range(4):
            mixed = random_keys(seed, _ROUND + turn, right).astype(np.int64) & ((1 << half) - 1)
            left, right = right, left ^ mixed
        places[outside] = (left << half) | right
        outside = places >= n_docs
    return places


def _size_table() -> Ints:
    """Return the sizes of clusters, which come again and again in this order: the same for every seed."""
    weights = 1.0 / corpus.CLUSTER_SIZES
    drawn = np.random.default_rng(11).choice(corpus.CLUSTER_SIZES, size=_N_SIZES, p=weights / weights.sum())
    return drawn.astype(np.int64)


def members_of(places: Ints, n_docs: int) -> Members:
    """Return which article each place is: planted ones first, whole tables of clusters after one another."""
    sizes = _size_table()
    n_planted = int(n_docs * corpus.CLUSTERED_SHARE)
    table, within = np.divmod(places, int(sizes.sum()))
    own = np.repeat(np.arange(_N_SIZES), sizes)[within]
    cluster = table * _N_SIZES + own
    copy = within - (np.cumsum(sizes) - sizes)[own]
    planted = places < n_planted
    # No cluster has the number of a place of its own: there are fewer clusters than planted places.
    return Members(
        np.where(planted, cluster, places), np.where(planted, copy, 0), np.where(planted, cluster, -1)
    )


def plan_rows(rows: Ints, n_docs: int, seed: int) -> tuple[Plan, Ints, NDArray[np.int32]]:
    """Return the plan of some rows, their times in seconds after the start, and their planted clusters."""
    base, copy, cluster = members_of(places_of(rows, n_docs, seed), n_docs)
    chain = (cluster >= 0) & (shares(seed, _CHAIN, base) < CHAIN_SHARE)
    lengths = SHAPE.median_words * np.exp(SHAPE.sigma * normals(seed, _LENGTH, base))
    low, high = np.log(0.01), np.log(0.15)
    rate = np.exp(low + (high - low) * shares(seed, _RATE, rows))
    rate[shares(seed, _EXACT, rows) < EXACT_SHARE] = 0.0
    drop = np.where((shares(seed, _DROP, rows) < DROP_SHARE) & (rate > 0.0), 0.2, 0.0)
    weights = np.cumsum(1.0 / (np.arange(corpus.N_SITES) + 20.0))
    site = np.searchsorted(weights, shares(seed, _SITE, rows) * weights[-1], side="right")
    curly = shares(seed, _STYLE, rows) < 0.04
    delay = np.where(copy > 0, -8 * 3_600 * np.log1p(-shares(seed, _DELAY, rows)), 0.0)
    published = shares(seed, _START, base) * (corpus.N_DAYS * _DAY) + delay
    plan = Plan(
        base=base.astype(np.int32),
        copy=copy.astype(np.int32),
        n_words=np.clip(np.rint(lengths), 20, 20_000).astype(np.int32),
        edit_rate=np.where(chain, CHAIN_RATE, rate).astype(np.float32),
        drop_rate=np.where(chain, 0.0, drop).astype(np.float32),
        site=site.astype(np.int32),
        style=(curly * CURLY + chain * CHAIN).astype(np.uint8),
    )
    times = np.minimum(published.astype(np.int64), corpus.N_DAYS * _DAY - 1)
    return plan, times, cluster.astype(np.int32)


def write_short(path: Path, n_docs: int, seed: int = 1, threads: int = 2) -> None:
    """Write a corpus and its truth, whole or not at all."""
    vocabulary = make_vocabulary(seed)

    def make(start: int, stop: int) -> tuple[pa.Table, NDArray[np.int32]]:
        plan, published, cluster = plan_rows(np.arange(start, stop), n_docs, seed)
        return corpus.render_table(plan, published, start, vocabulary, seed, SHAPE), cluster

    corpus.write_batches(path, corpus.in_row_groups(make, n_docs, threads))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--docs", type=int, required=True, help="number of articles")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    if not 1 <= args.docs <= 99_999_999:
        parser.error(f"--docs must be from 1 to 99,999,999, not {args.docs}")
    write_short(args.output, args.docs, args.seed, args.threads)


if __name__ == "__main__":
    main()
