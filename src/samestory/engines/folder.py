"""`samestory cluster --engine spark`: files in, a folder of results out, written by Spark."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from samestory.config import Config
from samestory.engines.bundles import READ_BUNDLES, Numbering
from samestory.engines.duplicates import (
    Found,
    check_config,
    clusters_frame,
    find_duplicates,
    pairs_frame,
)
from samestory.engines.facts import run_facts
from samestory.engines.frames import Frames
from samestory.engines.furnishing import BLOCKS_SENT, read_furniture
from samestory.engines.job import Job
from samestory.engines.numbering import Numbered, Units, repeated_ids, survey
from samestory.engines.reading import Unit, plan_units, read_units
from samestory.engines.session import check_partitions, open_session
from samestory.engines.stories import stories_frame
from samestory.engines.tables import repeated_error
from samestory.errors import OutputError, SamestoryError
from samestory.progress import Observer
from samestory.read import Source, open_source
from samestory.runfiles import CLUSTERS_FILE, FURNITURE_FILE, PAIRS_FILE, RUN_FILE, STORIES_FILE
from samestory.write import _move_into_place, _temporary_folder, _write_synced, check_folder

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SMALL_BYTES: Final = 4 << 30
_DISTINCT: Final = ("doc_id", "cluster_id", "representative_id", "title", "url", "doc_id_a", "doc_id_b")
"""Columns of which a dictionary would hold nearly every value."""


def cluster_to_folder(
    inputs: list[str],
    config: Config,
    output: str,
    *,
    overwrite: bool,
    partitions: int | None,
    observer: Observer,
) -> tuple[dict[str, Any], list[str]]:
    """Cluster the articles of some inputs on Spark; return the facts and the names of the files."""
    check_config(config)
    check_partitions(partitions)
    # An interrupt is told by us, not by the bridge to the JVM as well.
    logging.getLogger().addHandler(logging.NullHandler())
    units = plan_units(inputs, config)
    with open_source(inputs, config) as source:
        is_small = 0 < source.n_bytes < _SMALL_BYTES
        session, is_own = open_session(config, partitions, is_small=is_small)
        try:
            with _plainly():
                frames = Frames(session)
                job = Job(frames, config, partitions, observer=observer)
                return _run(units, source, job, Path(os.path.realpath(output)), overwrite=overwrite)
        finally:
            if is_own:
                _stop(session)


def _stop(session: Any) -> None:
    """Stop a session; of one whose JVM has ended nothing is left to stop."""
    from py4j.protocol import Py4JError

    with contextlib.suppress(Py4JError, OSError):
        session.stop()


@contextlib.contextmanager
def _plainly() -> Iterator[None]:
    """Turn what Spark raises into an error with its first line."""
    from py4j.protocol import Py4JError, Py4JNetworkError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        told = next((line for line in reversed(lines) if line.startswith("samestory.errors.")), None)
        if isinstance(error, Py4JNetworkError) or "OutOfMemoryError" in str(error):
            raise SamestoryError(
                "Spark's Java process has ended, or has no memory left",
                hint="give it more with --memory, or make smaller tasks with --partitions",
            ) from error
        message = told.partition(": ")[2] if told else lines[-1] if lines else type(error).__name__
        raise SamestoryError(f"a job of Spark failed: {message.strip()}") from error


def _run(
    units: list[Unit], source: Source, job: Job, target: Path, *, overwrite: bool
) -> tuple[dict[str, Any], list[str]]:
    check_folder(target, overwrite=overwrite)
    f_names = [CLUSTERS_FILE, PAIRS_FILE]
    with job.stage("read and sketch", 0):
        numbers = job.frames.session.range(0, len(units), 1, max(1, len(units)))
        read = job.frames.map(numbers, read_units, READ_BUNDLES, units=units, config=job.config)
        read = job.frames.keep(read)
        told = survey(read, len(units), in_memory=False)
        job.plan(told.n, told.text_bytes)
        numbered = Numbered(read, Numbering(told.firsts, named=True), job)
        _check_unique(numbered, told, units, job.config)
    found = find_duplicates(numbered, job)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _temporary_folder(target) as temporary:
            stats = _write(temporary, found, told, source, job)
            others = (FURNITURE_FILE, STORIES_FILE)
            f_names += [name for name in others if (temporary / name).exists()]
            _move_into_place(temporary, target)
    except OSError as error:
        raise OutputError(
            f"cannot write to {target}: {error.strerror or error}", hint="check its space and rights"
        ) from error
    finally:
        job.frames.let_go_all()
    return stats, [*f_names, RUN_FILE]


def _write(folder: Path, found: Found, units: Units, source: Source, job: Job) -> dict[str, Any]:
    """Write the tables and the facts to a folder."""
    with job.stage("tabulate", 5):
        clusters = _written(clusters_frame(found, job), folder / CLUSTERS_FILE)
        pairs = _written(pairs_frame(found, job), folder / PAIRS_FILE)
        n_blocks = 0
        if found.furniture is not None:
            blocks = job.frames.map(found.furniture.select("facts"), read_furniture, BLOCKS_SENT)
            blocks = blocks.orderBy("site", "block")
            n_blocks = blocks.count()
            if n_blocks:
                _written(blocks, folder / FURNITURE_FILE)
        if found.told is not None:
            _written(stories_frame(found.told, job), folder / STORIES_FILE)
    stats = run_facts(clusters, found, pairs.count(), n_blocks, units, source, job)
    _write_synced(folder / RUN_FILE, json.dumps(stats, indent=2, ensure_ascii=False) + "\n")
    return stats


def _written(frame: DataFrame, path: Path) -> DataFrame:
    """Write a frame as a folder of Parquet files, named in order; return it as it can be read from there."""
    session = frame.sparkSession
    writer = frame.write.option("compression", "zstd")
    for name in _DISTINCT:
        writer = writer.option(f"parquet.enable.dictionary#{name}", "false")
    writer.parquet(path.as_uri())
    for extra in [*path.glob(".*.crc"), *path.glob("_SUCCESS")]:
        extra.unlink()
    if not any(path.glob("*.parquet")):
        shutil.rmtree(path, ignore_errors=True)
        raise OutputError(
            f"{path}: Spark has written nothing that can be seen from here",
            hint="the output must be a folder that all machines share",
        )
    return session.read.schema(frame.schema).parquet(path.as_uri())


def _check_unique(numbered: Numbered, told: Units, units: list[Unit], config: Config) -> None:
    found, n = repeated_ids(numbered)
    if not found:
        return
    import numpy as np

    lines = []
    for value, docs, m in found:
        places = []
        for doc in docs:
            k = int(np.searchsorted(told.firsts, doc, side="right")) - 1
            own = Source([units[k].reader()], config, [units[k].parts[0].name])
            places.append(own.locate(doc - int(told.firsts[k])))
        lines.append((value, places, m))
    raise repeated_error(lines, n)
