"""How right samestory is: beside its peers on labelled and generated sets, and against the exact join.

    python benchmarks/quality.py DATA_DIR [--out benchmarks/results] [--only NAME]

Parts, any of which `--only` may name (or part of the name of a set: `--only wiki`, `--only footer`):

- `near`: DATA_DIR/near/*.parquet with labelled pairs or true clusters (judging/labelled.py)
- `story`: DATA_DIR/story/*.parquet, what shared text says of one event (judging/stories.py)
- `generated`: planted excerpts, footers, misreadings and so on (judging/generate.py); needs no data
- `exact`: every file of articles against the exact all-pairs join (judging/exact_part.py), a table of its own

samestory runs through its command line (`--samestory` gives other words than `python -m samestory`);
the parts `story` and `exact` also import it, so the same one should be on the path. The peers run in
the interpreter `--peer-python` (default: this one), each as a process that sweeps all its settings;
with `--workdir` their answers are kept and used again as long as nothing they depend on changes.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import report
from judging import exact_part, table
from judging.generated import RECIPES, generated_task
from judging.labelled import near_tasks
from judging.runner import Samestory
from judging.stories import story_files, story_rows
from judging.sweeps import NAMES, Sweeps
from judging.tally import Tally, together
from judging.tasks import Row, task_rows

HERE = Path(__file__).parent
TITLE = "samestory and its peers at their best settings"


def say(message: str) -> None:
    """Tell how far the measurement is."""
    print(message, file=sys.stderr, flush=True)


def wanted(only: list[str], part: str, name: str = "") -> bool:
    """Return whether `--only` lets a part, or a set of it, take part."""
    return not only or any(word == part or (name and word in name) for word in only)


def near_rows(args: argparse.Namespace, samestory: Samestory, sweeps: Sweeps, tally: Tally) -> Iterator[Row]:
    """Yield the rows of labelled copies."""
    for task in near_tasks(args.data):
        if wanted(args.only, "near", task.name):
            say(f"{task.name} ...")
            yield from task_rows(task, samestory, sweeps, tally)


def generated_rows(
    args: argparse.Namespace, samestory: Samestory, sweeps: Sweeps, tally: Tally
) -> Iterator[Row]:
    """Yield the rows of generated sets."""
    for recipe in RECIPES:
        if wanted(args.only, "generated", recipe.name):
            say(f"{recipe.name} ...")
            yield from task_rows(generated_task(recipe, sweeps.folder), samestory, sweeps, tally)


def all_story_rows(args: argparse.Namespace, samestory: Samestory) -> Iterator[Row]:
    """Yield the rows of sets with true stories."""
    for file in story_files(args.data):
        if wanted(args.only, "story", file.stem):
            say(f"{file.stem} ...")
            yield from story_rows(file, samestory)


def mean_rows(tallies: dict[str, Tally]) -> Iterator[Row]:
    """Yield the rows of one setting for all sets: of each part, and of the parts together."""
    several = {name: tally for name, tally in tallies.items() if tally.n_sets > 1}
    for name, tally in several.items():
        yield tally.row(name)
    if len(several) > 1:
        yield together(several).row(" and ".join(several))


def measure(args: argparse.Namespace, samestory: Samestory, sweeps: Sweeps) -> dict[str, Any]:
    """Run all parts that are wanted; return their rows and times."""
    tallies = {"near": Tally(), "generated": Tally()}
    parts: dict[str, Iterator[Row]] = {
        "near": near_rows(args, samestory, sweeps, tallies["near"]),
        "story": all_story_rows(args, samestory),
        "generated": generated_rows(args, samestory, sweeps, tallies["generated"]),
        "exact": exact_part.exact_rows(args.data, args.threshold, samestory)
        if wanted(args.only, "exact")
        else iter(()),
    }
    rows: dict[str, list[Row]] = {}
    seconds: dict[str, float] = {}
    for name, part in parts.items():
        started = time.perf_counter()
        rows[name] = list(part)
        if rows[name]:
            seconds[name] = round(time.perf_counter() - started, 1)
    exact_rows = rows.pop("exact")
    return {
        "rows": [*(row for part in rows.values() for row in part), *mean_rows(tallies)],
        "exact_join": exact_rows,
        "seconds": seconds,
        "sweep_seconds": {name: round(value, 1) for name, value in sweeps.seconds.items()},
        "problems": sweeps.problems,
    }


def publish(args: argparse.Namespace, samestory: Samestory, sweeps: Sweeps, body: dict[str, Any]) -> None:
    """Print the tables, and write them where that is asked for."""
    exact_title = f"samestory against the exact join, Jaccard >= {args.threshold}"
    tables = [(TITLE, body["rows"], table.COLUMNS), (exact_title, body["exact_join"], exact_part.COLUMNS)]
    tables = [made for made in tables if made[1]]
    for made in tables:
        report.show(*made, least_width=table.WIDTH)
    say(f"seconds: {body['seconds']}; of the peers: {body['sweep_seconds']}")
    if args.out is None:
        return
    about = report.surroundings()
    about["versions"] |= {**sweeps.versions, "samestory": samestory.version}
    text = "\n".join(report.markdown(*made) for made in tables) + f"\n{table.NOTES}"
    settings = {"only": args.only, "threshold": args.threshold, "peers": list(sweeps.names)}
    path = report.save(args.out, "quality", about, {"title": TITLE, "settings": settings, **body}, text)
    say(f"wrote {path.name}")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("data", type=Path, metavar="DATA_DIR")
    made.add_argument("--out", type=Path, default=HERE / "results", help="folder of the dated record")
    made.add_argument("--no-out", dest="out", action="store_const", const=None, help="write no record")
    made.add_argument("--only", action="append", default=[], metavar="NAME", help="a part or a set")
    made.add_argument("--samestory", default=f"{shlex.quote(sys.executable)} -m samestory", metavar="WORDS")
    made.add_argument("--peer-python", default=sys.executable, metavar="PROGRAM")
    made.add_argument("--peers", default=",".join(NAMES), help="some of %(default)s, or none")
    made.add_argument("--workdir", type=Path, help="where the peers' answers are kept (default: nowhere)")
    made.add_argument("--threshold", type=float, default=0.7, help="of the exact join")
    return made


def main() -> None:
    """Run the command line."""
    made = parser()
    args = made.parse_args()
    peers = tuple(name for name in NAMES if name in args.peers.split(","))
    if not peers and args.peers != "none":
        made.error(f"--peers must be none or some of {', '.join(NAMES)}, not {args.peers}")
    samestory = Samestory(tuple(shlex.split(args.samestory)))
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.workdir or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        sweeps = Sweeps(args.peer_python, folder, peers)
        publish(args, samestory, sweeps, measure(args, samestory, sweeps))


if __name__ == "__main__":
    main()
