"""Options that several commands have, and how they become a `Config`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from samestory.cli.places import Place
from samestory.cli.settings import load_settings
from samestory.config import FORMATS, LEVELS, ON_ERROR, REPRESENTATIVES, Config

F = TypeVar("F", bound=Callable[..., Any])

_DEFAULTS: Final = Config()
_CONFIG_NAMES: Final = tuple(_DEFAULTS.as_dict())


def _all(options: list[Callable[[Any], Any]]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        return functools.reduce(lambda decorated, option: option(decorated), reversed(options), function)

    return decorate


input_argument = click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=Place())

output_folder = click.option(
    "-o",
    "--output",
    metavar="OUTDIR",
    required=True,
    type=Place(folder=True),
    help="Folder for the result.",
)

column_options = _all(
    [
        click.option("--id-column", metavar="NAME", help="Column of the articles' ids."),
        click.option("--text-column", metavar="NAME", help="Column of the text."),
        click.option("--title-column", metavar="NAME", help="Column of the title."),
        click.option("--source-column", metavar="NAME", help="Column of the outlet."),
        click.option("--url-column", metavar="NAME", help="Column of the address."),
        click.option("--date-column", metavar="NAME", help="Column of the time of publication."),
        click.option(
            "--format",
            type=click.Choice(FORMATS),
            help="Format of the input, where its name does not tell.",
        ),
    ]
)

matching_options = _all(
    [
        click.option(
            "--threshold",
            type=float,
            metavar="X",
            default=_DEFAULTS.threshold,
            show_default=True,
            help="Jaccard similarity at or over which two articles are near copies.",
        ),
        click.option(
            "--containment",
            type=float,
            metavar="X",
            help="Share of the shorter article at or over which two are partial copies.  "
            f"[default: {_DEFAULTS.containment:g}, more for shorter shingles]",
        ),
        click.option(
            "--shingle",
            default=_DEFAULTS.shingle,
            show_default=True,
            metavar="UNIT:N",
            help="What is compared: runs of N words (word:N) or characters (char:N).",
        ),
        click.option(
            "--num-perm",
            type=int,
            metavar="N",
            default=_DEFAULTS.num_perm,
            show_default=True,
            help="Values in a MinHash signature.",
        ),
        click.option(
            "--seed",
            metavar="N",
            type=int,
            default=_DEFAULTS.seed,
            show_default=True,
            help="Seed of the permutations.",
        ),
        click.option(
            "--recall",
            type=float,
            metavar="X",
            default=_DEFAULTS.recall,
            show_default=True,
            help="Chance that a pair at the threshold becomes a candidate.",
        ),
        click.option(
            "--level",
            type=click.Choice(LEVELS),
            default=_DEFAULTS.level,
            show_default=True,
            help="Look for copies, or for stories too.",
        ),
        click.option(
            "--story-threshold",
            type=float,
            metavar="X",
            default=_DEFAULTS.story_threshold,
            show_default=True,
            help="Mean score at or over which articles are one story.",
        ),
        click.option(
            "--story-window",
            default=_DEFAULTS.story_window,
            show_default=True,
            metavar="TIME",
            help="Time within which an event is reported: 36h, 7d, 2w.",
        ),
        click.option(
            "--representative",
            type=click.Choice(REPRESENTATIVES),
            default=_DEFAULTS.representative,
            show_default=True,
            help="Which article of a cluster is kept.",
        ),
        click.option(
            "--partial/--no-partial",
            default=_DEFAULTS.partial,
            show_default=True,
            help="Look for partial copies: excerpts, expansions, rewrites.",
        ),
        click.option(
            "--boilerplate/--no-boilerplate",
            default=_DEFAULTS.boilerplate,
            show_default=True,
            help="Take page furniture out first: menus, footers, share and copyright lines.",
        ),
        click.option(
            "--founder-overlap",
            type=float,
            metavar="X",
            default=_DEFAULTS.founder_overlap,
            show_default=True,
            help="Split clusters whose members share less than this with the founding article.",
        ),
    ]
)


def said_options(
    *,
    json: str = "Print the run's summary as one JSON object on stdout.",
    verbose: str | None = "Print more: settings, columns, stage times.",
    quiet: str = "Print nothing but errors.",
) -> Callable[[F], F]:
    """Return the options that say what is printed, with words that are true of one command."""
    options = [
        click.option("--json", is_flag=True, help=json),
        click.option("-q", "--quiet", is_flag=True, help=quiet),
        # Every command takes -v, so that a script may give it to all of them.
        click.option("-v", "--verbose", is_flag=True, help=verbose or "Here the same as without it."),
    ]
    return _all(options)


config_option = click.option(
    "--config",
    metavar="FILE.toml",
    type=Place(),
    callback=load_settings,
    is_eager=True,
    expose_value=False,
    help="Read options from a TOML file; those given here count more.",
)

moved_input_option = click.option(
    "--input",
    "inputs",
    metavar="INPUT",
    multiple=True,
    type=Place(),
    help="Where the articles of the run are now; may be given again.  [default: where they were]",
)

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Only tell what would be read, done and written."
)

progress_option = click.option(
    "--progress/--no-progress", default=None, help="Show progress.  [default: on a terminal]"
)


engine_options = _all(
    [
        click.option(
            "--engine",
            type=click.Choice(("local", "spark")),
            default="local",
            show_default=True,
            help="Work in this process, or on Apache Spark.",
        ),
        click.option(
            "--partitions",
            metavar="N",
            type=int,
            help="Of Spark's exchanges.  [default: by the size of the text]",
        ),
    ]
)


common_options = _all(
    [
        click.option("--threads", metavar="N", type=int, help="Worker threads.  [default: one a processor]"),
        click.option(
            "--memory",
            metavar="SIZE",
            default=_DEFAULTS.memory,
            show_default=True,
            help="About how much memory to take: 800MB, 4GB, 2GiB; the rest goes to --scratch.",
        ),
        click.option(
            "--scratch",
            metavar="DIR",
            type=Place(folder=True),
            help="Folder for temporary files.  [default: TMPDIR or /var/tmp]",
        ),
        click.option(
            "--on-error",
            type=click.Choice(ON_ERROR),
            default=_DEFAULTS.on_error,
            show_default=True,
            help="Stop at the first broken row, or set such rows aside and go on.",
        ),
        config_option,
        progress_option,
        said_options(),
    ]
)


def config_from(options: dict[str, Any]) -> Config:
    """Return the configuration that a command's options make."""
    return Config(**{name: options[name] for name in _CONFIG_NAMES if name in options})
