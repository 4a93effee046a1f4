"""`samestory report`: the command, its options, and what it says when the page is written."""

from __future__ import annotations

from typing import Any, Final

import click

from samestory.cli.commands import Command
from samestory.cli.options import config_option, moved_input_option, progress_option, said_options
from samestory.cli.places import Place

_EXAMPLES: Final = """
\b
Examples:
  samestory report out -o report.html
  samestory report out -o report.html --no-text --overwrite
  samestory report out -o report.html --input moved/news.jsonl
"""


@click.command(cls=Command, epilog=_EXAMPLES)
@click.argument("outdir", metavar="OUTDIR", type=Place(folder=True))
@click.option("-o", "--output", metavar="FILE.html", required=True, type=Place(), help="The page.")
@click.option(
    "--text/--no-text",
    default=True,
    show_default=True,
    help="Show articles side by side, with what they share; or leave their texts out.",
)
@moved_input_option
@click.option("--overwrite", is_flag=True, help="Replace an earlier page.")
@config_option
@progress_option
@said_options(json="Print what is on the page, counted, as one JSON object on stdout.", verbose=None)
def report(**options: Any) -> int:
    """Write a run as a page to look at.

    OUTDIR is what `samestory cluster` wrote. The page is one file that asks
    nothing of the network: headline figures, sizes, scores against the
    threshold, who copies whom, a timeline, and a list of clusters and stories
    that opens to the articles side by side.

    Texts are read again from the run's inputs; where these are gone the page
    is made without. Of a large run it lists the largest clusters and stories
    and those with the weakest members, and says how many of how many. It
    needs pip install 'samestory[report]'.
    """
    return _run(options)


def _run(options: dict[str, Any]) -> int:
    from samestory.cli.startup import lighten_startup

    lighten_startup()
    from samestory.cli.console import Console
    from samestory.report import check_report, write_report

    console = Console.from_options(options)
    check_report(options["output"], overwrite=options["overwrite"])
    with console.progress() as observer:
        made = write_report(
            options["outdir"],
            options["output"],
            text=options["text"],
            inputs=options["inputs"],
            overwrite=options["overwrite"],
            observer=observer,
        )
    _show(made, options)
    return 0


def _show(made: dict[str, Any], options: dict[str, Any]) -> None:
    from samestory.cli.facts import print_facts, print_json

    if options["json"]:
        print_json(made)
        return
    if options["quiet"]:
        return
    rows = [
        ("articles", f"{made['articles']:,}", f"{made['articles_listed']:,} of them in the list"),
        ("clusters", f"{made['clusters']:,}", _of(made["clusters_listed"], made["clusters"])),
    ]
    if made["stories"]:
        rows.append(("stories", f"{made['stories']:,}", _of(made["stories_listed"], made["stories"])))
    rows.append(("side by side", f"{made['comparisons']:,}", _texts(made, with_text=options["text"])))
    rows.append(("size", _size(made["bytes"]), ""))
    print_facts(rows, to_stderr=True)
    click.echo(f"Written: {_name(made['file'])}", err=True)


def _of(listed: int, of: int) -> str:
    return "all listed" if listed == of else f"{listed:,} of them listed"


def _texts(made: dict[str, Any], *, with_text: bool) -> str:
    if not with_text:
        return "texts left out"
    return f"no texts: {made['why_no_texts']}" if made["why_no_texts"] else "pairs of articles"


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.0f} KB"


def _name(file: str) -> str:
    from samestory.cli.failures import printable

    return printable(file)
