"""Texts in the order in which they are wanted, many at a time, when they are in a file.

What belongs together is spread over the whole input: to look for the texts of each round in the file would
read it once a round. They are brought into the order of the rounds first, as an external sort does it: the
file is read once and written once, a batch of articles at a time, and each round then reads its share of
every batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from samestory.corpus import Corpus, _workspace
from samestory.errors import OutputError
from samestory.kernels.buckets import gather_texts
from samestory.normalise import FoldedTexts
from samestory.scratch import ScratchFile
from samestory.threads import in_order

Ints: TypeAlias = NDArray[np.int64]
_LEAST_SETS: Final = 3
"""Fewer are as soon read from where they are."""


@dataclass(frozen=True)
class _Piece:
    """The texts of one batch in the file, by round.

    Attributes
    ----------
    begin : int
        In the file.
    firsts : int64 array
        The first text of each round, and the end.
    starts : int64 array
        The byte at which each of these begins.
    places : int32 array
        Of each text among those of all rounds.
    """

    begin: int
    firsts: Ints
    starts: Ints
    places: NDArray[np.int32]


def collect_each(corpus: Corpus, wanted: list[Ints]) -> Iterator[FoldedTexts]:
    """Bring the folded texts of each of several sets of articles together, set after set.

    Parameters
    ----------
    corpus : Corpus
    wanted : list of int64 array
        No article is in two of them.
    """
    arranged = None
    if len(wanted) >= _LEAST_SETS and corpus.texts.is_filed:
        arranged = _arrange(corpus, wanted)
    if arranged is None:
        yield from (corpus.collect(docs) for docs in wanted)
        return
    file, pieces = arranged
    first = 0
    try:
        for k, docs in enumerate(wanted):
            yield _texts_of(k, docs, first, file, pieces, corpus)
            first += len(docs)
    finally:  # whoever has taken the last set does not come back for more
        file.close()


def _arrange(corpus: Corpus, wanted: list[Ints]) -> tuple[ScratchFile, list[_Piece]] | None:
    """Write the texts to a file, batch after batch, in each by set; None where there is no room for that."""
    docs = np.concatenate(wanted)
    n_bytes = int(corpus.folded_sizes[docs].sum())
    if n_bytes > corpus.room.scratch.free_bytes():
        return None
    set_of = np.repeat(np.arange(len(wanted), dtype=np.int32), [len(own) for own in wanted])
    order = np.argsort(docs, kind="stable").astype(np.int32)
    try:
        file = corpus.room.scratch.file()
    except OutputError:
        return None

    def write(low: int, high: int, texts: FoldedTexts, places: Ints) -> _Piece:
        sets = set_of[order[low:high]]
        by_set = np.argsort(sets, kind="stable")
        chosen = places[by_set]
        offsets = np.zeros(len(chosen) + 1, dtype=np.int64)
        np.cumsum(texts.offsets[chosen + 1] - texts.offsets[chosen], out=offsets[1:])
        out = np.empty(int(offsets[-1]) + 64, dtype=np.uint8)
        gather_texts(texts.data, texts.offsets, chosen, np.arange(len(chosen)), out, offsets)
        firsts = np.searchsorted(sets[by_set], np.arange(len(wanted) + 1))
        begin = file.append(out[: offsets[-1]])
        return _Piece(begin, firsts, offsets[firsts], order[low:high][by_set])

    try:
        return file, list(corpus.map_texts(docs[order], write))
    except OutputError:
        file.clear()  # and not closed: other threads may be writing to it
        return None


def _texts_of(
    k: int, docs: Ints, first: int, file: ScratchFile, pieces: list[_Piece], corpus: Corpus
) -> FoldedTexts:
    """Read one set, whose articles begin at a place among all, in their order."""
    sizes = corpus.folded_sizes[docs]
    offsets = np.zeros(len(docs) + 1, dtype=np.int64)
    np.cumsum(sizes, out=offsets[1:])
    out = np.empty(int(offsets[-1]) + 64, dtype=np.uint8)

    def read(piece: _Piece) -> None:
        low, high = piece.firsts[k : k + 2]
        if low == high:
            return
        begin, end = piece.starts[k : k + 2]
        data = _workspace("arranged").at_least(int(end - begin) + 64)
        file.read_into(data[: end - begin], piece.begin + int(begin))
        places = piece.places[low:high].astype(np.int64) - first
        own = np.zeros(len(places) + 1, dtype=np.int64)
        np.cumsum(sizes[places], out=own[1:])
        gather_texts(data, own, np.arange(len(places)), places, out, offsets)

    for _ in in_order(corpus.executor, read, pieces, corpus.config.n_threads + 1):
        pass
    return FoldedTexts(out, offsets)
