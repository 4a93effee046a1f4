"""The stories, or clusters, that the timeline shows one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from samestory.report.arrays import UNDATED, Arrays, Ints
from samestory.report.figures import usual_range
from samestory.report.listing import Listing

MOST_LANES: Final = 12
_MOST_LOOKED_AT: Final = 60
_MOST_DOTS: Final = 120


@dataclass(frozen=True)
class Lane:
    """Some set of articles over time.

    Attributes
    ----------
    title : str
    size : int
        Articles.
    moments : int64 array
        Microseconds since 1970 of its articles, less far-off dates: at most 120 of them, the first and last
        among these.
    """

    title: str
    size: int
    moments: Ints


def make_lanes(arrays: Arrays, listing: Listing) -> list[Lane]:
    """Return the largest listed stories, or clusters where there are none, in order of their first dates."""
    dated = arrays.published[arrays.published != UNDATED]
    if not len(dated):
        return []
    span = usual_range(dated)
    found = _stories(arrays, listing, span) if listing.stories else _clusters(arrays, listing, span)
    lanes: list[Lane] = []
    for lane in found:
        if len(lane.moments) > 1:
            lanes.append(lane)
        if len(lanes) == MOST_LANES:
            break
    return sorted(lanes, key=lambda lane: int(lane.moments[0]))


def _stories(arrays: Arrays, listing: Listing, span: tuple[int, int]) -> Iterator[Lane]:
    for number, row in enumerate(listing.stories[:_MOST_LOOKED_AT]):
        yield Lane(row[1] or row[0], row[2], _moments(arrays, arrays.story == number, span))


def _clusters(arrays: Arrays, listing: Listing, span: tuple[int, int]) -> Iterator[Lane]:
    for row in listing.clusters[:_MOST_LOOKED_AT]:
        kept = row[-1][0]
        is_own = arrays.cluster == arrays.cluster[listing.rows[kept]]
        yield Lane(listing.articles[kept][1] or row[0], row[1], _moments(arrays, is_own, span))


def _moments(arrays: Arrays, is_own: Any, span: tuple[int, int]) -> Ints:
    """Dates in the span of all articles: one decades off must not flatten the rest."""
    moments = arrays.published[is_own]
    moments = np.sort(moments[(moments >= span[0]) & (moments <= span[1])])
    if len(moments) > _MOST_DOTS:
        moments = moments[np.linspace(0, len(moments) - 1, _MOST_DOTS).astype(np.int64)]
    return moments
