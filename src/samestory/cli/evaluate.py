"""`samestory evaluate`: the command, its options, and what it does once they are parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from samestory.cli.commands import Command, UsageProblem
from samestory.cli.failures import printable
from samestory.cli.options import config_option, progress_option, said_options
from samestory.cli.places import Place
from samestory.cli.watching import watched
from samestory.config import LEVELS
from samestory.errors import ConfigError
from samestory.evaluate.names import MEASURES, SCORES

if TYPE_CHECKING:
    from samestory.evaluate import ClusterScores, PairLabelScores, Sweep
    from samestory.progress import Observer

_EXAMPLES = """
\b
Examples:
  samestory evaluate out --truth labels.csv
  samestory evaluate out --truth news.parquet --truth-column event
  samestory evaluate out --truth pairs.csv --positive copy --positive excerpt
  samestory evaluate out --truth labels.csv --sweep --plot sweep.png
  samestory evaluate out --truth labels.csv --fail-under 0.9 --measure ari -q
"""
_NEED_SWEEP: Final = ("score", "thresholds", "plot")
_UNDER: Final = 1


def _parse_thresholds(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    """Turn A:B:STEP or a list into numbers; the sweep checks their range."""
    if value is None:
        return None
    pieces = value.split(":" if ":" in value else ",")
    try:
        numbers = tuple(float(piece) for piece in pieces)
    except ValueError:
        numbers = ()
    if not numbers or (":" in value and len(numbers) != 3):
        raise click.BadParameter(f"{value!r} is neither A:B:STEP nor a list, as 0.5:0.9:0.1 or 0.5,0.7")
    if ":" not in value:
        return numbers
    from samestory.evaluate.curve import thresholds_between

    return thresholds_between(*numbers)


@click.command(cls=Command, epilog=_EXAMPLES)
@click.argument("outdir", metavar="OUTDIR", type=Place(folder=True))
@click.option("--truth", metavar="FILE", required=True, type=Place(), help="File of labels.")
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default=LEVELS[0],
    show_default=True,
    help="Judge the clusters of copies, or the stories.",
)
@click.option("--truth-column", metavar="NAME", help="Column of the labels.")
@click.option("--id-column", metavar="NAME", help="Column of the articles' ids.")
@click.option(
    "--positive",
    metavar="LABEL",
    multiple=True,
    help="A label of pairs that belong together; may be given again.",
)
@click.option("--sweep", is_flag=True, help="Judge the pairs over each of several thresholds too.")
@click.option(
    "--score",
    type=click.Choice(SCORES),
    metavar="NAME",
    help=f"What to sweep over: {', '.join(SCORES)}.  [default: {SCORES[0]}]",
)
@click.option(
    "--thresholds",
    metavar="A:B:STEP|LIST",
    callback=_parse_thresholds,
    help="Thresholds of the sweep.  [default: 0.05:1:0.05]",
)
@click.option("--plot", metavar="FILE", type=Place(), help="Draw the sweep: .png, .svg or .pdf.")
@click.option(
    "--measure",
    type=click.Choice(MEASURES),
    default=MEASURES[0],
    show_default=True,
    metavar="NAME",
    help=f"What --fail-under looks at: {', '.join(MEASURES)}.",
)
@click.option("--fail-under", metavar="X", type=float, help="Leave with exit code 1 if it is under X.")
@config_option
@progress_option
@said_options(
    json="Print the scores as one JSON object on stdout.", verbose="Print more: columns and labels."
)
def evaluate(**options: Any) -> int:
    """Judge the clusters in OUTDIR by labels.

    FILE labels articles (an id, and a column truth, label, cluster, gold,
    story, event or class: those of one label belong together) or pairs
    (doc_id_a, doc_id_b and a label). Articles without a label are left out,
    so the input itself will do if it has such a column. Parquet, Arrow, JSON
    Lines, CSV or TSV.

    Prints precision, recall and F1 of pairs; for labelled articles BCubed
    and the adjusted Rand index too.

    With --sweep, clusters are what the pairs at or over each threshold join.
    Only pairs that the run wrote can count: to sweep under the run's own
    threshold, cluster with a lower one. Of huge clusters not every pair is
    written.
    """
    return _run(options)


def _run(options: dict[str, Any]) -> int:
    for name in _NEED_SWEEP:
        if options[name] is not None and not options["sweep"]:
            raise UsageProblem(f"--{name} is for a sweep", "add --sweep")
    limit = options["fail_under"]
    if limit is not None and abs(limit) > 1:
        hint = f"for {limit:g} % write {limit / 100:g}" if 1 < limit <= 100 else "scores are from -1 to 1"
        raise UsageProblem(f"--fail-under is {limit:g}, which no score can be", hint)
    from samestory.evaluate.judge import evaluate as judge
    from samestory.evaluate.outcome import Outcome
    from samestory.evaluate.plot import check_plot, plot_sweep
    from samestory.evaluate.truth import read_truth

    if options["plot"]:
        check_plot(options["plot"])
    with watched(options) as observer:
        observer("read a run", 0, None)
        outcome = Outcome.of(options["outdir"])
        observer("read labels", 0, None)
        truth = read_truth(
            options["truth"],
            truth_column=options["truth_column"],
            id_column=options["id_column"],
            positive=options["positive"],
        )
        observer("score", 0, None)
        scores = judge(outcome, truth, level=options["level"])
        swept = _sweep(outcome, truth, options, observer) if options["sweep"] else None
        if swept and options["plot"]:
            observer("draw", 0, None)
            plot_sweep(swept, options["plot"])
    _show(scores, swept, truth, options)
    return _compare(scores, options)


def _sweep(outcome: Any, truth: Any, options: dict[str, Any], observer: Observer) -> Sweep:
    from samestory.evaluate.curve import DEFAULT_THRESHOLDS, sweep

    return sweep(
        outcome,
        truth,
        score=options["score"] or SCORES[0],
        thresholds=options["thresholds"] or DEFAULT_THRESHOLDS,
        observer=observer,
    )


def _show(
    scores: ClusterScores | PairLabelScores, swept: Sweep | None, truth: Any, options: dict[str, Any]
) -> None:
    if options["json"]:
        found = {"level": options["level"], **scores.as_dict()}
        if swept:
            found["sweep"] = swept.as_dict()
        from samestory.cli.facts import print_json

        print_json(found)
    elif not options["quiet"]:
        from samestory.cli.scores import print_scores

        print_scores(scores, swept, truth, verbose=options["verbose"])
        if options["plot"]:
            click.echo(f"Written: {printable(options['plot'])}", err=True)


def _compare(scores: ClusterScores | PairLabelScores, options: dict[str, Any]) -> int:
    """Return the exit code that --fail-under asks for."""
    limit, name = options["fail_under"], options["measure"]
    if limit is None:
        return 0
    value = scores.measure(name)
    if value is None:
        raise ConfigError(
            f"{name} is not known: these labels do not decide it", hint="choose another with --measure"
        )
    if value >= limit:
        return 0
    if not options["quiet"]:
        click.echo(f"{name} is {value:.4f}, under {limit:g}", err=True)
    return _UNDER
