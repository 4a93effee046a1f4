"""A batch of articles made ready to meet the index: folded and sketched."""

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
from samestory.furniture import Remover, cut
from samestory.kernels.buckets import gather_texts
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
    sketches : Sketches
    """

    folded: Folded
    n_removed: NDArray[np.int32]
    is_cut: NDArray[np.bool_]
    texts: FoldedTexts
    sketches: Sketches


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
    folded: Folded,
    remover: Remover | None,
    salts: NDArray[np.uint64],
    config: Config,
    banding: Banding,
    executor: Executor,
) -> Prepared:
    """Take the furniture out of a batch, and sketch it.

    Parameters
    ----------
    folded : Folded
    remover : Remover, optional
        Of the furniture that is known.
    salts : uint64 array of shape (n,)
        The key of each one's site.
    config : Config
    banding : Banding
    executor : Executor
    """
    by_character = config.shingle_unit == "char"

    def work(low: int, high: int) -> tuple[NDArray[np.int32], FoldedTexts, Sketches]:
        texts = FoldedTexts(folded.texts.data, folded.texts.offsets[low : high + 1])
        n_cut = np.zeros(high - low, dtype=np.int32)
        if remover is not None and len(remover.furniture):
            texts = picked(texts, np.arange(high - low))
            found = remover.find(texts, np.arange(high - low), salts[low:high])
            n_cut[found.articles] = found.n_removed
            texts = cut(texts, found, by_character)
        return n_cut, texts, sketch(texts, config, banding)

    parts = _in_parts(work, len(folded.raw_keys), config.n_threads, executor)
    n_cut = np.concatenate([n for n, _, _ in parts])
    return Prepared(
        folded,
        folded.n_removed + n_cut,
        n_cut > 0,
        joined_texts([texts for _, texts, _ in parts]),
        concatenate([sketches for _, _, sketches in parts], banding.bands),
    )


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


def joined_texts(parts: list[FoldedTexts]) -> FoldedTexts:
    """Put texts together, one part after another."""
    if len(parts) == 1:
        return parts[0]
    offsets, data, at = [np.zeros(1, dtype=np.int64)], [], 0
    for part in parts:
        begin, end = int(part.offsets[0]), int(part.offsets[-1])
        data.append(part.data[begin:end])
        offsets.append(part.offsets[1:] - begin + at)
        at += end - begin
    return FoldedTexts(np.concatenate([*data, np.zeros(64, dtype=np.uint8)]), np.concatenate(offsets))


def picked(texts: FoldedTexts, rows: NDArray[np.int64]) -> FoldedTexts:
    """Return some texts, in the given order."""
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(texts.offsets[rows + 1] - texts.offsets[rows], out=offsets[1:])
    data = np.zeros(int(offsets[-1]) + 64, dtype=np.uint8)
    gather_texts(texts.data, texts.offsets, rows, np.arange(len(rows)), data, offsets)
    return FoldedTexts(data, offsets)
