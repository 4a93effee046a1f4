"""What texts of the index share, exactly."""

from __future__ import annotations

from concurrent.futures import Executor
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.config import Config
from samestory.index.folded import joined_texts
from samestory.index.lexicon import Coded, count_shared_coded
from samestory.index.state import Ints, State
from samestory.kernels.overlap import count_merged_pairs, hash_sorted
from samestory.normalise import FoldedTexts

_WORTH_A_THREAD: Final = 256


def decode(state: State, texts: Ints, executor: Executor | None = None, n_threads: int = 1) -> FoldedTexts:
    """Return the folded texts of some texts, in the given order; many of them by several threads."""
    coded = state.bank.collect(state.texts, texts)
    if executor is None or n_threads < 2 or len(texts) < _WORTH_A_THREAD:
        return state.lexicon.decode(coded)
    edges = np.linspace(0, len(texts), n_threads + 1).astype(int).tolist()
    parts = [Coded(coded.codes, coded.offsets[low : high + 1]) for low, high in pairwise(edges)]
    return joined_texts(list(executor.map(state.lexicon.decode, parts)))


def hash_texts(state: State, texts: Ints, config: Config) -> tuple[NDArray[np.uint64], Ints]:
    """Return the distinct shingle hashes of each text in order, one list after another, and their offsets."""
    folded = decode(state, texts)
    return hash_sorted(
        np.arange(len(texts)),
        folded.data,
        folded.offsets,
        config.shingle_unit == "char",
        config.shingle_size,
        state.texts["n_shingles"][texts],
    )


def count_pairs(state: State, first: Ints, second: Ints, config: Config) -> Ints:
    """Count the shingles that the two texts of each pair share."""
    if not len(first):
        return np.zeros(0, dtype=np.int64)
    texts, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    one, other = places[: len(first)], places[len(first) :]
    order = np.argsort(one, kind="stable")
    shared = np.empty(len(first), dtype=np.int64)
    if config.shingle_unit == "char":
        shared[order] = count_merged_pairs(one[order], other[order], *hash_texts(state, texts, config))
    else:
        coded = state.bank.collect(state.texts, texts)
        shared[order] = count_shared_coded(one[order], other[order], coded, config.shingle_size)
    return shared
