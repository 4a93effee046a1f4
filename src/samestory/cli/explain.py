"""`samestory explain`: why two articles are, or are not, the same."""

from __future__ import annotations

from typing import Any

import click

from samestory.cli.commands import Command
from samestory.cli.failures import printable
from samestory.cli.options import config_option, moved_input_option, progress_option, said_options
from samestory.cli.places import Place

_EXAMPLES = """
\b
Examples:
  samestory explain out dam-tidewire dam-gazette
  samestory explain out dam-tidewire dam-gazette --full | less
  samestory explain out a17 a18 --input /archive/news.parquet
  samestory explain news.index a17 a18 --json | jq .scores
"""


@click.command(cls=Command, epilog=_EXAMPLES, short_help="Tell why two articles are, or are not, the same.")
@click.argument("folder", metavar="RUN_OR_INDEX", type=Place(folder=True))
@click.argument("doc_id_a", metavar="ID_A")
@click.argument("doc_id_b", metavar="ID_B")
@moved_input_option
@click.option("--full", is_flag=True, help="Show all of the texts, not only what is telling.")
@click.option(
    "--stacked/--beside",
    default=None,
    help="One article over the other, or beside it.  [default: beside, on 100 columns or more]",
)
@click.option(
    "--terms/--no-terms",
    default=None,
    help="Weigh the terms that they share, where stories were looked for.  [default: up to 20,000 articles]",
)
@config_option
@progress_option
@said_options(
    json="Print everything as one JSON object on stdout.",
    verbose="Print more: addresses, all shared terms.",
    quiet="Print no progress and no warnings.",
)
def explain(folder: str, doc_id_a: str, doc_id_b: str, **options: Any) -> None:
    """Tell why two articles are, or are not, the same.

    RUN_OR_INDEX is a folder that cluster or ingest made. Prints the exact
    scores and what they are judged by, what follows, and both texts with the
    passages that they share; what was taken out as page furniture is struck
    out.

    The texts of a run are read again from where they were. An index has
    folded texts of its own.
    """
    from samestory.cli.startup import lighten_startup

    lighten_startup()
    from samestory.cli.console import Console
    from samestory.explain import explain as find

    console = Console.from_options(options)
    with console.progress() as observer:
        told = find(
            folder,
            doc_id_a,
            doc_id_b,
            inputs=options["inputs"] or None,
            terms=options["terms"],
            observer=observer,
        )
    if not options["quiet"]:
        for warning in told.warnings:
            click.echo(click.style("Warning: ", fg="yellow") + printable(warning), err=True)
    if options["json"]:
        from samestory.cli.facts import print_json

        print_json(told.as_dict())
        return
    from rich.console import Console as RichConsole

    from samestory.cli.explained import View

    rich = RichConsole(highlight=False, soft_wrap=False)
    View(rich, full=options["full"], verbose=options["verbose"], stacked=options["stacked"]).print(told)
