"""How errors reach the user: one style on stderr, one exit code each."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Final

import click

from samestory.errors import SamestoryError

ERROR: Final = 2
_NO_ROOM: Final = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_ROOM_HINT: Final = "make room, or name another place"
_WORDS_OF_CLICK: Final = ("Got", "Invalid", "Option")
"""With which its messages begin; ours begin without a capital."""
INTERRUPTED: Final = 130


def run_guarded(call: Callable[[], object]) -> object:
    """Make a call and turn whatever it raises into a message and an exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return call()
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted", None)
        return INTERRUPTED
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        _show_usage(error)
        return ERROR
    except SystemExit as leave:
        # Click leaves with 1 where whoever reads standard output has gone, and only there.
        return ERROR if leave.code == 1 else leave.code
    except SamestoryError as error:
        _say(error.message, error.hint)
        return ERROR
    except OSError as error:
        if error.errno not in _NO_ROOM:
            return _unexpected(error)
        _say(f"{error.filename or 'standard output'}: cannot be written: {error.strerror}", _ROOM_HINT)
        return ERROR
    except MemoryError:
        _say("out of memory", "give the process more")
        return ERROR
    except Exception as error:
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    traceback.print_exception(error)
    _say(f"unexpected {type(error).__name__}: {error}", "this is a fault of samestory; please report it")
    return ERROR


def exit_code_of(returned: object) -> int:
    """Return the exit code for what a command returned, else 0, once standard output has everything."""
    code = returned if isinstance(returned, int) else 0
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        # Python would try again when it ends, and leave with a code of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not code and error.errno != errno.EPIPE:
            _say(f"standard output: cannot be written: {error.strerror or error}", _ROOM_HINT)
        return code or ERROR
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def printable(text: str) -> str:
    """Escape what a terminal would obey: control and direction characters, lone surrogates."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def _show_usage(error: click.ClickException) -> None:
    context = getattr(error, "ctx", None)
    hint = getattr(error, "hint", None)
    told = f"see `{context.command_path if context else 'samestory'} --help`"
    if isinstance(error, click.NoSuchOption):
        message = f"there is no option {error.option_name}"
        if error.possibilities:
            hint = f"did you mean {next(iter(error.possibilities))}? Else {told}"
    elif isinstance(error, click.MissingParameter):
        message = f"{_missing(error)} is missing"
    else:
        message = error.format_message().rstrip(".")
    if message.split(" ", 1)[0] in _WORDS_OF_CLICK:
        message = message[0].lower() + message[1:]
    _say(message, hint or told)


def _missing(error: click.MissingParameter) -> str:
    """Return what is missing, by the name that the help has for it."""
    if isinstance(error.param, click.Option):
        return f"the option {' or '.join(error.param.opts)}"
    return f"the argument {error.param.metavar or error.param.name}" if error.param else "something"


def _say(message: str, hint: str | None) -> None:
    click.echo(click.style("Error: ", fg="red", bold=True) + printable(message), err=True)
    if hint:
        click.echo(click.style("Hint: ", fg="yellow") + printable(hint), err=True)
