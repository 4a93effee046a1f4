"""The order in which a report is made."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samestory.errors import OutputError, SamestoryError
from samestory.finished import FinishedRun
from samestory.leftovers import SUFFIX, hidden_prefix, remove_left_over
from samestory.progress import Observer, ignore_progress
from samestory.report import words
from samestory.report.arrays import Arrays, read_arrays
from samestory.report.charts import check_matplotlib
from samestory.report.choice import choose_clusters, choose_stories
from samestory.report.copying import count_copying
from samestory.report.figures import headline, overlaps, timeline
from samestory.report.lanes import make_lanes
from samestory.report.listing import Listing, make_listing
from samestory.report.page import check_jinja, render_page
from samestory.report.panels import matrix, overlap_panels, time_panels
from samestory.report.texts import Texts, affordable, find_stand_ins, make_texts, pairs_to_compare
from samestory.report.unscripted import plain_rows
from samestory.schema import STORIES
from samestory.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from samestory.passages import Reading


def write_report(
    folder: str | PathLike[str],
    output: str | PathLike[str],
    *,
    text: bool = True,
    inputs: Sequence[str] | None = None,
    overwrite: bool = False,
    observer: Observer = ignore_progress,
) -> dict[str, Any]:
    """Write a run as one HTML page that holds all it needs.

    The same run gives the same bytes. Whatever the size of the run, the page has a few megabytes at
    most: it lists the largest clusters and stories and those with the weakest members, and says how
    many of how many these are.

    Parameters
    ----------
    folder : path
        What `samestory cluster` wrote.
    output : path
        The page, an ``.html`` file; it is there whole in the end, or not at all.
    text : bool, default True
        Whether to show texts of articles, read from the run's inputs. Where these are gone the page
        says so.
    inputs : sequence of str, optional
        Where the articles are now, instead of where they were.
    overwrite : bool, default False
        Whether the file may exist.
    observer : callable, optional

    Returns
    -------
    dict
        ``file``, ``bytes``, ``articles``, ``clusters``, ``clusters_listed``, ``stories``,
        ``stories_listed``, ``articles_listed``, ``comparisons``, and ``why_no_texts`` (null where there
        are texts, or none are wanted).

    Raises
    ------
    InputError
        The folder holds no result of samestory.
    OutputError
        The page cannot be written.
    MissingDependencyError
        Jinja2 or Matplotlib is not installed.
    """
    check_report(output, overwrite=overwrite)
    observer("read a run", 0, None)
    run = FinishedRun.open(folder, inputs=inputs or None)
    arrays = read_arrays(run)
    table = run.stories(STORIES.names)
    clusters, stories = choose_clusters(arrays), choose_stories(arrays, table)
    listing = make_listing(run, arrays, clusters, stories, table)
    texts = _texts(run, arrays, listing, observer) if text else Texts()
    observer("draw", 0, None)
    page = _page(run, arrays, table, listing, texts, with_text=text)
    observer("write the page", 0, None)
    _write_whole(Path(output), page, overwrite=overwrite)
    return {
        "file": os.fspath(output),
        "bytes": len(page),
        "articles": len(arrays),
        "articles_listed": len(listing.articles),
        "clusters": listing.n_clusters,
        "clusters_listed": len(listing.clusters),
        "stories": listing.n_stories,
        "stories_listed": len(listing.stories),
        "comparisons": len(texts.comparisons),
        "why_no_texts": texts.why_none or None,
    }


def check_report(output: str | PathLike[str], *, overwrite: bool) -> None:
    """Raise unless a page can be made and written: asked before any work is done.

    Raises
    ------
    OutputError
        The name does not end in .html, the folder is missing, or the file exists.
    MissingDependencyError
        Jinja2 or Matplotlib is not installed.
    """
    path = Path(output)
    if path.suffix.lower() not in (".html", ".htm"):
        raise OutputError(f"{path}: the name is not that of a page", hint="end it in .html")
    if path.is_dir():
        raise OutputError(f"{path}: is a directory", hint="name a file")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: there is no directory {path.parent}", hint="make it first")
    _check_free(path, overwrite=overwrite)
    check_jinja()
    check_matplotlib()


def _check_free(path: Path, *, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: exists already", hint="use --overwrite to replace it")


def _texts(run: FinishedRun, arrays: Arrays, listing: Listing, observer: Observer) -> Texts:
    """Read the articles that are shown again from the run's inputs; a page without them is a page, too."""
    find_stand_ins(listing)
    pairs = pairs_to_compare(listing)
    places = sorted({place for pair in pairs for place in pair})
    if not places:
        return Texts()
    ids = [arrays.ids[listing.rows[place]].as_py() for place in places]
    try:
        articles = run.articles(ids, observer)
        # Long ones are not all read: the page could not hold what they share.
        by_place = dict(zip(places, ids, strict=True))
        lengths = {k: len(articles[name].text or "") for k, name in by_place.items() if name in articles}
        pairs = affordable(pairs, lengths)
        wanted = {place for pair in pairs for place in pair}
        kept = {name: articles[name] for place, name in by_place.items() if place in wanted}
        found: Mapping[str, Reading] = run.read(kept)
    except SamestoryError as error:
        return Texts(why_none=error.message)
    readings = {place: found[doc_id] for place, doc_id in zip(places, ids, strict=True) if doc_id in found}
    if not articles:
        return Texts(why_none="the inputs have none of the articles")
    return make_texts(pairs, readings, observer)


def _page(
    run: FinishedRun, arrays: Arrays, table: Any, listing: Listing, texts: Texts, *, with_text: bool
) -> bytes:
    head = headline(run, arrays, table)
    copying = count_copying(arrays)
    of_stories = bool(listing.stories)
    text_says = words.text_says(texts, listing, len(arrays), wanted=with_text)
    values = {
        "version": __version__,
        "title": f"Copies in {words.input_names(run)}",
        "kicker": words.input_names(run),
        "headline": words.headline(head),
        "lede": words.lede(head),
        "stats": words.stats(head),
        "warnings": words.warnings(run),
        "overlap_charts": overlap_panels(head, arrays, table, overlaps(run)),
        "copying": copying,
        "copying_says": words.copying_says(copying) if copying else "",
        "copying_note": words.copying_note(copying),
        "flows": copying.top_flows(3) if copying else [],
        "matrix": matrix(copying) if copying else [],
        "time_charts": time_panels(timeline(arrays), make_lanes(arrays, listing), of_stories=of_stories),
        "n_stories": listing.n_stories,
        "list_says": words.list_says(listing),
        "plain_rows": plain_rows(listing),
        "text_says": text_says,
        "no_texts": text_says if not texts.texts else "",
        "facts": words.facts(run, head, listing, texts),
    }
    return render_page(values, listing.as_dict(), texts.as_dict())


def _write_whole(path: Path, page: bytes, *, overwrite: bool) -> None:
    """Write a hidden file that takes its place when all is written."""
    target = Path(os.path.realpath(path))
    remove_left_over(target)
    temporary = target.with_name(f"{hidden_prefix(target)}{os.getpid()}{SUFFIX}")
    try:
        with temporary.open("wb") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        _check_free(path, overwrite=overwrite)
        temporary.replace(target)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written: {error.strerror or error}", hint="check its space and rights"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
