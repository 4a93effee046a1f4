"""Whether two engines, or two ways to run one, write the same tables: every column, exactly.

    python benchmarks/equal.py DATA_DIR/near DATA_DIR/story/*.parquet
    python benchmarks/equal.py corpus.parquet --partitions 16 --levels duplicate
    python benchmarks/equal.py corpus.parquet --against memory=512MB --against threads=1

Each file is a job of its own, and so is each file of articles in a folder that is named (files `*.pairs.*`
and `*.truth.*` are labels, and left out); the text files of one folder, an article each, are one job
together. The local engine at its defaults is what the others are held
against: by default Spark with 1, 2 and 16 partitions, or what `--against` says: `partitions=N` (Spark),
`memory=SIZE` or `threads=N` (the local engine again). Leaves with 1 where anything differs or fails.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import report
from clusterjob import Job, Settings, remove, run_job
from same_tables import TABLES, differences, digest_run, files_of, type_name

HERE = Path(__file__).parent
LABELS = (".pairs.", ".truth.")
SUFFIXES = {".parquet", ".jsonl", ".csv"}
KEYS = {
    "clusters": ("doc_id",),
    "pairs": ("doc_id_a", "doc_id_b"),
    "stories": ("story_id",),
    "furniture": ("site", "block"),
}

COLUMNS: report.Columns = (
    ("file, level, way", "tool", str),
    ("articles", "articles", report.number()),
    ("pairs", "pairs", report.number()),
    ("wall s", "wall_seconds", report.number(1)),
    ("tables", "tables", str),
)


def inputs_of(paths: list[Path]) -> list[tuple[Path, ...]]:
    """Return the inputs of each job that some paths make: a file, or the text files of a folder."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.rglob("*")) if path.is_dir() else [path]
    jobs: list[tuple[Path, ...]] = []
    together: dict[Path, list[Path]] = {}
    for file in files:
        if file.suffix == ".txt":
            together.setdefault(file.parent, []).append(file)
        elif file.suffix in SUFFIXES and not any(word in file.name for word in LABELS):
            jobs.append((file,))
    return jobs + [tuple(found) for found in together.values()]


def name_of(files: tuple[Path, ...]) -> str:
    """Return what a table calls the input of a job."""
    return files[0].name if len(files) == 1 else f"{files[0].parent.name}/*{files[0].suffix}"


def way_of(text: str) -> tuple[Job, dict[str, Any]]:
    """Return what `--against` names: a job to be given its input, and settings it changes."""
    name, _, value = text.partition("=")
    if name == "partitions":
        return Job(inputs=(), engine="spark", partitions=int(value)), {}
    if name == "memory":
        return Job(inputs=(), memory=value), {}
    if name == "threads":
        return Job(inputs=()), {"threads": int(value)}
    raise ValueError(f"--against takes partitions=N, memory=SIZE or threads=N, not {text}")


def rows_unlike(mine: Path, theirs: Path, table: str) -> str:
    """Return in words how a table that differs does: in its rows, or only in their order."""
    a, b = (
        pa.concat_tables([pq.read_table(file) for file in files_of(folder, table)])
        for folder in (mine, theirs)
    )
    if [(one.name, type_name(one.type)) for one in a.schema] != [
        (one.name, type_name(one.type)) for one in b.schema
    ]:
        return "other columns"
    b = b.cast(pa.schema([pa.field(one.name, one.type) for one in a.schema]))
    if len(a) != len(b):
        return f"{len(b):,} rows for {len(a):,}"
    by = [(key, "ascending") for key in KEYS[table]]
    a, b = (one.take(pc.sort_indices(one, sort_keys=by)) for one in (a, b))
    if a.equals(b):
        return "other order"
    unlike = np.zeros(len(a), np.bool_)
    for name in a.schema.names:
        unlike |= [x != y for x, y in zip(a[name].to_pylist(), b[name].to_pylist(), strict=True)]
    return f"{int(unlike.sum()):,} rows differ"


def verdict(mine: Path, theirs: Path) -> str:
    """Return `equal`, or what differs."""
    unlike = differences(digest_run(mine), digest_run(theirs))
    if not unlike:
        return "equal"
    told = []
    for table in TABLES:
        columns = [name.partition(".")[2].partition(":")[0] for name in unlike if name.split(".")[0] == table]
        if not columns:
            continue
        if not (files_of(mine, table) and files_of(theirs, table)):
            told.append(f"{table}: in one of them only")
        else:
            told.append(f"{table}: {rows_unlike(mine, theirs, table)} ({', '.join(columns)})")
    return "; ".join(told)


def compared(
    files: tuple[Path, ...], level: str, args: argparse.Namespace, settings: Settings
) -> Iterator[report.Row]:
    """Run one job every way, and yield a row for each."""
    mine, theirs = args.workdir / "mine", args.workdir / "theirs"
    inputs, options = tuple(map(str, files)), tuple(args.option)
    base = run_job(Job(inputs=inputs, level=level, options=options), settings, mine)
    row = row_of(f"{name_of(files)}, {level}, local", base)
    yield row | {"tables": "-", "problem": base.get("problem", "")}
    if base.get("problem"):
        return
    for text in args.against:
        way, changed = way_of(text)
        job = dataclasses.replace(way, inputs=inputs, level=level, options=options)
        run = run_job(job, dataclasses.replace(settings, **changed), theirs)
        problem = run.get("problem", "")
        row = row_of(f"{name_of(files)}, {level}, {text}", run)
        yield row | {"tables": "-" if problem else verdict(mine, theirs), "problem": problem}
        remove(theirs)


def row_of(name: str, figures: dict[str, Any]) -> report.Row:
    """Return what a table shows of a run."""
    counts = figures.get("counts", {})
    return {
        "tool": name,
        "note": "",
        "wall_seconds": figures["wall_seconds"],
        "articles": counts.get("articles"),
        "pairs": counts.get("pairs"),
    }


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("inputs", type=Path, nargs="+", metavar="FILE_OR_FOLDER")
    made.add_argument("--against", action="append", metavar="WAY", help="default: partitions=1, 2 and 16")
    made.add_argument("--levels", type=lambda text: text.split(","), default=["duplicate", "story"])
    made.add_argument("--option", action="append", default=[], metavar="WORD", help="passed on to samestory")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--timeout", type=float, default=3_600.0, help="seconds a run may take")
    made.add_argument("--samestory", default=Settings.samestory, metavar="WORDS")
    made.add_argument("--workdir", type=Path, default=Path(tempfile.gettempdir()) / "samestory-benchmarks")
    made.add_argument("--results", type=Path, help="folder of the dated record; default: write none")
    return made


def main() -> None:
    """Run the command line."""
    made = parser()
    args = made.parse_args()
    args.against = args.against or ["partitions=1", "partitions=2", "partitions=16"]
    try:
        for text in args.against:
            way_of(text)
    except ValueError as error:
        made.error(str(error))
    jobs = inputs_of(args.inputs)
    if not jobs:
        made.error("there are no files of articles")
    args.workdir.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        workdir=args.workdir,
        samestory=args.samestory,
        threads=args.threads,
        timeout=args.timeout,
    )
    rows = []
    for files in jobs:
        for level in args.levels:
            for row in compared(files, level, args, settings):
                rows.append(row)
                print(f"{row['tool']}: {row['problem'] or row['tables']}", file=sys.stderr, flush=True)
    for folder in ("mine", "theirs"):
        remove(args.workdir / folder)
    n_wrong = sum(1 for row in rows if row["problem"] or row["tables"] not in ("-", "equal"))
    title = (
        f"{len(jobs)} inputs, the local engine against {', '.join(args.against)}: {n_wrong} differ or fail"
    )
    report.show(title, rows, COLUMNS, least_width=120)
    report.show_problems(rows)
    if args.results is not None:
        text = report.markdown(title, rows, COLUMNS)
        about = report.surroundings(spark=True)
        print(f"wrote {report.save(args.results, 'equal', about, {'title': title, 'rows': rows}, text).name}")
    sys.exit(n_wrong > 0)


if __name__ == "__main__":
    main()
