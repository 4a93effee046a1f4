"""The terms that hold a story together, in letters again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samestory.kernels.story.terms import BODY_WORDS, TITLE_WORDS, find_terms
from samestory.normalise import FoldedTexts


def name_terms(
    names: NDArray[np.uint32], texts_of_stories: Callable[[], Iterator[tuple[NDArray[np.int64], Any]]]
) -> list[list[str]]:
    """Find the words of terms that are known by their names alone.

    Parameters
    ----------
    names : uint32 array of shape (stories, k)
        Terms of each story; 0 is none.
    texts_of_stories : callable
        Yields the number of the story, and title and text, of members, batch by batch.

    Returns
    -------
    list of list of str
        For each story its terms, folded; "" where a term was not found.
    """
    wanted = np.sort(names, axis=1).astype(np.uint64)
    found: list[dict[int, str]] = [{} for _ in names]
    if not len(names):
        return []
    for story_of, headed in texts_of_stories():
        for i, story in enumerate(story_of):
            missing = np.array([name for name in wanted[story] if name and int(name) not in found[story]], np.uint64)
            if len(missing):
                _look_in(headed.titles, i, TITLE_WORDS, missing, found[story])
            missing = np.array([name for name in missing if int(name) not in found[story]], np.uint64)
            if len(missing):
                _look_in(headed.texts, int(headed.places[i]), BODY_WORDS, missing, found[story])
    return [[found[s].get(int(name), "") for name in row if name] for s, row in enumerate(names)]


def _look_in(
    texts: FoldedTexts, i: int, most: int, wanted: NDArray[np.uint64], found: dict[int, str]
) -> None:
    begins = np.full(len(wanted), -1, dtype=np.int64)
    ends = np.full(len(wanted), -1, dtype=np.int64)
    find_terms(texts.data, int(texts.offsets[i]), int(texts.offsets[i + 1]), most, wanted, begins, ends)
    for name, begin, end in zip(wanted, begins, ends, strict=True):
        if begin >= 0:
            found[int(name)] = texts.data[begin:end].tobytes().decode()
