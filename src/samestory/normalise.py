"""Stage 1b: the text of each article folded to words joined by one space.

Words parted by a hyphen at the end of a line are joined. Dropped are
zero-width and direction marks, Arabic vowel marks and tatweel; then NFKC and
case folding (Unicode Standard Annex #15; The Unicode Standard, section 3.13).
A word is a run of letters, digits and the marks that stand on them; in Han,
Kana, Thai, Lao, Khmer and Myanmar each letter with its marks, and letters that
are written as one, is a word. No grapheme (Unicode Standard Annex #29) is split.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory.buffers import string_array, string_buffers
from samestory.kernels.hyphens import count_line_ends, join_hyphenated
from samestory.kernels.tokenise import PADDING, find_hard, tokenise_batch
from samestory.tables import unicode_table
from samestory.tables.build import fold


@dataclass(frozen=True)
class FoldedTexts:
    """Folded texts one after another: text i is ``data[offsets[i]:offsets[i + 1]]``, as UTF-8."""

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def n_bytes(self) -> int:
        """Bytes of all texts."""
        return int(self.offsets[-1])

    def text(self, i: int) -> str:
        """Return one folded text."""
        return self.data[self.offsets[i] : self.offsets[i + 1]].tobytes().decode()


def judged_text(text: Any, title: Any) -> Any:
    """Return what copies are judged on: the text, or the title where there is no text.

    Parameters
    ----------
    text, title : pyarrow.Array
        Of type large_string and string.

    Returns
    -------
    pyarrow.Array
        Of type large_string.
    """
    if title.null_count == len(title):
        return text
    data, offsets = string_buffers(text)
    firsts = np.zeros(len(text), dtype=np.uint8)  # as if an empty text began with a control character
    begins = offsets[:-1]
    filled = offsets[1:] > begins
    firsts[filled] = data[begins[filled]]
    is_blank = np.zeros(len(text), dtype=np.bool_)
    for i in np.flatnonzero(_MAY_BEGIN_WHITE_SPACE[firsts]):
        value = data[offsets[i] : offsets[i + 1]].tobytes()
        head_is_blank = not value[:_HEAD].decode(errors="ignore").strip()
        is_blank[i] = head_is_blank and not value.decode().strip()
    if not is_blank.any():
        return text
    return pc.if_else(pa.array(is_blank), title.cast(pa.large_string()), pc.fill_null(text, ""))


_MAY_BEGIN_WHITE_SPACE = np.isin(np.arange(256), [*range(0x21), 0xC2, 0xE1, 0xE2, 0xE3])
"""By a character's first byte in UTF-8."""
_HEAD = 64
"""A text whose first bytes are all white space is looked at as a whole."""


@functools.cache
def _dropped() -> dict[int, None]:
    return {int(code_point): None for code_point in unicode_table().dropped}


class Workspace:
    """Memory that is used for one batch after another: touching new memory costs more than folding."""

    def __init__(self) -> None:
        self._bytes = np.empty(0, dtype=np.uint8)

    def at_least(self, n_bytes: int) -> NDArray[np.uint8]:
        """Return the memory, grown if need be; what it held before is gone."""
        if len(self._bytes) < n_bytes:
            self._bytes = np.empty(n_bytes + n_bytes // 4, dtype=np.uint8)
        return self._bytes


def normalise(
    texts: Any,
    *,
    unit: str,
    selected: NDArray[np.int64] | None = None,
    workspace: Workspace | None = None,
) -> FoldedTexts:
    """Fold texts.

    Parameters
    ----------
    texts : pyarrow.Array
        Of type string or large_string; a null is an empty text.
    unit : {"word", "char"}
        What shingles are made of. For characters, scripts without spaces are left together.
    selected : int64 array, optional
        Which texts to fold, in order; by default all.
    workspace : Workspace, optional
        Where to put the result, which then lasts until the workspace is used again.

    Returns
    -------
    FoldedTexts
    """
    table = unicode_table()
    texts, data, offsets = _join_hyphenated(texts)
    if selected is None:
        selected = np.arange(len(texts), dtype=np.int64)
    hard = find_hard(data, offsets, table.pages, table.entries, table.hardness)
    if hard.any():
        data, offsets = _fold_hard(texts, hard)
    n_bytes = int((offsets[selected + 1] - offsets[selected]).sum())
    folded = (workspace or Workspace()).at_least(2 * n_bytes + len(selected) + PADDING)
    folded_offsets = tokenise_batch(
        data, offsets, selected, unit == "word", table.pages, table.entries, table.expansions, folded
    )
    return FoldedTexts(folded, folded_offsets)


def _join_hyphenated(texts: Any) -> tuple[Any, NDArray[np.uint8], NDArray[np.int64]]:
    """Join the words that were parted at the ends of lines; return the texts, their bytes and offsets."""
    data, offsets = string_buffers(texts)
    if not count_line_ends(data, offsets[0], offsets[-1]):
        return texts, data, offsets
    out = np.empty(int(offsets[-1] - offsets[0]), dtype=np.uint8)
    offsets = join_hyphenated(data, offsets, out)
    return string_array(out, offsets), out, offsets


def _fold_hard(texts: Any, hard: NDArray[np.bool_]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Replace the texts that the kernel cannot fold by their folded form, which it leaves as it is."""
    values = texts.filter(pa.array(hard)).to_pylist()
    folded = pa.array([fold(value or "", _dropped()) for value in values], type=pa.large_string())
    replaced = pc.replace_with_mask(texts.cast(pa.large_string()), pa.array(hard), folded)
    return string_buffers(replaced)
