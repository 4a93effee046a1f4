"""Where each row came from, in runs of rows that follow one another."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from samestory.read.chunk import RowNumbers


class Places:
    """Maps the i-th row of the whole input to its file and its row there.

    Takes room for each gap in the row numbers, not for each row.
    """

    def __init__(self) -> None:
        self.n_rows = 0
        self._starts: list[int] = []
        self._parts: list[int] = []
        self._firsts: list[int] = []

    def add(self, part: int, rows: RowNumbers) -> None:
        """Append rows of one file."""
        if not len(rows):
            return
        cuts = np.flatnonzero(np.diff(rows) != 1) + 1
        for cut in [0, *cuts.tolist()]:
            if cut or not self._follows(part, int(rows[0])):
                self._starts.append(self.n_rows + cut)
                self._parts.append(part)
                self._firsts.append(int(rows[cut]))
        self.n_rows += len(rows)

    def find(self, i: int) -> tuple[int, int]:
        """File (by number) and row of the i-th row."""
        if not 0 <= i < self.n_rows:
            raise IndexError(f"row {i} of {self.n_rows}")
        k = bisect_right(self._starts, i) - 1
        return self._parts[k], self._firsts[k] + i - self._starts[k]

    def _follows(self, part: int, row: int) -> bool:
        if not self._starts:
            return False
        return self._parts[-1] == part and self._firsts[-1] + self.n_rows - self._starts[-1] == row
