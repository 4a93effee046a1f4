"""The order of the stages on one machine.

::

    read → normalise → sketch → band → verify → tables
    (folded texts are kept for verify where there is room, else read and folded again)
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.band import Components, concatenate, find_components
from samestory.buffers import string_buffers
from samestory.config import Config
from samestory.errors import ConfigError
from samestory.identity import check_unique, founding_times
from samestory.kernels.buckets import gather_texts
from samestory.normalise import FoldedTexts, Workspace, judged_text, normalise
from samestory.params import Banding, choose_banding
from samestory.progress import Observer, ignore_progress
from samestory.read import Source, open_source
from samestory.result import Result
from samestory.schema import ARTICLE, METADATA_COLUMNS
from samestory.signature import Sketches, sketch
from samestory.summary import run_stats
from samestory.tabulate import clusters_table, pairs_table
from samestory.textstore import Kept, TextStore
from samestory.verify import Articles, Verified, verify

ROUND_BYTES: Final = 1 << 30
"""Candidates are verified in rounds of about this many bytes of folded text."""
CHUNKS_PER_THREAD: Final = 4

A = TypeVar("A")
B = TypeVar("B")


@dataclass
class Timings:
    """Seconds that each stage took."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


@dataclass
class _Corpus:
    """What is kept of all articles after the first pass."""

    articles: pa.Table
    sketches: Sketches
    folded_sizes: NDArray[np.int64]
    texts: TextStore
    n_bytes: int


def cluster(data: Any, config: Config | None = None, *, observer: Observer = ignore_progress) -> Result:
    """Cluster articles that are copies of one another.

    Parameters
    ----------
    data : pyarrow.Table, pyarrow.RecordBatchReader, object with ``__arrow_c_stream__``, path, list of paths
        The articles; columns are found by name (see `Config`).
    config : Config, optional
    observer : callable, optional
        Called with the stage's name and how far it has come.

    Returns
    -------
    Result
        One row for each article in `clusters`, one for each verified pair in `pairs`.

    Raises
    ------
    InputError, SchemaError
        An input cannot be found or read, or a row is broken.

    Notes
    -----
    MinHash with banding (Broder 1997; Indyk and Motwani 1998) proposes, exact
    Jaccard over distinct shingles decides. Time and memory grow linearly with
    the articles; the work on a bucket of m articles grows with m.
    """
    config = Config() if config is None else config
    if not isinstance(config, Config):
        raise ConfigError(
            f"config is of type {type(config).__name__}", hint="pass samestory.Config(threshold=0.7)"
        )
    with open_source(data, config) as source:
        return cluster_source(source, config, observer)


def cluster_source(source: Source, config: Config, observer: Observer = ignore_progress) -> Result:
    """Do the work of `cluster` on an opened source."""
    timings = Timings()
    banding = choose_banding(config.threshold, config.recall, config.num_perm)
    with timings.stage("total"), _threads(config.n_threads) as executor, TextStore() as texts:
        with timings.stage("read and sketch"):
            corpus = _first_pass(source, config, banding, texts, executor, observer)
            check_unique(corpus.articles["doc_id"], source)
        with timings.stage("band"):
            observer("band", 0, None)
            components = find_components(corpus.sketches, executor)
        with timings.stage("verify"):
            ids, id_offsets = string_buffers(_as_one(corpus.articles["doc_id"]))
            order = Articles(founding_times(corpus.articles["published_at"]), ids, id_offsets)
            verified = list(_verify_rounds(components, corpus, order, source, config, executor, observer))
        with timings.stage("tabulate"):
            observer("tabulate", 0, None)
            clusters = clusters_table(corpus.articles, corpus.sketches.n_shingles, verified)
            pairs = pairs_table(corpus.articles["doc_id"], corpus.sketches.n_shingles, verified)
    stats = run_stats(source, config, banding, clusters, pairs, corpus.n_bytes, timings.seconds)
    return Result(clusters, pairs, stats, list(source.rejects))


@contextmanager
def _threads(n: int) -> Iterator[Executor]:
    """Run work in threads; what has not begun is dropped when something fails or the user interrupts."""
    executor = ThreadPoolExecutor(n)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def _in_order(
    executor: Executor, work: Callable[[A], B], items: Iterable[A], ahead: int
) -> Iterator[tuple[A, B]]:
    """Apply `work` in threads and yield the results in order, with few items under way at once."""
    waiting: deque[tuple[A, Future[B]]] = deque()
    for item in items:
        waiting.append((item, executor.submit(work, item)))
        while len(waiting) > ahead:
            done, future = waiting.popleft()
            yield done, future.result()
    while waiting:
        done, future = waiting.popleft()
        yield done, future.result()


_of_thread = threading.local()


def _workspace() -> Workspace:
    """Return this thread's workspace."""
    if not hasattr(_of_thread, "workspace"):
        _of_thread.workspace = Workspace()
    return _of_thread.workspace  # type: ignore[no-any-return]


def _first_pass(
    source: Source,
    config: Config,
    banding: Banding,
    texts: TextStore,
    executor: Executor,
    observer: Observer,
) -> _Corpus:
    """Fold and sketch every article, keeping its metadata and, while there is room, its folded text."""
    kept_columns = ["doc_id", *METADATA_COLUMNS]
    metadata: list[pa.RecordBatch] = []
    sketches: list[Sketches] = []
    sizes: list[NDArray[np.int64]] = []
    n_bytes = 0

    def work(batch: pa.RecordBatch) -> tuple[NDArray[np.int64], Kept | None, Sketches]:
        judged = judged_text(batch["text"], batch["title"])
        folded = normalise(judged, unit=config.shingle_unit, workspace=_workspace())
        return np.diff(folded.offsets), texts.keep(folded), sketch(folded, config, banding)

    n_done = 0
    for batch, (batch_sizes, kept, sketched) in _in_order(
        executor, work, source.batches(), 4 * config.n_threads
    ):
        metadata.append(batch.select(kept_columns))
        sketches.append(sketched)
        sizes.append(batch_sizes)
        n_bytes += batch["text"].nbytes
        n_done += len(batch)
        texts.add(kept)
        observer("read and sketch", n_done, None)
    schema = pa.schema([ARTICLE.field(name) for name in kept_columns])
    return _Corpus(
        pa.Table.from_batches(metadata, schema=schema),
        concatenate(sketches, banding.bands),
        np.concatenate(sizes) if sizes else np.zeros(0, dtype=np.int64),
        texts,
        n_bytes,
    )


def _verify_rounds(
    components: Components,
    corpus: _Corpus,
    order: Articles,
    source: Source,
    config: Config,
    executor: Executor,
    observer: Observer,
) -> Iterator[Verified]:
    """Verify the components in rounds small enough for memory, each round in threads."""
    if not len(components):
        return
    sizes = np.add.reduceat(corpus.folded_sizes[components.docs], components.offsets[:-1])
    n_done = 0
    for part in _split_by_bytes(components, sizes, ROUND_BYTES):
        texts = _collect(part, corpus, source, config, executor)
        part_sizes = np.add.reduceat(np.diff(texts.offsets), part.offsets[:-1])
        n_chunks = CHUNKS_PER_THREAD * config.n_threads
        chunks = list(_split_by_bytes(part, part_sizes, max(1 << 20, texts.n_bytes // n_chunks)))

        def work(begin_and_chunk: tuple[int, Components], texts: FoldedTexts = texts) -> Verified:
            begin, chunk = begin_and_chunk
            offsets = texts.offsets[begin : begin + len(chunk.docs) + 1]
            return verify(chunk, FoldedTexts(texts.data, offsets), corpus.sketches, order, config)

        begins = np.cumsum([0, *(len(chunk.docs) for chunk in chunks)])
        for (_, chunk), verified in _in_order(
            executor, work, zip(begins.tolist(), chunks, strict=False), len(chunks)
        ):
            n_done += len(chunk.docs)
            observer("verify", n_done, len(components.docs))
            yield verified


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


def _collect(
    components: Components, corpus: _Corpus, source: Source, config: Config, executor: Executor
) -> FoldedTexts:
    """Bring the folded texts of some articles together, in the order of the components."""
    docs = components.docs
    offsets = np.zeros(len(docs) + 1, dtype=np.int64)
    np.cumsum(corpus.folded_sizes[docs], out=offsets[1:])
    out = np.empty(int(offsets[-1]) + 64, dtype=np.uint8)
    places = np.argsort(docs, kind="stable")
    sorted_docs = docs[places]

    def place(first: int, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        low, high = np.searchsorted(sorted_docs, (first, first + n))
        return sorted_docs[low:high] - first, places[low:high]

    def copy(item: tuple[int, Any]) -> None:
        first, batch = item
        selected, targets = place(first, len(batch))
        if not len(selected):
            return
        if corpus.texts.complete:
            folded = corpus.texts.load(batch)
        else:
            texts = judged_text(batch["text"], batch["title"])
            folded = normalise(texts, unit=config.shingle_unit, selected=selected, workspace=_workspace())
            selected = np.arange(len(selected))
        gather_texts(folded.data, folded.offsets, selected, targets, out, offsets)

    batches = (
        corpus.texts.numbered() if corpus.texts.complete else _numbered(source.batches(("text", "title")))
    )
    for _ in _in_order(executor, copy, batches, config.n_threads + 1):
        pass
    return FoldedTexts(out, offsets)


def _numbered(batches: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """Pair each batch with the number of its first row."""
    first = 0
    for batch in batches:
        yield first, batch
        first += len(batch)


def _as_one(column: Any) -> Any:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
