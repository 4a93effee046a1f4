"""English articles made at random, and what scanning, typesetting and publishing do to a text.

Everything here is decided by a seed: the same arguments give the same text.
"""

from __future__ import annotations

import bisect
import itertools
import random
import re
import string
from typing import Final

# --- Articles ----------------------------------------------------------------

_COMMON: Final = """
    the of to and a in that for is on was with by at as it from he be said are has an have will its but they
    not were which this had after been who more one their his about would or new than when there two her
    over we out also into first last could people year years up some other time all government city
"""
_ONSETS: Final = (
    *"bcdfghlmnprstvw", "br", "ch", "cl", "cr", "dr", "fl", "gr", "pl", "pr", "qu", "sh", "sl", "st", "th",
)  # fmt: skip
_VOWELS: Final = (*"aaeeiioou", "ai", "ea", "ee", "ou", "io")
_ENDINGS: Final = (
    *"nrstlm", "nd", "st", "ck", "ng", "rt", "se", "te", "le", "tion", "ment", "ing", "ed", "er", "ly",
)  # fmt: skip
N_WORDS: Final = 6000


def _made_words() -> list[str]:
    """Words in order of frequency, the real ones first; the same whatever the seed of an article."""
    rng = random.Random("words")
    words = dict.fromkeys(_COMMON.split())
    while len(words) < N_WORDS:
        size = rng.choice((1, 1, 2, 2, 3))
        syllables = (rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(size))
        words.setdefault("".join(syllables) + rng.choice(_ENDINGS))
    return list(words)


_WORDS: Final = _made_words()
_CUMULATED: Final = list(itertools.accumulate(1 / (rank + 3.7) for rank in range(N_WORDS)))


def _sentence(rng: random.Random, topic: list[str]) -> str:
    """A sentence, a sixth of whose words are of the article's topic."""
    chosen = []
    for _ in range(rng.randint(8, 26)):
        place = bisect.bisect(_CUMULATED, rng.random() * _CUMULATED[-1])
        chosen.append(rng.choice(topic) if rng.random() < 1 / 6 else _WORDS[min(place, N_WORDS - 1)])
    if rng.random() < 0.3:
        chosen[rng.randrange(len(chosen))] = str(rng.randint(2, 2030))
    if rng.random() < 0.5:
        chosen[len(chosen) // 2] += ","
    text = " ".join(chosen)
    quoted = f'"{text}," said {rng.choice(topic).title()}.' if rng.random() < 0.2 else text + "."
    return re.sub("[a-z]", lambda letter: letter[0].upper(), quoted, count=1)


def english_article(seed: int, n_words: int = 350) -> str:
    """An article in something like English: paragraphs of sentences, a topic with words of its own."""
    rng = random.Random(seed)
    topic = rng.sample(_WORDS[100:], 25)
    sentences: list[str] = []
    while sum(len(sentence.split()) for sentence in sentences) < n_words:
        sentences.append(_sentence(rng, topic))
    paragraphs = [" ".join(sentences[start : start + 3]) for start in range(0, len(sentences), 3)]
    return "\n\n".join(paragraphs)


# --- Scanning ----------------------------------------------------------------

CONFUSED: Final = {
    "rn": "m", "m": "rn", "cl": "d", "d": "cl", "vv": "w", "w": "vv", "li": "h", "h": "b", "l": "1", "1": "l",
    "O": "0", "0": "O", "I": "l", "i": "l", "e": "c", "c": "e", "S": "5", "5": "S", "B": "8", "8": "B",
    "u": "ii", "n": "ri", "a": "o", "t": "f", "f": "t", "g": "q", ".": ",", ",": ".", "y": "v",
}  # fmt: skip
"""What optical character recognition takes for what."""
_STRAY: Final = "abcdefghijklmnoprstuvwxyz.,'-|~ "


def scanned(text: str, rate: float, seed: int) -> str:
    """The text with so many of its characters misread; line feeds stay.

    Half of the faults are confusions of look-alikes where there is one; the others put one
    character for another, leave one out or put one in.
    """
    rng = random.Random(f"scan {seed}")
    places = [place for place, char in enumerate(text) if char != "\n"]
    faults = set(rng.sample(places, round(rate * len(places))))
    found: list[str] = []
    place = 0
    while place < len(text):
        size = 1
        if place in faults:
            read, size = _misread(text[place : place + 2], rng)
            found.append(read)
        else:
            found.append(text[place])
        place += size
    return "".join(found)


def _misread(chars: str, rng: random.Random) -> tuple[str, int]:
    """What is read for the first of the characters, or for both, and how many that were."""
    if rng.random() < 0.5:
        for size in (2, 1):
            if chars[:size] in CONFUSED:
                return CONFUSED[chars[:size]], min(size, len(chars))
    kind = rng.choice(("substitute", "drop", "insert"))
    if kind == "drop":
        return "", 1
    stray = rng.choice(_STRAY.replace(chars[0], ""))
    return (stray if kind == "substitute" else chars[0] + stray), 1


# --- Typesetting -------------------------------------------------------------


def hyphenated(text: str, seed: int) -> str:
    """The text in lines of 40 to 60 characters, with long words divided at their ends."""
    width = random.Random(f"hyphenate {seed}").randint(40, 60)
    return "\n\n".join(_in_lines(paragraph.split(), width) for paragraph in text.split("\n\n"))


def _in_lines(words: list[str], width: int) -> str:
    lines = [""]
    for word in words:
        room = width - len(lines[-1]) - bool(lines[-1])
        if len(word) <= room:
            lines[-1] += " " * bool(lines[-1]) + word
            continue
        head = min(room - 1, len(word) - 4)
        if head >= 2 and word.strip(string.punctuation).isalpha() and word[0].isalpha():
            lines[-1] += " " * bool(lines[-1]) + word[:head] + "-"
            word = word[head:]
        lines.append(word)
    return "\n".join(lines)


_TYPOGRAPHY: Final = (
    ('"', ("“", "”", "«", "»", "„", "''")),
    ("'", ("’", "`")),
    (",", (",", " ,", ";")),
    (". ", (". ", ".  ", ".\u00a0", " . ")),
    (" ", (" ", " ", " ", "  ", "\u00a0", "\t", " \u200b")),
)


def repunctuated(text: str, seed: int) -> str:
    """The text with other quotation marks, apostrophes, commas and spaces."""
    rng = random.Random(f"punctuate {seed}")
    for mark, others in _TYPOGRAPHY:
        parts = text.split(mark)
        text = parts[0] + "".join(rng.choice(others) + part for part in parts[1:])
    return text


# --- Publishing --------------------------------------------------------------

ADS: Final = (
    "ADVERTISEMENT - Story continues below",
    "Sign up for our free morning newsletter and never miss a headline",
    "Subscribe today: three months of the Harbour Post for the price of one!",
    "Read more: The ten best ways to keep a cellar dry this winter",
)


def with_ad(text: str, seed: int) -> str:
    """The text with a line of advertising between two of its paragraphs."""
    rng = random.Random(f"ad {seed}")
    paragraphs = text.split("\n\n")
    paragraphs.insert(rng.randint(min(1, len(paragraphs)), len(paragraphs) - 1), rng.choice(ADS))
    return "\n\n".join(paragraphs)
