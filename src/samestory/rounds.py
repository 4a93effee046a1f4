"""Components in rounds small enough for memory, and each round in chunks for the threads.

A component that is too large for a round is read whole, but of equal texts only one: a million copies of
one article take no more room than it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory.arranging import collect_each
from samestory.band import Components
from samestory.buffers import string_array
from samestory.corpus import Corpus
from samestory.kernels.overlap import find_copies
from samestory.normalise import FoldedTexts
from samestory.threads import in_order

A = TypeVar("A")
Ints: TypeAlias = NDArray[np.int64]
CHUNKS_PER_THREAD: Final = 4
_LEAST_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Round:
    """Some components with their folded texts.

    Attributes
    ----------
    components : Components
    texts : FoldedTexts
        Of ``components.docs``, in that order.
    originals : int64 array, optional
        Where equal texts were left out, for each member the first with the same text: it is there.
    """

    components: Components
    texts: FoldedTexts
    originals: Ints | None = None


def rounds(components: Components, corpus: Corpus, most: int) -> Iterator[Round]:
    """Cut the components into rounds of about `most` bytes of folded text."""
    if not len(components):
        return
    sizes = np.add.reduceat(corpus.folded_sizes[components.docs], components.offsets[:-1])
    parts = list(_split_by_bytes(components, sizes, most))
    is_large = [len(part) == 1 and int(corpus.folded_sizes[part.docs].sum()) > most for part in parts]
    texts = collect_each(
        corpus, [part.docs for part, large in zip(parts, is_large, strict=True) if not large]
    )
    for part, large in zip(parts, is_large, strict=True):
        yield _one_large(part, corpus) if large else Round(part, next(texts))


def in_chunks(one: Round, corpus: Corpus, work: Callable[[Round], A]) -> Iterator[tuple[Components, A]]:
    """Apply `work` to the components of a round a few at a time, in threads."""
    chunks = list(_chunks(one, corpus.config.n_threads))
    for chunk, done in in_order(corpus.executor, work, chunks, len(chunks)):
        yield chunk.components, done


def _chunks(one: Round, n_threads: int) -> Iterator[Round]:
    """Cut components into a few chunks for each thread, each with its texts."""
    part, texts = one.components, one.texts
    if len(part) == 1:
        yield one
        return
    sizes = np.add.reduceat(np.diff(texts.offsets), part.offsets[:-1])
    most = max(_LEAST_CHUNK, texts.n_bytes // (CHUNKS_PER_THREAD * n_threads))
    begin = 0
    for chunk in _split_by_bytes(part, sizes, most):
        end = begin + len(chunk.docs)
        yield Round(chunk, FoldedTexts(texts.data, texts.offsets[begin : end + 1]))
        begin = end


def _split_by_bytes(components: Components, sizes: Any, most: int) -> Iterator[Components]:
    """Split components into runs of about `most` bytes, at least one component each."""
    ends = np.cumsum(sizes)
    begin = 0
    while begin < len(components):
        base = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, base + most, side="right")))
        offsets = components.offsets[begin : end + 1]
        yield Components(components.docs[offsets[0] : offsets[-1]], offsets - offsets[0])
        begin = end


def _one_large(part: Components, corpus: Corpus) -> Round:
    """Return one component with its distinct texts; those that are left out are empty."""
    docs = part.docs
    likely = _likely_originals(docs, corpus)
    is_copy = likely != np.arange(len(docs))
    is_copy[is_copy] = _are_equal(docs, likely, np.flatnonzero(is_copy), corpus)
    left = np.flatnonzero(~is_copy)
    texts = corpus.collect(docs[left])
    whole = np.array([0, len(left)], dtype=np.int64)
    found = find_copies(docs[left], whole, texts.data, texts.offsets, corpus.sketches.text_keys)
    originals = likely.copy()
    originals[left] = left[found]
    originals[is_copy] = originals[likely[is_copy]]
    offsets = np.zeros(len(docs) + 1, dtype=np.int64)
    sizes = np.diff(texts.offsets)
    offsets[left + 1] = sizes
    return Round(part, FoldedTexts(texts.data, np.cumsum(offsets)), originals)


def _likely_originals(docs: Ints, corpus: Corpus) -> Ints:
    """Return for each member the first whose text has the same key and size."""
    keys, sizes = corpus.sketches.text_keys[docs], corpus.folded_sizes[docs]
    order = np.lexsort((sizes, keys))
    is_new = np.ones(len(docs), dtype=np.bool_)
    is_new[1:] = (np.diff(keys[order]) != 0) | (np.diff(sizes[order]) != 0)
    firsts = np.minimum.reduceat(order, np.flatnonzero(is_new))
    likely = np.empty(len(docs), dtype=np.int64)
    likely[order] = firsts[np.cumsum(is_new) - 1]
    return likely


def _are_equal(docs: Ints, likely: Ints, members: Ints, corpus: Corpus) -> NDArray[np.bool_]:
    """Return whether the text of each of some members is that of its likely original, byte for byte."""
    heads = np.unique(likely[members])
    known = corpus.collect(docs[heads])
    originals = string_array(known.data, known.offsets)
    order = members[np.argsort(docs[members], kind="stable")]

    def compare(low: int, high: int, texts: FoldedTexts, places: Ints) -> tuple[int, int, NDArray[np.bool_]]:
        own = string_array(texts.data, texts.offsets).take(places)
        other = originals.take(np.searchsorted(heads, likely[order[low:high]]))
        return low, high, pc.equal(own, other).to_numpy(zero_copy_only=False)

    equal = np.zeros(len(docs), dtype=np.bool_)
    for low, high, same in corpus.map_texts(docs[order], compare):
        equal[order[low:high]] = same
    return equal[members]
