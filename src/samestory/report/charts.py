"""The page's charts, drawn with Matplotlib: each once for wide and once for narrow screens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from samestory.errors import MissingDependencyError
from samestory.params import Banding
from samestory.report.figures import MONTHS, OVERLAP_BINS, Overlaps, Timeline, moment
from samestory.report.lanes import Lane
from samestory.report.svg import ACCENT, CONTRAST, FAINT, GRID, INK, MUTED, SOFT, STRONG, page_svg

HALF: Final = 532
FULL: Final = 1104
NARROW: Final = 348
_LETTERS: Final = 11.5
_SHADES: Final = {"exact": STRONG, "near": ACCENT, "partial": SOFT, "linked": FAINT}
_LANE_HEIGHT: Final = 36
_LANE_LETTERS: Final = {FULL: 110, NARROW: 44}
_EDGE: Final = 0.06
_HOUR: Final = 3_600_000_000


@dataclass(frozen=True)
class Chart:
    """One chart, as SVG elements for wide and for narrow screens."""

    wide: str
    narrow: str


def check_matplotlib() -> None:
    """Raise `MissingDependencyError` unless charts can be drawn."""
    _figure_class()


def _figure_class() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "a report needs Matplotlib, which is not installed", hint="pip install 'samestory[report]'"
        ) from error
    return Figure


@dataclass
class _Canvas:
    """A figure of some width and height in pixels, what its parts are called, and its axes."""

    width: int
    height: int

    def __post_init__(self) -> None:
        self.figure = _figure_class()(figsize=(self.width / 72, self.height / 72), dpi=72)
        self.figure.patch.set_visible(False)
        self.tips: dict[str, str] = {}
        self.texts: dict[str, str] = {}

    def axes(self, left: float, right: float, top: float, bottom: float) -> Any:
        """Return axes with margins in pixels."""
        box = (
            left / self.width,
            bottom / self.height,
            1 - (left + right) / self.width,
            1 - (top + bottom) / self.height,
        )
        axes = self.figure.add_axes(box)
        axes.set_facecolor("none")
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(GRID)
        axes.tick_params(length=0, labelsize=_LETTERS, labelcolor=MUTED, pad=6)
        axes.set_axisbelow(True)
        return axes

    def tip(self, artist: Any, words: str) -> None:
        """Show words when the pointer rests on a part of the chart."""
        name = f"tip{len(self.tips)}"
        artist.set_gid(name)
        self.tips[name] = words

    def write(self, text: str) -> str:
        """Return a stand-in for words of an article."""
        name = f"text{len(self.texts)}"
        self.texts[name] = text
        return name

    def svg(self, name: str) -> str:
        return page_svg(self.figure, name, self.tips, self.texts)


def _chart(name: str, wide: int, draw: Callable[[int], _Canvas]) -> Chart:
    return Chart(draw(wide).svg(f"{name}-w"), draw(NARROW).svg(f"{name}-n"))


def relations_chart(relations: dict[str, int]) -> Chart:
    """Draw the redundant articles by relation."""
    kinds = [kind for kind in _SHADES if relations.get(kind)]
    return _chart("relations", HALF, lambda width: _bars(width, kinds, relations))


def _bars(width: int, kinds: Sequence[str], relations: dict[str, int]) -> _Canvas:
    canvas = _Canvas(width, 230)
    axes = canvas.axes(56, 64, 8, 22)
    most = max(relations[kind] for kind in kinds)
    for k, kind in enumerate(kinds):
        count = relations[kind]
        (bar,) = axes.barh(k, count, height=0.56, color=_SHADES[kind], linewidth=0)
        canvas.tip(bar, f"{kind}: {count:,}")
        axes.annotate(
            f"{count:,}", (count, k), (6, 0), textcoords="offset points", va="center", color=INK,
            fontsize=_LETTERS + 1, weight="bold",
        )  # fmt: skip
    axes.set(ylim=(max(len(kinds), 3) - 0.4, -0.6), xlim=(0, most), xticks=[])
    axes.set_yticks(range(len(kinds)), kinds)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.spines["bottom"].set_visible(False)
    return canvas


def sizes_chart(name: str, bins: Sequence[tuple[str, int]]) -> Chart:
    """Draw how many clusters, or stories, there are of each size."""
    return _chart(name, HALF, lambda width: _columns(width, bins))


def _columns(width: int, bins: Sequence[tuple[str, int]]) -> _Canvas:
    canvas = _Canvas(width, 230)
    axes = canvas.axes(12, 12, 26, 44)
    counts = [count for _, count in bins]
    for k, (size, count) in enumerate(bins):
        (bar,) = axes.bar(k, count, width=0.66, color=ACCENT, linewidth=0)
        canvas.tip(bar, f"{size} articles: {count:,}")
        if count:
            axes.annotate(
                f"{count:,}", (k, count), (0, 5), textcoords="offset points", ha="center", color=INK,
                fontsize=_LETTERS,
            )  # fmt: skip
    names = [size.replace(" to ", "\N{EN DASH}") for size, _ in bins]
    crowded = width / max(1, len(bins)) < 54
    axes.set_xticks(range(len(bins)), names)
    if crowded:
        axes.tick_params(axis="x", labelsize=_LETTERS - 2.5)
    axes.set(xlim=(-0.6, max(len(bins), 4) - 0.4), ylim=(0, max(counts)), yticks=[])
    axes.set_xlabel("articles", color=MUTED, fontsize=_LETTERS)
    return canvas


def jaccard_chart(overlaps: Overlaps) -> Chart:
    """Draw pairs by their Jaccard similarity, the threshold, and the chance that a pair is found."""
    return _chart("jaccard", HALF, lambda width: _histogram(width, overlaps.jaccard, overlaps, curve=True))


def containment_chart(overlaps: Overlaps) -> Chart:
    """Draw pairs by how much of the shorter one the longer one has, and the containment threshold."""
    return _chart(
        "containment", HALF, lambda width: _histogram(width, overlaps.containment, overlaps, curve=False)
    )


def _histogram(
    width: int, counts: dict[str, NDArray[np.int64]], overlaps: Overlaps, *, curve: bool
) -> _Canvas:
    canvas = _Canvas(width, 250)
    axes = canvas.axes(44, 46 if curve else 12, 26, 44)
    base = np.zeros(OVERLAP_BINS, dtype=np.int64)
    for kind in ("partial", "near", "exact"):
        if kind in counts:
            _draw_scores(canvas, axes, kind, counts[kind], base)
            base = base + counts[kind]
    most = max(1, int(base.max()))
    threshold = overlaps.threshold if curve else overlaps.containment_threshold
    axes.axvline(threshold, color=INK, linewidth=1.2, linestyle=(0, (3, 3)))
    axes.annotate(
        f"threshold {threshold:g}", (threshold, most * 1.06), (0, 8), textcoords="offset points",
        ha="center" if threshold < 0.8 else "right", color=INK, fontsize=_LETTERS, annotation_clip=False,
    )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, most * 1.06))
    _ticks(axes, most)
    axes.set_xticks(np.linspace(0, 1, 6), ["0", "0.2", "0.4", "0.6", "0.8", "1"])
    label = "Jaccard similarity" if curve else "share of the shorter article that the other has"
    axes.set_xlabel(label, color=MUTED, fontsize=_LETTERS)
    if curve:
        _draw_curve(axes, overlaps.banding)
    return canvas


def _draw_scores(
    canvas: _Canvas, axes: Any, kind: str, counts: NDArray[np.int64], base: NDArray[np.int64]
) -> None:
    """Stack the bars of one relation upon others."""
    filled = np.flatnonzero(counts)
    lows = filled / OVERLAP_BINS
    bars = axes.bar(
        lows, counts[filled], width=0.9 / OVERLAP_BINS, bottom=base[filled], align="edge",
        color=_SHADES[kind], linewidth=0,
    )  # fmt: skip
    for bar, low, count in zip(bars, lows.tolist(), counts[filled].tolist(), strict=True):
        canvas.tip(bar, f"{low:.3f} to {low + 1 / OVERLAP_BINS:.3f}, {kind}: {count:,}")


def _ticks(axes: Any, most: int) -> None:
    """Mark whole counts only, with a line across."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _count(value)))
    axes.grid(axis="y", color=GRID, linewidth=0.8)


def _count(value: float) -> str:
    """Format a count in few letters."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size and value % (size / 10) == 0:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _draw_curve(axes: Any, banding: Banding) -> None:
    """Draw the chance that a pair becomes a candidate over its similarity: the S-curve of banding."""
    chance = axes.twinx()
    chance.set_facecolor("none")
    for spine in chance.spines.values():
        spine.set_visible(False)
    scores = np.linspace(0, 1, 81)
    chance.plot(scores, [banding.chance(score) for score in scores], color=CONTRAST, linewidth=2)
    chance.set(ylim=(0, 1.06))
    chance.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    chance.tick_params(length=0, labelsize=_LETTERS, labelcolor=CONTRAST, pad=6)


def timeline_chart(told: Timeline) -> Chart:
    """Draw articles over time, copies apart."""
    return _chart("timeline", FULL, lambda width: _timeline(width, told))


def _timeline(width: int, told: Timeline) -> _Canvas:
    canvas = _Canvas(width, 220)
    axes = canvas.axes(44, 8, 12, 30)
    places = np.arange(len(told.starts))
    total = told.first_told + told.copies
    nothing = np.zeros_like(total)
    for counts, base, colour in ((told.first_told, nothing, FAINT), (told.copies, told.first_told, ACCENT)):
        filled = np.flatnonzero(counts)
        bars = axes.bar(filled, counts[filled], width=0.8, bottom=base[filled], color=colour, linewidth=0)
        for bar, k in zip(bars, filled.tolist(), strict=True):
            date = _date(told.starts[k], told.step)
            canvas.tip(bar, f"{date}: {total[k]:,} articles, {told.copies[k]:,} of them copies")
    axes.set(xlim=(-0.7, len(places) - 0.3), ylim=(0, max(1, int(total.max())) * 1.04))
    _ticks(axes, int(total.max()))
    step = max(1, -(-len(places) // (4 if width == NARROW else 9)))
    marked = places[::step]
    axes.set_xticks(marked, [_date(told.starts[k], told.step) for k in marked])
    return canvas


def _date(start: Any, step: str) -> str:
    day = moment(int(start.astype(np.int64)))
    if step == "year":
        return f"{day.year}"
    if step == "month":
        return f"{MONTHS[day.month - 1]} {day.year}"
    hour = f", {day.hour:02}:00" if step == "hour" else ""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year if not hour else ''}".strip() + hour


def lanes_chart(lanes: Sequence[Lane]) -> Chart:
    """Draw the articles of some stories, or clusters, over time: one line each."""
    return _chart("lanes", FULL, lambda width: _lanes(width, lanes))


def _lanes(width: int, lanes: Sequence[Lane]) -> _Canvas:
    from rich.cells import set_cell_size

    canvas = _Canvas(width, _LANE_HEIGHT * len(lanes) + 34)
    axes = canvas.axes(8, 8, 4, 28)
    low = min(int(lane.moments.min()) for lane in lanes)
    high = max(int(lane.moments.max()) for lane in lanes)
    margin = max((high - low) * 0.012, _HOUR)
    for k, lane in enumerate(lanes):
        title = lane.title
        if len(title) > _LANE_LETTERS[width]:
            title = set_cell_size(title, _LANE_LETTERS[width] - 1).rstrip() + "…"
        words = canvas.write(f"{title} · {lane.size:,}")
        axes.annotate(
            words, (0, k), (0, 9), xycoords=("axes fraction", "data"), textcoords="offset points",
            color=INK, fontsize=_LETTERS, parse_math=False,
        )  # fmt: skip
        axes.plot([low - margin, high + margin], [k, k], color=GRID, linewidth=0.8)
        axes.plot([lane.moments.min(), lane.moments.max()], [k, k], color=ACCENT, linewidth=2.2)
        axes.scatter(lane.moments, np.full(len(lane.moments), k), s=36, color=ACCENT, linewidths=0)
    axes.set(xlim=(low - margin, high + margin), ylim=(len(lanes) - 0.55, -0.85), yticks=[])
    _date_ticks(axes, low, high, 2 if width == NARROW else 8)
    return canvas


def _date_ticks(axes: Any, low: int, high: int, most: int) -> None:
    step = "hour" if high - low < 72 * _HOUR else "day"
    unit = np.timedelta64(1, "h" if step == "hour" else "D")
    first, last = np.datetime64(low, "us"), np.datetime64(high, "us")
    n_units = int((last - first) / unit) + 1
    width = unit * max(1, -(-n_units // most))
    start = first.astype("datetime64[h]" if step == "hour" else "datetime64[D]")
    ticks = np.arange(start, last + unit, width).astype("datetime64[us]")
    inside = ticks[(ticks >= first - unit) & (ticks <= last + unit)]
    axes.set_xticks(inside.astype(np.int64), [_date(tick, step) for tick in inside])
    left, right = axes.get_xlim()
    for tick, label in zip(inside.astype(np.int64).tolist(), axes.get_xticklabels(), strict=True):
        place = (tick - left) / (right - left)
        label.set_horizontalalignment("left" if place < _EDGE else "right" if place > 1 - _EDGE else "center")
