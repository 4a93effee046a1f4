"""Generated sets with planted copies of the kinds that labelled news lacks.

All come from a seed alone: prose of the benchmark's own generator (corpus_kernels.py), which shares
nothing by chance but single words and short runs of frequent ones, and what is done to it here.
Every set has unrelated articles around what is planted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus_kernels import Plan, render_articles
from vocabulary import make_vocabulary

SEED = 20_24
N_PLANTED, N_OTHERS, N_SITES = 200, 400, 8
MEDIAN_WORDS, SIGMA = 350, 0.4
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SENTENCE_END = re.compile(r"(?<=[.?])[\"”]?\s+")


@dataclass(frozen=True)
class Article:
    """One article: its text, its planted cluster (-1: alone), whether it is a digest."""

    text: str
    cluster: int = -1
    digest: bool = False
    site: int = -1


class Writer:
    """Prose and changes to it, the same again for the same seed and order of calls."""

    def __init__(self, name: str) -> None:
        self.rng = np.random.default_rng([SEED, *name.encode()])
        self._base = 0
        self._first = int(self.rng.integers(1, 1_000)) * 1_000_000
        self._words = " ".join(self.prose(20, 400)).split()

    def prose(self, n: int, words: float = MEDIAN_WORDS, sigma: float = SIGMA) -> list[str]:
        """Return unrelated articles."""
        lengths = np.rint(np.exp(self.rng.normal(np.log(words), sigma, n))).clip(8).astype(np.int32)
        first = self._first + self._base
        self._base += n
        zeros = np.zeros(n, np.int32)
        plan = Plan(
            base=np.arange(first, first + n, dtype=np.int32),
            copy=zeros,
            n_words=lengths,
            edit_rate=zeros.astype(np.float32),
            drop_rate=zeros.astype(np.float32),
            site=zeros,
            style=zeros.astype(np.uint8),
        )
        letters, offsets = render_articles(make_vocabulary(SEED), SEED, plan, 0, 0)
        whole = letters.tobytes()
        return [whole[offsets[i] : offsets[i + 1]].decode() for i in range(n)]

    def run_of(self, words: int) -> str:
        """Return a run of exactly so many words, for a footer or a phrase."""
        return self.prose(1, words, 0.0)[0]

    def words(self, n: int) -> list[str]:
        """Return words by their frequency."""
        return [self._words[i] for i in self.rng.integers(0, len(self._words), n)]

    def edited(self, text: str, rate: float = 0.02) -> str:
        """Return a text with a share of its words replaced (2 %: a Jaccard of about 0.82)."""
        words = text.split(" ")
        for place in np.flatnonzero(self.rng.random(len(words)) < rate):
            words[place] = self.words(1)[0]
        return " ".join(words)

    def rewritten(self, text: str, rate: float) -> str:
        """Return a text with a share of its sentences told in other order and half in other words."""
        told = []
        for sentence in sentences(text):
            words = sentence.split()
            if self.rng.random() < rate:
                middle = len(words) // 2
                words = self.edited(" ".join(words[middle:] + words[:middle]), 0.5).split()
            told.append(" ".join(words))
        return " ".join(told)

    def misread(self, text: str, rate: float) -> str:
        """Return a text with a share of its characters misread: replaced, dropped or doubled."""
        letters = list(text)
        for place in np.flatnonzero(self.rng.random(len(letters)) < rate):
            kind = self.rng.random()
            other = LETTERS[self.rng.integers(len(LETTERS))]
            letters[place] = other if kind < 0.6 else "" if kind < 0.8 else letters[place] * 2
        return "".join(letters)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text."""
    return [sentence for sentence in _SENTENCE_END.split(text) if sentence]


def first_third(text: str) -> str:
    """Return the sentences of the first third of a text."""
    found, n_words = [], len(text.split())
    for sentence in sentences(text):
        found.append(sentence)
        if len(" ".join(found).split()) >= n_words / 3:
            break
    return " ".join(found)


def excerpts() -> Iterator[Article]:
    """Articles, and the first third of each elsewhere."""
    writer = Writer("excerpts")
    for place, text in enumerate(writer.prose(N_PLANTED)):
        yield Article(text, place)
        yield Article(first_third(text), place)
    yield from map(Article, writer.prose(N_OTHERS))


def embedded() -> Iterator[Article]:
    """Articles, and each in the middle of another, three times as long in all."""
    writer = Writer("embedded")
    for place, text in enumerate(writer.prose(N_PLANTED, 200, 0.2)):
        before, after = writer.prose(2, len(text.split()), 0.0)
        yield Article(text, place)
        yield Article("\n\n".join((before, text, after)), place)
    yield from map(Article, writer.prose(N_OTHERS))


def footers(share: float) -> Iterator[Article]:
    """Sites whose articles all end in the site's own footer; copies are at another site or the same."""
    writer = Writer(f"footers {share}")
    words = 300
    size = round(words * share / (1 - share))
    footer = [writer.run_of(size) for _ in range(N_SITES)]

    def at(text: str, cluster: int, site: int) -> Article:
        return Article(f"{text}\n\n{footer[site]}", cluster, site=site)

    texts = writer.prose(N_PLANTED + N_OTHERS, words, 0.2)
    for place, text in enumerate(texts):
        site = place % N_SITES
        planted = place < N_PLANTED // 2
        yield at(text, place if planted else -1, site)
        if planted:
            elsewhere = (site + place // N_SITES) % N_SITES  # one in eight at the same site
            yield at(writer.edited(text), place, elsewhere)


def misreadings(rate: float) -> Iterator[Article]:
    """Articles, and each as characters misread by a machine make it."""
    writer = Writer(f"misreadings {rate}")
    for place, text in enumerate(writer.prose(N_PLANTED)):
        yield Article(text, place)
        yield Article(writer.misread(text, rate), place)
    yield from map(Article, writer.prose(N_OTHERS))


def digests(n_digests: int = 40, stories: int = 10) -> Iterator[Article]:
    """Stories, digest pages of ten of them each, and copies of some of the stories."""
    writer = Writer("digests")
    texts = writer.prose(n_digests * stories, 150, 0.25)
    for place, text in enumerate(texts):
        planted = place % 5 == 0
        yield Article(text, place if planted else -1)
        if planted:
            yield Article(writer.edited(text), place)
    for start in range(0, len(texts), stories):
        yield Article("\n\n".join(texts[start : start + stories]), digest=True)
    yield from map(Article, writer.prose(N_OTHERS // 2))


def rewritings(rate: float = 0.5) -> Iterator[Article]:
    """Articles, and each with half of its sentences rewritten."""
    writer = Writer("rewritings")
    for place, text in enumerate(writer.prose(N_PLANTED)):
        yield Article(text, place)
        yield Article(writer.rewritten(text, rate), place)
    yield from map(Article, writer.prose(N_OTHERS))


def phrases(n_phrases: int = 5) -> Iterator[Article]:
    """Short articles that share a stock phrase of 15 words with many others, and copies of some."""
    writer = Writer("phrases")
    phrase = [writer.run_of(15) for _ in range(n_phrases)]
    for place, text in enumerate(writer.prose(N_PLANTED + N_OTHERS, 45, 0.1)):
        planted = place % 10 == 0
        parts = sentences(text)
        parts.insert(place % (len(parts) + 1), phrase[place % n_phrases])
        whole = " ".join(parts)
        yield Article(whole, place if planted else -1)
        if planted:
            yield Article(writer.edited(whole), place)


@dataclass(frozen=True)
class Written:
    """A generated set on disk, with and without the column `source`, and its truth."""

    file: Path
    without_source: Path
    truth: np.ndarray
    digest: np.ndarray


def write_set(folder: Path, name: str, articles: Iterator[Article]) -> Written:
    """Write a set in shuffled order; an article without a site is given one."""
    made = list(articles)
    rng = np.random.default_rng([SEED, 9])
    made = [made[place] for place in rng.permutation(len(made))]
    drawn = rng.integers(0, N_SITES, len(made)).tolist()
    sites = [article.site if article.site >= 0 else other for article, other in zip(made, drawn, strict=True)]
    table = pa.table(
        {
            "doc_id": [f"{place:06d}" for place in range(len(made))],
            "text": [article.text for article in made],
            "source": [f"site{site}.example" for site in sites],
        }
    )
    stem = name.replace(" ", "_").replace("%", "percent")
    written = Written(
        folder / f"{stem}.parquet",
        folder / f"{stem}.without_source.parquet",
        np.array([article.cluster for article in made], np.int64),
        np.array([article.digest for article in made], np.bool_),
    )
    pq.write_table(table, written.file)
    pq.write_table(table.drop_columns(["source"]), written.without_source)
    return written
