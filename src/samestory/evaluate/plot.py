"""A picture of a sweep; Matplotlib is loaded here and only when one is asked for."""

from __future__ import annotations

import os
from os import PathLike, fspath
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from samestory.errors import ConfigError, MissingDependencyError, OutputError
from samestory.leftovers import SUFFIX, hidden_prefix, remove_left_over

if TYPE_CHECKING:
    from samestory.evaluate.curve import Sweep

FORMATS: Final = (".png", ".svg", ".pdf")
# Told apart without their colours too, and by readers who do not see red from green.
_LINES: Final = (("precision", "#0072b2", "o"), ("recall", "#d55e00", "s"), ("f1", "#000000", "D"))
_LABELS: Final = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
_MOST_MARKED: Final = 60
_DOTS_PER_INCH: Final = 150


def check_plot(path: str | PathLike[str]) -> None:
    """Raise unless a plot can be written to a file: asked before any work is done.

    Raises
    ------
    ConfigError
        The name does not end in .png, .svg or .pdf.
    OutputError
        It is a folder, or the folder it is to be in is not there.
    MissingDependencyError
        Matplotlib is not installed.
    """
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        raise ConfigError(
            f"{fspath(path)}: the name does not tell a plot's format", hint="end it in .png, .svg or .pdf"
        )
    if target.is_dir():
        raise OutputError(f"{target} is a folder, not a file", hint="name a file")
    if not target.absolute().parent.is_dir():
        raise OutputError(f"{target.absolute().parent} is not a folder", hint="make it first")
    _figure_class()


def plot_sweep(sweep: Sweep, path: str | PathLike[str]) -> None:
    """Draw precision, recall and F1 over the threshold.

    Parameters
    ----------
    sweep : Sweep
    path : path
        A .png, .svg or .pdf file; one that is there is replaced. It is written whole or not at all.

    Raises
    ------
    ConfigError, OutputError, MissingDependencyError
        As for `check_plot`; or the file cannot be written.
    """
    check_plot(path)
    figure = _draw(sweep)
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f"{hidden_prefix(target)}{os.getpid()}{SUFFIX}")
    kind = Path(path).suffix.lower().removeprefix(".")
    remove_left_over(target)
    try:
        with temporary.open("wb") as file:
            _save(figure, file, kind)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise OutputError(
            f"cannot write {target}: {error.strerror or error}", hint="check its space and rights"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _save(figure: Any, file: IO[bytes], kind: str) -> None:
    """Write a figure so that the same figures give the same bytes: without time of day or random names."""
    import matplotlib

    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with matplotlib.rc_context({"svg.hashsalt": "samestory"}):
        figure.savefig(file, format=kind, dpi=_DOTS_PER_INCH, metadata=metadata)


def _figure_class() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "a plot needs Matplotlib, which is not installed", hint="pip install 'samestory[report]'"
        ) from error
    return Figure


def _draw(sweep: Sweep) -> Any:
    """The figure, made without pyplot: that would look for a screen and keep state."""
    figure = _figure_class()(figsize=(7.0, 4.4), layout="constrained")
    axes = figure.add_subplot()
    thresholds = [point.threshold for point in sweep.points]
    marked = len(thresholds) <= _MOST_MARKED
    for name, colour, marker in _LINES:
        values = [getattr(point.scores.pairwise, name) for point in sweep.points]
        if any(value is not None for value in values):
            known = [float("nan") if value is None else value for value in values]
            axes.plot(
                thresholds, known, color=colour, marker=marker if marked else None, markersize=4,
                linewidth=1.6, label=_LABELS[name],
            )  # fmt: skip
    if sweep.best is not None:
        best = sweep.best.threshold
        axes.axvline(best, color="#888888", linestyle=":", label=f"Best F1, at {best:g}")
    axes.set(
        xlabel=f"Threshold ({sweep.score.replace('_', ' ')})", ylabel="Score", ylim=(-0.02, 1.02),
        title="Pairs found, over the threshold",
    )  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend(loc="best", frameon=False)
    return figure
