"""Articles in batches against an index: what it says of them is what one run over all of them says."""

from __future__ import annotations

import random
from typing import Any

import hypothesis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from index_tools import (
    COMPARED,
    RULES,
    SHINGLES,
    Article,
    Writer,
    differences,
    new_index,
    settings,
    split,
    told_by_index,
    told_by_run,
)

import samestory
from newsroom import Newsroom, news
from strategies import articles
from tabled import article, to_table, words

FEWER = hypothesis.settings(max_examples=max(1, hypothesis.settings().max_examples // 4))
NOTHING_OUT = {"boilerplate": False, "threads": 2}


@FEWER
@given(st.randoms(use_true_random=False))
def test_each_batch_is_told_what_a_run_says_then(rng: random.Random) -> None:
    found = Writer(rng).batch(rng.randint(1, 24))
    rng.shuffle(found)
    seen: list[Article] = []
    with new_index(settings(rng)) as index:
        for batch in split(rng, found):
            told = index.ingest(to_table(batch))
            seen += batch
            rows = {row["doc_id"]: row for row in told.select(["doc_id", *COMPARED]).to_pylist()}
            expected = told_by_run(seen, index.config)
            assert rows == {
                row["doc_id"]: {**expected[row["doc_id"]], "doc_id": row["doc_id"]} for row in batch
            }
        assert told_by_index(index) == expected
        assert index.verify() == []


@FEWER
@given(st.randoms(use_true_random=False), st.sampled_from(("earliest", "longest")))
def test_any_order_of_dated_articles(rng: random.Random, rule: str) -> None:
    found = Writer(rng, dated=True).batch(rng.randint(2, 40))
    with new_index(settings(rng, representative=rule)) as index:
        for batch in split(rng, rng.sample(found, len(found))):
            index.ingest(to_table(batch))
        assert not differences(index, found)


@FEWER
@given(articles(min_size=1), st.randoms(use_true_random=False))
def test_wild_texts(found: list[Article], rng: random.Random) -> None:
    with new_index(settings(rng, containment=0.3)) as index:
        for batch in split(rng, found):
            index.ingest(to_table(batch))
        assert not differences(index, found)


@FEWER
@given(st.randoms(use_true_random=False))
def test_when_fingerprints_become_a_sample(rng: random.Random) -> None:
    found = Writer(rng).batch(rng.randint(40, 90))
    rng.shuffle(found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("samestory.fingerprints.SMALL_CORPUS", rng.randint(10, 60))
        with new_index(settings(rng)) as index:
            for batch in split(rng, found):
                index.ingest(to_table(batch))
            assert not differences(index, found)
            assert index.verify() == []


# --- One kind after another ---------------------------------------------------


def chain() -> list[Article]:
    """Each a partial copy of the next; the first and the last have nothing in common."""
    long = words("c", range(700))
    return [article(f"c{k}", " ".join(long[15 * k : 15 * k + 40]), k) for k in range(40)]


def crowd() -> list[Article]:
    """Far more variants of one text than are compared all with all, some so short that they are partial."""
    rng = random.Random(5)
    found = []
    for k in range(150):
        own = words("w", range(60))
        for _ in range(rng.randint(1, 9)):
            own[rng.randrange(60)] = f"v{rng.randrange(500)}"
        found.append(article(f"v{k}", " ".join(own[: rng.choice((60, 60, 40, 25))]), k % 7))
    return found


def phrase() -> list[Article]:
    """Many more articles with one phrase than are paired all with all; to some it is most of the text."""
    shared = words("p", range(30))
    sizes = [2, 9, 25, 60, 200]
    return [article(f"p{k}", " ".join(words(f"s{k}x", range(sizes[k % 5])) + shared), k) for k in range(70)]


def digests() -> list[Article]:
    """Stories, their copies, digests of them and digests of digests."""
    room = Newsroom(4)
    stories = room.stories(16, 90)
    found = [news(f"s{k}", story, k) for k, story in enumerate(stories)]
    found += [news(f"e{k}", room.edited(story), 20 + k) for k, story in enumerate(stories[:8])]
    for k in range(24):
        chosen = room.rng.sample(stories, room.rng.randint(2, 9))
        stories.append(room.digest(chosen, room.rng.choice((0.4, 0.7, 1.0))))
        found.append(news(f"d{k}", stories[-1], 40 + k))
    return found


KINDS = {kind.__name__: kind for kind in (chain, crowd, phrase, digests)}


@pytest.mark.parametrize("shingle", ["word:3", "char:9"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind(kind: str, shingle: str) -> None:
    found = KINDS[kind]()
    for seed, size in ((1, 1), (2, 29)):
        order = random.Random(seed).sample(found, len(found))
        order = order[:40] if size == 1 else order
        with new_index(samestory.Config(shingle=shingle, **NOTHING_OUT)) as index:
            for begin in range(0, len(order), size):
                index.ingest(to_table(order[begin : begin + size]))
            assert not differences(index, order)
            assert index.verify(deep=True) == []


@pytest.mark.parametrize("seed", [261, 288])
def test_what_later_batches_change_among_earlier_ones(seed: int) -> None:
    # Found by trying: pairs that a phrase pairs no more when many have it, a round-up that undoes another.
    rng = random.Random(seed)
    found = Writer(rng).batch(rng.randint(1, 120))
    rng.shuffle(found)
    with new_index(settings(rng)) as index:
        for batch in split(rng, found):
            index.ingest(to_table(batch))
        assert not differences(index, found)


@pytest.mark.parametrize("rule", RULES)
def test_an_export_is_the_run(rule: str) -> None:
    found = Writer(random.Random(8)).batch(120)
    config = samestory.Config(representative=rule, **NOTHING_OUT)
    expected = samestory.cluster(to_table(found), config)
    with new_index(config) as index:
        for batch in split(random.Random(9), found):
            index.ingest(to_table(batch))
        result = index.export()
    assert result.clusters.to_pylist() == expected.clusters.to_pylist()
    assert result.pairs.to_pylist() == expected.pairs.to_pylist()


# --- Size ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def large() -> tuple[pa.Table, pa.Table]:
    """Many articles, and the clusters of a run over them."""
    from corpus import batches

    table = pa.concat_tables([part for part, _ in batches(24_000, 3, "ordinary")])
    clusters = samestory.cluster(table, samestory.Config(**NOTHING_OUT)).clusters
    return table, clusters.select(["doc_id", *COMPARED]).sort_by("doc_id")


@pytest.mark.slow
@pytest.mark.parametrize("n_batches", [1, 7, 100])
def test_many_articles(large: tuple[pa.Table, pa.Table], n_batches: int) -> None:
    table, expected = large
    order = np.random.default_rng(n_batches).permutation(len(table))
    with new_index(samestory.Config(**NOTHING_OUT)) as index:
        for part in np.array_split(order, n_batches):
            index.ingest(table.take(pa.array(part)))
        told = as_table(told_by_index(index)).cast(expected.schema)
        assert told.equals(expected)
        assert index.verify() == []


def as_table(told: dict[str, dict[str, Any]]) -> pa.Table:
    rows = [{"doc_id": doc_id, **row} for doc_id, row in sorted(told.items())]
    return pa.Table.from_pylist(rows)


def test_the_corpora_are_worth_it() -> None:
    relations: set[str] = set()
    for shingle in sorted(set(SHINGLES)):
        for seed in range(3):
            found = Writer(random.Random(seed)).batch(150)
            rows = told_by_run(found, samestory.Config(shingle=shingle, **NOTHING_OUT))
            relations |= {row["relation"] for row in rows.values()}
    assert relations == {"unique", "representative", "exact", "near", "partial", "linked"}
    stats = samestory.cluster(to_table(digests()), samestory.Config(**NOTHING_OUT)).stats
    assert stats["counts"]["round_ups"] > 5
