"""Invented events, and reports of them in ever other words.

What the reports of an event share are its names and numbers, and some of its
subject's words; never more than two words in a row but by a chance that does not
matter. The same seed gives the same articles.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from newsroom import FUNCTION_WORDS, vocabulary
from samestory.story.background import background_shares
from tabled import Article, article

# Words that begin differently: none passes for another form of another.
_WORDS: Final = list({word.replace("ou", "u")[:6]: word for word in vocabulary(901, 12_000)}.values())
_SUBJECTS: Final = _WORDS[:60]
_NAMES: Final = _WORDS[1000:3000]
_OTHER_WORDS: Final = _WORDS[3000:]
_COMMON_WORDS: Final = sorted(word for word in background_shares() if word.isascii() and len(word) > 3)
_N_SUBJECTS: Final = 5
_WORDS_OF_A_SUBJECT: Final = 12


@dataclass(frozen=True)
class Event:
    """What is reported: names and numbers of its own, words of its subject, and the hour."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]
    subject: tuple[str, ...]
    hour: int


class Storyteller:
    """Makes up events and reports them."""

    def __init__(self, seed: int = 1) -> None:
        self.rng = random.Random(f"storyteller {seed}")

    def event(self, subject: int = 0, hour: int = 0, n_names: int = 5) -> Event:
        """An event of one of five subjects."""
        begin = subject * _WORDS_OF_A_SUBJECT
        return Event(
            tuple(self.rng.sample(_NAMES, n_names)),
            tuple(str(self.rng.randint(32, 1899)) for _ in range(2)),
            tuple(_SUBJECTS[begin : begin + _WORDS_OF_A_SUBJECT]),
            hour,
        )

    def report(self, event: Event, n_words: int = 60, share: float = 0.8) -> tuple[str, str]:
        """A title and a text of about so many words, with about this share of the facts."""
        facts = [*event.names, *event.numbers]
        told = self.rng.sample(facts, max(2, round(share * len(facts))))
        told += self.rng.choices(told, k=len(told) // 2) + self.rng.sample(event.subject, 3)
        self.rng.shuffle(told)
        between = max(2, n_words // len(told) - 1)
        words = []
        for fact in told:
            words += [fact, *self._padding(between)]
        title = self._padding(3) + self.rng.sample(facts, 2)
        self.rng.shuffle(title)
        return " ".join(title), " ".join(words)

    def _padding(self, n: int) -> list[str]:
        """So many words that say nothing: common ones but for a few."""
        rare = 0.15
        return [
            self.rng.choice(
                _OTHER_WORDS if self.rng.random() < rare else (_COMMON_WORDS, FUNCTION_WORDS)[k % 2]
            )
            for k in range(n)
        ]

    def articles(
        self, sizes: list[int], *, dated: bool = True, days: int = 2, n_words: int = 60, share: float = 0.8
    ) -> list[Article]:
        """Reports of as many events as there are sizes, so many of each, in an order that says nothing.

        The id of an article is its event's number, a dot, and its own. Events are so many days apart, and
        every fifth is of the same subject; reports come within a day and a half.
        """
        found = []
        for number, size in enumerate(sizes):
            event = self.event(number % _N_SUBJECTS, 24 * days * number)
            for k in range(size):
                title, text = self.report(event, n_words, share)
                hour = event.hour + self.rng.randint(0, 36)
                found.append(article(f"{number}.{k}", text, hour if dated else None, title))
        self.rng.shuffle(found)
        return found


def event_of(doc_id: str) -> str:
    """The number of the event that an article of `Storyteller.articles` reports."""
    return doc_id.partition(".")[0]
