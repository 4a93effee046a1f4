"""The page's figures, against counts made row by row."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_reports import run_on

from newsroom import Newsroom, first_part
from samestory.finished import FinishedRun
from samestory.report import choice
from samestory.report.arrays import RELATIONS, UNDATED, Arrays, read_arrays
from samestory.report.choice import choose_clusters, weakest
from samestory.report.copying import MOST_SOURCES, count_copying
from samestory.report.figures import OVERLAP_BINS, headline, moment, overlaps, size_bins, timeline
from samestory.report.partners import find_partners
from tabled import NOON


def newsroom_rows() -> list[dict[str, Any]]:
    """Clusters of several sizes from many sources, some undated, some with no outlet but an address."""
    room = Newsroom(3)
    rows = []
    for k in range(24):
        text = room.story(120)
        copies = [
            text,
            *(room.edited(text, 20) for _ in range(k % 5)),
            *([room.expanded(text)] if k % 3 else []),
        ]
        for n, copy in enumerate(copies):
            hours = None if (k + n) % 7 == 0 else 3 * k + 5 * n
            rows.append(
                {
                    "id": f"a{k}-{n}",
                    "text": copy,
                    "title": f"Story {k}",
                    "source": None if n == 2 else f"desk {(k * n) % 17}",
                    "url": f"https://www.Host{k % 4}.example/{k}/{n}" if n == 2 else None,
                    "date": None if hours is None else (NOON + timedelta(hours=hours)).isoformat(),
                }
            )
    return rows


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return FinishedRun.open(run_on(tmp_path_factory.mktemp("figures"), newsroom_rows()))


@pytest.fixture(scope="module")
def arrays(run: FinishedRun) -> Arrays:
    return read_arrays(run)


@pytest.fixture(scope="module")
def rows(run: FinishedRun) -> list[dict[str, Any]]:
    names = ["doc_id", "cluster_id", "cluster_size", "representative_id", "relation", "source", "url"]
    return run.clusters([*names, "published_at"]).to_pylist()


def source_of(row: dict[str, Any]) -> str:
    return row["source"] or (row["url"].split("/")[2].removeprefix("www.").lower() if row["url"] else "")


def test_arrays_say_what_the_table_says(arrays: Arrays, rows: list[dict[str, Any]]) -> None:
    assert [RELATIONS[code] for code in arrays.relation] == [row["relation"] for row in rows]
    assert [arrays.source_names[code] for code in arrays.source] == [source_of(row) for row in rows]
    for k, row in enumerate(rows):
        number = int(arrays.cluster[k])
        assert (number < 0) == (row["cluster_size"] == 1)
        if number >= 0:
            assert arrays.sizes[number] == row["cluster_size"]
            assert rows[arrays.founders[number]]["doc_id"] == row["cluster_id"]
            assert rows[arrays.representatives[number]]["doc_id"] == row["representative_id"]
        date = row["published_at"]
        assert (arrays.published[k] == UNDATED) == (date is None)
        assert date is None or moment(int(arrays.published[k])) == date


def test_the_headline(run: FinishedRun, arrays: Arrays, rows: list[dict[str, Any]]) -> None:
    head = headline(run, arrays, None)
    assert head.articles == len(rows)
    assert head.redundant == run.stats["counts"]["redundant"] > 20
    assert head.relations == run.stats["counts"]["relations"]
    assert head.clusters == run.stats["counts"]["clusters"] > 10
    assert head.sources == len({source_of(row) for row in rows} - {""})
    assert head.undated == sum(row["published_at"] is None for row in rows) > 0
    dates = [row["published_at"] for row in rows if row["published_at"]]
    assert (head.first, head.last) == (min(dates), max(dates))


def test_sizes_are_counted_once_each() -> None:
    sizes = np.asarray([2] * 5 + [3, 6, 7, 10, 11, 150, 5000])
    bins = dict(size_bins(sizes))
    assert sum(bins.values()) == len(sizes)
    asked = ("2", "3", "4", "6 to 10", "101 to 1,000", "1,001 to 5,000")
    assert [bins[size] for size in asked] == [5, 1, 0, 3, 1, 1]
    assert size_bins(np.zeros(0, np.int64)) == []
    assert size_bins(np.asarray([2, 2])) == [("2", 2)]


def test_overlaps_count_every_pair_once(run: FinishedRun) -> None:
    found = overlaps(run)
    pairs = run.pairs(["relation", "jaccard", "containment_a_in_b", "containment_b_in_a"]).to_pylist()
    for kind, counts in found.jaccard.items():
        own = [pair for pair in pairs if pair["relation"] == kind]
        assert counts.sum() == found.containment[kind].sum() == len(own) > 0
        places = Counter(min(OVERLAP_BINS - 1, int(pair["jaccard"] * OVERLAP_BINS + 1e-4)) for pair in own)
        assert dict(places) == {k: n for k, n in enumerate(counts.tolist()) if n}
    assert found.n_pairs == len(pairs)
    # The threshold is the edge of a bin: no near pair is left of it.
    assert not found.jaccard["near"][: round(found.threshold * OVERLAP_BINS)].any()


def test_the_timeline_holds_every_dated_article(arrays: Arrays) -> None:
    told = timeline(arrays)
    assert told is not None
    dated = int((arrays.published != UNDATED).sum())
    assert told.first_told.sum() + told.copies.sum() + told.outside == dated
    assert told.copies.sum() == (arrays.is_redundant & (arrays.published != UNDATED)).sum()
    assert len(told.starts) <= 98


@pytest.mark.parametrize(
    ("days", "step"),
    [
        (0.5, "hour"),
        (3.9, "hour"),
        (30, "day"),
        (400, "week"),
        (2000, "month"),
        (90_000, "year"),
        (2_000_000, "year"),
    ],
)
def test_a_step_of_time_that_fits(arrays: Arrays, days: float, step: str) -> None:
    moments = np.linspace(0, days * 86_400e6, len(arrays)).astype(np.int64)
    told = timeline(_with_dates(arrays, moments))
    assert told is not None
    assert told.step == step
    assert 5 <= len(told.starts) <= 98
    assert told.first_told.sum() + told.copies.sum() == len(arrays)


def test_a_wrong_date_does_not_flatten_the_rest(arrays: Arrays) -> None:
    moments = np.linspace(1.7e15, 1.7e15 + 5 * 86_400e6, len(arrays)).astype(np.int64)
    far = np.asarray([-6.2e16, 4e18]).astype(np.int64)
    told = timeline(_with_dates(arrays, np.concatenate([moments[:-2], far])))
    assert told is not None
    # Two of some hundred articles lie in the outer hundredths: they count as far off only if there are more.
    assert told.first_told.sum() + told.copies.sum() + told.outside == len(arrays)


def test_dates_that_do_not_differ_make_no_timeline(arrays: Arrays) -> None:
    assert timeline(_with_dates(arrays, np.full(len(arrays), 1_700_000_000_000_000))) is None
    assert timeline(_with_dates(arrays, np.full(len(arrays), UNDATED))) is None


def _with_dates(arrays: Arrays, moments: Any) -> Arrays:
    return dataclasses.replace(arrays, published=moments)


def test_who_copies_whom(arrays: Arrays, rows: list[dict[str, Any]]) -> None:
    by_id = {row["doc_id"]: row for row in rows}
    flows: Counter[tuple[str, str]] = Counter()
    unknown = 0
    for row in rows:
        if row["doc_id"] != row["cluster_id"]:
            ends = source_of(by_id[row["cluster_id"]]), source_of(row)
            unknown += not all(ends)
            flows[ends] += all(ends)
    found = count_copying(arrays)
    assert found is not None
    assert found.n_copies == sum(flows.values()) == found.counts.sum()
    assert found.n_within == sum(n for (a, b), n in flows.items() if a == b)
    assert found.n_unknown == unknown
    assert len(found.origins) <= MOST_SOURCES + 1
    for k, origin in enumerate(found.origins):
        for m, copier in enumerate(found.copiers):
            assert found.counts[k, m] == flows[origin, copier]
    assert found.counts.shape == (
        len(found.origins) + (found.n_other_origins > 0),
        len(found.copiers) + (found.n_other_copiers > 0),
    )
    shades = [found.shade(int(n)) for n in sorted(found.counts.ravel())]
    assert shades == sorted(shades)
    assert 0 <= shades[0] <= shades[-1] <= 6
    for origin, copier, n in found.top_flows(3):
        assert flows[origin, copier] == n
        assert origin != copier


def test_the_chosen_clusters_are_the_largest_then_the_weakest(
    arrays: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = choose_clusters(arrays)
    assert len(everything) == everything.n_all == everything.n_largest == len(arrays.sizes)
    assert sorted(arrays.sizes[everything.numbers], reverse=True) == arrays.sizes[everything.numbers].tolist()
    monkeypatch.setattr(choice, "MOST_CLUSTERS", 8)
    monkeypatch.setattr(choice, "MOST_WEAK", 3)
    some = choose_clusters(arrays)
    assert (len(some), some.n_largest, some.n_all) == (8, 5, len(arrays.sizes))
    assert some.numbers[:5].tolist() == everything.numbers[:5].tolist()
    scores = weakest(arrays)
    left_out = sorted(set(everything.numbers.tolist()) - set(some.numbers.tolist()))
    assert max(scores[some.numbers[5:]]) <= min(scores[left_out])


def test_members_begin_with_the_representative_then_by_date(
    arrays: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = choose_clusters(arrays)
    for number, members in zip(chosen.numbers.tolist(), chosen.members, strict=True):
        assert sorted(members.tolist()) == np.flatnonzero(arrays.cluster == number).tolist()
        assert members[0] == arrays.representatives[number]
        dates = [int(arrays.published[row]) for row in members[1:]]
        known = [date for date in dates if date != UNDATED]
        assert dates == sorted(known) + [UNDATED] * (len(dates) - len(known))
    monkeypatch.setattr(choice, "MOST_ARTICLES", 30)
    monkeypatch.setattr(choice, "LEAST_MEMBERS", 2)
    monkeypatch.setattr(choice, "_ALWAYS_FULL", 1)
    fewer = choose_clusters(arrays)
    assert all(len(members) == 2 for members in fewer.members[1:])
    assert fewer.members[0].tolist() == chosen.members[0].tolist()


def test_a_linked_article_stands_beside_the_one_it_is_closest_to(tmp_path: Path) -> None:
    room = Newsroom(11)
    parts = [room.story(60) for _ in range(4)]
    chain = [
        " ".join(parts[k : k + 2]) for k in range(3)
    ]  # neighbours share a half, the first and last nothing
    chain.append(f"{first_part(parts[3], 0.6)} {room.story(60)}")
    rows = [{"id": f"c{k}", "text": text, "date": f"2025-03-0{k + 1}"} for k, text in enumerate(chain)]
    run = FinishedRun.open(run_on(tmp_path, rows, boilerplate=False))
    arrays = read_arrays(run)
    assert [RELATIONS[code] for code in arrays.relation] == ["representative", "partial", "linked", "linked"]
    assert find_partners(run, arrays, [0, 1, 2, 3]) == {2: 1, 3: 2}
    assert find_partners(run, arrays, [0, 2, 3]) == {2: 3, 3: 2}
    assert find_partners(run, arrays, [0, 2]) == {}
    assert find_partners(run, arrays, [0, 1]) == {}
