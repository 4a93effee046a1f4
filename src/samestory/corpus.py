"""The articles of a run: what is kept of all of them after the first pass, and their texts again."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.band import SketchBook
from samestory.budget import Budget
from samestory.chrome import take_out_chrome
from samestory.config import Config
from samestory.fingerprints import Runs, Sampled, Samples, no_sample, sample
from samestory.furniture import Found, Remover, cut
from samestory.kernels.buckets import gather_texts
from samestory.metadata import Metadata
from samestory.normalise import FoldedTexts, Workspace, judged_text, normalise
from samestory.params import Banding
from samestory.progress import Observer, each, ignore_progress
from samestory.read import Source
from samestory.scratch import Scratch
from samestory.signature import Sketches, sketch
from samestory.sites import SiteNames, read_names
from samestory.spill import BandKeys
from samestory.textstore import Kept, TextStore
from samestory.threads import in_order

A = TypeVar("A")
_of_thread = threading.local()


def _workspace(name: str) -> Workspace:
    """Return this thread's workspace for one purpose."""
    if not hasattr(_of_thread, name):
        setattr(_of_thread, name, Workspace())
    return getattr(_of_thread, name)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Room:
    """Where what is known of the articles may be kept.

    Attributes
    ----------
    budget : Budget
        How much of what in memory,
    scratch : Scratch
        and the files for the rest.
    texts : TextStore
        Folded texts, in both.
    """

    budget: Budget
    scratch: Scratch
    texts: TextStore

    def band_keys(self, n_bands: int) -> BandKeys:
        """Return a place for band keys."""
        return BandKeys(n_bands, self.budget.band_keys, self.scratch)

    def samples(self) -> Samples:
        """Return a place for fingerprints."""
        return Samples(self.budget.fingerprints, self.scratch)


@dataclass
class Corpus:
    """What is kept of all articles.

    Attributes
    ----------
    articles : Metadata
        Ids and metadata.
    sketches : Sketches
    samples : list of Sampled
        Fingerprints, batch by batch.
    names : list of SiteNames
        Outlets and hosts, batch by batch.
    batch_sizes : list of int
        Articles in each batch.
    folded_sizes : int64 array
        Bytes of each folded text.
    room : Room
    n_bytes : int
        Of text read.
    n_removed : int32 array
        Words taken out of each article as furniture.
    found : dict
        Furniture found in the articles of a batch, by the number of its first.
    is_sampled : bool
        Whether fingerprints are a sample of all runs, however small the corpus.
    """

    source: Source
    config: Config
    banding: Banding
    executor: Executor
    articles: Metadata
    sketches: Sketches
    samples: list[Sampled]
    names: list[SiteNames]
    batch_sizes: list[int]
    folded_sizes: NDArray[np.int64]
    room: Room
    n_bytes: int
    n_removed: NDArray[np.int32]
    found: dict[int, Found] = field(default_factory=dict)
    is_sampled: bool = False

    @property
    def texts(self) -> TextStore:
        """The folded texts."""
        return self.room.texts

    @property
    def removed(self) -> dict[str, int | float]:
        """How much was taken out as furniture: articles, words, and their share of all."""
        n_removed = int(self.n_removed.sum())
        n_words = n_removed + int(self.sketches.n_units.sum(dtype=np.int64))
        return {
            "articles": int(np.count_nonzero(self.n_removed)),
            "characters" if self.by_character else "words": n_removed,
            "ratio": round(n_removed / n_words, 6) if n_words else 0.0,
        }

    @property
    def by_character(self) -> bool:
        """Whether shingles are runs of characters."""
        return self.config.shingle_unit == "char"

    def collect(self, docs: NDArray[np.int64]) -> FoldedTexts:
        """Bring the folded texts of some articles together, in the given order."""
        offsets = np.zeros(len(docs) + 1, dtype=np.int64)
        np.cumsum(self.folded_sizes[docs], out=offsets[1:])
        out = np.empty(int(offsets[-1]) + 64, dtype=np.uint8)
        places = np.argsort(docs, kind="stable")
        sorted_docs = docs[places]

        def copy(item: tuple[int, Any]) -> None:
            first, batch = item
            low, high = np.searchsorted(sorted_docs, (first, first + len(batch)))
            if low == high:
                return
            folded, selected = self._without_furniture(first, batch, sorted_docs[low:high] - first)
            gather_texts(folded.data, folded.offsets, selected, places[low:high], out, offsets)

        for _ in in_order(self.executor, copy, self._stored(), self.config.n_threads + 1):
            pass
        return FoldedTexts(out, offsets)

    def map_texts(
        self, docs: NDArray[np.int64], work: Callable[[int, int, FoldedTexts, NDArray[np.int64]], A]
    ) -> Iterator[A]:
        """Apply `work` in threads to the folded texts of some articles, batch by batch.

        Parameters
        ----------
        docs : int64 array
            In order.
        work : callable
            Of the first and the last place in `docs`, texts, and where among these those of the articles are.
        """

        def one(item: tuple[int, Any]) -> A | None:
            first, batch = item
            low, high = np.searchsorted(docs, (first, first + len(batch)))
            if low == high:
                return None
            return work(int(low), int(high), *self._without_furniture(first, batch, docs[low:high] - first))

        for _, done in in_order(self.executor, one, self._stored(), self.config.n_threads + 1):
            if done is not None:
                yield done

    @property
    def runs(self) -> Runs:
        """Which runs are fingerprints by which partial copies are found."""
        if self.is_sampled:
            return Runs.of_corpus(self.by_character)
        n_bytes = int(self.folded_sizes.sum())
        return Runs.of_corpus(self.by_character, len(self.articles), n_bytes)

    def forget_sketches(self) -> None:
        """Let go of what only finding copies needs: band keys and fingerprints."""
        self.samples = []
        self.names = []
        if self.sketches.filed is not None:
            self.sketches.filed.close()
        nothing = np.empty((self.sketches.n_bands, 0), dtype=np.uint64)
        self.sketches = dataclasses.replace(self.sketches, band_keys=nothing, filed=None)

    def sample_again(self) -> None:
        """Take the fingerprints of all articles anew, without furniture, for candidates."""

        def work(item: tuple[int, Any]) -> Sampled:
            first, batch = item
            folded, places = self._without_furniture(first, batch, np.arange(len(batch)))
            return sample(_gather(folded, places) if len(folded) != len(places) else folded, self.runs)

        done = in_order(self.executor, work, self._stored(), self.config.n_threads + 1)
        self.samples = [sampled for _, sampled in done]

    def remove(
        self,
        remover: Remover,
        has_any: NDArray[np.bool_],
        salts: NDArray[np.uint64],
        observer: Observer = ignore_progress,
    ) -> None:
        """Take the furniture out of the articles that have any, and sketch them again.

        Parameters
        ----------
        remover : Remover
        has_any : bool array of shape (n,)
        salts : uint64 array of shape (n,)
            Key of each article's site.
        observer : callable, optional
        """

        def work(item: tuple[int, Any]) -> tuple[Found, NDArray[np.int64], Sketches] | None:
            first, batch = item
            selected = np.flatnonzero(has_any[first : first + len(batch)])
            if not len(selected):
                return None
            folded = _gather(*self._fold_again(batch, selected))
            found = remover.find(folded, np.arange(len(selected)), salts[first + selected])
            folded = cut(folded, found, self.by_character, _workspace("cut"))
            sizes = np.diff(folded.offsets)
            return found.numbered(selected), sizes, sketch(folded, self.config, self.banding)

        finished = in_order(self.executor, work, self._stored(), self.config.n_threads + 1)
        for (first, batch), done in each(
            finished, observer, "remove furniture", len(has_any), lambda one: len(one[0][1])
        ):
            if done is not None:
                found, sizes, sketches = done
                docs = first + np.flatnonzero(has_any[first : first + len(batch)])
                self.found[first] = found
                self.folded_sizes[docs] = sizes
                self.n_removed[first + found.articles] += found.n_removed
                self.sketches.replace(docs, sketches)

    def _without_furniture(
        self, first: int, batch: Any, selected: NDArray[np.int64]
    ) -> tuple[FoldedTexts, NDArray[np.int64]]:
        folded, places = self._fold_again(batch, selected)
        found = self.found[first].among(selected) if first in self.found else None
        if found is None or not len(found.articles):
            return folded, places
        return cut(_gather(folded, places), found, self.by_character, _workspace("cut")), np.arange(
            len(selected)
        )

    def _stored(self) -> Iterator[tuple[int, Any]]:
        if self.texts.complete:
            return self.texts.numbered()
        return _numbered(self.source.batches(("text", "title")))

    def _fold_again(self, batch: Any, selected: NDArray[np.int64]) -> tuple[FoldedTexts, NDArray[np.int64]]:
        """Return texts that hold the selected ones of a batch, and where they are."""
        if self.texts.complete:
            return self.texts.load_some(batch, selected, _workspace("load"))
        texts, _ = _read_texts(batch, self.config)
        folded = normalise(
            texts, unit=self.config.shingle_unit, selected=selected, workspace=_workspace("fold")
        )
        return folded, np.arange(len(selected))


@dataclass(frozen=True)
class _Read:
    """What the first pass makes of a batch."""

    n_removed: NDArray[np.int32]
    sizes: NDArray[np.int64]
    kept: Kept | None
    sketches: Sketches
    sample: Sampled
    names: SiteNames


def _read_texts(batch: Any, config: Config) -> tuple[Any, NDArray[np.int32]]:
    """Return what copies are judged on, without chrome, and how many words that was."""
    texts = judged_text(batch["text"], batch["title"])
    if not config.boilerplate:
        return texts, np.zeros(len(texts), dtype=np.int32)
    return take_out_chrome(texts.cast(pa.large_string()), by_character=config.shingle_unit == "char")


def _gather(folded: FoldedTexts, selected: NDArray[np.int64]) -> FoldedTexts:
    """Return some of a batch's texts, in this thread's workspace."""
    offsets = np.zeros(len(selected) + 1, dtype=np.int64)
    np.cumsum(folded.offsets[selected + 1] - folded.offsets[selected], out=offsets[1:])
    out = _workspace("gather").at_least(int(offsets[-1]) + 64)
    gather_texts(folded.data, folded.offsets, selected, np.arange(len(selected)), out, offsets)
    return FoldedTexts(out, offsets)


def read_corpus(
    source: Source,
    config: Config,
    banding: Banding,
    room: Room,
    executor: Executor,
    observer: Observer,
) -> Corpus:
    """Fold and sketch every article, keeping its metadata and, while there is room, its folded text."""
    metadata = Metadata(room.scratch.folder, room.budget.metadata)
    batch_sizes: list[int] = []
    sketches = SketchBook(room.band_keys(banding.bands))
    fingerprints = room.samples()
    samples: list[Sampled] = []
    names: list[SiteNames] = []
    removed: list[NDArray[np.int32]] = []
    sizes: list[NDArray[np.int64]] = []
    n_bytes = 0
    runs = Runs.of_corpus(config.shingle_unit == "char")
    sampling = config.partial or config.boilerplate

    def work(batch: pa.RecordBatch) -> _Read:
        judged, n_removed = _read_texts(batch, config)
        folded = normalise(judged, unit=config.shingle_unit, workspace=_workspace("fold"))
        return _Read(
            n_removed,
            np.diff(folded.offsets),
            room.texts.keep(folded),
            sketch(folded, config, banding),
            fingerprints.keep(sample(folded, runs)) if sampling else no_sample(),
            read_names(batch["source"], batch["url"]),
        )

    n_done = 0
    total = source.n_rows
    observer("read and sketch", 0, total)
    for batch, done in in_order(executor, work, source.batches(), room.budget.batches):
        metadata.append(batch)
        batch_sizes.append(len(batch))
        removed.append(done.n_removed)
        sketches.add(done.sketches)
        samples.append(done.sample)
        names.append(done.names)
        sizes.append(done.sizes)
        n_bytes += batch["text"].nbytes
        n_done += len(batch)
        room.texts.add(done.kept)
        observer("read and sketch", n_done, total)
    return Corpus(
        source,
        config,
        banding,
        executor,
        metadata,
        sketches.finish(),
        samples,
        names,
        batch_sizes,
        np.concatenate(sizes) if sizes else np.zeros(0, dtype=np.int64),
        room,
        n_bytes,
        np.concatenate([np.zeros(0, np.int32), *removed]),
    )


def _numbered(batches: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """Pair each batch with the number of its first row."""
    first = 0
    for batch in batches:
        yield first, batch
        first += len(batch)
