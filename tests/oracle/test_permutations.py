"""The permutations, drawn without datasketch, are those that datasketch draws."""

from __future__ import annotations

import datasketch
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samestory.params import permutations


def check(num_perm: int, seed: int) -> None:
    factors, addends = permutations(num_perm, seed)
    expected = datasketch.MinHash(num_perm=num_perm, seed=seed, scheme="affine32").permutations
    assert factors.dtype == addends.dtype == np.uint32
    np.testing.assert_array_equal(factors, np.asarray(expected[0]).reshape(-1))
    np.testing.assert_array_equal(addends, np.asarray(expected[1]).reshape(-1))


@given(st.integers(2, 1024), st.integers(0, 2**32 - 1))
def test_equal_datasketch(num_perm: int, seed: int) -> None:
    check(num_perm, seed)


@pytest.mark.parametrize("num_perm", [2, 128, 1024])
@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_equal_datasketch_at_the_ends(num_perm: int, seed: int) -> None:
    check(num_perm, seed)


def test_factors_are_odd() -> None:
    factors, _ = permutations(1024, 1)
    assert (factors % 2 == 1).all()
