"""What a run would do, before it is done: its files, columns, articles, bands and memory."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from samestory.budget import KEY_BYTES, Budget
from samestory.config import Config
from samestory.fingerprints import BYTES_A_UNIT, Runs
from samestory.identity import check_unique
from samestory.params import Banding, choose_banding
from samestory.progress import Observer, each, ignore_progress
from samestory.read import Source
from samestory.schema import METADATA_COLUMNS

FROM_FILES: Final = "the files' own figures"
BY_READING: Final = "reading them"

_BASE_BYTES: Final = 250 << 20
_WORKER_BYTES: Final = 128 << 20
_FIGURES_BYTES: Final = 64
_STORY_BYTES: Final = 1900


@dataclass(frozen=True)
class Counted:
    """How much there is to read.

    Attributes
    ----------
    articles : int
    text_bytes, metadata_bytes : int
        Of all of them; from the first ones where `by` is `FROM_FILES`.
    by : str
        `FROM_FILES` or `BY_READING`.
    """

    articles: int
    text_bytes: int
    metadata_bytes: int
    by: str


def make_plan(source: Source, config: Config, *, observer: Observer = ignore_progress) -> dict[str, Any]:
    """Return what a run over an input would do, as plain values.

    Every file's columns are looked at. Rows are counted by what the files themselves say where they do;
    then only the first ones are read, and a broken row further on, or an id given twice, is not noticed.

    Parameters
    ----------
    source : Source
    config : Config
    observer : callable, optional

    Raises
    ------
    InputError, SchemaError
        As the run would raise, for what is looked at here.
    """
    mappings = source.all_columns()
    banding = choose_banding(config.threshold, config.recall, config.num_perm)
    counted = count(source, observer)
    return {
        "inputs": source.inputs,
        "files": {
            "count": sum(source.formats.values()),
            "bytes": source.n_bytes or None,
            "formats": source.formats,
        },
        "columns": dict(source.columns),
        "column_mappings": len(mappings),
        "articles": dataclasses.asdict(counted),
        "rejected": len(source.rejects),
        "warnings": source.warnings,
        "config": config.as_dict(),
        "fingerprint": config.fingerprint,
        "banding": {
            "bands": banding.bands,
            "rows_per_band": banding.rows_per_band,
            "recall_at_threshold": round(banding.chance(config.threshold), 6),
        },
        "threads": config.n_threads,
        "memory_bytes": config.memory_bytes,
        "estimated_memory_bytes": estimate_memory(counted, config, banding),
        "estimated_scratch_bytes": estimate_scratch(counted, config, banding),
    }


def count(source: Source, observer: Observer = ignore_progress) -> Counted:
    """Count the articles, by what the files say or else by reading them all."""
    n_rows = source.n_rows
    batches = source.batches()
    if n_rows is not None:
        first = next(batches, None)
        n_first = len(first) if first is not None else 0
        share = n_rows / n_first if n_first else 0.0
        text, metadata = _sizes(first)
        return Counted(n_rows, int(text * share), int(metadata * share), FROM_FILES)
    total = np.zeros(3, dtype=np.int64)
    ids = []
    for batch in each(batches, observer, "count articles", None, len):
        total += (len(batch), *_sizes(batch))
        ids.append(batch["doc_id"])
    check_unique(pa.chunked_array(ids, pa.string()), source)
    return Counted(int(total[0]), int(total[1]), int(total[2]), BY_READING)


def _sizes(batch: Any) -> tuple[int, int]:
    """Return the bytes of the texts of a batch, and of what is kept beside them."""
    if batch is None:
        return 0, 0
    return batch["text"].nbytes, sum(batch[name].nbytes for name in ("doc_id", *METADATA_COLUMNS))


def estimate_memory(counted: Counted, config: Config, banding: Banding) -> int:
    """Estimate the peak memory of a run in bytes.

    Notes
    -----
    For n articles of T bytes of text and M bytes of ids and metadata, with w threads and b bands, where
    [X] is X or, if it is less, the share of ``config.memory`` that `samestory.budget` has for it::

        250 MiB + min(T, 128 MiB w)   the program, and batches under way
        + 64 n                        figures
        + [8 b n]                     band keys
        + 2 M                         ids and metadata, as read and as written
        + [8 T / 6 / 2**shift]        fingerprints, one in so many words (not without furniture and partials)
        + [T]                         texts kept; 256 MiB at most
        + 2 [T]                       texts that are compared at one time; 512 MiB at most
        + 1900 n                      with ``level="story"``

    What is over a share goes to temporary files: `estimate_scratch`. Measured at a million articles of
    2.4 KB it is within a fifth of the peak; what depends on the texts themselves, such as the number of
    pairs, is not in it.
    """
    n, text = counted.articles, counted.text_bytes
    budget = _budget(counted, config)
    total = _BASE_BYTES + min(text, _WORKER_BYTES * config.n_threads)
    total += n * _FIGURES_BYTES + min(n * KEY_BYTES * banding.bands, budget.band_keys)
    total += 2 * counted.metadata_bytes
    total += min(KEY_BYTES * _n_fingerprints(counted, config), budget.fingerprints)
    total += min(text, budget.texts) + 2 * min(text, budget.round)
    if config.level == "story":
        total += _STORY_BYTES * n
    return int(total)


def estimate_scratch(counted: Counted, config: Config, banding: Banding) -> int:
    """Estimate the bytes of the temporary files of a run: folded texts, band keys and fingerprints."""
    budget = _budget(counted, config)
    texts = max(0, counted.text_bytes - budget.texts)
    return texts + budget.scratch_bytes(counted.articles, banding.bands, _n_fingerprints(counted, config))


def _budget(counted: Counted, config: Config) -> Budget:
    return Budget.of(config.memory_bytes, config.n_threads, counted.articles)


def _n_fingerprints(counted: Counted, config: Config) -> int:
    if not config.partial and not config.boilerplate:
        return 0
    runs = Runs.of_corpus(config.shingle_unit == "char")
    return (counted.text_bytes // BYTES_A_UNIT[runs.by_character]) >> runs.shift
