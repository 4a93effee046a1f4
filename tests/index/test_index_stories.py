"""Stories and page furniture of an index: told with each batch, and the same as those of one run."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import samestory
from newsroom import Newsroom, first_part, news, typeset
from storyteller import Storyteller, event_of
from tabled import Article, to_table

N_PAGES = 12


def batches(found: list[Article], n: int, seed: int) -> list[list[Article]]:
    rng = random.Random(seed)
    mixed = rng.sample(found, len(found))
    cuts = sorted(rng.sample(range(1, len(mixed)), n - 1))
    return [mixed[low:high] for low, high in zip([0, *cuts], [*cuts, len(mixed)], strict=True)]


def stories(rows: list[dict[str, Any]]) -> set[frozenset[str]]:
    parts: dict[str, set[str]] = {}
    for row in rows:
        parts.setdefault(row["story_id"], set()).add(row["doc_id"])
    return {frozenset(part) for part in parts.values()}


def reports(seed: int, *, dated: bool) -> list[Article]:
    teller = Storyteller(seed)
    found = teller.articles([5, 4, 3, 3, 2, 1, 1, 1], days=3, n_words=60)
    copied = {**found[0], "doc_id": "copy", "text": str(found[0]["text"])}
    rows = [*found, copied]
    return rows if dated else [{**row, "published_at": None} for row in rows]


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("n", [2, 7])
def test_stories_are_those_of_one_run(tmp_path: Path, n: int, dated: bool) -> None:
    config = samestory.Config(level="story", threads=1, boilerplate=False)
    found = reports(n, dated=dated)
    told: dict[str, dict[str, Any]] = {}
    with samestory.Index.open(tmp_path / "index", config, create=True) as index:
        for batch in batches(found, n, seed=n):
            told |= {row["doc_id"]: row for row in index.ingest(to_table(batch)).to_pylist()}
        asked = index.query(to_table(found)).to_pylist()
        exported = index.export()
        assert index.verify(deep=True) == []
    run = samestory.cluster(to_table(found), config)
    wanted = stories(run.clusters.to_pylist())
    assert any(len(story) > 2 for story in wanted)
    assert stories(asked) == wanted
    assert stories(exported.clusters.to_pylist()) == wanted
    assert len(exported.stories) == len(run.stories) > 0
    assert told["copy"]["story_id"] == told[str(found[0]["doc_id"])]["story_id"]
    sizes = {row["doc_id"]: row["story_size"] for row in asked}
    assert all(sizes[doc_id] == len(story) for story in wanted for doc_id in story)


def test_a_story_is_told_with_the_batch_that_brings_it(tmp_path: Path) -> None:
    config = samestory.Config(level="story", threads=1)
    found = Storyteller(3).articles([2, 1, 1, 1, 1, 1], days=2, n_words=60)
    events = [event_of(str(row["doc_id"])) for row in found]
    first, last = (row for row, event in zip(found, events, strict=True) if events.count(event) == 2)
    with samestory.Index.open(tmp_path / "index", config, create=True) as index:
        index.ingest(to_table([row for row in found if row is not last]))
        before = len(index.query(to_table([first])).to_pylist())
        row = index.ingest(to_table([last])).to_pylist()[0]
        assert before == 1
        assert row["story_size"] == 2
        assert row["story_id"] in (first["doc_id"], last["doc_id"])
        assert row["cluster_size"] == 1
        assert row["is_new"]
        index.delete([str(first["doc_id"])])
        assert index.ingest(to_table([last])).to_pylist()[0]["story_size"] == 1


def pages(room: Newsroom) -> list[Article]:
    """Pages of two sites with a footer each; some stories of the one are excerpted on the other."""
    footers = [typeset(Newsroom(77 + site).words(60)) for site in range(2)]
    texts = room.stories(2 * N_PAGES, 120)
    texts[N_PAGES + 3] = first_part(texts[2], 0.5)
    texts[N_PAGES + 7] = room.edited(texts[5])
    found = []
    for k, text in enumerate(texts):
        site = k // N_PAGES
        found.append(news(f"{site}-{k}", f"{text}\n\n{footers[site]}", k, ("Post", "Wire")[site]))
    return found


@pytest.mark.parametrize("n", [1, 5, 20])
def test_furniture_is_taken_out_of_older_pages_too(tmp_path: Path, n: int) -> None:
    found = pages(Newsroom(5))
    config = samestory.Config(threads=1)
    with samestory.Index.open(tmp_path / "index", config, create=True) as index:
        for batch in batches(found, n, seed=n):
            index.ingest(to_table(batch))
        assert index.verify(deep=True) == []
        exported = index.export()
    run = samestory.cluster(to_table(found), config)
    assert run.stats["furniture"]["articles"] == len(found)
    names = ("cluster_id", "boilerplate_ratio", "n_shingles", "cluster_size")
    rows = {row["doc_id"]: row for row in exported.clusters.to_pylist()}
    for row in run.clusters.to_pylist():
        assert [rows[row["doc_id"]][name] for name in names] == [row[name] for name in names], row["doc_id"]
    assert max(row["cluster_size"] for row in rows.values()) == 2
    assert set(exported.furniture["site"].to_pylist()) == {"post", "wire"}


def test_pages_without_a_site_need_twenty(tmp_path: Path) -> None:
    room = Newsroom(6)
    footer = typeset(Newsroom(80).words(60))
    found = [news(str(k), f"{text}\n\n{footer}", k, None) for k, text in enumerate(room.stories(24, 100))]
    with samestory.Index.open(tmp_path / "index", samestory.Config(threads=1), create=True) as index:
        few = index.ingest(to_table(found[:12])).to_pylist()
        assert {row["boilerplate_ratio"] for row in few} == {0.0}
        assert max(row["cluster_size"] for row in few) > 1  # by the footer, so far
        index.ingest(to_table(found[12:]))
        assert index.query(to_table(found[:1])).to_pylist()[0]["cluster_size"] == 1
        assert index.info()["clusters"] == 0
        assert index.verify() == []


def ratios(clusters: Any) -> dict[str, float]:
    return dict(zip(clusters["doc_id"].to_pylist(), clusters["boilerplate_ratio"].to_pylist(), strict=True))


def test_a_page_between_milestones_can_show_furniture(tmp_path: Path) -> None:
    # At five pages nothing is looked at again but for what a new page repeats.
    room = Newsroom(9)
    block = typeset(Newsroom(81).words(60))
    texts = room.stories(5, 120)
    texts[0], texts[4] = f"{texts[0]}\n\n{block}", f"{texts[4]}\n\n{block}"
    found = [news(str(k), text, k, "Post") for k, text in enumerate(texts)]
    with samestory.Index.open(tmp_path / "index", samestory.Config(threads=1), create=True) as index:
        for row in found:
            index.ingest(to_table([row]))
        exported = index.export()
    run = samestory.cluster(to_table(found), samestory.Config(threads=1))
    assert ratios(run.clusters)["0"] > 0.2
    assert ratios(exported.clusters) == ratios(run.clusters)


def test_what_others_print_is_no_furniture(tmp_path: Path) -> None:
    # Two pages of one site that mostly consist of others' stories, one of these on both.
    stories_of_others = Newsroom(10).stories(3, 160)
    halves = [first_part(text, 0.6) for text in stories_of_others]
    others = [news(f"other{k}", text, k, f"Wire {k}") for k, text in enumerate(stories_of_others)]
    both = [
        news("page1", f"{halves[0]}\n\n{halves[1]}", 10, "Post"),
        news("page2", f"{halves[0]}\n\n{halves[2]}", 11, "Post"),
    ]
    with samestory.Index.open(tmp_path / "index", samestory.Config(threads=1), create=True) as index:
        index.ingest(to_table(others))
        index.ingest(to_table(both))
        exported = index.export()
    run = samestory.cluster(to_table([*others, *both]), samestory.Config(threads=1))
    assert ratios(run.clusters) == dict.fromkeys(ratios(run.clusters), 0.0)
    assert ratios(exported.clusters) == ratios(run.clusters)


def test_scores_are_those_of_one_run_though_dates_are_far_apart(tmp_path: Path) -> None:
    # How common a word is, is told by what lies beyond the window too.
    config = samestory.Config(level="story", threads=1, boilerplate=False)
    found = sorted(
        Storyteller(4).articles([4, 3, 3, 2, 2, 2, 1, 1], days=90, n_words=60),
        key=lambda row: row["published_at"],
    )
    with samestory.Index.open(tmp_path / "index", config, create=True) as index:
        for begin in range(0, len(found), 4):
            index.ingest(to_table(found[begin : begin + 4]))
        asked = index.query(to_table(found))
    run = samestory.cluster(to_table(found), config).clusters
    assert min(run["story_score"].to_pylist()) < 1
    for name in ("story_id", "story_size", "story_score"):
        assert asked[name].to_pylist() == run[name].to_pylist(), name
