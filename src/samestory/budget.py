"""How the memory a run may take is divided, and how memory that is done with is given back.

What grows with the articles by a hundred bytes or so each (sizes, keys of texts, who stands for whom)
stays in memory; the rest has a share here, and goes to temporary files beyond it.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

BASE_BYTES: Final = 340 << 20
"""The program, its libraries, and what threads work in."""
ARTICLE_BYTES: Final = 150
"""Kept of each article, wherever the rest is."""
STORY_ARTICLE_BYTES: Final = 300
"""The same while stories are looked for, with what is kept of copies."""
LEAST_SHARED: Final = 0.125
"""So much of the memory is divided, however many articles there are."""
_MOST_TEXTS: Final = 256 << 20
_MOST_ROUND: Final = 256 << 20
_BATCH_BYTES: Final = 12 << 20
"""A batch under way, as read and as folded."""
KEY_BYTES: Final = 8
_LEAST_ARTICLE: Final = 1000
"""Bytes of input for an article, where nobody has counted them."""


@dataclass(frozen=True)
class Budget:
    """How many bytes of memory each thing may take before the rest of it goes to temporary files.

    Attributes
    ----------
    texts : int
        Folded texts.
    band_keys : int
    fingerprints : int
        As they are read, and as much again while they are sorted.
    metadata : int
        Ids, titles and the like.
    round : int
        Folded texts that are compared at one time.
    batches : int
        Batches that are under way at one time.
    stories : int
        What stories are found with, when copies have been found.
    """

    texts: int
    band_keys: int
    fingerprints: int
    metadata: int
    round: int
    batches: int
    stories: int

    @staticmethod
    def of(memory_bytes: int, n_threads: int, n_articles: int | None = None, n_bytes: int = 0) -> Budget:
        """Divide some memory.

        Parameters
        ----------
        memory_bytes, n_threads : int
        n_articles : int, optional
            None where they are not counted; then `n_bytes` of input tell.
        n_bytes : int
        """
        n = n_bytes // _LEAST_ARTICLE if n_articles is None else n_articles
        shared = max(memory_bytes - BASE_BYTES - n * ARTICLE_BYTES, int(memory_bytes * LEAST_SHARED))
        return Budget(
            texts=min(_MOST_TEXTS, shared // 10),
            band_keys=shared // 8,
            fingerprints=shared // 4,
            metadata=shared // 6,
            round=min(_MOST_ROUND, shared // 10),
            batches=max(n_threads + 1, min(4 * n_threads, shared // 8 // _BATCH_BYTES)),
            stories=max(
                memory_bytes - BASE_BYTES - n * STORY_ARTICLE_BYTES, int(memory_bytes * LEAST_SHARED)
            ),
        )

    def scratch_bytes(self, n_articles: int, n_bands: int, n_fingerprints: int) -> int:
        """Return about how many bytes go to files that the run cannot do without."""
        keys = n_articles * n_bands * KEY_BYTES
        prints = n_fingerprints * KEY_BYTES
        total = 2 * keys if keys > self.band_keys else 0  # as they come, and by component
        if prints > self.fingerprints:
            total += 2 * prints - self.fingerprints  # as they come, and sorted
        return total


def give_back() -> None:
    """Give freed memory back to the system, which the allocators would keep for later."""
    pa.default_memory_pool().release_unused()
    trim = _trim()
    if trim is not None:
        trim(0)


@functools.cache
def _trim() -> Callable[[int], int] | None:
    """Return glibc's ``malloc_trim``; other C libraries have none."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None
    return trim
