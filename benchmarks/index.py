"""Measure the durable index: filling it, one article at a time, memory and disk; beside it datasketch's.

    python benchmarks/index.py --docs 1000000 --batch 1000 --workdir DIR --out DIR
    python benchmarks/index.py --quick --workdir DIR        some thousand articles, no files: does it work?

An ordinary corpus (corpus.py, kept in the work folder) is ingested in batches by one process, `--runs` times
into a new index; the run of the middle speed counts. Times are those of the calls of `ingest`, each of which
ends with the batch safe on the disk; "last 5 %" are the last batches, with nearly all of the corpus in the
index. Memory is what is resident at the end, and `own`, what no file backs; disk is what the index's files
occupy. Then new processes open the index, and another asks for and adds single articles that follow the
corpus (indexing/fresh.py), a third of them copies of articles in it. The clusters are judged as planted.py
does it, with shingles of the index's size.

datasketch takes the same shingles, permutations and threshold, on `--peer-docs` articles: each is sketched,
asked for and inserted before the next. MinHashLSH keeps its tables in memory, or in a Redis server that is
started for it if there is one (Debian: redis-server) and saves nothing while it is measured. Its candidates
are not verified. samestory is measured on those articles too, as it comes and without partial copies and
furniture, which datasketch does not know.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import report
import samestory
from compare import cached_corpus, text_bytes
from indexing import tables
from indexing.fill import as_told
from indexing.redis_server import RedisFailedError, redis_version, running
from indexing.resources import fsync_times
from storytelling.processes import last_word

HERE = Path(__file__).parent
SIZES = {"docs": 1_000_000, "batch": 1_000, "calls": 1_000, "peer_docs": 20_000}
QUICK = {"docs": 3_000, "batch": 500, "calls": 50, "peer_docs": 1_000}
OPENINGS = 5
COPIES_ONLY = {"partial": False, "boilerplate": False}
LIBRARIES = ("lmdb", "redis", "scipy")


class StepFailedError(Exception):
    """A process that ended with an error; the message is its last word."""


def say(message: str) -> None:
    """Tell how far the measurement is."""
    print(message, file=sys.stderr, flush=True)


def step(*words: Any) -> dict[str, Any]:
    """Run a step as a Python process of its own and return the figures it prints."""
    search = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        env=dict(os.environ, PYTHONPATH=search),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StepFailedError(last_word(done.stderr)[:200] or f"exit code {done.returncode}")
    return json.loads(done.stdout)


@contextmanager
def scratch(workdir: Path) -> Iterator[Path]:
    """Give a new folder in the work folder, which is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="index-", dir=workdir))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def judged(corpus: Path, answer: Path, config: samestory.Config) -> dict[str, Any]:
    """Return recall and precision of clusters."""
    settings = ("--threshold", config.threshold, "--ngram", config.shingle_size)
    return step("-m", "indexing.judge", corpus, answer, *settings)


def filled(args: argparse.Namespace, corpus: Path, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Fill `--runs` indexes one after another, the last of them `folder`/index; return the middle run."""
    runs = []
    answer = folder / "answer.parquet"
    options = [
        "--batch",
        args.batch,
        "--settings",
        json.dumps(settings),
        *(["--check"] if args.check else []),
    ]
    for _ in range(args.runs):
        shutil.rmtree(folder / "index", ignore_errors=True)
        runs.append(step("-m", "indexing.fill", corpus, folder / "index", answer, *options))
        say(f"{runs[-1]['articles']:,} articles: {runs[-1]['docs_per_second']:,.0f} a second")
    runs.sort(key=lambda run: run["docs_per_second"])
    config = samestory.Config(**settings)
    run = runs[len(runs) // 2] | judged(corpus, answer, config)
    run["as_told"] = judged(corpus, as_told(answer), config)
    return run | {"all_docs_per_second": [run["docs_per_second"] for run in runs]}


def opened(index: Path) -> dict[str, Any]:
    """Open an index in new processes and return the medians of the times."""
    found = [step("-m", "indexing.opening", index) for _ in range(OPENINGS)]
    return {name: statistics.median(run[name] for run in found) for name in found[0]}


def measured_index(
    args: argparse.Namespace, name: str, n_docs: int, settings: dict[str, Any], *, note: str
) -> dict[str, Any]:
    """Return all figures of samestory's index of a corpus."""
    corpus = cached_corpus(args.workdir, n_docs, args.seed, "ordinary")
    row: dict[str, Any] = {"tool": name, "note": note}
    with scratch(args.workdir) as folder:
        try:
            row |= filled(args, corpus, settings, folder)
            row["opening"] = opened(folder / "index")
            options = ("--known", n_docs, "--seed", args.seed, "--calls", args.calls)
            singles = step("-m", "indexing.singles", folder / "index", *options)
            row |= {way: singles.pop(way) for way in ("query", "ingest")} | {"after_singles": singles}
        except StepFailedError as error:
            row["problem"] = str(error)
    return row


def measured_peer(args: argparse.Namespace, storage: str) -> dict[str, Any]:
    """Return all figures of datasketch's index, or why there are none."""
    corpus = cached_corpus(args.workdir, args.peer_docs, args.seed, "ordinary")
    config = samestory.Config(**args.settings)
    row: dict[str, Any] = {"tool": f"datasketch, {storage}", "articles": args.peer_docs}
    settings = (
        "--threshold",
        config.threshold,
        "--num-perm",
        config.num_perm,
        "--ngram",
        config.shingle_size,
    )
    script, where = HERE / "peers" / "datasketch_index.py", ("--storage", storage)
    with scratch(args.workdir) as folder:
        answer = folder / "answer.parquet"
        try:
            if storage == "memory":
                row |= step(script, corpus, answer, *where, *settings)
            elif args.redis_server is None:
                return row | {"problem": "not measured: redis-server is not installed"}
            else:
                with running(args.redis_server, folder) as port:
                    row |= step(script, corpus, answer, *where, "--port", port, *settings)
            row |= judged(corpus, answer, config)
        except (StepFailedError, RedisFailedError) as error:
            return row | {"problem": f"not measured: {error}"}
    say(f"{row['tool']}: {row['docs_per_second']:,.0f} articles a second")
    kept = {"memory": "nothing is on the disk", "redis": "disk: a snapshot made afterwards"}[storage]
    row["note"] = f"{row['bands']} bands of {row['rows']} values; not verified; {kept}"
    return row


def measure(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure the index, and the index and its peers on fewer articles."""
    rows = [measured_index(args, "samestory", args.docs, args.settings, note="every pair verified")]
    if args.peers:
        less = args.settings | COPIES_ONLY
        if args.peer_docs != args.docs:
            note = "the same on fewer articles"
            rows.append(measured_index(args, "samestory, fewer", args.peer_docs, args.settings, note=note))
        note = "near copies of the text as it is: what datasketch does"
        rows.append(measured_index(args, "samestory, near only", args.peer_docs, less, note=note))
        rows += [measured_peer(args, storage) for storage in ("memory", "redis")]
    return rows


def surroundings(args: argparse.Namespace) -> dict[str, Any]:
    """Return date, machine and the versions of what took part."""
    about = report.surroundings()
    found = {name: version for name, version in about["versions"].items() if version != "not installed"}
    present = {made.metadata["Name"].lower() for made in metadata.distributions()}
    found |= {name: metadata.version(name) for name in LIBRARIES if name in present}
    found["samestory"] = samestory.__version__
    if args.redis_server is not None:
        found["redis-server"] = redis_version(args.redis_server)
    about["versions"] = found
    return about


def publish(args: argparse.Namespace, rows: list[dict[str, Any]], disk: dict[str, float]) -> None:
    """Print the tables, and write them when asked to."""
    corpus = cached_corpus(args.workdir, args.docs, args.seed, "ordinary")
    made = tables.all_tables(rows)
    for title, shown, columns in made:
        report.show(title, shown, columns, least_width=tables.WIDTH)
    report.show_problems(rows)
    if args.out is None:
        return
    settings = {name: getattr(args, name) for name in (*SIZES, "runs", "seed", "settings")}
    body = {
        "title": tables.SPEED_TITLE,
        "settings": settings,
        "text_bytes": text_bytes(corpus),
        "fsync": disk,
        "rows": rows,
    }
    text = "\n".join(report.markdown(*one) for one in made) + "\n" + tables.notes(rows, disk)
    say(f"wrote {report.save(args.out, f'index-{args.docs}', surroundings(args), body, text).name}")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--docs", type=int, help="articles of the corpus; default 1,000,000")
    made.add_argument("--batch", type=int, help="articles of a batch; default 1,000")
    made.add_argument("--calls", type=int, help="single articles asked for, and added; default 1,000")
    made.add_argument("--peer-docs", type=int, help="articles for the peers; default 20,000")
    made.add_argument("--quick", action="store_true", help="small numbers where none are given")
    made.add_argument("--runs", type=int, default=1, help="times an index is filled")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--settings", type=json.loads, default={}, metavar="JSON", help="of samestory.Config")
    made.add_argument("--check", action="store_true", help="verify the filled index thoroughly")
    made.add_argument("--no-peers", dest="peers", action="store_false", help="samestory alone, --docs only")
    made.add_argument("--redis-server", default=shutil.which("redis-server"), metavar="PROGRAM")
    made.add_argument("--workdir", type=Path, required=True, metavar="DIR", help="corpora and indexes")
    made.add_argument("--out", type=Path, metavar="DIR", help="folder of the dated record; default: none")
    return made


def main() -> None:
    """Run the command line."""
    made = parser()
    args = made.parse_args()
    for name, size in (QUICK if args.quick else SIZES).items():
        if getattr(args, name) is None:
            setattr(args, name, size)
    if min(args.docs, args.batch, args.calls, args.peer_docs, args.runs) < 1:
        made.error("--docs, --batch, --calls, --peer-docs and --runs must be at least 1")
    args.workdir.mkdir(parents=True, exist_ok=True)
    rows = measure(args)
    publish(args, rows, fsync_times(args.workdir))
    if any(row["tool"].startswith("samestory") and row.get("problem") for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
