"""A batch of articles made ready to meet the index: folded, without furniture, sketched."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray

from samestory.band import concatenate
from samestory.chrome import take_out_chrome
from samestory.config import Config
from samestory.fingerprints import Runs
from samestory.furniture import Remover, cut
from samestory.index.folded import joined_texts, picked
from samestory.index.prints import Prints, join_prints, prints_of
from samestory.normalise import FoldedTexts, judged_text, normalise
from samestory.params import Banding
from samestory.signature import Sketches, sketch
from samestory.sites import SiteNames, read_names

A = TypeVar("A")

_LEAST_ROWS: Final = 64
"""A smaller batch is not worth a second thread."""


@dataclass(frozen=True)
class Folded:
    """The n articles of a batch, folded, without chrome.

    Attributes
    ----------
    raw_keys : uint64 array of shape (n,)
        Of each text.
    n_removed : int32 array of shape (n,)
        Words taken out as chrome.
    texts : FoldedTexts
    names : SiteNames
    """

    raw_keys: NDArray[np.uint64]
    n_removed: NDArray[np.int32]
    texts: FoldedTexts
    names: SiteNames


@dataclass(frozen=True)
class Prepared:
    """What is known of the n articles of a batch before they meet the index.

    Attributes
    ----------
    folded : Folded
        With their furniture.
    n_removed : int32 array of shape (n,)
        Words taken out as chrome or furniture.
    is_cut : bool array of shape (n,)
        Whether there was furniture.
    texts : FoldedTexts
        Without it.
    """

    folded: Folded
    n_removed: NDArray[np.int32]
    is_cut: NDArray[np.bool_]
    texts: FoldedTexts


def fold(articles: pa.RecordBatch, config: Config, executor: Executor) -> Folded:
    """Fold the articles of a batch.

    Parameters
    ----------
    articles : pyarrow.RecordBatch
        Of the schema `samestory.schema.ARTICLE`.
    config : Config
    executor : Executor
    """
    by_character = config.shingle_unit == "char"

    def work(low: int, high: int) -> tuple[NDArray[np.int32], FoldedTexts, NDArray[np.uint64]]:
        part = articles.slice(low, high - low)
        texts = judged_text(part["text"], part["title"])
        n_removed = np.zeros(len(texts), dtype=np.int32)
        if config.boilerplate:
            texts, n_removed = take_out_chrome(texts.cast(pa.large_string()), by_character=by_character)
        folded = normalise(texts, unit=config.shingle_unit)
        return n_removed, folded, hash_texts(folded)

    parts = _in_parts(work, len(articles), config.n_threads, executor)
    return Folded(
        np.concatenate([keys for _, _, keys in parts]),
        np.concatenate([n_removed for n_removed, _, _ in parts]),
        joined_texts([folded for _, folded, _ in parts]),
        read_names(articles["source"], articles["url"]),
    )


def clean(
    folded: Folded, remover: Remover | None, salts: NDArray[np.uint64], config: Config, executor: Executor
) -> Prepared:
    """Take the furniture out of a batch.

    Parameters
    ----------
    folded : Folded
    remover : Remover, optional
        Of the furniture that is known.
    salts : uint64 array of shape (n,)
        The key of each one's site.
    config : Config
    executor : Executor
    """
    n = len(folded.raw_keys)
    if remover is None or not len(remover.furniture):
        return Prepared(folded, folded.n_removed, np.zeros(n, dtype=np.bool_), folded.texts)
    texts, n_cut = cut_out(folded.texts, remover, salts, config.n_threads, executor)
    return Prepared(folded, folded.n_removed + n_cut, n_cut > 0, texts)


def clean_rows(
    prepared: Prepared,
    rows: NDArray[np.int64],
    remover: Remover,
    salts: NDArray[np.uint64],
    config: Config,
    executor: Executor,
) -> Prepared:
    """Take the furniture out of some rows anew, because other furniture is known of their sites now."""
    folded = prepared.folded
    texts, n_cut = cut_out(picked(folded.texts, rows), remover, salts[rows], config.n_threads, executor)
    n = len(prepared.texts)
    places = np.arange(n)
    places[rows] = n + np.arange(len(rows))
    n_removed, is_cut = prepared.n_removed.copy(), prepared.is_cut.copy()
    n_removed[rows] = folded.n_removed[rows] + n_cut
    is_cut[rows] = n_cut > 0
    return Prepared(folded, n_removed, is_cut, picked(joined_texts([prepared.texts, texts]), places))


def cut_out(
    texts: FoldedTexts, remover: Remover, salts: NDArray[np.uint64], n_threads: int, executor: Executor
) -> tuple[FoldedTexts, NDArray[np.int32]]:
    """Return texts without their furniture, and how many words of each that was."""

    def work(low: int, high: int) -> tuple[NDArray[np.int32], FoldedTexts]:
        part = picked(texts, np.arange(low, high))
        found = remover.find(part, np.arange(high - low), salts[low:high])
        n_cut = np.zeros(high - low, dtype=np.int32)
        n_cut[found.articles] = found.n_removed
        return n_cut, cut(part, found, remover.furniture.by_character)

    parts = _in_parts(work, len(texts), n_threads, executor)
    return joined_texts([part for _, part in parts]), np.concatenate([n for n, _ in parts])


def sketch_texts(
    texts: FoldedTexts, runs: Runs | None, config: Config, banding: Banding, executor: Executor
) -> tuple[Sketches, Prints | None]:
    """Sketch texts, and take their fingerprints if it is known already which are to be taken."""

    def work(low: int, high: int) -> tuple[Sketches, Prints | None]:
        part = FoldedTexts(texts.data, texts.offsets[low : high + 1])
        return sketch(part, config, banding), None if runs is None else prints_of(part, runs)

    parts = _in_parts(work, len(texts), config.n_threads, executor)
    prints = [found for _, found in parts if found is not None]
    sketches = concatenate([sketches for sketches, _ in parts], banding.bands)
    return sketches, join_prints(prints) if prints else None


def _in_parts(work: Callable[[int, int], A], n: int, n_threads: int, executor: Executor) -> list[A]:
    """Do work on a part of the rows a thread; of a few rows all at once."""
    if n < _LEAST_ROWS or n_threads < 2:
        return [work(0, n)]
    edges = np.linspace(0, n, n_threads + 1).astype(int).tolist()
    return list(executor.map(work, edges[:-1], edges[1:]))


def hash_texts(folded: FoldedTexts) -> NDArray[np.uint64]:
    """Return a key of each folded text."""
    data = memoryview(folded.data)  # type: ignore[arg-type]
    bounds = folded.offsets.tolist()
    hashes = [xxhash.xxh3_64_intdigest(data[low:high]) for low, high in pairwise(bounds)]
    return np.array(hashes, dtype=np.uint64)
