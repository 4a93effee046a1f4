"""What the library must compute, written to be read: slow, plain, and free of its kernels.

Property tests compare the library with this module, so it imports nothing from it.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import datasketch
import networkx
import xxhash

Article = Mapping[str, Any]
Row = dict[str, Any]

# Default-ignorable characters that are not of category Cf.
IGNORABLE = (
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian variation selectors and vowel separator
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFFA0, 0xFFA0),  # halfwidth Hangul filler
    (0xE0100, 0xE01EF),  # variation selectors supplement
)
TATWEEL = 0x0640
ARABIC_BLOCKS = ((0x0600, 0x06FF), (0x0750, 0x077F), (0x0870, 0x08FF))
ARABIC_MARKS_KEPT = ((0x0653, 0x0655),)  # madda and hamza: other letters, not vowels

UNSPACED = (
    (0x0E00, 0x0E7F),  # Thai
    (0x0E80, 0x0EFF),  # Lao
    (0x1000, 0x109F), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F),  # Myanmar
    (0x1780, 0x17FF), (0x19E0, 0x19FF),  # Khmer
    (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x1AFF0, 0x1AFFF), (0x1B000, 0x1B16F),  # Kana
    (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B),  # Han
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),  # Han
)  # fmt: skip

# The halves of SARA AM in Thai and Lao, which NFKC takes apart.
NIKHAHIT = "\u0e4d\u0ecd"
SARA_AA = "\u0e32\u0eb2"

# What makes one grapheme cluster of the letters around it: viramas that make conjuncts,
# and letters that are written over the next one.
LINKERS = (
    "\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d\u1039\u17d2\u1a60\u1b44\u1bab\ua9c0\uaaf6"
    "\U00010a3f\U00011133\U0001193e\U00011a47\U00011a99\U00011f42"
)
PREPENDED = (
    "\u0d4e\U000111c2\U000111c3\U0001193f\U00011941\U00011d46\U00011f02"
    "\U00011a84\U00011a85\U00011a86\U00011a87\U00011a88\U00011a89"
)


def within(char: str, ranges: Iterable[tuple[int, int]]) -> bool:
    """Whether a character's code point lies in one of the ranges, ends included."""
    return any(low <= ord(char) <= high for low, high in ranges)


# --- Normalisation -----------------------------------------------------------


def dropped(char: str) -> bool:
    """Whether a character says nothing about the words: format controls, Arabic vowel marks, tatweel."""
    category = unicodedata.category(char)
    if category == "Cf" or ord(char) == TATWEEL or within(char, IGNORABLE):
        return True
    return category == "Mn" and within(char, ARABIC_BLOCKS) and not within(char, ARABIC_MARKS_KEPT)


HYPHENATED = re.compile(r"(?<=[A-Za-z\u0080-\U0010ffff])-\r?\n[ \t]*(?=[a-z\u0080-\U0010ffff])")


def join_hyphenated(text: str) -> str:
    """The text with the words made whole that a hyphen parts at the end of a line.

    ``govern-⏎ment``, but neither ``Lib-⏎Dem`` nor ``1990-⏎ish``: a letter comes before the hyphen, and
    a small one after the line end. Whatever is not ASCII passes for a small letter.
    """
    return HYPHENATED.sub("", text)


def fold(text: str) -> str:
    """The text with look-alikes and letter case made one; folding it again changes nothing."""
    while True:
        kept = "".join(char for char in text if not dropped(char))
        folded = unicodedata.normalize("NFKC", kept).casefold()
        if folded == text:
            return text
        text = folded


def stands_alone(char: str) -> bool:
    """Whether a letter or number is of an unspaced script, and so a word of its own."""
    category = unicodedata.category(char)
    return category[0] in "LN" and category != "Nd" and within(char, UNSPACED)


def is_mark(char: str, before: str) -> bool:
    """Whether a character stands on the word before it."""
    return unicodedata.category(char)[0] == "M" or (char in SARA_AA and before[-1] in NIKHAHIT)


def split(text: str, *, split_unspaced: bool) -> list[str]:
    """The words of a folded text, with runs of unspaced scripts cut into characters or left whole."""
    found: list[str] = []
    open_word = False  # the character before belongs to the last word found
    alone = False  # and that word is one character of an unspaced script, with its marks
    linked = False  # and takes in the letter that follows, whatever it is
    for char in text:
        if open_word and is_mark(char, found[-1]):
            found[-1] += char
            linked = linked or char in LINKERS
        elif unicodedata.category(char)[0] in "LN":
            was_alone, alone = alone, split_unspaced and stands_alone(char)
            if open_word and (linked or not (alone or was_alone)):
                found[-1] += char
            else:
                found.append(char)
            open_word = True
            linked = char in PREPENDED
        else:
            open_word = alone = linked = False
    return found


def words(text: str) -> list[str]:
    """Runs of letters, numbers and their marks; in unspaced scripts every character is a word."""
    return split(fold(join_hyphenated(text)), split_unspaced=True)


def normalised(text: str, unit: str) -> str:
    """The text as it is compared: its words joined with one space; for ``char``, unspaced runs left whole."""
    return " ".join(split(fold(join_hyphenated(text)), split_unspaced=unit == "word"))


# --- Shingles and signatures -------------------------------------------------


def units(text: str, unit: str) -> list[str]:
    """What a shingle is a run of: the words, or the code points of the normalised text."""
    return words(text) if unit == "word" else list(normalised(text, "char"))


def shingles(text: str, unit: str = "word", size: int = 5) -> set[str]:
    """Every run of `size` units; one shingle of all where there are fewer; none where there are none."""
    parts = units(text, unit)
    if not parts:
        return set()
    joiner = " " if unit == "word" else ""
    starts = range(max(1, len(parts) - size + 1))
    return {joiner.join(parts[start : start + size]) for start in starts}


def base_hash(data: bytes) -> int:
    """The low 32 bits of XXH3-64."""
    return xxhash.xxh3_64_intdigest(data) & 0xFFFFFFFF


def signature(text: str, unit: str = "word", size: int = 5, num_perm: int = 128, seed: int = 1) -> list[int]:
    """The MinHash values; those of an empty set where there is no shingle."""
    minhash = datasketch.MinHash(num_perm=num_perm, seed=seed, scheme="affine32", hashfunc=base_hash)
    for shingle in shingles(text, unit, size):
        minhash.update(shingle.encode("utf-8"))
    return [int(value) for value in minhash.hashvalues]


def jaccard(a: set[str], b: set[str]) -> float:
    """Share of all shingles that are in both; 0 where neither has any."""
    return len(a & b) / len(a | b) if a or b else 0.0


def containment(a: set[str], b: set[str]) -> float:
    """Share of a's shingles that b has; 0 where a has none."""
    return len(a & b) / len(a) if a else 0.0


# --- Clusters ----------------------------------------------------------------


def judged_text(article: Article) -> str:
    """The text that is compared: the title where there is no text."""
    text = article.get("text") or ""
    return text if text.strip() else article.get("title") or ""


def moment(value: datetime | str) -> datetime:
    """A time in UTC; one without a zone is taken to be UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value.astimezone(timezone.utc) if value.tzinfo else value.replace(tzinfo=timezone.utc)


def earliest_first(articles: Sequence[Article], members: Iterable[int]) -> list[int]:
    """Dated by time and then doc_id; after them the undated, in input order."""
    places = sorted(members)
    dated = [place for place in places if articles[place].get("published_at") is not None]
    undated = [place for place in places if articles[place].get("published_at") is None]
    dated.sort(key=lambda place: (moment(articles[place]["published_at"]), articles[place]["doc_id"]))
    return dated + undated


def representative(articles: Sequence[Article], members: Iterable[int], rule: str, unit: str = "word") -> int:
    """The place of the article that is kept for a cluster."""
    ranked = earliest_first(articles, members)
    if rule == "earliest":
        return ranked[0]
    if rule == "first":
        return min(ranked)
    if rule == "longest":  # max() keeps the first of equals, so ties fall to the earliest
        return max(ranked, key=lambda place: len(units(judged_text(articles[place]), unit)))
    raise ValueError(f"rule is {rule!r}, not earliest, longest or first")


def edges(
    articles: Sequence[Article],
    threshold: float = 0.7,
    unit: str = "word",
    size: int = 5,
    pairs: Iterable[tuple[str, str]] | None = None,
) -> list[tuple[int, int]]:
    """Pairs of places, in order, that are exact copies or reach the threshold.

    With candidate `pairs` (of doc_ids) only those may be near; exact copies always join.
    """
    texts = [judged_text(article) for article in articles]
    forms = [normalised(text, unit) for text in texts]
    sets = [shingles(text, unit, size) for text in texts]
    candidates = None if pairs is None else {frozenset(pair) for pair in pairs}
    found = []
    for a, b in itertools.combinations(range(len(articles)), 2):
        ids = frozenset((articles[a]["doc_id"], articles[b]["doc_id"]))
        exact = forms[a] == forms[b] != ""
        near = bool(sets[a] and sets[b]) and jaccard(sets[a], sets[b]) >= threshold
        if exact or (near and (candidates is None or ids in candidates)):
            found.append((a, b))
    return found


def cluster(
    articles: Sequence[Article],
    threshold: float = 0.7,
    unit: str = "word",
    size: int = 5,
    pairs: Iterable[tuple[str, str]] | None = None,
    rule: str = "earliest",
) -> list[Row]:
    """One row for every article, in input order, with columns as in `clusters.parquet`."""
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(articles)))
    graph.add_edges_from(edges(articles, threshold, unit, size, pairs))
    rows: list[Row] = [{} for _ in articles]
    for members in networkx.connected_components(graph):
        founding = earliest_first(articles, members)[0]
        kept = representative(articles, members, rule, unit)
        for place in members:
            rows[place] = {
                "doc_id": articles[place]["doc_id"],
                "cluster_id": articles[founding]["doc_id"],
                "cluster_size": len(members),
                "representative_id": articles[kept]["doc_id"],
                "relation": relation(articles, place, kept, len(members), threshold, unit, size),
                **scores(articles, place, kept, unit, size),
            }
    return rows


def relation(
    articles: Sequence[Article],
    place: int,
    kept: int,
    cluster_size: int,
    threshold: float,
    unit: str = "word",
    size: int = 5,
) -> str:
    """What an article is to the representative of its cluster."""
    if place == kept:
        return "unique" if cluster_size == 1 else "representative"
    own, other = judged_text(articles[place]), judged_text(articles[kept])
    if normalised(own, unit) == normalised(other, unit):
        return "exact"
    if jaccard(shingles(own, unit, size), shingles(other, unit, size)) >= threshold:
        return "near"
    return "linked"


def scores(articles: Sequence[Article], place: int, kept: int, unit: str = "word", size: int = 5) -> Row:
    """An article's exact scores with the representative, and its number of distinct shingles."""
    own = shingles(judged_text(articles[place]), unit, size)
    other = shingles(judged_text(articles[kept]), unit, size)
    alone = place == kept
    return {
        "jaccard": 1.0 if alone else jaccard(own, other),
        "containment": 1.0 if alone else containment(own, other),
        "n_shingles": len(own),
    }
