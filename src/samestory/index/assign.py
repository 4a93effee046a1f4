"""The order of the stages against an index: one batch of articles and what it changes.

::

    prepare → which are new → texts → near clusters → fingerprints → clusters → rows
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.buffers import string_buffers
from samestory.config import Config
from samestory.fingerprints import Runs
from samestory.index.asked import Asked
from samestory.index.clusters import regroup
from samestory.index.copies import relate
from samestory.index.entries import add_articles, add_texts, enter, remove_articles
from samestory.index.folded import joined_texts, picked
from samestory.index.furnish import Moved
from samestory.index.keyruns import KeyRuns
from samestory.index.lexicon import Coded
from samestory.index.nearby import place, salted_bands
from samestory.index.prepare import Prepared, sketch_texts
from samestory.index.prints import Prints, Ready
from samestory.index.runvalues import NoValues
from samestory.index.state import TEXT, Ints, State, salted
from samestory.normalise import FoldedTexts
from samestory.params import choose_banding
from samestory.signature import Sketches

_NONE: Final = np.zeros(0, dtype=np.int64)
_WORTH_ASKING: Final = 64
"""Keys of fewer texts are not worth another thread."""


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
    clusters: Ints
    renewed: bool


@dataclass(frozen=True)
class Change:
    """Articles and texts that have come and gone, and are not placed yet.

    Attributes
    ----------
    of_row : int64 array
        The article of each row handed in.
    came, left, shifted : int64 arrays
        Articles that are new, that are gone, and that have another text now.
    lost : int64 array
        Texts that have lost an article.
    coded : Coded
        Of the new texts.
    new, gone : int64 arrays
        Texts that are new, and that no article has any more.
    band_keys : uint64 array of shape (bands, u)
        Of the new texts.
    asked : Asked, optional
        Who has which band key.
    ready : Ready, optional
        Fingerprints of the new texts.
    """

    of_row: Ints
    came: Ints
    left: Ints
    shifted: Ints
    lost: Ints
    coded: Coded
    new: Ints
    gone: Ints
    band_keys: NDArray[np.uint64]
    asked: Asked | None = None
    ready: Ready | None = None

    @staticmethod
    def removal(articles: Ints, lost: Ints, gone: Ints, bands: int) -> Change:
        """Return the change that some articles are gone."""
        nothing = Coded(np.zeros(64, dtype=np.uint8), np.zeros(1, dtype=np.int64))
        keys = np.zeros((bands, 0), dtype=np.uint64)
        return Change(_NONE, _NONE, articles, _NONE, lost, nothing, _NONE, gone, keys)


def assign(
    state: State,
    articles: pa.RecordBatch,
    prepared: Prepared,
    config: Config,
    executor: Executor,
    moved: Moved | None = None,
    adding: bool = True,
) -> Batch:
    """Add the articles of a batch, each id once; one that was there with another text is replaced.

    Parameters
    ----------
    state : State
    articles : pyarrow.RecordBatch
        Of the schema `samestory.schema.ARTICLE`.
    prepared : Prepared
        Of the same.
    config : Config
    executor : Executor
    moved : Moved, optional
        Articles that are there, with other texts now.
    adding : bool
        Whether the batch is to stay; if it is not, nothing is done because of it that can wait.
    """
    ids = _id_bytes(articles["doc_id"])
    of_row, same = _known_rows(state, ids, prepared)
    left = of_row[(of_row >= 0) & ~same]
    rows = np.flatnonzero(~same)
    moved = _still_there(moved, left)
    shifted = moved.articles if moved is not None else _NONE
    lost = state.articles["text"][np.concatenate([left, shifted])].astype(np.int64)
    gone = remove_articles(state, left, shifted)
    texts = _together(prepared, rows, moved)
    banding = choose_banding(config.threshold, config.recall, config.num_perm)
    sketches, prints = sketch_texts(texts, _settled_runs(state, config), config, banding, executor)
    with _asking(state, sketches, prints, executor) as asked:
        kept, n_words, titled = _kept_texts(articles, prepared, rows, sketches, config)
        coded, new, text_of, leaders = add_texts(state, texts, sketches, kept, n_words)
        came = add_articles(state, articles, prepared, rows, ids, text_of[: len(rows)])
        _note_kept(state, came, prepared.is_cut[rows], titled, len(kept))
        if moved is not None:
            state.articles.put("text", shifted, text_of[len(rows) :])
            state.articles.put("whole", shifted, moved.whole)
            state.articles.put("n_removed", shifted, state.articles["n_removed"][shifted] + moved.n_more)
        enter(state, np.concatenate([came, shifted]), text_of)
        of_row[rows] = came
        change = Change(
            of_row, came, left, shifted, lost, coded, new, gone, sketches.band_keys[:, leaders], asked[0]
        )
        if prints is not None and len(new):
            change = replace(change, ready=Ready(int(new[0]), prints.of(leaders), asked[1]))
        return finish(state, change, config, executor, adding)


def _known_rows(state: State, ids: list[bytes], prepared: Prepared) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the article that is there under each id, else -1, and whether its text is the same."""
    of_row = state.find_articles(ids)
    there = np.flatnonzero(of_row >= 0)
    of_row[there[state.articles["is_alive"][of_row[there]] == 0]] = -1
    there = there[of_row[there] >= 0]
    same = np.zeros(len(ids), dtype=np.bool_)
    same[there] = state.articles["raw_key"][of_row[there]] == prepared.folded.raw_keys[there]
    return of_row, same


@contextmanager
def _asking(
    state: State, sketches: Sketches, prints: Prints | None, executor: Executor
) -> Iterator[tuple[Asked | None, Asked | None]]:
    """Have the keys of many texts looked up while these are coded."""
    if len(sketches.n_units) < _WORTH_ASKING:
        yield None, None
        return
    filled = sketches.n_shingles > 0
    bands = Asked(state.keys, salted_bands(sketches.band_keys[:, filled]).ravel(), executor)
    shared = Asked(state.prints, prints.keys, executor) if prints is not None else None
    try:
        yield bands, shared
    finally:  # what is looked up lies in memory that may be moved afterwards
        bands.settle()
        if shared is not None:
            shared.settle()


def _kept_texts(
    articles: pa.RecordBatch, prepared: Prepared, rows: Ints, sketches: Sketches, config: Config
) -> tuple[FoldedTexts, NDArray[np.int32], Ints]:
    """Return what is only kept: texts with furniture, then titles; their words; which rows have titles."""
    places = np.flatnonzero(prepared.is_cut[rows])
    is_cut = rows[places]
    n_words = sketches.n_units[places] + (prepared.n_removed - prepared.folded.n_removed)[is_cut]
    titled, titles = _titles(articles, rows, config)
    kept = joined_texts([picked(prepared.folded.texts, is_cut), titles])
    return kept, np.append(n_words, np.zeros(len(titled), np.int32)), titled


def _note_kept(state: State, came: Ints, is_cut: NDArray[np.bool_], titled: Ints, n_kept: int) -> None:
    """Note which of the articles that came the last texts belong to: see `_kept_texts`."""
    numbers = state.texts.n - n_kept + np.arange(n_kept)
    n_whole = n_kept - len(titled)
    state.articles.put("whole", came[is_cut], numbers[:n_whole])
    state.articles.put("title", came[titled], numbers[n_whole:])


def _titles(articles: pa.RecordBatch, rows: Ints, config: Config) -> tuple[Ints, FoldedTexts]:
    """Return which of some rows have titles, and these, where stories are looked for."""
    data, offsets = string_buffers(articles["title"])
    titled = np.flatnonzero(np.diff(offsets)[rows] > 0) if config.level == "story" else _NONE
    return titled, picked(FoldedTexts(data, offsets), rows[titled])


def _still_there(moved: Moved | None, left: Ints) -> Moved | None:
    """Return the articles with other texts that do not leave with the batch."""
    if moved is None or not len(moved.articles):
        return None
    stays = np.flatnonzero(~np.isin(moved.articles, left))
    return Moved(moved.articles[stays], moved.whole[stays], picked(moved.texts, stays), moved.n_more[stays])


def _together(prepared: Prepared, rows: Ints, moved: Moved | None) -> FoldedTexts:
    """Return the texts of some rows, and of the articles that have other texts now."""
    texts = prepared.texts if len(rows) == len(prepared.texts) else picked(prepared.texts, rows)
    return texts if moved is None else joined_texts([texts, moved.texts])


def _settled_runs(state: State, config: Config) -> Runs | None:
    """Return which runs are fingerprints, if that depends on this batch no more."""
    if not config.partial or not state.facts["is_sampled"]:
        return None
    return Runs.of_corpus(config.shingle_unit == "char")


def finish(state: State, change: Change, config: Config, executor: Executor, adding: bool = True) -> Batch:
    """Bring near clusters, edges and clusters up to date with articles that came and left.

    Parameters
    ----------
    state : State
        With the articles and texts that came.
    change : Change
    config : Config
    executor : Executor
    adding : bool
        Whether the batch is to stay.
    """
    new, gone = change.new, change.gone
    _name_heirs(state, change.left)
    near = place(state, new, change.band_keys, gone, config, executor, change.asked)
    runs, renewed = _runs(state, config, adding)
    added, removed = near.added, near.removed
    if renewed:
        added, removed = _forget_prints(state), _NONE
    edges = relate(state, added, removed, runs, config, executor, change.ready)
    clusters = regroup(
        state,
        near.texts,
        near.is_parted,
        edges.joined,
        edges.parted if not renewed else _NONE,
        gone,
        np.concatenate([change.came, change.shifted]),
        change.lost,
        config.representative,
        everything=renewed,
    )
    text_keys = salted(state.texts["text_key"][new], TEXT)
    return Batch(
        change.of_row,
        change.came,
        change.left,
        change.coded,
        np.concatenate([near.keys, text_keys]),
        np.concatenate([near.members, new.astype(np.int32)]),
        edges.keys,
        edges.members,
        (near.first, near.second, near.shared),
        clusters,
        renewed,
    )


def _name_heirs(state: State, left: Ints) -> None:
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


def _runs(state: State, config: Config, adding: bool) -> tuple[Runs, bool]:
    """Return which runs are fingerprints, and whether they are others than before.

    A small corpus has all; once it has outgrown that it stays with a sample.
    """
    by_character = config.shingle_unit == "char"
    n, n_bytes = state.facts["n_articles"], state.facts["n_bytes"]
    runs = Runs.of_corpus(by_character, n, n_bytes)
    if adding and not state.facts["is_sampled"] and runs.shift:
        state.facts["is_sampled"] = 1
        return runs, bool(state.texts.n)
    return Runs.of_corpus(by_character, *(() if state.facts["is_sampled"] else (0, 0))), False


def _forget_prints(state: State) -> Ints:
    """Forget all edges and fingerprints; return the texts that stand for their near clusters."""
    texts = state.texts
    every = np.arange(texts.n)
    texts.put("is_posted", every, 0)
    texts.put("is_round_up", every, 0)
    texts.put("last_edge", every, -1)
    state.edges.put("is_alive", np.arange(state.edges.n), 0)
    state.prints = KeyRuns(b"prints/some/")
    state.prints.load(NoValues())
    return np.flatnonzero(texts["is_delegate"])


def _id_bytes(ids: Any) -> list[bytes]:
    data, offsets = string_buffers(ids)
    whole = data.tobytes()
    bounds = offsets.tolist()
    return [whole[low:high] for low, high in pairwise(bounds)]
