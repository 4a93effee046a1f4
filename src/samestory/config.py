"""The configuration of a run: one frozen value, checked once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import numbers
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from samestory.errors import ConfigError

SHINGLE_PATTERN: Final = re.compile(r"(word|char):([1-9][0-9]{0,2})")
EVIDENCE: Final = {"word": 12, "char": 60}
"""Shingles that partial copies must share at least: a stock phrase is no evidence."""
_WINDOW_PATTERN: Final = re.compile(r"(?=.*[1-9])([0-9]{1,5}(?:\.[0-9]{1,6})?)([hdw])")
_SIZE_PATTERN: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) ?([KMGT]i?B)")
_POWERS: Final = {"K": 1, "M": 2, "G": 3, "T": 4}
LEAST_MEMORY: Final = 512 * 10**6
_HOURS: Final = {"h": 1.0, "d": 24.0, "w": 168.0}
_NEVER: Final = 2**31 - 1
LEVELS: Final = ("duplicate", "story")
REPRESENTATIVES: Final = ("earliest", "longest", "first")
ON_ERROR: Final = ("fail", "skip")
FORMATS: Final = ("parquet", "jsonl", "csv", "tsv", "arrow", "txt", "html", "warc")

# Settings that decide the answer; the others say only where the input is and how fast to go.
_RESULT_FIELDS: Final = (
    "threshold", "containment", "shingle", "num_perm", "seed", "recall", "level", "representative",
    "partial", "boilerplate", "founder_overlap", "story_threshold", "story_window",
)  # fmt: skip

_NAMES_OF_COLUMNS: Final = (
    "id_column", "text_column", "title_column", "source_column", "url_column", "date_column",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of a run; the command line's options have the same names.

    Parameters
    ----------
    threshold : float, default 0.7
        Jaccard similarity, over 0 and up to 1, at or over which two articles are `near`.
    containment : float, default 0.25 for runs of three words or more
        Share of the shorter one's shingles, over 0 and up to 1, at or over which two articles are
        `partial` copies, if enough text is shared to be evidence. Shorter shingles are shared by
        chance: their defaults are higher (see `default_containment`).
    shingle : str, default "word:3"
        What is compared: runs of N words (``word:N``) or characters (``char:N``).
    num_perm : int, default 128
        Values in a MinHash signature, 2 to 1024.
    seed : int, default 1
        Seed of the permutations, 0 to 2**32 - 1, as in ``datasketch.MinHash``.
    recall : float, default 0.99
        Chance, over 0 and under 1, that a pair at the threshold becomes a candidate;
        bands and rows follow from it.
    level : {"duplicate", "story"}, default "duplicate"
        How far to look: for copies, or also for stories, articles that report one event in other words.
    story_threshold : float, default 0.5
        Mean score, from 0.05 to 0.99, at or over which groups of articles are one story.
    story_window : str, default "7d"
        Time within which an event is reported: a number and ``h``, ``d`` or ``w``.
    representative : {"earliest", "longest", "first"}, default "earliest"
        Which article of a cluster is kept.
    partial : bool, default True
        Look for partial copies at all.
    boilerplate : bool, default True
        Take page furniture out before anything is compared.
    founder_overlap : float, default 0.0
        Least containment, either way, of each member of a cluster with its founding article;
        a cluster that has drifted further is split.
    threads : int, optional
        Worker threads; by default one for each processor this process may use.
    memory : str, default "4GB"
        About how much memory a run may take, 512MB or more: a number and ``MB``, ``GB``, ``TB`` (of 1000
        kB) or ``MiB``, ``GiB``, ``TiB``. What does not fit goes to files in `scratch`.
    scratch : str, optional
        Folder for temporary files; by default that of ``TMPDIR``, or ``/var/tmp``.
    on_error : {"fail", "skip"}, default "fail"
        Stop at the first broken row, or set broken rows aside and go on.
    format : str, optional
        Format of the input, where its name does not tell.
    id_column, text_column, title_column, source_column, url_column, date_column : str, optional
        The input's columns, where their names do not tell.

    Raises
    ------
    ConfigError
        A value is out of range.
    """

    threshold: float = 0.7
    containment: float = None  # type: ignore[assignment]  # set below, by the shingle
    shingle: str = "word:3"
    num_perm: int = 128
    seed: int = 1
    recall: float = 0.99
    level: str = "duplicate"
    story_threshold: float = 0.5
    story_window: str = "7d"
    representative: str = "earliest"
    partial: bool = True
    boilerplate: bool = True
    founder_overlap: float = 0.0
    threads: int | None = None
    memory: str = "4GB"
    scratch: str | None = None
    on_error: str = "fail"
    format: str | None = None
    id_column: str | None = None
    text_column: str | None = None
    title_column: str | None = None
    source_column: str | None = None
    url_column: str | None = None
    date_column: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.shingle, str) or not SHINGLE_PATTERN.fullmatch(self.shingle):
            raise ConfigError(
                f"shingle is {self.shingle!r}, not of the form word:N or char:N",
                hint="for example word:3 (runs of three words) or char:9 (nine characters)",
            )
        if cast(object, self.containment) is None:
            size = default_containment(self.shingle_unit, self.shingle_size)
            object.__setattr__(self, "containment", size)
        for name in ("threshold", "containment", "recall", "founder_overlap", "story_threshold"):
            _adopt(self, name, numbers.Real, float)
        for name in ("num_perm", "seed", "threads"):
            _adopt(self, name, numbers.Integral, int)
        for name in _NAMES_OF_COLUMNS:
            if not isinstance(getattr(self, name), (str, type(None))):
                raise ConfigError(f"{name} is {getattr(self, name)!r}, not a column's name")
        _check_number("threshold", self.threshold, 0.0, 1.0, low_open=True)
        _check_number("containment", self.containment, 0.0, 1.0, low_open=True)
        _check_number("founder_overlap", self.founder_overlap, 0.0, 1.0)
        for name in ("partial", "boilerplate"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} is {getattr(self, name)!r}, not true or false")
        _check_number("recall", self.recall, 0.0, 1.0, low_open=True, high_open=True)
        _check_integer("num_perm", self.num_perm, 2, 1024)
        _check_integer("seed", self.seed, 0, 2**32 - 1)
        if self.threads is not None:
            _check_integer("threads", self.threads, 1, 1024)
        _check_choice("level", self.level, LEVELS)
        _check_number("story_threshold", self.story_threshold, 0.05, 0.99)
        if not isinstance(self.story_window, str) or not _WINDOW_PATTERN.fullmatch(self.story_window):
            raise ConfigError(
                f"story_window is {self.story_window!r}, not a time",
                hint="a number over 0 and h, d or w, for example 36h, 7d or 2w",
            )
        _check_choice("representative", self.representative, REPRESENTATIVES)
        _check_memory(self.memory)
        object.__setattr__(self, "scratch", _as_folder(self.scratch))
        _check_choice("on_error", self.on_error, ON_ERROR)
        if self.format is not None:
            _check_choice("format", self.format, FORMATS)

    @property
    def shingle_unit(self) -> str:
        """What a shingle is a run of: ``"word"`` or ``"char"``."""
        return self.shingle.partition(":")[0]

    @property
    def shingle_size(self) -> int:
        """Number of words or characters in a shingle."""
        return int(self.shingle.partition(":")[2])

    @property
    def evidence(self) -> int:
        """Number of shingles that partial copies must share at least."""
        return EVIDENCE[self.shingle_unit] if self.partial else _NEVER

    @property
    def story_window_days(self) -> float:
        """Days within which an event is reported."""
        number, unit = self.story_window[:-1], self.story_window[-1]
        return float(number) * _HOURS[unit] / 24.0

    @property
    def memory_bytes(self) -> int:
        """About how many bytes of memory a run may take."""
        return bytes_of(self.memory)

    @property
    def n_threads(self) -> int:
        """Number of worker threads to use."""
        if self.threads is not None:
            return self.threads
        return max(
            1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        )

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that stand for the settings that decide the answer."""
        text = json.dumps(result_settings(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_dict(self) -> dict[str, Any]:
        """All settings by name, as `run.json` records them."""
        return dataclasses.asdict(self)


def result_settings(config: Config) -> dict[str, Any]:
    """Return the settings that decide the answer, by name."""
    return {name: getattr(config, name) for name in _RESULT_FIELDS}


def bytes_of(size: str) -> int:
    """Return the bytes of a size such as ``4GB`` or ``512MiB``; 0 where it is none."""
    found = _SIZE_PATTERN.fullmatch(size)
    if found is None:
        return 0
    number, unit = found.groups()
    return int(float(number) * (1024 if "i" in unit else 1000) ** _POWERS[unit[0]])


def default_containment(unit: str, size: int) -> float:
    """Return the containment that makes partial copies, by what a shingle is.

    Measured: over what unrelated articles on one topic share by chance, and
    under what is left of a copy of which 5 % of the characters were misread.
    """
    if unit == "word":
        return {1: 0.6, 2: 0.35}.get(size, 0.25)
    return {1: 1.0, 2: 1.0, 3: 0.9, 4: 0.75, 5: 0.6, 6: 0.55, 7: 0.5}.get(size, 0.45)


def _adopt(config: Config, name: str, kind: type, plain: Callable[[Any], object]) -> None:
    """Turn a number of another library, or a whole number for a float, into Python's own."""
    value = getattr(config, name)
    if isinstance(value, kind) and not isinstance(value, bool):
        object.__setattr__(config, name, plain(value))


def _check_number(
    name: str, value: object, low: float, high: float, *, low_open: bool = False, high_open: bool = False
) -> None:
    inside = (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and (low < value if low_open else low <= value)
        and (value < high if high_open else value <= high)
    )
    if not inside:
        least = f"over {low:g}" if low_open else f"from {low:g}"
        most = f"under {high:g}" if high_open else f"up to {high:g}"
        raise ConfigError(f"{name} is {value!r}, not a number {least} and {most}", hint=_as_share(value))


def _as_share(value: object) -> str | None:
    """Return how a percentage is to be written, if a value looks like one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 < value <= 100:
        return None
    return f"for {value:g} % write {value / 100:g}"


def _check_integer(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigError(f"{name} is {value!r}, not a whole number from {low} to {high}")


def _as_folder(value: Any) -> str | None:
    """Return the path of a folder as text."""
    if value is None or isinstance(value, str):
        return value
    if not hasattr(value, "__fspath__"):
        raise ConfigError(f"scratch is {value!r}, not a folder")
    return os.fsdecode(value)


def _check_memory(value: object) -> None:
    if not isinstance(value, str) or not _SIZE_PATTERN.fullmatch(value):
        raise ConfigError(f"memory is {value!r}, not a size", hint="for example 4GB, 800MB or 2GiB")
    if bytes_of(value) < LEAST_MEMORY:
        raise ConfigError(f"memory is {value!r}, too little for a run", hint="512MB is the least")


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}", hint=f"one of {', '.join(choices)}")
