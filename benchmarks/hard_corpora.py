"""Corpora that are hard to cluster, of articles as long as ordinary ones, whose clusters are known.

- `chain`: each article is a window on one endless text, 60 words further than the one before. With runs
  of three words it has a Jaccard of 0.75 with the next, of 0.55 with the one after that; all of them are
  one cluster, in which most have nothing in common with most others.
- `star`: one article, the hub, and copies of it in each of which one word in 19, at places of its own, is
  another: a Jaccard of 0.73 with the hub, of about 0.55 with one another. (Jaccard distance is a metric: two
  articles that both have 0.7 with a third cannot have less than 0.4; they contain one another by more than
  half, so that they are partial copies in any case.) One cluster.
- `contained`: the star that no triangle binds: a hub of 40 words which stands, word for word, somewhere in
  every other article, and these have nothing else in common: a twelfth of each. One cluster, by containment.
- `edited`: one article N times, each time with one other word: distinct texts that all are near. One cluster.

Each article has an outlet of its own, so that nothing in it is taken for the furniture of a site. Words are
drawn evenly from some thousands that are neither common, since short runs of such would repeat by chance,
nor rare, since these are longer than the words of ordinary articles. One article N times is a kind of
corpus.py, `identical`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit
from numpy.typing import NDArray

import corpus
from corpus_kernels import CAPITAL, STOP, Array, _render
from vocabulary import Vocabulary, make_vocabulary

KINDS = ("chain", "star", "contained", "edited")
N_WORDS = 419
CHAIN_STEP = 60
CHAIN_JACCARD = (N_WORDS - 2 - CHAIN_STEP) / (N_WORDS - 2 + CHAIN_STEP)
"""Of runs of three words, with the next article."""
STAR_EDITS = 22
HUB_WORDS = 40
_COMMON_WORDS, _RARE_WORDS = 300, 4_000


@njit(cache=True, nogil=True)
def _render_rows(vocabulary: Vocabulary, words: Array, lengths: Array) -> tuple[Array, Array]:
    """Return texts of rows of words, in sentences of 17, as one buffer and int32 offsets."""
    n = len(words)
    out = np.empty(int(lengths.sum()) * 24 + 64, np.uint8)
    offsets = np.zeros(n + 1, np.int32)
    marks = np.zeros(words.shape[1], np.int64)
    for i in range(len(marks)):
        marks[i] = (CAPITAL if i % 17 == 0 else 0) | (STOP if i % 17 == 16 else 0)
    at = 0
    for d in range(n):
        at = _render(vocabulary, lengths[d], words[d], marks, False, out, at)
        offsets[d + 1] = at
    return out[:at].copy(), offsets


def words_of(kind: str, rows: NDArray[np.int64], n_docs: int, seed: int) -> NDArray[np.int64]:
    """Return the words of some articles as numbers, a row each; the hub is article 0."""
    hub = _draw(np.random.default_rng([seed, 21]), N_WORDS)
    if kind == "chain":
        stream = _draw(np.random.default_rng([seed, 22]), N_WORDS + CHAIN_STEP * n_docs)
        place = chain_places(n_docs, seed)[rows]
        return stream[place[:, None] * CHAIN_STEP + np.arange(N_WORDS)]
    made = np.empty((len(rows), N_WORDS), np.int64)
    for i, row in enumerate(rows.tolist()):
        rng = np.random.default_rng([seed, 23, row])
        made[i] = hub
        if kind == "star" and row:
            made[i, _spread_places(rng)] = _draw(rng, STAR_EDITS)
        elif kind == "edited":
            made[i, rng.integers(N_WORDS)] = rng.integers(_COMMON_WORDS, 200_000)
        elif kind == "contained" and row:
            begin = int(rng.integers(N_WORDS - HUB_WORDS))
            made[i] = _draw(rng, N_WORDS)
            made[i, begin : begin + HUB_WORDS] = hub[:HUB_WORDS]
    return made


def _spread_places(rng: np.random.Generator) -> NDArray[np.int64]:
    """Return places with two words at least between them, so that each edit breaks three runs of its own."""
    places = np.sort(rng.choice(N_WORDS - 2 * STAR_EDITS, STAR_EDITS, replace=False))
    return places + 2 * np.arange(STAR_EDITS)


def _draw(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    return rng.integers(_COMMON_WORDS, _RARE_WORDS, n)


def chain_places(n_docs: int, seed: int) -> NDArray[np.int64]:
    """Return the place in the chain of each row: the file is not in the order of the chain."""
    return np.random.default_rng([seed, 24]).permutation(n_docs)


def write_hard(path: Path, kind: str, n_docs: int, seed: int = 1) -> None:
    """Write a corpus and its truth, one cluster, whole or not at all."""
    vocabulary = make_vocabulary(seed)

    def make(start: int, stop: int) -> tuple[pa.Table, NDArray[np.int32]]:
        rows = np.arange(start, stop)
        lengths = np.full(len(rows), N_WORDS)
        lengths[(rows == 0) & (kind == "contained")] = HUB_WORDS
        texts = _render_rows(vocabulary, words_of(kind, rows, n_docs, seed), lengths)
        return _table(texts, rows), np.zeros(len(rows), np.int32)

    corpus.write_batches(path, corpus.in_row_groups(make, n_docs))


def _table(texts: tuple[Array, Array], rows: NDArray[np.int64]) -> pa.Table:
    letters, offsets = texts
    names = pc.cast(pa.array(rows), pa.string())
    stamp = 1_000 * (int(corpus.START.timestamp()) + rows * 60)
    columns = [
        pc.binary_join_element_wise("doc", names, "-"),
        pc.binary_join_element_wise("Report", names, " "),
        pa.StringArray.from_buffers(len(rows), pa.py_buffer(offsets), pa.py_buffer(letters)),
        pc.binary_join_element_wise("outlet", names, "example", "."),
        pc.binary_join_element_wise("https://outlet", names, "example/a", "."),
        pa.array(stamp),
    ]
    arrays = [column.cast(field.type) for column, field in zip(columns, corpus.SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=corpus.SCHEMA)
