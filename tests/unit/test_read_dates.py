"""Dates of every usual kind."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from samestory.config import Config
from samestory.read import open_source
from samestory.read.dates import parse_date, to_timestamps
from samestory.schema import TIMESTAMP

UTC = timezone.utc
EIGHT = datetime(2016, 5, 16, 8, tzinfo=UTC)

SPELLINGS = {
    "2016-05-16T08:00:00Z": EIGHT,
    "2016-05-16T08:00:00": EIGHT,
    "2016-05-16 08:00": EIGHT,
    "2016-05-16T10:00:00+0200": EIGHT,
    "2016-05-16T10:00:00+02:00": EIGHT,
    "2016-05-16 02:30:00 -05:30": EIGHT,
    "2016-05-16T08:00:00.250Z": EIGHT + timedelta(milliseconds=250),
    "2016-05-16T08:00:00.123456789Z": EIGHT + timedelta(microseconds=123456),
    "2016-05-16": datetime(2016, 5, 16, tzinfo=UTC),
    "20160516": datetime(2016, 5, 16, tzinfo=UTC),
    "20160516T080000Z": EIGHT,
    "20160516080000": EIGHT,
    "  2016-05-16T08:00:00Z ": EIGHT,
    "2016-05-16 08:00:00 UTC": EIGHT,
    "Mon, 16 May 2016 08:00:00 GMT": EIGHT,
    "Mon, 16 May 2016 10:00:00 +0200": EIGHT,
    "1463385600": EIGHT,
    "1463385600000": EIGHT,
}


@pytest.mark.parametrize(("spelling", "expected"), SPELLINGS.items())
def test_each_spelling_alone(spelling, expected):
    converted, undated = to_timestamps(pa.array([spelling]))
    assert converted.type == TIMESTAMP
    assert converted.to_pylist() == [expected]
    assert len(undated) == 0


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_all_spellings_in_one_column(kind):
    column = pa.array([*SPELLINGS, None, "", "soon"], pa.string()).cast(kind)
    converted, undated = to_timestamps(column)
    assert converted.to_pylist() == [*SPELLINGS.values(), None, None, None]
    assert undated.tolist() == [len(SPELLINGS) + 2]


@pytest.mark.parametrize(
    "value", ["soon", "2016-13-01", "2016-02-30T08:00:00Z", "16.05.2016 um acht", "99", "nan", "-"]
)
def test_what_is_no_date(value):
    assert parse_date(value) is None
    good = "2016-05-16T08:00:00Z"
    converted, undated = to_timestamps(pa.array([good, value, good]))
    assert converted.to_pylist() == [EIGHT, None, EIGHT]
    assert undated.tolist() == [1]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/Lima"])
def test_timestamps_of_any_unit_and_zone(unit, zone):
    naive = pa.array([datetime(2016, 5, 16, 8), None]).cast(pa.timestamp(unit))
    column = naive if zone is None else naive.cast(pa.timestamp(unit, zone))
    assert to_timestamps(column)[0].to_pylist() == [EIGHT, None]


def test_nanoseconds_are_cut():
    column = pa.array([1463385600_123456789], pa.timestamp("ns"))
    assert to_timestamps(column)[0].to_pylist() == [EIGHT + timedelta(microseconds=123456)]


def test_timestamps_out_of_reach_are_undated():
    column = pa.array([2**62, 1463385600], pa.timestamp("s"))
    converted, undated = to_timestamps(column)
    assert converted.to_pylist() == [None, EIGHT]
    assert undated.tolist() == [0]


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_days(kind):
    assert to_timestamps(pa.array([date(2016, 5, 16)], kind))[0].to_pylist() == [
        datetime(2016, 5, 16, tzinfo=UTC)
    ]


@pytest.mark.parametrize("number", [1463385600, 1463385600_000, 1463385600_000_000, 1463385600_000_000_000])
def test_numbers_by_their_size(number):
    assert to_timestamps(pa.array([number, None]))[0].to_pylist() == [EIGHT, None]
    assert to_timestamps(pa.array([float(number)]))[0].to_pylist() == [EIGHT]


def test_microseconds_are_exact():
    number = 1463385600_123457
    assert to_timestamps(pa.array([number]))[0].cast(pa.int64()).to_pylist() == [number]


def test_undated_rows_are_counted_with_the_first_named(tmp_path):
    (tmp_path / "a.csv").write_text("id,text,date\n1,a,2020-01-01\n2,b,demnächst\n3,c,\n4,d,Mañana\n")
    with open_source(tmp_path / "a.csv", Config()) as source:
        for _ in range(2):
            rows = [row for batch in source.batches() for row in batch.to_pylist()]
        assert [row["published_at"] is None for row in rows] == [False, True, True, True]
        (warning,) = source.warnings
        assert "2 dates" in warning
        assert "demnächst" in warning
        assert "a.csv:2" in warning


def test_no_warning_without_a_cause():
    with open_source(pa.table({"text": ["a"], "date": ["2020-01-01"]}), Config()) as source:
        list(source.batches())
        assert source.warnings == []


def test_json_dates_of_several_kinds(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"text": "a", "date": 1463385600}\n{"text": "b", "date": "2016-05-16T08:00:00Z"}\n'
        '{"text": "c", "date": 1463385600.5}\n'
    )
    with open_source(tmp_path / "a.jsonl", Config()) as source:
        dates = [row["published_at"] for batch in source.batches() for row in batch.to_pylist()]
    assert dates == [EIGHT, EIGHT, EIGHT + timedelta(seconds=0.5)]
