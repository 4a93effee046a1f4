"""Stage 2b: fingerprints, a fixed share of each article's runs of words, and who shares them.

MinHash over whole articles cannot find a paragraph inside a long one; runs
sampled by their own key can, and they show what a site repeats on every page.
"""

from __future__ import annotations

import itertools
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.runs import LOCAL_BITS, PARTITION_BITS, drop_single, place_entries, sample_runs
from samestory.normalise import FoldedTexts

RUN_WORDS: Final = 5
RUN_CHARACTERS: Final = 24
WORD_SHIFT: Final = 3
"""One run of words in eight is kept,"""
CHARACTER_SHIFT: Final = 5
"""and one run of characters in 32."""
SMALL_CORPUS: Final = 20_000
SMALL_BYTES: Final = 128 << 20
"""Up to so many articles, and bytes, all runs are kept: no pair escapes for lack of a fingerprint."""
_MOST_AT_ONCE: Final = 2
N_PARTITIONS: Final = 1 << PARTITION_BITS


@dataclass(frozen=True)
class Runs:
    """What a run is, and which are kept: the same for all articles of a corpus.

    Attributes
    ----------
    by_character : bool
    shift : int
        One run in ``2**shift`` is kept.
    """

    by_character: bool
    shift: int

    @staticmethod
    def of_corpus(by_character: bool, n_articles: int = SMALL_CORPUS + 1, n_bytes: int = 0) -> Runs:
        """Return the runs for a corpus of some articles and bytes; of a small one every run is kept."""
        if n_articles <= SMALL_CORPUS and n_bytes <= SMALL_BYTES:
            return Runs(by_character, 0)
        return Runs(by_character, CHARACTER_SHIFT if by_character else WORD_SHIFT)

    @property
    def size(self) -> int:
        """Words or characters in a run."""
        return RUN_CHARACTERS if self.by_character else RUN_WORDS


@dataclass(frozen=True)
class Sample:
    """The fingerprints of one batch, by partition: see `samestory.kernels.runs.sample_runs`."""

    partitions: list[NDArray[np.uint64] | None]

    def take(self, p: int) -> NDArray[np.uint64]:
        """Return the entries of one partition, and let go of them."""
        entries = self.partitions[p]
        self.partitions[p] = None
        if entries is None:
            raise RuntimeError("the entries have been taken")
        return entries


@dataclass(frozen=True)
class Postings:
    """The fingerprints that two or more articles of a corpus have, in partitions by key.

    Attributes
    ----------
    partitions : list of uint64 arrays
        Each sorted: a key in the high bits, in the low `rank_bits` the rank of an article that has it.
    rank_bits : int
    n_single : uint16 array of shape (n,)
        By rank, an article's fingerprints that no other has.
    """

    partitions: list[NDArray[np.uint64]]
    rank_bits: int
    n_single: NDArray[np.uint16]


def sample(folded: FoldedTexts, runs: Runs) -> Sample:
    """Take the fingerprints of a batch of folded texts."""
    if len(folded) > 1 << LOCAL_BITS:
        raise ValueError(f"a batch of {len(folded)} texts is too large")
    entries, bounds = sample_runs(folded.data, folded.offsets, runs.by_character, runs.size, runs.shift)
    return Sample([entries[low:high].copy() for low, high in itertools.pairwise(bounds.tolist())])


def no_sample() -> Sample:
    """Return no fingerprints, where nobody will ask for them."""
    return Sample([np.zeros(0, dtype=np.uint64) for _ in range(N_PARTITIONS)])


def sort_postings(
    samples: list[Sample],
    counts: list[int],
    ranks: NDArray[np.int32],
    executor: Executor,
    rank_bits: int = 0,
) -> Postings:
    """Bring the fingerprints of all batches together.

    Parameters
    ----------
    samples : list of Sample
        Of each batch; emptied, to give the memory back.
    counts : list of int
        Articles in each batch.
    ranks : int32 array of shape (n,)
        A permutation: the number by which each article is named in the postings, so that
        the articles of one key come in that order.
    rank_bits : int, optional
        Of a larger corpus, of which these articles are a part: the keys are then as short as there.
    """
    rank_bits = rank_bits or (max(1, (len(ranks) - 1).bit_length()) if len(ranks) else 1)
    firsts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)

    n_groups = min(_MOST_AT_ONCE, N_PARTITIONS)
    n_single = [np.zeros(len(ranks), dtype=np.uint16) for _ in range(n_groups)]

    def gather(group: int) -> list[NDArray[np.uint64]]:
        return [
            drop_single(_gather(samples, p, firsts, ranks, rank_bits), rank_bits, n_single[group])
            for p in range(group, N_PARTITIONS, n_groups)
        ]

    groups = list(executor.map(gather, range(n_groups)))
    partitions = [groups[p % n_groups][p // n_groups] for p in range(N_PARTITIONS)]
    samples.clear()
    total = n_single[0]
    for other in n_single[1:]:
        total += np.minimum(other, np.uint16(65535) - total)
    return Postings(partitions, rank_bits, total)


def _gather(
    samples: list[Sample],
    p: int,
    firsts: NDArray[np.int64],
    ranks: NDArray[np.int32],
    rank_bits: int,
) -> NDArray[np.uint64]:
    """Return one partition of all batches, sorted."""
    parts = [one.take(p) for one in samples]
    out = np.empty(sum(len(part) for part in parts), dtype=np.uint64)
    at = 0
    for b, part in enumerate(parts):
        place_entries(part, ranks[firsts[b] : firsts[b + 1]], rank_bits, out, at)
        at += len(part)
    out.sort()
    return out
