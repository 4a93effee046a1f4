"""Stage 2b: fingerprints, a fixed share of each article's runs of words, and who shares them.

MinHash over whole articles cannot find a paragraph inside a long one; runs
sampled by their own key can, and they show what a site repeats on every page.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, MutableSequence, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.runs import LOCAL_BITS, PARTITION_BITS, drop_single, place_entries, sample_runs
from samestory.normalise import FoldedTexts
from samestory.scratch import Scratch, ScratchFile
from samestory.spill import Partitions

RUN_WORDS: Final = 5
RUN_CHARACTERS: Final = 24
WORD_SHIFT: Final = 3
"""One run of words in eight is kept,"""
CHARACTER_SHIFT: Final = 5
"""and one run of characters in 32."""
BYTES_A_UNIT: Final = {False: 6, True: 1}
"""About how many bytes of text a run has of its own, by whether it is of characters."""
SMALL_CORPUS: Final = 20_000
SMALL_BYTES: Final = 128 << 20
"""Up to so many articles, and bytes, all runs are kept: no pair escapes for lack of a fingerprint."""
_MOST_AT_ONCE: Final = 2
N_PARTITIONS: Final = 1 << PARTITION_BITS
MOST_FINER: Final = 4
"""A partition can be cut in two so often."""
_IN_THE_WORKS: Final = 4
"""A partition takes its size so often while it is sorted, in two threads."""


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


class Sampled(Protocol):
    """The fingerprints of one batch, wherever they are."""

    @property
    def n_bytes(self) -> int:
        """Bytes of those that are left."""

    def take(self, p: int, finer: int = 0) -> NDArray[np.uint64]:
        """Return the entries of one of ``16 * 2**finer`` partitions, once, in order, and let go of them."""


@dataclass(frozen=True)
class Sample:
    """The fingerprints of one batch, by partition: see `samestory.kernels.runs.sample_runs`."""

    partitions: list[NDArray[np.uint64] | None]

    @property
    def n_bytes(self) -> int:
        """Bytes of those that are left."""
        return sum(entries.nbytes for entries in self.partitions if entries is not None)

    def take(self, p: int, finer: int = 0) -> NDArray[np.uint64]:
        """Return the entries of one partition, and let go of them with the last part of it."""
        whole, part = p >> finer, p & ((1 << finer) - 1)
        entries = self.partitions[whole]
        if entries is None:
            raise RuntimeError("the entries have been taken")
        if finer and part == 0:
            entries.sort()
        if part == (1 << finer) - 1:
            self.partitions[whole] = None
        if not finer:
            return entries
        low, high = _bounds(entries, PARTITION_BITS + finer)[p : p + 2]
        return entries[low:high]


class FiledSample:
    """The fingerprints of one batch, sorted, in a file.

    Parameters
    ----------
    given : Sample
        Emptied.
    file : ScratchFile

    Attributes
    ----------
    file : ScratchFile
    """

    def __init__(self, given: Sample, file: ScratchFile) -> None:
        entries = np.concatenate([given.take(p) for p in range(N_PARTITIONS)])
        entries.sort()
        self.file = file
        self._begin = file.append(entries)
        self._bounds = _bounds(entries, PARTITION_BITS + MOST_FINER)

    @property
    def n_bytes(self) -> int:
        """Bytes of all of them."""
        return 8 * int(self._bounds[-1])

    def take(self, p: int, finer: int = 0) -> NDArray[np.uint64]:
        """Return the entries of one partition."""
        step = 1 << MOST_FINER - finer
        low, high = int(self._bounds[p * step]), int(self._bounds[(p + 1) * step])
        entries: NDArray[np.uint64] = self.file.read(np.uint64, self._begin + 8 * low, high - low)
        return entries


def _bounds(entries: NDArray[np.uint64], bits: int) -> NDArray[np.int32]:
    """Return where each partition by the highest bits begins among sorted entries, and the end."""
    lowest = np.arange(1, 1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    inner = np.searchsorted(entries, lowest)
    return np.concatenate([[0], inner, [len(entries)]]).astype(np.int32)


class Samples:
    """Keeps the fingerprints of the first batches in memory, the others' in a file; in any thread.

    Parameters
    ----------
    memory_bytes : int, optional
        None for all in memory.
    scratch : Scratch, optional
    """

    def __init__(self, memory_bytes: int | None = None, scratch: Scratch | None = None) -> None:
        self._room = memory_bytes
        self._scratch = scratch
        self._file: ScratchFile | None = None
        self._lock = threading.Lock()

    def keep(self, given: Sample) -> Sampled:
        """Return the same fingerprints, from where they are kept."""
        if self._room is None or self._scratch is None:
            return given
        with self._lock:
            if self._file is None and given.n_bytes <= self._room:
                self._room -= given.n_bytes
                return given
            if self._file is None:
                self._file = self._scratch.file()
        return FiledSample(given, self._file)


Stored: TypeAlias = MutableSequence[NDArray[np.uint64]] | Partitions
"""Partitions in memory, or some of them in a file."""


@dataclass(frozen=True)
class Postings:
    """The fingerprints that two or more articles of a corpus have, in partitions by key.

    Attributes
    ----------
    partitions : sequence of uint64 arrays
        Each sorted: a key in the high bits, in the low `rank_bits` the rank of an article that has it.
    rank_bits : int
    n_single : uint16 array of shape (n,)
        By rank, an article's fingerprints that no other has.
    finer : int
        How often each of the 16 partitions of the kernels is cut in two.
    """

    partitions: Stored
    rank_bits: int
    n_single: NDArray[np.uint16]
    finer: int = 0

    def numbered(self) -> Iterator[tuple[int, NDArray[np.uint64]]]:
        """Yield each partition, with its number among the 16."""
        for p in range(len(self.partitions)):
            yield p >> self.finer, self.partitions[p]

    def close(self) -> None:
        """Let go of the partitions."""
        if isinstance(self.partitions, Partitions):
            self.partitions.close()


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
    samples: MutableSequence[Sampled] | MutableSequence[Sample],
    counts: list[int],
    ranks: NDArray[np.int32],
    executor: Executor,
    memory_bytes: int | None = None,
    scratch: Scratch | None = None,
    rank_bits: int = 0,
) -> Postings:
    """Bring the fingerprints of all batches together.

    Parameters
    ----------
    samples : list of Sampled
        Of each batch; emptied, to give the memory back.
    counts : list of int
        Articles in each batch.
    ranks : int32 array of shape (n,)
        A permutation: the number by which each article is named in the postings, so that
        the articles of one key come in that order.
    executor : Executor
    memory_bytes : int, optional
        About what the partitions may take; the others go to `scratch`. None for no bound.
    scratch : Scratch, optional
    rank_bits : int, optional
        Of a larger corpus, of which these articles are a part: the keys are then as short as there.
    """
    rank_bits = rank_bits or (max(1, (len(ranks) - 1).bit_length()) if len(ranks) else 1)
    firsts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
    finer = _how_fine(sum(one.n_bytes for one in samples), memory_bytes)
    partitions = Partitions(N_PARTITIONS << finer, memory_bytes, scratch)

    n_groups = min(_MOST_AT_ONCE, N_PARTITIONS)
    n_single = [np.zeros(len(ranks), dtype=np.uint16) for _ in range(n_groups)]

    def gather(group: int) -> None:
        for p in range(len(partitions)):
            if (p >> finer) % n_groups == group:
                entries = _gather(samples, p, finer, firsts, ranks, rank_bits)
                partitions[p] = drop_single(entries, rank_bits, n_single[group])

    list(executor.map(gather, range(n_groups)))
    for file in {one.file for one in samples if isinstance(one, FiledSample)}:
        file.close()
    samples.clear()
    total = n_single[0]
    for other in n_single[1:]:
        total += np.minimum(other, np.uint16(65535) - total)
    return Postings(partitions, rank_bits, total, finer)


def _how_fine(n_bytes: int, memory_bytes: int | None) -> int:
    """Return how often the partitions must be cut in two, so that some can be sorted in memory."""
    finer = 0
    while (
        memory_bytes is not None
        and finer < MOST_FINER
        and _IN_THE_WORKS * (n_bytes // (N_PARTITIONS << finer)) > memory_bytes
    ):
        finer += 1
    return finer


def _gather(
    samples: Sequence[Sampled],
    p: int,
    finer: int,
    firsts: NDArray[np.int64],
    ranks: NDArray[np.int32],
    rank_bits: int,
) -> NDArray[np.uint64]:
    """Return one partition of all batches, sorted."""
    parts = [one.take(p, finer) for one in samples]
    out = np.empty(sum(len(part) for part in parts), dtype=np.uint64)
    at = 0
    for b, part in enumerate(parts):
        place_entries(part, ranks[firsts[b] : firsts[b + 1]], rank_bits, out, at)
        at += len(part)
    out.sort()
    return out
