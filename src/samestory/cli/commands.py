"""Commands whose help has headings, and that tell the nearest name of what they do not know."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Final

import click

_HEADINGS: Final = {
    "Input": (
        "format id_column text_column title_column source_column url_column date_column on_error "
        "batch_size batch_seconds"
    ),
    "Matching": (
        "threshold containment shingle partial boilerplate founder_overlap representative "
        "recall num_perm seed"
    ),
    "Stories": "level story_threshold story_window",
    "Index": "index window lock_timeout",
    "Output": "output overwrite fail_on_duplicates metrics",
    "Running": "dry_run engine partitions threads config progress json quiet verbose",
}
"""Headings in the order in which they are shown, and the options under each; the others come last."""
_LAST: Final = "Running"
_LONG: Final = 20
"""Of so many options headings help."""
_MOST_LEFT: Final = 27
"""Cells for the names of options; longer ones have a line of their own."""


class UsageProblem(click.UsageError):
    """A wrong command line, with a remedy of its own.

    Parameters
    ----------
    message : str
    hint : str
    ctx : click.Context, optional
    """

    def __init__(self, message: str, hint: str, ctx: click.Context | None = None) -> None:
        super().__init__(message, ctx)
        self.hint = hint


class _OfItsOwn(click.Command):
    """A command whose mistakes are known as its own, whoever finds them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words of the command line."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # of an option without its value Click does not say whose
            raise


class Command(_OfItsOwn):
    """A command that puts its options, where they are many, under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        options = [option for option in self.get_params(ctx) if isinstance(option, click.Option)]
        if len(options) < _LONG:
            super().format_options(ctx, formatter)
            return
        left = {str(option.name): option for option in options}
        width = max(len(record[0]) for option in options if (record := option.get_help_record(ctx)))
        for heading, names in _HEADINGS.items():
            found = [left.pop(name) for name in names.split() if name in left]
            if heading == _LAST:
                found += left.values()
            self._write(heading, found, ctx, formatter, width)

    def _write(
        self,
        heading: str,
        options: list[click.Option],
        ctx: click.Context,
        formatter: click.HelpFormatter,
        width: int,
    ) -> None:
        records = [record for option in options if (record := option.get_help_record(ctx))]
        if records:
            # As wide in every section, so that the words stand under one another.
            records[0] = (records[0][0].ljust(min(width, _MOST_LEFT)), records[0][1])
            with formatter.section(heading):
                formatter.write_dl(records, col_max=_MOST_LEFT)


class Group(_OfItsOwn, click.Group):
    """A group of commands that names the nearest one for a name it does not know."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they were added: what is used most comes first."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            known = self.list_commands(ctx)
            raise UsageProblem(
                f"there is no command {name!r}", nearest(name, known) or f"one of {', '.join(known)}", ctx
            )
        return super().resolve_command(ctx, args)


Group.group_class = Group


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return a question for the name that may be meant, None where none is like it."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {found[0]}?" if found else None


def name_of(option: Any) -> str:
    """Return the name that an option has on the command line, without its dashes."""
    return max((str(flag).lstrip("-") for flag in option.opts), key=len)
