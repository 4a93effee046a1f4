"""The clusters and pairs of an index, as a run over all its articles writes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from samestory import schema
from samestory.band import SketchBook
from samestory.buffers import string_array
from samestory.config import Config
from samestory.corpus import Corpus, Room
from samestory.errors import IndexFormatError
from samestory.fingerprints import Runs, Sampled, no_sample, sample
from samestory.index.compare import decode
from samestory.index.state import Ints, State
from samestory.index.view import View
from samestory.kernels.clusters import UNDATED
from samestory.metadata import Metadata
from samestory.normalise import FoldedTexts
from samestory.params import choose_banding
from samestory.pipeline import Timings, cluster_corpus
from samestory.progress import Observer, each, ignore_progress
from samestory.result import Result
from samestory.signature import Sketches, sketch
from samestory.sites import SiteNames
from samestory.threads import in_order

AT_ONCE: Final = 4096


class Stored:
    """The articles of an index in the order in which they came, as an input that can be read.

    Attributes
    ----------
    numbers : int64 array
        The articles that are there.
    n_rows, n_bytes, inputs, columns, rejects, skipped, warnings
        As `samestory.read.Source` has them.
    """

    def __init__(self, state: State, view: View, folder: Path) -> None:
        self._state = state
        self._view = view
        self.numbers: Ints = np.flatnonzero(state.articles["is_alive"])
        self.n_rows = len(self.numbers)
        self.n_bytes = 0
        self.inputs = [str(folder)]
        self.columns = dict.fromkeys(schema.ARTICLE.names)
        self.rejects: list[Any] = []
        self.skipped: dict[str, int] = {}
        self.warnings: list[str] = []

    def texts(self) -> Iterator[tuple[Ints, FoldedTexts]]:
        """Yield some articles, and their folded texts, after one another."""
        for begin in range(0, len(self.numbers), AT_ONCE):
            articles = self.numbers[begin : begin + AT_ONCE]
            own, places = np.unique(self._state.articles["text"][articles], return_inverse=True)
            folded = decode(self._state, own.astype(np.int64))
            yield articles, _repeated(folded, places)

    def batches(self, columns: Iterable[str]) -> Iterator[Any]:
        """Yield folded texts again, without titles: what is judged is the text alone."""
        for _, folded in self.texts():
            text = string_array(folded.data, folded.offsets)
            titles = pa.nulls(len(text), pa.string())
            yield pa.record_batch([text, titles], names=list(columns))

    def table(self) -> pa.Table:
        """Return the ids and metadata of the articles."""
        state = self._state
        times = state.articles["time"][self.numbers]
        told = read_metadata(self._view, state, self.numbers)
        ids = pa.array([state.id_of(article) for article in self.numbers.tolist()], pa.string())
        dates = pa.array(times, mask=times == UNDATED).cast(schema.TIMESTAMP)
        columns = {"doc_id": ids, **{name: told[name] for name in told.column_names}, "published_at": dates}
        names = ["doc_id", *schema.METADATA_COLUMNS]
        fields = pa.schema([schema.ARTICLE.field(name) for name in names])
        return pa.table([columns[name] for name in names], schema=fields)


def read_metadata(view: View, state: State, articles: Ints) -> pa.Table:
    """Return the titles, outlets and addresses of some articles, given in order."""
    fields = pa.schema([schema.ARTICLE.field(name) for name in schema.METADATA_COLUMNS[:3]])
    parts = [fields.empty_table()]
    for first, table in walk_metadata(view, state):
        low, high = np.searchsorted(articles, (first, first + len(table)))
        if low < high:
            parts.append(table.take(pa.array(articles[low:high] - first)).cast(fields))
    return pa.concat_tables(parts).combine_chunks()


def walk_metadata(view: View, state: State) -> Iterator[tuple[int, pa.Table]]:
    """Yield the number of the first of some articles, and their titles, outlets and addresses.

    Raises
    ------
    IndexFormatError
        Those of an article are missing.
    """
    n_read = 0
    for name in view.names(b"meta/"):
        first = int(name[len(b"meta/") :])
        with pa.ipc.open_stream(pa.py_buffer(bytes(view.get(name)))) as reader:
            table = reader.read_all()
        if first != n_read:
            break
        yield first, table
        n_read += len(table)
    if n_read != state.articles.n:
        raise IndexFormatError(
            f"the index is damaged: titles and outlets of article {n_read} of {state.articles.n} are missing",
            hint="restore it from a copy, or build it again",
        )


def _repeated(folded: FoldedTexts, places: Ints) -> FoldedTexts:
    """Return the texts at some places, in that order."""
    sizes = np.diff(folded.offsets)[places]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    starts = np.repeat(folded.offsets[:-1][places] - offsets[:-1], sizes)
    data = np.zeros(int(offsets[-1]) + 64, dtype=np.uint8)
    data[: offsets[-1]] = folded.data[starts + np.arange(offsets[-1])]
    return FoldedTexts(data, offsets)


def run_over(
    stored: Stored,
    state: State,
    config: Config,
    furniture: pa.Table | None,
    observer: Observer = ignore_progress,
) -> Result:
    """Do what `samestory.cluster` does over the articles of an index, their furniture taken out already."""
    own = dataclasses.replace(config, boilerplate=False)
    banding = choose_banding(config.threshold, config.recall, config.num_perm)
    runs = Runs.of_corpus(config.shingle_unit == "char")

    def read(room: Room, executor: Executor) -> Corpus:
        fingerprints = room.samples()

        def work(item: tuple[Ints, FoldedTexts]) -> tuple[Any, Sketches, Sampled]:
            _, folded = item
            sampled = fingerprints.keep(sample(folded, runs) if config.partial else no_sample())
            return room.texts.keep(folded), sketch(folded, own, banding), sampled

        sketches, samples, sizes = SketchBook(room.band_keys(banding.bands)), [], []
        sketched_texts = in_order(executor, work, stored.texts(), 2)
        for (_, folded), (kept, sketched, sampled) in each(
            sketched_texts, observer, "read and sketch", len(stored.numbers), lambda one: len(one[0][1])
        ):
            room.texts.add(kept)
            sketches.add(sketched)
            samples.append(sampled)
            sizes.append(np.diff(folded.offsets))
        n = len(stored.numbers)
        columns = state.articles
        return Corpus(
            stored,  # type: ignore[arg-type]
            own,
            banding,
            executor,
            Metadata.of(stored.table()),
            sketches.finish(),
            samples,
            [SiteNames(columns["outlet"][stored.numbers], columns["host"][stored.numbers])],
            [len(part) for part in sizes],
            np.concatenate([np.zeros(0, dtype=np.int64), *sizes]),
            room,
            int(sum(int(part.sum()) for part in sizes)),
            columns["n_removed"][stored.numbers] if n else np.zeros(0, dtype=np.int32),
            is_sampled=bool(state.facts["is_sampled"]),
        )

    given = state.articles["story"][stored.numbers].astype(np.int64) if config.level == "story" else None
    result = cluster_corpus(read, stored, config, Timings(), observer, stories_given=given)  # type: ignore[arg-type]
    return result.with_furniture(furniture)
