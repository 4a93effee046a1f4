"""What is listed in the page: all of a small run, the largest and the weakest clusters of a large one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from samestory.report.arrays import UNDATED, Arrays, Ints

MOST_CLUSTERS: Final = 2000
MOST_WEAK: Final = 400
"""Of the clusters listed, those that are not among the largest but have the weakest members."""
MOST_STORIES: Final = 1000
MOST_MEMBERS: Final = 50
LEAST_MEMBERS: Final = 4
MOST_ARTICLES: Final = 8000
_ALWAYS_FULL: Final = 20
_LAST: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Chosen:
    """Some of the clusters, or of the stories.

    Attributes
    ----------
    numbers : int64 array of shape (k,)
        Which they are, the largest first, then those with the weakest members.
    members : list of k int64 arrays
        Rows of articles of each: a cluster's representative first, then by date, undated ones last.
    n_largest : int
        How many of them are there for their size.
    n_all : int
        How many there are in the run.
    """

    numbers: Ints
    members: list[Ints]
    n_largest: int
    n_all: int

    def __len__(self) -> int:
        return len(self.numbers)


def choose_clusters(arrays: Arrays) -> Chosen:
    """Choose the largest clusters, and those whose weakest member is the weakest."""
    n_all = len(arrays.sizes)
    by_size = np.argsort(-arrays.sizes, kind="stable")
    n_largest = n_all if n_all <= MOST_CLUSTERS else MOST_CLUSTERS - MOST_WEAK
    others = np.sort(by_size[n_largest:])
    weak = others[np.argsort(weakest(arrays)[others], kind="stable")][: MOST_CLUSTERS - n_largest]
    numbers = np.concatenate([by_size[:n_largest], weak])
    is_member = np.zeros(len(arrays), dtype=np.bool_)
    is_member[arrays.representatives] = True
    return Chosen(numbers, _members(arrays, arrays.cluster, ~is_member, numbers), n_largest, n_all)


def choose_stories(arrays: Arrays, stories: pa.Table | None) -> Chosen:
    """Choose the largest stories; none where the run looked for copies only."""
    n_all = 0 if stories is None else len(stories)
    numbers = np.arange(min(n_all, MOST_STORIES), dtype=np.int64)
    if arrays.story is None:
        return Chosen(numbers, [], len(numbers), n_all)
    founding = np.ones(len(arrays), dtype=np.bool_)
    return Chosen(numbers, _members(arrays, arrays.story, founding, numbers), len(numbers), n_all)


def weakest(arrays: Arrays) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return, for each cluster, the least Jaccard similarity of a member with the representative."""
    found = np.ones(len(arrays.sizes), dtype=np.float32)
    rows = np.flatnonzero(arrays.cluster >= 0)
    np.minimum.at(found, arrays.cluster[rows], arrays.jaccard[rows])
    return found


def _members(arrays: Arrays, group: Ints, is_later: np.ndarray, numbers: Ints) -> list[Ints]:
    """Rows of some groups: those that are not later than others first, then by date and place."""
    if not len(numbers):
        return []
    rank = np.full(int(group.max()) + 1, -1, dtype=np.int64)
    rank[numbers] = np.arange(len(numbers))
    rows = np.flatnonzero(group >= 0)
    rows = rows[rank[group[rows]] >= 0]
    dates = np.where(arrays.published[rows] == UNDATED, _LAST, arrays.published[rows])
    order = np.lexsort((rows, dates, is_later[rows], rank[group[rows]]))
    rows = rows[order]
    counts = np.bincount(rank[group[rows]], minlength=len(numbers))
    ends = np.cumsum(counts)
    kept = np.minimum(counts, _caps(counts))
    return [rows[end - n : end - n + k] for end, n, k in zip(ends, counts, kept, strict=True)]


def _caps(counts: Ints) -> Ints:
    """How many members of each group to list, so that the whole stays bounded: the first have most."""
    most = MOST_MEMBERS
    while most > LEAST_MEMBERS and np.minimum(counts, most).sum() > MOST_ARTICLES:
        most -= 1
    caps = np.full(len(counts), most, dtype=np.int64)
    caps[:_ALWAYS_FULL] = MOST_MEMBERS
    return caps
