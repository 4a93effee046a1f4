"""A run that is done, from its folder: its tables, and the articles that it read, read once more."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from samestory.config import Config
from samestory.errors import InputError, SamestoryError
from samestory.furniture import BLOCKS, Furniture
from samestory.passages import Article, Reader, Reading, Recorded
from samestory.progress import Observer, ignore_progress
from samestory.read import Source, open_source
from samestory.schema import CLUSTERS, FORMAT_VERSION, METADATA_COLUMNS, PAIRS, STORIES
from samestory.sites import find_sites, host_of, read_names
from samestory.write import CLUSTERS_FILE, FURNITURE_FILE, PAIRS_FILE, RUN_FILE, STORIES_FILE

_STAGE: Final = "find the articles"
_HINT: Final = "name a folder that `samestory cluster` wrote"
_INPUT_HINT: Final = "name the files that hold them with --input"
_AGAIN_HINT: Final = "cluster again with --overwrite"
_FROM_MEMORY: Final = "table"
_FROM_STDIN: Final = "-"


@dataclass(frozen=True)
class FinishedRun:
    """What `samestory cluster` wrote to a folder; its tables are read when they are asked for.

    Attributes
    ----------
    folder : Path
    stats : dict
        What run.json has.
    config : Config
        The settings of the run.
    inputs : list of str
        Where its articles are read again.
    """

    folder: Path
    stats: dict[str, Any]
    config: Config
    inputs: list[str]
    _is_elsewhere: bool = field(default=False, repr=False)
    _kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def open(cls, folder: str | PathLike[str], *, inputs: Sequence[str] | None = None) -> FinishedRun:
        """Open the folder of a run.

        Parameters
        ----------
        folder : path
        inputs : sequence of str, optional
            Where its articles are now, instead of where they were.

        Raises
        ------
        InputError
            The folder is missing, or holds no result of samestory.
        """
        where = fspath(folder)
        path = Path(folder)
        if not path.is_dir():
            problem = "is a file, not a folder" if path.exists() else "no such folder"
            raise InputError(f"{where}: {problem}", hint=_HINT)
        stats = _read_stats(path / RUN_FILE, where)
        config = _config_of(stats, where)
        return cls(path, stats, config, list(inputs or stats["inputs"]), inputs is not None)

    def clusters(self, columns: Sequence[str]) -> pa.Table:
        """Return columns of clusters.parquet."""
        return self._table(CLUSTERS_FILE, CLUSTERS, columns)

    def pairs(self, columns: Sequence[str]) -> pa.Table:
        """Return columns of pairs.parquet."""
        return self._table(PAIRS_FILE, PAIRS, columns)

    def stories(self, columns: Sequence[str]) -> pa.Table | None:
        """Return columns of stories.parquet, None where the run looked for copies only."""
        if not (self.folder / STORIES_FILE).is_file():
            return None
        return self._table(STORIES_FILE, STORIES, columns)

    def furniture(self) -> Furniture:
        """Return the page furniture that the run learnt."""
        by_character = self.config.shingle_unit == "char"
        if not (self.folder / FURNITURE_FILE).is_file():
            return Furniture.nothing(by_character)
        return Furniture(self._table(FURNITURE_FILE, BLOCKS, BLOCKS.names).cast(BLOCKS), by_character)

    def rows_of(self, doc_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the row in clusters.parquet of each id, -1 of those that are not there."""
        known = pc.index_in(self.clusters(["doc_id"])["doc_id"], value_set=pa.array(doc_ids, pa.string()))
        places = np.asarray(pc.fill_null(known, -1).to_numpy(), dtype=np.int64)
        rows = np.full(len(doc_ids), -1, dtype=np.int64)
        found = np.flatnonzero(places >= 0)
        rows[places[found]] = found
        return rows

    def articles(self, doc_ids: Sequence[str], observer: Observer = ignore_progress) -> dict[str, Article]:
        """Return articles with their texts, by id, from one pass over the inputs.

        Parameters
        ----------
        doc_ids : sequence of str
            Those that are not of the run, or no longer in the inputs, are left out.
        observer : Observer, optional

        Raises
        ------
        InputError, SchemaError
            The inputs cannot be read again.
        """
        rows = self.rows_of(list(dict.fromkeys(doc_ids)))
        rows = np.sort(rows[rows >= 0])
        table = self.clusters(["doc_id", *METADATA_COLUMNS]).take(pa.array(rows))
        told = {row["doc_id"]: row for row in table.to_pylist()}
        try:
            texts = self._texts(dict(zip(told, rows.tolist(), strict=True)), observer)
        except SamestoryError as error:
            hint = error.hint if self._is_elsewhere or error.hint == _INPUT_HINT else _INPUT_HINT
            message = f"the articles of {self.folder} cannot be read again: {error.message}"
            raise type(error)(message, hint=hint) from error
        return {doc_id: Article(**{**told[doc_id], **texts[doc_id]}) for doc_id in told if doc_id in texts}

    def readings(self, doc_ids: Sequence[str], observer: Observer = ignore_progress) -> dict[str, Reading]:
        """Return articles as the run read them, by id: see `articles`."""
        articles = self.articles(doc_ids, observer)
        rows = self.rows_of(list(articles))
        figures = self.clusters(["n_shingles", "boilerplate_ratio"]).take(pa.array(rows)).to_pylist()
        furniture = self.furniture()
        reader = Reader(self.config, furniture)
        sites = self._sites(rows, list(articles.values())) if len(furniture) else [""] * len(rows)
        return {
            article.doc_id: reader.read(article, site=site, recorded=Recorded(**figure))
            for article, site, figure in zip(articles.values(), sites, figures, strict=True)
        }

    def _sites(self, rows: NDArray[np.int64], articles: list[Article]) -> list[str]:
        """Return the name of the site of some articles, which the others of the run decide too."""
        table = self.clusters(["source", "url"])
        is_host = find_sites([read_names(part["source"], part["url"]) for part in table.to_batches()]).is_host
        return [
            host_of(article.url or "") if is_host[row] else article.source or ""
            for row, article in zip(rows.tolist(), articles, strict=True)
        ]

    def _texts(self, wanted: dict[str, int], observer: Observer) -> dict[str, dict[str, str | None]]:
        """Read the text and title of some articles, given with their rows."""
        found: dict[str, dict[str, str | None]] = {}
        n_read = 0
        total = self.stats.get("counts", {}).get("articles")
        observer(_STAGE, 0, total)
        with self._open_inputs() as source:
            # Ids made of places have the name that the file had then.
            by_row = self._is_elsewhere and source.columns["doc_id"] is None
            for batch in source.batches(("doc_id", "text", "title")):
                if len(found) == len(wanted):
                    break
                own = _by_row(wanted, n_read, len(batch)) if by_row else _by_id(wanted, batch)
                for doc_id, row in own.items():
                    found[doc_id] = {name: batch[name][row].as_py() for name in ("text", "title")}
                n_read += len(batch)
                observer(_STAGE, n_read, total)
        return found

    def _open_inputs(self) -> Source:
        if _FROM_STDIN in self.inputs:
            raise InputError("they came on standard input", hint=_INPUT_HINT)
        if self.inputs == [_FROM_MEMORY] and not Path(_FROM_MEMORY).exists():
            raise InputError("they were a table in memory", hint=_INPUT_HINT)
        return open_source(list(self.inputs), dataclasses.replace(self.config, threads=None))

    def _table(self, file: str, schema: pa.Schema, columns: Sequence[str]) -> pa.Table:
        """Return columns of one of the tables, read once."""
        missing = [name for name in columns if f"{file}/{name}" not in self._kept]
        if missing:
            table = self._read_table(file, schema, missing)
            self._kept.update({f"{file}/{name}": table[name] for name in missing})
        return pa.table([self._kept[f"{file}/{name}"] for name in columns], names=list(columns))

    def _read_table(self, file: str, schema: pa.Schema, columns: list[str]) -> pa.Table:
        path = self.folder / file
        if not path.is_file():
            raise InputError(f"{self.folder}: no {file} in it", hint=_HINT)
        try:
            with pq.ParquetFile(path) as parquet:
                _check_ours(parquet.schema_arrow, schema, columns, path)
                _check_fingerprint(parquet.schema_arrow, self.stats, path)
                return parquet.read(columns=columns)
        except (pa.ArrowException, OSError) as error:
            detail = str(error).strip().splitlines()
            raise InputError(
                f"{path}: cannot be read as Parquet: {detail[0] if detail else type(error).__name__}",
                hint=f"it may be cut off or damaged; {_AGAIN_HINT}",
            ) from error


def _by_id(wanted: dict[str, int], batch: pa.RecordBatch) -> dict[str, int]:
    """Return the rows of a batch that have a wanted id."""
    is_wanted = pc.is_in(batch["doc_id"], value_set=pa.array(list(wanted), pa.string()))
    rows = np.flatnonzero(is_wanted.to_numpy(zero_copy_only=False)).tolist()
    return {batch["doc_id"][row].as_py(): row for row in rows}


def _by_row(wanted: dict[str, int], first: int, count: int) -> dict[str, int]:
    return {doc_id: row - first for doc_id, row in wanted.items() if first <= row < first + count}


def _read_stats(path: Path, where: str) -> dict[str, Any]:
    try:
        stats = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        is_index = (path.parent / "data.mdb").is_file()
        hint = "it is an index: samestory index export writes it as a run" if is_index else _HINT
        raise InputError(f"{where}: no {path.name} in it", hint=hint) from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}", hint=_AGAIN_HINT) from error
    if not isinstance(stats, dict) or not isinstance(stats.get("inputs"), list):
        raise InputError(f"{path}: not written by samestory", hint=_HINT)
    return stats


def _config_of(stats: dict[str, Any], where: str) -> Config:
    """Return the settings of a run; those that a later version may have added are left out."""
    known = {setting.name for setting in dataclasses.fields(Config)}
    try:
        return Config(**{name: value for name, value in stats["config"].items() if name in known})
    except (SamestoryError, AttributeError, KeyError, TypeError) as error:
        detail = error.message if isinstance(error, SamestoryError) else "they are missing"
        raise InputError(
            f"{where}: the settings in {RUN_FILE} cannot be used: {detail}", hint=_AGAIN_HINT
        ) from error


def _check_ours(found: pa.Schema, expected: pa.Schema, columns: list[str], path: Path) -> None:
    """Raise unless a file has samestory's footer, in a format version known here, and the columns."""
    version = (found.metadata or {}).get(b"samestory.format_version")
    if version is None or not version.isdigit():
        raise InputError(f"{path}: not written by samestory", hint=_HINT)
    if int(version) > FORMAT_VERSION:
        raise InputError(
            f"{path}: format {int(version)}, this version knows {FORMAT_VERSION} and lower",
            hint="use a later version of samestory",
        )
    for name in columns:
        if name not in found.names or found.field(name).type != expected.field(name).type:
            raise InputError(f"{path}: no column {name!r} of type {expected.field(name).type}", hint=_HINT)


def _check_fingerprint(found: pa.Schema, stats: dict[str, Any], path: Path) -> None:
    if found.metadata.get(b"samestory.fingerprint", b"").decode() != stats.get("fingerprint"):
        raise InputError(f"{path}: of a run with other settings than {RUN_FILE} beside it", hint=_AGAIN_HINT)
