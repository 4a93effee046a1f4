"""`samestory ingest`: the command, its options, and what it does once they are parsed."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from samestory.cli.commands import Command, UsageProblem
from samestory.cli.options import (
    column_options,
    common_options,
    config_from,
    input_argument,
    matching_options,
)
from samestory.cli.places import Place
from samestory.config import Config, result_settings
from samestory.errors import InputError

if TYPE_CHECKING:
    from samestory.cli.console import Console
    from samestory.index.durable import Index

_EXAMPLES = """
\b
Examples:
  samestory ingest today.parquet --index news.index -o assigned.parquet
  samestory ingest feeds/*.jsonl --index news.index --window 30d
  tail -f new.jsonl | samestory ingest - --index news.index > assigned.jsonl
"""
_HOURS: Final = {"h": 1.0, "d": 24.0, "w": 168.0}
_WINDOW: Final = re.compile(r"(?=.*[1-9])([0-9]{1,5}(?:\.[0-9]{1,6})?)([hdw])")


def _parse_window(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Turn 36h, 30d or 4w into hours."""
    if value is None:
        return None
    found = _WINDOW.fullmatch(value)
    if not found:
        raise click.BadParameter(f"{value!r} is not a time: a number over 0 and h, d or w, as 36h or 30d")
    return float(found[1]) * _HOURS[found[2]]


@click.command(cls=Command, epilog=_EXAMPLES)
@input_argument
@click.option("--index", metavar="DIR", required=True, type=Place(folder=True), help="Folder of the index.")
@click.option("-o", "--output", metavar="FILE", type=Place(), help="File for what each article is.")
@click.option(
    "--batch-size",
    metavar="N",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Articles that are added at once.",
)
@click.option(
    "--batch-seconds",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=0.5,
    show_default=True,
    help="Time that a line of standard input waits for more.",
)
@click.option(
    "--lock-timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Time to wait for another that writes to the index.",
)
@click.option(
    "--window",
    metavar="TIME",
    callback=_parse_window,
    help="How long articles stay: 36h, 30d, 4w.  [default: for ever]",
)
@click.option(
    "--metrics", metavar="FILE", type=Place(), help="Append a line of JSON a batch; - is standard error."
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier FILE.")
@matching_options
@column_options
@common_options
@click.pass_context
def ingest(context: click.Context, /, **options: Any) -> int:
    """Add the articles of INPUT to an index, and tell what each is.

    INPUT is as for cluster. The index is made if there is none; settings that
    are not given are its own.

    FILE has the columns of clusters.parquet, and matched_id (the best earlier
    article), is_new (whether its cluster began with it) and merged_cluster_ids
    (clusters that it joined together). The format is told by its name; -
    writes JSON Lines to standard output, as is done where INPUT is - and no
    FILE is given.

    On standard input lines are answered as they come: a batch is added when
    --batch-size lines are there, or --batch-seconds after the first.

    Each batch is in the index whole or not at all, and stays there if a later
    one fails; FILE is written in the end. Then give the input again: an
    article that is there already changes nothing and gets the same answer,
    one with another text is replaced.

    The memory it takes is that of the index and of one batch of --batch-size
    articles; --memory bounds neither.

    --window takes out, after each batch, what was published so long before
    the newest article; of the undated the time counts at which they came.
    """
    return _run(context, options)


def _run(context: click.Context, options: dict[str, Any]) -> int:
    output = options["output"]
    if output is None and "-" in options["inputs"]:
        output = options["output"] = "-"
    if options["json"] and output == "-":
        raise UsageProblem("--json and the answers both write to standard output", "name a file with -o")
    from samestory.cli import startup

    startup.lighten_startup()
    from samestory.cli.console import Console
    from samestory.rows import check_output

    if output not in (None, "-"):
        check_output(output, options["overwrite"])
    config = _settings(context, options)
    if output == "-" and sys.stdout.isatty() and options["progress"] is None:
        options["progress"] = False  # bars among the lines would make neither readable
    console = Console.from_options(options, stdout_is_data=output == "-")
    with _open_index(options, config) as index:
        return _ingest_all(index, config, options, console)


def _settings(context: click.Context, options: dict[str, Any]) -> Config:
    """Return the configuration: what was not given is the index's own, if there is one."""
    from samestory.index.durable import Index

    asked = config_from(options)
    try:
        with Index.open(options["index"], readonly=True) as index:
            own = result_settings(index.config)
    except InputError:
        return asked  # there is none yet; whatever else it is, opening it to write will say
    kept = {
        name: value
        for name, value in own.items()
        if context.get_parameter_source(name) is ParameterSource.DEFAULT
    }
    return Config(**{**asked.as_dict(), **kept})


def _open_index(options: dict[str, Any], config: Config) -> Index:
    from samestory.index.durable import Index

    # It is handed articles whose columns have their own names, and none that is broken.
    plain = {name: None for name in config.as_dict() if name.endswith("_column")}
    own = replace(config, **plain, format=None, on_error="fail")  # type: ignore[arg-type]
    return Index.open(options["index"], own, create=True, lock_timeout=options["lock_timeout"])


def _ingest_all(index: Index, config: Config, options: dict[str, Any], console: Console) -> int:
    from samestory.cli.answers import SetAside, open_answers, open_metrics
    from samestory.cli.intake import Intake, summarise
    from samestory.read.addresses import presentable
    from samestory.read.arrivals import Arrivals

    if "-" in options["inputs"]:
        _collect_garbage()
    arrivals = Arrivals(
        options["inputs"], config, rows=options["batch_size"], seconds=options["batch_seconds"]
    )
    output = options["output"]
    aside = SetAside(output)
    intake = Intake(index, arrivals, window_hours=options["window"], aside=aside, quiet=options["quiet"])
    with (
        console.progress() as observer,
        open_metrics(options["metrics"]) as note,
        open_answers(output, overwrite=options["overwrite"]) as put,
    ):
        intake.run(put, note, observer)
    if config.on_error == "skip":
        aside.finish()
    summarise(intake.summary([presentable(item) for item in options["inputs"]], output), console, output)
    return 0


def _collect_garbage() -> None:
    """Collect it again: a stream may go on for weeks (see `lighten_startup`)."""
    import gc

    gc.freeze()
    gc.enable()
