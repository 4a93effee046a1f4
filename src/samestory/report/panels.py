"""The page's charts with their titles, what they say, and their figures as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from samestory import schema
from samestory.report import charts
from samestory.report.arrays import Arrays
from samestory.report.copying import Copying
from samestory.report.figures import OVERLAP_BINS, Headline, Overlaps, Timeline, moment, size_bins
from samestory.report.lanes import Lane
from samestory.report.words import count, day, part

_COPIES: Final = (schema.EXACT, schema.NEAR, schema.PARTIAL, schema.LINKED)
_KEYS: Final = {"exact": ("strong", "exact"), "near": ("accent", "near"), "partial": ("soft", "partial")}
_NOUNS: Final = {
    "exact": "the same text",
    "near": "near copies",
    "partial": "partial copies",
    "linked": "joined through others",
}
_MOST_ROWS: Final = 120


def _panel(
    title: str,
    says: str,
    chart: charts.Chart,
    heads: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    keys: Sequence[tuple[str, str]] = (),
    width: str = "half",
) -> dict[str, Any]:
    shown = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    return {
        "title": title,
        "says": says,
        "chart": chart,
        "heads": heads,
        "rows": shown[:_MOST_ROWS],
        "legend": keys,
        "width": width,
    }


def overlap_panels(
    head: Headline, arrays: Arrays, stories: pa.Table | None, found: Overlaps
) -> list[dict[str, Any]]:
    """Return the charts of relations, sizes and scores; none where nothing overlaps."""
    if not head.clusters and not head.stories:
        return []
    panels = []
    if head.redundant:
        panels += [_relations(head), _sizes("Cluster sizes", "clusters", size_bins(arrays.sizes))]
    if stories is not None and len(stories):
        sizes = np.asarray(stories["story_size"], dtype=np.int64)
        panels.append(_sizes("Story sizes", "stories", size_bins(sizes)))
    for panel in panels:
        panel["width"] = "third" if len(panels) == 3 else "half"
    return [*panels, *([_jaccard(found), _containment(found)] if found.n_pairs else [])]


def _relations(head: Headline) -> dict[str, Any]:
    rows = [(kind, head.relations[kind]) for kind in _COPIES]
    most = max(rows, key=lambda row: row[1])
    redundant = count(head.redundant, "redundant article")
    says = f"Of {redundant} {part(most[1], head.redundant)} are {_NOUNS[most[0]]}."
    return _panel("Copies by kind", says, charts.relations_chart(head.relations), ["Kind", "Articles"], rows)


def _sizes(title: str, noun: str, bins: list[tuple[str, int]]) -> dict[str, Any]:
    n = sum(number for _, number in bins)
    says = f"{part(bins[0][1], n)} of {n:,} are of two articles; the largest has {bins[-1][0].split()[-1]}."
    name = "sizes" if noun == "clusters" else "stories"
    return _panel(title, says, charts.sizes_chart(name, bins), ["Articles", noun.capitalize()], bins)


def _keys(counts: dict[str, Any]) -> list[tuple[str, str]]:
    return [_KEYS[kind] for kind in _COPIES if kind in counts and counts[kind].any()]


def _score_rows(counts: dict[str, Any]) -> list[list[object]]:
    total = sum(counts.values(), start=np.zeros(OVERLAP_BINS, dtype=np.int64))
    return [
        [
            f"{k / OVERLAP_BINS:.3f} to {(k + 1) / OVERLAP_BINS:.3f}",
            *(int(counts[kind][k]) for kind in counts),
        ]
        for k in np.flatnonzero(total).tolist()
    ]


def _jaccard(found: Overlaps) -> dict[str, Any]:
    keys = _keys(found.jaccard)
    says = f"{count(found.n_pairs, 'verified pair')} by Jaccard similarity. "
    says += f"Near copies are those at {found.threshold:g} or more."
    at = found.banding.chance(found.threshold)
    says += f" A pair at the threshold is found with a chance of {at * 100:.1f} %."
    keys.append(("line", "chance to be found"))
    return _panel(
        "Overlap against the threshold", says, charts.jaccard_chart(found),
        ["Similarity", *found.jaccard], _score_rows(found.jaccard), keys=keys,
    )  # fmt: skip


def _containment(found: Overlaps) -> dict[str, Any]:
    says = (
        f"The same pairs by how much of the one is in the other. From {found.containment_threshold:g} on, "
        "and with enough text in common, they are partial copies."
    )
    return _panel(
        "Containment", says, charts.containment_chart(found),
        ["Containment", *found.containment], _score_rows(found.containment), keys=_keys(found.containment),
    )  # fmt: skip


def time_panels(told: Timeline | None, lanes: Sequence[Lane], *, of_stories: bool) -> list[dict[str, Any]]:
    """Return the charts over time; none where no dates differ."""
    panels = [] if told is None else [_timeline(told)]
    return [*panels, _lanes(lanes, of_stories=of_stories)] if lanes else panels


def _timeline(told: Timeline) -> dict[str, Any]:
    outside = f" {count(told.outside, 'article')} of far-off dates are left out." if told.outside else ""
    starts = [moment(int(start)) for start in told.starts.astype(np.int64)]
    names = [day(start) + (f", {start:%H}:00" if told.step == "hour" else "") for start in starts]
    rows = list(zip(names, told.first_told.tolist(), told.copies.tolist(), strict=True))
    return _panel(
        "Articles over time",
        f"Articles by {told.step}, copies apart.{outside}",
        charts.timeline_chart(told),
        [told.step.capitalize(), "Not redundant", "Copies"],
        rows,
        keys=[("accent", "copies"), ("faint", "not redundant")],
        width="full",
    )


def _lanes(lanes: Sequence[Lane], *, of_stories: bool) -> dict[str, Any]:
    one, many = ("story", "stories") if of_stories else ("cluster", "clusters")
    return _panel(
        f"The largest {many}",
        f"Each dot is an article; the number after the title is that of the {one}'s articles.",
        charts.lanes_chart(lanes),
        [one.capitalize(), "Articles", "First and last date"],
        [(lane.title, lane.size, _times(lane)) for lane in lanes],
        width="full",
    )


def _times(lane: Lane) -> str:
    first, last = (moment(int(lane.moments[k])) for k in (0, -1))
    return day(first) if day(first) == day(last) else f"{day(first)} to {day(last)}"


def matrix(copying: Copying) -> list[dict[str, Any]]:
    """Return the rows of who copies whom."""
    origins = [
        *copying.origins,
        *([f"{copying.n_other_origins:,} others"] if copying.n_other_origins else []),
    ]
    rows = []
    for k, (name, counts) in enumerate(zip(origins, copying.counts.tolist(), strict=True)):
        is_named = k < len(copying.origins)
        cells = []
        for m, number in enumerate(counts):
            copier = copying.copiers[m] if is_named and m < len(copying.copiers) else None
            cells.append(
                {
                    "count": number,
                    "shade": copying.shade(number) if is_named and m < len(copying.copiers) else "other",
                    "copier": copier,
                    "same": copier == name,
                }
            )
        rows.append({"name": name, "cells": cells})
    return rows
