"""Options from a TOML file: keys of the top level for every command, and a table for each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

import click

from samestory.cli.commands import UsageProblem, name_of, nearest

_NOT_IN_FILES: Final = ("config", "help", "version")
_WORDS: Final = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def load_settings(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Make the settings of a file the defaults of a command.

    What holds for the command that is run is the top level, and over it the command's own table; in all
    tables unknown keys are refused.
    """
    if value is None:
        return
    file = _File(value, context)
    settings = file.read()
    path = _path_of(context)
    file.check_tables(settings, file.root, ())
    own = settings
    chosen = file.options_in(settings, context.command, ())
    for k, name in enumerate(path):
        own = own.get(name, {})
        if k == len(path) - 1:
            chosen.update(file.options_in(own, context.command, tuple(path)))
    context.default_map = {**(context.default_map or {}), **chosen}


def _path_of(context: click.Context) -> list[str]:
    """Return the names of the groups that a command is in, and its own."""
    if context.parent is None:
        return []
    return [*_path_of(context.parent), str(context.info_name)]


class _File:
    """A settings file of one run of a command."""

    def __init__(self, name: str, context: click.Context) -> None:
        self.name = name
        self.context = context
        self.root = context.find_root().command

    def read(self) -> dict[str, Any]:
        """Return what it says."""
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
        try:
            with open(self.name, "rb") as file:
                settings: dict[str, Any] = tomllib.load(file)
                return settings
        except OSError as error:
            raise self._problem(f"cannot be read: {error.strerror or error}", "check the path") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise self._problem(f"is not TOML: {error}", 'write settings as: name = "value"') from error

    def check_tables(self, table: dict[str, Any], command: click.Command, path: tuple[str, ...]) -> None:
        """Raise for tables of no command, and for what is wrong in those of any."""
        commands = command.commands if isinstance(command, click.Group) else {}
        for key, inner in table.items():
            if not isinstance(inner, dict):
                if path and isinstance(command, click.Group):
                    first = next(iter(commands))
                    raise self._problem(
                        f"{key} stands in [{'.'.join(path)}], which is no command",
                        f"put it in the table of one, such as [{'.'.join((*path, first))}]",
                    )
                continue
            if key not in commands:
                tables = ", ".join(f"[{'.'.join((*path, name))}]" for name in commands)
                hint = nearest(key, commands) or (f"known are {tables}" if tables else "it has no tables")
                raise self._problem(f"[{'.'.join((*path, key))}] is the table of no command", hint)
            self.check_tables(inner, commands[key], (*path, key))
            if not isinstance(commands[key], click.Group):
                self.options_in(inner, commands[key], (*path, key))

    def options_in(
        self, table: dict[str, Any], command: click.Command, path: tuple[str, ...]
    ) -> dict[str, object]:
        """Return the settings of one table by the names that click has for them, each checked."""
        known = dict(_options_of(command))
        chosen: dict[str, object] = {}
        for key, setting in table.items():
            if isinstance(setting, dict):
                continue
            name = key.replace("_", "-")
            if name not in known:
                raise self._unknown(key, list(known), path)
            parameter = str(known[name].name)
            if parameter in chosen:
                raise self._problem(f"{key} is given twice", "leave one out")
            self._check(known[name], ".".join((*path, key)), setting)
            chosen[parameter] = setting
        return chosen

    def _unknown(self, key: str, known: list[str], path: tuple[str, ...]) -> UsageProblem:
        where = f"in [{'.'.join(path)}] " if path else ""
        hint = nearest(key.replace("_", "-"), known)
        others = [] if path else list(self._commands_with(key.replace("_", "-")))
        if hint is None and others:
            hint = f"it is an option of {', '.join(others)}: put it in the table [{others[0]}]"
        return self._problem(
            f"{where}has the unknown key {key!r}", hint or f"known are {', '.join(sorted(known))}"
        )

    def _commands_with(self, name: str) -> Iterator[str]:
        """Yield the commands that have an option."""
        for path, command in _commands(self.root, ()):
            if name in dict(_options_of(command)):
                yield ".".join(path)

    def _check(self, option: click.Option, key: str, setting: object) -> None:
        """Raise unless an option takes a setting."""
        if option.multiple and not isinstance(setting, list):
            raise self._problem(f"{key} is {_shown(setting)}, not a list", f"write it as [{_shown(setting)}]")
        for one in setting if option.multiple and isinstance(setting, list) else [setting]:
            self._check_one(option, key, one)

    def _check_one(self, option: click.Option, key: str, setting: object) -> None:
        allowed = _types_of(option.type)
        if not isinstance(setting, allowed) or (isinstance(setting, bool) and bool not in allowed):
            raise self._problem(
                f"{key} is {_shown(setting)}, not {_WORDS[allowed[-1]]}", f"see {_help_of(self.context)}"
            )
        try:
            option.type.convert(setting, option, self.context)
        except click.BadParameter as error:
            message = error.message.rstrip(".")
            raise self._problem(f"{key}: {message}", f"see {_help_of(self.context)}") from error

    def _problem(self, what: str, hint: str) -> UsageProblem:
        return UsageProblem(f"{self.name}: {what}", hint, self.context)


def _types_of(kind: click.ParamType[Any]) -> tuple[type, ...]:
    """Return the types of TOML that an option of a kind takes."""
    if isinstance(kind, click.types.BoolParamType):
        return (bool,)
    if isinstance(kind, click.types.IntParamType):
        return (int,)
    return (int, float) if isinstance(kind, click.types.FloatParamType) else (str,)


def _commands(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from _commands(inner, (*path, name))


def _options_of(command: click.Command) -> Iterator[tuple[str, click.Option]]:
    """Yield the options that a file may set, by the name on the command line."""
    for option in command.params:
        if isinstance(option, click.Option) and option.name not in _NOT_IN_FILES:
            yield name_of(option), option


def _help_of(context: click.Context) -> str:
    return f"`{context.command_path} --help`"


def _shown(setting: object) -> str:
    text = repr(setting)
    return text if len(text) <= 60 else f"{text[:59]}…"
