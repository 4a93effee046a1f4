"""Paths on the command line, which shells complete; what is there, the work itself says."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem


class Place(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A file, folder or address, not looked at here.

    Parameters
    ----------
    folder : bool, default False
        Whether only folders are to be offered.
    """

    name = "path"

    def __init__(self, *, folder: bool = False) -> None:
        self.folder = folder

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return it as it is."""
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Let the shell complete it, as it completes the paths of any command."""
        return [CompletionItem(incomplete, type="dir" if self.folder else "file")]
