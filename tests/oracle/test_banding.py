"""Bands and rows follow from threshold and recall, and the S-curve says how often pairs meet."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import samestory
from samestory.normalise import normalise
from samestory.params import Banding, choose_banding
from samestory.signature import sketch

ROUNDING = 1e-9


def bands_needed(threshold: float, recall: float, rows: int) -> int:
    """The fewest bands of so many rows that reach the recall, by trying."""
    bands = 1
    while Banding(bands=bands, rows_per_band=rows).chance(threshold) < recall - ROUNDING:
        bands *= 2
        if bands > 4096:
            return bands
    low = bands // 2
    while bands - low > 1:
        middle = (low + bands) // 2
        if Banding(bands=middle, rows_per_band=rows).chance(threshold) < recall - ROUNDING:
            low = middle
        else:
            bands = middle
    return bands


@given(st.floats(0.05, 1.0), st.floats(0.01, 0.999999), st.integers(2, 1024))
@example(0.7, 0.99, 128)
@example(1.0, 0.99, 128)
@example(0.05, 0.99, 256)
def test_most_rows_that_reach_the_recall(threshold: float, recall: float, num_perm: int) -> None:
    try:
        chosen = choose_banding(threshold, recall, num_perm)
    except samestory.ConfigError:
        assert bands_needed(threshold, recall, 1) > num_perm
        return
    assert chosen.bands >= 1
    assert 1 <= chosen.bands * chosen.rows_per_band <= num_perm
    assert chosen.chance(threshold) >= recall - ROUNDING
    assert chosen.bands == bands_needed(threshold, recall, chosen.rows_per_band)
    more = chosen.rows_per_band + 1
    assume(more <= num_perm)
    assert bands_needed(threshold, recall, more) * more > num_perm


@pytest.mark.parametrize(
    ("threshold", "recall", "num_perm"), [(0.3, 0.99, 2), (0.05, 0.99, 64), (0.7, 1 - 1e-12, 8)]
)
def test_too_few_permutations(threshold: float, recall: float, num_perm: int) -> None:
    with pytest.raises(samestory.ConfigError, match=f"num_perm is {num_perm}:") as error:
        choose_banding(threshold, recall, num_perm)
    assert "raise num_perm" in str(error.value.hint)


@pytest.mark.parametrize("threshold", [0.001, 1e-9, 1e-300])
def test_a_hopeless_threshold_is_a_config_error(threshold: float) -> None:
    with pytest.raises(samestory.ConfigError):
        choose_banding(threshold, 0.99, 128)


def test_the_curve_rises_with_similarity_and_bands() -> None:
    curve = [Banding(bands=20, rows_per_band=5).chance(step / 50) for step in range(51)]
    assert curve == sorted(curve)
    assert curve[0] == 0.0
    assert curve[-1] == pytest.approx(1.0)
    assert Banding(bands=1, rows_per_band=3).chance(0.5) == pytest.approx(0.125)
    assert Banding(bands=2, rows_per_band=3).chance(0.5) == pytest.approx(1 - 0.875**2)


@pytest.mark.parametrize("shared", [30, 50, 65, 80])
def test_pairs_meet_as_often_as_the_curve_says(shared: int) -> None:
    # Pairs of texts of 100 words each between them, `shared` in both: of that Jaccard exactly.
    n_pairs, config = 1500, samestory.Config(shingle="word:1", num_perm=64)
    banding = Banding(bands=12, rows_per_band=4)
    texts = []
    for pair in range(n_pairs):
        words = [f"w{pair}x{k}" for k in range(100)]
        own = (100 - shared) // 2
        texts += [" ".join(words[: shared + own]), " ".join(words[:shared] + words[shared + own :])]
    keys = sketch(normalise(pa.array(texts, pa.large_string()), unit="word"), config, banding).band_keys
    assert keys.shape == (12, 2 * n_pairs)
    observed = float((keys[:, 0::2] == keys[:, 1::2]).any(axis=0).mean())
    chance = banding.chance(shared / 100)
    spread = (chance * (1 - chance) / n_pairs) ** 0.5
    assert observed == pytest.approx(chance, abs=5 * spread + 0.002)
