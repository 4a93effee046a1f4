"""What must change nothing: the order of rows, the size of batches, threads, and rounds of verification."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import samestory
from small_pieces import (
    everything_tiny,
    rounds_from_a_file,
    texts_in_a_file,
    texts_read_again,
    tiny_batches,
    tiny_rounds,
    tiny_tables,
)
from strategies import DAY_ONE, articles
from tabled import article, never_missing, partition, to_table

Articles = list[dict[str, Any]]
COLUMNS = (
    "cluster_id",
    "cluster_size",
    "representative_id",
    "relation",
    "jaccard",
    "containment",
    "n_shingles",
)


def dated(found: Articles) -> Articles:
    return [{**row, "published_at": row["published_at"] or DAY_ONE} for row in found]


@given(articles(min_size=2), st.randoms(use_true_random=False), st.sampled_from(("earliest", "longest")))
def test_order_of_rows(found: Articles, source: random.Random, rule: str) -> None:
    config = never_missing(representative=rule, shingle="word:3")
    found = dated(found)
    shuffled = source.sample(found, len(found))
    one, other = (
        {row["doc_id"]: [row[name] for name in COLUMNS] for row in rows}
        for rows in (
            samestory.cluster(to_table(part), config).clusters.to_pylist() for part in (found, shuffled)
        )
    )
    assert one == other


@given(articles(min_size=2), st.randoms(use_true_random=False))
def test_order_of_undated_rows_changes_no_cluster(found: Articles, source: random.Random) -> None:
    shuffled = source.sample(found, len(found))
    one, other = (
        partition(samestory.cluster(to_table(part), never_missing(shingle="word:3")).clusters)
        for part in (found, shuffled)
    )
    assert one == other


@pytest.fixture(scope="module")
def corpus() -> pa.Table:
    """Some hundred articles: copies, near copies, empties and one story that was sent out 90 times."""
    rng = random.Random(11)
    vocabulary = [f"w{i}" for i in range(900)]
    found: Articles = []
    for i in range(120):
        text = rng.choices(vocabulary, k=rng.randint(1, 120))
        for copy in range(rng.choice((1, 1, 2, 5))):
            edited = list(text)
            for _ in range(rng.randint(0, 3)):
                edited[rng.randrange(len(edited))] = rng.choice(vocabulary)
            found.append(article(f"d{i}.{copy}", " ".join(edited), rng.choice((None, i, 3))))
    wire = rng.choices(vocabulary, k=80)
    for i in range(90):
        edited = list(wire)
        edited[rng.randrange(80)] = "changed" * (i % 3) or edited[0]
        found.append(article(f"wire{i}", " ".join(edited), i % 7))
    found += [article(f"empty{i}", " ") for i in range(3)]
    rng.shuffle(found)
    return to_table(found)


def written(table: pa.Table, folder: Path, **settings: Any) -> tuple[bytes, bytes]:
    samestory.cluster(table, samestory.Config(**settings)).write(folder)
    return (folder / "clusters.parquet").read_bytes(), (folder / "pairs.parquet").read_bytes()


@pytest.fixture(scope="module")
def plain(corpus: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    return written(corpus, tmp_path_factory.mktemp("plain") / "out", threads=1)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(
    "change",
    [
        None,
        tiny_batches,
        texts_in_a_file,
        texts_read_again,
        tiny_rounds,
        rounds_from_a_file,
        tiny_tables,
        everything_tiny,
    ],
)
def test_same_bytes(
    corpus: pa.Table,
    plain: tuple[bytes, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[pytest.MonkeyPatch], None] | None,
    threads: int,
) -> None:
    if change is not None:
        change(monkeypatch)
    assert written(corpus, tmp_path / "out", threads=threads) == plain


def test_the_corpus_is_worth_it(corpus: pa.Table) -> None:
    counts = samestory.cluster(corpus).stats["counts"]
    assert counts["clusters"] > 30
    assert counts["largest_cluster"] == 90
    assert counts["clusters_not_listed_pair_by_pair"] == 1
    assert counts["relations"]["exact"] > 0
    assert counts["relations"]["near"] > 0


def test_batches_are_really_small_when_tests_ask(corpus: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    everything_tiny(monkeypatch)
    seen = []
    samestory.cluster(corpus, observer=lambda stage, done, total: seen.append(stage))
    assert seen.count("read and sketch") > 40


def test_chunks_of_the_input_change_nothing(
    corpus: pa.Table, plain: tuple[bytes, bytes], tmp_path: Path
) -> None:
    chunked = pa.Table.from_batches(corpus.to_batches(max_chunksize=13))
    assert written(chunked, tmp_path / "out", threads=2) == plain


@given(articles(min_size=1))
def test_rows_of_their_own_change_nothing_else(found: Articles) -> None:
    # An article unlike all others must leave the others as they are.
    config = never_missing(shingle="word:3")
    extra = article("\u0000extra", " ".join(f"unheard{i}" for i in range(9)), -1)
    alone = samestory.cluster(to_table(found), config)
    beside = samestory.cluster(to_table([*found, extra]), config)
    assert beside.clusters.slice(0, len(found)).to_pylist() == alone.clusters.to_pylist()
    assert beside.pairs.equals(alone.pairs)
    assert beside.clusters["relation"][-1].as_py() == "unique"
