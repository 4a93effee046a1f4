"""Options that several commands have, and how they become a `Config`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from samestory.cli.failures import printable
from samestory.config import FORMATS, LEVELS, ON_ERROR, REPRESENTATIVES, Config

F = TypeVar("F", bound=Callable[..., Any])

_DEFAULTS: Final = Config()
_CONFIG_NAMES: Final = tuple(_DEFAULTS.as_dict())


def _all(options: list[Callable[[Any], Any]]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        return functools.reduce(lambda decorated, option: option(decorated), reversed(options), function)

    return decorate


input_argument = click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)

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
            default=_DEFAULTS.threshold,
            show_default=True,
            help="Jaccard similarity at or over which two articles are near copies.",
        ),
        click.option(
            "--containment",
            type=float,
            show_default=f"{_DEFAULTS.containment:g}, more for shorter shingles",
            help="Share of the shorter article at or over which two are partial copies.",
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
            default=_DEFAULTS.num_perm,
            show_default=True,
            help="Values in a MinHash signature.",
        ),
        click.option(
            "--seed", type=int, default=_DEFAULTS.seed, show_default=True, help="Seed of the permutations."
        ),
        click.option(
            "--recall",
            type=float,
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
            default=_DEFAULTS.founder_overlap,
            show_default=True,
            help="Split clusters whose members share less than this with the founding article.",
        ),
    ]
)


quiet_options = _all(
    [
        click.option("--json", is_flag=True, help="Print the run's summary as JSON on stdout."),
        click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors."),
        click.option("-v", "--verbose", is_flag=True, help="Print more: settings, columns, stage times."),
    ]
)


def _load_config_file(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        with open(value, "rb") as file:
            settings = tomllib.load(file)
    except OSError as error:
        raise click.BadParameter(f"{value}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{value} is not TOML: {error}") from error
    known = {
        option.name: option
        for option in context.command.params
        if isinstance(option, click.Option) and option.name not in ("config", "help")
    }
    named = {key.replace("-", "_"): setting for key, setting in settings.items()}
    unknown = sorted(set(named) - set(known))
    if unknown:
        raise click.BadParameter(
            f"{value} has the unknown key {printable(unknown[0])!r}; "
            f"known are {', '.join(sorted(name for name in known if name))}"
        )
    for key, setting in named.items():
        _check_setting(value, key, setting, known[key].type)
    context.default_map = {**(context.default_map or {}), **named}


def _check_setting(file: str, key: str, setting: object, kind: Any) -> None:
    """Raise unless a setting of a TOML file is of a type that its option takes."""
    allowed: tuple[type, ...] = (str,)
    if isinstance(kind, click.types.IntParamType):
        allowed = (int,)
    elif isinstance(kind, click.types.FloatParamType):
        allowed = (int, float)
    elif isinstance(kind, click.types.BoolParamType):
        allowed = (bool,)
    if not isinstance(setting, allowed) or (isinstance(setting, bool) and bool not in allowed):
        words = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
        raise click.BadParameter(f"{file}: {key} is {setting!r}, not {words[allowed[-1]]}")


common_options = _all(
    [
        click.option("--threads", type=int, help="Worker threads.  [default: one a processor]"),
        click.option(
            "--on-error",
            type=click.Choice(ON_ERROR),
            default=_DEFAULTS.on_error,
            show_default=True,
            help="Stop at the first broken row, or set such rows aside and go on.",
        ),
        click.option(
            "--config",
            metavar="FILE.toml",
            type=click.Path(dir_okay=False),
            callback=_load_config_file,
            is_eager=True,
            expose_value=False,
            help="Read options from a TOML file; those given here count more.",
        ),
        click.option(
            "--progress/--no-progress", default=None, help="Show progress.  [default: on a terminal]"
        ),
        quiet_options,
    ]
)


def config_from(options: dict[str, Any]) -> Config:
    """Return the configuration that a command's options make."""
    return Config(**{name: options[name] for name in _CONFIG_NAMES if name in options})
