"""JSON one line at a time: what the head of a file tells, and blocks that the fast parser refuses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from samestory.read.chunk import Wanted, jsonable, shown

# Control characters in strings are a common defect that does no harm. This decoder must accept
# all that the fast one accepts, or a second pass might find other rows than the first.
_DECODER: Final = json.JSONDecoder(strict=False)
_KINDS: Final = {dict: "an object", list: "a list", bool: "a truth value", int: "a number", float: "a number"}
# Which types of value can serve, besides strings and null.
_SCALARS: Final[dict[str, tuple[type, ...]]] = {
    "doc_id": (int,),
    "text": (),
    "title": (int, float, bool),
    "source": (int, float, bool),
    "url": (int, float, bool),
    "published_at": (int, float),
}


def head_fields(lines: Sequence[bytes]) -> pa.Schema | None:
    """Columns of the objects among some lines, None if there are none.

    Columns of strings stay strings (dates too), and so do those of several kinds of values. The
    type is null where it is left for the parser to find out: nothing but nulls, objects or lists.
    """
    kinds: dict[str, set[type]] = {}
    found = False
    for line in lines:
        try:
            value = _DECODER.decode(line.decode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            found = True
            for name, item in value.items():
                kinds.setdefault(_clean(name), set()).add(type(item))
    if not found:
        return None
    return pa.schema([(name, _type_of(seen - {type(None)})) for name, seen in kinds.items()])


def _type_of(seen: set[type]) -> pa.DataType:
    if seen == {int}:
        return pa.int64()
    if seen and seen <= {int, float}:
        return pa.float64()
    if seen == {bool}:
        return pa.bool_()
    return pa.null() if not seen or seen <= {dict, list} else pa.string()


def known_types(head: pa.Schema | None) -> pa.Schema:
    """Types by which the fast parser reads all columns; it infers those that are not among them."""
    return pa.schema([] if head is None else [field for field in head if field.type != pa.null()])


def wanted_types(wanted: Wanted, head: pa.Schema | None) -> pa.Schema:
    """Types by which the fast parser reads the wanted columns."""
    allowed = {"doc_id": (pa.int64(),), "published_at": (pa.int64(), pa.float64())}
    others = (pa.int64(), pa.float64(), pa.bool_())
    types: dict[str, pa.DataType] = {}
    for role, column in wanted.items():
        seen = head.field(column).type if head is not None and column in head.names else pa.string()
        fits = role != "text" and seen in allowed.get(role, others)
        # A column of two roles is read as the stricter one has it.
        types[column] = seen if fits and types.get(column) != pa.string() else pa.string()
    return pa.schema(list(types.items()))


def parse_lines(
    lines: Sequence[bytes], wanted: Wanted | None
) -> tuple[dict[int, dict[str, Any]], dict[int, str]]:
    """Parse lines one by one.

    Returns
    -------
    objects : dict
        For each good line, by its place in `lines`, its object; with `wanted` only those columns,
        as strings.
    faults : dict
        For each other line what is wrong with it.
    """
    objects: dict[int, dict[str, Any]] = {}
    faults: dict[int, str] = {}
    for i, line in enumerate(lines):
        try:
            value = _DECODER.decode(line.decode("utf-8", "surrogateescape"))
        except json.JSONDecodeError as error:
            faults[i] = f"not valid JSON ({error.msg}, at character {error.pos + 1})"
        except (ValueError, RecursionError) as error:
            faults[i] = f"not valid JSON ({error})"
        else:
            if not isinstance(value, dict):
                faults[i] = "not a JSON object"
                continue
            try:
                objects[i] = value if wanted is None else _strings(value, wanted)
            except ValueError as error:
                faults[i] = str(error)
    return objects, faults


def _strings(value: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for role, column in wanted.items():
        item = value.get(column)
        if item is None or isinstance(item, str):
            _check_text(column, item)
        elif type(item) in _SCALARS[role]:
            item = json.dumps(item)
        else:
            raise ValueError(f"column {column!r} is {_KINDS[type(item)]}, not text: {_shortly(item)}")
        found[column] = item
    return found


def _check_text(column: str, item: str | None) -> None:
    try:
        if item is not None and not item.isascii():
            item.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"column {column!r} is not valid Unicode (at character {error.start + 1})") from None


def _shortly(item: object) -> str:
    return shown(json.dumps(item))


def columns_of(rows: list[dict[str, Any]], names: Sequence[str], *, as_strings: bool) -> pa.RecordBatch:
    """Objects as columns: the named ones as strings, or these and all others of the types they have."""
    names = list(dict.fromkeys(names))
    if as_strings:
        arrays = [pa.array([row[name] for row in rows], pa.string()) for name in names]
        return pa.RecordBatch.from_arrays(arrays, names=names)
    names = list(dict.fromkeys([*names, *(name for row in rows for name in row)]))
    arrays = [_as_column([row.get(name) for row in rows]) for name in names]
    return pa.RecordBatch.from_arrays(arrays, names=[_clean(name) for name in names])


def _as_column(values: list[Any]) -> pa.Array:
    """Values of one type as they are, of several as strings, those of other types as JSON."""
    try:
        return pa.array(values)
    except (pa.ArrowException, UnicodeEncodeError, OverflowError, TypeError, ValueError):
        return pa.array([None if value is None else _clean(_text(value)) for value in values], pa.string())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=jsonable)


def _clean(text: str) -> str:
    """Text that can be encoded: lone surrogates become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
