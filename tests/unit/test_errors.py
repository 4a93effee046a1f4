"""The errors: one family, each with a message and sometimes a hint."""

from __future__ import annotations

import pickle

import pytest

import samestory

NAMES = (
    "ConfigError",
    "SchemaError",
    "InputError",
    "OutputError",
    "IndexFormatError",
    "IndexMismatchError",
    "IndexLockedError",
    "MissingDependencyError",
)
ALSO = {"ConfigError": ValueError, "SchemaError": ValueError, "MissingDependencyError": ImportError}


@pytest.mark.parametrize("name", NAMES)
def test_one_family(name: str) -> None:
    error = getattr(samestory, name)
    assert issubclass(error, samestory.SamestoryError)
    assert issubclass(error, ALSO.get(name, Exception))
    assert name in samestory.__all__


@pytest.mark.parametrize("name", NAMES)
def test_hint_on_a_line_of_its_own(name: str) -> None:
    error = getattr(samestory, name)("row 5: no id", hint="name one")
    assert str(error) == "row 5: no id\nHint: name one"
    assert (error.message, error.hint) == ("row 5: no id", "name one")


def test_without_a_hint() -> None:
    error = samestory.InputError("news.csv: no such file")
    assert str(error) == "news.csv: no such file"
    assert error.hint is None


@pytest.mark.parametrize("hint", [None, "look again"])
def test_survives_the_way_to_another_process(hint: str | None) -> None:
    error = pickle.loads(pickle.dumps(samestory.InputError("broken", hint=hint)))
    assert type(error) is samestory.InputError
    assert str(error) == str(samestory.InputError("broken", hint=hint))
