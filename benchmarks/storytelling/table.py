"""The tables: methods by sets, right and wrong, and what they took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from judging.answers import Figures, shown_figure
from report import Columns, number

Row = dict[str, Any]
Cells = dict[str, Figures]

WIDTH = 220  # characters on the terminal
SETS: Columns = (
    ("set", "tool", str),
    ("articles", "articles", number()),
    ("judged", "judged", number()),
    ("stories", "stories", number()),
    ("pairs of one story", "pairs", number()),
    ("with title", "titled", number()),
    ("with date", "dated", number()),
)
NOTES = """\
BCubed, **F1** (precision / recall): of every article, the share of its cluster that tells its story and the
share of its story that is in its cluster, averaged over the articles whose story is known; every article of a
set is input. An oracle takes the threshold (of the mean cosine similarity, 0.02 to 0.90 by 0.01) that is best
by F1 **on the very labels it is judged on**, on each set or on all together: no user can do as well without
labels. `tfidf`: scikit-learn's TfidfVectorizer with sublinear_tf over the words of title and text. `MiniLM`:
all-MiniLM-L6-v2 over the first 256 tokens of title and text, a model of English. Both are linked by SciPy.
`headlines only` is given title, outlet, address and date and no text, and is to be compared with
`articles with a title`, which is the same articles with their text. Times and memory are those of whole
processes from Parquet to the answer (an oracle's search for its threshold left out), those of MiniLM with its
embedding and the loading of its model; the linkages have as many threads as `settings` says (one, unless told
otherwise) and samestory as many as it takes by itself. Pairs looked at: a dash where a run does not say.
A dash elsewhere: not there, or not asked.
"""


def figure_cell(figures: Figures | None) -> str:
    """Return F1, precision and recall, and the threshold of an oracle."""
    if figures is None or "problem" in figures:
        return "-" if figures is None else figures["problem"]
    precision, recall = shown_figure(figures["precision"]), shown_figure(figures["recall"])
    threshold = f" at {figures['threshold']:.2f}" if "threshold" in figures else ""
    return f"{shown_figure(figures['f1'])} ({precision} / {recall}){threshold}{_of(figures)}"


def cost_cell(figures: Figures | None) -> str:
    """Return seconds, articles in a second and memory."""
    if figures is None or "wall_seconds" not in figures:
        return "-"
    memory = f"{figures['peak_bytes'] / 2**20:,.0f} MiB"
    return f"{figures['wall_seconds']:,.1f} s, {figures['articles_per_second']:,.0f}/s, {memory}"


def candidates_cell(figures: Figures | None) -> str:
    """Return the number of pairs that were looked at."""
    return number()(None if figures is None else figures.get("candidates"))


def ratio_cell(figures: Figures | None) -> str:
    """Return a ratio."""
    return "-" if figures is None else f"{shown_figure(figures['ratio'])}{_of(figures)}"


def _of(figures: Figures) -> str:
    """Return of how many sets a mean is, where it is not of all."""
    return f", {figures['of']} sets" if "of" in figures else ""


def with_mean(cells: Cells, sets: Sequence[str], names: tuple[str, ...]) -> Cells:
    """Return the cells with the mean over the sets that have figures; `of` says how many, if not all."""
    found = [cells[name] for name in sets if cells.get(name) and names[0] in cells[name]]
    if not found:
        return cells
    mean: Figures = {name: fmean(figures[name] for figures in found) for name in names}
    return {**cells, "mean": mean | ({"of": len(found)} if len(found) < len(sets) else {})}


def ratios(above: Cells, below: Cells) -> Cells:
    """Return for every set that has both how one F1 is to another."""
    return {
        name: {"ratio": above[name]["f1"] / below[name]["f1"]}
        for name in above
        if name != "mean" and above[name].get("f1") is not None and below.get(name, {}).get("f1")
    }


def rows(methods: dict[str, Cells], form: Callable[[Figures | None], str]) -> list[Row]:
    """Return the rows of a table: a method each, its cells as text."""
    return [
        {"tool": name, **{place: form(figures) for place, figures in cells.items()}}
        for name, cells in methods.items()
    ]


def columns(sets: Sequence[str], mean: bool = True) -> Columns:
    """Return the columns: the method, the sets and their mean."""
    last = (("mean", "mean", _given),) if mean else ()
    return (("method", "tool", str), *((name, name, _given) for name in sets), *last)


def _given(value: str | None) -> str:
    """Return a cell as it is."""
    return "-" if value is None else value
