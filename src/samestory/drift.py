"""Clusters whose members have drifted from their founding article, split.

A cluster is a chain of pairs; at its far end there may be nothing left of what
it began with. With a floor set, an article stays with the founding article if
it has that much in common with it and is connected to it by way of others that
do; the rest is treated in the same way, with the earliest of them as founder.
The outcome depends on the set of articles alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]

MOST_ROUNDS: Final = 64
"""Founders that are compared with all the rest of one cluster; what is left then stays alone."""


def founding_order(docs: Ints, times: Ints, ids: Any, undated: int) -> Ints:
    """Return the places of articles in the order in which they would found a cluster.

    Parameters
    ----------
    docs : int64 array
    times : int64 array
        Of all articles.
    ids : callable
        Returns the id of a doc, as bytes.
    undated : int
        The time of those without one, which come last and in input order.
    """

    def key(place: int) -> tuple[int, bytes, int]:
        doc = int(docs[place])
        time = int(times[doc])
        return (time, b"", doc) if time == undated else (time, ids(doc), doc)

    return np.array(sorted(range(len(docs)), key=key), dtype=np.int64)


def split_by_founder(
    order: Ints,
    overlap_with: Callable[[int], NDArray[np.float64]],
    neighbours_of: Callable[[int], Ints],
    floor: float,
) -> Ints:
    """Split one cluster of distinct texts.

    Parameters
    ----------
    order : int64 array
        The texts, by number, in founding order.
    overlap_with : callable
        Returns the containment (the larger way) of each text with one of them.
    neighbours_of : callable
        Returns the texts that are near or partial copies of one.
    floor : float
        Least containment with the founder.

    Returns
    -------
    int64 array
        For each text the number of the one that founds its part.
    """
    founders = np.full(len(order), -1, dtype=np.int64)
    for n_rounds, founder in enumerate(text for text in order.tolist() if founders[text] < 0):
        if n_rounds >= MOST_ROUNDS:
            founders[founder] = founder
            continue
        stays = (overlap_with(founder) >= floor) & (founders < 0)
        stays[founder] = True
        reached = [founder]
        founders[founder] = founder
        while reached:
            for text in neighbours_of(reached.pop()).tolist():
                if stays[text] and founders[text] < 0:
                    founders[text] = founder
                    reached.append(text)
    return founders
