"""The work of `samestory ingest`: batch after batch into the index, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import click
import numpy as np
import pyarrow as pa

from samestory.cli.answers import Put, SetAside
from samestory.cli.console import Console
from samestory.cli.facts import Row, print_facts, print_json
from samestory.cli.failures import printable
from samestory.errors import SamestoryError
from samestory.index.durable import Index
from samestory.progress import Observer
from samestory.read.arrivals import Arrivals

_LEAST_SECONDS = 1.0


class Intake:
    """Adds batches to an index and counts.

    Parameters
    ----------
    index : Index
    arrivals : Arrivals
    window_hours : float, optional
        After each batch, take out what is so much older than the newest.
    aside : SetAside
        Takes broken rows.
    quiet : bool
        Whether to say nothing where it is interrupted.
    """

    def __init__(
        self, index: Index, arrivals: Arrivals, *, window_hours: float | None, aside: SetAside, quiet: bool
    ) -> None:
        self._index = index
        self._arrivals = arrivals
        self._window = None if window_hours is None else timedelta(hours=window_hours)
        self._aside = aside
        self._quiet = quiet
        self._begin = time.perf_counter()
        self._counts = dict.fromkeys(
            ("batches", "articles", "new", "copies", "merged_clusters", "expired"), 0
        )

    def run(self, put: Put, note: Callable[[dict[str, Any]], None], observer: Observer) -> None:
        """Add everything.

        Parameters
        ----------
        put : callable
            Takes the answers of each batch, before the next is read.
        note : callable
            Takes the figures of each batch.
        observer : Observer

        Raises
        ------
        SamestoryError
            As reading and adding do; says what was added before.
        """
        observer("ingest", 0, None)
        try:
            for batch in self._arrivals.batches():
                self._add(batch, put, note)
                observer("ingest", self._counts["articles"], self._arrivals.n_rows)
        except SamestoryError as error:
            if not self._counts["batches"]:
                raise
            raise type(error)(f"{error.message}; {self._kept()}", hint=error.hint) from error
        except KeyboardInterrupt:
            if self._counts["batches"] and not self._quiet:
                click.echo(f"stopped: {self._kept()}", err=True)
            raise

    def _add(self, batch: pa.RecordBatch, put: Put, note: Callable[[dict[str, Any]], None]) -> None:
        rejects = self._arrivals.take_rejects()
        self._aside.take(rejects)
        if not len(batch):
            return
        found = self._index.ingest(batch)
        figures = {**dict(self._index.last_batch), **_counted(found)}
        self._counts["batches"] += 1
        for name in ("articles", "new", "copies", "merged_clusters"):
            self._counts[name] += figures[name]
        put(found)
        n_expired = 0
        if self._window is not None:
            n_expired = self._index.expire(_before(self._index.newest, self._window))
            self._counts["expired"] += n_expired
            figures["n_articles"] = figures["n_articles"] - n_expired
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        note({"at": at, **figures, "expired": n_expired, "rejected": len(rejects)})

    def _kept(self) -> str:
        batches, articles = self._counts["batches"], self._counts["articles"]
        what = "1 batch" if batches == 1 else f"{batches:,} batches"
        return f"{what} with {_articles(articles)} before it {'is' if batches == 1 else 'are'} in the index"

    def summary(self, inputs: Sequence[str], output: str | None) -> dict[str, Any]:
        """Return what was done, as plain values."""
        seconds = time.perf_counter() - self._begin
        return {
            "index": str(self._index.info()["folder"]),
            "fingerprint": self._index.config.fingerprint,
            "inputs": list(inputs),
            "output": output,
            **self._counts,
            "rejected": self._aside.n,
            "in_index": len(self._index),
            "seconds": round(seconds, 3),
            "articles_per_second": round(self._counts["articles"] / max(seconds, 1e-9), 1),
            "warnings": self._arrivals.warnings,
        }


def _before(newest: datetime, window: timedelta) -> datetime:
    try:
        return newest - window
    except OverflowError:  # a window of two thousand years
        return datetime(1, 1, 1, tzinfo=timezone.utc)


def _articles(n: int) -> str:
    return "1 article" if n == 1 else f"{n:,} articles"


def _counted(found: pa.Table) -> dict[str, int]:
    """Return how many articles began a cluster, how many are copies, and clusters that were joined."""
    new = int(np.count_nonzero(np.asarray(found["is_new"])))
    lengths = [len(ids) for ids in found["merged_cluster_ids"].to_pylist()]
    return {
        "articles": len(found),
        "new": new,
        "copies": len(found) - new,
        # One alone was not joined with another: it has a new name.
        "merged_clusters": sum(length for length in lengths if length > 1),
    }


def summarise(stats: dict[str, Any], console: Console, output: str | None) -> None:
    """Print what was done, as JSON on stdout or as a table on stderr."""
    if console.as_json:
        print_json(stats)
    elif not console.quiet:
        print_facts(_rows(stats, verbose=console.verbose), to_stderr=True)
        for warning in stats["warnings"]:
            click.echo(click.style("Warning: ", fg="yellow") + printable(warning), err=True)
        if output not in (None, "-"):
            click.echo(f"Written: {printable(str(output))}", err=True)


def _rows(stats: dict[str, Any], *, verbose: bool) -> list[Row]:
    seconds = stats["seconds"]
    batches = "1 batch" if stats["batches"] == 1 else f"{stats['batches']:,} batches"
    rows = [
        ("articles", f"{stats['articles']:,}", f"in {batches}"),
        ("  new", f"{stats['new']:,}", "began a cluster of their own"),
        ("  copies", f"{stats['copies']:,}", "of articles that came before"),
    ]
    if stats["merged_clusters"]:
        rows.append(("merged", f"{stats['merged_clusters']:,}", "clusters, joined with one another"))
    if stats["expired"]:
        rows.append(("expired", f"{stats['expired']:,}", "out of the window"))
    if stats["rejected"]:
        rows.append(("rejected", f"{stats['rejected']:,}", "rows set aside"))
    rows.append(("in the index", f"{stats['in_index']:,}", "articles now"))
    # On less it would be the rate of starting up.
    rate = f"{stats['articles_per_second']:,.0f} articles/s" if seconds >= _LEAST_SECONDS else ""
    rows.append(("time", f"{seconds:.1f} s", rate))
    if verbose:
        rows += [("index", stats["index"], ""), ("fingerprint", stats["fingerprint"], "")]
    return rows
