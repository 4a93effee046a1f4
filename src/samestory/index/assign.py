"""The order of the stages against an index: one batch of articles and what it changes.

::

    prepare → which are new → texts → near clusters → fingerprints → clusters → rows
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.buffers import string_buffers
from samestory.config import Config
from samestory.fingerprints import Runs
from samestory.identity import founding_times
from samestory.index.clusters import regroup
from samestory.index.copies import relate
from samestory.index.keyruns import KeyRuns
from samestory.index.lexicon import Coded
from samestory.index.nearby import place
from samestory.index.prepare import Prepared
from samestory.index.state import TEXT, Ints, State, salted
from samestory.normalise import FoldedTexts

_NONE: Final = np.zeros(0, dtype=np.int64)
_NO_KEYS: Final = np.zeros(0, dtype=np.uint64)
_NO_MEMBERS: Final = np.zeros(0, dtype=np.int32)


@dataclass
class Batch:
    """What a batch has changed, to be saved and told.

    Attributes
    ----------
    of_row : int64 array
        The article of each row handed in.
    came, left : int64 arrays
        Articles that are new, and those that are gone.
    coded : Coded
        Of the new texts.
    keys, members, prints, print_members : arrays
        Entries to be added to `State.keys` and `State.prints`.
    near : tuple of int64 arrays
        Near copies found: new text, other text, shingles shared.
    joined : int64 array
        Edges that join now.
    clusters : int64 array
        Labels of the clusters that have changed.
    renewed : bool
        Whether all fingerprints were taken anew.
    """

    of_row: Ints
    came: Ints
    left: Ints
    coded: Coded
    keys: NDArray[np.uint64]
    members: NDArray[np.int32]
    prints: NDArray[np.uint64]
    print_members: NDArray[np.int32]
    near: tuple[Ints, Ints, Ints]
    joined: Ints
    clusters: Ints
    renewed: bool


def assign(
    state: State,
    articles: pa.RecordBatch,
    prepared: Prepared,
    config: Config,
    executor: Executor,
) -> Batch:
    """Add the articles of a batch, each id once, to the state; one that was there with another text is replaced.

    Parameters
    ----------
    state : State
    articles : pyarrow.RecordBatch
        Of the schema `samestory.schema.ARTICLE`.
    prepared : Prepared
        Of the same.
    config : Config
    executor : Executor
    """
    ids = _id_bytes(articles["doc_id"])
    of_row = state.find_articles(ids)
    columns = state.articles
    there = of_row >= 0
    there[there] = columns["is_alive"][of_row[there]] > 0
    same = there.copy()
    same[there] = columns["raw_key"][of_row[there]] == prepared.raw_keys[there]
    left = of_row[there & ~same]
    rows = np.flatnonzero(~same)
    gone = remove_articles(state, left)
    came, coded, new = _add_articles(state, articles, prepared, rows, ids)
    of_row[rows] = came
    texts = _rows_of_texts(state, came, rows, new)
    return finish(
        state, prepared.sketches.band_keys[:, texts], of_row, came, left, coded, new, gone, config, executor
    )


def finish(
    state: State,
    band_keys: NDArray[np.uint64],
    of_row: Ints,
    came: Ints,
    left: Ints,
    coded: Coded,
    new: Ints,
    gone: Ints,
    config: Config,
    executor: Executor,
) -> Batch:
    """Bring near clusters, edges and clusters up to date with articles that came and left.

    Parameters
    ----------
    band_keys : uint64 array of shape (bands, u)
        Of the new texts.
    of_row : int64 array
        The article of each row handed in.
    came, left : int64 arrays
        Articles.
    coded : Coded
        Of the new texts.
    new, gone : int64 arrays
        Texts that are new, and that no article has any more.
    """
    _name_heirs(state, left, gone)
    near = place(state, new, band_keys, gone, config, executor)
    runs, renewed = _runs(state, config)
    added, removed = near.added, near.removed
    if renewed:
        added, removed = _forget_prints(state), _NONE
    edges = relate(state, added, removed, runs, config, executor)
    clusters = regroup(
        state,
        near.texts,
        near.is_parted,
        edges.joined,
        edges.parted if not renewed else _NONE,
        gone,
        came,
        left,
        config.representative,
        everything=renewed,
    )
    text_keys = salted(state.texts["text_key"][new], TEXT)
    return Batch(
        of_row,
        came,
        left,
        coded,
        np.concatenate([near.keys, text_keys]),
        np.concatenate([near.members, new.astype(np.int32)]),
        edges.keys,
        edges.members,
        (near.first, near.second, near.shared),
        edges.joined,
        clusters,
        renewed,
    )


def _name_heirs(state: State, left: Ints, gone: Ints) -> None:
    """Let articles that leave name another of their cluster, by which their ids stay resolvable."""
    if not len(left):
        return
    labels = state.texts["cluster"][state.articles["text"][left]].astype(np.int64)
    own, places = np.unique(labels, return_inverse=True)
    offsets, members = state.members("cluster", own)
    heads = state.texts["first_article"][members].astype(np.int64)
    owner = np.repeat(np.arange(len(own)), np.diff(offsets))
    alive = heads >= 0
    heirs = np.full(len(own), -1, dtype=np.int64)
    heirs[owner[alive][::-1]] = heads[alive][::-1]
    state.articles.put("matched", left, heirs[places])


def _runs(state: State, config: Config) -> tuple[Runs, bool]:
    """Return which runs are fingerprints, and whether they are others than before.

    A small corpus has all; once it has outgrown that it stays with a sample.
    """
    by_character = config.shingle_unit == "char"
    n, n_bytes = state.facts["n_articles"], state.facts["n_bytes"]
    runs = Runs.of_corpus(by_character, n, n_bytes)
    if not state.facts["is_sampled"] and runs.shift:
        state.facts["is_sampled"] = 1
        return runs, bool(state.texts.n)
    return Runs.of_corpus(by_character) if state.facts["is_sampled"] else runs, False


def _forget_prints(state: State) -> Ints:
    """Forget all edges and fingerprints; return the texts that stand for their near clusters."""
    texts = state.texts
    every = np.arange(texts.n)
    texts.put("is_posted", every, 0)
    texts.put("is_round_up", every, 0)
    texts.put("last_edge", every, -1)
    state.edges.put("is_alive", np.arange(state.edges.n), 0)
    state.prints = KeyRuns(b"prints/some/")
    state.prints.load({})
    return np.flatnonzero(texts["is_delegate"])


def _id_bytes(ids: Any) -> list[bytes]:
    data, offsets = string_buffers(ids)
    whole = data.tobytes()
    bounds = offsets.tolist()
    return [whole[low:high] for low, high in zip(bounds[:-1], bounds[1:], strict=True)]


def remove_articles(state: State, articles: Ints) -> Ints:
    """Take articles out of their texts; return the texts that have none left."""
    if not len(articles):
        return _NONE
    texts = np.unique(state.articles["text"][articles]).astype(np.int64)
    state.articles.put("is_alive", articles, 0)
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
    return texts[counts == 0]


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


def _add_articles(
    state: State, articles: pa.RecordBatch, prepared: Prepared, rows: Ints, ids: list[bytes]
) -> tuple[Ints, Coded, Ints]:
    """Add some rows of a batch; return the new articles, and codes and numbers of the new texts."""
    first_text = state.texts.n
    selected = _select(prepared.texts, rows)
    coded = state.lexicon.encode(selected)
    text_of = _find_texts(state, prepared, rows, coded)
    own = np.flatnonzero(text_of < 0)
    leaders, groups = np.unique(-1 - text_of[own], return_inverse=True)
    text_of[own] = first_text + groups
    new = first_text + np.arange(len(leaders))
    coded = _take(coded, leaders)
    sketches = prepared.sketches
    of_text = rows[leaders]
    state.texts.extend(
        len(new),
        n_shingles=sketches.n_shingles[of_text],
        n_units=sketches.n_units[of_text],
        n_bytes=np.diff(selected.offsets)[leaders],
        text_key=sketches.text_keys[of_text],
        code_bytes=np.diff(coded.offsets),
        component=new,
        next_in_component=new,
        near=new,
    )
    state.bank.pend(coded, first_text)
    first = state.articles.n
    came = first + np.arange(len(rows))
    lengths = np.array([len(ids[row]) for row in rows.tolist()], dtype=np.int64)
    begin = len(state.ids)
    for row in rows.tolist():
        state.ids += ids[row]
    state.articles.extend(
        len(rows),
        text=text_of,
        time=founding_times(articles["published_at"])[rows],
        n_removed=prepared.n_removed[rows],
        raw_key=prepared.raw_keys[rows],
        outlet=prepared.names.outlets[rows],
        host=prepared.names.hosts[rows],
        id_end=begin + np.cumsum(lengths),
        seen=time.time_ns() // 1000,
    )
    texts, counts = np.unique(text_of, return_counts=True)
    order = np.lexsort((came, text_of))
    offsets, before = state.articles_of(texts)
    owners = np.concatenate([np.repeat(texts, np.diff(offsets)), text_of[order]])
    listed = np.concatenate([before, came[order]])
    order = np.argsort(owners, kind="stable")
    _ring_articles(state, owners[order], listed[order])
    is_empty = np.diff(offsets) == 0
    firsts = np.flatnonzero(np.diff(owners[order], prepend=-1))
    state.texts.put("first_article", texts[is_empty], listed[order][firsts][is_empty])
    state.texts.put("n_articles", texts, state.texts["n_articles"][texts] + counts)
    _count(state, texts, counts)
    return came, coded, new


def _rows_of_texts(state: State, came: Ints, rows: Ints, new: Ints) -> Ints:
    """Return a row of the batch for each new text."""
    text_of = state.articles["text"][came].astype(np.int64)
    found = np.empty(len(new), dtype=np.int64)
    own = text_of >= (new[0] if len(new) else state.texts.n)
    found[text_of[own][::-1] - (new[0] if len(new) else 0)] = rows[own][::-1]
    return found


def _select(texts: FoldedTexts, rows: Ints) -> FoldedTexts:
    if len(rows) == len(texts):
        return texts
    parts = [texts.data[texts.offsets[row] : texts.offsets[row + 1]] for row in rows.tolist()]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts], dtype=np.int64)])
    return FoldedTexts(np.concatenate([*parts, np.zeros(64, dtype=np.uint8)]), offsets)


def _take(coded: Coded, places: Ints) -> Coded:
    if len(places) == len(coded):
        return coded
    parts = [coded.codes[coded.offsets[k] : coded.offsets[k + 1]] for k in places.tolist()]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts], dtype=np.int64)])
    return Coded(np.concatenate([*parts, np.zeros(64, dtype=np.uint8)]), offsets)


def _find_texts(state: State, prepared: Prepared, rows: Ints, coded: Coded) -> Ints:
    """Return for each row the text that it has; of a text that is new -1 less the place of its first row.

    Texts without a shingle are the same as no other.
    """
    keys = prepared.sketches.text_keys[rows]
    filled = prepared.sketches.n_shingles[rows] > 0
    found = -1 - np.arange(len(rows))
    codes = coded.codes

    def code_of(place: int) -> bytes:
        return codes[coded.offsets[place] : coded.offsets[place + 1]].tobytes()

    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero((keys[order][1:] == keys[order][:-1]))
    for k in same.tolist():
        a, b = int(order[k]), int(order[k + 1])
        if filled[b] and code_of(a) == code_of(b):
            found[b] = found[a]
    offsets, members = state.keys.lookup(salted(keys, TEXT))
    alive = state.texts["n_articles"][members] > 0
    counts = np.concatenate([[0], np.cumsum(alive)])
    offsets, members = counts[offsets], members[alive].astype(np.int64)
    stored = state.bank.collect(state.texts, members)
    for k in np.flatnonzero(np.diff(offsets) * filled).tolist():
        for at in range(int(offsets[k]), int(offsets[k + 1])):
            code = stored.codes[stored.offsets[at] : stored.offsets[at + 1]].tobytes()
            if code == code_of(k):
                found[k] = members[at]
    return found
