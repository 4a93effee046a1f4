"""What the benchmarks of scale stand on: their corpora, the comparison of tables, and what they watch."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import clusterjob
import corpus
import costs
import equal
import hard_corpora
import measure
import plan
import planted
import same_tables
import scale
import short
import stress
from journal import Journal
from shingle_sets import jaccard_of_pairs, word_sets

SEED = 5


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("short") / "short.parquet"
    short.write_short(path, 4_000, SEED)
    return path


@pytest.mark.parametrize("n_docs", [1, 2, 3, 64, 65, 1_000, 4_097])
def test_places_are_a_permutation(n_docs: int) -> None:
    places = short.places_of(np.arange(n_docs), n_docs, SEED)
    assert sorted(places.tolist()) == list(range(n_docs))


def test_short_articles_however_they_are_cut(
    articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "ROW_GROUP_ROWS", 777)
    short.write_short(tmp_path / "again.parquet", 4_000, SEED, threads=3)
    assert pq.read_table(tmp_path / "again.parquet").equals(pq.read_table(articles))
    truths = [corpus.truth_path(path) for path in (articles, tmp_path / "again.parquet")]
    assert pq.read_table(truths[0]).equals(pq.read_table(truths[1]))


def test_short_articles_have_the_promised_shape(articles: Path) -> None:
    table, cluster = pq.read_table(articles), planted.cluster_of_rows(articles)
    assert table.schema == corpus.SCHEMA
    assert len(set(table["doc_id"].to_pylist())) == 4_000
    assert np.mean([len(text.encode()) for text in table["text"].to_pylist()]) == pytest.approx(490, abs=40)
    assert np.mean(cluster >= 0) == pytest.approx(0.3, abs=0.001)
    assert np.unique(cluster[cluster >= 0], return_counts=True)[1].max() <= 20
    rows = np.flatnonzero(cluster >= 0)
    assert rows[:50].max() < 400
    assert rows[-50:].min() > 3_600  # copies stand everywhere


def test_short_copies_are_copies_and_others_are_not(articles: Path) -> None:
    pairs = planted.planted_pairs(articles)
    found = pairs["jaccard"].to_numpy()
    assert 0.05 < np.mean(found == 1.0) < 0.35
    assert np.mean(found >= 0.7) > 0.3
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 2_000, 5_000), rng.integers(2_000, 4_000, 5_000)
    cluster = planted.cluster_of_rows(articles)
    strange = (cluster[a] != cluster[b]) | (cluster[a] < 0)
    sets = word_sets(pq.read_table(articles)["text"], 3)
    assert jaccard_of_pairs(sets, a[strange], b[strange]).max() < 0.1


def test_chains_are_planted() -> None:
    planned, _, cluster = short.plan_rows(np.arange(20_000), 20_000, SEED)
    in_chain = (planned.style & short.CHAIN) > 0
    names = np.unique(cluster[cluster >= 0])
    assert not in_chain[cluster < 0].any()
    assert len(np.unique(cluster[in_chain])) == pytest.approx(len(names) * short.CHAIN_SHARE, rel=0.4)
    assert set(planned.edit_rate[in_chain].tolist()) == {np.float32(short.CHAIN_RATE)}


def test_sizes_do_not_depend_on_the_number_of_rows() -> None:
    shares = []
    for n_docs in (10_000, 1_000_000):
        cluster = short.plan_rows(np.arange(5_000), n_docs, SEED)[2]
        shares.append(np.mean(cluster >= 0))
    assert shares == pytest.approx([0.3, 0.3], abs=0.02)


def _hard(kind: str, tmp_path: Path, n_docs: int = 200) -> pa.Table:
    path = tmp_path / f"{kind}.parquet"
    hard_corpora.write_hard(path, kind, n_docs, SEED)
    assert set(planted.cluster_of_rows(path).tolist()) == {0}
    return pq.read_table(path)


def test_in_a_chain_only_the_next_is_near(tmp_path: Path) -> None:
    texts = _hard("chain", tmp_path)["text"]
    along = np.argsort(hard_corpora.chain_places(200, SEED))
    sets = word_sets(texts, 3)
    assert along.tolist() != sorted(along.tolist())
    for step, expected in ((1, hard_corpora.CHAIN_JACCARD), (2, 0.553), (7, 0.0)):
        a, b = along[:-step], along[step:]
        found = jaccard_of_pairs(sets, np.minimum(a, b), np.maximum(a, b))
        assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "hub", "leaves"),
    [
        ("star", (0.7, 0.76), (0.4, 0.65)),
        ("contained", (0.08, 0.1), (0.03, 0.06)),
        ("edited", (0.9, 1), (0.9, 1)),
    ],
)
def test_stars(kind: str, hub: tuple[float, float], leaves: tuple[float, float], tmp_path: Path) -> None:
    sets = word_sets(_hard(kind, tmp_path)["text"], 3)
    to_hub = jaccard_of_pairs(sets, np.zeros(199, np.int64), np.arange(1, 200))
    a, b = np.triu_indices(199, 1)
    among = jaccard_of_pairs(sets, a + 1, b + 1)
    assert hub[0] < to_hub.min() <= to_hub.max() <= hub[1]
    assert leaves[0] < among.min() <= among.max() <= leaves[1]


def _chain_answer(tmp_path: Path, cuts: list[int]) -> dict[str, object]:
    """Judge an answer in which the chain is cut at some places."""
    table = _hard("chain", tmp_path)
    places = hard_corpora.chain_places(200, SEED)
    part = np.searchsorted(cuts, places, side="right")
    sizes = np.bincount(part)[part]
    answer = pa.table(
        {
            "doc_id": table["doc_id"],
            "cluster_id": pa.array([f"c{p}" for p in part]),
            "cluster_size": pa.array(sizes, pa.int32()),
            "relation": pa.array(["linked"] * 200),
        }
    )
    pq.write_table(answer, tmp_path / "answer.parquet")
    banding = {"bands": 17, "rows_per_band": 4}
    return stress.judged("chain", tmp_path / "chain.parquet", tmp_path / "answer.parquet", banding, SEED)


@pytest.mark.parametrize(("cuts", "right"), [([], True), ([100], True), (list(range(10, 200, 10)), False)])
def test_a_chain_may_miss_a_link_or_two(cuts: list[int], right: bool, tmp_path: Path) -> None:
    judged = _chain_answer(tmp_path, cuts)
    assert (judged["right"], judged["n_clusters"]) == (right, len(cuts) + 1)


def _write(path: Path, table: pa.Table, rows: int) -> dict[str, str]:
    pq.write_table(table, path, row_group_size=rows)
    return same_tables.digest_table([path])


MIXED = pa.table(
    {
        "name": pa.array(["a", None, "", "bc", "b", "c"]),
        "size": pa.array([1, None, 3, 4, 0, 6], pa.int32()),
        "score": pa.array([0.5, None, 1.5, 0.0, None, 2.0], pa.float32()),
        "at": pa.array([1, 2, None, 4, 5, 6], pa.timestamp("us", tz="UTC")),
        "terms": pa.array(
            [[{"t": "x", "w": 1.0}], [], None, [{"t": "y", "w": 2.0}, {"t": None, "w": None}], [None], []],
            pa.list_(pa.struct({"t": pa.string(), "w": pa.float64()})),
        ),
    }
)


def test_digests_do_not_tell_how_rows_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _write(tmp_path / "whole.parquet", MIXED, 6)
    monkeypatch.setattr(same_tables, "_ROWS", 2)
    assert _write(tmp_path / "cut.parquet", MIXED, 1) == whole
    pieces = [tmp_path / "part-0.parquet", tmp_path / "part-1.parquet"]
    pq.write_table(MIXED.slice(0, 4), pieces[0])
    pq.write_table(MIXED.slice(4), pieces[1])
    assert same_tables.digest_table(pieces) == whole


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("name", ["a", None, "", "b", "cb", "c"]),
        ("name", ["a", "", None, "bc", "b", "c"]),
        ("name", ["c", None, "", "bc", "b", "a"]),
        ("size", [1, 0, 3, 4, 0, 6]),
        ("score", [0.5, None, 1.5, -0.0, None, 2.0]),
        ("at", [1, 2, None, 4, 5, 7]),
        (
            "terms",
            [[{"t": "x", "w": 1.0}], None, [], [{"t": "y", "w": 2.0}, {"t": None, "w": None}], [None], []],
        ),
        ("terms", [[{"t": "x", "w": 1.0}], [], None, [{"t": "y", "w": 2.0}, None], [None], []]),
    ],
)
def test_digests_tell_every_value(column: str, values: list[object], tmp_path: Path) -> None:
    place = MIXED.schema.get_field_index(column)
    other = MIXED.set_column(
        place, MIXED.schema.field(column), pa.array(values, MIXED.schema.field(column).type)
    )
    a, b = _write(tmp_path / "a.parquet", MIXED, 6), _write(tmp_path / "b.parquet", other, 6)
    unlike = same_tables.differences({"pairs": a}, {"pairs": b})
    assert [name.split(":")[0] for name in unlike] == [f"pairs.{column}"]


def test_digests_tell_types_and_missing_tables(tmp_path: Path) -> None:
    large = MIXED.set_column(0, "name", MIXED["name"].cast(pa.large_string()))  # the same in Parquet
    wide = large.set_column(1, "size", MIXED["size"].cast(pa.int64()))
    a, b = _write(tmp_path / "a.parquet", MIXED, 6), _write(tmp_path / "b.parquet", wide, 6)
    assert same_tables.differences({"pairs": a}, {"pairs": b}) == ["pairs.size: int32", "pairs.size: int64"]
    assert same_tables.differences({"pairs": a, "stories": a}, {"pairs": a}) == ["stories"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda table: table, "equal"),
        (lambda table: table.take([1, 0, 2]), "pairs: other order (doc_id_b, jaccard)"),
        (lambda table: table.slice(1), "pairs: 2 rows for 3"),
        (
            lambda table: table.set_column(2, "jaccard", pa.array([0.7, 0.8, 0.95])),
            "pairs: 1 rows differ (jaccard)",
        ),
    ],
)
def test_what_differs_is_told(change: object, told: str, tmp_path: Path) -> None:
    table = pa.table({"doc_id_a": ["a", "a", "b"], "doc_id_b": ["b", "c", "c"], "jaccard": [0.7, 0.8, 0.9]})
    for name, one in (("mine", table), ("theirs", change(table))):  # type: ignore[operator]
        (tmp_path / name / "pairs.parquet").mkdir(parents=True)
        pq.write_table(one, tmp_path / name / "pairs.parquet" / "part-0.parquet")
    assert equal.verdict(tmp_path / "mine", tmp_path / "theirs").startswith(told)


def test_what_is_compared(tmp_path: Path) -> None:
    for name in ("raw/b.parquet", "raw/b.pairs.parquet", "raw/c.jsonl", "seeds/2.txt", "seeds/1.txt", "x.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    jobs = equal.inputs_of([tmp_path])
    assert [equal.name_of(files) for files in jobs] == ["b.parquet", "c.jsonl", "seeds/*.txt"]
    assert [path.name for path in jobs[2]] == ["1.txt", "2.txt"]


NAMELESS = """
import sys, tempfile, time
with tempfile.TemporaryFile(dir=sys.argv[1]) as file:
    file.write(bytes(8_000_000))
    file.flush()
    time.sleep(1.0)
"""


def test_nameless_files_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "FOLDER_SECONDS", 0.05)
    (tmp_path / "scratch").mkdir()
    watch = measure.FolderWatch(tmp_path / "scratch")
    run = measure.run_measured([sys.executable, "-c", NAMELESS, str(tmp_path / "scratch")], probe=watch)
    assert run.exit_code == 0
    assert 8_000_000 <= watch.most_bytes < 9_000_000


GRANDCHILD = "import os, time; os.setpgid(0, 0); print(os.getpid(), flush=True); time.sleep(600)"
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{GRANDCHILD}'])"


def test_ending_a_tree_ends_those_with_a_group_of_their_own() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdout is not None
        pid = int(child.stdout.readline())
        measure.end_tree(child.pid)
    until = time.monotonic() + 60
    while _is_alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False


def test_a_journal_goes_on(tmp_path: Path) -> None:
    cell, late, broken = {"docs": 1}, {"docs": 2}, {"docs": 3}
    journal = Journal(tmp_path / "journal.jsonl", fresh=False)
    journal.add(cell, 0, {"wall_seconds": 1.0})
    journal.add(late, 0, {"problem": "over 1 s", "timed_out": True})
    journal.add(broken, 0, {"problem": "failed"})
    again = Journal(tmp_path / "journal.jsonl", fresh=False)
    assert [again.has(one, 0) for one in (cell, late, broken)] == [True, True, False]
    assert [again.has(one, 1) for one in (cell, late, broken)] == [False, True, False]
    assert not Journal(tmp_path / "journal.jsonl", fresh=True).has(cell, 0)


def test_a_job_runs_and_is_compared(articles: Path, tmp_path: Path) -> None:
    settings = clusterjob.Settings(workdir=tmp_path, timeout=300.0)
    digests = []
    for memory in ("512MB", "unbounded"):
        job = clusterjob.Job(inputs=(str(articles),), memory=memory)
        figures = clusterjob.run_job(job, settings, tmp_path / "out")
        assert "problem" not in figures, figures
        assert figures["counts"]["articles"] == 4_000
        assert figures["scratch_files_left"] == 0
        digests.append(same_tables.digest_run(tmp_path / "out"))
    assert same_tables.differences(*digests) == []
    wrong = clusterjob.Job(inputs=("nothing.parquet",))
    assert "exit code 2: Error" in clusterjob.run_job(wrong, settings, tmp_path / "out")["problem"]


def _row(cell: scale.Cell, seconds: float, tables: dict[str, dict[str, str]]) -> dict[str, object]:
    return {
        "tool": cell.name,
        "problem": "",
        "cell": vars(cell),
        "wall_seconds": seconds,
        "peak_bytes": 1e9,
        "scratch_bytes": 0,
        "tables": tables,
        "stages": {"read and sketch": seconds - 2.0},
        "text_bytes": cell.docs * 500,
        "counts": {"clusters": cell.docs // 10, "redundant": cell.docs // 5},
    }


def _rows() -> list[dict[str, object]]:
    cell = scale.Cell
    same, other = {"pairs": {"jaccard: float": "1"}}, {"pairs": {"jaccard: float": "2"}}
    return [
        _row(cell("short", 1_000, "duplicate", "local", "4GB"), 12.0, same),
        _row(cell("short", 1_000, "duplicate", "local", "unbounded"), 10.0, same),
        _row(cell("short", 1_000, "duplicate", "spark", "4GB"), 30.0, other),
        _row(cell("short", 10_000, "duplicate", "local", "4GB"), 102.0, other),
    ]


def test_runs_are_held_against_the_right_ones() -> None:
    told = {row["tool"]: (row["times"], row["tables"]) for row in scale.compared(_rows())}
    assert told == {
        "1,000 short, duplicate, local, 4GB / 1,000, local, unbounded": (1.2, "equal"),
        "1,000 short, duplicate, spark, 4GB / 1,000, local, unbounded": (3.0, "differ: pairs.jaccard: float"),
        "10,000 short, duplicate, local, 4GB / 1,000, local, 4GB": (8.5, ""),
    }


def test_the_plan_fits_what_it_was_fitted_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scale.json").write_text(json.dumps({"rows": _rows()}))
    words = ["plan", str(tmp_path / "scale.json"), "--memory", "4GB", "--fit", "1000"]
    monkeypatch.setattr(sys, "argv", words)
    plan.main()
    told = capsys.readouterr().out
    assert "| 1,000, seconds | 12.0 | 12.0 | +0% |" in told
    assert "| 10,000, seconds | 102.0 | 102.0 | +0% |" in told  # two seconds to start, and linear


def test_costs_grow_as_they_should() -> None:
    article = costs.Corpus(text_bytes=500.0, joined=0.3)
    for stage in costs.STAGES:
        times = stage.comparisons(10**7, article) / stage.comparisons(10**6, article)
        assert times == pytest.approx(10 * (7 / 6 if stage.sorts else 1))
    assert costs.scratch_bytes(10, article) == pytest.approx(10 * costs.scratch_bytes(1, article))
