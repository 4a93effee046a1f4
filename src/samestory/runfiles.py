"""The files of a run: what they are called, and reading them with a plain word about what is wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from samestory.errors import InputError
from samestory.schema import FORMAT_VERSION

CLUSTERS_FILE: Final = "clusters.parquet"
PAIRS_FILE: Final = "pairs.parquet"
FURNITURE_FILE: Final = "furniture.parquet"
STORIES_FILE: Final = "stories.parquet"
REJECTS_FILE: Final = "rejects.jsonl"
RUN_FILE: Final = "run.json"

RUN_HINT: Final = "name a folder that `samestory cluster` wrote"
AGAIN_HINT: Final = "cluster again with --overwrite"

_VERSION: Final = b"samestory.format_version"
_FINGERPRINT: Final = b"samestory.fingerprint"


def run_folder(folder: str | PathLike[str]) -> Path:
    """Return the folder of a run as a path.

    Raises
    ------
    InputError
        There is no such folder.
    """
    path = Path(folder)
    if not path.is_dir():
        problem = "is a file, not a folder" if path.exists() else "no such folder"
        raise InputError(f"{fspath(folder)}: {problem}", hint=RUN_HINT)
    return path


def read_run_table(
    path: Path, expected: pa.Schema, columns: Sequence[str], where: str, *, fingerprint: str | None = None
) -> pa.Table:
    """Return columns of one of a run's tables.

    Parameters
    ----------
    path : Path
    expected : pyarrow.Schema
        What types the columns must have.
    columns : sequence of str
    where : str
        The folder as it was named, for messages.
    fingerprint : str, optional
        Of the settings that the table must have been made with.

    Raises
    ------
    InputError
        The file is missing, damaged, not samestory's, or of a run with other settings.
    """
    if path.is_dir():
        return _read_parts(path, expected, columns, fingerprint)
    if not path.is_file():
        raise InputError(f"{where}: no {path.name} in it", hint=RUN_HINT)
    try:
        with pq.ParquetFile(path) as file:
            found = file.schema_arrow
            _check_ours(found, expected, columns, path)
            if fingerprint is not None and fingerprint_of(found) != fingerprint:
                raise InputError(
                    f"{path}: of a run with other settings than {RUN_FILE} beside it", hint=AGAIN_HINT
                )
            return file.read(columns=list(columns))
    except (pa.ArrowException, OSError) as error:
        detail = str(error).strip().splitlines()
        raise InputError(
            f"{path}: cannot be read as Parquet: {detail[0] if detail else type(error).__name__}",
            hint=f"it may be cut off or damaged; {AGAIN_HINT}",
        ) from error


def _read_parts(path: Path, expected: pa.Schema, columns: Sequence[str], fingerprint: str | None) -> pa.Table:
    """Return columns of a table that Spark wrote: a folder of files, of which run.json beside it tells."""
    try:
        stats = json.loads((path.parent / RUN_FILE).read_text(encoding="utf-8"))
        footer = {
            _VERSION: str(stats["format_version"]).encode(),
            _FINGERPRINT: str(stats["fingerprint"]).encode(),
        }
        if fingerprint is not None and stats["fingerprint"] != fingerprint:
            raise InputError(f"{path}: of a run with other settings", hint=AGAIN_HINT)
        files = sorted(path.glob("*.parquet"))
        found = pq.read_schema(files[0])
        wide = [found.field(name).with_type(_widened(found, expected, name)) for name in found.names]
        _check_ours(pa.schema(wide, metadata=footer), expected, columns, path)
        table = pa.concat_tables([pq.read_table(file, columns=list(columns)) for file in files])
        return table.cast(pa.schema([expected.field(name) for name in columns]))
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError(
            f"{path}: cannot be read: {error}", hint=f"it may be damaged; {AGAIN_HINT}"
        ) from error


def _widened(found: pa.Schema, expected: pa.Schema, name: str) -> pa.DataType:
    """Return the type of a column; Spark knows no long strings."""
    kind = found.field(name).type
    is_short = pa.types.is_string(kind) and name in expected.names
    return expected.field(name).type if is_short and _is_long(expected, name) else kind


def _is_long(schema: pa.Schema, name: str) -> bool:
    return bool(pa.types.is_large_string(schema.field(name).type))


def fingerprint_of(schema: pa.Schema) -> str:
    """Fingerprint of the settings that a table was made with, empty if it has none."""
    return str((schema.metadata or {}).get(_FINGERPRINT, b"").decode("utf-8", "replace"))


def _check_ours(found: pa.Schema, expected: pa.Schema, columns: Sequence[str], path: Path) -> None:
    """Raise unless a file has samestory's footer, in a format version known here, and the columns."""
    version = (found.metadata or {}).get(_VERSION)
    if version is None or not version.isdigit():
        raise InputError(f"{path}: not written by samestory", hint=RUN_HINT)
    if int(version) > FORMAT_VERSION:
        raise InputError(
            f"{path}: format {int(version)}, this version knows {FORMAT_VERSION} and lower",
            hint="use a later version of samestory",
        )
    for name in columns:
        if name not in found.names or found.field(name).type != expected.field(name).type:
            raise InputError(f"{path}: no column {name!r} of type {expected.field(name).type}", hint=RUN_HINT)
