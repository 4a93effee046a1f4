"""Metadata of articles, in memory and in a file: the same to whoever reads them."""

from __future__ import annotations

import gc
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import samestory
from newsroom import Newsroom, first_part, news
from samestory import metadata as module
from samestory.identity import founding_ranks, founding_times, times_of
from samestory.metadata import Metadata
from samestory.schema import ARTICLE, METADATA_COLUMNS
from small_pieces import tiny_tables
from tabled import Article, to_table

NAMES = ["doc_id", *METADATA_COLUMNS]
FIELDS = pa.schema([ARTICLE.field(name) for name in NAMES])
NOON = datetime(2025, 3, 9, 12, tzinfo=timezone.utc)
words = st.one_of(
    st.none(), st.text(max_size=6), st.sampled_from(["", "Ærø", "新闻", "👩‍👩‍👧", "\x00", "a" * 300])
)
times = st.one_of(st.none(), st.integers(-(10**6), 10**6).map(lambda n: NOON + timedelta(minutes=n)))
rows = st.tuples(st.text(max_size=5), words, words, words, times)


def table_of(told: list[tuple[object, ...]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(NAMES, row, strict=True)) for row in told], FIELDS)


def appended(table: pa.Table, cuts: list[int], most: int | None) -> Metadata:
    """The rows of a table, appended in parts that begin at some places."""
    found = Metadata(None, most)
    ends = sorted({0, *(cut for cut in cuts if cut <= len(table)), len(table)})
    for begin, end in itertools.pairwise(ends):
        for batch in table.slice(begin, end - begin).combine_chunks().to_batches():
            found.append(batch)
    return found


@pytest.mark.parametrize("block_bytes", [module.BLOCK_BYTES, 40])
@given(
    st.lists(rows, max_size=40),
    st.lists(st.integers(0, 40), max_size=6),
    st.sampled_from([None, 0, 150]),
    st.integers(1, 50),
    st.integers(1, 50),
    st.data(),
)
def test_the_same_in_memory_and_in_a_file(
    block_bytes: int,
    told: list[tuple[object, ...]],
    cuts: list[int],
    most: int | None,
    block_rows: int,
    n_rows: int,
    data: st.DataObject,
) -> None:
    table = table_of(told)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_BYTES", block_bytes)
        patch.setattr(module, "BLOCK_ROWS", block_rows)
        found = appended(table, cuts, most)
    assert len(found) == len(table)
    columns = data.draw(st.permutations(METADATA_COLUMNS))[: data.draw(st.integers(1, 4))]
    pieces = list(found.walk(columns, n_rows))
    assert [len(piece) for piece in pieces[:-1]] == [n_rows] * (len(pieces) - 1)
    for piece in pieces:
        piece.validate(full=True)
    whole = pa.concat_tables([table.select(columns).slice(0, 0), *pieces])
    assert whole.equals(table.select(columns))
    if len(table):
        picked = np.array(data.draw(st.lists(st.integers(0, len(table) - 1), max_size=60)), dtype=np.int64)
        assert found.take(picked, columns).equals(table.select(columns).take(pa.array(picked)))
        assert found.ids.take(picked).equals(table["doc_id"].take(pa.array(picked)))
        begin = data.draw(st.integers(0, len(table)))
        assert found.ids.slice(begin, len(table)).equals(table["doc_id"].slice(begin))
    assert found.ids.strings.cast(pa.string()).equals(table["doc_id"].combine_chunks())
    assert times_of(found).tolist() == founding_times(table["published_at"]).tolist()


def test_what_is_over_the_bound_is_filed_and_the_file_goes_with_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK_ROWS", 100)
    table = table_of([(str(k), f"title {k}", None, "", NOON) for k in range(1000)])
    kept = appended(table, [500], 10**6)
    assert kept.file_bytes == 0
    filed = Metadata(tmp_path, 10**3)
    for batch in table.to_batches(max_chunksize=300):
        filed.append(batch)
    assert filed.file_bytes > 1000
    assert not any(tmp_path.iterdir())  # it has no name
    before = open_files()
    del filed
    gc.collect()
    assert open_files() == before - 1


def open_files() -> int:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("this system does not tell of open files")
    return len(os.listdir(folder))


def test_ids_appended_after_ids_were_asked_for() -> None:
    first, second = (table_of([(name, None, None, None, None)]) for name in ("a", "ß"))
    found = Metadata.of(first)
    assert found.ids[0] == "a"
    found.append(second.to_batches()[0])
    assert [found.ids[k] for k in range(2)] == ["a", "ß"]
    assert (found.ids.find("ß"), found.ids.find("z")) == (1, -1)


def test_nothing() -> None:
    found = Metadata()
    assert len(found) == len(found.ids) == 0
    assert list(found.walk(METADATA_COLUMNS)) == []
    assert found.slice(0, 0, ["title"]).schema.names == ["title"]
    assert len(found.take(np.zeros(0, dtype=np.int64), ["url"])) == 0
    assert len(times_of(found)) == 0


def test_ids_too_long_for_one_array_come_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    names = ["x" * 9, "", "y" * 30, "z", "abcdefgh"]
    found = Metadata.of(table_of([(name, None, None, None, None) for name in names]))
    for strings in (found.ids.slice(0, 5), found.ids.take(np.arange(5))):
        assert strings.to_pylist() == names
        assert all(len(chunk) == 1 or sum(map(len, chunk.to_pylist())) <= 10 for chunk in strings.chunks)
        assert strings.num_chunks > 1


@given(st.lists(st.text(max_size=4), unique=True))
def test_ranks_are_in_the_order_of_bytes(names: list[str]) -> None:
    found = Metadata.of(table_of([(name, None, None, None, None) for name in names]))
    ranks = founding_ranks(found.ids.strings)
    expected = sorted(names, key=str.encode)
    assert [expected[rank] for rank in ranks.tolist()] == names


# --- In a run -------------------------------------------------------------------


def articles_of_a_day() -> list[Article]:
    room = Newsroom(91)
    stories = room.stories(6, 200)
    footer = room.story(60)
    found = [
        news(f"c{k}.{i}", room.edited(text) if i else text, k + i)
        for k, text in enumerate(stories)
        for i in range(3)
    ]
    found += [news(f"half{k}", first_part(text, 0.5), 30 + k) for k, text in enumerate(stories)]
    found += [news(f"page{i}", f"{room.story(200)}\n\n{footer}", 70 + i, "Harbour Post") for i in range(6)]
    found += [
        {**row, "doc_id": f"Ünit-{row['doc_id']}", "published_at": None, "title": None} for row in found[:5]
    ]
    return found


@pytest.mark.parametrize("level", ["duplicate", "story"])
def test_a_run_writes_the_same_bytes_however_its_metadata_are_kept(
    level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filed: list[Metadata]
) -> None:
    table = to_table(articles_of_a_day())
    config = samestory.Config(threads=1, level=level)
    monkeypatch.setattr("samestory.write.GROUP_ROWS", 13)
    kept = samestory.cluster(table, config)
    kept.write(tmp_path / "kept")
    assert filed.pop().file_bytes == 0
    tiny_tables(monkeypatch)
    found = samestory.cluster(table, config)
    found.write(tmp_path / "filed")
    assert filed.pop().file_bytes > 0
    found.clusters  # noqa: B018  made to a table
    found.write(tmp_path / "table")
    for name in kept.files[:-1]:
        assert (tmp_path / "filed" / name).read_bytes() == (tmp_path / "kept" / name).read_bytes()
        assert (tmp_path / "table" / name).read_bytes() == (tmp_path / "kept" / name).read_bytes()
    for name in ("clusters", "pairs", "stories"):
        assert getattr(found, name) == getattr(kept, name)
    assert found.kept.tolist() == kept.kept.tolist()
    assert {**found.stats, **CHANGING} == {**kept.stats, **CHANGING}
    told = pq.read_table(tmp_path / "filed/clusters.parquet")
    assert told["title"].to_pylist() == table["title"].to_pylist()


CHANGING = dict.fromkeys(["finished_at", "seconds", "peak_memory_bytes"])


@pytest.fixture
def filed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Metadata]]:
    """All metadata that runs read."""
    made: list[Metadata] = []

    class Watched(Metadata):
        def __init__(self, *arguments: object, **settings: object) -> None:
            super().__init__(*arguments, **settings)  # type: ignore[arg-type]
            made.append(self)

    monkeypatch.setattr("samestory.corpus.Metadata", Watched)
    return made


# --- Memory -----------------------------------------------------------------------

WRITES = """
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

import samestory.write
from samestory.metadata import Metadata
from samestory.result import Result
from samestory.tabulate import clusters_table, gather_clusters, gather_pairs, pairs_table


def peak():
    told = Path("/proc/self/status").read_text()
    return int(next(line for line in told.splitlines() if line.startswith("VmHWM")).split()[1]) << 10


n, title = 400_000, "t" * 700
articles = Metadata(None, 10**6)
for begin in range(0, n, 4000):
    nothing = pa.nulls(4000, pa.string())
    articles.append(
        pa.record_batch(
            [
                pa.array([f"d{k}" for k in range(begin, begin + 4000)]),
                pa.array([f"{k} {title}" for k in range(begin, begin + 4000)]),
                nothing,
                nothing,
                pa.nulls(4000, pa.timestamp("us", "UTC")),
            ],
            names=["doc_id", "title", "source", "url", "published_at"],
        )
    )
assert articles.file_bytes > 700 * n * 0.9
n_shingles = np.full(n, 9, dtype=np.int32)
clusters = gather_clusters([], n_shingles)
facts = {"version": "0", "fingerprint": "0", "config": {"on_error": "fail"}}
told = clusters_table(articles, clusters, np.zeros(n, dtype=np.int32), n_shingles)
result = Result(told, pairs_table(articles.ids, clusters, gather_pairs([])), facts)
samestory.write.GROUP_ROWS = 1 << 14
before = peak()
result.write(sys.argv[1])
between = peak()
assert len(result.clusters) == n
print(between - before, peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell of memory")
def test_writing_takes_no_memory_for_whole_tables(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WRITES, str(tmp_path / "out")], capture_output=True, text=True, check=True
    )
    written, made = map(int, ran.stdout.split())
    assert written < 120e6
    assert made > 250e6  # the whole table is 280 MB
    assert pq.read_metadata(tmp_path / "out/clusters.parquet").num_rows == 400_000
