"""A made-up vocabulary with the statistics of newspaper English.

200,000 pronounceable word types in order of frequency: a Zipf-Mandelbrot law gives each rank its
probability, the mean length grows with the logarithm of the rank (frequent words are short, about
4.7 letters on average when weighted by frequency), some types are names (always capitalised), some
are numbers, and a rare few carry an accent.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_TYPES = 200_000
ZIPF_EXPONENT = 1.07
ZIPF_OFFSET = 2.7
N_FIRST_NAMES = 300  # no name, number or accent among the most frequent types
ACCENT_MASS = 1.0e-4  # share of running words that carry an accent

_PAIRS = ["br", "ch", "cl", "cr", "dr", "fl", "gr", "pl", "pr", "sh", "sl", "sp", "st", "th", "tr"]
_ONSETS = [*"bcdfghjklmnprstvw", *_PAIRS]
_VOWELS = [*"aeiouaeio", "ai", "ea", "ee", "io", "ou"]
_CODAS = ["", "", "", "n", "r", "s", "t", "l", "m", "nd", "st", "ck", "ng", "rt"]
_ACCENTS = {"a": "á", "e": "é", "i": "í", "o": "ö", "u": "ü"}


class Vocabulary(NamedTuple):
    """Word types in order of frequency, laid out for the kernels.

    `letters[offsets[i]:offsets[i + 1]]` are the UTF-8 bytes of type `i`; `keep` and `alias` are the
    tables of Vose's alias method (keep scaled to 2^32); `is_name` marks types that are capitalised.
    """

    letters: NDArray[np.uint8]
    offsets: NDArray[np.int32]
    keep: NDArray[np.uint32]
    alias: NDArray[np.int32]
    is_name: NDArray[np.bool_]


@lru_cache(maxsize=2)
def make_vocabulary(seed: int, n_types: int = N_TYPES) -> Vocabulary:
    """Return the vocabulary of a seed."""
    rng = np.random.default_rng([seed, 1])
    weights = 1.0 / (np.arange(n_types) + 1 + ZIPF_OFFSET) ** ZIPF_EXPONENT
    weights /= weights.sum()
    words = _with_accents(_with_numbers(_words(rng, n_types), rng), weights, rng)
    encoded = [word.encode() for word in words]
    offsets = np.zeros(n_types + 1, np.int32)
    np.cumsum([len(word) for word in encoded], out=offsets[1:])
    is_name = rng.random(n_types) < 0.15
    is_name[:N_FIRST_NAMES] = False
    keep, alias = alias_tables(weights)
    return Vocabulary(np.frombuffer(b"".join(encoded), np.uint8), offsets, keep, alias, is_name)


def _words(rng: np.random.Generator, n_types: int) -> list[str]:
    """Return distinct pronounceable words whose length grows with their rank."""
    wanted = np.clip(rng.normal(1.4 + 0.52 * np.log(np.arange(n_types) + 1.5), 1.2), 1, 16)
    wanted = np.rint(wanted).astype(int).tolist()
    seen: set[str] = set()
    words = []
    n_onsets, n_vowels, n_codas = len(_ONSETS), len(_VOWELS), len(_CODAS)
    draws = iter(rng.integers(0, 1 << 30, 24 * n_types).tolist())
    for length in wanted:
        word, tries = "", 0
        while not word or word in seen:
            word, tries = "", tries + 1
            while len(word) < length + tries // 4:
                draw = next(draws)
                word += _ONSETS[draw % n_onsets] if word or draw % 4 else ""
                word += _VOWELS[(draw >> 7) % n_vowels] + _CODAS[(draw >> 14) % n_codas]
            word = word[: max(1, length + tries // 4)]
        seen.add(word)
        words.append(word)
    return words


def _with_numbers(words: list[str], rng: np.random.Generator) -> list[str]:
    """Replace about one type in a hundred by a number."""
    ranks = np.flatnonzero(rng.random(len(words)) < 0.01)
    ranks = ranks[ranks >= N_FIRST_NAMES]
    numbers = rng.permutation(100_000)[: len(ranks)]
    for rank, number in zip(ranks.tolist(), numbers.tolist(), strict=True):
        words[rank] = str(number)
    return words


def _with_accents(words: list[str], weights: NDArray[np.floating], rng: np.random.Generator) -> list[str]:
    """Put an accent inside rare types until they make up ACCENT_MASS of running words."""
    mass = 0.0
    for rank in (N_FIRST_NAMES * 10 + rng.permutation(len(words) - N_FIRST_NAMES * 10)).tolist():
        if mass >= ACCENT_MASS:
            break
        word = words[rank]
        place = next((i for i in range(len(word) - 1, 0, -1) if word[i] in _ACCENTS), 0)
        if place:
            words[rank] = word[:place] + _ACCENTS[word[place]] + word[place + 1 :]
            mass += weights[rank]
    return words


def alias_tables(weights: NDArray[np.floating]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Return Vose's tables: draw a slot at random, keep it or go to its alias."""
    n = len(weights)
    scaled = (weights * n / weights.sum()).tolist()
    alias = list(range(n))
    small = [i for i in range(n) if scaled[i] < 1.0]
    large = [i for i in range(n) if scaled[i] >= 1.0]
    while small and large:
        low, high = small.pop(), large[-1]
        alias[low] = high
        scaled[high] -= 1.0 - scaled[low]
        if scaled[high] < 1.0:
            small.append(large.pop())
    keep = np.clip(np.array(scaled), 0.0, 1.0) * (2**32 - 1)
    keep[small + large] = 2**32 - 1
    return keep.astype(np.uint32), np.array(alias, np.int32)
