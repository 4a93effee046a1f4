"""Ids that occur more than once: found by their hashes, and then told by the ids themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray

from samestory.engines.bundles import articles_in
from samestory.engines.rows import Ints, Words

NAMED: Final = pa.schema([pa.field("doc", pa.int64(), nullable=False), pa.field("doc_id", pa.string())])


def hashes_of(ids: Any) -> Words:
    """Return hashes of a column of ids."""
    values = ids.cast(pa.binary()).to_pylist()
    return np.array([xxhash.xxh3_64_intdigest(one) for one in values], dtype=np.uint64)


def repeated(blobs: list[dict[str, NDArray[Any]]]) -> Ints:
    """Return of `hash` and `doc` the articles whose hash another has."""
    if not blobs:
        return np.zeros(0, np.int64)
    hashes, docs = (np.concatenate([arrays[name] for arrays in blobs]) for name in ("hash", "doc"))
    order = np.argsort(hashes, kind="stable")
    is_next = hashes[order[1:]] == hashes[order[:-1]]
    is_repeated = np.zeros(len(order), dtype=np.bool_)
    is_repeated[1:] |= is_next
    is_repeated[:-1] |= is_next
    return np.asarray(docs[order[is_repeated]])


def name_articles(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the articles' ids, a row each."""
    for articles in articles_in(batches):
        yield articles.select(NAMED.names).cast(NAMED)
