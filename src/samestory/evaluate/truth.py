"""What is true: labels of articles (one for each cluster) or of pairs (same or different)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import types

from samestory.errors import ConfigError, InputError, SchemaError
from samestory.evaluate.files import Columns, read_columns
from samestory.schema import ROLES

_LABELS: Final = ("truth", "label", "cluster", "cluster_id", "gold", "story", "event", "class")
_CLEAR_PAIRS: Final = (("doc_id_a", "doc_id_b"), ("id_a", "id_b"))
# Names that mean something else beside a column of ids.
_VAGUE_PAIRS: Final = (("a", "b"), ("left", "right"))
_SAME: Final = frozenset(
    ("1", "true", "t", "yes", "y", "same", "duplicate", "dup", "copy", "match", "positive")
)  # fmt: skip
_DIFFERENT: Final = frozenset(
    ("0", "false", "f", "no", "n", "not", "non", "different", "distinct", "negative")
)  # fmt: skip
_ID_KINDS: Final = (
    types.is_null,
    types.is_integer,
    types.is_string,
    types.is_large_string,
    types.is_string_view,
)
_MOST_LABELS: Final = 20
_MOST_NAMED: Final = 3


@dataclass(frozen=True, kw_only=True)
class ClusterTruth:
    """Labelled articles; those of one label belong together.

    Parameters
    ----------
    doc_ids : pyarrow.ChunkedArray
        Ids of the labelled articles.
    labels : ndarray of int64
        Label of each, as a number from 0.
    n_unlabelled : int
        Rows without a label, which are left out.
    where : str
        The file and its columns, for messages.
    """

    doc_ids: Any
    labels: NDArray[np.int64]
    n_unlabelled: int
    where: str


@dataclass(frozen=True, kw_only=True)
class PairTruth:
    """Labelled pairs of articles, each once.

    Parameters
    ----------
    ids_a, ids_b : pyarrow.ChunkedArray
        Ids of each pair, in the order of the labels.
    same : ndarray of bool
        Whether the two belong together.
    counts : dict
        Pairs of each label, as the file spells it.
    n_unlabelled : int
        Rows without a label, which are left out.
    where : str
        The file and its columns, for messages.
    """

    ids_a: Any
    ids_b: Any
    same: NDArray[np.bool_]
    counts: dict[str, int]
    n_unlabelled: int
    where: str


Truth = ClusterTruth | PairTruth


def read_truth(
    source: Any,
    *,
    truth_column: str | None = None,
    id_column: str | None = None,
    positive: Sequence[str] = (),
) -> Truth:
    """Read labels of articles or of pairs; which of the two is told by the columns.

    Parameters
    ----------
    source : path or table
        Parquet, Arrow, JSON Lines, CSV or TSV, or a `pyarrow.Table`, or anything with
        ``__arrow_c_stream__``. Pairs have ``doc_id_a`` and ``doc_id_b`` (or ``id_a``, ``id_b``; ``a``,
        ``b``; ``left``, ``right``), articles an id as in the input.
    truth_column : str, optional
        Column of the labels; else the first of truth, label, cluster, cluster_id, gold, story, event
        and class that is there.
    id_column : str, optional
        Column of the articles' ids, where its name does not tell.
    positive : sequence of str, optional
        Labels of pairs that belong together; not needed where they are yes and no in common words.

    Returns
    -------
    ClusterTruth or PairTruth

    Raises
    ------
    InputError
        The file cannot be read; an id is missing or there twice; a pair contradicts another.
    SchemaError
        A column is missing or of a type that cannot serve.
    ConfigError
        It is not clear which labels mean that two articles belong together.
    """
    if isinstance(positive, str):
        positive = (positive,)
    columns = read_columns(source, _wanted(truth_column, id_column))
    pair = None if id_column else _pair_columns(columns)
    label = _label_column(columns, truth_column, pair or ())
    if pair:
        return _read_pairs(columns, pair, label, positive)
    if positive:
        raise ConfigError(
            f"{columns.where}: a positive label was named, but these are labels of articles, not of pairs",
            hint="leave --positive out; pairs have the columns doc_id_a and doc_id_b",
        )
    return _read_clusters(columns, id_column, label)


def _wanted(truth_column: str | None, id_column: str | None) -> set[str]:
    pairs = (name for pair in (*_CLEAR_PAIRS, *_VAGUE_PAIRS) for name in pair)
    chosen = (name for name in (truth_column, id_column) if name)
    return {name.casefold() for name in (*_LABELS, *ROLES["doc_id"], *pairs, *chosen)}


def _find(columns: Columns, aliases: Collection[str]) -> str | None:
    """First alias that is present: spelt so if possible, else in other letter case."""
    present: list[str] = columns.table.column_names
    lowered = {name.casefold(): name for name in reversed(present)}
    for alias in aliases:
        if alias in present:
            return alias
        if alias.casefold() in lowered:
            return lowered[alias.casefold()]
    return None


def _pair_columns(columns: Columns) -> tuple[str, str] | None:
    has_ids = _find(columns, ROLES["doc_id"]) is not None
    for names in _CLEAR_PAIRS if has_ids else (*_CLEAR_PAIRS, *_VAGUE_PAIRS):
        a, b = (_find(columns, (name,)) for name in names)
        if a and b:
            return a, b
    return None


def _label_column(columns: Columns, chosen: str | None, taken: Collection[str]) -> str:
    found = _find(columns, (chosen,) if chosen else [name for name in _LABELS if name not in taken])
    if found is None:
        problem = f"no column {chosen!r}" if chosen else "no column that could be the labels"
        raise SchemaError(
            f"{columns.where}: {problem} ({_listed(columns.names)})",
            hint="name it with --truth-column; CSV needs a header row",
        )
    kind = columns.column(found).type
    if types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind):
        raise SchemaError(
            f"{columns.where}: column {found!r} is of type {kind}, which cannot be labels",
            hint="name another column with --truth-column",
        )
    return found


def _listed(names: Sequence[str]) -> str:
    return f"the columns are {', '.join(map(repr, names))}" if names else "there are no columns"


def _read_clusters(columns: Columns, id_column: str | None, label: str) -> ClusterTruth:
    where = f"{columns.where} (column {label!r})"
    found = _find(columns, (id_column,) if id_column else ROLES["doc_id"])
    if found is None:
        problem = f"no column {id_column!r}" if id_column else "no column that could be the articles' ids"
        raise SchemaError(
            f"{columns.where}: {problem} ({_listed(columns.names)})", hint="name it with --id-column"
        )
    labels = _strings(columns.column(label))
    rows = _labelled(labels, where)
    ids = _ids(columns, found, rows)
    _check_unique(ids, columns.where)
    kept = labels.take(rows)
    codes = pc.index_in(kept, value_set=pc.unique(kept))
    return ClusterTruth(
        doc_ids=ids,
        labels=np.asarray(codes.to_numpy(), dtype=np.int64),
        n_unlabelled=len(labels) - len(rows),
        where=where,
    )


def _read_pairs(columns: Columns, pair: tuple[str, str], label: str, positive: Sequence[str]) -> PairTruth:
    where = f"{columns.where} (column {label!r})"
    labels = _strings(columns.column(label))
    rows = _labelled(labels, where)
    kept = labels.take(rows)
    same = _meaning(kept, positive, where)
    a, b = (_ids(columns, name, rows) for name in pair)
    first = _first_rows(a, b, same, columns.where)
    counted = pc.value_counts(kept.take(first)).to_pylist()
    return PairTruth(
        ids_a=a.take(first),
        ids_b=b.take(first),
        same=same[first],
        counts={entry["values"]: entry["counts"] for entry in counted},
        n_unlabelled=len(labels) - len(rows),
        where=where,
    )


def _strings(values: Any) -> Any:
    """Values as strings; those that are not a number become null."""
    if types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    try:
        return values.cast(pa.string())
    except pa.ArrowNotImplementedError:
        # PyArrow before 18 cannot cast string views.
        return pa.chunked_array([pa.array(values.to_pylist(), pa.string())])


def _labelled(labels: Any, where: str) -> NDArray[np.int64]:
    """Rows that have a label, neither null nor empty."""
    blank = pc.fill_null(pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(labels)), 0), True)
    rows = np.flatnonzero(~np.asarray(blank.to_numpy(), dtype=np.bool_))
    if not len(rows):
        raise InputError(f"{where}: no row has a label", hint="name the column of labels with --truth-column")
    return rows


def _ids(columns: Columns, name: str, rows: NDArray[np.int64]) -> Any:
    values = columns.column(name)
    kind = values.type.value_type if types.is_dictionary(values.type) else values.type
    if not any(is_kind(kind) for is_kind in _ID_KINDS):
        raise SchemaError(
            f"{columns.where}: column {name!r} is of type {kind}, which cannot be ids",
            hint="name another column with --id-column, or convert it",
        )
    ids = _strings(values).take(rows)
    if ids.null_count:
        row = int(rows[np.flatnonzero(np.asarray(ids.is_null().to_numpy()))[0]]) + 1
        raise InputError(
            f"{columns.where}: row {row:,} has a label but no id (column {name!r})",
            hint="give it one, or leave its label empty",
        )
    return ids


def _check_unique(ids: Any, where: str) -> None:
    counted = pc.value_counts(ids)
    repeated = counted.filter(pc.greater(counted.field("counts"), 1)).field("values").to_pylist()
    if repeated:
        raise InputError(
            f"{where}: ids are labelled more than once: {some(repeated)}",
            hint="keep one row for each, or choose another column with --id-column",
        )


def some(values: Sequence[str]) -> str:
    """The first few of some values, for messages."""
    named = ", ".join(map(repr, values[:_MOST_NAMED]))
    return f"{named} and {len(values) - _MOST_NAMED:,} more" if len(values) > _MOST_NAMED else named


def _meaning(labels: Any, positive: Sequence[str], where: str) -> NDArray[np.bool_]:
    """Whether each label means that two articles belong together."""
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(labels).to_pylist()}
    if positive:
        unknown = [label for label in positive if label not in counts]
        if unknown:
            raise ConfigError(
                f"{where}: no pair is labelled {unknown[0]!r}; the labels are {_counted(counts)}",
                hint="name labels that occur with --positive",
            )
        chosen = set(positive)
    else:
        words = {label: label.strip().casefold().removesuffix(".0") for label in counts}
        if not set(words.values()) <= _SAME | _DIFFERENT:
            raise ConfigError(
                f"{where}: unclear which labels mean the same; they are {_counted(counts)}",
                hint="name those that do with --positive LABEL, once for each",
            )
        chosen = {label for label, word in words.items() if word in _SAME}
    return np.asarray(pc.is_in(labels, value_set=pa.array(sorted(chosen), pa.string())).to_numpy())


def _counted(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{label!r} ({count:,})" for label, count in ordered[:_MOST_LABELS])
    more = len(ordered) - _MOST_LABELS
    return f"{listed} and {more:,} more" if more > 0 else listed


def _first_rows(a: Any, b: Any, same: NDArray[np.bool_], where: str) -> NDArray[np.int64]:
    """Row of each pair where it stands first, whichever way round.

    Raises
    ------
    InputError
        A pair is of one article only, or has labels that contradict each other.
    """
    known = pc.unique(pa.chunked_array([*a.chunks, *b.chunks], pa.string()))
    codes = [np.asarray(pc.index_in(ids, value_set=known).to_numpy(), dtype=np.int64) for ids in (a, b)]
    alone = np.flatnonzero(codes[0] == codes[1])
    if len(alone):
        raise InputError(
            f"{where}: {a[int(alone[0])].as_py()!r} is paired with itself", hint="leave such pairs out"
        )
    keys = np.minimum(*codes) * np.int64(len(known)) + np.maximum(*codes)
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    against = np.flatnonzero(same[first][place] != same)
    if len(against):
        pairs = [f"{a[int(i)].as_py()!r} and {b[int(i)].as_py()!r}" for i in against[:_MOST_NAMED]]
        raise InputError(
            f"{where}: labelled both the same and different: {'; '.join(pairs)}",
            hint="keep one label for each pair",
        )
    return np.sort(first)
