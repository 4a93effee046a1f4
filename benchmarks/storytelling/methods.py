"""The ways to find stories, each run on a set: what is right in its answer, and what it took."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from judging.answers import Figures, Ints, numbers, places
from storytelling.bcubed import bcubed
from storytelling.cuts import THRESHOLDS, best, figures_of_cuts
from storytelling.processes import JobFailedError, run_checked, run_job, taken
from storytelling.sets import StorySet, headlines, titled, undated
from storytelling.vectors import embedded

Cells = dict[str, Figures]
DEFAULTS = "samestory --level story, defaults"
TITLED = "samestory, articles with a title"
HEADLINES = "samestory, headlines only"
UNDATED = "samestory, without dates"
SAMESTORY = (DEFAULTS, TITLED, HEADLINES, UNDATED)
LINKAGES = {"tfidf": "tfidf, average linkage", "minilm": "MiniLM, average linkage"}
OWN, SHARED = "best threshold of the set (oracle)", "best one threshold for all sets (oracle)"


def attempt(what: str, work: Callable[[], Figures | None]) -> Figures | None:
    """Return what some work returns, or that it failed and why; tell either on stderr."""
    try:
        found = work()
    except (JobFailedError, ValueError, KeyError, OSError) as error:
        found = {"problem": f"failed: {shortened(str(error))}"}
    if found is not None:
        told = found.get("problem") or f"F1 {found['f1']:.3f}, {found['wall_seconds']:.1f} s"
        print(f"  {what}: {told}", file=sys.stderr, flush=True)
    return found


def shortened(message: str) -> str:
    """Return the first line of a message, as long as a cell may be."""
    return message.strip().partition("\n")[0][:120]


@dataclass
class Samestory:
    """samestory through its command line; a file that is asked for twice is run once."""

    command: tuple[str, ...]
    workdir: Path
    done: dict[Path, Figures] = field(default_factory=dict)

    def cells(self, source: StorySet) -> Iterator[tuple[str, Figures | None]]:
        """Yield every variant's name and figures, None where a set does not allow it."""
        variants: dict[str, Callable[[], StorySet | None]] = {
            DEFAULTS: lambda: source,
            TITLED: lambda: titled(source, self.workdir),
            HEADLINES: lambda: headlines(source, self.workdir),
            UNDATED: lambda: undated(source, self.workdir),
        }
        for name, variant in variants.items():
            made = variant()
            yield name, None if made is None else attempt(name, lambda made=made: self._figures(made))

    def warm_up(self, source: StorySet) -> None:
        """Let the kernels be compiled, so that no measured run does it; a failure shows again later."""
        attempt("samestory, first run", lambda: self._run(source))

    def _figures(self, source: StorySet) -> Figures:
        """Return the figures of a file."""
        if source.file not in self.done:
            self.done[source.file] = self._run(source)
        return self.done[source.file]

    def _run(self, source: StorySet) -> Figures:
        """Run on a file and judge what it wrote."""
        out = self.workdir / "samestory-out"
        arguments = [
            "cluster",
            str(source.file),
            "-o",
            str(out),
            "--overwrite",
            "--level",
            "story",
            "--quiet",
        ]
        done = run_checked([*self.command, *arguments])
        table = pq.read_table(out / "clusters.parquet")
        if "story_id" not in table.column_names:
            raise JobFailedError("clusters.parquet has no story_id")
        run = json.loads((out / "run.json").read_text(encoding="utf-8"))
        stories = np.empty(source.n, np.int64)
        stories[places(source.table["doc_id"], table["doc_id"])] = _each_alone(numbers(table["story_id"]))
        return {
            **bcubed(stories, source.truth),
            **rate(source, taken(done)),
            "candidates": candidates(run),
            "run": {key: run.get(key) for key in ("version", "config", "counts", "seconds")},
        }


def _each_alone(labels: Ints) -> Ints:
    """Return labels where every missing one (-1) is a label of its own."""
    return np.where(labels < 0, labels.max(initial=0) + 1 + np.arange(len(labels)), labels)


def candidates(run: Any) -> int | None:
    """Return the first count of run.json whose name speaks of candidates, None where there is none."""
    if not isinstance(run, dict):
        return None
    for name, value in run.items():
        if "candidate" in name and isinstance(value, int):
            return value
        inner = candidates(value)
        if inner is not None:
            return inner
    return None


def rate(source: StorySet, took: dict[str, Any]) -> dict[str, Any]:
    """Return what a run took, with the articles of one second."""
    return {**took, "articles_per_second": round(source.n / took["wall_seconds"], 1)}


@dataclass
class Linkage:
    """Average linkage over one kind of vectors, as an oracle cuts it."""

    kind: str
    workdir: Path
    threads: int
    cuts: dict[str, dict[float, Figures]] = field(default_factory=dict)
    took: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: Cells = field(default_factory=dict)

    def names(self) -> tuple[str, str]:
        """Return the names of its two rows."""
        return f"{LINKAGES[self.kind]}, {OWN}", f"{LINKAGES[self.kind]}, {SHARED}"

    def run(self, source: StorySet) -> None:
        """Link a set and judge every cut."""
        found = attempt(LINKAGES[self.kind], lambda: self._run(source))
        if found is not None and "problem" in found:
            self.problems[source.name] = found

    def _run(self, source: StorySet) -> Figures:
        """Link a set, judge every cut, and return the figures of the best."""
        target = self.workdir / "tree.npy"
        vectors, before = (
            (None, {}) if self.kind == "tfidf" else embedded(source.file, self.workdir, self.threads)
        )
        given = () if vectors is None else ("--vectors", vectors)
        took = taken(run_job("link", source.file, target, *given, threads=self.threads))
        cuts = figures_of_cuts(np.load(target), source.truth)
        self.cuts[source.name] = cuts
        self.took[source.name] = {
            **rate(source, _together(took, before)),
            "candidates": source.n * (source.n - 1) // 2,
            **({"embedding": before} if before else {}),
        }
        return self._cell(source.name, best(cuts))

    def _cell(self, name: str, threshold: float) -> Figures:
        """Return the figures of one set at one threshold."""
        return {**self.cuts[name][threshold], "threshold": threshold, **self.took[name]}

    def own(self) -> Cells:
        """Return every set's figures at its own best threshold."""
        return {**{name: self._cell(name, best(cuts)) for name, cuts in self.cuts.items()}, **self.problems}

    def shared(self) -> Cells:
        """Return every set's figures at the threshold that is best in the mean."""
        if not self.cuts:
            return dict(self.problems)
        means = {at: {"f1": fmean(cuts[at]["f1"] for cuts in self.cuts.values())} for at in THRESHOLDS}
        return {**{name: self._cell(name, best(means)) for name in self.cuts}, **self.problems}


def _together(took: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Return what two processes, one after the other, took."""
    if not before:
        return took
    summed = {name: round(took[name] + before[name], 2) for name in ("wall_seconds", "cpu_seconds")}
    return {**summed, "peak_bytes": max(took["peak_bytes"], before["peak_bytes"])}
