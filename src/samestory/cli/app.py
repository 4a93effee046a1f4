"""The commands and what they say of themselves."""

from __future__ import annotations

import click

from samestory.cli.commands import Command, Group
from samestory.cli.evaluate import evaluate
from samestory.cli.explain import explain
from samestory.cli.index import index
from samestory.cli.ingest import ingest
from samestory.cli.options import (
    column_options,
    common_options,
    config_option,
    dry_run_option,
    engine_options,
    input_argument,
    matching_options,
    output_folder,
    said_options,
)
from samestory.cli.places import Place
from samestory.cli.report import report
from samestory.version import __version__

_APP_EXAMPLES = """
\b
Start with:
  samestory example news.jsonl
  samestory cluster news.jsonl -o out
  samestory report out -o report.html

Each command has a --help with examples.
"""

_CLUSTER_EXAMPLES = """
\b
Examples:
  samestory cluster news.parquet -o out
  samestory cluster news.parquet -o out --dry-run
  samestory cluster crawl/ feeds/*.jsonl.gz -o out --threshold 0.8
  samestory cluster 's3://news/2025/*.warc.gz' -o out --on-error skip
  cat new.jsonl | samestory cluster - -o out --shingle char:9
"""

_DEDUP_EXAMPLES = """
\b
Examples:
  samestory dedup news.parquet -o unique.parquet
  samestory dedup crawl.jsonl.zst -o unique.jsonl.zst --representative longest
  samestory dedup CC-NEWS.warc.gz -o unique.parquet
  samestory dedup new.parquet -o new.parquet --overwrite --fail-on-duplicates
"""

_EXAMPLE_EXAMPLES = """
\b
Examples:
  samestory example news.jsonl
  samestory cluster news.jsonl -o out
  samestory example - | samestory cluster - -o out
"""

_OVERWRITE_HELP = "Replace an earlier result."


@click.group(
    cls=Group,
    epilog=_APP_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "SAMESTORY"},
)
@click.version_option(__version__, prog_name="samestory")
def app() -> None:
    """Find duplicate and near-duplicate news stories."""


@app.command(epilog=_CLUSTER_EXAMPLES)
@input_argument
@output_folder
@matching_options
@column_options
@click.option("--overwrite", is_flag=True, help=_OVERWRITE_HELP)
@dry_run_option
@engine_options
@common_options
def cluster(**options: object) -> int:
    """Cluster the articles of INPUT that are copies of one another.

    INPUT is files, folders, globs or URIs, or - for JSON Lines on standard
    input: Parquet, JSON Lines, CSV, TSV (also .gz, .zst, .bz2), Arrow, or
    folders of .txt; web pages (.html) and crawls (.warc, .warc.gz) with
    pip install 'samestory[html]'. Columns are found by name.

    URIs are s3://, gs://, abfs://, hdfs:// and file://; https:// and others
    with pip install 'samestory[remote]'. Credentials come from the
    environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL and so on).

    Writes clusters.parquet (one row for every article), pairs.parquet (one
    row for every verified pair) and run.json to OUTDIR.
    """
    from samestory.cli.jobs import run_cluster

    return run_cluster(options)


@app.command(epilog=_DEDUP_EXAMPLES)
@input_argument
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    type=Place(),
    help="File for the rows that are kept; - is standard output.",
)
@matching_options
@column_options
@click.option("--fail-on-duplicates", is_flag=True, help="Leave with exit code 1 if anything was redundant.")
@click.option("--overwrite", is_flag=True, help=_OVERWRITE_HELP)
@dry_run_option
@common_options
def dedup(**options: object) -> int:
    """Write the rows of INPUT without the redundant articles.

    Keeps the input's own rows and columns: every article that is unique, and
    one of each cluster of copies. The format of FILE is told by its name; -
    writes JSON Lines to standard output.
    """
    from samestory.cli.jobs import run_dedup

    return run_dedup(options)


@click.command(cls=Command, epilog=_EXAMPLE_EXAMPLES)
@click.argument("file", metavar="FILE.jsonl", type=Place())
@click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")
@config_option
@said_options(json="Print how many there are, and where, as one JSON object on stdout.", verbose=None)
def example(file: str, overwrite: bool, json: bool, quiet: bool, verbose: bool) -> None:
    """Write the example articles that come with the package.

    They are invented: copies, edited copies, an excerpt, one site's footer on
    unrelated articles, one event told by several desks, many languages. With
    - as the file they are written to standard output.
    """
    from samestory.cli.jobs import write_example

    write_example(file, overwrite=overwrite, as_json=json, quiet=quiet)


for command in (ingest, index, explain, report, evaluate, example):
    app.add_command(command)
