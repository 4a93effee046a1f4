"""Tables that are made piece by piece, for those that do not fit in memory as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

PIECE_ROWS: Final = 1 << 16
MOST_BYTES: Final = 1 << 30
"""No column of text in one piece has more bytes: Arrow's offsets end at twice as many."""


@dataclass(frozen=True)
class Pieces:
    """A table that is made anew, in pieces, each time it is gone through.

    Attributes
    ----------
    schema : pyarrow.Schema
    n_rows : int
    make : callable
        Of the first row and the one after the last: that piece of the table.
    piece_rows : int
        Rows of a piece.
    """

    schema: pa.Schema
    n_rows: int
    make: Callable[[int, int], pa.Table]
    piece_rows: int = field(default_factory=lambda: PIECE_ROWS)

    @classmethod
    def of(cls, table: pa.Table) -> Pieces:
        """Return a table that is there already."""
        return cls(table.schema, len(table), lambda begin, end: table.slice(begin, end - begin))

    def __len__(self) -> int:
        return self.n_rows

    def __iter__(self) -> Iterator[pa.Table]:
        for begin in range(0, self.n_rows, self.piece_rows):
            yield self.make(begin, min(begin + self.piece_rows, self.n_rows))

    def table(self) -> pa.Table:
        """Return all of it."""
        return pa.concat_tables([self.schema.empty_table(), *self])

    def groups(self, n_rows: int) -> Iterator[pa.Table]:
        """Yield it in groups of so many rows, whatever the pieces; each column is one array.

        A group whose texts are too long for that is halved.
        """
        waiting = self.schema.empty_table()
        for piece in self:
            waiting = pa.concat_tables([waiting, piece])
            while len(waiting) >= n_rows:
                yield from _as_arrays(waiting.slice(0, n_rows))
                waiting = waiting.slice(n_rows)
        if len(waiting):
            yield from _as_arrays(waiting)


def _as_arrays(table: pa.Table) -> Iterator[pa.Table]:
    n = len(table)
    if n > 1 and max(map(_text_bytes, table.columns), default=0) > MOST_BYTES:
        yield from _as_arrays(table.slice(0, n // 2))
        yield from _as_arrays(table.slice(n // 2))
    else:
        yield table.combine_chunks()


def _text_bytes(column: pa.ChunkedArray) -> int:
    if not pa.types.is_string(column.type):
        return 0
    return int(pc.sum(pc.binary_length(column)).as_py() or 0)
