"""Stage 7: the terms of each article, and what they weigh.

Terms are the words of the title and of the beginning of the text, and pairs of
words that follow one another (a full name, "prime minister", two Han characters). A
term weighs as in BM25 (Robertson and Zaragoza, "The Probabilistic Relevance
Framework", 2009) over the corpus, blended with a background so that five articles
behave as a million do; words of the title and the lead count more. Only the
heaviest terms of an article are kept.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.kernels.story import terms as kernel
from samestory.normalise import FoldedTexts, Workspace, normalise
from samestory.story.background import background_shares

MOST_TERMS: Final = 192
"""Terms kept of an article. Measured: half as many lose a point of BCubed F1, more win nothing."""
MOST_TELLING: Final = 48
"""Terms by which neighbours are looked for."""
BACKGROUND_ARTICLES: Final = 1000
"""Articles that the background weighs."""
PAIR_WEIGHT: Final = 0.4
SATURATION: Final = 1.5
LENGTH_SHARE: Final = 0.6
USUAL_LENGTH: Final = 300.0
_WORD_BITS: Final = 22
_FEWEST_PAIR_BITS: Final = 18
_MOST_PAIR_BITS: Final = 27
_PAIRS_PER_ARTICLE: Final = 256


@dataclass(frozen=True)
class Rows:
    """The terms of some articles, as `Terms` has them.

    Attributes
    ----------
    names, weights : uint32 and float32 arrays of shape (n, `MOST_TERMS`)
    numbers : int32 array of shape (n,)
    """

    names: NDArray[np.uint32]
    weights: NDArray[np.float32]
    numbers: NDArray[np.int32]


@dataclass(frozen=True)
class Terms:
    """The most telling terms of n articles.

    Attributes
    ----------
    names : uint32 array of shape (n, `MOST_TERMS`)
        In order; what stands after the last is not set.
    weights : float32 array of the same shape
        Those of an article have a length of one.
    numbers : int32 array of shape (n,)
        Terms of each article.
    telling : uint8 array of shape (n, `MOST_TELLING`)
        Places of the heaviest that more than one article holds.
    numbers_telling : int32 array of shape (n,)
        How many these are.
    """

    names: NDArray[np.uint32]
    weights: NDArray[np.float32]
    numbers: NDArray[np.int32]
    telling: NDArray[np.uint8]
    numbers_telling: NDArray[np.int32]

    @classmethod
    def empty(cls, n: int) -> Terms:
        """Return the terms of n articles before they are weighed."""
        return cls(
            np.empty((n, MOST_TERMS), dtype=np.uint32),
            np.empty((n, MOST_TERMS), dtype=np.float32),
            np.zeros(n, dtype=np.int32),
            np.empty((n, MOST_TELLING), dtype=np.uint8),
            np.zeros(n, dtype=np.int32),
        )

    def reordered(self, places: NDArray[np.int64]) -> Terms:
        """Return the terms of the articles at some places, in that order."""
        return Terms(
            self.names[places],
            self.weights[places],
            self.numbers[places],
            self.telling[places],
            self.numbers_telling[places],
        )

    def rows(self, places: NDArray[np.int64]) -> Rows:
        """Return what tells the articles at some places, in that order."""
        return Rows(self.names[places], self.weights[places], self.numbers[places])


Listed: TypeAlias = tuple[NDArray[np.uint32], NDArray[np.uint32]]
"""Slots of the words and of the pairs of some articles."""


@dataclass(frozen=True)
class Headed:
    """Titles and texts of some articles of a batch, folded to words.

    Attributes
    ----------
    titles : FoldedTexts
    texts : FoldedTexts
    places : int64 array
        Where the text of each title is.
    """

    titles: FoldedTexts
    texts: FoldedTexts
    places: NDArray[np.int64]


def head(titles: Any, texts: FoldedTexts, places: NDArray[np.int64], *, by_character: bool) -> Headed:
    """Put titles, as they were read, before folded texts.

    Texts that were folded for shingles of characters are folded again: there, scripts
    without spaces are left together.
    """
    if by_character:
        values = pa.array([texts.text(int(place)) for place in places], pa.large_string())
        texts, places = normalise(values, unit="word"), np.arange(len(places))
    return Headed(normalise(titles, unit="word", workspace=Workspace()), texts, places)


@functools.cache
def _background() -> tuple[NDArray[np.uint16], int]:
    """Return how many of `BACKGROUND_ARTICLES` articles hold the words of each slot."""
    shares = background_shares()
    words = [word.encode() for word in shares]
    offsets = np.cumsum([0, *(len(word) for word in words)])
    names = kernel.name_words(np.frombuffer(b"".join(words) + bytes(64), dtype=np.uint8), offsets)
    counts = np.zeros(1 << _WORD_BITS, dtype=np.uint16)
    slots = (names >> np.uint64(32 - _WORD_BITS)).astype(np.int64)
    values = np.rint(BACKGROUND_ARTICLES * np.fromiter(shares.values(), dtype=np.float64))
    np.maximum.at(counts, slots, values.astype(np.uint16))
    return counts, len(words)


class TermCounts:
    """In how many articles of a corpus each term stands."""

    def __init__(self, n_articles: int) -> None:
        self._n_articles = n_articles
        bits = (n_articles * _PAIRS_PER_ARTICLE).bit_length()
        self._pair_bits = min(max(bits, _FEWEST_PAIR_BITS), _MOST_PAIR_BITS)
        self._words = np.zeros(1 << _WORD_BITS, dtype=np.uint32)
        self._pairs = np.zeros(1 << self._pair_bits, dtype=np.uint16)
        self._background, _ = _background()

    def list(self, headed: Headed) -> Listed:
        """Return the terms of some articles, to be added; this may be done in threads."""
        return kernel.list_terms(
            headed.titles.data,
            headed.titles.offsets,
            headed.texts.data,
            headed.texts.offsets,
            headed.places,
            self._background,
            _WORD_BITS,
            self._pair_bits,
            BACKGROUND_ARTICLES,
        )

    def add(self, listed: Listed) -> None:
        """Count listed terms."""
        kernel.add_to_counts(*listed, self._words, self._pairs)

    @functools.cached_property
    def rarity(self) -> NDArray[np.float32]:
        """What a term weighs by the number of articles that hold it."""
        n = self._n_articles + BACKGROUND_ARTICLES
        rare: NDArray[np.float64] = np.log((n + 1.0) / (np.arange(n + 2) + 0.5))
        return rare.clip(0.0).astype(np.float32)

    def weigh(self, headed: Headed, low: int, high: int, terms: Terms) -> int:
        """Write the terms of some articles to the places from `low` to `high`; return how many articles.

        This may be done in threads.
        """
        terms.numbers[low:high] = kernel.weigh_terms(
            headed.titles.data,
            headed.titles.offsets,
            headed.texts.data,
            headed.texts.offsets,
            headed.places,
            self._background,
            _WORD_BITS,
            self._pair_bits,
            BACKGROUND_ARTICLES,
            self._words,
            self._pairs,
            self.rarity,
            PAIR_WEIGHT,
            SATURATION,
            LENGTH_SHARE,
            USUAL_LENGTH,
            MOST_TERMS,
            MOST_TELLING,
            terms.names[low:high],
            terms.weights[low:high],
            terms.telling[low:high],
            terms.numbers_telling[low:high],
        )
        return high - low


def shared_terms(
    both: Rows,
) -> tuple[NDArray[np.uint32], NDArray[np.float32], NDArray[np.float32]]:
    """Return the names of the terms that two articles share, and what they weigh in each."""
    names_a, names_b = (both.names[i, : both.numbers[i]] for i in (0, 1))
    names, places_a, places_b = np.intersect1d(names_a, names_b, return_indices=True)
    return names, both.weights[0, places_a], both.weights[1, places_b]
