"""`samestory cluster --engine spark`: files in, a folder of results out, written by Spark."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from samestory.config import Config
from samestory.engines.arriving import ARRIVING
from samestory.engines.duplicates import (
    Found,
    check_config,
    clusters_rows,
    find_duplicates,
    pairs_rows,
)
from samestory.engines.facts import add_up, count_articles, run_facts
from samestory.engines.frames import Frames
from samestory.engines.furnishing import BLOCKS_SENT, as_blocks, read_furniture
from samestory.engines.job import Job
from samestory.engines.numbering import Numbered, Units, repeated_ids, take_in
from samestory.engines.reading import Unit, plan_units, read_units
from samestory.engines.session import check_partitions, open_session
from samestory.engines.stories import stories_rows
from samestory.engines.tables import repeated_error
from samestory.engines.writing import Count, Rows
from samestory.errors import OutputError, SamestoryError
from samestory.furniture import BLOCKS
from samestory.progress import Observer
from samestory.read import Source, open_source
from samestory.runfiles import CLUSTERS_FILE, FURNITURE_FILE, PAIRS_FILE, RUN_FILE, STORIES_FILE
from samestory.version import __version__
from samestory.write import _move_into_place, _temporary_folder, _write_synced, check_folder, footer_of

_SMALL_BYTES: Final = 4 << 30


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
        n_partitions = job.partitions_for(sum(unit.n_bytes for unit in units))
        read = job.frames.map(
            numbers, read_units, ARRIVING, units=units, config=job.config, n_partitions=n_partitions
        )
        numbered = take_in(read, n_partitions, len(units), job, named=True, in_memory=False)
        _check_unique(numbered, units, job.config)
    found = find_duplicates(numbered, job)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _temporary_folder(target) as temporary:
            stats = _write(temporary, found, numbered.units, source, job)
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
    footer = footer_of(__version__, job.config.fingerprint)

    def write(rows: Rows, name: str, count: Count | None = None) -> list[tuple[int, Any]]:
        return rows.write(job.frames, folder / name, footer, count)

    with job.stage("tabulate", 5):
        counted = write(clusters_rows(found, job), CLUSTERS_FILE, count_articles)
        pairs = write(pairs_rows(found, job), PAIRS_FILE)
        n_blocks = 0
        if job.config.boilerplate:
            blocks = job.frames.map(found.clean.furniture(), read_furniture, BLOCKS_SENT)
            in_order = Rows(blocks.orderBy("site", "block"), as_blocks, BLOCKS, {})
            n_blocks = sum(n for n, _ in write(in_order, FURNITURE_FILE))
            if not n_blocks:
                shutil.rmtree(folder / FURNITURE_FILE)
        if found.told is not None:
            write(stories_rows(found.told), STORIES_FILE)
    counts = add_up([facts for _, told in counted for facts in told])
    clusters = job.frames.session.read.parquet((folder / CLUSTERS_FILE).as_uri())
    n_pairs = sum(n for n, _ in pairs)
    stats = run_facts(clusters, counts, found, n_pairs, n_blocks, units, source, job)
    _write_synced(folder / RUN_FILE, json.dumps(stats, indent=2, ensure_ascii=False) + "\n")
    return stats


def _check_unique(numbered: Numbered, units: list[Unit], config: Config) -> None:
    found, n = repeated_ids(numbered)
    if not found:
        return
    import numpy as np

    firsts = numbered.units.firsts
    lines = []
    for value, docs, m in found:
        places = []
        for doc in docs:
            k = int(np.searchsorted(firsts, doc, side="right")) - 1
            own = Source([units[k].reader()], config, [units[k].parts[0].name])
            places.append(own.locate(doc - int(firsts[k])))
        lines.append((value, places, m))
    raise repeated_error(lines, n)
