"""What texts of the index share, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from samestory.config import Config
from samestory.index.lexicon import count_shared_coded
from samestory.index.state import Ints, State
from samestory.kernels.overlap import count_merged_pairs, hash_sorted
from samestory.normalise import FoldedTexts


def decode(state: State, texts: Ints) -> FoldedTexts:
    """Return the folded texts of some texts, in the given order."""
    return state.lexicon.decode(state.bank.collect(state.texts, texts))


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
