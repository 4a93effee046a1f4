"""One setting for all sets: what a user without labels can hope for from each tool."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from judging.answers import Figures, cell

MEASURE = "mean F1, one setting for all"


@dataclass
class Tally:
    """The F1 of every tool at every setting on every set so far."""

    n_sets: int = 0
    f1: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def add(self, found: Mapping[str, list[tuple[str, Figures]]]) -> None:
        """Note the figures of one set."""
        self.n_sets += 1
        for tool, settings in found.items():
            for setting, figures in settings:
                self.f1[tool][setting].append(figures["f1"])

    def row(self, name: str) -> dict[str, Any]:
        """Return the row of the means; only settings that were tried on every set take part."""
        row: dict[str, Any] = {"set": f"{name}: {self.n_sets} sets", "measure": MEASURE}
        for tool, settings in self.f1.items():
            means = {
                setting: statistics.fmean(values)
                for setting, values in settings.items()
                if len(values) == self.n_sets
            }
            if means:
                setting = max(means, key=means.__getitem__)
                row[tool] = cell(setting, {"f1": means[setting]}, ("f1",))
        return row


def together(tallies: Mapping[str, Tally]) -> Tally:
    """Return the tally of all parts."""
    whole = Tally(sum(tally.n_sets for tally in tallies.values()))
    for tally in tallies.values():
        for tool, settings in tally.f1.items():
            for setting, values in settings.items():
                whole.f1[tool][setting] += values
    return whole
