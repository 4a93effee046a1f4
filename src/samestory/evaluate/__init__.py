"""How right a run was: its clusters and pairs against labels that someone gave.

>>> from samestory import evaluate
>>> scores = evaluate.evaluate("out/", "truth.csv")
>>> scores.pairwise.f1, scores.bcubed.f1, scores.ari
>>> evaluate.sweep("out/", "truth.csv", score="containment").best

As in the package itself, everything is loaded when it is first used, so that
the command line can name the measures without loading NumPy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from samestory.evaluate.curve import DEFAULT_THRESHOLDS as DEFAULT_THRESHOLDS
    from samestory.evaluate.curve import Sweep as Sweep
    from samestory.evaluate.curve import SweepPoint as SweepPoint
    from samestory.evaluate.curve import sweep as sweep
    from samestory.evaluate.judge import ClusterScores as ClusterScores
    from samestory.evaluate.judge import PairLabelScores as PairLabelScores
    from samestory.evaluate.judge import Scores as Scores
    from samestory.evaluate.judge import evaluate as evaluate
    from samestory.evaluate.measures import BCubed as BCubed
    from samestory.evaluate.measures import Contingency as Contingency
    from samestory.evaluate.measures import Pairwise as Pairwise
    from samestory.evaluate.measures import adjusted_rand_index as adjusted_rand_index
    from samestory.evaluate.measures import bcubed as bcubed
    from samestory.evaluate.measures import pairwise as pairwise
    from samestory.evaluate.outcome import Outcome as Outcome
    from samestory.evaluate.plot import plot_sweep as plot_sweep
    from samestory.evaluate.truth import ClusterTruth as ClusterTruth
    from samestory.evaluate.truth import PairTruth as PairTruth
    from samestory.evaluate.truth import read_truth as read_truth

_HOMES: Final = {
    "BCubed": "measures",
    "ClusterScores": "judge",
    "ClusterTruth": "truth",
    "Contingency": "measures",
    "DEFAULT_THRESHOLDS": "curve",
    "Outcome": "outcome",
    "PairLabelScores": "judge",
    "PairTruth": "truth",
    "Pairwise": "measures",
    "Scores": "judge",
    "Sweep": "curve",
    "SweepPoint": "curve",
    "adjusted_rand_index": "measures",
    "bcubed": "measures",
    "evaluate": "judge",
    "pairwise": "measures",
    "plot_sweep": "plot",
    "read_truth": "truth",
    "sweep": "curve",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'samestory.evaluate' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"samestory.evaluate.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
