"""What the page's charts show: counts, made from arrays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory import schema
from samestory.finished import FinishedRun
from samestory.params import Banding, choose_banding
from samestory.report.arrays import RELATIONS, UNDATED, Arrays
from samestory.report.recorded import recorded

OVERLAP_BINS: Final = 40
PAIR_RELATIONS: Final = (schema.EXACT, schema.NEAR, schema.PARTIAL)
_SIZE_EDGES: Final = (2, 3, 4, 5, 6, 11, 21, 51, 101, 1001, 10_001, 100_001)
_STEPS: Final = (
    ("hour", timedelta(hours=1)),
    ("day", timedelta(days=1)),
    ("week", timedelta(weeks=1)),
    ("month", timedelta(days=30)),
    ("year", timedelta(days=365)),
)
_MOST_BINS: Final = 96
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_OUTER: Final = 0.01  # share of the dates on either side that may lie far off
_MONDAY: Final = np.datetime64("1970-01-05", "us")
_EARLIEST: Final = np.datetime64("0001-01-01", "us").astype(np.int64)
_LATEST: Final = np.datetime64("9999-01-01", "us").astype(np.int64)


@dataclass(frozen=True)
class Headline:
    """The figures of the page's first screen."""

    articles: int
    redundant: int
    clusters: int
    largest: int
    stories: int | None
    sources: int
    relations: dict[str, int]
    furniture_ratio: float | None
    furniture_articles: int
    first: datetime | None
    last: datetime | None
    undated: int

    @property
    def redundant_ratio(self) -> float:
        """Share of the articles that are redundant."""
        return self.redundant / self.articles if self.articles else 0.0


@dataclass(frozen=True)
class Overlaps:
    """How much pairs share: counts in `OVERLAP_BINS` bins of equal width from 0 to 1, by relation."""

    jaccard: dict[str, NDArray[np.int64]]
    containment: dict[str, NDArray[np.int64]]
    n_pairs: int
    threshold: float
    containment_threshold: float
    banding: Banding


@dataclass(frozen=True)
class Timeline:
    """Articles over time.

    Attributes
    ----------
    step : str
        What a bin is: hour, day, week, month or year.
    starts : datetime64[us] array of shape (bins,)
    first_told, copies : int64 arrays of shape (bins,)
        Articles that are not redundant, and those that are.
    outside : int
        Dated articles too far off to be in a bin.
    """

    step: str
    starts: NDArray[Any]
    first_told: NDArray[np.int64]
    copies: NDArray[np.int64]
    outside: int


def headline(run: FinishedRun, arrays: Arrays, stories: pa.Table | None) -> Headline:
    """Count what the page's first screen tells."""
    dated = arrays.published[arrays.published != UNDATED]
    counts = np.bincount(arrays.relation, minlength=len(RELATIONS))
    ratio = recorded(run, "furniture", "ratio")
    used = np.unique(arrays.source)
    return Headline(
        articles=len(arrays),
        redundant=int(arrays.is_redundant.sum()),
        clusters=len(arrays.sizes),
        largest=int(arrays.sizes.max(initial=0)),
        stories=None if stories is None else len(stories),
        sources=int(np.count_nonzero(used < len(arrays.source_names) - 1)),
        relations=dict(zip(RELATIONS, counts.tolist(), strict=True)),
        furniture_ratio=ratio if ratio else None,
        furniture_articles=int(recorded(run, "furniture", "articles") or 0),
        first=moment(int(dated.min())) if len(dated) else None,
        last=moment(int(dated.max())) if len(dated) else None,
        undated=len(arrays) - len(dated),
    )


def moment(microseconds: int) -> datetime:
    """Return a moment, in UTC; one out of Python's range is the nearest that is not."""
    inside = min(max(microseconds, int(_EARLIEST)), int(_LATEST))
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=inside)


def size_bins(sizes: NDArray[np.int64]) -> list[tuple[str, int]]:
    """Count sets of two or more by size: small sizes one by one, larger ones together."""
    if not len(sizes):
        return []
    edges = [*(edge for edge in _SIZE_EDGES if edge <= sizes.max()), int(sizes.max()) + 1]
    counts = np.histogram(sizes, bins=np.asarray(edges))[0].tolist()
    found = []
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        name = f"{low:,}" if high == low + 1 else f"{low:,} to {high - 1:,}"
        found.append((name, count))
    return found


def overlaps(run: FinishedRun) -> Overlaps:
    """Count the verified pairs by how much they share."""
    table = run.pairs(["relation", "jaccard", "containment_a_in_b", "containment_b_in_a"])
    relation = np.asarray(table["relation"].combine_chunks().dictionary_encode().indices)
    names = table["relation"].combine_chunks().dictionary_encode().dictionary.to_pylist()
    jaccard = np.asarray(table["jaccard"], dtype=np.float32)
    larger = np.maximum(np.asarray(table["containment_a_in_b"]), np.asarray(table["containment_b_in_a"]))
    is_of = {name: relation == names.index(name) for name in PAIR_RELATIONS if name in names}
    return Overlaps(
        jaccard={name: _binned(jaccard[chosen]) for name, chosen in is_of.items()},
        containment={name: _binned(larger[chosen]) for name, chosen in is_of.items()},
        n_pairs=int(sum(int(chosen.sum()) for chosen in is_of.values())),
        threshold=run.config.threshold,
        containment_threshold=run.config.containment,
        banding=choose_banding(run.config.threshold, run.config.recall, run.config.num_perm),
    )


def _binned(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    # A score of exactly a bin's edge, as thresholds are, belongs above it whatever float32 makes of it.
    places = np.floor(scores.astype(np.float64) * OVERLAP_BINS + 1e-4).astype(np.int64)
    return np.bincount(np.clip(places, 0, OVERLAP_BINS - 1), minlength=OVERLAP_BINS)


def timeline(arrays: Arrays) -> Timeline | None:
    """Count articles by their dates, in as few bins as a chart can show; None where no two dates differ."""
    is_dated = arrays.published != UNDATED
    moments = arrays.published[is_dated]
    if not len(moments) or moments.min() == moments.max():
        return None
    low, high = usual_range(moments)
    step, edges = _edges(low, high)
    inside = (moments >= edges[0]) & (moments < edges[-1])
    redundant = arrays.is_redundant[is_dated]
    return Timeline(
        step=step,
        starts=edges[:-1].astype("datetime64[us]"),
        first_told=np.histogram(moments[inside & ~redundant], bins=edges)[0],
        copies=np.histogram(moments[inside & redundant], bins=edges)[0],
        outside=int(len(moments) - inside.sum()),
    )


def usual_range(moments: NDArray[np.int64]) -> tuple[int, int]:
    """The time in which nearly all lie: a wrong date or two, decades off, must not flatten the rest."""
    inside = np.clip(moments, _EARLIEST, _LATEST)
    low, high = np.quantile(inside, [_OUTER, 1 - _OUTER], method="nearest").tolist()
    margin = (high - low) // 4 + 1
    near = inside[(inside >= low - margin) & (inside <= high + margin)]
    return int(near.min()), int(near.max())


def _edges(low: int, high: int) -> tuple[str, NDArray[np.int64]]:
    """Edges of bins from the calendar, the narrowest that are not too many."""
    span = timedelta(microseconds=high - low)
    fitting = [(name, step) for name, step in _STEPS if span / step <= _MOST_BINS]
    name, step = (*fitting, _STEPS[-1])[0]
    first, last = np.datetime64(low, "us"), np.datetime64(high, "us")
    if name in ("month", "year"):
        unit = "M" if name == "month" else "Y"
        edges = np.arange(first.astype(f"datetime64[{unit}]"), last.astype(f"datetime64[{unit}]") + 2)
        edges = _thinned(edges).astype("datetime64[us]")
        return name, edges.astype(np.int64)
    width = np.timedelta64(step)
    origin = _MONDAY + ((first - _MONDAY) // width) * width
    return name, np.arange(origin, last + width + np.timedelta64(1, "us"), width).astype(np.int64)


def _thinned(edges: NDArray[Any]) -> NDArray[Any]:
    """Every k-th edge of years too many to show; the last one stays behind the last date."""
    k = -(-len(edges) // _MOST_BINS)
    return edges if k == 1 else np.arange(edges[0], edges[-1] + k, k)
