"""Judging a run: what is counted, what is refused, and what the figures are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import samestory
from made_run import FOOTER, MadeRun, clusters_of, pairs_of, write_run
from samestory.errors import ConfigError, InputError
from samestory.evaluate import ClusterScores, Outcome, PairLabelScores, evaluate, read_truth
from samestory.evaluate.names import MEASURES

RUN = MadeRun(
    clusters_of({"a": "a", "b": "a", "c": "a", "d": "d", "e": "d", "f": "f"}),
    pairs_of([("a", "b", 0.9, 0.9, 1.0), ("b", "c", 0.7, 0.8, 0.85), ("d", "e", 0.6, 0.5, 0.95)]),
)
LABELS = pa.table({"id": ["a", "b", "c", "d", "e"], "truth": ["x", "x", "y", "y", None]})


def pair_labels(*rows: tuple[str, str, Any]) -> pa.Table:
    return pa.table(
        dict(zip(("doc_id_a", "doc_id_b", "label"), map(list, zip(*rows, strict=True)), strict=True))
    )


def test_only_labelled_articles_count() -> None:
    scores = evaluate(RUN, LABELS)
    assert isinstance(scores, ClusterScores)
    assert (scores.n_articles, scores.n_unlabelled) == (4, 2)
    assert (scores.n_clusters, scores.n_true_clusters) == (2, 2)
    pairs = scores.pairwise
    assert (pairs.found, pairs.true, pairs.right) == (3, 2, 1)
    assert (pairs.precision, pairs.recall, pairs.f1) == (1 / 3, 1 / 2, 0.4)
    assert scores.notes == ()


def test_every_measure_by_name() -> None:
    scores = evaluate(RUN, LABELS)
    values = [scores.measure(name) for name in MEASURES]
    assert all(isinstance(value, float) for value in values)
    assert values[:3] == [scores.pairwise.f1, scores.pairwise.precision, scores.pairwise.recall]
    with pytest.raises(ConfigError, match="'accuracy'"):
        scores.measure("accuracy")


def test_labelled_pairs() -> None:
    scores = evaluate(RUN, pair_labels(("c", "a", 1), ("a", "d", 0), ("e", "d", 0), ("f", "a", 1)))
    assert isinstance(scores, PairLabelScores)
    assert (scores.n_pairs, scores.n_same, scores.n_different) == (4, 2, 2)
    assert (scores.pairwise.found, scores.pairwise.right) == (2, 1)
    assert (scores.pairwise.precision, scores.pairwise.recall, scores.pairwise.f1) == (0.5, 0.5, 0.5)
    with pytest.raises(ConfigError, match="bcubed_f1 needs labels of articles") as caught:
        scores.measure("bcubed_f1")
    assert caught.value.hint == "one of f1, precision, recall"


def test_precision_is_not_known_without_a_pair_labelled_different() -> None:
    scores = evaluate(RUN, pair_labels(("a", "b", "copy"), ("a", "f", "copy")))
    assert (scores.pairwise.precision, scores.pairwise.recall, scores.pairwise.f1) == (None, 0.5, None)
    assert "no pair is labelled different" in scores.notes[0]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("a", "f", 1), ("b", "f", 0)], (None, 0, 0)),  # nothing found, one to find
        ([("a", "f", 0), ("b", "f", 0)], (None, None, None)),  # nothing found, none to find
        ([("a", "b", 0), ("b", "f", 0)], (0, None, 0)),  # one found, none to find
    ],
)
def test_ratios_of_nothing(rows: list[tuple[str, str, int]], expected: tuple[Any, ...]) -> None:
    pairs = evaluate(RUN, pair_labels(*rows)).pairwise
    assert (pairs.precision, pairs.recall, pairs.f1) == expected


def test_one_labelled_article_has_no_pairs() -> None:
    scores = evaluate(RUN, pa.table({"id": ["a"], "truth": ["x"]}))
    assert isinstance(scores, ClusterScores)
    assert scores.pairwise.f1 is None
    assert (scores.bcubed.f1, scores.ari) == (1, 1)


def test_as_plain_values() -> None:
    found = json.loads(json.dumps(evaluate(RUN, LABELS).as_dict()))
    assert found["pairwise"]["found"] == 3
    assert set(found) == {
        "pairwise", "notes", "n_articles", "n_unlabelled", "n_clusters", "n_true_clusters", "bcubed", "ari",
    }  # fmt: skip


def test_unknown_ids_are_named() -> None:
    truth = pa.table({"id": ["a", "v", "w", "x", "y"], "truth": ["1"] * 5})
    with pytest.raises(InputError, match="not in the result: 'v', 'w', 'x' and 1 more"):
        evaluate(RUN, truth)
    with pytest.raises(InputError, match="not in the result: 'z'"):
        evaluate(RUN, pair_labels(("a", "z", 1)))


def test_stories() -> None:
    with pytest.raises(InputError, match="story_id is null") as caught:
        evaluate(RUN, LABELS, level="story")
    assert "--level duplicate" in str(caught.value.hint)
    together = MadeRun(clusters_of({"a": "a", "b": "b"}, stories={"a": "a", "b": "a"}), pairs_of([]))
    truth = pa.table({"id": ["a", "b"], "truth": ["x", "x"]})
    assert evaluate(together, truth, level="story").pairwise.f1 == 1
    assert evaluate(together, truth).pairwise.f1 == 0
    with pytest.raises(ConfigError, match="'event'"):
        evaluate(together, truth, level="event")


def test_a_folder_says_what_its_result_says(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "out", RUN)
    assert evaluate(folder, LABELS) == evaluate(str(folder), LABELS) == evaluate(RUN, LABELS)
    opened = Outcome.of(folder)
    assert Outcome.of(opened) is opened
    assert evaluate(opened, read_truth(LABELS)) == evaluate(RUN, LABELS)


def test_a_real_result(tmp_path: Path) -> None:
    text = "The ferry between the two islands will run again from Monday after a month of repairs."
    result = samestory.cluster(pa.table({"id": ["a", "b", "c"], "text": [text, text, "Another"]}))
    result.write(tmp_path / "out")
    truth = pa.table({"id": ["a", "b", "c"], "truth": [1, 1, 2]})
    assert evaluate(tmp_path / "out", truth).pairwise.f1 == evaluate(result, truth).pairwise.f1 == 1


def broken_folder(tmp_path: Path, how: str) -> Path:
    folder = write_run(tmp_path / "out", RUN)
    clusters = folder / "clusters.parquet"
    if how == "a file":
        return clusters
    if how == "nowhere":
        return tmp_path / "nowhere"
    if how == "no clusters":
        clusters.unlink()
    elif how == "not Parquet":
        clusters.write_bytes(b"PAR1 not at all")
    elif how == "cut off":
        clusters.write_bytes(clusters.read_bytes()[:-20])
    elif how == "not ours":
        write_run(folder, RUN, {})
    elif how == "later":
        write_run(folder, RUN, {**FOOTER, b"samestory.format_version": b"99"})
    else:
        write_run(folder, MadeRun(RUN.clusters.drop_columns(["cluster_id"]), RUN.pairs))
    return folder


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("a file", "is a file, not a folder"),
        ("nowhere", "no such folder"),
        ("no clusters", "no clusters.parquet in it"),
        ("not Parquet", "cannot be read as Parquet"),
        ("cut off", "cannot be read as Parquet"),
        ("not ours", "not written by samestory"),
        ("later", "format 99"),
        ("no column", "no column 'cluster_id'"),
    ],
)
def test_folders_that_hold_no_result(tmp_path: Path, how: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        evaluate(broken_folder(tmp_path, how), LABELS)
    assert caught.value.hint


@pytest.mark.parametrize("text", [None, "", "[1]", "{", '{"config": 3, "counts": [1]}'])
def test_run_json_may_be_missing_or_strange(tmp_path: Path, text: str | None) -> None:
    folder = write_run(tmp_path / "out", RUN)
    (folder / "run.json").unlink()
    if text is not None:
        (folder / "run.json").write_text(text)
    assert evaluate(folder, LABELS) == evaluate(RUN, LABELS)
    assert Outcome.of(folder).number("config", "threshold") is None


def test_every_public_name_resolves() -> None:
    from samestory import evaluate as package

    assert package.__all__ == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="'evaluat'"):
        _ = package.evaluat
