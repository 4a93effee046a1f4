"""Which of the input's columns is what: by name, or as the configuration says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import pyarrow as pa
from pyarrow import types

from samestory.config import Config
from samestory.errors import SchemaError
from samestory.schema import ROLES

Columns = dict[str, "str | None"]

_OPTIONS: Final = {
    "doc_id": "id",
    "text": "text",
    "title": "title",
    "source": "source",
    "url": "url",
    "published_at": "date",
}


def find_columns(schema: pa.Schema, config: Config, where: str) -> Columns:
    """Name of the input's column for each role, None where it has none.

    Parameters
    ----------
    schema : pa.Schema
        The input's columns.
    config : Config
        Its ``*_column`` settings go before the usual names.
    where : str
        The input's name, for messages.

    Raises
    ------
    SchemaError
        A column that the configuration names is missing, there is neither text nor title, or a
        column's type cannot serve.
    """
    found: Columns = {}
    for role, aliases in ROLES.items():
        option = _OPTIONS[role]
        chosen = getattr(config, f"{option}_column")
        found[role] = _find(schema.names, (chosen,) if chosen else aliases)
        if chosen and found[role] is None:
            raise SchemaError(
                f"{where}: no column {chosen!r} ({_listed(schema.names)})",
                hint=f"name one of the columns with --{option}-column",
            )
    if found["text"] is None and found["title"] is None:
        raise SchemaError(
            f"{where}: no column that could be the text or the title ({_listed(schema.names)})",
            hint="name it with --text-column; CSV needs a header row",
        )
    _check_types(schema, found, where)
    return found


def _find(names: list[str], aliases: Iterable[str]) -> str | None:
    """First alias that is present: spelt so if possible, else in other letter case."""
    present = set(names)
    lowered: dict[str, str] = {}
    for name in names:
        lowered.setdefault(name.casefold(), name)
    for alias in aliases:
        if alias in present:
            return alias
        if alias.casefold() in lowered:
            return lowered[alias.casefold()]
    return None


def _listed(names: list[str]) -> str:
    return f"the columns are {', '.join(map(repr, names))}" if names else "there are no columns"


def _check_types(schema: pa.Schema, found: Mapping[str, str | None], where: str) -> None:
    repeated = {name for name, count in Counter(schema.names).items() if count > 1}
    for role, column in found.items():
        option = f"--{_OPTIONS[role]}-column"
        if column is None:
            continue
        if column in repeated:
            raise SchemaError(
                f"{where}: there is more than one column {column!r}", hint=f"name another one with {option}"
            )
        kind = schema.field(column).type
        if not _can_serve(role, kind):
            raise SchemaError(
                f"{where}: column {column!r} is of type {kind}, which cannot be the {role}",
                hint=f"name another column with {option}, or convert it",
            )


def is_string(kind: pa.DataType) -> bool:
    """Whether values of this type are strings, however stored."""
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _can_serve(role: str, kind: pa.DataType) -> bool:
    if is_string(kind) or types.is_null(kind):
        return True
    if role == "text":
        return False
    if role == "doc_id":
        return bool(types.is_integer(kind))
    if role == "published_at":
        return bool(
            types.is_timestamp(kind)
            or types.is_date(kind)
            or types.is_integer(kind)
            or types.is_floating(kind)
        )
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_decimal(kind)
        or types.is_date(kind)
        or types.is_timestamp(kind)
    )
