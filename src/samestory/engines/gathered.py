"""A small corpus: the articles that came to one partition, in input order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory.band import Components
from samestory.buffers import string_buffers
from samestory.engines.rows import Ints, Words, bytes_of, keys_of, numbers_of, rows_of, words_of
from samestory.errors import OutputError
from samestory.fingerprints import N_PARTITIONS, Sample
from samestory.kernels.buckets import gather_texts
from samestory.kernels.clusters import UNDATED
from samestory.kernels.runs import LOCAL_BITS, PARTITION_BITS
from samestory.normalise import FoldedTexts
from samestory.signature import Sketches
from samestory.textstore import TextStore
from samestory.verify import Articles

ROUND_BYTES: Final = 1 << 27
"""Articles are worked on in rounds of about this many bytes of folded text."""
_STORED_BYTES: Final = 8 << 20
_SAMPLED: Final = 1 << (LOCAL_BITS - 1)


@dataclass
class Gathered:
    """The articles of one partition, numbered from 0 in input order.

    Attributes
    ----------
    table : pyarrow.Table
        Their columns but the text.
    docs : int64 array
        Their numbers in the whole input, rising.
    sizes : int64 array
        Bytes of each folded text.
    """

    table: pa.Table
    docs: Ints
    sizes: Ints
    _arrivals: Ints
    _store: TextStore

    def __len__(self) -> int:
        return len(self.docs)

    def collect(self, wanted: Ints) -> FoldedTexts:
        """Bring the folded texts of some articles together, in the given order."""
        offsets = np.zeros(len(wanted) + 1, dtype=np.int64)
        np.cumsum(self.sizes[wanted], out=offsets[1:])
        out = np.empty(int(offsets[-1]) + 64, dtype=np.uint8)
        arrivals = self._arrivals[wanted]
        places = np.argsort(arrivals, kind="stable")
        arrivals = arrivals[places]
        for first, batch in self._store.numbered():
            low, high = np.searchsorted(arrivals, (first, first + len(batch)))
            if low < high:
                folded, selected = self._store.load_some(batch, arrivals[low:high] - first)
                gather_texts(folded.data, folded.offsets, selected, places[low:high], out, offsets)
        return FoldedTexts(out, offsets)

    def column(self, name: str) -> Any:
        """Return a column as one array."""
        column = self.table[name]
        return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)

    def numbers(self, name: str, kind: Any) -> NDArray[Any]:
        """Return a column of numbers."""
        return numbers_of(self.column(name), kind)

    def keys(self, name: str) -> Words:
        """Return a column of keys."""
        return keys_of(self.column(name))

    def sketches(self, n_bands: int) -> Sketches:
        """Return their sketches."""
        return Sketches(
            np.ascontiguousarray(rows_of(self.column("bands"), n_bands).T),
            self.keys("text_key"),
            self.numbers("n_shingles", np.int32),
            self.numbers("n_units", np.int32),
        )

    def articles(self) -> Articles:
        """Return what decides who founds a cluster."""
        ids, offsets = string_buffers(self.column("doc_id"))
        times = pc.fill_null(self.column("time"), int(UNDATED)).to_numpy()
        return Articles(np.array(times, dtype=np.int64), ids.copy(), offsets.copy())

    def samples(self) -> tuple[list[Sample], list[int]]:
        """Return their fingerprints as those of batches, and how many articles each of these has."""
        values, offsets = words_of(self.column("prints"))
        samples, counts = [], []
        for begin in range(0, len(self), _SAMPLED):
            end = min(begin + _SAMPLED, len(self))
            own = values[offsets[begin] : offsets[end]]
            locals_ = np.repeat(np.arange(end - begin), np.diff(offsets[begin : end + 1]))
            samples.append(as_sample(own | locals_.astype(np.uint64)))
            counts.append(end - begin)
        return samples, counts


def as_sample(entries: Words) -> Sample:
    """Return fingerprints, with the place of the article in their low bits, by partition."""
    partitions = (entries >> np.uint64(64 - PARTITION_BITS)).astype(np.uint8)
    entries = entries[np.argsort(partitions, kind="stable")]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(partitions, minlength=N_PARTITIONS))])
    return Sample([entries[bounds[p] : bounds[p + 1]].copy() for p in range(N_PARTITIONS)])


def gather(batches: Iterable[pa.RecordBatch], store: TextStore) -> Gathered | None:
    """Take in the articles of a partition; None where there are none.

    Raises
    ------
    OutputError
        There is no room for their texts.
    """
    kept: list[pa.RecordBatch] = []
    sizes: list[Ints] = []
    texts: list[FoldedTexts] = []
    for articles in batches:
        place = articles.schema.get_field_index("text")
        if place >= 0:
            texts.append(bytes_of(articles.column(place)))
            articles = articles.remove_column(place)
        kept.append(articles)
        if sum(len(one.data) for one in texts) >= _STORED_BYTES:
            sizes.append(_store(texts, store))
            texts = []
    if texts:
        sizes.append(_store(texts, store))
    if not kept:
        return None
    sizes = sizes or [np.zeros(sum(map(len, kept)), dtype=np.int64)]
    table = pa.Table.from_batches(kept)
    docs = numbers_of(table["doc"], np.int64)
    order = np.argsort(docs, kind="stable")
    return Gathered(
        table.take(pa.array(order)).combine_chunks(), docs[order], np.concatenate(sizes)[order], order, store
    )


def _store(texts: list[FoldedTexts], store: TextStore) -> Ints:
    """Store some texts, and return their sizes."""
    sizes = np.concatenate([np.diff(one.offsets) for one in texts])
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    store.add(store.keep(FoldedTexts(np.concatenate([one.data for one in texts]), offsets)))
    if not store.complete:
        raise OutputError("no room for the texts of a partition", hint="use more partitions or free disk")
    return np.asarray(sizes, dtype=np.int64)


def rounds(components: Components, sizes: Ints, most: int = ROUND_BYTES) -> Iterator[Components]:
    """Split components into runs of about so many bytes of text, at least one component each."""
    if not len(components):
        return
    ends = np.cumsum(np.add.reduceat(sizes[components.docs], components.offsets[:-1]))
    begin = 0
    while begin < len(components):
        base = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, base + most, side="right")))
        offsets = components.offsets[begin : end + 1]
        yield Components(components.docs[offsets[0] : offsets[-1]], offsets - offsets[0])
        begin = end


def spans(sizes: Ints, most: int) -> Iterator[Ints]:
    """Yield runs of articles of about so many bytes of text each, at least one article."""
    ends = np.cumsum(sizes)
    begin = 0
    while begin < len(sizes):
        base = int(ends[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, base + most, side="right")))
        yield np.arange(begin, end)
        begin = end
