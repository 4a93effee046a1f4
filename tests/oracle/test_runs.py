"""Fingerprints: rolling keys, the share of them that is kept, and their order, against plain Python."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numba
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from samestory.fingerprints import N_PARTITIONS, Runs, sample, sort_postings
from samestory.kernels.runs import LOCAL_BITS, PARTITION_BITS, run_keys, sample_runs
from samestory.normalise import FoldedTexts, normalise
from strategies import story_words, wild_text

WORD = (1 << 64) - 1
FACTOR = 0x9E3779B97F4A7C15
STEP = 0xD6E8FEB86659FD93
MIX = 0xFF51AFD7ED558CCD
LOCAL = (1 << LOCAL_BITS) - 1


def multiply_fold(a: int, b: int) -> int:
    return ((a * b) & WORD) ^ ((a * b) >> 64)


def unit_key(unit: bytes) -> int:
    """The key of one word or character: eight bytes at a time, at least one of them in the last step."""
    key = len(unit) * FACTOR & WORD
    n_whole = max(0, (len(unit) - 1) // 8)
    for i in range(n_whole):
        key = multiply_fold(int.from_bytes(unit[8 * i : 8 * i + 8], "little") ^ key, STEP)
    return multiply_fold(int.from_bytes(unit[8 * n_whole :], "little") ^ key, FACTOR)


def key_of(units: list[bytes]) -> int:
    """The key of one run, from nothing but its units."""
    rolled = 0
    for unit in units:
        rolled = (rolled * FACTOR + unit_key(unit)) & WORD
    key = (rolled ^ (rolled >> 29)) * MIX & WORD
    return key ^ (key >> 32)


def keys_of(text: str, by_character: bool, size: int) -> list[int]:
    units = [unit.encode() for unit in (text if by_character else text.split(" ")) if unit]
    if not units:
        return []
    size = min(size, len(units))
    return [key_of(units[i : i + size]) for i in range(len(units) - size + 1)]


@numba.njit
def roll(
    data: NDArray[np.uint8], start: int, end: int, by_character: bool, size: int
) -> tuple[NDArray[np.uint64], int]:
    ends = np.empty(end - start + 1, dtype=np.int64)
    units = np.empty(end - start + 1, dtype=np.uint64)
    keys = np.empty(end - start + 1, dtype=np.uint64)
    n, n_units = run_keys(data, start, end, by_character, size, ends, units, keys)
    return keys[:n], n_units


def fold(texts: list[str], by_character: bool) -> FoldedTexts:
    return normalise(pa.array(texts, pa.large_string()), unit="char" if by_character else "word")


def texts(max_size: int = 6) -> st.SearchStrategy[list[str]]:
    one = st.one_of(wild_text(), story_words(max_size=60).map(" ".join), st.just(""))
    return st.lists(one, max_size=max_size)


@given(texts(), st.booleans(), st.integers(1, 30))
def test_rolled_keys_are_those_from_scratch(found: list[str], by_character: bool, size: int) -> None:
    folded = fold(found, by_character)
    for i in range(len(folded)):
        keys, n_units = roll(folded.data, folded.offsets[i], folded.offsets[i + 1], by_character, size)
        text = folded.text(i)
        assert keys.tolist() == keys_of(text, by_character, size)
        assert n_units == (len(text) if by_character else len(text.split()))


def entries_of(folded: FoldedTexts, by_character: bool, size: int, shift: int) -> list[int]:
    """One entry for each run whose highest bits are 0, by plain Python."""
    return [
        ((key << shift) & WORD & ~LOCAL) | i
        for i in range(len(folded))
        for key in keys_of(folded.text(i), by_character, size)
        if key < 1 << (64 - shift)
    ]


@given(texts(), st.booleans(), st.integers(1, 9), st.integers(1, 6))
def test_what_is_kept_is_under_the_limit(found: list[str], by_character: bool, size: int, shift: int) -> None:
    folded = fold(found, by_character)
    entries, partitions = sample_runs(folded.data, folded.offsets, by_character, size, shift)
    assert sorted(entries.tolist()) == sorted(entries_of(folded, by_character, size, shift))
    assert partitions.tolist()[0] == 0
    assert partitions.tolist()[-1] == len(entries)
    for p in range(N_PARTITIONS):
        part = entries[partitions[p] : partitions[p + 1]]
        assert {int(entry) >> (64 - PARTITION_BITS) for entry in part} <= {p}


def entries_of_sample(folded: FoldedTexts, runs: Runs) -> list[int]:
    """The entries as the library takes them."""
    entries, _ = sample_runs(folded.data, folded.offsets, runs.by_character, runs.size, runs.shift)
    return [int(entry) for entry in entries]


def test_a_run_is_kept_wherever_it_stands() -> None:
    rng = np.random.default_rng(3)
    parts = [f"word{k}" for k in rng.integers(0, 400, 300)]
    passage = parts[100:160]
    alone, inside = fold([" ".join(passage)], False), fold([" ".join(parts)], False)
    runs = Runs.of_corpus(False)
    kept = [{entry & ~LOCAL for entry in entries_of_sample(folded, runs)} for folded in (alone, inside)]
    assert kept[0] <= kept[1]
    assert 0 < len(kept[0]) < len(kept[1])


@pytest.mark.parametrize("by_character", [False, True])
def test_about_the_promised_share_is_kept(by_character: bool) -> None:
    rng = np.random.default_rng(4)
    found = [" ".join(f"w{k}" for k in rng.integers(0, 10**6, 400)) for _ in range(100)]
    folded = fold(found, by_character)
    runs = Runs.of_corpus(by_character)
    n_units = sum(len(folded.text(i)) if by_character else 400 for i in range(100))
    kept = len(entries_of_sample(folded, runs))
    assert kept == pytest.approx(n_units / 2**runs.shift, rel=0.08)


def in_batches(found: list[str], cuts: list[int]) -> list[list[str]]:
    bounds = [0, *sorted(min(cut, len(found)) for cut in cuts), len(found)]
    return [found[a:b] for a, b in pairwise(bounds)]


@given(
    texts(max_size=9),
    st.lists(st.integers(0, 9), max_size=3),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_postings_are_what_two_or_more_have_in_order(
    found: list[str], cuts: list[int], by_character: bool, source: random.Random
) -> None:
    found = found + found[:3]  # some that share everything
    runs = Runs.of_corpus(by_character)
    batches = [fold(part, by_character) for part in in_batches(found, cuts)]
    ranks = np.array(sorted(range(len(found)), key=lambda _: source.random()), dtype=np.int32)
    rank_bits = max(1, (len(found) - 1).bit_length()) if found else 1
    having: dict[tuple[int, int], list[int]] = {}
    doc = 0
    for folded in batches:
        for entry in entries_of_sample(folded, runs):
            key = (((entry & ~LOCAL) << PARTITION_BITS) & WORD) >> rank_bits << rank_bits
            place = having.setdefault((entry >> (64 - PARTITION_BITS), key), [])
            place.append(int(ranks[doc + (entry & LOCAL)]))
        doc += len(folded)
    expected: list[list[int]] = [[] for _ in range(N_PARTITIONS)]
    n_single = [0] * len(found)
    for (p, key), members in having.items():
        if len(set(members)) > 1:
            expected[p] += [key | rank for rank in members]
        else:
            n_single[members[0]] += 1
    with ThreadPoolExecutor(2) as executor:
        samples = [sample(folded, runs) for folded in batches]
        postings = sort_postings(samples, [len(folded) for folded in batches], ranks, executor)
    assert postings.rank_bits == rank_bits
    assert [partition.tolist() for partition in postings.partitions] == [sorted(part) for part in expected]
    assert postings.n_single.tolist() == n_single
    assert samples == []  # their memory is given back


def test_too_large_a_batch_is_refused() -> None:
    n = (1 << LOCAL_BITS) + 1
    folded = FoldedTexts(np.zeros(64, dtype=np.uint8), np.zeros(n + 1, dtype=np.int64))
    with pytest.raises(ValueError, match="too large"):
        sample(folded, Runs.of_corpus(False))
