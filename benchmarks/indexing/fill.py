"""Fill an index with a corpus in one process, batch by batch, and print what it took as JSON.

    python -m indexing.fill CORPUS.parquet INDEX_DIR ANSWER.parquet --batch 1000 --settings '{}'

Only the calls of `ingest` are timed, not the reading of the corpus. Before that an index of some hundred
articles is filled and thrown away, so that no time goes into compiling. ANSWER gets the clusters that the
index has at the end, and ANSWER.told.parquet those that `ingest` told when each article came.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import samestory
from indexing.resources import disk_bytes, memory, per_article, rates, times

WARM_UP_ROWS, WARM_UP_BATCHES = 200, 3
LOOKS = 20
TOLD = ("doc_id", "cluster_id")


def as_told(answer: Path) -> Path:
    """Return where the clusters are as they were told: FILE.told.parquet."""
    return answer.with_suffix(".told.parquet")


def tables(path: Path, rows: int) -> Iterator[pa.Table]:
    """Yield the articles of a corpus in batches of `rows`."""
    # With pre_buffer PyArrow would keep all of the file that it has read.
    for batch in pq.ParquetFile(path, pre_buffer=False).iter_batches(rows):
        yield pa.Table.from_batches([batch])


def warm_up(path: Path, beside: Path, config: samestory.Config) -> None:
    """Fill an index with the first articles of a corpus and throw it away."""
    with (
        tempfile.TemporaryDirectory(dir=beside) as folder,
        samestory.Index.open(folder, config, create=True) as index,
    ):
        for _, table in zip(range(WARM_UP_BATCHES), tables(path, WARM_UP_ROWS), strict=False):
            index.query(table)
            index.ingest(table)


def fill(index: samestory.Index, folder: Path, path: Path, batch: int, told: Path) -> dict[str, Any]:
    """Ingest a corpus; write what was told of the articles, and return times, memory and disk."""
    n_batches = -(-pq.ParquetFile(path).metadata.num_rows // batch)
    looks = {round(n_batches * look / LOOKS) for look in range(1, LOOKS + 1)}
    sizes: list[int] = []
    seconds: list[float] = []
    growth: list[dict[str, Any]] = []
    before, cpu = memory(), 0.0
    with pa.OSFile(str(told), "wb") as sink, pa.ipc.new_stream(sink, _told_schema()) as writer:
        for number, table in enumerate(tables(path, batch), 1):
            begin, began_at = time.process_time(), time.perf_counter()
            answer = index.ingest(table)
            seconds.append(time.perf_counter() - began_at)
            cpu += time.process_time() - begin
            sizes.append(len(table))
            writer.write_table(answer.select(TOLD))
            if number in looks:
                growth.append(_look(folder, sizes, seconds, growth))
    after, n = memory(), sum(sizes)
    return {
        "articles": n,
        "batch": batch,
        "seconds": round(sum(seconds), 3),
        "cpu_seconds": round(cpu, 3),
        **rates(sizes, seconds),
        **times(seconds),
        "disk_bytes": disk_bytes(folder),
        "disk_bytes_per_article": per_article(disk_bytes(folder), n),
        "resident_bytes": after["resident"],
        "anonymous_bytes": after["anonymous"],
        "own_bytes_per_article": per_article(after["anonymous"] - before["anonymous"], n),
        "growth": growth,
    }


def _look(
    folder: Path, sizes: list[int], seconds: list[float], before: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return how large the index is, and how fast the batches since the last look were."""
    first = before[-1]["batches"] if before else 0
    return {
        "batches": len(sizes),
        "articles": sum(sizes),
        "docs_per_second": round(sum(sizes[first:]) / sum(seconds[first:]), 1),
        "p50_ms": times(seconds[first:])["p50_ms"],
        "max_ms": times(seconds[first:])["max_ms"],
        "disk_bytes": disk_bytes(folder),
        "resident_bytes": memory()["resident"],
        "anonymous_bytes": memory()["anonymous"],
    }


def _told_schema() -> pa.Schema:
    return pa.schema([samestory.schema.ASSIGNED.field(name) for name in TOLD])


def write_answers(index: samestory.Index, told: Path, answer: Path) -> dict[str, Any]:
    """Write the clusters as the index has them now, and as articles were told them when they came.

    What was told is followed to the id that the cluster has now. It is another cluster where an article has
    left its cluster since (a round-up or furniture found later can part what was joined); return how many.
    """
    with pa.OSFile(str(told)) as source:
        rows = pa.ipc.open_stream(source).read_all()
    doc_id = rows["doc_id"].combine_chunks()
    begin = time.perf_counter()
    # The id of any article leads to its cluster, because clusters go by the ids of articles.
    now = pa.array([index.resolve(name) for name in doc_id.to_pylist()], pa.string())
    seconds = time.perf_counter() - begin
    then = now.take(pc.index_in(rows["cluster_id"].combine_chunks(), doc_id))
    pq.write_table(rows.set_column(1, "cluster_id", then), as_told(answer))
    pq.write_table(rows.set_column(1, "cluster_id", now), answer)
    told.unlink()
    return {
        "resolve_us": round(1e6 * seconds / max(1, len(now)), 1),
        "moved_since_told": pc.sum(pc.not_equal(then, now)).as_py(),
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path, help="a folder that is missing or empty")
    parser.add_argument("answer", type=Path)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--settings", type=json.loads, default={}, help="of samestory.Config, as JSON")
    parser.add_argument("--check", action="store_true", help="also find all clusters anew and compare")
    args = parser.parse_args()
    config = samestory.Config(**args.settings)
    warm_up(args.corpus, args.folder.parent, config)
    told = args.answer.with_suffix(".told")
    with samestory.Index.open(args.folder, config, create=True) as index:
        found = fill(index, args.folder, args.corpus, args.batch, told)
        found |= write_answers(index, told, args.answer)
        found["info"] = {name: value for name, value in index.info().items() if name != "folder"}
        if args.check:
            found["wrong"] = index.verify(deep=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
