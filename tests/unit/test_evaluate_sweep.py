"""Sweeps over thresholds, and their picture."""

from __future__ import annotations

import builtins
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from made_run import FOOTER, MadeRun, clusters_of, pairs_of, write_run
from samestory.errors import ConfigError, InputError, MissingDependencyError, OutputError
from samestory.evaluate import DEFAULT_THRESHOLDS, ClusterScores, Sweep, evaluate, plot, plot_sweep, sweep
from samestory.evaluate.curve import thresholds_between

RUN = MadeRun(
    clusters_of({"a": "a", "b": "a", "c": "a", "d": "d", "e": "d", "f": "f"}),
    pairs_of([("a", "b", 0.9, 0.9, 1.0), ("b", "c", 0.7, 0.8, 0.85), ("d", "e", 0.6, 0.25, 0.95)]),
)
LABELS = pa.table({"id": ["a", "b", "c", "d", "e", "f"], "truth": ["x", "x", "y", "z", "z", "y"]})
PAIRS = pa.table({"a": ["b", "e", "c", "f"], "b": ["a", "d", "b", "a"], "label": [1, 1, 0, 1]})


def f1s(swept: Sweep) -> list[float | None]:
    return [point.scores.pairwise.f1 for point in swept.points]


def found(swept: Sweep) -> list[int]:
    return [point.scores.pairwise.found for point in swept.points]


def test_clusters_are_what_the_pairs_over_a_threshold_join() -> None:
    swept = sweep(RUN, LABELS, thresholds=[0.95, 0.5, 0.7, 0.65, 0.9, 0.7])
    assert [point.threshold for point in swept.points] == [0.5, 0.65, 0.7, 0.9, 0.95]
    # 32-bit scores of 0.7 and 0.9 are over the thresholds 0.7 and 0.9.
    assert found(swept) == [4, 3, 3, 1, 0]
    sizes = [point.scores.n_clusters for point in swept.points if isinstance(point.scores, ClusterScores)]
    assert sizes == [3, 4, 4, 5, 6]
    assert swept.points[0].scores == evaluate(RUN, LABELS)


def test_unlabelled_articles_connect_labelled_ones() -> None:
    truth = pa.table({"id": ["a", "c"], "truth": ["x", "x"]})
    assert f1s(sweep(RUN, truth, thresholds=[0.7, 0.8])) == [1, 0]


def test_pairs_are_found_by_their_own_score() -> None:
    swept = sweep(RUN, PAIRS, thresholds=[0.5, 0.65, 0.8, 1])
    assert found(swept) == [3, 2, 1, 0]
    assert [point.scores.pairwise.right for point in swept.points] == [2, 1, 1, 0]
    # a and c are in one cluster by way of b, but are no pair of the run's.
    truth = pa.table({"a": ["a"], "b": ["c"], "label": [1]})
    assert found(sweep(RUN, truth, thresholds=[0.01])) == [0]
    assert evaluate(RUN, truth).pairwise.found == 1


@pytest.mark.parametrize(
    ("score", "expected"),
    # The truth has the pair as (e, d), the run as (d, e): 0.25 of d is in e, and 0.95 of e in d.
    [("containment_a_in_b", [1, 1]), ("containment_b_in_a", [1, 0]), ("containment", [1, 1])],
)
def test_directions_follow_the_labelled_pair(score: str, expected: list[int]) -> None:
    turned = pa.table({"a": ["e"], "b": ["d"], "label": [1]})
    assert found(sweep(RUN, turned, score=score, thresholds=[0.2, 0.9])) == expected
    straight = pa.table({"a": ["d"], "b": ["e"], "label": [1]})
    other = {"containment_a_in_b": "containment_b_in_a", "containment_b_in_a": "containment_a_in_b"}
    assert found(sweep(RUN, straight, score=other.get(score, score), thresholds=[0.2, 0.9])) == expected


def test_directions_of_clusters_follow_the_run() -> None:
    assert found(sweep(RUN, LABELS, score="containment_a_in_b", thresholds=[0.2, 0.5, 0.9])) == [4, 3, 1]
    assert found(sweep(RUN, LABELS, score="containment_b_in_a", thresholds=[0.9, 1])) == [2, 1]
    assert found(sweep(RUN, LABELS, score="containment", thresholds=[0.9, 1])) == [2, 1]


def test_story_scores() -> None:
    with pytest.raises(InputError, match="story_score is null for every pair"):
        sweep(RUN, LABELS, score="story_score")
    scored = MadeRun(RUN.clusters, pa.concat_tables([RUN.pairs, pairs_of([("a", "f", 0, 0, 0)], story=0.5)]))
    assert found(sweep(scored, LABELS, score="story_score", thresholds=[0.5, 0.6])) == [1, 0]
    assert found(sweep(scored, PAIRS, score="story_score", thresholds=[0.5, 0.6])) == [1, 0]


def test_the_best_is_the_highest_of_equals() -> None:
    swept = sweep(RUN, LABELS, thresholds=[0.2, 0.3, 0.6, 0.7])
    assert f1s(swept)[0] == f1s(swept)[2] == max(f1s(swept))
    assert swept.best is not None
    assert swept.best.threshold == 0.6


def test_there_is_no_best_where_f1_is_not_known() -> None:
    swept = sweep(RUN, pa.table({"a": ["a"], "b": ["b"], "label": ["copy"]}))
    assert swept.best is None
    assert swept.as_dict()["best_threshold"] is None
    assert any("no pair is labelled different" in note for note in swept.notes)


def test_notes() -> None:
    (note,) = sweep(RUN, LABELS).notes
    assert "threshold of 0.5" in note
    assert sweep(RUN, LABELS, thresholds=[0.5, 0.6]).notes == ()
    assert "pairs.parquet" in sweep(RUN, LABELS, score="containment", thresholds=[0.9]).notes[0]
    huge = MadeRun(RUN.clusters, RUN.pairs, {"counts": {"clusters_not_listed_pair_by_pair": 2}})
    assert "huge clusters, of which not every pair is written: 2;" in sweep(huge, LABELS).notes[1]


def test_as_plain_values() -> None:
    as_json = json.loads(json.dumps(sweep(RUN, LABELS, thresholds=[0.5, 0.6]).as_dict()))
    assert (as_json["score"], as_json["best_threshold"]) == ("jaccard", 0.6)
    assert [point["threshold"] for point in as_json["points"]] == [0.5, 0.6]
    assert "notes" not in as_json["points"][0]


def test_a_run_without_pairs() -> None:
    run = MadeRun(clusters_of({"a": "a", "b": "b"}), pairs_of([]))
    assert f1s(sweep(run, pa.table({"id": ["a", "b"], "truth": [1, 1]}), thresholds=[0.5])) == [0]
    assert f1s(sweep(run, pa.table({"a": ["a"], "b": ["b"], "label": [0]}), thresholds=[0.5])) == [None]


def test_pairs_of_another_run(tmp_path: Path) -> None:
    strange = MadeRun(RUN.clusters, pairs_of([("a", "q", 1, 1, 1)]))
    with pytest.raises(InputError, match=r"articles that clusters\.parquet has not"):
        sweep(strange, LABELS)
    folder = write_run(tmp_path / "one", RUN)
    other = write_run(tmp_path / "two", RUN, {**FOOTER, b"samestory.fingerprint": b"g"})
    (other / "pairs.parquet").replace(folder / "pairs.parquet")
    with pytest.raises(InputError, match="other settings"):
        sweep(folder, LABELS)
    (folder / "pairs.parquet").unlink()
    with pytest.raises(InputError, match=r"no pairs\.parquet in it"):
        sweep(folder, LABELS)


def test_thresholds_are_as_round_as_they_are_written() -> None:
    assert thresholds_between(0.1, 0.3, 0.1) == (0.1, 0.2, 0.3)
    assert thresholds_between(0.5, 0.75, 0.1) == (0.5, 0.6, 0.7)
    assert thresholds_between(0.4, 0.4, 1) == (0.4,)
    assert len(DEFAULT_THRESHOLDS) == 20
    assert DEFAULT_THRESHOLDS[0] == 0.05
    assert DEFAULT_THRESHOLDS[-1] == 1


@pytest.mark.parametrize(
    "bounds",
    [
        (0.5, 0.4, 0.1),
        (0.1, 0.9, 0),
        (0.1, 0.9, -0.1),
        (0.1, 0.9, 5e-324),
        (float("nan"), 1, 0.1),
        (0.1, 1e999, 1),
    ],
)
def test_thresholds_that_make_no_row(bounds: tuple[float, float, float]) -> None:
    with pytest.raises(ConfigError):
        thresholds_between(*bounds)


@pytest.mark.parametrize(
    "thresholds", [[], [0], [0.5, 1.5], [float("nan")], [i / 2000 for i in range(1, 1002)]]
)
def test_thresholds_out_of_range(thresholds: list[float]) -> None:
    with pytest.raises(ConfigError):
        sweep(RUN, LABELS, thresholds=thresholds)


def test_an_unknown_score() -> None:
    with pytest.raises(ConfigError, match="'cosine'"):
        sweep(RUN, LABELS, score="cosine")


@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("SVG", b"<?xml"), ("pdf", b"%PDF")])
def test_plots(tmp_path: Path, ending: str, begins: bytes) -> None:
    path = tmp_path / f"sweep.{ending}"
    path.write_bytes(b"old")
    written = []
    for _ in range(2):
        plot_sweep(sweep(RUN, LABELS), path)
        written.append(path.read_bytes())
    assert written[0].startswith(begins)
    assert written[0] == written[1]
    assert list(tmp_path.iterdir()) == [path]
    if ending == "SVG":
        for word in (b"Precision", b"Recall", b"F1", b"Threshold (jaccard)"):
            assert word in written[0]


def test_a_plot_of_what_is_known(tmp_path: Path) -> None:
    plot_sweep(sweep(RUN, pa.table({"a": ["a"], "b": ["b"], "label": ["copy"]})), tmp_path / "s.svg")
    drawn = (tmp_path / "s.svg").read_text(encoding="utf-8")
    assert "Recall" in drawn
    assert "Precision" not in drawn


def test_a_plot_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plot, "_save", fail)
    path = tmp_path / "s.png"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="No space left"):
        plot_sweep(sweep(RUN, LABELS), path)
    assert [(left, left.read_bytes()) for left in tmp_path.iterdir()] == [(path, b"old")]


def test_plots_that_cannot_be_written(tmp_path: Path) -> None:
    swept = sweep(RUN, LABELS)
    with pytest.raises(ConfigError, match="format"):
        plot_sweep(swept, tmp_path / "s.gif")
    with pytest.raises(OutputError, match="is not a folder"):
        plot_sweep(swept, tmp_path / "none" / "s.png")
    (tmp_path / "s.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        plot_sweep(swept, tmp_path / "s.png")


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import_it = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return import_it(name, *rest, **more)

    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingDependencyError) as caught:
        plot_sweep(sweep(RUN, LABELS), tmp_path / "s.png")
    assert "pip install 'samestory[report]'" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
