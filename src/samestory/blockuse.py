"""Which blocks of furniture the stretches cut from articles are made of.

A stretch may be pieced together from several blocks, and each of them is needed
to find it again.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from samestory.fingerprints import Runs
from samestory.kernels.furniture import hash_blocks
from samestory.normalise import FoldedTexts

Ints: TypeAlias = NDArray[np.int64]
Keys: TypeAlias = NDArray[np.uint64]


class BlockUse:
    """Counts the articles from which something of each block was cut.

    Parameters
    ----------
    keys, key_offsets : arrays
        The salted keys of the runs of each block, as `hash_blocks` gives them.
    is_strong : bool array
        Of each block, whether many pages have it.
    runs : Runs
    """

    def __init__(self, keys: Keys, key_offsets: Ints, is_strong: NDArray[np.bool_], runs: Runs) -> None:
        owners = np.repeat(np.arange(len(key_offsets) - 1), np.diff(key_offsets))
        self._n_blocks = len(is_strong)
        self._runs = runs
        # The first block that has a run owns it, the first strong one may make it strong.
        self._owned = [_firsts(keys, owners), _firsts(keys[is_strong[owners]], owners[is_strong[owners]])]

    def count(self, folded: FoldedTexts, articles: Ints, salts: Keys, cuts: Ints, cut_offsets: Ints) -> Ints:
        """Return for each block from how many articles something of it was cut.

        Parameters
        ----------
        folded : FoldedTexts
        articles : int64 array
            Places of the articles.
        salts : uint64 array
            Key of each one's site.
        cuts, cut_offsets : arrays
            As `samestory.kernels.furniture.find_cuts` gives them.
        """
        which = np.repeat(np.arange(len(articles)), np.diff(cut_offsets))
        stretches = _taken(folded, folded.offsets[articles[which]] + cuts[:, 0], cuts[:, 1] - cuts[:, 0])
        keys, key_offsets = hash_blocks(
            stretches.data, stretches.offsets, salts[which], self._runs.by_character, self._runs.size
        )
        article_of_run = np.repeat(which, np.diff(key_offsets))
        used = [np.zeros(0, dtype=np.int64)]
        for owned, owners in self._owned:
            places = np.minimum(np.searchsorted(owned, keys), max(len(owned) - 1, 0))
            found = owned[places] == keys if len(owned) else np.zeros(len(keys), dtype=np.bool_)
            used.append(article_of_run[found] * self._n_blocks + owners[places[found]])
        blocks = np.unique(np.concatenate(used)) % max(self._n_blocks, 1)
        return np.bincount(blocks, minlength=self._n_blocks).astype(np.int64)


def _firsts(keys: Keys, owners: Ints) -> tuple[Keys, Ints]:
    """Return the distinct keys in order, and the first of the blocks that has each."""
    distinct, places = np.unique(keys, return_index=True)
    return distinct, owners[places]


def _taken(folded: FoldedTexts, begins: Ints, sizes: Ints) -> FoldedTexts:
    """Return some stretches of texts one after another, with room after them for reading ahead."""
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    data = np.zeros(int(offsets[-1]) + 64, dtype=np.uint8)
    data[: offsets[-1]] = folded.data[np.repeat(begins - offsets[:-1], sizes) + np.arange(offsets[-1])]
    return FoldedTexts(data, offsets)
