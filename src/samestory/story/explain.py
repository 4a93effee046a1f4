"""The terms that hold a story together, in letters again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.story.terms import BODY_WORDS, TITLE_WORDS, find_terms
from samestory.normalise import FoldedTexts
from samestory.story.terms import Headed

Named: TypeAlias = list[tuple[int, int, int, str]]
"""Story, name of a term, place of the article among all, and the words the term stands for."""


def find_words(
    names: NDArray[np.uint32], stories: NDArray[np.int64], units: NDArray[np.int64], headed: Headed
) -> Named:
    """Find the words of wanted terms in some articles.

    Parameters
    ----------
    names : uint32 array of shape (s, k)
        Terms wanted of each story; 0 is none.
    stories : int64 array
        The story of each article.
    units : int64 array
        The place of each article among all, by date and id.
    headed : Headed
        The articles.
    """
    found: Named = []
    for i, (story, unit) in enumerate(zip(stories, units, strict=True)):
        wanted = np.unique(names[story]).astype(np.uint64)
        for texts, place, most in (
            (headed.titles, i, TITLE_WORDS),
            (headed.texts, int(headed.places[i]), BODY_WORDS),
        ):
            words = _words_in(texts, place, most, wanted)
            found += [(int(story), name, int(unit), word) for name, word in words]
    return found


def _words_in(texts: FoldedTexts, i: int, most: int, wanted: NDArray[np.uint64]) -> Iterable[tuple[int, str]]:
    begins = np.full(len(wanted), -1, dtype=np.int64)
    ends = np.full(len(wanted), -1, dtype=np.int64)
    find_terms(texts.data, int(texts.offsets[i]), int(texts.offsets[i + 1]), most, wanted, begins, ends)
    for name, begin, end in zip(wanted.tolist(), begins.tolist(), ends.tolist(), strict=True):
        if begin >= 0:
            yield name, texts.data[begin:end].tobytes().decode()


def spell(names: NDArray[np.uint32], found: Iterable[Named]) -> list[list[str]]:
    """Return the terms of each story in letters, as the first of its articles spells them."""
    words: dict[tuple[int, int], tuple[int, str]] = {}
    for part in found:
        for story, name, unit, word in part:
            known = words.get((story, name))
            if known is None or unit < known[0]:
                words[story, name] = (unit, word)
    nothing = (0, "")
    return [
        [words.get((story, name), nothing)[1] for name in row if name]
        for story, row in enumerate(names.tolist())
    ]
