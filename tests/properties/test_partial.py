"""Partial copies: excerpts, truncations, expansions; and what must not be joined by way of a part."""

from __future__ import annotations

import functools
import itertools
import random
import time
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
import samestory
from newsroom import Article, Newsroom, first_part, news
from samestory import pipeline
from samestory.kernels.partial import HUBS
from tabled import partition, single, to_table

EVIDENCE = {"word": 12, "char": 60}


@pytest.fixture(autouse=True)
def _reference_remembers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fold", "split", "shingles", "normalised"):
        monkeypatch.setattr(reference, name, functools.cache(getattr(reference, name)))


def settings(**changes: Any) -> samestory.Config:
    """Nothing taken out, so that the articles are compared as they are given."""
    return samestory.Config(**{"boilerplate": False, "threads": 2, **changes})


def run(found: list[Article], **changes: Any) -> samestory.Result:
    return samestory.cluster(to_table(found), settings(**changes))


def together(result: samestory.Result) -> set[frozenset[str]]:
    """The clusters of two or more."""
    return {part for part in partition(result.clusters) if len(part) > 1}


def relation_of(a: str, b: str, config: samestory.Config) -> str:
    """What two texts are to each other, by the definition."""
    unit, size = config.shingle_unit, config.shingle_size
    if reference.normalised(a, unit) == reference.normalised(b, unit):
        return "exact"
    one, other = reference.shingles(a, unit, size), reference.shingles(b, unit, size)
    if reference.jaccard(one, other) >= config.threshold:
        return "near"
    most = max(reference.containment(one, other), reference.containment(other, one))
    if config.partial and most >= config.containment and len(one & other) >= EVIDENCE[unit]:
        return "partial"
    return "linked"


def check(found: list[Article], result: samestory.Result, config: samestory.Config) -> None:
    """Every row of both tables is exact, whatever was found."""
    texts = {row["doc_id"]: row["text"] for row in found}
    unit, size = config.shingle_unit, config.shingle_size
    sets = {name: reference.shingles(text, unit, size) for name, text in texts.items()}
    rows = {row["doc_id"]: row for row in result.clusters.to_pylist()}
    graph = networkx.Graph()
    graph.add_nodes_from(texts)
    listed = set()
    for pair in result.pairs.to_pylist():
        a, b = pair["doc_id_a"], pair["doc_id_b"]
        graph.add_edge(a, b)
        listed.add((a, b))
        assert pair["relation"] == relation_of(texts[a], texts[b], config) != "linked"
        assert pair["shared_shingles"] == len(sets[a] & sets[b])
        assert pair["jaccard"] == single(reference.jaccard(sets[a], sets[b]))
        assert pair["containment_a_in_b"] == single(reference.containment(sets[a], sets[b]))
        assert pair["containment_b_in_a"] == single(reference.containment(sets[b], sets[a]))
        assert pair["cluster_id"] == rows[a]["cluster_id"] == rows[b]["cluster_id"]
    parts = {frozenset(part) for part in networkx.connected_components(graph)}
    assert parts == partition(result.clusters)
    order = {row["doc_id"]: place for place, row in enumerate(found)}
    for part in parts:
        for a, b in itertools.combinations(sorted(part, key=order.__getitem__), 2):
            if len(part) <= 64 and relation_of(texts[a], texts[b], config) != "linked":
                assert (a, b) in listed
        assert {rows[name]["cluster_size"] for name in part} == {len(part)}
    for name, row in rows.items():
        kept = row["representative_id"]
        alone = "unique" if row["cluster_size"] == 1 else "representative"
        assert row["relation"] == (alone if name == kept else relation_of(texts[name], texts[kept], config))
        assert row["n_shingles"] == len(sets[name])
        assert row["jaccard"] == (1.0 if name == kept else single(reference.jaccard(sets[name], sets[kept])))
        share = 1.0 if name == kept else reference.containment(sets[name], sets[kept])
        assert row["containment"] == single(share)


# --- One kind after another ---------------------------------------------------


def middle(text: str, share: float) -> str:
    """Words from the middle of a text."""
    parts = text.split()
    size = round(share * len(parts))
    begin = (len(parts) - size) // 2
    return " ".join(parts[begin : begin + size])


KINDS = {
    "excerpt": lambda room, text: first_part(text, 1 / 3),
    "truncation": lambda room, text: first_part(text, 0.5),
    "middle": lambda room, text: middle(text, 0.4),
    "expansion": lambda room, text: room.expanded(text),
    "follow-up": lambda room, text: f"{room.story(200)}\n\n{first_part(text, 0.6)}",
}


@pytest.mark.parametrize("shingle", ["word:3", "word:5", "char:9"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind(kind: str, shingle: str) -> None:
    room = Newsroom(31)
    found = []
    for i, story in enumerate(room.stories(12, 200)):
        found += [news(f"{i}.story", story, 2 * i), news(f"{i}.copy", KINDS[kind](room, story), 2 * i + 1)]
    config = settings(shingle=shingle)
    result = samestory.cluster(to_table(found), config)
    check(found, result, config)
    assert together(result) == {frozenset((f"{i}.story", f"{i}.copy")) for i in range(12)}
    assert set(result.pairs["relation"].to_pylist()) == {"partial"}
    assert result.stats["counts"]["relations"]["partial"] == 12
    assert not together(run(found, shingle=shingle, partial=False))


def generated(seed: int, n: int) -> list[Article]:
    """Articles of which each kind has a share, most with copies."""
    room = Newsroom(seed)
    found = []
    for i in range(n):
        story = room.story(room.rng.randint(120, 320))
        found.append(news(f"{i}.story", story, 3 * i))
        kinds = room.rng.sample(list(KINDS), room.rng.choice((0, 1, 1, 2)))
        found += [news(f"{i}.{kind}", KINDS[kind](room, story), 3 * i + 1) for kind in kinds]
        if room.rng.random() < 0.3:
            found.append(news(f"{i}.near", room.edited(story), 3 * i + 2))
    room.rng.shuffle(found)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("shingle", ["word:3", "char:9"])
def test_many(shingle: str) -> None:
    found = generated(41, 140)
    assert len(found) > 300
    config = settings(shingle=shingle)
    result = samestory.cluster(to_table(found), config)
    check(found, result, config)
    stories: dict[str, list[str]] = {}
    for row in found:
        stories.setdefault(row["doc_id"].partition(".")[0], []).append(row["doc_id"])
    planted = {frozenset(pair) for part in stories.values() for pair in itertools.combinations(part, 2)}
    joined = {frozenset(pair) for part in together(result) for pair in itertools.combinations(part, 2)}
    assert len(planted & joined) >= 0.97 * len(planted)
    assert len(planted & joined) >= 0.995 * len(joined)


@pytest.mark.parametrize("containment", [0.2, 0.5, 0.8])
def test_the_threshold_of_containment(containment: float) -> None:
    room = Newsroom(32)
    found = []
    for i, share in enumerate(np.linspace(0.05, 0.95, 19)):
        story = room.story(300)
        copy = f"{first_part(story, share)} {room.story(300 - round(300 * share))}"
        found += [news(f"{i}.a", story, i), news(f"{i}.b", copy, 100 + i)]
    config = settings(containment=containment)
    result = samestory.cluster(to_table(found), config)
    check(found, result, config)
    texts = {row["doc_id"]: row["text"] for row in found}
    joined = together(result)
    for i in range(19):
        is_copy = relation_of(texts[f"{i}.a"], texts[f"{i}.b"], config) != "linked"
        assert (frozenset((f"{i}.a", f"{i}.b")) in joined) == is_copy


@pytest.mark.parametrize(("n_words", "joined"), [(13, False), (14, True), (30, True)])
def test_little_text_is_no_evidence(n_words: int, joined: bool) -> None:
    # Fourteen words have twelve runs of three. A sample of so few may be empty: of thirty most are not.
    room = Newsroom(33)
    found = []
    for i in range(30):
        phrase = room.words(n_words)
        found += [
            news(f"{i}.a", " ".join([*phrase, *room.words(5)]), i),
            news(f"{i}.b", " ".join([*room.words(300), *phrase]), 50 + i),
        ]
    result = run(found)
    check(found, result, settings())
    assert len(together(result)) >= (15 if joined else 0)
    assert joined or not together(result)


def test_stock_phrases_join_nothing() -> None:
    room = Newsroom(34)
    phrase = " ".join(room.words(15))
    found = [news(str(i), f"{room.story(23)} {phrase} {room.story(22)}", i) for i in range(80)]
    assert not together(run(found))
    assert not together(samestory.cluster(to_table(found)))


@pytest.mark.parametrize(("n_shared", "joined"), [(13, False), (14, True)])
def test_what_is_shared_must_be_evidence(n_shared: int, joined: bool) -> None:
    # Over a third of either article: only the number of shingles, 11 or 12, decides.
    room = Newsroom(38)
    phrase = " ".join(room.words(n_shared))
    found = [
        news(str(i), f"{' '.join(room.words(9))} {phrase} {' '.join(room.words(9))}", i) for i in range(2)
    ]
    assert bool(together(run(found))) == joined


# --- Articles that hold parts of several --------------------------------------


@pytest.mark.parametrize(
    "sizes",
    [
        (200, 200),
        (300, 150),
        pytest.param(
            (300, 110),
            marks=pytest.mark.xfail(
                strict=True, reason="the page is a near copy of the one, so only the other is seen as a part"
            ),
        ),
    ],
)
def test_a_merged_page_does_not_join_its_two_stories(sizes: tuple[int, int]) -> None:
    room = Newsroom(35)
    found = []
    for i in range(15):
        one, other = (room.story(size) for size in sizes)
        found += [
            news(f"{i}.one", one, i),
            news(f"{i}.other", other, 20 + i),
            news(f"{i}.page", f"{one}\n\n{other}", 40 + i),
        ]
    result = run(found)
    check(found, result, settings())
    for part in together(result):
        assert not {name.partition(".")[2] for name in part} >= {"one", "other"}
        assert len({name.partition(".")[0] for name in part}) == 1
    assert result.stats["counts"]["round_ups"] == 15
    assert result.stats["counts"]["pairs_not_joined_by_round_ups"] >= 15


def test_a_digest_of_ten_stories_joins_none() -> None:
    room = Newsroom(36)
    stories = room.stories(10, 200)
    found = [news(f"story{i}", story, i) for i, story in enumerate(stories)]
    found.append(news("digest", room.digest(stories, 0.4), 20))
    result = run(found)
    assert not together(result)
    assert result.stats["counts"]["round_ups"] == 1
    assert result.stats["counts"]["pairs_not_joined_by_round_ups"] == 10


def digests(room: Newsroom) -> tuple[list[Article], dict[str, Article]]:
    """Ten stories; a digest of them, the same the other way round, and one of five of them."""
    stories = room.stories(10, 200)
    texts = {
        "digest": room.digest(stories, 0.4),
        "again": room.digest(stories[::-1], 0.4),
        "half": room.digest(stories[:5], 0.4),
    }
    found = [news(f"story{i}", story, i) for i, story in enumerate(stories)]
    return found, {name: news(name, text, 20 + i) for i, (name, text) in enumerate(texts.items())}


def test_two_digests_of_the_same_are_copies_of_each_other_alone() -> None:
    found, others = digests(Newsroom(37))
    found += [others["digest"], others["again"]]
    result = run(found)
    check(found, result, settings())
    assert together(result) == {frozenset(("digest", "again"))}


def test_a_digest_of_half_as_many_joins_no_story_either() -> None:
    found, others = digests(Newsroom(37))
    found += [others["digest"], others["half"]]
    assert together(run(found)) <= {frozenset(("digest", "half"))}


def test_a_digest_of_stories_with_copies_joins_none() -> None:
    room = Newsroom(38)
    stories = room.stories(10, 200)
    found = [news("digest", room.digest(stories, 0.5), 99)]
    expected = set()
    for i, story in enumerate(stories):
        names = [f"{i}.{k}" for k in range(3)]
        copies = (story, room.edited(story), first_part(story, 0.7))
        found += [
            news(name, copy, 3 * i + k) for k, (name, copy) in enumerate(zip(names, copies, strict=True))
        ]
        expected.add(frozenset(names))
    result = run(found)
    check(found, result, settings())
    assert together(result) == expected


def test_a_long_article_with_two_excerpts_is_no_round_up() -> None:
    # Two parts of one article that share nothing with each other: they come from one text all the same.
    room = Newsroom(39)
    found = []
    for i in range(10):
        story = room.story(400)
        found += [news(f"{i}.story", story, i), news(f"{i}.half", first_part(story, 0.55), 20 + i)]
        found.append(news(f"{i}.third", first_part(story, 0.3), 40 + i))
    result = run(found)
    check(found, result, settings())
    assert together(result) == {
        frozenset(f"{i}.{kind}" for kind in ("story", "half", "third")) for i in range(10)
    }


# --- What changes nothing -----------------------------------------------------


@pytest.fixture(scope="module")
def corpus() -> list[Article]:
    room = Newsroom(51)
    found = generated(51, 60)
    stories = [row["text"] for row in found if row["doc_id"].endswith(".story")]
    for i in range(12):
        chosen = room.rng.sample(stories, room.rng.randint(2, 8))
        found.append(news(f"digest{i}", room.digest(chosen, room.rng.choice((0.3, 0.6, 1.0))), 500 + i))
    room.rng.shuffle(found)
    return found


def answer(result: samestory.Result) -> tuple[list[Any], dict[Any, Any]]:
    """Both tables, whatever the order of rows."""
    rows = sorted(result.clusters.to_pylist(), key=lambda row: str(row["doc_id"]))
    pairs = {
        frozenset((pair["doc_id_a"], pair["doc_id_b"])): (
            pair["relation"],
            pair["shared_shingles"],
            {pair["doc_id_a"]: pair["containment_a_in_b"], pair["doc_id_b"]: pair["containment_b_in_a"]},
        )
        for pair in result.pairs.to_pylist()
    }
    return rows, pairs


def test_the_corpus_is_worth_it(corpus: list[Article]) -> None:
    counts = run(corpus).stats["counts"]
    assert counts["relations"]["partial"] > 20
    assert counts["relations"]["near"] > 5
    assert counts["round_ups"] > 5


@pytest.mark.parametrize("founder_overlap", [0.0, 0.3])
def test_order_of_rows(corpus: list[Article], founder_overlap: float) -> None:
    answers = [
        answer(run(random.Random(seed).sample(corpus, len(corpus)), founder_overlap=founder_overlap))
        for seed in range(4)
    ]
    assert all(other == answers[0] for other in answers[1:])


def tiny_batches(patch: pytest.MonkeyPatch) -> None:
    for name, value in (("MAX_ROWS", 7), ("TARGET_BYTES", 9000), ("_SMALL_BYTES", 200), ("_SMALL_ROWS", 3)):
        patch.setattr(f"samestory.read.bounded.{name}", value)


def tiny_rounds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("samestory.pipeline.ROUND_BYTES", 3000)


def rounds_from_a_file(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("samestory.textstore.MEMORY_BYTES", 100)
    tiny_batches(patch)
    tiny_rounds(patch)


def written(found: list[Article], folder: Path, **changes: Any) -> tuple[bytes, bytes]:
    run(found, **changes).write(folder)
    return (folder / "clusters.parquet").read_bytes(), (folder / "pairs.parquet").read_bytes()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("change", [None, tiny_batches, tiny_rounds, rounds_from_a_file])
def test_same_bytes(
    corpus: list[Article], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, threads: int
) -> None:
    plain = written(corpus, tmp_path / "plain", threads=1)
    if change is not None:
        change(monkeypatch)
    assert written(corpus, tmp_path / "out", threads=threads) == plain


@given(
    st.integers(0, 10**6),
    st.floats(0.05, 1.0),
    st.floats(0.1, 1.0),
    st.sampled_from(("word:1", "word:3", "char:7")),
    st.sampled_from(("earliest", "longest", "first")),
)
def test_whatever_is_found_is_exact(
    seed: int, containment: float, threshold: float, shingle: str, rule: str
) -> None:
    # Of few words, so that parts of everything are in everything.
    rng = random.Random(seed)
    stock = [[f"w{rng.randrange(40)}" for _ in range(rng.randint(5, 40))] for _ in range(6)]
    found = []
    for i in range(rng.randint(2, 14)):
        parts = [part[: rng.randint(1, len(part))] for part in rng.choices(stock, k=rng.randint(1, 4))]
        found.append(news(str(i), " ".join(word for part in parts for word in part), rng.randint(0, 5)))
    config = settings(
        containment=containment, threshold=threshold, shingle=shingle, representative=rule, threads=1
    )
    check(found, samestory.cluster(to_table(found), config), config)


# --- Size ---------------------------------------------------------------------


def count_proposed(found: list[Article], patch: pytest.MonkeyPatch, **changes: Any) -> tuple[int, int, float]:
    """Pairs looked at, all fingerprints that articles share, and the seconds that the run took."""
    counts = []
    propose = pipeline.propose_pairs

    def counted(postings: Any, *rest: Any) -> Any:
        pairs = propose(postings, *rest)
        counts.append((len(pairs[0]), sum(map(len, postings.partitions))))
        return pairs

    patch.setattr(pipeline, "propose_pairs", counted)
    begin = time.perf_counter()
    run(found, **changes)
    return (*counts[0], time.perf_counter() - begin)


def test_a_paragraph_that_all_share_stays_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Newsroom(61)
    paragraph = room.story(40)
    found = [news(str(i), f"{room.story(60)}\n\n{paragraph}\n\n{room.story(60)}", i) for i in range(5000)]
    n_pairs, _, seconds = count_proposed(found, monkeypatch)
    assert n_pairs < 20 * len(found)
    assert seconds < 20


def test_paragraphs_that_many_share_stay_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    # Any two articles have one of three paragraphs or so in common: some two million pairs.
    rng, room = random.Random(62), Newsroom(62)
    stock = room.stories(16, 30)
    found = [news(str(i), "\n\n".join(rng.sample(stock, 5)), i) for i in range(3000)]
    n_pairs, n_postings, seconds = count_proposed(found, monkeypatch)
    assert n_pairs <= HUBS * n_postings
    assert seconds < 30
