"""Figures of run.json, which an older or a strange one may lack."""

from __future__ import annotations

from samestory.finished import FinishedRun


def recorded(run: FinishedRun, *keys: str) -> float | None:
    """Return a number of run.json by the keys that lead to it, None if it is not there."""
    value: object = run.stats
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
