"""What of a long measurement is finished, so that it can go on where it was interrupted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Cell = dict[str, Any]
"""What was measured: plain values."""


class Journal:
    """Measurements, one JSON object a line; those that failed are done again, those out of time are not.

    Parameters
    ----------
    path : Path
        Named after what must not change between the parts of one measurement, as the revision.
    fresh : bool
        Forget what is there.
    """

    def __init__(self, path: Path, fresh: bool) -> None:
        self.path = path
        if fresh:
            path.unlink(missing_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        entries = [json.loads(line) for line in lines]
        self._entries = [entry for entry in entries if not entry.get("problem") or entry.get("timed_out")]

    def has(self, cell: Cell, turn: int) -> bool:
        """Return whether a cell was measured in a round, or ran out of time in any."""
        return any(entry["round"] == turn or entry.get("timed_out") for entry in self.of(cell))

    def add(self, cell: Cell, turn: int, figures: dict[str, Any]) -> None:
        """Note a measurement."""
        entry = {"cell": cell, "round": turn, **figures}
        self._entries.append(entry)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def of(self, cell: Cell) -> list[dict[str, Any]]:
        """Return the measurements of a cell."""
        return [entry for entry in self._entries if entry["cell"] == cell]
