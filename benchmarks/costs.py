"""A small model of what the stages of `samestory cluster` cost: bytes, comparisons, seconds.

The numbers of bytes and comparisons follow from the code; where a constant comes from stands beside it.
Seconds come from one measured run: those of each stage for one comparison.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from samestory.fingerprints import WORD_SHIFT
from samestory.params import choose_banding

BANDING = choose_banding(0.7, 0.99, 128)  # the defaults: 17 bands of 4 rows
KEY_BYTES = 8  # of a band key (band_keys: uint64) and of a fingerprint (postings: uint64)
WORD_BYTES = 5.8  # of the generated corpora: 2,431 bytes and 419 words an article
FOLDED = 0.97  # folded text, of the text: no punctuation, words apart by a space (textstore)
INPUT = 0.66  # Parquet with snappy, of the text (corpora of corpus.py and short.py)
METADATA_BYTES = 150  # id, title, outlet, address and time of a generated article
HELD_BYTES = 150  # of an article, whatever the bound: sizes, text keys, founders, order (int64, int32)
PROGRAM_BYTES = 340 << 20  # Python, Arrow, compiled kernels, what threads work in
RANK_LIMIT = 2**31  # articles are int32 in union-find: more need another engine
SENT_KEY_BYTES = 16  # of a band key and the number of its article, as they go to another partition
TEXTS_BYTES = 256 << 20  # folded texts are kept in memory up to so many bytes (textstore.MEMORY_BYTES)

Entry = dict[str, Any]


@dataclass(frozen=True)
class Corpus:
    """What an article is on average, from a measured run."""

    text_bytes: float
    joined: float  # share of articles in clusters

    @property
    def words(self) -> float:
        """Words, and runs of words, of an article."""
        return self.text_bytes / WORD_BYTES

    @property
    def fingerprints(self) -> float:
        """Runs that are kept: one in 2**WORD_SHIFT."""
        return self.words / 2**WORD_SHIFT


@dataclass(frozen=True)
class Stage:
    """What one stage costs for n articles: bytes read, written and held, and comparisons."""

    name: str
    timed: str  # as run.json calls it
    read: Callable[[Corpus], float]
    written: Callable[[Corpus], float]
    held: float  # bytes of an article that are held whatever the bound
    compared: Callable[[Corpus], float]
    sorts: bool = False  # then comparisons grow with the logarithm of n, too

    def comparisons(self, n: int, corpus: Corpus) -> float:
        """Return the comparisons, or hashes, for n articles."""
        return n * self.compared(corpus) * (math.log2(max(2, n)) if self.sorts else 1.0)


STAGES = (
    # Every run of words is hashed with bands x rows permutations; keys, fingerprints, folded text are kept.
    Stage(
        "read and sketch", "read and sketch", lambda c: c.text_bytes * INPUT,
        lambda c: BANDING.bands * KEY_BYTES + (c.fingerprints * KEY_BYTES) + c.text_bytes * FOLDED,
        HELD_BYTES, lambda c: c.words * BANDING.bands * BANDING.rows_per_band,
    ),
    # Fingerprints are sorted by key; what only one article has is dropped.
    Stage(
        "furniture", "furniture", lambda c: 2 * c.fingerprints * KEY_BYTES,
        lambda c: c.fingerprints * KEY_BYTES, 16.0, lambda c: c.fingerprints, True,
    ),
    # Band by band: n keys are sorted, equal neighbours joined.
    Stage(
        "band", "band", lambda c: BANDING.bands * KEY_BYTES, lambda c: 0.0,
        12.0, lambda c: BANDING.bands, True,
    ),
    # Texts of articles that met in a bucket, brought into the order of the rounds; shingles merged: a few
    # others each.
    Stage(
        "verify", "verify", lambda c: (1 + c.joined) * c.text_bytes * FOLDED,
        lambda c: c.joined * c.text_bytes * FOLDED,
        32.0, lambda c: c.joined * c.words * 4,
    ),
    # Postings once more; what shares a fingerprint is compared, and texts are as for verification.
    Stage(
        "partial copies", "partial copies",
        lambda c: c.fingerprints * KEY_BYTES * c.joined + (1 + c.joined) * c.text_bytes * FOLDED,
        lambda c: c.joined * c.text_bytes * FOLDED,
        16.0, lambda c: c.fingerprints * c.joined + c.joined * c.words * 4,
    ),
    # A row for every article, with its metadata.
    Stage(
        "tables", "tabulate", lambda c: METADATA_BYTES, lambda c: METADATA_BYTES * 1.2, 0.0, lambda c: 1.0,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Rates:
    """Seconds: of a run's start, of an article beside the stages, of a comparison of each stage."""

    start: float
    rest: float
    stages: dict[str, float]

    @staticmethod
    def of(n: int, run: Entry, smallest: Entry, corpus: Corpus) -> Rates:
        """Fit the rates to a run; what the smallest run took beside its stages is taken to be its start."""
        charged = run["stages"]
        stages = {
            stage.name: charged.get(stage.timed, 0.0) / stage.comparisons(n, corpus) for stage in STAGES
        }
        start = beside_stages(smallest)
        return Rates(start, max(0.0, beside_stages(run) - start) / n, stages)

    def seconds(self, n: int, corpus: Corpus) -> float:
        """Return how long a local run takes."""
        stages = sum(self.stages[stage.name] * stage.comparisons(n, corpus) for stage in STAGES)
        return self.start + n * self.rest + stages


def beside_stages(run: Entry) -> float:
    """Return the seconds of a run outside of the stages that the model has."""
    return run["wall_seconds"] - sum(run["stages"].get(stage.timed, 0.0) for stage in STAGES)


def memory_bytes(n: int, corpus: Corpus) -> float:
    """Return the peak of a run that is not bound: keys and fingerprints twice while they are sorted."""
    article = (
        HELD_BYTES + 2 * METADATA_BYTES + BANDING.bands * KEY_BYTES + 2 * corpus.fingerprints * KEY_BYTES
    )
    return PROGRAM_BYTES + min(TEXTS_BYTES, n * corpus.text_bytes * FOLDED) + n * article


def scratch_bytes(n: int, corpus: Corpus) -> float:
    """Return the temporary files of a run that keeps nothing else in memory: twice what is sorted."""
    twice = BANDING.bands * KEY_BYTES + corpus.fingerprints * KEY_BYTES
    return n * (corpus.text_bytes * FOLDED * (1 + corpus.joined) + 2 * twice)


def shuffled_bytes(n: int, corpus: Corpus) -> float:
    """Return what goes from partition to partition on Spark.

    All articles go to their sites; those that met in a bucket to their components, and linked clusters come
    together. Fingerprints go to those like them, before and after furniture is taken out, at most each with
    an article and where that is, and along with their articles; band keys with an article, and along too.
    The tables take what they need of every article. Measured: 7.5 GB for the million of 2.4 KB.
    """
    texts = corpus.text_bytes * FOLDED * (1.0 + 2.0 * corpus.joined)
    prints = corpus.fingerprints * (2 * (SENT_KEY_BYTES + KEY_BYTES) + KEY_BYTES)
    bands = BANDING.bands * (SENT_KEY_BYTES + KEY_BYTES)
    return n * (texts + prints + bands + 3.5 * METADATA_BYTES)
