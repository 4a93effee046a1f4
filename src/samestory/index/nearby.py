"""New texts among those that meet them in a bucket: components, near copies, and near clusters."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.band import Components, find_components
from samestory.config import Config
from samestory.index.asked import Asked, look_up
from samestory.index.compare import count_pairs, decode
from samestory.index.state import BAND, Ints, State, salted
from samestory.kernels.clusters import UNDATED, join_edges
from samestory.kernels.overlap import MOST_TOGETHER
from samestory.normalise import FoldedTexts
from samestory.params import choose_banding
from samestory.signature import sketch
from samestory.threads import InPlace
from samestory.verify import Articles, verify

_NONE: Final = np.zeros(0, dtype=np.int64)
_MANY: Final = 4096
"""Fewer texts are not worth a second thread."""


@dataclass(frozen=True)
class NearChange:
    """What new and removed texts change among the near clusters.

    Attributes
    ----------
    texts : int64 array
        All texts of the components that have changed.
    is_parted : bool array
        Of each, whether near clusters of its component may have been parted.
    added, removed : int64 arrays
        Texts that stand for their near clusters now, and that do no longer.
    first, second, shared : int64 arrays
        Near copies among the new texts and those they met.
    keys, members : arrays
        Band keys of the new texts, to be added to the index.
    """

    texts: Ints
    is_parted: NDArray[np.bool_]
    added: Ints
    removed: Ints
    first: Ints
    second: Ints
    shared: Ints
    keys: NDArray[np.uint64]
    members: NDArray[np.int32]


@dataclass(frozen=True)
class _Buckets:
    """The buckets of the new texts.

    Attributes
    ----------
    texts, buckets : int64 arrays
        A new text and one of its buckets, text by text.
    offsets, members : int64 arrays
        Texts of each bucket that were there before.
    """

    texts: Ints
    buckets: Ints
    offsets: Ints
    members: Ints


def salted_bands(band_keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return band keys, of shape (bands, n), as they are looked up."""
    return salted(band_keys, BAND, np.arange(len(band_keys))[:, None])


def _find_buckets(
    state: State,
    texts: Ints,
    keys: NDArray[np.uint64],
    asked: Asked | None,
    executor: Executor,
    n_threads: int,
) -> _Buckets:
    """Look up who has the band keys, of shape (bands, n), of new texts."""
    wanted, buckets = np.unique(keys.T.ravel(), return_inverse=True)
    offsets, members = look_up(state.keys, wanted, asked, executor, n_threads)
    there = state.texts["n_articles"][members] > 0
    counts = np.concatenate([[0], np.cumsum(there)])
    return _Buckets(np.repeat(texts, len(keys)), buckets, counts[offsets], members[there].astype(np.int64))


def place(
    state: State,
    new: Ints,
    band_keys: NDArray[np.uint64],
    gone: Ints,
    config: Config,
    executor: Executor,
    asked: Asked | None = None,
) -> NearChange:
    """Find the components and near clusters of new texts, and those that are left of texts that are gone.

    Parameters
    ----------
    state : State
        The texts are in it already, each a component of its own.
    new : int64 array of shape (u,)
    band_keys : uint64 array of shape (bands, u)
    gone : int64 array
        Texts that no article has any more.
    asked : Asked, optional
        Who has which band key, for those of the new texts.
    """
    filled = state.texts["n_shingles"][new] > 0
    indexed = new[filled]
    keys = salted_bands(band_keys[:, filled])
    buckets = _find_buckets(state, indexed, keys, asked, executor, config.n_threads)
    groups = _group(state, new, buckets, gone)
    slow = groups.is_slow
    change = _join_small(state, groups, buckets, slow, config)
    parted = _recompute(state, groups.members[slow[groups.group_of_member]], config, executor)
    _settle(state, groups, slow, parted)
    added, removed = _choose_delegates(state, groups.members, gone)
    return NearChange(
        groups.members,
        slow[groups.group_of_member],
        added,
        removed,
        *change,
        keys.T.ravel(),
        np.repeat(indexed, len(keys)).astype(np.int32),
    )


@dataclass(frozen=True)
class _Groups:
    """Components that are joined by new texts: the texts of each, in order.

    Attributes
    ----------
    offsets, members : int64 arrays
    is_slow : bool array
        Whether a group is to be done as a whole: it is large, or has lost a text.
    """

    offsets: Ints
    members: Ints
    is_slow: NDArray[np.bool_]

    @property
    def group_of_member(self) -> Ints:
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def members_of(self, k: int) -> Ints:
        return self.members[self.offsets[k] : self.offsets[k + 1]]


def _group(state: State, new: Ints, buckets: _Buckets, gone: Ints) -> _Groups:
    """Join the components that new texts connect, and list them without the texts that are gone."""
    component = state.texts["component"]
    labels = np.unique(component[np.concatenate([buckets.members, gone])])
    labels = np.union1d(labels, new)  # a new text is its own component so far
    sizes = np.diff(buckets.offsets)
    n_buckets = len(sizes)
    hub = np.full(n_buckets, -1, dtype=np.int64)
    hub[buckets.buckets[::-1]] = buckets.texts[::-1]
    full = sizes > 0
    hub[full] = component[buckets.members[buckets.offsets[:-1][full]]]
    roots = np.arange(len(labels), dtype=np.int64)
    join_edges(np.searchsorted(labels, buckets.texts), np.searchsorted(labels, hub[buckets.buckets]), roots)
    offsets, members = state.members("component", labels)
    group = np.repeat(roots, np.diff(offsets))
    lost = np.zeros(len(labels), dtype=np.bool_)
    lost[group[np.isin(members, gone)]] = True
    alive = state.texts["n_articles"][members] > 0
    group, members = group[alive], members[alive]
    order = np.lexsort((members, group))
    group, members = group[order], members[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    ends = np.append(starts, len(members)).astype(np.int64)
    counts = np.diff(ends)
    filled = state.texts["n_shingles"][members[starts]] > 0 if len(starts) else np.zeros(0, bool)
    return _Groups(ends, members, (lost[group[starts]] | (counts > MOST_TOGETHER)) & filled & (counts > 1))


def _join_small(
    state: State, groups: _Groups, buckets: _Buckets, slow: NDArray[np.bool_], config: Config
) -> tuple[Ints, Ints, Ints]:
    """Compare each new text with all that it meets in a bucket, and join the near ones.

    Returns
    -------
    first, second, shared : int64 arrays
        The near copies, the new text of each first.
    """
    group_of = _lookup(groups.members, groups.group_of_member)
    is_small = ~slow[group_of(buckets.texts)]
    texts, own = buckets.texts[is_small], buckets.buckets[is_small]
    counts = np.diff(buckets.offsets)[own]
    first = np.repeat(texts, counts)
    places = np.repeat(buckets.offsets[own] - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
    second = buckets.members[places]
    one, other = _pairs_within(texts, own)
    pairs = np.unique(np.concatenate([first, other]) << np.int64(32) | np.concatenate([second, one]))
    first, second = pairs >> np.int64(32), pairs & np.int64(0xFFFFFFFF)
    shared = count_pairs(state, first, second, config)
    n_shingles = state.texts["n_shingles"]
    together = n_shingles[first].astype(np.int64) + n_shingles[second] - shared
    near = shared / np.maximum(together, 1) >= config.threshold
    first, second, shared = first[near], second[near], shared[near]
    _join_near(state, groups, first, second, slow)
    return first, second, shared


def _pairs_within(texts: Ints, buckets: Ints) -> tuple[Ints, Ints]:
    """Return the pairs of new texts that share a bucket, the lesser first."""
    order = np.lexsort((texts, buckets))
    texts, buckets = texts[order], buckets[order]
    firsts, seconds = [_NONE], [_NONE]
    step = 1
    while step < len(texts):
        same = np.flatnonzero(buckets[step:] == buckets[:-step])
        if not len(same):
            break
        firsts.append(texts[same])
        seconds.append(texts[same + step])
        step += 1
    return np.concatenate(firsts), np.concatenate(seconds)


def _join_near(state: State, groups: _Groups, first: Ints, second: Ints, slow: NDArray[np.bool_]) -> None:
    """Give the members of near clusters that have grown together one label, the least of them."""
    near = state.texts["near"]
    labels = np.unique(near[np.concatenate([first, second])])
    roots = np.arange(len(labels), dtype=np.int64)
    join_edges(np.searchsorted(labels, near[first]), np.searchsorted(labels, near[second]), roots)
    members = groups.members[~slow[groups.group_of_member]]
    at = np.searchsorted(labels, near[members])
    at[at == len(labels)] = 0
    joined = labels[at] == near[members] if len(labels) else np.zeros(len(members), bool)
    members, at = members[joined], roots[at[joined]]
    least = np.full(len(labels), np.iinfo(np.int64).max)
    np.minimum.at(least, at, members)
    state.texts.put("near", members, least[at])


def _recompute(state: State, members: Ints, config: Config, executor: Executor) -> tuple[Ints, Ints]:
    """Find the components and near clusters of some texts as a run over them alone would.

    Returns
    -------
    components, near : int64 arrays
        Labels of the members.
    """
    if not len(members):
        return members, members
    folded = decode(state, members)
    banding = choose_banding(config.threshold, config.recall, config.num_perm)
    sketches = sketch(folded, config, banding)
    found = find_components(sketches, executor if len(members) > _MANY else InPlace())
    components = np.arange(len(members), dtype=np.int64)
    near = components.copy()
    firsts = found.docs[found.offsets[:-1]]
    components[found.docs] = np.repeat(firsts, np.diff(found.offsets))
    if len(found):
        verified = verify(found, _chosen(folded, found), sketches, _unordered(len(members)), config)
        near[verified.docs] = verified.founders
    return members[components], members[near]


def _chosen(folded: FoldedTexts, found: Components) -> FoldedTexts:
    parts = [folded.data[folded.offsets[d] : folded.offsets[d + 1]] for d in found.docs.tolist()]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    return FoldedTexts(np.concatenate([*parts, np.zeros(64, np.uint8)]), offsets)


def _unordered(n: int) -> Articles:
    """Return articles without dates or ids: the first of a cluster founds it."""
    times = np.full(n, UNDATED, dtype=np.int64)
    times.flags.writeable = False  # as those that Arrow hands over: the same kernel is compiled for both
    return Articles(times, np.zeros(0, dtype=np.uint8), np.zeros(n + 1, dtype=np.int64))


def _settle(state: State, groups: _Groups, slow: NDArray[np.bool_], parted: tuple[Ints, Ints]) -> None:
    """Write down the components: those of the groups, and those that groups done as a whole have come to."""
    labels = groups.members[groups.offsets[:-1]][groups.group_of_member]
    in_slow = slow[groups.group_of_member]
    labels[in_slow], near = parted
    state.texts.put("near", groups.members[in_slow], near)
    order = np.argsort(labels, kind="stable")
    members, labels = groups.members[order], labels[order]
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    state.texts.put("component", members, labels)
    state.set_rings("component", np.append(starts, len(members)).astype(np.int64), members)


def _choose_delegates(state: State, members: Ints, gone: Ints) -> tuple[Ints, Ints]:
    """Let the longest text of each near cluster stand for it; return which do now, and which no longer."""
    texts = state.texts
    near = texts["near"][members]
    order = np.lexsort((texts["text_key"][members], -texts["n_units"][members].astype(np.int64), near))
    longest = members[order[np.flatnonzero(np.diff(near[order], prepend=-1))]]
    before = np.concatenate([members, gone])
    before = before[texts["is_delegate"][before] > 0]
    added, removed = np.setdiff1d(longest, before), np.setdiff1d(before, longest)
    texts.put("is_delegate", removed, 0)
    texts.put("is_delegate", added, 1)
    return added, removed


def _lookup(keys: Ints, values: Ints) -> Callable[[Ints], Ints]:
    """Return a function from keys, all of them among those given, to values."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    return lambda wanted: values[order[np.searchsorted(ordered, wanted)]]
