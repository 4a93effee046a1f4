"""`samestory index`: commands that look after an index."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from samestory.cli.commands import Group, UsageProblem
from samestory.cli.failures import ERROR, printable
from samestory.cli.options import config_option, output_folder, progress_option, said_options
from samestory.cli.places import Place
from samestory.cli.watching import watched
from samestory.errors import IndexFormatError, InputError

if TYPE_CHECKING:
    from samestory.index.durable import Index
    from samestory.progress import Observer

_EXAMPLES = """
\b
Examples:
  samestory index info news.index
  samestory index verify news.index --deep
  samestory index expire news.index --before 2026-10-01
  samestory index export news.index -o out
"""
_INFO_EXAMPLES = """
\b
Examples:
  samestory index info news.index
  samestory index info news.index --json | jq .articles
"""
_VERIFY_EXAMPLES = """
\b
Examples:
  samestory index verify news.index
  samestory index verify news.index --deep && cp -r news.index backup
"""
_COMPACT_EXAMPLES = """
\b
Examples:
  samestory index compact news.index
"""
_EXPIRE_EXAMPLES = """
\b
Examples:
  samestory index expire news.index --before 2026-10-01
  samestory index expire news.index --before "$(date -u -d '30 days ago' +%F)"
"""
_EXPORT_EXAMPLES = """
\b
Examples:
  samestory index export news.index -o out
  samestory index export news.index -o out --overwrite --json
"""
_DELETE_EXAMPLES = """
\b
Examples:
  samestory index delete news.index a17 a18
  samestory index delete news.index --ids-from withdrawn.txt
"""
_RESOLVE_EXAMPLES = """
\b
Examples:
  samestory index resolve news.index a17
  cut -f 2 known.tsv | samestory index resolve news.index --ids-from -
"""

_folder = click.argument("folder", metavar="DIR", type=Place(folder=True))
_doc_ids = click.argument("ids", metavar="ID...", nargs=-1)
_ids_from = click.option(
    "--ids-from", metavar="FILE", type=Place(), help="Read ids from a file too, one a line; - is stdin."
)
_lock_timeout = click.option(
    "--lock-timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Time to wait for another that writes to the index.",
)


@click.group(cls=Group, epilog=_EXAMPLES)
def index() -> None:
    """Look after an index that samestory ingest has made."""


@index.command(epilog=_INFO_EXAMPLES)
@_folder
@config_option
@said_options(json="Print what is in it as one JSON object on stdout.", verbose="Print more: the settings.")
def info(folder: str, **options: Any) -> None:
    """Print what is in an index."""
    from samestory.cli.facts import print_facts, print_json

    with _open(folder, readonly=True) as opened:
        facts = opened.info()
    if options["json"]:
        print_json(facts)
    elif not options["quiet"]:
        print_facts(_rows_of(facts, verbose=options["verbose"]), to_stderr=False)


@index.command(epilog=_VERIFY_EXAMPLES)
@_folder
@click.option("--deep", is_flag=True, help="Also find all clusters anew, which takes as long as cluster.")
@config_option
@progress_option
@said_options(
    json="Print whether it is sound, and what is wrong, as one JSON object on stdout.", verbose=None
)
def verify(folder: str, deep: bool, **options: Any) -> int:
    """Check that an index is whole.

    Leaves with exit code 2, and a line on standard error for each thing that
    is wrong, if it is not.
    """
    from samestory.cli.facts import print_json

    try:
        with _progress(options) as observer, _open(folder, readonly=True) as opened:
            wrong = opened.verify(deep=deep, observer=observer)
    except IndexFormatError as error:
        wrong = [error.message]
    if options["json"]:
        print_json({"sound": not wrong, "wrong": wrong})
    for one in wrong:
        click.echo(_one_line(one), err=True)
    if not wrong and not options["quiet"] and not options["json"]:
        click.echo("the index is sound")
    return ERROR if wrong else 0


@index.command(epilog=_COMPACT_EXAMPLES)
@_folder
@_lock_timeout
@config_option
@progress_option
@said_options(json="Print what was saved as one JSON object on stdout.", verbose=None)
def compact(folder: str, lock_timeout: float, **options: Any) -> None:
    """Write an index anew without what is no longer needed."""
    with _progress(options) as observer, _open(folder, lock_timeout=lock_timeout) as opened:
        done = opened.compact(observer=observer)
    if not options["json"] and not options["quiet"]:
        from samestory.cli.facts import print_facts

        print_facts(_compacted(done), to_stderr=True)
        return
    _tell(options, done, "")


@index.command(epilog=_EXPIRE_EXAMPLES)
@_folder
@click.option(
    "--before", metavar="DATE", required=True, help="Date or time, in ISO 8601; UTC if it does not say."
)
@_lock_timeout
@config_option
@progress_option
@said_options(json="Print how many were taken out as one JSON object on stdout.", verbose=None)
def expire(folder: str, before: str, lock_timeout: float, **options: Any) -> None:
    """Take out the articles that were published before a time.

    Of the undated the time counts at which they came. The ids of their
    clusters stay resolvable as long as anything is left of these.
    """
    with _progress(options) as observer, _open(folder, lock_timeout=lock_timeout) as opened:
        observer("take out", 0, None)
        n_expired = opened.expire(before)
        n_left = len(opened)
    facts = {"expired": n_expired, "articles": n_left}
    _tell(options, facts, f"{_articles(n_expired)} taken out, {n_left:,} left")


@index.command(epilog=_EXPORT_EXAMPLES, short_help="Write what cluster would, for all its articles.")
@_folder
@output_folder
@click.option("--overwrite", is_flag=True, help="Replace an earlier result.")
@config_option
@progress_option
@said_options(json="Print what run.json has as one JSON object on stdout.", verbose=None)
def export(folder: str, output: str, overwrite: bool, **options: Any) -> None:
    """Write what samestory cluster would write for all articles of an index.

    clusters.parquet, pairs.parquet and run.json, the articles in the order in
    which they came.
    """
    from samestory.write import check_folder

    check_folder(output, overwrite=overwrite)
    with _progress(options) as observer:
        with _open(folder, readonly=True) as opened:
            result = opened.export(observer=observer)
        result.write(output, overwrite=overwrite, observer=observer)
    said = f"{_articles(len(result.clusters))}, {len(result.pairs):,} pairs written to {output}"
    _tell(options, result.stats, said)


@index.command(epilog=_DELETE_EXAMPLES)
@_folder
@_doc_ids
@_ids_from
@_lock_timeout
@config_option
@progress_option
@said_options(json="Print how many were taken out as one JSON object on stdout.", verbose=None)
def delete(
    folder: str, ids: tuple[str, ...], ids_from: str | None, lock_timeout: float, **options: Any
) -> None:
    """Take articles out of an index, all that are named or none.

    The ids of their clusters stay resolvable as long as anything is left of
    these.
    """
    named = _all_ids(ids, ids_from)
    with _progress(options) as observer, _open(folder, lock_timeout=lock_timeout) as opened:
        observer("take out", 0, None)
        n_deleted = opened.delete(named)
        n_left = len(opened)
    facts = {"deleted": n_deleted, "articles": n_left}
    _tell(options, facts, f"{_articles(n_deleted)} taken out, {n_left:,} left")


@index.command(epilog=_RESOLVE_EXAMPLES, short_help="Print by which id a cluster goes now.")
@_folder
@_doc_ids
@_ids_from
@config_option
@said_options(json="Print them exactly, as one JSON object on stdout.", verbose=None)
def resolve(folder: str, ids: tuple[str, ...], ids_from: str | None, **options: Any) -> None:
    r"""Print by which id a cluster goes now, given any by which it ever went.

    A line for each: the id, a tab, and its cluster's id now. Characters that
    cannot be printed are escaped; --json has them exactly.
    """
    from samestory.cli.facts import print_json

    named = _all_ids(ids, ids_from)
    with _open(folder, readonly=True) as opened:
        found = {doc_id: opened.resolve(doc_id) for doc_id in named}
    if options["json"]:
        print_json(found)
        return
    for doc_id in named:
        click.echo(f"{_one_line(doc_id)}\t{_one_line(found[doc_id])}")


@contextmanager
def _progress(options: dict[str, Any]) -> Iterator[Observer]:
    """Show progress, and that the index is opened first."""
    with watched(options) as observer:
        observer("open the index", 0, None)
        yield observer


def _open(folder: str, *, readonly: bool = False, lock_timeout: float = 60.0) -> Index:
    from samestory.cli import startup

    startup.lighten_startup()
    from samestory.index.durable import Index

    try:
        return Index.open(folder, readonly=readonly, lock_timeout=lock_timeout)
    except InputError as error:
        if error.message.startswith("there is no index"):
            hint = "check the path; samestory ingest makes an index"
            if (Path(folder) / "run.json").is_file():
                hint = "it is the result of a run: see samestory explain, report and evaluate"
            raise InputError(error.message, hint=hint) from error
        raise


def _all_ids(ids: tuple[str, ...], ids_from: str | None) -> list[str]:
    """Return the ids of the command line and of a file; one at least."""
    named = [*ids, *(_read_ids(ids_from) if ids_from is not None else [])]
    if not named and ids_from is None:
        raise UsageProblem("no id is given", "name some, or a file with --ids-from")
    return named


def _read_ids(name: str) -> list[str]:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        lines = data.decode("utf-8-sig").split("\n")
    except OSError as error:
        raise InputError(
            f"{name}: cannot be read: {error.strerror or error}", hint="check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: is not valid UTF-8 (at byte {error.start + 1})", hint="write it again as UTF-8"
        ) from error
    return [line for line in (line.rstrip("\r") for line in lines) if line]


def _tell(options: dict[str, Any], facts: dict[str, Any], said: str) -> None:
    if options["json"]:
        from samestory.cli.facts import print_json

        print_json(facts)
    elif not options["quiet"]:
        click.echo(_one_line(said), err=True)


def _one_line(text: str) -> str:
    return printable(text).replace("\n", "\\n")


def _articles(n: int) -> str:
    return "1 article" if n == 1 else f"{n:,} articles"


def _compacted(done: dict[str, Any]) -> list[tuple[str, str, str]]:
    before, after = (done[name] / 1e6 for name in ("bytes_before", "bytes_after"))
    return [
        ("size", f"{after:,.1f} MB", f"before {before:,.1f} MB"),
        ("articles", f"{done['articles']:,}", f"{done['texts']:,} different texts"),
        ("time", f"{done['seconds']:.1f} s", ""),
    ]


def _rows_of(facts: dict[str, Any], *, verbose: bool) -> list[tuple[str, str, str]]:
    megabytes = facts["bytes"] / 1e6
    dates = [str(facts[name] or "-")[:19] for name in ("first_published_at", "last_published_at")]
    rows = [
        ("articles", f"{facts['articles']:,}", f"{facts['texts']:,} different texts"),
        ("clusters", f"{facts['clusters']:,}", f"the largest of {facts['largest_cluster']:,}"),
        ("unique", f"{facts['unique']:,}", "without a copy"),
        ("published", dates[1], f"the first {dates[0]}"),
        ("batches", f"{facts['batches']:,}", ""),
        ("size", f"{megabytes:,.1f} MB", f"{facts['bytes_per_article']:,.0f} bytes an article"),
        ("settings", facts["fingerprint"], f"samestory {facts['version']}, format {facts['format_version']}"),
    ]
    if verbose:
        rows += [(f"  {name}", str(value), "") for name, value in facts["config"].items()]
    return rows
