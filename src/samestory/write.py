"""The last stage: tables to Parquet, whole or not at all.

Everything is written to a hidden folder beside the target first, and changes
places with it when it is complete; where that cannot be, the files are moved
one by one, `run.json` last. What a killed run leaves behind is removed by the
next one.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from samestory.errors import OutputError
from samestory.exchange import exchange
from samestory.leftovers import SUFFIX, hidden_prefix, remove_left_over
from samestory.pieces import Pieces
from samestory.progress import Counter, Observer, ignore_progress
from samestory.read.addresses import refuse_address
from samestory.runfiles import (
    CLUSTERS_FILE,
    FURNITURE_FILE,
    PAIRS_FILE,
    REJECTS_FILE,
    RUN_FILE,
    STORIES_FILE,
)
from samestory.schema import FORMAT_VERSION
from samestory.threads import in_order, threads

GROUP_ROWS: Final = 1 << 17
"""Rows of a row group."""
_FILES: Final = (CLUSTERS_FILE, PAIRS_FILE, FURNITURE_FILE, STORIES_FILE, REJECTS_FILE, RUN_FILE)
"""In the order in which they are moved."""


def check_folder(folder: str | PathLike[str], *, overwrite: bool) -> None:
    """Raise unless a result can be written to a folder: asked before any work is done.

    Raises
    ------
    OutputError
        It is a file, or holds something and is not to be overwritten, or cannot be written.
    """
    refuse_address(folder)
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is a file, not a folder", hint="name a folder with -o")
    if path.is_dir() and any(path.iterdir()):
        if not overwrite:
            raise OutputError(f"{path} is not empty", hint="replace its results with --overwrite")
        if not (path / RUN_FILE).exists() and not (path / CLUSTERS_FILE).exists():
            raise OutputError(
                f"{path} is not empty and holds no result of samestory",
                hint="name another folder; --overwrite replaces only earlier results",
            )
    parent = _nearest_parent(path)
    if not os.access(parent, os.W_OK):
        raise OutputError(f"{parent} cannot be written", hint="name a folder that you may write to")


def _nearest_parent(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


def write_result(
    folder: str | PathLike[str],
    clusters: Pieces,
    pairs: Pieces,
    stats: dict[str, Any],
    rejects: list[Any],
    furniture: pa.Table | None = None,
    stories: Pieces | None = None,
    *,
    overwrite: bool,
    observer: Observer = ignore_progress,
) -> None:
    """Write the files of a result to a folder: see `samestory.Result.write`."""
    target = Path(os.path.realpath(folder))
    check_folder(target, overwrite=overwrite)
    footer = footer_of(str(stats["version"]), str(stats["fingerprint"]))
    tables = {CLUSTERS_FILE: clusters, PAIRS_FILE: pairs}
    if furniture is not None and len(furniture):
        tables[FURNITURE_FILE] = Pieces.of(furniture)
    if stories is not None:
        tables[STORIES_FILE] = stories
    count = Counter("write", sum(map(len, tables.values())), observer)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _temporary_folder(target) as temporary:
            for name, table in tables.items():
                _write_table(table, temporary / name, footer, count)
            if stats["config"]["on_error"] == "skip":
                write_rejects(rejects, temporary / REJECTS_FILE)
            _write_synced(temporary / RUN_FILE, json.dumps(stats, indent=2, ensure_ascii=False) + "\n")
            _move_into_place(temporary, target)
    except OSError as error:
        raise OutputError(
            f"cannot write to {target}: {error.strerror or error}", hint="check its space and rights"
        ) from error


def _write_table(table: Pieces, path: Path, footer: dict[bytes, bytes], count: Counter) -> None:
    """Write a table row group by row group: the bytes depend on its values alone, not on its pieces."""
    with path.open("wb") as file:
        # One group is written while the next is made.
        with parquet_writer(file, table.schema.with_metadata(footer)) as writer, threads(1) as executor:
            for group, _ in in_order(executor, writer.write_table, table.groups(GROUP_ROWS), 1):
                count(len(group))
        file.flush()
        os.fsync(file.fileno())


def parquet_writer(file: Any, fields: pa.Schema) -> pq.ParquetWriter:
    """Return a writer of one of the tables, to a path or an open file."""
    repeating = [name for name in ("relation", "source", "cluster_id") if name in fields.names]
    return pq.ParquetWriter(file, fields, compression="zstd", compression_level=1, use_dictionary=repeating)


def footer_of(version: str, fingerprint: str) -> dict[bytes, bytes]:
    """Return what each of the files says of its making."""
    return {
        b"samestory.version": version.encode(),
        b"samestory.format_version": str(FORMAT_VERSION).encode(),
        b"samestory.fingerprint": fingerprint.encode(),
    }


def write_rejects(rejects: list[Any], path: Path) -> None:
    """Write the rows that were set aside as JSON Lines: file, row, reason, raw."""
    _write_synced(path, "".join(map(reject_line, rejects)))


def reject_line(reject: Any) -> str:
    """Return a row that was set aside as a line of JSON."""
    return json.dumps(dataclasses.asdict(reject)) + "\n"


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _move_into_place(temporary: Path, target: Path) -> None:
    if not target.exists() or not any(target.iterdir()):
        temporary.replace(target)
    elif _holds_more(target) or not _change_places(temporary, target):
        _move_one_by_one(temporary, target)


def _holds_more(target: Path) -> bool:
    """Whether a folder must stay the folder it is: files of others are in it, or somebody works in it."""
    if not {path.name for path in target.iterdir()} <= set(_FILES):
        return True
    try:
        return Path.cwd().is_relative_to(target)
    except FileNotFoundError:  # the folder this process works in is gone
        return False


def _change_places(temporary: Path, target: Path) -> bool:
    shutil.copymode(target, temporary)
    return exchange(temporary, target)


def _move_one_by_one(temporary: Path, target: Path) -> None:
    (target / RUN_FILE).unlink(missing_ok=True)
    for name in _FILES:
        if (target / name).is_dir():  # a table that Spark wrote
            shutil.rmtree(target / name)
        if (temporary / name).exists():
            if (temporary / name).is_dir():
                (target / name).unlink(missing_ok=True)
            (temporary / name).replace(target / name)
        else:
            (target / name).unlink(missing_ok=True)


@contextmanager
def _temporary_folder(target: Path) -> Iterator[Path]:
    """Make a hidden folder beside the target, removed on the way out unless it has become the target."""
    remove_left_over(target)
    temporary = target.parent / f"{hidden_prefix(target)}{os.getpid()}{SUFFIX}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
