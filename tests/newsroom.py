"""Invented news: articles, what sites print around them, and what other desks make of them.

All words but the commonest are made up. Two stories have no three words in a
row in common but by a chance that does not matter; the same seed gives the
same articles.
"""

from __future__ import annotations

import random
import re
from datetime import timedelta
from typing import Any, Final

from samestory.chrome_phrases import HINTS, STRONG, WHOLE, phrases
from tabled import NOON

Article = dict[str, Any]
_ONSETS: Final = (
    "b",
    "br",
    "d",
    "dr",
    "f",
    "g",
    "gr",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "pl",
    "r",
    "s",
    "t",
    "tr",
    "v",
)
_VOWELS: Final = ("a", "e", "i", "o", "u", "ea", "ou")
_ENDS: Final = ("k", "lt", "m", "nd", "ng", "rn", "sk", "st", "th", "x")
FUNCTION_WORDS: Final = ("the", "of", "and", "to", "in", "for", "with", "on", "by", "from", "that", "as")
_TAKEN: Final = {
    word for part in (WHOLE, STRONG, HINTS) for phrase in phrases(part) for word in phrase.split()
}


def vocabulary(seed: int, size: int) -> list[str]:
    """Invented words, none of which is known from menus and notices; those of two seeds hardly meet."""
    rng = random.Random(f"words {seed}")
    found: dict[str, None] = {}
    while len(found) < size:
        parts = [rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.randint(2, 3))]
        word = "".join(parts) + rng.choice(_ENDS)
        if word not in _TAKEN:
            found[word] = None
    return list(found)


class Newsroom:
    """Writes articles."""

    def __init__(self, seed: int = 1) -> None:
        self.rng = random.Random(seed)
        self._words = vocabulary(seed, 6000)

    def words(self, n: int) -> list[str]:
        """So many words, a third of them common ones, never two of these together."""
        found: list[str] = []
        for _ in range(n):
            common = bool(found) and found[-1] not in FUNCTION_WORDS and self.rng.random() < 0.5
            found.append(self.rng.choice(FUNCTION_WORDS if common else self._words))
        return found

    def story(self, n: int) -> str:
        """An article of so many words, in sentences and paragraphs."""
        return typeset(self.words(n))

    def stories(self, count: int, n: int) -> list[str]:
        """So many of them."""
        return [self.story(n) for _ in range(count)]

    def edited(self, text: str, every: int = 30) -> str:
        """A near copy: one word in so many is another."""
        parts = text.split(" ")
        for k in range(self.rng.randrange(every), len(parts), every):
            parts[k] = self.rng.choice(self._words)
        return " ".join(parts)

    def expanded(self, text: str, times: float = 3.0) -> str:
        """An article that is so many times as long and holds the other somewhere."""
        n_more = int((times - 1) * len(text.split()))
        before = self.rng.randint(0, n_more)
        parts = (self.story(before), text, self.story(n_more - before))
        return "\n\n".join(part for part in parts if part)

    def digest(self, texts: list[str], share: float = 1.0) -> str:
        """The beginnings of several articles, one after another."""
        return "\n\n".join(first_part(text, share) for text in texts)


def typeset(parts: list[str], sentence: int = 14, paragraph: int = 4) -> str:
    """Words as sentences of about so many, so many of them a paragraph."""
    pieces: list[str] = []
    for number, begin in enumerate(range(0, len(parts), sentence)):
        said = " ".join(parts[begin : begin + sentence])
        pieces.append(said[:1].upper() + said[1:] + ".")
        is_last = begin + sentence >= len(parts)
        pieces.append("" if is_last else "\n\n" if number % paragraph == paragraph - 1 else " ")
    return "".join(pieces)


def first_part(text: str, share: float) -> str:
    """The first words of a text, with the line ends between them."""
    ends = [match.end() for match in re.finditer(r"\S+", text)]
    return text[: ends[max(1, round(share * len(ends))) - 1]]


def news(
    doc_id: str, text: str, hours: int = 0, source: str | None = None, url: str | None = None
) -> Article:
    """An article as a row."""
    moment = NOON + timedelta(hours=hours)
    return {"doc_id": doc_id, "text": text, "source": source, "url": url, "published_at": moment}
