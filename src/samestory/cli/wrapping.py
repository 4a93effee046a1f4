"""Lines of a text in which words need no spaces between them."""

from __future__ import annotations

from typing import Final

import numpy as np
from rich.cells import get_character_cell_size
from rich.text import Text

from samestory.kernels.tokenise import UNSPACED
from samestory.tables import unicode_table

_KIND: Final = 255


def wrapped(text: Text, columns: int) -> Text:
    """Return a text with line ends where Rich would leave lines half empty: before a long run of Han or Thai.

    Parameters
    ----------
    text : rich.text.Text
    columns : int
        Cells in a line.
    """
    plain = text.plain
    may_break = _before_unspaced(plain)
    if not may_break.any():
        return text
    breaks: list[int] = []
    begin, last, width = 0, 0, 0
    widths = [get_character_cell_size(character) for character in plain]
    for i, character in enumerate(plain):
        if character == "\n":
            begin, last, width = i + 1, i + 1, 0
            continue
        if may_break[i] or (i and plain[i - 1] == " "):
            last = i
        width += widths[i]
        if width > columns and character != " " and last > begin:
            breaks.append(last)
            begin, width = last, sum(widths[last : i + 1])
    lines = text.divide(breaks)
    for line in lines[:-1]:
        line.rstrip()
    return Text("\n", overflow=text.overflow).join(lines)


def _before_unspaced(plain: str) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return where a line may break for a letter of a script without spaces."""
    table = unicode_table()
    points = np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
    kinds = table.entries[(table.pages[points >> 7].astype(np.int64) << 7) | (points & 127)] & _KIND
    return np.asarray(kinds == UNSPACED)
