"""Articles and their texts, entered in the columns of an index and taken out of them."""

from __future__ import annotations

import time
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.identity import founding_times
from samestory.index.folded import joined_texts
from samestory.index.lexicon import Coded
from samestory.index.prepare import Prepared
from samestory.index.state import TEXT, Ints, State, salted
from samestory.normalise import FoldedTexts
from samestory.signature import Sketches

_NONE: Final = np.zeros(0, dtype=np.int64)


def remove_articles(state: State, left: Ints, shifted: Ints = _NONE) -> Ints:
    """Take articles out of their texts; return the texts that have none left.

    Parameters
    ----------
    state : State
    left : int64 array
        Articles that are there no more.
    shifted : int64 array
        Articles that will have another text.
    """
    articles = np.concatenate([left, shifted])
    if not len(articles):
        return _NONE
    texts = np.unique(state.articles["text"][articles]).astype(np.int64)
    state.articles.put("is_alive", left, 0)
    offsets, listed = state.articles_of(texts)
    owner = np.repeat(np.arange(len(texts)), np.diff(offsets))
    stays = ~np.isin(listed, articles)
    heads = np.full(len(texts), -1, dtype=np.int64)
    heads[owner[stays][::-1]] = listed[stays][::-1]
    _ring_articles(state, owner[stays], listed[stays])
    counts = np.bincount(owner[stays], minlength=len(texts))
    state.texts.put("first_article", texts, heads)
    state.texts.put("n_articles", texts, counts)
    _count(state, texts, counts - np.diff(offsets))
    return np.asarray(texts[counts == 0])


def _ring_articles(state: State, owners: Ints, articles: Ints) -> None:
    """Make the articles of each owner, given in order of the owners, a ring."""
    if not len(articles):
        return
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    following = np.append(articles[1:], -1)
    following[np.append(starts[1:], len(articles)) - 1] = articles[starts]
    state.articles.put("next_of_text", articles, following)


def _count(state: State, texts: Ints, more: Ints) -> None:
    """Count articles that came to texts, or left."""
    state.facts["n_articles"] += int(more.sum())
    state.facts["n_bytes"] += int((state.texts["n_bytes"][texts] * more.astype(np.int64)).sum())


def add_texts(
    state: State, texts: FoldedTexts, sketches: Sketches, whole: FoldedTexts, n_words: NDArray[np.int32]
) -> tuple[Coded, Ints, Ints, Ints]:
    """Add the texts that are new, and after them some that are only kept.

    Returns
    -------
    coded : Coded
        Of the new texts, and of those only kept.
    new : int64 array
        The numbers of the new ones.
    text_of : int64 array
        The text of each one handed in.
    leaders : int64 array
        Of each new text, which of those handed in it is.
    """
    first = state.texts.n
    both = state.lexicon.encode(joined_texts([texts, whole]))
    coded = Coded(both.codes, both.offsets[: len(texts) + 1])
    text_of = _find_texts(state, sketches, coded)
    own = np.flatnonzero(text_of < 0)
    leaders, groups = np.unique(-1 - text_of[own], return_inverse=True)
    text_of[own] = first + groups
    new = first + np.arange(len(leaders))
    coded = _take(both, np.concatenate([leaders, len(texts) + np.arange(len(whole))]))
    code_bytes = np.diff(coded.offsets)
    state.texts.extend(
        len(new),
        n_shingles=sketches.n_shingles[leaders],
        n_units=sketches.n_units[leaders],
        n_bytes=np.diff(texts.offsets)[leaders],
        text_key=sketches.text_keys[leaders],
        code_bytes=code_bytes[: len(new)],
        component=new,
        next_in_component=new,
        near=new,
    )
    state.texts.extend(len(whole), n_units=n_words, code_bytes=code_bytes[len(new) :])
    state.bank.pend(coded, first)
    return coded, new, text_of, leaders


def add_articles(
    state: State, articles: pa.RecordBatch, prepared: Prepared, rows: Ints, ids: list[bytes], text_of: Ints
) -> Ints:
    """Add some rows of a batch; return their numbers."""
    came = state.articles.n + np.arange(len(rows))
    lengths = np.array([len(ids[row]) for row in rows.tolist()], dtype=np.int64)
    begin = len(state.ids)
    for row in rows.tolist():
        state.ids += ids[row]
    state.articles.extend(
        len(rows),
        text=text_of,
        time=founding_times(articles["published_at"])[rows],
        n_removed=prepared.n_removed[rows],
        raw_key=prepared.folded.raw_keys[rows],
        outlet=prepared.folded.names.outlets[rows],
        host=prepared.folded.names.hosts[rows],
        id_end=begin + np.cumsum(lengths),
        seen=time.time_ns() // 1000,
    )
    return came


def enter(state: State, articles: Ints, text_of: Ints) -> None:
    """Enter articles with their texts."""
    texts, counts = np.unique(text_of, return_counts=True)
    offsets, before = state.articles_of(texts)
    owners = np.concatenate([np.repeat(texts, np.diff(offsets)), text_of])
    listed = np.concatenate([before, articles])
    order = np.argsort(owners, kind="stable")
    owners, listed = owners[order], listed[order]
    _ring_articles(state, owners, listed)
    firsts = np.flatnonzero(np.diff(owners, prepend=-1))
    state.texts.put("first_article", texts, listed[firsts])
    state.texts.put("n_articles", texts, state.texts["n_articles"][texts] + counts)
    _count(state, texts, counts)


def _take(coded: Coded, places: Ints) -> Coded:
    if len(places) == len(coded):
        return coded
    parts = [coded.codes[coded.offsets[k] : coded.offsets[k + 1]] for k in places.tolist()]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts], dtype=np.int64)])
    return Coded(np.concatenate([*parts, np.zeros(64, dtype=np.uint8)]), offsets)


def _find_texts(state: State, sketches: Sketches, coded: Coded) -> Ints:
    """Return the number of each text; of one that is new -1 less the place where it comes first.

    Texts without a shingle are the same as no other.
    """
    keys = sketches.text_keys
    filled = sketches.n_shingles > 0
    found = -1 - np.arange(len(keys))
    codes = coded.codes

    def code_of(place: int) -> bytes:
        return codes[coded.offsets[place] : coded.offsets[place + 1]].tobytes()

    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    for k in same.tolist():
        a, b = int(order[k]), int(order[k + 1])
        if filled[b] and code_of(a) == code_of(b):
            found[b] = found[a]
    offsets, members = state.keys.lookup(salted(keys, TEXT))
    alive = state.texts["n_articles"][members] > 0
    counts = np.concatenate([[0], np.cumsum(alive)])
    offsets, members = counts[offsets], members[alive].astype(np.int64)
    stored = state.bank.collect(state.texts, members.astype(np.int64))
    for k in np.flatnonzero(np.diff(offsets) * filled).tolist():
        for at in range(int(offsets[k]), int(offsets[k + 1])):
            code = stored.codes[stored.offsets[at] : stored.offsets[at + 1]].tobytes()
            if code == code_of(k):
                found[k] = members[at]
    return found
