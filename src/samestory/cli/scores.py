"""Scores as tables: on a terminal with some emphasis, else as plain aligned text."""

from __future__ import annotations

from typing import Final

from rich.console import Console as RichConsole
from rich.table import Table
from rich.text import Text

from samestory.cli.failures import printable
from samestory.evaluate import ClusterScores, ClusterTruth, PairLabelScores, PairTruth, Pairwise, Sweep

_FEWEST_DECIMALS: Final = 2
_MOST_DECIMALS: Final = 9
_MOST_LABELS: Final = 20


def print_scores(
    scores: ClusterScores | PairLabelScores,
    swept: Sweep | None,
    truth: ClusterTruth | PairTruth,
    *,
    verbose: bool,
) -> None:
    """Print what a run scored to standard output.

    Parameters
    ----------
    scores : ClusterScores or PairLabelScores
    swept : Sweep or None
        Its scores over thresholds.
    truth : ClusterTruth or PairTruth
    verbose : bool
        Say where the labels come from, and how many there are of each.
    """
    console = RichConsole(highlight=False)
    facts = _facts(scores)
    if verbose:
        _add_details(facts, truth)
    console.print(facts)
    console.print()
    console.print(_measures(scores))
    if isinstance(scores, ClusterScores):
        console.print(Text.assemble("\nAdjusted Rand index ", (_shown(scores.ari), "bold")))
    if swept:
        console.print(Text.assemble("\nPairs at or over each threshold of ", (swept.score, "bold")))
        console.print(_sweep_table(swept))
    for note in dict.fromkeys([*scores.notes, *(swept.notes if swept else ())]):
        console.print(Text.assemble(("\nNote: ", "yellow"), printable(note)))


def _grid() -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    return table


def _facts(scores: ClusterScores | PairLabelScores) -> Table:
    table = _grid()
    found = scores.pairwise
    if isinstance(scores, ClusterScores):
        n_all = scores.n_articles + scores.n_unlabelled
        table.add_row("articles", f"{scores.n_articles:,}", f"labelled, of {n_all:,}")
        table.add_row("clusters", f"{scores.n_clusters:,}", f"where the truth has {scores.n_true_clusters:,}")
        words = f"in one cluster, {found.right:,} of them rightly; the truth has {found.true:,}"
        table.add_row("pairs", f"{found.found:,}", words)
    else:
        words = f"labelled: {scores.n_same:,} the same, {scores.n_different:,} different"
        table.add_row("pairs", f"{scores.n_pairs:,}", words)
        table.add_row("joined", f"{found.found:,}", f"in one cluster, {found.right:,} of them rightly")
    return table


def _add_details(table: Table, truth: ClusterTruth | PairTruth) -> None:
    table.add_row("labels", "", Text(printable(truth.where)))
    if truth.n_unlabelled:
        table.add_row("", f"{truth.n_unlabelled:,}", "rows without one")
    if isinstance(truth, PairTruth):
        for label, count in list(truth.counts.items())[:_MOST_LABELS]:
            table.add_row("", f"{count:,}", Text(printable(repr(label))))


def _measures(scores: ClusterScores | PairLabelScores) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", style="bold", min_width=8)
    for name in ("precision", "recall", "F1"):
        table.add_column(name, justify="right", min_width=6)
    table.add_row("pairwise", *_ratios(scores.pairwise))
    if isinstance(scores, ClusterScores):
        whole = scores.bcubed
        table.add_row("BCubed", *map(_shown, (whole.precision, whole.recall, whole.f1)))
    return table


def _sweep_table(swept: Sweep) -> Table:
    of_articles = isinstance(swept.points[0].scores, ClusterScores)
    last = ("BCubed F1", "ARI", "clusters") if of_articles else ("found", "right")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("threshold", "precision", "recall", "F1", *last):
        table.add_column(name, justify="right", min_width=6)
    table.add_column("")
    decimals = max(_decimals(point.threshold) for point in swept.points)
    for point in swept.points:
        scores, is_best = point.scores, point is swept.best
        cells = [f"{point.threshold:.{decimals}f}", *_ratios(scores.pairwise)]
        if isinstance(scores, ClusterScores):
            cells += [_shown(scores.bcubed.f1), _shown(scores.ari), f"{scores.n_clusters:,}"]
        else:
            cells += [f"{scores.pairwise.found:,}", f"{scores.pairwise.right:,}"]
        incomplete = swept.run_threshold is not None and point.threshold < swept.run_threshold
        style = "bold green" if is_best else "dim" if incomplete else ""
        table.add_row(*cells, "best F1" if is_best else "", style=style)
    return table


def _decimals(threshold: float) -> int:
    digits = f"{threshold:.{_MOST_DECIMALS}f}".partition(".")[2].rstrip("0")
    return max(_FEWEST_DECIMALS, len(digits))


def _ratios(pairs: Pairwise) -> tuple[str, str, str]:
    return _shown(pairs.precision), _shown(pairs.recall), _shown(pairs.f1)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
