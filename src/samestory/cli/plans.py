"""`--dry-run`: what a run would read, do and write, as a table or as one JSON object."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from samestory.cli.console import Console
from samestory.cli.facts import Row, print_facts, print_json
from samestory.cli.failures import printable
from samestory.plan import FROM_FILES, make_plan
from samestory.read import open_source
from samestory.runfiles import CLUSTERS_FILE, FURNITURE_FILE, PAIRS_FILE, REJECTS_FILE, RUN_FILE, STORIES_FILE

_MOST_INPUTS: Final = 3


def dry_run(options: dict[str, Any], config: Any, console: Console, *, to_folder: bool) -> None:
    """Tell what a run would do, and do nothing.

    Parameters
    ----------
    options : dict
        Of the command; whether its output can be written was looked at before.
    config : Config
    console : Console
    to_folder : bool
        Whether the output is a folder of a result, or one file.
    """
    with console.progress() as observer, open_source(list(options["inputs"]), config) as source:
        plan = make_plan(source, config, observer=observer)
    output = options["output"]
    plan = {
        "dry_run": True,
        **plan,
        "output": output,
        "replaces": _is_there(output),
        "writes": _files(plan["config"]) if to_folder else [output],
    }
    if console.as_json:
        print_json(plan)
    elif not console.quiet:
        print_facts(_rows(plan, to_folder=to_folder), to_stderr=True)
        for warning in plan["warnings"]:
            click.echo(click.style("Warning: ", fg="yellow") + printable(warning), err=True)
        click.echo("Nothing is written: this was a dry run.", err=True)


def _is_there(output: str) -> bool:
    """Whether an output has something that would be replaced."""
    path = Path(output)
    if output == "-" or not path.exists():
        return False
    return any(path.iterdir()) if path.is_dir() else True


def _files(config: dict[str, Any]) -> list[str]:
    """Return the files that a run writes to its folder; furniture only where any is found."""
    files = [CLUSTERS_FILE, PAIRS_FILE]
    if config["boilerplate"]:
        files.append(FURNITURE_FILE)
    if config["level"] == "story":
        files.append(STORIES_FILE)
    if config["on_error"] == "skip":
        files.append(REJECTS_FILE)
    return [*files, RUN_FILE]


def _rows(plan: dict[str, Any], *, to_folder: bool) -> list[Row]:
    config, banding, counted = plan["config"], plan["banding"], plan["articles"]
    rows = [
        ("inputs", "", _some(plan["inputs"])),
        ("files", f"{plan['files']['count']:,}", _formats(plan["files"])),
        ("articles", f"{counted['articles']:,}", _how_counted(counted)),
    ]
    if plan["rejected"]:
        rows.append(("rejected", f"{plan['rejected']:,}", "rows would be set aside"))
    about = "" if _is_exact(counted) else "about, by the first rows"
    rows.append(("text", _size(counted["text_bytes"]), about))
    rows.append(("columns", "", _differing(plan["column_mappings"])))
    for role, name in plan["columns"].items():
        rows.append((f"  {role}", "", name if name else _without(role)))
    rows += [
        ("level", "", config["level"]),
        ("shingle", "", config["shingle"]),
        ("threshold", f"{config['threshold']:g}", "Jaccard similarity of near copies"),
        ("containment", *_containment(config)),
        (
            "bands",
            f"{banding['bands']}",
            _bands(banding, config["num_perm"]),
        ),
        ("recall", f"{banding['recall_at_threshold']:.4f}", "of pairs at the threshold"),
        ("furniture", "", "taken out first" if config["boilerplate"] else "left in"),
        ("stories", "", "looked for" if config["level"] == "story" else "not looked for: --level story does"),
        ("threads", f"{plan['threads']}", ""),
        ("peak memory", f"{plan['estimated_memory_bytes'] / 2**20:,.0f} MiB", "estimated"),
        ("scratch", _size(plan["estimated_scratch_bytes"]), _allowed(plan)),
        ("would write", "", _writes(plan, to_folder=to_folder)),
    ]
    return rows


def _allowed(plan: dict[str, Any]) -> str:
    where = plan["config"].get("scratch")
    folder = f" in {where}" if where else ""
    return f"of temporary files{folder}, with {_size(plan['memory_bytes'])} of memory"


def _some(inputs: list[str]) -> str:
    more = f" and {len(inputs) - _MOST_INPUTS:,} more" if len(inputs) > _MOST_INPUTS else ""
    return ", ".join(inputs[:_MOST_INPUTS]) + more


def _formats(files: dict[str, Any]) -> str:
    formats = files["formats"].items()
    kinds = ", ".join(f"{n:,} {kind}" if len(formats) > 1 else kind for kind, n in formats)
    return f"{_size(files['bytes'])}: {kinds}" if files["bytes"] else kinds


def _is_exact(counted: dict[str, Any]) -> bool:
    return bool(counted["by"] != FROM_FILES)


def _how_counted(counted: dict[str, Any]) -> str:
    if _is_exact(counted):
        return "counted by reading them"
    return "by the files' own figures; only a run finds broken rows"


def _bands(banding: dict[str, Any], num_perm: int) -> str:
    rows = banding["rows_per_band"]
    return f"of {'1 row' if rows == 1 else f'{rows} rows'}, of a signature of {num_perm} values"


def _differing(n_mappings: int) -> str:
    return "" if n_mappings < 2 else f"of the first file; the files have {n_mappings:,} sorts of columns"


def _without(role: str) -> str:
    return "- (the row's place: FILE:ROW)" if role == "doc_id" else "-"


def _containment(config: dict[str, Any]) -> tuple[str, str]:
    if not config["partial"]:
        return "-", "partial copies are not looked for"
    return f"{config['containment']:g}", "share of the shorter article of partial copies"


def _writes(plan: dict[str, Any], *, to_folder: bool) -> str:
    said = f"{plan['output']}/{', '.join(plan['writes'])}" if to_folder else plan["output"]
    return f"{said} (replaces what is there)" if plan["replaces"] else said


def _size(n_bytes: int) -> str:
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if n_bytes >= limit:
            return f"{n_bytes / limit:,.1f} {unit}"
    return f"{n_bytes} bytes"
