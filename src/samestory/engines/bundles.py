"""Articles in bundles: rows of some hundreds of articles each, whose every column is one value.

Spark handles rows one by one and field by field, copying each several times; of a row that holds a
megabyte of articles that costs as much as of one article. In the workers a bundle is a record batch.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.engines.blobs import SENT, bytes_column, slots_of
from samestory.engines.rows import CLEAN, READ, VERDICT, Ints, numbers_of

BUNDLE_BYTES: Final = 1 << 20
"""A bundle has about so many bytes of text, at most,"""
BUNDLE_ROWS: Final = 1 << 12
"""and so many articles."""
PLACE_BITS: Final = 36
"""An article's place in its unit has so many bits, until its number in the whole input is known."""
ROUTED_BYTES: Final = 48 << 20
"""Articles are sent on when about so many bytes of them are there: in few bundles, if not in large ones."""

FIELDS: Final = {field.name: field for schema in (CLEAN, READ, VERDICT) for field in schema} | {
    "founder": pa.field("founder", pa.int64()),
    "label": pa.field("label", pa.int64()),
    "story_id": pa.field("story_id", pa.string()),
    "story_size": pa.field("story_size", pa.int32()),
    "story_score": pa.field("story_score", pa.float32()),
}
ROUTED: Final = pa.field("slot", pa.int32())
_N: Final = pa.field("n", pa.int32())
_BYTES: Final = (pa.binary(), pa.large_binary(), pa.string(), pa.large_string())


def rows_of_bundles(columns: Iterable[str], *heads: pa.Field) -> pa.Schema:
    """Return the schema of rows that are bundles: values of their own, how many articles, the columns.

    Those with a `slot` are on their way.
    """
    kind = SENT if ROUTED in heads else pa.binary()
    return pa.schema([*heads, _N, *(pa.field(name, kind) for name in columns)])


CLEAN_BUNDLES: Final = rows_of_bundles(
    CLEAN.names,
    pa.field("key", pa.int64()),
    pa.field("size", pa.int64()),
    pa.field("n_changed", pa.int64()),
    pa.field("n_removed_in_all", pa.int64()),
    pa.field("n_units_in_all", pa.int64()),
    pa.field("facts", pa.binary()),
)
"""Bundles by their first article, `key`, with sums over their articles. `facts` is furniture learnt."""
KIND: Final = pa.field("kind", pa.int32())
ROUND: Final = pa.field("round", pa.int32())
VERDICT_BUNDLES: Final = rows_of_bundles(
    VERDICT.names, KIND, ROUND, pa.field("n_round_ups", pa.int64()), pa.field("n_cut", pa.int64())
)
"""Bundles of a `kind`: what was said in the second `round`, 1, holds where both say something of an article.

A row that is no bundle counts round-ups, and the pairs that these do not join.
"""
PLACES: Final = pa.schema(
    [pa.field("doc", pa.int64()), pa.field("key", pa.int64()), pa.field("at", pa.int32())]
)
"""In which bundle an article is, and where."""


class Bundle(NamedTuple):
    """A bundle: its articles, and the row that it is of a batch."""

    articles: pa.RecordBatch
    batch: pa.RecordBatch
    row: int

    def head(self, name: str) -> Any:
        """Return a value of the bundle itself."""
        return self.batch.column(name)[self.row].as_py()


def bundles_in(batches: Iterable[pa.RecordBatch]) -> Iterator[Bundle]:
    """Yield the bundles among some rows."""
    for batch in batches:
        names = [name for name in batch.schema.names if _is_bundled(batch.schema.field(name))]
        columns = {name: batch.column(name) for name in names}
        for row in np.flatnonzero(batch.column("n").is_valid().to_numpy(zero_copy_only=False)).tolist():
            values = {name: columns[name][row] for name in names}
            held = {name: _decoded(one, FIELDS[name]) for name, one in values.items() if one.is_valid}
            yield Bundle(pa.RecordBatch.from_pydict(held), batch, row)


def articles_in(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the articles of the bundles among some rows."""
    return (bundle.articles for bundle in bundles_in(batches))


@dataclass(frozen=True)
class Numbering:
    """What tells the numbers of articles as they were read.

    Attributes
    ----------
    firsts : int64 array
        The number of the first article of each unit.
    named : bool
        Whether articles have ids; else they get those of their places.
    """

    firsts: Ints
    named: bool

    def of(self, docs: Ints) -> Ints:
        """Return the numbers of articles of which unit and place are known, in the same order."""
        return np.asarray(self.firsts[docs >> PLACE_BITS] + (docs & ((1 << PLACE_BITS) - 1)))


def numbered_in(batches: Iterable[pa.RecordBatch], numbering: Numbering) -> Iterator[pa.RecordBatch]:
    """Yield the articles of some rows as they were read, each with its number as `doc`."""
    for articles in articles_in(batches):
        docs = numbering.of(numbers_of(articles.column("doc"), np.int64))
        if not numbering.named and "doc_id" in articles.schema.names:
            place = articles.schema.get_field_index("doc_id")
            ids = pa.array([f"table:{doc + 1}" for doc in docs.tolist()], pa.string())
            articles = articles.set_column(place, "doc_id", ids)
        yield articles.set_column(0, "doc", pa.array(docs))


def bundle_up(articles: pa.RecordBatch, schema: pa.Schema, cuts: Ints, **heads: Any) -> pa.RecordBatch:
    """Return articles as bundles.

    Parameters
    ----------
    articles : RecordBatch
    schema : Schema
        Of `rows_of_bundles`; what is not given is null.
    cuts : int64 array
        Where bundles begin, and the last one ends.
    **heads : array
        Values of the bundles themselves.
    """
    heads["n"] = np.diff(cuts)
    names = articles.schema.names
    arrays = []
    for field in schema:
        if field.name in heads:
            arrays.append(pa.array(heads[field.name], field.type))
        elif field.name in names:
            column = articles.column(field.name)
            values = [_encoded(column[b:e], field.name) for b, e in itertools.pairwise(cuts)]
            arrays.append(bytes_column(values, field.type))
        else:
            arrays.append(pa.nulls(len(cuts) - 1, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def clean_bundles(articles: pa.RecordBatch) -> pa.RecordBatch:
    """Return articles of the columns of `rows.CLEAN` as `CLEAN_BUNDLES`."""
    cuts = cuts_of(articles)
    firsts = cuts[:-1]
    sums = {name: numbers_of(articles.column(name), np.int64) for name in ("n_removed", "n_units")}
    sizes = np.diff(text_ends(articles.column("text")), prepend=0)
    return bundle_up(
        articles,
        CLEAN_BUNDLES,
        cuts,
        key=numbers_of(articles.column("doc"), np.int64)[firsts],
        size=_sums(sizes, firsts),
        n_changed=_sums((sums["n_removed"] != 0).astype(np.int64), firsts),
        n_removed_in_all=_sums(sums["n_removed"], firsts),
        n_units_in_all=_sums(sums["n_units"], firsts),
    )


def numbered_as_clean(batches: Iterable[pa.RecordBatch], numbering: Numbering) -> Iterator[pa.RecordBatch]:
    """Bring articles as they were read into the form of those without furniture."""
    for articles in numbered_in(batches, numbering):
        yield clean_bundles(articles.select(CLEAN.names))


def places_of(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Tell in which bundle each article is, and where."""
    for bundle in bundles_in(batches):
        n = len(bundle.articles)
        columns = [
            bundle.articles.column("doc"),
            np.full(n, bundle.head("key")),
            np.arange(n, dtype=np.int32),
        ]
        yield pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=PLACES)


def assigned_in(batches: Iterable[pa.RecordBatch], *names: str) -> Iterator[pa.RecordBatch]:
    """Yield the articles to which something is assigned, with that.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Of bundles, with `assigned`: a list of places in the bundle, `at`, and of values by name.
    *names : str
        Those of the values.
    """
    for bundle in bundles_in(batches):
        told = _assigned(bundle)
        if told is not None:
            order = np.argsort(told["at"], kind="stable")
            articles = bundle.articles.take(pa.array(told["at"][order]))
            for name in names:
                articles = articles.append_column(name, pa.array(told[name][order]))
            yield articles


def assigned_or_not_in(
    batches: Iterable[pa.RecordBatch],
) -> Iterator[tuple[pa.RecordBatch, dict[str, NDArray[Any]] | None]]:
    """Yield all articles, by bundle, with the values that are assigned to some, if to any."""
    for bundle in bundles_in(batches):
        yield bundle.articles, _assigned(bundle)


def _assigned(bundle: Bundle) -> dict[str, NDArray[Any]] | None:
    told = bundle.batch.column("assigned")[bundle.row]
    if not told.is_valid:
        return None
    values = told.values
    return {
        field.name: np.array(values.field(field.name).to_numpy(zero_copy_only=False)) for field in values.type
    }


def collected(articles: Iterable[pa.RecordBatch], most: int = ROUTED_BYTES) -> Iterator[pa.RecordBatch]:
    """Yield articles in larger batches, of about so many bytes."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in articles:
        if held and size + batch.nbytes > most:
            yield _joined(held)
            held, size = [], 0
        held.append(batch)
        size += batch.nbytes
    if held:
        yield _joined(held)


def send(
    articles: pa.RecordBatch, schema: pa.Schema, keys: NDArray[np.int64], n_partitions: int, **heads: int
) -> pa.RecordBatch:
    """Return articles as bundles for the partitions of their keys: those of one key go to one.

    `heads` are values that all the bundles have.
    """
    targets = keys % n_partitions
    order = np.argsort(targets, kind="stable")
    targets = targets[order]
    articles = articles.take(pa.array(order))
    cuts = cuts_of(articles, np.flatnonzero(np.diff(targets)) + 1)
    slots = np.array(slots_of(n_partitions), dtype=np.int32)
    common = {name: np.full(len(cuts) - 1, value) for name, value in heads.items()}
    return bundle_up(articles, schema, cuts, slot=slots[targets[cuts[:-1]]], **common)


def cuts_of(articles: pa.RecordBatch, borders: Ints | None = None) -> Ints:
    """Return where bundles of articles begin, and the last one ends; there is one at each border."""
    n = len(articles)
    borders = np.zeros(0, dtype=np.int64) if borders is None else borders
    if "text" in articles.schema.names:
        ends = text_ends(articles.column("text"))
    else:
        ends = np.arange(1, n + 1) * (BUNDLE_BYTES // BUNDLE_ROWS)
    cuts = [0]
    for border in [*borders.tolist(), n]:
        while cuts[-1] < border:
            begin = cuts[-1]
            base = int(ends[begin - 1]) if begin else 0
            end = int(np.searchsorted(ends, base + BUNDLE_BYTES, side="right"))
            cuts.append(min(border, begin + BUNDLE_ROWS, max(begin + 1, end)))
    return np.array(cuts, dtype=np.int64)


def text_ends(column: Any) -> Ints:
    """Return where the texts end, the first of which begins at 0."""
    if not len(column):
        return np.zeros(0, dtype=np.int64)
    width = np.int64 if pa.types.is_large_binary(column.type) else np.int32
    offsets = np.frombuffer(column.buffers()[1], dtype=width)[column.offset : column.offset + len(column) + 1]
    return np.asarray(offsets[1:].astype(np.int64) - int(offsets[0]))


def _joined(held: list[pa.RecordBatch]) -> pa.RecordBatch:
    return held[0] if len(held) == 1 else pa.concat_batches(held)


def _sums(values: Ints, firsts: Ints) -> Ints:
    return np.add.reduceat(values, firsts) if len(firsts) else firsts


def _is_bundled(field: pa.Field) -> bool:
    return field.name in FIELDS and field.type in _BYTES


def _encoded(column: Any, name: str) -> bytes:
    message: bytes = pa.RecordBatch.from_arrays([column], [name]).serialize().to_pybytes()
    return message


def _decoded(value: Any, field: pa.Field) -> Any:
    """Return a column; all but the texts are copied out of the batch, whose memory they would keep."""
    buffer = value.as_buffer()
    if field.name != "text":
        buffer = pa.py_buffer(buffer.to_pybytes())
    return pa.ipc.read_record_batch(buffer, pa.schema([field])).column(0)
