"""datasketch as an index: article by article sketched, asked for and inserted; candidates are not verified.

    python peers/datasketch_index.py CORPUS.parquet ANSWER.parquet --storage memory
    python peers/datasketch_index.py CORPUS.parquet ANSWER.parquet --storage redis --port 6379

prints times, memory and (Redis) the size of what the server keeps as JSON. Bands and rows are those that
MinHashLSH chooses for the threshold. The sketch is a copy of an empty one, hashed by xxhash, and no key is
looked up before it is inserted: the fastest ways that are documented.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from protocol import components, linked_pairs, read_batches, require, word_shingles

from indexing.resources import memory, per_article, rates, times


class Redis:
    """The server behind a MinHashLSH, and what it holds."""

    def __init__(self, port: int) -> None:
        require("redis")
        import redis

        self._client = redis.Redis(host="127.0.0.1", port=port)
        self._client.flushall()
        self.storage = {
            "type": "redis",
            "basename": b"benchmark",
            "redis": {"host": "127.0.0.1", "port": port},
        }
        self._before = self._used()

    def _used(self) -> int:
        return int(self._client.info("memory")["used_memory"])

    def taken(self, n_articles: int) -> dict[str, Any]:
        """Return what the server holds for some articles: in its memory, and in a snapshot on the disk."""
        used = self._used()
        self._client.save()
        snapshot = Path(self._client.config_get("dir")["dir"], "dump.rdb").stat().st_size
        return {
            "server_bytes": int(self._client.info("memory")["used_memory_rss"]),
            "server_bytes_per_article": per_article(used - self._before, n_articles),
            "disk_bytes": snapshot,
            "disk_bytes_per_article": per_article(snapshot, n_articles),
        }


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Index a corpus, write the answer, and return the figures."""
    datasketch = require("datasketch", "xxhash", "scipy")
    import xxhash

    server = Redis(args.port) if args.storage == "redis" else None
    storage = server.storage if server else None
    index = datasketch.MinHashLSH(threshold=args.threshold, num_perm=args.num_perm, storage_config=storage)
    empty = datasketch.MinHash(num_perm=args.num_perm, hashfunc=xxhash.xxh32_intdigest)
    found: list[list[int]] = []
    asked: list[float] = []
    added: list[float] = []
    before = memory()["anonymous"]
    for text in (text for batch in read_batches(args.corpus) for text in batch):
        begin = time.perf_counter()
        sketch = empty.copy()
        sketch.update_batch([shingle.encode() for shingle in word_shingles(text, args.ngram)])
        candidates = index.query(sketch)
        known = time.perf_counter()
        index.insert(len(found), sketch, check_duplication=False)
        added.append(time.perf_counter() - begin)
        asked.append(known - begin)
        found.append(candidates)
    after, n = memory(), len(found)
    doc_id = pq.read_table(args.corpus, columns=["doc_id"])["doc_id"]
    labels = pa.array(components(n, linked_pairs(found)))
    pq.write_table(pa.table({"doc_id": doc_id, "cluster_id": labels}), args.answer)
    return {
        "articles": n,
        "bands": index.b,
        "rows": index.r,
        "seconds": round(sum(added), 3),
        **rates([1] * n, added),
        "query": times(asked),
        "ingest": times(added),
        "resident_bytes": after["resident"],
        "anonymous_bytes": after["anonymous"],
        "own_bytes_per_article": per_article(after["anonymous"] - before, n),
        **(server.taken(n) if server else {}),
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("answer", type=Path)
    parser.add_argument("--storage", choices=("memory", "redis"), default="memory")
    parser.add_argument("--port", type=int, default=6379)
    parser.add_argument("--threshold", type=float, default=0.7)
    parser.add_argument("--num-perm", type=int, default=128)
    parser.add_argument("--ngram", type=int, default=3)
    print(json.dumps(run(parser.parse_args())))


if __name__ == "__main__":
    main()
