"""Reading in the workers: units of the input, or the partitions of a Spark DataFrame, as bundles."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from samestory import errors
from samestory.config import Config
from samestory.corpus import _read_texts
from samestory.engines.rows import (
    READ,
    as_bytes,
    as_keys,
    as_rows,
    as_words,
    rows_from,
)
from samestory.engines.sending import Sender
from samestory.errors import ConfigError, SamestoryError
from samestory.fingerprints import Runs, no_sample, sample
from samestory.kernels.runs import LOCAL_BITS
from samestory.normalise import normalise
from samestory.params import Banding, choose_banding
from samestory.read import Source
from samestory.read.canonical import convert
from samestory.read.chunk import MAX_ROWS, Chunk, Reader, shown
from samestory.read.columnar import ArrowReader, ParquetReader
from samestory.read.columns import Columns
from samestory.read.delimited import DelimitedReader
from samestory.read.discover import find_parts
from samestory.read.files import Part
from samestory.read.jsonlines import JsonLinesReader
from samestory.read.textfiles import TextFilesReader
from samestory.schema import ARTICLE, METADATA_COLUMNS
from samestory.signature import sketch
from samestory.sites import read_names

UNIT_BYTES: Final = 48 << 20
"""Row groups of a Parquet file are read in units of about so many bytes as stored,"""
UNIT_FILES: Final = 2000
"""text files in units of so many."""
PACKED_RATIO: Final = 4
"""What is in a compressed file is taken to be so much larger."""
_PAGES: Final = ("html", "warc")
_KINDS: Final = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, SamestoryError)
}


@dataclasses.dataclass(frozen=True)
class Unit:
    """What one task reads: files, or of a Parquet file the row groups from `begin` to `end`.

    `n_bytes` is about what is in them, not compressed; 0 where that cannot be told.
    """

    parts: tuple[Part, ...]
    begin: int = 0
    end: int = -1
    n_bytes: int = 0

    def reader(self) -> Reader:
        """Return the reader of its rows."""
        part = self.parts[0]
        if part.format == "txt":
            return TextFilesReader(list(self.parts))
        if part.format == "parquet":
            groups = None if self.end < 0 else range(self.begin, self.end)
            return ParquetReader(part, threads=False, groups=groups)
        if part.format == "arrow":
            return ArrowReader(part)
        if part.format == "jsonl":
            return JsonLinesReader(part, threads=False)
        return DelimitedReader(part)


def plan_units(inputs: list[str], config: Config) -> list[Unit]:
    """Cut the input into units, in its order.

    Raises
    ------
    ConfigError
        An input cannot be read in several places at once.
    """
    if "-" in inputs:
        raise ConfigError("the Spark engine cannot read standard input", hint="write it to a file first")
    units: list[Unit] = []
    texts: list[Part] = []
    for part in find_parts(inputs, config.format):
        if part.format in _PAGES:
            raise ConfigError(
                f"{part.name}: the Spark engine reads no web pages", hint="leave out --engine spark"
            )
        if part.format == "txt":
            texts.append(part)
            continue
        units += _units_of_texts(texts)
        texts = []
        units += _groups(part) if part.format == "parquet" and part.is_local else [_whole(part)]
    return [*units, *_units_of_texts(texts)]


def _units_of_texts(parts: list[Part]) -> list[Unit]:
    groups = [tuple(parts[k : k + UNIT_FILES]) for k in range(0, len(parts), UNIT_FILES)]
    return [Unit(group, n_bytes=sum(part.n_bytes for part in group)) for group in groups]


def _whole(part: Part) -> Unit:
    return Unit((part,), n_bytes=part.n_bytes * (PACKED_RATIO if part.compression else 1))


def _groups(part: Part) -> list[Unit]:
    """Return a Parquet file as units of row groups; one that cannot be read is for its reader to tell."""
    try:
        metadata = pq.read_metadata(part.path)
    except (pa.ArrowException, OSError):
        return [_whole(part)]
    units: list[Unit] = []
    begin = held = 0
    for group in range(metadata.num_row_groups):
        held += metadata.row_group(group).total_byte_size
        if held >= UNIT_BYTES or group == metadata.num_row_groups - 1:
            units.append(Unit((part,), begin, group + 1, held))
            begin, held = group + 1, 0
    return units or [_whole(part)]


def read_units(
    batches: Iterable[pa.RecordBatch], units: list[Unit], config: Config, n_partitions: int
) -> Iterator[pa.RecordBatch]:
    """Read the units whose numbers come in, and send their articles on, and facts of each."""
    for batch in batches:
        for number in batch.column(0).to_pylist():
            sender = Sender(number, n_partitions, by_site=config.boilerplate, named=True)
            yield from _read_unit(sender, units[number], config)


def _read_unit(sender: Sender, unit: Unit, config: Config) -> Iterator[pa.RecordBatch]:
    banding = choose_banding(config.threshold, config.recall, config.num_perm)
    n_bytes = 0
    source = None
    try:
        source = Source([unit.reader()], config, [unit.parts[0].name])
        for batch in source.batches():
            if len(batch):
                yield from sender.add(sketched(batch, config, banding))
                n_bytes += batch["text"].nbytes
    except SamestoryError as error:
        yield sender.told({"error": _as_told(error)})
        return
    yield from sender.rest()
    undated = {"n": source._survey.n_undated, "first": source._survey.first_undated}
    yield sender.told({"text_bytes": n_bytes, "undated": undated})


def read_partition(
    batches: Iterable[pa.RecordBatch], columns: Columns, config: Config, n_partitions: int
) -> Iterator[pa.RecordBatch]:
    """Read one partition of a DataFrame, and send its articles on, and facts of it."""
    from pyspark import TaskContext

    banding = choose_banding(config.threshold, config.recall, config.num_perm)
    context = TaskContext.get()
    unit = context.partitionId() if context is not None else 0
    wanted = {role: column for role, column in columns.items() if column is not None}
    sender = Sender(unit, n_partitions, by_site=config.boilerplate, named="doc_id" in wanted)
    n = n_bytes = n_undated = 0
    first_undated: list[Any] = []
    for batch in batches:
        for begin in range(0, len(batch), MAX_ROWS):
            piece = batch.slice(begin, MAX_ROWS)
            chunk = Chunk(piece, np.arange(n + 1, n + 1 + len(piece)))
            try:
                converted = convert(chunk, wanted, ARTICLE.names, "table")
            except SamestoryError as error:
                yield sender.told({"error": _as_told(error)})
                return
            if converted.broken:
                item = converted.broken[0]
                yield sender.told({"broken": [item.row, f"{item.reason}: {shown(item.raw)}"]})
                return
            if converted.undated and not first_undated:
                first_undated = list(converted.undated[0])
            n_undated += len(converted.undated)
            yield from sender.add(sketched(converted.batch, config, banding))
            n_bytes += converted.batch["text"].nbytes
            n += len(piece)
    yield from sender.rest()
    yield sender.told({"text_bytes": n_bytes, "undated": {"n": n_undated, "row": first_undated}})


def sketched(batch: pa.RecordBatch, config: Config, banding: Banding) -> pa.RecordBatch:
    """Return a batch of articles with the columns of `rows.READ`; their numbers are still to be told."""
    if len(batch) > 1 << LOCAL_BITS:
        raise ValueError(f"a batch of {len(batch)} articles is too large")
    judged, n_removed = _read_texts(batch, config)
    folded = normalise(judged, unit=config.shingle_unit)
    sketches = sketch(folded, config, banding)
    sampling = config.partial or config.boilerplate
    runs = Runs.of_corpus(config.shingle_unit == "char")
    taken = sample(folded, runs) if sampling else no_sample()
    names = read_names(batch["source"], batch["url"])
    n = len(batch)
    return rows_from(
        READ,
        n,
        doc=np.zeros(n, np.int64),
        doc_id=batch["doc_id"],
        **{name: batch[name] for name in METADATA_COLUMNS[:-1]},
        time=batch["published_at"].cast(pa.int64()),
        text=as_bytes(folded),
        text_key=as_keys(sketches.text_keys),
        n_shingles=sketches.n_shingles,
        n_units=sketches.n_units,
        bands=as_rows(sketches.band_keys.T),
        prints=prints_column([entries for entries in taken.partitions if entries is not None], n),
        n_removed=n_removed,
        host=as_keys(names.hosts),
        outlet=as_keys(names.outlets),
    )


def prints_column(partitions: list[Any], n: int) -> pa.Array:
    """Return the fingerprints of a batch of n articles as a column, each article's own."""
    entries = np.concatenate([np.zeros(0, np.uint64), *partitions])
    low = np.uint64((1 << LOCAL_BITS) - 1)
    owners = (entries & low).astype(np.int64)
    order = np.argsort(owners, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=n))]).astype(np.int64)
    return as_words((entries & ~low)[order], offsets)


def _as_told(error: SamestoryError) -> list[str | None]:
    return [type(error).__name__, error.message, error.hint]


def as_error(told: list[Any]) -> SamestoryError:
    """Return the error that a worker told of."""
    kind, message, hint = told
    return _KINDS.get(kind, SamestoryError)(message, hint=hint)
