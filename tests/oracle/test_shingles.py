"""The shingles of any text, against the naive reference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
import samestory
from strategies import SPECIMENS, shingle_shapes
from unicode_versions import shared_text


def check(text: str, unit: str, size: int) -> None:
    found = samestory.shingles(text, samestory.Config(shingle=f"{unit}:{size}"))
    assert set(found) == reference.shingles(text, unit, size)
    n_units = len(reference.units(text, unit))
    assert len(found) == (max(1, n_units - size + 1) if n_units else 0)


@given(shared_text(), shingle_shapes())
def test_equal_reference(text: str, shape: tuple[str, int]) -> None:
    check(text, *shape)


@given(st.lists(st.sampled_from(SPECIMENS), min_size=1, max_size=6), shingle_shapes())
def test_specimens_side_by_side(specimens: list[str], shape: tuple[str, int]) -> None:
    check("".join(specimens), *shape)
    check(" ".join(specimens), *shape)


@pytest.mark.parametrize("unit", ["word", "char"])
@pytest.mark.parametrize("before", ["", "x", "x" * 63, "x y " * 16, "é" * 40])
@pytest.mark.parametrize("specimen", SPECIMENS)
def test_specimens_around_the_end_of_a_block(specimen: str, before: str, unit: str) -> None:
    # Kernels go through a text in blocks of 64 bytes.
    check(before + specimen + " then plain words " * 5, unit, 3)


def test_in_the_order_of_the_text_with_repeats() -> None:
    found = samestory.shingles("One two, one TWO one", samestory.Config(shingle="word:2"))
    assert found == ["one two", "two one", "one two", "two one"]


@pytest.mark.parametrize("shingle", ["word:5", "char:9"])
def test_shorter_than_a_shingle_is_one_shingle(shingle: str) -> None:
    assert samestory.shingles("Dam opens!", samestory.Config(shingle=shingle)) == ["dam opens"]


@pytest.mark.parametrize("text", ["", " \n", "... — !", "\u0301", "\u200b\u200e"])
def test_nothing_to_say_has_none(text: str) -> None:
    assert samestory.shingles(text) == []
