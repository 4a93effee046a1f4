"""What the user sees on the terminal: progress while a job runs, a summary when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console as RichConsole
from rich.table import Table
from rich.text import Text

from samestory.cli.commands import UsageProblem
from samestory.cli.facts import print_json
from samestory.cli.failures import printable
from samestory.cli.watching import wants_progress, watched
from samestory.progress import Observer

_MOST_INPUTS: Final = 3
_MOST_CLUSTERS: Final = 3
_MOST_TERMS: Final = 5
_LONGEST_ID: Final = 40
_LEAST_MEGABYTES: Final = 10
_RELATION_WORDS: Final = {
    "exact": "the same text",
    "near": "Jaccard similarity at or over the threshold",
    "partial": "excerpts, expansions, rewrites",
    "linked": "joined through other members",
}


@dataclass(frozen=True)
class Console:
    """How much to show, and where."""

    quiet: bool
    verbose: bool
    as_json: bool
    show_progress: bool
    stdout_is_data: bool = False

    @classmethod
    def from_options(cls, options: dict[str, Any], *, stdout_is_data: bool = False) -> Console:
        """Return the console that a command's options ask for."""
        if options["json"] and stdout_is_data:
            raise UsageProblem("--json and -o - both write to standard output", "leave out one of them")
        return cls(
            quiet=options["quiet"],
            verbose=options["verbose"],
            as_json=options["json"],
            show_progress=wants_progress(options),
            stdout_is_data=stdout_is_data,
        )

    @contextmanager
    def progress(self) -> Iterator[Observer]:
        """Show the stages of a job as it runs."""
        with watched({"progress": self.show_progress, "quiet": self.quiet}) as observer:
            yield observer

    def summarise(self, stats: dict[str, Any], written: str) -> None:
        """Print what a run found, as JSON on stdout or as tables on stderr."""
        if self.as_json:
            print_json(stats)
        elif not self.quiet:
            console = RichConsole(stderr=True, highlight=False)
            console.print(_summary(stats))
            if stats["largest_clusters"]:
                console.print(_largest_clusters(stats["largest_clusters"][:_MOST_CLUSTERS]))
            if stats.get("stories", {}).get("largest"):
                console.print(_largest_stories(stats["stories"]["largest"][:_MOST_CLUSTERS]))
            if self.verbose:
                console.print(_details(stats))
            for warning in stats["warnings"]:
                console.print(Text.assemble(("Warning: ", "yellow"), printable(warning)))
            console.print(Text(f"Written: {printable(written)}"), soft_wrap=True)


def _grid() -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    return table


def _summary(stats: dict[str, Any]) -> Table:
    counts = stats["counts"]
    seconds = stats["seconds"]["total"]
    megabytes = stats["text_bytes"] / 1e6
    table = _grid()
    size = f"{megabytes:,.1f} MB" if megabytes >= 1 else f"{megabytes * 1000:,.1f} KB"
    rate = ""
    if megabytes >= _LEAST_MEGABYTES:  # on less, it would be the rate of starting up
        rate = f"{counts['articles'] / seconds:,.0f} articles/s, {megabytes / seconds:,.0f} MB/s"
    table.add_row("articles", f"{counts['articles']:,}", f"{size} of text")
    table.add_row("clusters", f"{counts['clusters']:,}", _largest(counts))
    table.add_row("redundant", f"{counts['redundant']:,}", f"{counts['redundant_ratio']:.1%} of the articles")
    for relation, words in _RELATION_WORDS.items():
        if counts["relations"][relation]:
            table.add_row(f"  {relation}", f"{counts['relations'][relation]:,}", words)
    stories = stats.get("stories")
    if stories:
        several = f"{stories['of_several_clusters']:,} of them told in other words"
        table.add_row("stories", f"{stories['stories']:,}", several)
    furniture = stats["furniture"]
    if furniture["articles"]:
        blocks = "block" if furniture["blocks"] == 1 else "blocks"
        where = "1 article" if furniture["articles"] == 1 else f"{furniture['articles']:,} articles"
        what = f"{furniture['ratio']:.1%} of the words, in {where}"
        table.add_row("page furniture", f"{furniture['blocks']:,}", f"{blocks} taken out: {what}")
    if counts["round_ups"]:
        table.add_row("round-ups", f"{counts['round_ups']:,}", "hold several stories and join none of them")
    if counts["empty"]:
        table.add_row("empty", f"{counts['empty']:,}", "without a word")
    if counts["rejected"]:
        table.add_row("rejected", f"{counts['rejected']:,}", "rows set aside")
    if stats.get("passed_over"):
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in stats["passed_over"].items())
        table.add_row(
            "passed over", f"{sum(stats['passed_over'].values()):,}", f"records: {printable(kinds)}"
        )
    table.add_row("time", f"{seconds:.1f} s", rate)
    if stats["peak_memory_bytes"]:
        table.add_row("peak memory", f"{stats['peak_memory_bytes'] / 2**20:,.0f} MiB", "")
    return table


def _largest_clusters(largest: list[dict[str, Any]]) -> Table:
    """Return the largest clusters with the pair without which each would fall apart."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("largest clusters")
    table.add_column("articles", justify="right")
    table.add_column("weakest link", style="dim")
    for cluster in largest:
        link = cluster["weakest_link"]
        words = "all the same text"
        if link:
            ids = " + ".join(_short(link[side]) for side in ("doc_id_a", "doc_id_b"))
            words = f"{link['containment']:.2f} {link['relation']}: {ids}"
        table.add_row(Text(_short(cluster["cluster_id"])), f"{cluster['size']:,}", Text(words))
    return table


def _largest_stories(largest: list[dict[str, Any]]) -> Table:
    """Return the largest stories with the terms that hold each together: a line each."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", expand=True)
    table.add_column("largest stories", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("articles", justify="right", width=len("articles"))
    table.add_column("held together by", style="dim", no_wrap=True, overflow="ellipsis", ratio=1)
    for story in largest:
        name = story["title"] or story["story_id"]
        terms = ", ".join(story["terms"][:_MOST_TERMS])
        table.add_row(Text(_short(name)), f"{story['story_size']:,}", Text(printable(terms)))
    return table


def _short(doc_id: str) -> str:
    shown = printable(doc_id)
    return shown if len(shown) <= _LONGEST_ID else f"{shown[: _LONGEST_ID - 1]}…"


def _largest(counts: dict[str, Any]) -> str:
    return f"the largest of {counts['largest_cluster']:,}" if counts["clusters"] else ""


def _details(stats: dict[str, Any]) -> Table:
    table = _grid()
    table.columns[1].justify = "left"
    inputs = stats["inputs"][:_MOST_INPUTS]
    more = f" and {len(stats['inputs']) - _MOST_INPUTS:,} more" if len(stats["inputs"]) > _MOST_INPUTS else ""
    table.add_row("inputs", Text(printable(", ".join(inputs) + more)), "")
    for role, name in stats["columns"].items():
        table.add_row(f"  {role}", Text(printable(name)) if name else Text("-", style="dim"), "")
    banding = stats["banding"]
    table.add_row("bands", f"{banding['bands']} of {banding['rows_per_band']} rows", "")
    table.add_row("recall", f"{banding['recall_at_threshold']:.4f} at the threshold", "")
    for stage, seconds in stats["seconds"].items():
        table.add_row(stage, f"{seconds:.2f} s", "")
    return table
