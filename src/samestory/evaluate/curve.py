"""Scores over thresholds: what a run would have found, had it joined the pairs at or over each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import PathLike
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from samestory.errors import ConfigError
from samestory.evaluate.judge import (
    NO_DIFFERENT,
    ClusterScores,
    PairLabelScores,
    as_truth,
    rows_of,
    score_clusters,
    score_pairs,
)
from samestory.evaluate.outcome import HasTables, Outcome, ScoredPairs
from samestory.evaluate.truth import ClusterTruth, PairTruth
from samestory.progress import Observer, each, ignore_progress

_MOST_THRESHOLDS: Final = 1000
_DECIMALS: Final = 9
_SLACK: Final = 1e-6  # so that the last of 0.1, 0.2, 0.3 is not lost to rounding

Indices = NDArray[np.int64]


def thresholds_between(low: float, high: float, step: float) -> tuple[float, ...]:
    """Return the thresholds from `low` to `high`, both included, as round as they were written.

    Raises
    ------
    ConfigError
        The step is not over zero, or makes too many.
    """
    if not (step > 0 and low <= high and math.isfinite(high - low)):
        raise ConfigError(
            f"thresholds are {low:g}:{high:g}:{step:g}",
            hint="from low to high by a step over 0, as 0.5:0.9:0.1",
        )
    n_steps = (high - low) / step + _SLACK
    if n_steps >= _MOST_THRESHOLDS:
        raise ConfigError(
            f"thresholds are {low:g}:{high:g}:{step:g}, more than {_MOST_THRESHOLDS:,}",
            hint="use a larger step",
        )
    return tuple(round(low + step * i, _DECIMALS) for i in range(int(n_steps) + 1))


DEFAULT_THRESHOLDS: Final = thresholds_between(0.05, 1.0, 0.05)


@dataclass(frozen=True, kw_only=True)
class SweepPoint:
    """Scores at one threshold."""

    threshold: float
    scores: ClusterScores | PairLabelScores


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Scores over thresholds.

    Parameters
    ----------
    score : str
        What was held against the thresholds.
    points : tuple of SweepPoint
        In the order of the thresholds, lowest first.
    notes : tuple of str
        What to know before relying on the figures.
    run_threshold : float, optional
        The run's own threshold, where it is one of the same score.
    """

    score: str
    points: tuple[SweepPoint, ...]
    notes: tuple[str, ...]
    run_threshold: float | None = None

    @property
    def best(self) -> SweepPoint | None:
        """The point of the best pairwise F1, of equals the highest; None where F1 is not known."""
        best: tuple[float, SweepPoint] | None = None
        for point in self.points:
            f1 = point.scores.pairwise.f1
            if f1 is not None and (best is None or f1 >= best[0]):
                best = (f1, point)
        return best[1] if best else None

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain values for JSON."""
        points = [{"threshold": point.threshold, **point.scores.as_dict()} for point in self.points]
        for point in points:
            del point["notes"]  # those of the whole say it once
        return {
            "score": self.score,
            "best_threshold": self.best.threshold if self.best else None,
            "points": points,
            "notes": list(self.notes),
        }


def sweep(
    run: str | PathLike[str] | HasTables | Outcome,
    truth: Any,
    *,
    score: str = "jaccard",
    thresholds: Iterable[float] = DEFAULT_THRESHOLDS,
    observer: Observer = ignore_progress,
) -> Sweep:
    """Judge what the verified pairs at or over each of some thresholds make.

    Against labels of articles the clusters are the connected components of these pairs; against
    labels of pairs, a pair is found if it is one of them. Only pairs that the run wrote count: those
    under its own thresholds score 0.

    Parameters
    ----------
    run : path, samestory.Result or Outcome
        The folder that `samestory cluster` wrote, or what `samestory.cluster` returned.
    truth : path, table, ClusterTruth or PairTruth
        Labels; for settings of their columns see `read_truth`.
    score : {"jaccard", "containment", "containment_a_in_b", "containment_b_in_a", "story_score"}
        What is held against the thresholds. ``containment`` is the larger of both directions; a and b
        are those of a labelled pair, or else the earlier and the later article of the input.
    thresholds : iterable of float
        Over 0 and up to 1; by default 0.05 to 1 by 0.05.
    observer : callable, optional

    Returns
    -------
    Sweep

    Raises
    ------
    ConfigError
        A threshold is out of range, or there is no such score.
    InputError
        As for `evaluate`; or no pair has the score.
    """
    levels = _checked(thresholds)
    outcome = Outcome.of(run)
    labels = as_truth(truth)
    pairs = outcome.pairs(score)
    if isinstance(labels, ClusterTruth):
        points = _sweep_clusters(outcome, labels, pairs, levels, observer)
    else:
        points = list(each(_sweep_pairs(outcome, labels, pairs, levels), observer, "sweep", len(levels)))
    own = outcome.number("config", "threshold") if score == "jaccard" else None
    return Sweep(
        score=score,
        points=tuple(points),
        notes=tuple(_notes(outcome, labels, levels, own)),
        run_threshold=own,
    )


def _checked(thresholds: Iterable[float]) -> list[float]:
    """Thresholds in order, each once."""
    levels = sorted({float(threshold) for threshold in thresholds})
    if not levels or len(levels) > _MOST_THRESHOLDS:
        raise ConfigError(f"{len(levels):,} thresholds", hint=f"give 1 to {_MOST_THRESHOLDS:,}")
    for level in levels:
        if not 0 < level <= 1:
            raise ConfigError(f"a threshold is {level:g}, not a number over 0 and up to 1")
    return levels


def _sweep_clusters(
    outcome: Outcome, truth: ClusterTruth, pairs: ScoredPairs, levels: list[float], observer: Observer
) -> list[SweepPoint]:
    """From the highest threshold down, so that each pair is joined once."""
    rows = rows_of(outcome, truth.doc_ids, truth.where)
    order = np.argsort(-pairs.scores, kind="stable")
    a, b = pairs.a[order], pairs.b[order]
    ends = _count_over(pairs.scores[order][::-1], levels)
    roots: Indices = np.arange(len(outcome.doc_ids()), dtype=np.int64)
    points, begin = [], 0
    steps = zip(reversed(levels), reversed(ends), strict=True)
    for level, end in each(steps, observer, "sweep", len(levels)):
        join(roots, a[begin:end], b[begin:end])
        points.append(SweepPoint(threshold=level, scores=score_clusters(roots, rows, truth)))
        begin = end
    return points[::-1]


def _count_over(ascending: NDArray[np.float32], levels: list[float]) -> list[int]:
    """How many scores are at or over each level.

    Levels are rounded to the scores' own 32 bits: else the pair of score 0.7, which is stored as
    0.69999999, would be under the threshold 0.7.
    """
    under = np.searchsorted(ascending, np.array(levels, dtype=np.float32), side="left")
    return [len(ascending) - int(count) for count in under]


def join(roots: Indices, a: Indices, b: Indices) -> None:
    """Join connected components along some edges, in place.

    Every root that has an edge to a lower one is hung below the lowest of them, all at once, and the
    trees made flat again, until no edge has two roots (after Shiloach and Vishkin 1982).

    Parameters
    ----------
    roots : ndarray of int64
        The least member of each node's component.
    a, b : ndarray of int64
        Ends of the edges.
    """
    while True:
        a, b = roots[a], roots[b]
        apart = a != b
        if not apart.any():
            return
        a, b = a[apart], b[apart]
        np.minimum.at(roots, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(further := roots[roots], roots):
            roots[:] = further


def _sweep_pairs(
    outcome: Outcome, truth: PairTruth, pairs: ScoredPairs, levels: list[float]
) -> Iterator[SweepPoint]:
    a, b = (rows_of(outcome, ids, truth.where) for ids in (truth.ids_a, truth.ids_b))
    scores = look_up(pairs, a, b)
    for level in levels:
        yield SweepPoint(threshold=level, scores=score_pairs(scores >= np.float32(level), truth))


def look_up(pairs: ScoredPairs, a: Indices, b: Indices) -> NDArray[np.float32]:
    """Score of each pair of articles, read from `a` to `b`; 0 where it is not among the pairs."""
    found = np.zeros(len(a), dtype=np.float32)
    if not len(pairs.a):
        return found
    n = np.int64(max(int(side.max(initial=0)) for side in (pairs.a, pairs.b, a, b)) + 1)
    # Both ways round, each with its own score.
    keys = np.concatenate([pairs.a * n + pairs.b, pairs.b * n + pairs.a])
    scores = np.concatenate([pairs.scores, pairs.backward])
    order = np.argsort(keys)
    wanted = a * n + b
    place = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    rows = order[place]
    there = keys[rows] == wanted
    found[there] = scores[rows[there]]
    return found


def _notes(
    outcome: Outcome, truth: ClusterTruth | PairTruth, levels: list[float], own: float | None
) -> Iterator[str]:
    if isinstance(truth, PairTruth) and truth.same.all():
        yield NO_DIFFERENT
    if own is None:
        yield (
            "pairs under the run's own thresholds are not in pairs.parquet; to sweep lower, cluster with "
            "lower ones"
        )
    elif levels[0] < own:
        yield (
            f"under the run's own threshold of {own:g} not every pair is in pairs.parquet; to sweep lower, "
            "cluster with a lower --threshold"
        )
    n_huge = outcome.number("counts", "clusters_not_listed_pair_by_pair")
    if n_huge:
        yield (
            f"huge clusters, of which not every pair is written: {n_huge:,.0f}; over the run's own threshold "
            "they may seem to fall apart"
        )
