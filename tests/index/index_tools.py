"""Small corpora that try an index, and what it must say of them: what one run over the same articles says."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

import samestory
from samestory.index.rows import describe
from tabled import Article, article, to_table

COMPARED: Final = (
    "cluster_id",
    "cluster_size",
    "representative_id",
    "relation",
    "jaccard",
    "containment",
    "n_shingles",
)
SHINGLES: Final = ("word:3", "word:3", "char:9")
RULES: Final = ("earliest", "longest", "first")
ODD: Final = (
    None,
    "",
    "...",
    "\u3000",
    "word",
    "two words",
    "新闻",
    "新闻报道中国日本河水上涨城市道路关闭" * 3,
    "مُحَمَّد في المدينة القديمة قرب النهر",
    "Straße STRASSE straße",
)
_PHRASES: Final = 3
_LONG: Final = [f"slide{k}" for k in range(400)]


class Writer:
    """Writes articles that have to do with one another in all the ways that an index must know.

    Parameters
    ----------
    rng : random.Random
        Decides everything.
    dated : bool
        Whether all have a date; else some have none.
    """

    def __init__(self, rng: random.Random, *, dated: bool = False) -> None:
        self.rng = rng
        self._dated = dated
        self._n_stories = 0
        self._n_ids = 0
        self._originals: list[list[str]] = []

    def batch(self, n: int) -> list[Article]:
        """About so many articles under new ids."""
        found: list[Article] = []
        while len(found) < n:
            found += self._some()
        return found

    def another(self, doc_id: str) -> Article:
        """An article with a text of another kind under an id that is taken."""
        return self._as_article(doc_id, self._words())

    def _some(self) -> list[Article]:
        many = self.rng.random()
        if many < 0.04:
            return self._variants(self.rng.choice((10, 45, 75)))
        if many < 0.08:
            return self._with_a_phrase(self.rng.choice((6, 40)))
        if many < 0.2:
            odd = self.rng.choice(ODD)
            title = " ".join(self._original()[:20]) if self.rng.random() < 0.5 else None
            return [{**self._as_article(self._new_id(), []), "text": odd, "title": title}]
        return [self._as_article(self._new_id(), self._words())]

    def _words(self) -> list[str]:
        kind = self.rng.choice(("new", "copy", "edit", "edit", "cut", "cut", "join", "join", "slide", "more"))
        words = getattr(self, f"_{kind}")()
        if kind != "copy":
            self._originals.append(words)
        return list(words)

    def _new(self) -> list[str]:
        self._n_stories += 1
        size = self.rng.choice((3, 14, 25, 40, 60, 120))
        words = [f"s{self._n_stories}w{k}" for k in range(size)]
        if self.rng.random() < 0.3:
            words += self._phrase(self.rng.randrange(_PHRASES))
        return words

    def _original(self) -> list[str]:
        return self.rng.choice(self._originals) if self._originals else self._new()

    def _copy(self) -> list[str]:
        return self._original()

    def _edit(self) -> list[str]:
        words = list(self._original())
        for _ in range(self.rng.randint(1, 3)):
            words[self.rng.randrange(len(words))] = f"edit{self.rng.randrange(9)}"
        return words

    def _cut(self) -> list[str]:
        words = self._original()
        size = max(1, round(len(words) * self.rng.choice((0.3, 0.5, 0.7, 0.85))))
        begin = self.rng.choice((0, len(words) - size, (len(words) - size) // 2))
        return words[begin : begin + size]

    def _join(self) -> list[str]:
        share = self.rng.choice((0.4, 0.6, 1.0))
        parts = [self._original() for _ in range(self.rng.choice((2, 2, 3, 6)))]
        return [word for part in parts for word in part[: max(1, round(share * len(part)))]]

    def _slide(self) -> list[str]:
        begin = 6 * self.rng.randrange(50)
        return _LONG[begin : begin + 40]

    def _more(self) -> list[str]:
        return [*self._original(), *self._new()]

    def _phrase(self, number: int) -> list[str]:
        return [f"phrase{number}w{k}" for k in range(18)]

    def _variants(self, n: int) -> list[Article]:
        """So many distinct texts that are all near copies: over 64 of them are a crowd."""
        words = [f"crowd{self.rng.randrange(2)}w{k}" for k in range(50)]
        found = []
        for _ in range(n):
            own = list(words)
            own[self.rng.randrange(50)] = f"own{self.rng.randrange(400)}"
            if self.rng.random() < 0.3:
                own = own[: self.rng.randint(20, 50)]
            found.append(self._as_article(self._new_id(), own))
        return found

    def _with_a_phrase(self, n: int) -> list[Article]:
        """So many stories that share a phrase; over 32 of them are too many to compare all with all."""
        number = self.rng.randrange(_PHRASES)
        found = []
        for _ in range(n):
            self._n_stories += 1
            own = [f"s{self._n_stories}w{k}" for k in range(self.rng.choice((2, 12, 30, 90)))]
            found.append(self._as_article(self._new_id(), [*own, *self._phrase(number)]))
        return found

    def _new_id(self) -> str:
        self._n_ids += 1
        return f"{self.rng.choice('abZé中')}{self._n_ids}"

    def _as_article(self, doc_id: str, words: Sequence[str]) -> Article:
        is_dated = self._dated or self.rng.random() < 0.7
        return article(doc_id, " ".join(words), self.rng.randrange(6) if is_dated else None)


def settings(rng: random.Random, **changes: Any) -> samestory.Config:
    """A configuration that takes nothing out, with or without partial copies."""
    chosen = {
        "shingle": rng.choice(SHINGLES),
        "representative": rng.choice(RULES),
        "partial": rng.random() < 0.9,
        "boilerplate": False,
        "threads": 2,
    }
    return samestory.Config(**{**chosen, **changes})


def split(rng: random.Random, found: Sequence[Article], most: int = 6) -> list[list[Article]]:
    """The articles in some batches, a few of which may be empty."""
    cuts = sorted(rng.randint(0, len(found)) for _ in range(rng.randint(0, most - 1)))
    return [list(found[a:b]) for a, b in zip([0, *cuts], [*cuts, len(found)], strict=True)]


@contextmanager
def new_index(config: samestory.Config) -> Iterator[samestory.Index]:
    """An index in a folder of its own, which is gone afterwards."""
    with (
        tempfile.TemporaryDirectory() as folder,
        samestory.Index.open(Path(folder) / "index", config, create=True) as index,
    ):
        yield index


def alive(index: samestory.Index) -> np.ndarray:
    """Numbers of the articles that are there."""
    return np.flatnonzero(index._saved.load().articles["is_alive"] > 0)


def told_by_index(index: samestory.Index) -> dict[str, dict[str, Any]]:
    """What an index says of each article: the columns that a run would give it, by its id."""
    state = index._saved.load()
    own = np.flatnonzero(state.articles["is_alive"] > 0)  # of this state: another load may find a later one
    ids = [state.id_of(one) for one in own.tolist()]
    if not ids:
        return {}
    columns = describe(state, own, index.config)
    rows = pa.table({name: columns[name] for name in COMPARED}).to_pylist()
    return dict(zip(ids, rows, strict=True))


def told_by_run(found: Sequence[Article], config: samestory.Config) -> dict[str, dict[str, Any]]:
    """What one run says of articles."""
    if not found:
        return {}
    clusters = samestory.cluster(to_table(found), config).clusters
    rows = clusters.select(["doc_id", *COMPARED]).to_pylist()
    return {row.pop("doc_id"): row for row in rows}


def differences(index: samestory.Index, found: Sequence[Article]) -> dict[str, tuple[Any, Any]]:
    """Of each article of which an index says something else than a run: what they say."""
    one, other = told_by_index(index), told_by_run(found, index.config)
    return {
        doc_id: (one.get(doc_id), other.get(doc_id))
        for doc_id in one.keys() | other.keys()
        if one.get(doc_id) != other.get(doc_id)
    }


def snapshot(index: samestory.Index) -> dict[str, Any]:
    """All that an index knows, to be compared with what it knows later."""
    state = index._saved.load()
    known: dict[str, Any] = {
        f"{name}.{column}": table[column].tobytes()
        for name, table in state.tables.items()
        for column in table.names
    }
    for name in ("keys", "prints", "id_keys"):
        runs = getattr(state, name)
        known[name] = (runs.n_entries, runs.n_runs)
    return known | {
        "ids": bytes(state.ids),
        "words": state.lexicon.n_words,
        "facts": dict(state.facts),
        "chunks": (state.bank.n_chunks, bytes(state.bank.tail)),
        "number": index._store.view.number,
    }


class Ledger:
    """The articles that must be in an index, in the order in which their texts came last."""

    def __init__(self) -> None:
        self.articles: dict[str, Article] = {}

    def ingest(self, batch: Sequence[Article]) -> None:
        """Note a batch: the last row of an id counts; one with the text that is there changes nothing."""
        last = {row["doc_id"]: place for place, row in enumerate(batch)}
        for place in sorted(last.values()):
            row = batch[place]
            there = self.articles.get(row["doc_id"])
            if there is None or judged(there) != judged(row):
                self.articles.pop(row["doc_id"], None)
                self.articles[row["doc_id"]] = row

    def delete(self, doc_ids: Sequence[str]) -> None:
        for doc_id in doc_ids:
            del self.articles[doc_id]

    @property
    def rows(self) -> list[Article]:
        return list(self.articles.values())


def judged(row: Article) -> str:
    """The text by which an article is judged, as far as those of `Writer` differ."""
    text = (row["text"] or "").strip()
    return text if text else (row["title"] or "")


def founding_order(batch: Sequence[Article]) -> dict[str, int]:
    """The place of each article of a batch in the order of time; the undated come last, in their order."""
    dated = [row for row in batch if row["published_at"] is not None]
    undated = [row for row in batch if row["published_at"] is None]
    dated.sort(key=lambda row: (row["published_at"], row["doc_id"].encode()))
    return {row["doc_id"]: place for place, row in enumerate([*dated, *undated])}
