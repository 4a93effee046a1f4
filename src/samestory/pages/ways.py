"""How pages can be taken apart."""

from __future__ import annotations

from typing import Final

MAIN_TEXT: Final = "main text"
ALL_TEXT: Final = "all text"
BARE: Final = "bare text"
WAYS: Final = (MAIN_TEXT, ALL_TEXT, BARE)
"""From the best to the quickest: the second takes time in proportion to a page for all but odd tags, the
third for all."""
