"""Scores of a run against the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from os import PathLike
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from samestory.errors import ConfigError, InputError
from samestory.evaluate.measures import (
    BCubed,
    Codes,
    Contingency,
    Pairwise,
    adjusted_rand_index,
    bcubed,
    pairwise,
)
from samestory.evaluate.names import MEASURES
from samestory.evaluate.outcome import HasTables, Outcome
from samestory.evaluate.truth import ClusterTruth, PairTruth, Truth, read_truth, some

NO_DIFFERENT: Final = (
    "no pair is labelled different, so nothing can be found wrong: precision and F1 are not known"
)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What every kind of truth tells.

    Parameters
    ----------
    pairwise : Pairwise
        Precision, recall and F1 of pairs in one cluster.
    notes : tuple of str
        What to know before relying on the figures.
    """

    pairwise: Pairwise
    notes: tuple[str, ...] = ()

    def measure(self, name: str) -> float | None:
        """Return one measure by its name; None where the truth does not decide it.

        Parameters
        ----------
        name : str
            One of `samestory.evaluate.names.MEASURES`.

        Raises
        ------
        ConfigError
            There is no such measure, or not with this kind of labels.
        """
        if name not in self._measures():
            known = name in MEASURES
            raise ConfigError(
                f"the measure {name} needs labels of articles, not of pairs"
                if known
                else f"measure is {name!r}",
                hint=f"one of {', '.join(self._measures())}",
            )
        return self._measures()[name]

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain values for JSON."""
        return {**asdict(self), "notes": list(self.notes)}

    def _measures(self) -> Mapping[str, float | None]:
        found = self.pairwise
        return {"f1": found.f1, "precision": found.precision, "recall": found.recall}


@dataclass(frozen=True, kw_only=True)
class ClusterScores(Scores):
    """Scores against labels of articles; everything is over labelled articles only.

    Parameters
    ----------
    n_articles, n_unlabelled : int
        Articles with a label, and those of the run without.
    n_clusters, n_true_clusters : int
        Clusters of labelled articles, singles included: those of the run and those of the truth.
    bcubed : BCubed
    ari : float
        The adjusted Rand index.
    """

    n_articles: int
    n_unlabelled: int
    n_clusters: int
    n_true_clusters: int
    bcubed: BCubed
    ari: float

    def _measures(self) -> Mapping[str, float | None]:
        of_articles = {f"bcubed_{name}": value for name, value in asdict(self.bcubed).items()}
        return {**super()._measures(), **of_articles, "ari": self.ari}


@dataclass(frozen=True, kw_only=True)
class PairLabelScores(Scores):
    """Scores against labels of pairs; a pair is found if its articles are in one cluster.

    Parameters
    ----------
    n_pairs, n_same, n_different : int
        Labelled pairs, and how many of them do and don't belong together.
    """

    n_pairs: int
    n_same: int
    n_different: int


def evaluate(
    run: str | PathLike[str] | HasTables | Outcome, truth: Any, *, level: str = "duplicate"
) -> ClusterScores | PairLabelScores:
    """Judge the clusters of a run.

    Parameters
    ----------
    run : path, samestory.Result or Outcome
        The folder that `samestory cluster` wrote, or what `samestory.cluster` returned.
    truth : path, table, ClusterTruth or PairTruth
        Labels; for settings of their columns see `read_truth`.
    level : {"duplicate", "story"}, default "duplicate"
        Judge the clusters of copies, or the stories.

    Returns
    -------
    ClusterScores or PairLabelScores
        As the truth labels articles or pairs.

    Raises
    ------
    InputError
        The run or the truth cannot be read, or the truth names articles that the run has not.
    SchemaError, ConfigError
        See `read_truth`.

    Examples
    --------
    >>> scores = evaluate(samestory.cluster("news.parquet"), "labels.csv")
    >>> scores.pairwise.precision, scores.pairwise.recall
    """
    outcome = Outcome.of(run)
    labels = as_truth(truth)
    clusters = outcome.clusters(level)
    if isinstance(labels, ClusterTruth):
        return score_clusters(clusters, rows_of(outcome, labels.doc_ids, labels.where), labels)
    a, b = (rows_of(outcome, ids, labels.where) for ids in (labels.ids_a, labels.ids_b))
    return score_pairs(clusters[a] == clusters[b], labels)


def as_truth(truth: Any) -> Truth:
    """Read labels, unless they are read already."""
    return truth if isinstance(truth, (ClusterTruth, PairTruth)) else read_truth(truth)


def rows_of(outcome: Outcome, ids: Any, where: str) -> NDArray[np.int64]:
    """Row of each labelled article among the run's.

    Raises
    ------
    InputError
        Some are not there.
    """
    rows = outcome.rows_of(ids)
    missing = np.flatnonzero(rows < 0)
    if len(missing):
        unknown = ids.take(missing).unique().to_pylist()
        raise InputError(
            f"{where}: labelled ids are not in {outcome.where}: {some(unknown)}",
            hint="the ids are to be those of the run's doc_id; choose their column with --id-column",
        )
    return rows


def score_clusters(clusters: Codes, rows: NDArray[np.int64], truth: ClusterTruth) -> ClusterScores:
    """Judge a clustering of all of a run's articles by those in `rows`, which are labelled."""
    table = Contingency.of(clusters[rows], truth.labels)
    return ClusterScores(
        pairwise=pairwise(table),
        n_articles=len(rows),
        n_unlabelled=len(clusters) - len(rows),
        n_clusters=len(table.found),
        n_true_clusters=len(table.true),
        bcubed=bcubed(table),
        ari=adjusted_rand_index(table),
    )


def score_pairs(found: NDArray[np.bool_], truth: PairTruth) -> PairLabelScores:
    """Judge which of the labelled pairs were found."""
    n_same = int(np.count_nonzero(truth.same))
    n_different = len(truth.same) - n_same
    counts = Pairwise.of(
        true=n_same,
        found=int(np.count_nonzero(found)),
        right=int(np.count_nonzero(found & truth.same)),
    )
    if not n_different:
        counts = replace(counts, precision=None, f1=None)
    return PairLabelScores(
        pairwise=counts,
        notes=() if n_different else (NO_DIFFERENT,),
        n_pairs=len(found),
        n_same=n_same,
        n_different=n_different,
    )
