"""A run that is done, from its folder: its tables, and the articles that it read, read once more."""

from __future__ import annotations

import dataclasses
import glob
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory.config import Config
from samestory.errors import InputError, SamestoryError
from samestory.furniture import BLOCKS, Furniture
from samestory.passages import Article, Reader, Reading, Recorded
from samestory.progress import Observer, ignore_progress
from samestory.read import Source, open_source
from samestory.read.addresses import scheme_of
from samestory.read.dates import usual
from samestory.runfiles import (
    AGAIN_HINT,
    CLUSTERS_FILE,
    FURNITURE_FILE,
    PAIRS_FILE,
    RUN_FILE,
    RUN_HINT,
    STORIES_FILE,
    read_run_table,
    run_folder,
)
from samestory.schema import CLUSTERS, METADATA_COLUMNS, PAIRS, STORIES
from samestory.sites import find_sites, host_of, read_names

_STAGE: Final = "find the articles"
_INPUT_HINT: Final = "name the files that hold them with --input"
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
        Where its articles are read again: what the run was given, as it is from here or, where it is not
        there, from the folder that holds the run's.
    """

    folder: Path
    stats: dict[str, Any]
    config: Config
    inputs: list[str]
    _is_named: bool = field(default=False, repr=False)
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
        path = run_folder(folder)
        stats = _read_stats(path / RUN_FILE, where)
        config = _config_of(stats, where)
        if inputs:
            return cls(path, stats, config, list(inputs), _is_named=True, _is_elsewhere=True)
        found = _beside(path, stats["inputs"])
        return cls(path, stats, config, found or list(stats["inputs"]), _is_elsewhere=found is not None)

    def clusters(self, columns: Sequence[str]) -> pa.Table:
        """Return columns of clusters.parquet."""
        return self._table(CLUSTERS_FILE, CLUSTERS, columns)

    def pairs(self, columns: Sequence[str]) -> pa.Table:
        """Return columns of pairs.parquet."""
        return self._table(PAIRS_FILE, PAIRS, columns)

    def stories(self, columns: Sequence[str]) -> pa.Table | None:
        """Return columns of stories.parquet, None where the run looked for copies only."""
        if not (self.folder / STORIES_FILE).exists():
            return None
        return self._table(STORIES_FILE, STORIES, columns)

    def furniture(self) -> Furniture:
        """Return the page furniture that the run learnt."""
        by_character = self.config.shingle_unit == "char"
        if not (self.folder / FURNITURE_FILE).exists():
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
        dates = usual(table["published_at"])
        table = table.set_column(table.schema.get_field_index("published_at"), "published_at", dates)
        told = {row["doc_id"]: row for row in table.to_pylist()}
        try:
            texts = self._texts(dict(zip(told, rows.tolist(), strict=True)), observer)
        except SamestoryError as error:
            hint = error.hint if self._is_named or error.hint == _INPUT_HINT else _INPUT_HINT
            message = f"the articles of {self.folder} cannot be read again: {error.message}{self._looked()}"
            raise type(error)(message, hint=hint) from error
        return {doc_id: Article(**{**told[doc_id], **texts[doc_id]}) for doc_id in told if doc_id in texts}

    def readings(self, doc_ids: Sequence[str], observer: Observer = ignore_progress) -> dict[str, Reading]:
        """Return articles as the run read them, by id: see `articles`."""
        return self.read(self.articles(doc_ids, observer))

    def read(self, articles: dict[str, Article]) -> dict[str, Reading]:
        """Return some of its `articles` as the run read them."""
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

    def _looked(self) -> str:
        """Say where paths were looked for, if one of them was not there."""
        if self._is_named or all(_is_there(name) for name in self.inputs if _is_relative(name)):
            return ""
        return f"; looked for in the present folder and in the one that holds {self.folder}"

    def _open_inputs(self) -> Source:
        if _FROM_STDIN in self.inputs:
            raise InputError("they came on standard input", hint=_INPUT_HINT)
        if self.inputs == [_FROM_MEMORY] and not Path(_FROM_MEMORY).exists():
            raise InputError("they were a table in memory", hint=_INPUT_HINT)
        return open_source(list(self.inputs), dataclasses.replace(self.config, threads=None, scratch=None))

    def _table(self, file: str, schema: pa.Schema, columns: Sequence[str]) -> pa.Table:
        """Return columns of one of the tables, read once."""
        missing = [name for name in columns if f"{file}/{name}" not in self._kept]
        if missing:
            settings = str(self.stats.get("fingerprint"))
            path = self.folder / file
            table = read_run_table(path, schema, missing, str(self.folder), fingerprint=settings)
            self._kept.update({f"{file}/{name}": table[name] for name in missing})
        return pa.table([self._kept[f"{file}/{name}"] for name in columns], names=list(columns))


def _beside(folder: Path, inputs: list[Any]) -> list[str] | None:
    """Return a run's inputs as they are from the folder beside its own, None unless only there all are.

    Paths are recorded as they were given, which says nothing where another folder is the present one.
    """
    relative = [name for name in map(str, inputs) if _is_relative(name)]
    if not relative or all(map(_is_there, relative)):
        return None
    parent = folder.absolute().parent
    moved = [str(parent / name) if _is_relative(name) else name for name in map(str, inputs)]
    is_there = all(_is_there(str(parent / name)) for name in relative)
    return moved if is_there else None


def _is_relative(name: str) -> bool:
    """Whether an input is a path that depends on the present folder."""
    is_path = name not in (_FROM_STDIN, _FROM_MEMORY) and scheme_of(name) is None
    return is_path and not Path(name).is_absolute()


def _is_there(name: str) -> bool:
    try:
        return Path(name).exists() or any(True for _ in glob.iglob(name, recursive=True))
    except ValueError:  # a null character is in it
        return False


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
        hint = "it is an index: samestory index export writes it as a run" if is_index else RUN_HINT
        raise InputError(f"{where}: no {path.name} in it", hint=hint) from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON: {error}", hint=AGAIN_HINT) from error
    if not isinstance(stats, dict) or not isinstance(stats.get("inputs"), list):
        raise InputError(f"{path}: not written by samestory", hint=RUN_HINT)
    return stats


def _config_of(stats: dict[str, Any], where: str) -> Config:
    """Return the settings of a run; those that a later version may have added are left out."""
    known = {setting.name for setting in dataclasses.fields(Config)}
    try:
        return Config(**{name: value for name, value in stats["config"].items() if name in known})
    except (SamestoryError, AttributeError, KeyError, TypeError) as error:
        detail = error.message if isinstance(error, SamestoryError) else "they are missing"
        raise InputError(
            f"{where}: the settings in {RUN_FILE} cannot be used: {detail}", hint=AGAIN_HINT
        ) from error
