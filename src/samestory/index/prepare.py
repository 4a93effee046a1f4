"""A batch of articles made ready to meet the index: folded and sketched."""

from __future__ import annotations

import dataclasses
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray

from samestory.band import concatenate
from samestory.chrome import take_out_chrome
from samestory.config import Config
from samestory.furniture import Remover, cut
from samestory.normalise import FoldedTexts, judged_text, normalise
from samestory.params import Banding
from samestory.signature import Sketches, sketch
from samestory.sites import SiteNames, read_names

_LEAST_ROWS: Final = 64
"""A smaller batch is not worth a second thread."""


@dataclass(frozen=True)
class Prepared:
    """What is known of the n articles of a batch before they meet the index.

    Attributes
    ----------
    raw_keys : uint64 array of shape (n,)
        Of each text as it was handed in, folded.
    n_removed : int32 array of shape (n,)
        Words taken out as furniture.
    texts : FoldedTexts
    sketches : Sketches
    names : SiteNames
    """

    raw_keys: NDArray[np.uint64]
    n_removed: NDArray[np.int32]
    texts: FoldedTexts
    sketches: Sketches
    names: SiteNames


def prepare(
    articles: pa.RecordBatch,
    config: Config,
    banding: Banding,
    executor: Executor,
    furnished: Any = None,
) -> Prepared:
    """Fold and sketch the articles of a batch.

    Parameters
    ----------
    articles : pyarrow.RecordBatch
        Of the schema `samestory.schema.ARTICLE`.
    config : Config
    banding : Banding
    executor : Executor
    furnished : callable, optional
        Of `SiteNames`; returns the `Remover` of known furniture and the key of each one's site.
    """
    names = read_names(articles["source"], articles["url"])
    remover, salts = furnished(names) if furnished is not None else (None, np.zeros(len(articles), np.uint64))

    def work(bounds: tuple[int, int]) -> _Part:
        low, high = bounds
        part = articles.slice(low, high - low)
        return _prepare(part["text"], part["title"], config, banding, remover, salts[low:high])

    n_parts = config.n_threads if len(articles) >= _LEAST_ROWS else 1
    edges = np.linspace(0, len(articles), n_parts + 1).astype(int).tolist()
    bounds = list(pairwise(edges))
    parts = list(executor.map(work, bounds)) if n_parts > 1 else [work(bounds[0])]
    return Prepared(
        np.concatenate([part.raw_keys for part in parts]),
        np.concatenate([part.n_removed for part in parts]),
        joined_texts([part.texts for part in parts]),
        concatenate([part.sketches for part in parts], banding.bands),
        names,
    )


@dataclass(frozen=True)
class _Part:
    raw_keys: NDArray[np.uint64]
    n_removed: NDArray[np.int32]
    texts: FoldedTexts
    sketches: Sketches


def _prepare(
    text: Any,
    title: Any,
    config: Config,
    banding: Banding,
    remover: Remover | None,
    salts: NDArray[np.uint64],
) -> _Part:
    by_character = config.shingle_unit == "char"
    texts = judged_text(text, title)
    n_removed = np.zeros(len(texts), dtype=np.int32)
    if config.boilerplate:
        texts, n_removed = take_out_chrome(texts.cast(pa.large_string()), by_character=by_character)
    folded = normalise(texts, unit=config.shingle_unit)
    raw_keys = hash_texts(folded)
    if remover is not None and len(remover.furniture):
        found = remover.find(folded, np.arange(len(folded)), salts)
        n_removed = n_removed.copy()
        n_removed[found.articles] += found.n_removed
        folded = cut(folded, found, by_character)
    return _Part(raw_keys, n_removed, folded, sketch(folded, config, banding))


def refurnish(
    prepared: Prepared, remover: Remover, salts: NDArray[np.uint64], config: Config, banding: Banding
) -> Prepared:
    """Take more furniture out of a batch."""
    by_character = config.shingle_unit == "char"
    found = remover.find(prepared.texts, np.arange(len(prepared.texts)), salts)
    if not found.n_removed.any():
        return prepared
    n_removed = prepared.n_removed.copy()
    n_removed[found.articles] += found.n_removed
    texts = cut(prepared.texts, found, by_character)
    return dataclasses.replace(
        prepared, n_removed=n_removed, texts=texts, sketches=sketch(texts, config, banding)
    )


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
        data.append(part.data[: part.n_bytes])
        offsets.append(part.offsets[1:] + at)
        at += part.n_bytes
    return FoldedTexts(np.concatenate([*data, np.zeros(64, dtype=np.uint8)]), np.concatenate(offsets))


def picked(texts: FoldedTexts, rows: NDArray[np.int64]) -> FoldedTexts:
    """Return some texts, in the given order."""
    sizes = texts.offsets[rows + 1] - texts.offsets[rows]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    data = np.zeros(int(offsets[-1]) + 64, dtype=np.uint8)
    starts = np.repeat(texts.offsets[rows] - offsets[:-1], sizes)
    data[: offsets[-1]] = texts.data[starts + np.arange(offsets[-1])]
    return FoldedTexts(data, offsets)
