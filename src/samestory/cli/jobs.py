"""What the commands do once their options are parsed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from samestory.cli.commands import UsageProblem
from samestory.cli.facts import print_json
from samestory.cli.failures import printable
from samestory.cli.options import config_from
from samestory.cli.startup import lighten_startup
from samestory.errors import OutputError


def run_cluster(options: dict[str, Any]) -> int:
    """Do `samestory cluster`."""
    lighten_startup()
    from samestory.cli.console import Console
    from samestory.pipeline import cluster_source
    from samestory.read import open_source
    from samestory.write import check_folder

    config = config_from(options)
    console = Console.from_options(options)
    check_folder(options["output"], overwrite=options["overwrite"])
    if options["dry_run"]:
        from samestory.cli.plans import dry_run

        dry_run(options, config, console, to_folder=True)
        return 0
    if options["engine"] == "spark":
        return _cluster_on_spark(options, config, console)
    with console.progress() as observer, open_source(list(options["inputs"]), config) as source:
        result = cluster_source(source, config, observer)
        result.write(options["output"], overwrite=options["overwrite"], observer=observer)
    first, *others = result.files
    console.summarise(result.stats, ", ".join([str(Path(options["output"]) / first), *others]))
    return 0


def _cluster_on_spark(options: dict[str, Any], config: Any, console: Any) -> int:
    from samestory.engines.folder import cluster_to_folder

    with console.progress() as observer:
        stats, files = cluster_to_folder(
            list(options["inputs"]),
            config,
            options["output"],
            overwrite=options["overwrite"],
            partitions=options["partitions"],
            observer=observer,
        )
    console.summarise(stats, ", ".join([str(Path(options["output"]) / files[0]), *files[1:]]))
    return 0


def run_dedup(options: dict[str, Any]) -> int:
    """Do `samestory dedup`."""
    lighten_startup()
    from samestory.cli.console import Console
    from samestory.pipeline import cluster_source
    from samestory.read import open_source
    from samestory.rows import check_output, write_kept_rows

    config = config_from(options)
    output = Path(options["output"])
    console = Console.from_options(options, stdout_is_data=str(output) == "-" and not options["dry_run"])
    if str(output) != "-":
        check_output(output, overwrite=options["overwrite"])
    if options["dry_run"]:
        from samestory.cli.plans import dry_run

        dry_run(options, config, console, to_folder=False)
        return 0
    with console.progress() as observer, open_source(list(options["inputs"]), config) as source:
        result = cluster_source(source, config, observer)
        keep = result.kept
        write_kept_rows(source, keep, output, overwrite=options["overwrite"], observer=observer)
        if config.on_error == "skip":
            _write_rejects(result.rejects, output)
    console.summarise(result.stats, str(output))
    return 1 if options["fail_on_duplicates"] and not keep.all() else 0


def _write_rejects(rejects: list[Any], output: Path) -> None:
    from samestory.runfiles import REJECTS_FILE
    from samestory.write import reject_line, write_rejects

    if str(output) == "-":  # no file to put a second one beside
        for reject in rejects:
            click.echo(reject_line(reject), err=True, nl=False)
        return
    write_rejects(rejects, output.with_name(f"{output.name}.{REJECTS_FILE}"))


def write_example(file: str, *, overwrite: bool, as_json: bool, quiet: bool) -> None:
    """Do `samestory example`."""
    if file == "-" and as_json:
        raise UsageProblem("--json and - both write to standard output", "name a file, or leave out --json")
    from samestory.examples import example_text

    text = example_text()
    if file == "-":
        sys.stdout.buffer.write(text.encode())
        return
    path = Path(file)
    try:
        if path.exists() and not overwrite and path.read_text(encoding="utf-8") != text:
            raise OutputError(f"{file} exists and holds something else", hint="replace it with --overwrite")
        path.write_text(text, encoding="utf-8")
    except UnicodeDecodeError as error:
        raise OutputError(
            f"{file} exists and holds something else", hint="replace it with --overwrite"
        ) from error
    except OSError as error:
        raise OutputError(
            f"{file}: cannot be written: {error.strerror or error}",
            hint="check the path, its space and rights",
        ) from error
    n_articles = text.count("\n")
    if as_json:
        print_json({"articles": n_articles, "file": file})
    elif not quiet:
        click.echo(f"{n_articles} articles written to {printable(file)}", err=True)
