"""Pairs of near clusters that share fingerprints: near and partial copies, and what round-ups keep apart."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.config import Config
from samestory.fingerprints import Runs
from samestory.index.asked import Asked, look_up
from samestory.index.compare import count_pairs, hash_texts
from samestory.index.prints import Keys, Ready, take_prints
from samestory.index.state import Ints, State
from samestory.kernels.index.graph import change_pairs, count_support
from samestory.partial import least_fingerprints
from samestory.roundups import Decided, cut_round_ups, longer_ends
from samestory.signature import Sketches

_NONE: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class EdgeChange:
    """What has changed among the edges.

    Attributes
    ----------
    joined, parted : int64 arrays
        Edges that join their ends now and did not; and the other way round.
    keys, members : arrays
        Fingerprints to be added to the index.
    """

    joined: Ints
    parted: Ints
    keys: Keys
    members: NDArray[np.int32]


@dataclass(frozen=True)
class _Lists:
    """Who has which fingerprint.

    Attributes
    ----------
    keys : uint64 array
        Each fingerprint once, in order.
    offsets, members : arrays
        Texts that have it.
    """

    keys: Keys
    offsets: Ints
    members: NDArray[np.int32]


def _list(
    state: State,
    keys: Keys,
    unposted: tuple[Keys, Ints],
    executor: Executor,
    n_threads: int,
    asked: Asked | None = None,
) -> _Lists:
    """Look up who has some fingerprints, given once each and in order, with those not in the index yet."""
    offsets, members = look_up(state.prints, keys, asked, executor, n_threads)
    places = np.searchsorted(keys, unposted[0])
    places[places == len(keys)] = 0
    own = keys[places] == unposted[0] if len(keys) else np.zeros(len(places), dtype=np.bool_)
    if not own.any():
        return _Lists(keys, offsets, members)
    of_member = np.concatenate([np.repeat(np.arange(len(keys)), np.diff(offsets)), places[own]])
    members = np.concatenate([members, unposted[1][own].astype(np.int32)])
    order = np.argsort(of_member, kind="stable")
    bounds = np.searchsorted(of_member[order], np.arange(len(keys) + 1)).astype(np.int64)
    return _Lists(keys, bounds, members[order])


def relate(
    state: State,
    added: Ints,
    removed: Ints,
    runs: Runs,
    config: Config,
    executor: Executor,
    ready: Ready | None = None,
) -> EdgeChange:
    """Bring the edges up to date with the texts that stand for their near clusters.

    Parameters
    ----------
    state : State
    added, removed : int64 arrays
        Texts that stand for their near clusters now, and that do no longer; as `is_delegate` has it.
    ready : Ready, optional
        Fingerprints that have been taken.
    """
    if not config.partial:
        return EdgeChange(_NONE, _NONE, np.zeros(0, np.uint64), np.zeros(0, np.int32))
    before = _joining(state, state.edges_of(removed)[1])
    killed = np.unique(state.edges_of(removed)[1])
    state.edges.put("is_alive", killed, 0)
    changed = np.concatenate([added, removed])
    prints = take_prints(state, changed, runs, ready)
    texts = np.repeat(changed, np.diff(prints.offsets))
    is_posted = state.texts["is_posted"][texts] > 0
    unposted = prints.keys[~is_posted], texts[~is_posted]
    state.texts.put("is_posted", changed, 1)
    asked = ready.asked if ready is not None else None
    lists = _list(state, np.unique(prints.keys), unposted, executor, config.n_threads, asked)
    pairs, n_before, n_now = _change(state, lists, added, removed)
    more, fewer = _judge(state, pairs, n_before, n_now, added, unposted, runs, config, executor)
    before = np.union1d(before, _joining(state, fewer))
    state.edges.put("is_alive", fewer, 0)
    new = _verify(state, more, config)
    touched = np.concatenate([new, killed, fewer])
    joined, parted = _cut(state, touched, config)
    return EdgeChange(
        np.union1d(_joining(state, new), joined),
        np.union1d(before, parted),
        unposted[0],
        unposted[1].astype(np.int32),
    )


def _joining(state: State, edges: Ints) -> Ints:
    return np.unique(edges[state.edges["is_kept"][edges] > 0])


def _change(
    state: State, lists: _Lists, added: Ints, removed: Ints
) -> tuple[Keys, NDArray[np.int32], NDArray[np.int32]]:
    texts = state.texts
    if not len(lists.members):
        nobody = np.zeros(0, dtype=np.int32)
        return np.zeros(0, dtype=np.uint64), nobody, nobody
    is_there = texts["is_delegate"]
    was_there = is_there.copy()
    was_there[added] = 0
    was_there[removed] = 1
    return change_pairs(
        lists.offsets, lists.members, was_there, is_there, texts["n_units"], texts["text_key"]
    )


def _judge(
    state: State,
    pairs: Keys,
    n_before: NDArray[np.int32],
    n_now: NDArray[np.int32],
    added: Ints,
    unposted: tuple[Keys, Ints],
    runs: Runs,
    config: Config,
    executor: Executor,
) -> tuple[Ints, Ints]:
    """Return the pairs to compare now, of shape (p, 2), and the edges that are paired no more."""
    texts = state.texts
    ends = np.column_stack([pairs >> np.uint64(32), pairs & np.uint64(0xFFFFFFFF)]).astype(np.int64)
    there = (texts["is_delegate"][ends] > 0).all(axis=1)
    ends, n_before, n_now = ends[there], n_before[there], n_now[there]
    is_added = np.isin(ends, added).any(axis=1)
    n_units = texts["n_units"]
    needed = least_fingerprints(n_units[ends[:, 0]], n_units[ends[:, 1]], runs, config.containment)
    more = ends[is_added & (n_now >= needed)]
    doubtful = ends[~is_added & (n_before != n_now)]
    if not len(doubtful):
        return more, _NONE
    known = _known_edges(state, doubtful)
    had_more = (n_before > n_now)[~is_added & (n_before != n_now)]
    asked = had_more == (known >= 0)  # to lose what there is, or to gain what there is not
    doubtful, known = doubtful[asked], known[asked]
    support = _support(state, doubtful, unposted, runs, config, executor)
    needed = least_fingerprints(n_units[doubtful[:, 0]], n_units[doubtful[:, 1]], runs, config.containment)
    enough = support >= needed
    return np.concatenate([more, doubtful[enough & (known < 0)]]), known[~enough & (known >= 0)]


def _known_edges(state: State, pairs: Ints) -> Ints:
    """Return the edge of each pair, -1 where there is none."""
    texts = np.unique(pairs[:, 0])
    _, edges = state.edges_of(texts)
    edges = np.unique(edges)
    first, second = state.edges["first"][edges], state.edges["second"][edges]
    codes = _code(np.column_stack([first, second]).astype(np.int64))
    order = np.argsort(codes)
    places = np.searchsorted(codes[order], _code(pairs))
    places[places == len(codes)] = 0
    if not len(codes):
        return np.full(len(pairs), -1, dtype=np.int64)
    return np.where(codes[order][places] == _code(pairs), edges[order][places], -1)


def _code(pairs: Ints) -> Ints:
    return np.asarray(pairs.min(axis=1) << np.int64(32) | pairs.max(axis=1))


def _support(
    state: State,
    pairs: Ints,
    unposted: tuple[Keys, Ints],
    runs: Runs,
    config: Config,
    executor: Executor,
) -> NDArray[np.int32]:
    """Count the fingerprints that pair two texts, from all that each has."""
    if not len(pairs):
        return np.zeros(0, dtype=np.int32)
    texts, places = np.unique(pairs, return_inverse=True)
    places = places.reshape(-1, 2)
    prints = take_prints(state, texts, runs)
    keys, numbers = np.unique(prints.keys, return_inverse=True)
    lists = _list(state, keys, unposted, executor, config.n_threads)
    return count_support(
        np.ascontiguousarray(places[:, 0]),
        np.ascontiguousarray(places[:, 1]),
        prints.offsets,
        numbers.reshape(-1).astype(np.int64),
        lists.offsets,
        lists.members,
        state.texts["is_delegate"],
        state.texts["n_units"],
        state.texts["text_key"],
        texts,
    )


def _verify(state: State, pairs: Ints, config: Config) -> Ints:
    """Compare pairs exactly; return the new edges: those of near and partial copies."""
    if not len(pairs):
        return _NONE
    first, second = pairs.min(axis=1), pairs.max(axis=1)
    shared = count_pairs(state, first, second, config)
    n_first, n_second = (state.texts["n_shingles"][ends].astype(np.int64) for ends in (first, second))
    is_near = shared / np.maximum(n_first + n_second - shared, 1) >= config.threshold
    is_partial = shared / np.maximum(np.minimum(n_first, n_second), 1) >= config.containment
    is_edge = is_near | (is_partial & (shared >= config.evidence))
    return state.add_edges(first[is_edge], second[is_edge], shared[is_edge])


@dataclass(frozen=True)
class _Around:
    """Edges around some texts.

    Attributes
    ----------
    texts : int64 array
        In order.
    owners, edges, others : int64 arrays
        A place in `texts`, an edge that is alive, and its other end.
    """

    texts: Ints
    owners: Ints
    edges: Ints
    others: Ints


def _around(state: State, texts: Ints) -> _Around:
    texts = np.unique(texts)
    offsets, edges = state.edges_of(texts)
    owners = np.repeat(np.arange(len(texts)), np.diff(offsets))
    first, second = state.edges["first"][edges], state.edges["second"][edges]
    others = (first.astype(np.int64) + second) - texts[owners]
    return _Around(texts, owners, edges, others)


def _is_longer(state: State, one: Ints, other: Ints) -> NDArray[np.bool_]:
    ends = longer_ends(np.column_stack([one, other]), state.texts["n_shingles"], state.texts["text_key"])
    return np.asarray(ends == one)


def _over_both(state: State, first: Ints, second: Ints) -> Ints:
    """Return the texts that are longer than both ends of some pairs, and have edges to both."""
    around = _around(state, np.concatenate([first, second]))
    up = _is_longer(state, around.others, around.texts[around.owners])
    owners, others = around.owners[up], around.others[up]
    offsets = np.searchsorted(owners, np.arange(len(around.texts) + 1))
    a, b = np.searchsorted(around.texts, first), np.searchsorted(around.texts, second)
    found = [_NONE]
    for one, other in zip(a.tolist(), b.tolist(), strict=True):
        of_one, of_other = (others[offsets[k] : offsets[k + 1]] for k in (one, other))
        if len(of_one) and len(of_other):
            found.append(np.intersect1d(of_one, of_other))
    return np.unique(np.concatenate(found))


def _cut(state: State, touched: Ints, config: Config) -> tuple[Ints, Ints]:
    """Decide anew which edges round-ups cut, where edges have come or gone.

    Returns
    -------
    joined, parted : int64 arrays
        Edges whose state has changed.
    """
    if not len(touched):
        return _NONE, _NONE
    edges = state.edges
    n_before = edges["is_kept"].copy()
    first, second = (edges[name][touched].astype(np.int64) for name in ("first", "second"))
    ends = np.column_stack([first, second])
    pending = np.unique(longer_ends(ends, state.texts["n_shingles"], state.texts["text_key"]))
    pending = np.union1d(pending, _over_both(state, first, second))
    while len(pending):
        pending = _decide(state, pending, config)
    changed = np.flatnonzero(edges["is_kept"][: len(n_before)] != n_before)
    now = edges["is_kept"][changed] > 0
    alive = edges["is_alive"][changed] > 0
    return changed[now & alive], changed[~now]


def _decide(state: State, wanted: Ints, config: Config) -> Ints:
    """Decide about some texts whether they are round-ups; return those to decide in consequence."""
    texts, edges = state.texts, state.edges
    around = _around(state, wanted)
    shorter = ~_is_longer(state, around.others, around.texts[around.owners])
    n_partners = np.bincount(around.owners[shorter], minlength=len(wanted))
    was_round_up = texts["is_round_up"][wanted] > 0
    if not (n_partners > 1).any() and not was_round_up.any():
        return _NONE  # an edge that is alone is kept
    nodes = np.union1d(wanted, around.others[shorter])
    near = _around(state, nodes)
    degrees = np.bincount(near.owners, minlength=len(nodes)).astype(np.int64)
    local = np.unique(near.edges[np.isin(near.others, nodes)])
    rows = np.column_stack([edges[name][local] for name in ("first", "second", "shared")]).astype(np.int64)
    in_rows = np.isin(nodes, rows[:, :2])
    joined = cut_round_ups(
        rows,
        _as_sketches(state),
        lambda docs: hash_texts(state, docs, config),
        Decided(
            wanted,
            edges["is_kept"][local] > 0,
            nodes[(texts["is_round_up"][nodes] > 0) & ~np.isin(nodes, wanted)],
            degrees[in_rows],
        ),
    )
    turned = local[joined.kept != (edges["is_kept"][local] > 0)]
    edges.put("is_kept", local, joined.kept)
    is_round_up = np.isin(wanted, joined.round_ups)
    texts.put("is_round_up", wanted, is_round_up)
    flipped = wanted[is_round_up != was_round_up]
    first, second = (edges[name][turned].astype(np.int64) for name in ("first", "second"))
    up = _around(state, flipped)
    longer = up.others[_is_longer(state, up.others, up.texts[up.owners])]
    return np.union1d(_over_both(state, first, second), longer)


def _as_sketches(state: State) -> Sketches:
    texts = state.texts
    nothing = np.zeros((0, len(texts)), dtype=np.uint64)
    return Sketches(nothing, texts["text_key"], texts["n_shingles"], texts["n_units"])
