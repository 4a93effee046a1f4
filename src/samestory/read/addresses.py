"""Addresses of other places (URIs): their parts, and what of them may be shown."""

from __future__ import annotations

import os
import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from samestory.errors import InputError, OutputError

_URI: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # Two letters at least: C: is a drive.
_ADDRESS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_LINK: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^\s'\"<>)\]]+")
_TELLING: Final = re.compile(r"sig|token|key|secret|pass|pwd|auth|cred|session|policy|access", re.IGNORECASE)
_SECRET_SETTINGS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_KEY",
    "AZURE_CLIENT_SECRET",
)
_SHORTEST_SECRET: Final = 8
HIDDEN: Final = "***"


def scheme_of(given: str) -> str | None:
    """The scheme of an address in small letters, None for a path."""
    found = _URI.match(given)
    return found[1].lower() if found else None


def check_no_password(given: str) -> None:
    """Raise if an address holds a password.

    Raises
    ------
    InputError
        It does; the message does not show it.
    """
    if _has_password(given):
        raise InputError(
            f"{presentable(given)}: the address holds a password, which would be seen by others",
            hint="give it in the environment, for example AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )


def refuse_address(target: str | os.PathLike[str]) -> None:
    """Raise if an output is an address: outputs are there whole or not at all, which is done on this machine.

    Raises
    ------
    OutputError
        It is one, also one from which `pathlib` took a slash.
    """
    name = os.fspath(target)
    found = _ADDRESS.match(name)
    if found:
        shown = presentable(f"{found[1]}://{name[found.end() :].lstrip('/')}")
        raise OutputError(
            f"{shown}: outputs are written to this machine, not to addresses",
            hint="name a place here, and copy the result there when it is whole",
        )


def presentable(given: str) -> str:
    """An input's name as it may be shown and recorded: an address without passwords and signatures."""
    if scheme_of(given) is None:
        return given
    scheme, _, rest = given.partition("://")
    if _has_password(given):
        rest = f"{HIDDEN}@{rest.rpartition('@')[2]}"
    path, mark, query = rest.partition("?")
    if mark and scheme.lower() in ("http", "https"):
        query = "&".join(map(_presentable_field, query.split("&")))
    return f"{scheme}://{path}{mark}{query}"


def _presentable_field(field: str) -> str:
    name, sign, _ = field.partition("=")
    return f"{name}{sign}{HIDDEN}" if _TELLING.search(name) else field


def without_secrets(message: str) -> str:
    """A message of a library in which no address and no setting of the environment tells a secret."""
    message = _LINK.sub(lambda link: presentable(link[0]), message)
    for name in _SECRET_SETTINGS:
        value = os.environ.get(name, "")
        if len(value) >= _SHORTEST_SECRET:
            message = message.replace(value, HIDDEN)
    return message


def path_of(given: str) -> str:
    """An address of the web without its query, by whose end its format is told."""
    return urlunsplit(urlsplit(given)._replace(query="", fragment=""))


def _has_password(given: str) -> bool:
    """Whether an address has a user and a password, which may hold a slash, as those of Amazon do."""
    if scheme_of(given) is None:
        return False
    rest = given.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, at, _ = authority.rpartition("@")
    if at:
        return ":" in user
    port = "" if authority.startswith("[") else authority.partition(":")[2]
    return bool(port) and not port.isdigit() and "@" in rest
