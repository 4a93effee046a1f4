"""Which characters the running Python and the shipped Unicode table can be expected to agree on.

The table is of one version of Unicode and `unicodedata` of another, older or newer with the
Python; a character that only one of the two knows is of no use in comparing them.
"""

from __future__ import annotations

import functools
import sys
import unicodedata
from typing import Final

from hypothesis import strategies as st

from samestory.tables import unicode_table
from samestory.tables.build import SEPARATOR, classify
from strategies import wild_text

RUNNING: Final = tuple(int(part) for part in unicodedata.unidata_version.split("."))
SHIPPED: Final = unicode_table().unicode_version


def entry_of(code_point: int) -> int:
    """The entry of the shipped table: a class in the low 8 bits, the rest above them."""
    table = unicode_table()
    page = int(table.pages[code_point >> 7])
    return int(table.entries[page << 7 | code_point & 127])


@functools.cache
def known_to_one() -> frozenset[str]:
    """Characters that only one of the two versions assigns; empty where the versions are equal."""
    found = []
    for code_point in range(sys.maxunicode + 1):
        if RUNNING == SHIPPED or 0xD800 <= code_point <= 0xDFFF:
            continue
        char = chr(code_point)
        assigned = unicodedata.category(char) != "Cn"
        only_shipped = not assigned and entry_of(code_point) != 0
        only_running = (
            RUNNING > SHIPPED and assigned and entry_of(code_point) == 0 and classify(code_point) != SEPARATOR
        )
        if only_shipped or only_running:
            found.append(char)
    return frozenset(found)


def shared_text(max_pieces: int = 24) -> st.SearchStrategy[str]:
    """Wild text of characters on which both versions have a word to say, or neither."""
    return wild_text(max_pieces).map(lambda text: "".join(c for c in text if c not in known_to_one()))
