"""What the index knows of its articles, their texts, and the pairs of these: columns of numbers in memory.

An article is a row that was handed in under an id; its text is one folded text,
which several articles may have. Clusters, buckets and pairs are of texts.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xxhash
from numpy.typing import NDArray

from samestory.index.bank import Bank
from samestory.index.columns import Columns
from samestory.index.keyruns import KeyRuns
from samestory.index.lexicon import Lexicon
from samestory.kernels.clusters import UNDATED
from samestory.kernels.index.graph import chain_edges, list_edges, list_rings

Ints = NDArray[np.int64]

TEXTS: Final = {
    "n_shingles": (np.int32, 0),
    "n_units": (np.int32, 0),
    "n_bytes": (np.int32, 0),
    "text_key": (np.uint64, 0),
    "chunk": (np.int32, -1),
    "place": (np.int32, 0),
    "code_bytes": (np.int32, 0),
    "n_articles": (np.int32, 0),
    "first_article": (np.int32, -1),
    "component": (np.int32, -1),
    "next_in_component": (np.int32, -1),
    "near": (np.int32, -1),
    "is_delegate": (np.uint8, 0),
    "is_posted": (np.uint8, 0),
    "is_round_up": (np.uint8, 0),
    "last_edge": (np.int32, -1),
    "cluster": (np.int32, -1),
    "next_in_cluster": (np.int32, -1),
    "n_texts": (np.int32, 0),
    "n_members": (np.int32, 0),
    "founder": (np.int32, -1),
    "kept": (np.int32, -1),
}
"""Columns of the texts.

Of the text itself n_shingles, n_units, n_bytes (folded), text_key; chunk, place and code_bytes: where its
code is. n_articles that have it now, and first_article, one of these. The component of texts that meet in
buckets, named by one of them, and next_in_component; likewise near, its near cluster; is_delegate: it
stands for that, is_posted: its fingerprints are in the index; is_round_up; last_edge. The cluster, named
by one of its texts, and next_in_cluster; and of that one text n_texts and n_members (articles) of the
cluster, and the articles that are its founder and that are kept.
"""

ARTICLES: Final = {
    "text": (np.int32, -1),
    "whole": (np.int32, -1),
    "time": (np.int64, 0),
    "n_removed": (np.int32, 0),
    "raw_key": (np.uint64, 0),
    "outlet": (np.uint64, 0),
    "host": (np.uint64, 0),
    "id_end": (np.int64, 0),
    "seen": (np.int64, 0),
    "is_alive": (np.uint8, 1),
    "next_of_text": (np.int32, -1),
    "matched": (np.int32, -1),
    "is_new": (np.uint8, 0),
    "title": (np.int32, -1),
    "story": (np.int32, -1),
    "story_size": (np.int32, 1),
    "story_score": (np.float32, 1),
}
"""Columns of the articles.

text, and whole: the text with its furniture, which is no article's text, -1 where there is none. time
(microseconds since 1970, or `kernels.clusters.UNDATED`), n_removed (words), raw_key (of the text as it was
handed in), outlet and host (keys), id_end (where its id ends among all), seen (when it came, microseconds
since 1970). is_alive, next_of_text; matched (the best earlier article when it came; of one that is gone,
another of its cluster), is_new. Where stories are looked for: title (a text that is only kept, -1 where there
is none), story (the article that founds it), and story_score; story_size, of the article that founds one.
"""

EDGES: Final = {
    "first": (np.int32, -1),
    "second": (np.int32, -1),
    "shared": (np.int32, 0),
    "next_first": (np.int32, -1),
    "next_second": (np.int32, -1),
    "is_alive": (np.uint8, 1),
    "is_kept": (np.uint8, 1),
}
"""Near and partial copies among texts that stand for their near clusters; is_kept: no round-up cuts it."""

MERGES: Final = {"article": (np.int32, -1), "founder": (np.int32, -1)}
"""Articles that joined clusters together when they came, in order, and who founded each of these."""

BAND: Final = 0
PRINT: Final = 1
TEXT: Final = 2
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = np.uint64(0xD6E8FEB86659FD93)


def salted(keys: NDArray[np.uint64], kind: int, number: Any = 0) -> NDArray[np.uint64]:
    """Return keys of one kind, spread evenly and apart from those of other kinds."""
    salt = np.asarray(np.uint64(1 + kind) + np.uint64(8) * np.asarray(number, dtype=np.uint64))
    mixed = (keys ^ (salt * _STEP)) * _MIX
    mixed ^= mixed >> np.uint64(32)
    return np.asarray(mixed * _STEP)


class State:
    """The whole index as one process sees it.

    Attributes
    ----------
    texts, articles, edges, merges : Columns
    ids : bytearray
        The ids of all articles, one after another.
    lexicon : Lexicon
    bank : Bank
    keys : KeyRuns
        Texts by band key, and by the key of the whole text.
    prints : KeyRuns
        Texts by fingerprint.
    id_keys : KeyRuns
        Articles by id.
    facts : dict
        Settings and single numbers: see `samestory.index.saved`.
    """

    def __init__(self) -> None:
        self.texts = Columns(TEXTS)
        self.articles = Columns(ARTICLES)
        self.edges = Columns(EDGES)
        self.merges = Columns(MERGES)
        self.ids = bytearray()
        self.lexicon = Lexicon()
        self.bank = Bank()
        self.keys = KeyRuns(b"keys/")
        self.prints = KeyRuns(b"prints/all/")
        self.id_keys = KeyRuns(b"ids/")
        self.facts: dict[str, Any] = {}
        self._marks: tuple[int, int, dict[str, Any], KeyRuns] = (0, 0, {}, self.prints)

    @property
    def tables(self) -> dict[str, Columns]:
        """The tables by name."""
        return {
            "texts": self.texts,
            "articles": self.articles,
            "edges": self.edges,
            "merges": self.merges,
        }

    def begin(self) -> None:
        """Take what there is now as given."""
        for table in self.tables.values():
            table.begin()
        self._marks = (len(self.ids), self.lexicon.n_words, dict(self.facts), self.prints)

    def undo(self) -> None:
        """Undo everything since `begin`."""
        for table in self.tables.values():
            table.undo()
        n_ids, n_words, facts, self.prints = self._marks
        self.facts = dict(facts)
        del self.ids[n_ids:]
        self.lexicon.forget(n_words)
        self.bank.pend(None, 0)

    @property
    def words_before(self) -> int:
        """Words of the lexicon at `begin`."""
        return self._marks[1]

    @property
    def ids_before(self) -> int:
        """Bytes of the ids at `begin`."""
        return self._marks[0]

    def id_of(self, article: int) -> str:
        """Return the id of an article."""
        return self.id_bytes(article).decode()

    def id_bytes(self, article: int) -> bytes:
        """Return the id of an article as UTF-8."""
        ends = self.articles["id_end"]
        return bytes(self.ids[int(ends[article - 1]) if article else 0 : int(ends[article])])

    @staticmethod
    def id_hashes(ids: list[bytes]) -> NDArray[np.uint64]:
        """Return the keys of ids."""
        return np.array([xxhash.xxh3_64_intdigest(one) for one in ids], dtype=np.uint64)

    def find_articles(self, ids: list[bytes]) -> Ints:
        """Return the article of each id: the one that is there, else the last that was, else -1."""
        offsets, members = self.id_keys.lookup(self.id_hashes(ids))
        found = np.full(len(ids), -1, dtype=np.int64)
        is_alive = self.articles["is_alive"]
        for k in np.flatnonzero(np.diff(offsets)).tolist():
            own = members[offsets[k] : offsets[k + 1]].tolist()
            same = [article for article in own if self.id_bytes(article) == ids[k]]
            if same:
                alive = [article for article in same if is_alive[article]]
                found[k] = alive[-1] if alive else same[-1]
        return found

    def members(self, name: str, labels: Ints) -> tuple[Ints, Ints]:
        """List the texts of components (``"component"``) or clusters (``"cluster"``): offsets, and texts."""
        return list_rings(np.asarray(labels, dtype=np.int64), self.texts[f"next_in_{name}"])

    def articles_of(self, texts: Ints) -> tuple[Ints, Ints]:
        """List the articles of texts: offsets, and articles."""
        heads = self.texts["first_article"][texts].astype(np.int64)
        return list_rings(heads, self.articles["next_of_text"])

    def edges_of(self, texts: Ints) -> tuple[Ints, Ints]:
        """List the edges of texts that are alive: offsets, and edges."""
        e = self.edges
        return list_edges(
            np.asarray(texts, dtype=np.int64),
            self.texts["last_edge"],
            e["first"],
            e["next_first"],
            e["next_second"],
            e["is_alive"],
        )

    def add_edges(self, first: Ints, second: Ints, shared: Ints) -> Ints:
        """Add edges; return their numbers."""
        begin = self.edges.n
        self.edges.extend(len(first), first=first, second=second, shared=shared)
        ends = np.unique(np.concatenate([first, second]))
        self.texts.put("last_edge", ends, self.texts["last_edge"][ends])  # noted, then changed below
        e = self.edges
        chain_edges(
            begin, e["first"], e["second"], e["next_first"], e["next_second"], self.texts["last_edge"]
        )
        return np.arange(begin, self.edges.n)

    def set_rings(self, name: str, offsets: Ints, members: Ints) -> None:
        """Make each set of texts a ring, in their order."""
        if not len(members):
            return
        following = np.roll(members, -1)
        following[offsets[1:] - 1] = members[offsets[:-1]]
        self.texts.put(f"next_in_{name}", members, following)

    def earliest(self, groups: Ints, articles: Ints, rule: str) -> tuple[Ints, Ints]:
        """Return of each group of articles, by number, the one that comes first by a rule.

        Parameters
        ----------
        groups, articles : int64 arrays
            A group of each of the articles.
        rule : {"earliest", "longest", "first"}
            As `Config.representative`.

        Returns
        -------
        groups, articles : int64 arrays
            Each group once, in order.
        """
        columns = self.articles
        times = columns["time"][articles]
        keys: list[Any] = [articles, times, groups]
        if rule == "first":
            keys = [articles, groups]
        elif rule == "longest":
            keys.insert(2, -self.texts["n_units"][columns["text"][articles]].astype(np.int64))
        order = np.lexsort(keys)
        articles, groups = articles[order], groups[order]
        firsts = np.flatnonzero(np.diff(groups, prepend=-1))
        if rule != "first":
            articles = self._by_id_where_tied(articles, [key[order] for key in keys[1:]])
        return groups[firsts], articles[firsts]

    def _by_id_where_tied(self, articles: Ints, keys: list[Ints]) -> Ints:
        """Put the least id first among dated articles that are alike in all keys."""
        same = keys[0][1:] != UNDATED
        for key in keys:
            same &= key[1:] == key[:-1]
        if not same.any():
            return articles
        articles = articles.copy()
        run_of = np.concatenate([[0], np.cumsum(~same)])
        starts = np.flatnonzero(np.diff(run_of, prepend=-1))
        sizes = np.diff(starts, append=len(articles))
        for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
            articles[start] = min(articles[start : start + size].tolist(), key=self.id_bytes)
        return articles
