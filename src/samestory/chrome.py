"""Stage 1a: lines that crawlers leave at the head and the foot of an article.

Menus, buttons, share and donate lines, copyright notices, addresses, names of
icons: known by their words (see `samestory.chrome_phrases`), since a single
page shows nothing that repeats. Only whole lines go, and none beyond the first
and the last that belong to the story.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.buffers import string_array, string_buffers
from samestory.chrome_phrases import HINTS, STRONG, WHOLE, phrases
from samestory.kernels import lines as kernel
from samestory.kernels.furniture import make_table
from samestory.normalise import normalise
from samestory.tables import unicode_table

_LISTS: Final = ((WHOLE, kernel.IS_WHOLE), (STRONG, kernel.IS_STRONG), (HINTS, kernel.IS_HINT))


@dataclass(frozen=True)
class _Phrases:
    """Table of the phrases' keys, what each means, and table of their first words."""

    table: NDArray[np.uint64]
    kinds: NDArray[np.int8]
    first_words: NDArray[np.uint64]


@functools.cache
def _phrases() -> _Phrases:
    kinds: dict[int, int] = {}
    starts = []
    for text, kind in _LISTS:
        folded = normalise(pa.array(phrases(text), pa.large_string()), unit="word")
        keys, firsts = kernel.phrase_keys(folded.data, folded.offsets)
        for key in keys.tolist():
            kinds[key] = kinds.get(key, 0) | kind
        starts.append(firsts)
    table, places = make_table(np.array(list(kinds), dtype=np.uint64))
    by_place = np.zeros(len(table), dtype=np.int8)
    by_place[places] = list(kinds.values())
    return _Phrases(table, by_place, make_table(np.unique(np.concatenate(starts)))[0])


@dataclass(frozen=True)
class Chrome:
    """Chrome in the articles of a batch.

    Attributes
    ----------
    cuts : int64 array of shape (c, 2)
        First byte and the byte after each line, among those of all texts, in order.
    cut_offsets : int64 array of shape (n + 1,)
        Where the cuts of each text begin.
    n_removed : int32 array of shape (n,)
        Words (or characters) in them.
    """

    cuts: NDArray[np.int64]
    cut_offsets: NDArray[np.int64]
    n_removed: NDArray[np.int32]


def find_chrome(texts: Any, *, by_character: bool) -> Chrome:
    """Find the chrome in articles.

    Parameters
    ----------
    texts : pyarrow.Array
        Of type large_string.
    by_character : bool
        Whether to count characters, not words.
    """
    table, known = unicode_table(), _phrases()
    return Chrome(
        *kernel.find_chrome(
            *string_buffers(texts),
            by_character,
            table.pages,
            table.entries,
            table.expansions,
            known.table,
            known.kinds,
            known.first_words,
        )
    )


def take_out_chrome(texts: Any, *, by_character: bool) -> tuple[Any, NDArray[np.int32]]:
    """Take the chrome out of articles: see `find_chrome`.

    Returns
    -------
    texts : pyarrow.Array
        The same without it.
    n_removed : int32 array
        Words (or characters) taken out of each.
    """
    found = find_chrome(texts, by_character=by_character)
    if not len(found.cuts):
        return texts, found.n_removed
    data, offsets = string_buffers(texts)
    out = np.empty(int(offsets[-1] - offsets[0]), dtype=np.uint8)
    return string_array(
        out, kernel.cut_lines(data, offsets, found.cuts, found.cut_offsets, out)
    ), found.n_removed
