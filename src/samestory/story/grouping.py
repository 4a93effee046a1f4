"""Stage 9: articles grouped to stories by average linkage, and how well each fits.

See `samestory.kernels.story.groups` for the method. Similarities fade with the
days between, to a floor: a wrong date alone does not part what the words hold
together. Whatever the threshold, the groups merge in one and the same order, up to
it: a higher threshold only splits stories.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.clusters import join_edges
from samestory.kernels.story import groups as kernel
from samestory.kernels.story.scores import compare_pairs, score_members
from samestory.progress import Observer, each, ignore_progress
from samestory.story.neighbours import Neighbours
from samestory.story.stored import StoredTerms
from samestory.story.terms import Rows, Terms, shared_terms
from samestory.threads import in_order

HALF: Final = 0.68
"""Similarity whose score is one half."""
FLOOR: Final = 0.4
"""What is left of a similarity between articles far apart in time."""
SPREADS_PER_WINDOW: Final = 3.0
DAY: Final = 86_400_000_000
"""Microseconds."""
MOST_SHOWN: Final = 12
"""Terms noted of each story."""


@dataclass(frozen=True)
class Linkage:
    """How articles are grouped.

    Attributes
    ----------
    threshold : float
        Least score, over 0 and under 1, at which two groups are merged.
    window_days : float
        Days within which an event is reported.
    """

    threshold: float
    window_days: float

    @property
    def least(self) -> float:
        """The threshold as a similarity."""
        return similarity_of(self.threshold)

    @property
    def spread(self) -> float:
        """Standard deviation, in days, of the factor of time."""
        return self.window_days / SPREADS_PER_WINDOW


def score_of(similarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the score, from 0 to 1, of similarities."""
    square = np.square(similarity)
    return square / (square + HALF * HALF)


def similarity_of(score: float) -> float:
    """Return the similarity of a score."""
    return float(HALF * np.sqrt(score / (1.0 - score)))


@dataclass(frozen=True)
class Units:
    """What is compared: one article of each duplicate cluster, in the order of dates.

    Attributes
    ----------
    terms : Terms
    factors : float64 array of shape (n,)
        By which the similarities of each are multiplied: see `Neighbours.levels`.
    days : int64 array of shape (n,)
        Days since 1970, or `UNDATED`.
    """

    terms: Terms | StoredTerms
    factors: NDArray[np.float64]
    days: NDArray[np.int64]

    @property
    def at_once(self) -> int | None:
        """How many of them may be looked at at once, about; None for all."""
        return self.terms.at_once if isinstance(self.terms, StoredTerms) else None

    def seen(self, members: NDArray[np.int64]) -> _Seen:
        """Return some of them for the kernels, which take all there are where all are in memory."""
        if isinstance(self.terms, StoredTerms):
            places = np.arange(len(members))
            return _Seen(places, self.terms.rows(members), self.factors[members], self.days[members])
        return _Seen(members, self.terms, self.factors, self.days)


@dataclass(frozen=True)
class _Seen:
    """Units in memory, and which of them are meant."""

    members: NDArray[np.int64]
    terms: Rows | Terms
    factors: NDArray[np.float64]
    days: NDArray[np.int64]


@dataclass(frozen=True)
class Edges:
    """Neighbours alike enough to be merged, were they alone.

    Attributes
    ----------
    firsts, seconds : int64 arrays
        Lesser and greater number.
    similarities : float64 array
        Without the factor of time.
    """

    firsts: NDArray[np.int64]
    seconds: NDArray[np.int64]
    similarities: NDArray[np.float64]


@dataclass(frozen=True)
class _Component:
    members: NDArray[np.int64]
    member_offsets: NDArray[np.int64]
    firsts: NDArray[np.int64]
    seconds: NDArray[np.int64]
    edge_offsets: NDArray[np.int64]


def find_edges(neighbours: Neighbours, factors: NDArray[np.float64], linkage: Linkage) -> Edges:
    """Return the pairs of neighbours that may be merged."""
    return Edges(*neighbours.edges(factors, linkage.least))


def group(
    units: Units, edges: Edges, linkage: Linkage, executor: Executor, observer: Observer = ignore_progress
) -> NDArray[np.int64]:
    """Group articles to stories.

    Parameters
    ----------
    units : Units
    edges : Edges
    linkage : Linkage
    executor : Executor
    observer : callable, optional

    Returns
    -------
    int64 array of shape (n,)
        For each article the least of its story.

    References
    ----------
    R. R. Sokal and C. D. Michener, "A statistical method for evaluating systematic relationships",
    University of Kansas Science Bulletin 38, 1958. S. Miranda, A. Znotins, S. B. Cohen and G. Barzdins,
    "Multilingual clustering of streaming news", EMNLP 2018.
    """
    n = len(units.days)
    groups = np.arange(n, dtype=np.int64)

    def work(part: _Component) -> None:
        seen = units.seen(part.members)
        found = groups if units.at_once is None else np.arange(len(part.members))
        kernel.group_components(
            seen.members,
            part.member_offsets,
            part.firsts,
            part.seconds,
            part.edge_offsets,
            seen.terms.names,
            seen.terms.weights,
            seen.terms.numbers,
            seen.factors,
            seen.days,
            linkage.least,
            linkage.spread,
            FLOOR,
            found,
        )
        if units.at_once is not None:
            groups[part.members] = part.members[found]

    components = _components(n, edges, units.at_once)
    total = sum(len(part.members) for part in components)
    done = in_order(executor, work, components, 8 if units.at_once is None else 1)
    for _ in each(done, observer, "group", total, lambda one: len(one[0].members)):
        pass
    return groups


_EDGES_AT_ONCE: Final = 1 << 16


def _components(n: int, edges: Edges, at_once: int | None) -> list[_Component]:
    """Return the connected components of the graph, a few together, those of most edges first."""
    roots = np.arange(n, dtype=np.int64)
    join_edges(edges.firsts, edges.seconds, roots)
    members = np.flatnonzero(np.bincount(roots, minlength=n)[roots] > 1)
    members = members[np.argsort(roots[members], kind="stable")]
    order = np.argsort(roots[edges.firsts], kind="stable")
    firsts, seconds = edges.firsts[order], edges.seconds[order]
    starts = np.flatnonzero(np.diff(roots[members], prepend=-1))
    offsets = np.append(starts, len(members)).astype(np.int64)
    component_of = np.zeros(n, dtype=np.int64)
    component_of[members] = np.repeat(np.arange(len(starts)), np.diff(offsets))
    place_of = np.zeros(n, dtype=np.int64)
    place_of[members] = np.arange(len(members)) - offsets[component_of[members]]
    edge_offsets = np.searchsorted(component_of[firsts], np.arange(len(starts) + 1)).astype(np.int64)
    parts = []
    begin = 0
    while begin < len(starts):
        end = int(np.searchsorted(edge_offsets, edge_offsets[begin] + _EDGES_AT_ONCE, side="left"))
        if at_once is not None:
            end = min(end, int(np.searchsorted(offsets, offsets[begin] + at_once, side="right")) - 1)
        end = min(max(end, begin + 1), len(starts))
        own = slice(edge_offsets[begin], edge_offsets[end])
        parts.append(
            _Component(
                members[offsets[begin] : offsets[end]],
                offsets[begin : end + 1] - offsets[begin],
                place_of[firsts[own]],
                place_of[seconds[own]],
                edge_offsets[begin : end + 1] - edge_offsets[begin],
            )
        )
        begin = end
    return sorted(parts, key=lambda part: -len(part.firsts))


@dataclass(frozen=True)
class Fit:
    """How well the articles of stories of two or more fit.

    Attributes
    ----------
    members, offsets : int64 arrays
        The articles of each story, in order.
    scores : float32 array
        Of each of `members` with the rest of its story, from 0 to 1.
    names : uint32 array of shape (stories, `MOST_SHOWN`)
        Terms that make up most of the similarity, the foremost first.
    shares : float32 array of the same shape
        Share of each in it, from 0 to 1; 0 after the last.
    """

    members: NDArray[np.int64]
    offsets: NDArray[np.int64]
    scores: NDArray[np.float32]
    names: NDArray[np.uint32]
    shares: NDArray[np.float32]


def fit(units: Units, groups: NDArray[np.int64], linkage: Linkage) -> Fit:
    """Score every member of a story of two or more against the rest of it."""
    sizes = np.bincount(groups, minlength=len(groups))
    members = np.flatnonzero(sizes[groups] > 1)
    members = members[np.argsort(groups[members], kind="stable")]
    starts = np.flatnonzero(np.diff(groups[members], prepend=-1))
    offsets = np.append(starts, len(members)).astype(np.int64)
    names = np.zeros((len(starts), MOST_SHOWN), dtype=np.uint32)
    shares = np.zeros((len(starts), MOST_SHOWN), dtype=np.float32)
    similarities = np.empty(len(members), dtype=np.float64)
    for begin, end in _spans(offsets, units.at_once):
        own = slice(offsets[begin], offsets[end])
        seen = units.seen(members[own])
        similarities[own] = score_members(
            seen.members,
            offsets[begin : end + 1] - offsets[begin],
            seen.terms.names,
            seen.terms.weights,
            seen.terms.numbers,
            seen.factors,
            seen.days,
            linkage.spread,
            FLOOR,
            names[begin:end],
            shares[begin:end],
        )
    return Fit(members, offsets, score_of(similarities).astype(np.float32), names, shares)


def _spans(offsets: NDArray[np.int64], at_once: int | None) -> Iterator[tuple[int, int]]:
    """Split stories into runs of about so many members, at least one story each."""
    n = len(offsets) - 1
    begin = 0
    while begin < n:
        end = n
        if at_once is not None:
            end = max(begin + 1, int(np.searchsorted(offsets, offsets[begin] + at_once, side="right")) - 1)
        yield begin, end
        begin = end


def pair_scores(units: Units, edges: Edges, linkage: Linkage) -> NDArray[np.float32]:
    """Return the score of each pair, from 0 to 1, with the factor of time."""
    similarities = compare_pairs(
        edges.firsts, edges.seconds, edges.similarities, units.days, linkage.spread, FLOOR
    )
    return score_of(similarities).astype(np.float32)


def similarity_between(units: Units, a: int, b: int, linkage: Linkage) -> float:
    """Return the similarity of any two articles, corrected and with the factor of time."""
    _, weights_a, weights_b = shared_terms(units.terms.rows(np.array([a, b])))
    cosine = float(np.dot(weights_a.astype(np.float64), weights_b.astype(np.float64)))
    value = np.array([cosine * units.factors[a] * units.factors[b]])
    one, other = np.array([a]), np.array([b])
    return float(compare_pairs(one, other, value, units.days, linkage.spread, FLOOR)[0])
