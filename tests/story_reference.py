"""How stories must be found, written to be read: slow, plain, and free of the library's kernels.

Only constants are taken from the library, and its table of common words.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

import reference
from samestory.kernels.story import terms as looked_at
from samestory.story import grouping, neighbours, terms
from samestory.story.background import background_shares

WORD_BITS = 22
MASK = 2**64 - 1
Term = tuple[bool, int]
"""Whether it is a pair of words, and its name."""


# --- Terms -------------------------------------------------------------------


def stem(word: str) -> bytes:
    """The first six letters, q as k and ou as u, doubled ones once, without an h after a last vowel."""
    data = word.encode()
    if data[:1].isdigit():
        return data
    found = bytearray()
    n_letters = 0
    for at, byte in enumerate(data):
        letter = ord("k") if byte == ord("q") else byte
        if letter < 0x80 and (found[-1:] == bytes([letter]) or data[at : at + 2] == b"ou"):
            continue
        n_letters += letter < 0x80 or letter >= 0xC0  # not the later bytes of a letter
        if n_letters > looked_at.STEM_LETTERS or len(found) >= looked_at.STEM_BYTES:
            return bytes(found)
        found.append(letter)
    if len(found) > 3 and found[-1:] == b"h" and found[-2:-1] in (b"a", b"e", b"i", b"o", b"u"):
        del found[-1]
    return bytes(found)


def name_of_word(word: str) -> int:
    return xxhash.xxh3_64_intdigest(stem(word)) & 0xFFFFFFFF


def name_of_pair(first: int, second: int) -> int:
    multiplier = 0x9E3779B97F4A7C15
    mixed = ((first << 32) | second) * multiplier & MASK
    mixed ^= mixed >> 32
    return (mixed * multiplier & MASK) >> 32


@functools.cache
def background() -> dict[int, int]:
    """Of the articles that the background weighs, how many hold the words of each slot."""
    counts: dict[int, int] = {}
    for word, share in background_shares().items():
        slot = name_of_word(word) >> (32 - WORD_BITS)
        counts[slot] = max(counts.get(slot, 0), round(terms.BACKGROUND_ARTICLES * share))
    return counts


def usual_count(name: int) -> int:
    return background().get(name >> (32 - WORD_BITS), 0)


def is_telling_number(word: str) -> bool:
    """A number that is neither a day of a month nor a year of our time."""
    if not all("0" <= char <= "9" for char in word):
        return False
    value = int(word)
    at_most = 2**40 * 10 + 9  # longer ones are codes
    return 31 < value <= at_most and not 1900 <= value < 2100


@dataclass(frozen=True)
class Counted:
    """What one article's terms count, how many articles of the background hold each, and the length."""

    counts: Counter[Term]
    usual: dict[Term, int]
    length: int


def count_terms(title: list[str], text: list[str]) -> Counted:
    """Count the words of the title and of the beginning of the text, and the pairs in them."""
    counts: Counter[Term] = Counter()
    usual: dict[Term, int] = {}
    title, text = title[: looked_at.TITLE_WORDS], text[: looked_at.BODY_WORDS]
    for is_title, words in ((True, title), (False, text)):
        for k, word in enumerate(words):
            in_lead = k < looked_at.LEAD_WORDS
            weight = looked_at.TITLE_COUNT if is_title else looked_at.LEAD_COUNT if in_lead else 1
            name = name_of_word(word)
            counts[False, name] += weight * (looked_at.NUMBER_COUNT if is_telling_number(word) else 1)
            usual[False, name] = usual_count(name)
        for k, (first, second) in enumerate(itertools.pairwise(words)):
            if not is_title and k >= looked_at.BODY_PAIRS:
                break
            in_lead = k < looked_at.LEAD_WORDS
            names = name_of_word(first), name_of_word(second)
            pair = True, name_of_pair(*names)
            counts[pair] += looked_at.TITLE_COUNT if is_title else looked_at.LEAD_COUNT if in_lead else 1
            usual[pair] = usual_count(names[0]) * usual_count(names[1]) // (2 * terms.BACKGROUND_ARTICLES)
    return Counted(counts, usual, len(text) + looked_at.TITLE_COUNT * len(title))


def slot_of(term: Term, n_articles: int) -> tuple[bool, int]:
    """Where a term is counted: terms of one slot count together."""
    is_pair, name = term
    pair_bits = min(max((256 * n_articles).bit_length(), 18), 27)
    return is_pair, name >> (32 - (pair_bits if is_pair else WORD_BITS))


@dataclass(frozen=True)
class Weighed:
    """One article's heaviest terms, as a vector of length one; the telling ones find neighbours."""

    weights: dict[Term, float]
    telling: frozenset[Term]
    lightest: float  # before they were scaled, of all that were kept
    lightest_telling: float


def weigh_all(articles: Sequence[tuple[list[str], list[str]]]) -> list[Weighed]:
    """BM25 with document frequencies of the corpus and the background together."""
    n = len(articles)
    counted = [count_terms(*article) for article in articles]
    held_by = Counter(slot_of(term, n) for article in counted for term in article.counts)
    mass = n + terms.BACKGROUND_ARTICLES

    def weigh(article: Counted) -> Weighed:
        relative = 1 - terms.LENGTH_SHARE + terms.LENGTH_SHARE * article.length / terms.USUAL_LENGTH
        raw = {}
        shared = set()
        for term, count in article.counts.items():
            held = article.usual[term] + held_by[slot_of(term, n)]
            rare = max(math.log((mass + 1) / (min(held, mass + 1) + 0.5)), 0.0)
            factor = terms.PAIR_WEIGHT if term[0] else 1.0
            raw[term] = factor * rare * count / (count + terms.SATURATION * relative)
            if held > 1:
                shared.add(term)
        order = sorted((t for t in raw if raw[t] > 0), key=lambda t: (-raw[t], t[1]))
        kept = order[: terms.MOST_TERMS]
        telling = [term for term in kept if term in shared][: terms.MOST_TELLING]
        size = math.sqrt(sum(raw[term] ** 2 for term in kept))
        return Weighed(
            {term: raw[term] / size for term in kept},
            frozenset(telling),
            raw[kept[-1]] / size if kept else 0.0,
            raw[telling[-1]] / size if telling else 0.0,
        )

    return [weigh(article) for article in counted]


# --- Neighbours, and the level of each ------------------------------------------


def cosines(weighed: Sequence[Weighed]) -> NDArray[np.float64]:
    """The cosine of every two articles; 0 of each with itself."""
    found = np.zeros((len(weighed), len(weighed)))
    for a, b in itertools.combinations(range(len(weighed)), 2):
        one, other = weighed[a].weights, weighed[b].weights
        found[a, b] = found[b, a] = sum(weight * other.get(term, 0.0) for term, weight in one.items())
    return found


def are_neighbours(weighed: Sequence[Weighed]) -> NDArray[np.bool_]:
    """Which articles have a telling term in common: all that are found in a corpus of a few."""
    n = len(weighed)
    return np.array(
        [[a != b and bool(weighed[a].telling & weighed[b].telling) for b in range(n)] for a in range(n)]
    )


def levels(weighed: Sequence[Weighed]) -> NDArray[np.float64]:
    """By what the similarities of each article are multiplied."""
    similarities = cosines(weighed) * are_neighbours(weighed)
    factors = np.ones(len(weighed))
    begin, end = neighbours.RANKS
    for k, own in enumerate(weighed):
        ranked = sorted(similarities[k], reverse=True)[: neighbours.MOST_NEIGHBOURS]
        topic = [value for value in ranked[begin:end] if value > 0]
        total = sum(topic) + neighbours.PRIOR * neighbours.PRIOR_NEIGHBOURS
        level = min(total / (len(topic) + neighbours.PRIOR_NEIGHBOURS), neighbours.MOST_FREE)
        nearest = max(ranked[0], neighbours.NEAREST_FLOOR)
        shortness = max(0.0, math.log(neighbours.SHORT_TERMS / max(1, len(own.weights))))
        factors[k] = (nearest * level) ** -neighbours.EXPONENT * (1 + neighbours.SHORT_BONUS * shortness)
    return factors


# --- Groups ----------------------------------------------------------------------


def fades(days: Sequence[int | None], window_days: float) -> NDArray[np.float64]:
    """The factor of time of every two articles: a bell over the days between, to a floor."""
    spread = window_days / grouping.SPREADS_PER_WINDOW
    found = np.ones((len(days), len(days)))
    for a, b in itertools.product(range(len(days)), repeat=2):
        one, other = days[a], days[b]
        if one is not None and other is not None:
            bell = math.exp(-0.5 * ((one - other) / spread) ** 2)
            found[a, b] = grouping.FLOOR + (1 - grouping.FLOOR) * bell
    return found


@dataclass(frozen=True)
class Grouped:
    """Groups as sorted lists, and how near the closest decision was."""

    groups: list[list[int]]
    margin: float


def average_linkage(similarities: NDArray[np.float64], fading: NDArray[np.float64], least: float) -> Grouped:
    """Merge the two groups of the greatest mean similarity, times mean fade, while it is `least` or more."""
    groups = [[k] for k in range(len(similarities))]
    margin = math.inf

    def score(one: Iterable[int], other: Iterable[int]) -> float:
        cells = np.ix_(list(one), list(other))
        return float(similarities[cells].mean() * fading[cells].mean())

    while len(groups) > 1:
        ranked = sorted(
            ((score(groups[a], groups[b]), -a, -b) for a, b in itertools.combinations(range(len(groups)), 2)),
            reverse=True,
        )
        best, a, b = ranked[0][0], -ranked[0][1], -ranked[0][2]
        margin = min(margin, abs(best - least))
        if best < least:
            break
        if len(ranked) > 1 and {a, b} & {-ranked[1][1], -ranked[1][2]}:
            margin = min(margin, best - ranked[1][0])
        groups[a] = sorted(groups[a] + groups[b])
        del groups[b]
    return Grouped(sorted(groups), margin)


def score_of(similarity: float) -> float:
    return similarity**2 / (similarity**2 + grouping.HALF**2)


def similarity_of(score: float) -> float:
    return grouping.HALF * math.sqrt(score / (1 - score))


def member_scores(
    groups: list[list[int]], similarities: NDArray[np.float64], fading: NDArray[np.float64]
) -> list[float]:
    """Each one's score against the rest of its story; 1 where there is no rest."""
    scores = [1.0] * len(similarities)
    for group in groups:
        for k in group if len(group) > 1 else []:
            rest = [other for other in group if other != k]
            scores[k] = score_of(float(similarities[k, rest].mean() * fading[k, rest].mean()))
    return scores


def words(text: str | None) -> list[str]:
    return reference.words(text or "")
