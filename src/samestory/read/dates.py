"""Dates of every usual kind, as UTC timestamps; what cannot be understood is null."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from samestory.schema import TIMESTAMP

_MICROSECONDS: Final = pa.timestamp("us")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST: Final = (datetime.min.replace(tzinfo=timezone.utc) - _EPOCH) // timedelta(microseconds=1)
_LAST: Final = (datetime.max.replace(tzinfo=timezone.utc) - _EPOCH) // timedelta(microseconds=1)
_ZONED: Final = r"^\d{4}-\d{2}-\d{2}[ T]\d{2}(:\d{2}){0,2}(\.\d{1,6})?(Z|[+-]\d{2}(:?\d{2})?)$"
_NAIVE: Final = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}(:\d{2}){0,2}(\.\d{1,6})?)?$"
_ISO: Final = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:[Tt ]*(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?"
    r"\s*(Z|z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?"
)
_EPOCH_NUMBER: Final = re.compile(r"-?\d{9,19}(\.\d+)?")
_COMPACT: Final = re.compile(r"(?:19|20)\d{6}(?:\d{6})?")  # 20160516, 20160516083000
# Up to 1e11 seconds is the year 5138; the same number of milliseconds is 1973, and so on.
_MAGNITUDES: Final = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0), (1e20, 1e-3))


def to_timestamps(values: pa.Array) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Convert a column to `schema.TIMESTAMP`.

    Parameters
    ----------
    values : pa.Array
        Timestamps (without a zone they are UTC), dates, strings in ISO 8601 or RFC 2822, numbers
        (seconds, milliseconds, microseconds or nanoseconds since 1970, by their size), or nulls.

    Returns
    -------
    timestamps : pa.Array
        As many, null where there was none or it could not be understood.
    undated : ndarray of int64
        Where a value was there and could not be understood.
    """
    kind = values.type
    if types.is_null(kind):
        return pa.nulls(len(values), TIMESTAMP), np.empty(0, np.int64)
    if types.is_timestamp(kind) or types.is_date(kind):
        converted = _from_temporal(values)
    elif types.is_integer(kind) or types.is_floating(kind):
        converted = _from_numbers(values)
    else:
        values = values.cast(pa.large_string())
        values = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.large_string()), values)
        converted = _from_strings(values)
    if converted.null_count == values.null_count:
        return converted, np.empty(0, np.int64)
    lost = pc.and_(converted.is_null(), values.is_valid())
    return converted, np.flatnonzero(lost.to_numpy(zero_copy_only=False)).astype(np.int64)


def _from_temporal(values: pa.Array) -> pa.Array:
    target = TIMESTAMP if getattr(values.type, "tz", None) else _MICROSECONDS
    try:
        options = pc.CastOptions(target, allow_time_truncate=True)
        return pc.cast(values, options=options).cast(TIMESTAMP)
    except pa.ArrowInvalid:
        # Some value is out of reach of microseconds: the ones at fault alone become null.
        return pa.array([_in_reach(value, target) for value in values], TIMESTAMP)


def _in_reach(value: pa.Scalar, target: pa.DataType) -> int | None:
    if not value.is_valid:
        return None
    try:
        one = pc.cast(value, options=pc.CastOptions(target, allow_time_truncate=True))
    except pa.ArrowInvalid:
        return None
    return int(one.value)


def _from_numbers(values: pa.Array) -> pa.Array:
    floats = values.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False)
    sizes = np.abs(floats)
    factors = np.select([sizes < limit for limit, _ in _MAGNITUDES], [f for _, f in _MAGNITUDES], np.nan)
    micros = floats * factors
    missing = ~np.isfinite(micros)
    whole = np.where(missing, 0.0, micros).round().astype(np.int64)
    if types.is_integer(values.type):
        # A float has 53 bits: microseconds since 1970 fit until 2255, but let whole numbers stay exact.
        exact = values.cast(pa.int64(), safe=False).fill_null(0).to_numpy(zero_copy_only=False)
        whole = np.where(factors == 1.0, exact, whole)
    return pa.array(whole, pa.int64(), mask=missing).cast(TIMESTAMP)


def _from_strings(values: pa.Array) -> pa.Array:
    """All at once where all are of one ISO form, else form by form, the rest one by one."""
    for target in (TIMESTAMP, _MICROSECONDS):
        try:
            return values.cast(target).cast(TIMESTAMP)
        except pa.ArrowInvalid:
            continue
    rest = values.is_valid()
    result = pa.nulls(len(values), TIMESTAMP)
    for pattern, target in ((_ZONED, TIMESTAMP), (_NAIVE, _MICROSECONDS)):
        matches = pc.match_substring_regex(values, pattern).fill_null(False)
        try:
            converted = values.filter(matches).cast(target).cast(TIMESTAMP)
        except pa.ArrowInvalid:
            continue  # One of them has, say, a thirteenth month: they all go the slow way.
        result = pc.replace_with_mask(result, matches, converted)
        rest = pc.and_not(rest, matches)
    return pc.replace_with_mask(result, rest, _one_by_one(values.filter(rest)))


def _one_by_one(values: pa.Array) -> pa.Array:
    encoded = values.dictionary_encode()
    parsed = pa.array([parse_date(value) for value in encoded.dictionary.to_pylist()], TIMESTAMP)
    return parsed.take(encoded.indices)


def parse_date(value: str) -> int | None:
    """Microseconds since 1970 in UTC for one date in words or digits, None if it is no date."""
    value = value.strip()
    try:
        if _EPOCH_NUMBER.fullmatch(value) and not _COMPACT.fullmatch(value):
            number = _from_numbers(pa.array([float(value) if "." in value else int(value)]))[0]
            return int(number.value) if number.is_valid else None
        match = _ISO.fullmatch(value)
        moment = parsedate_to_datetime(value) if match is None else _from_iso(match)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return (moment - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _from_iso(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    micros = int(((fraction or "") + "000000")[:6])
    return datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        micros,
        _zone(zone),
    )


def _zone(zone: str | None) -> timezone:
    if zone is None or zone[0] not in "+-":
        return timezone.utc
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if zone[0] == "-" else offset)


def usual(moments: Any) -> Any:
    """Return moments as they are, null for those out of the years 1 to 9999, all that Python has."""
    numbers = moments.cast(pa.int64())
    is_usual = pc.and_(pc.greater_equal(numbers, _FIRST), pc.less_equal(numbers, _LAST))
    return pc.if_else(is_usual, moments, pa.scalar(None, moments.type))
