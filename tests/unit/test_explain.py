"""Why two articles are, or are not, together: figures, reasons, ways, in a run and in an index."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import samestory
from newsroom import Newsroom
from samestory.errors import ConfigError, InputError
from samestory.examples import example_text
from samestory.explain import Explanation, explain
from samestory.explain.explanation import Link
from samestory.explain.links import shortest_chain
from samestory.explain.suggest import close_ids
from samestory.finished import FinishedRun
from samestory.params import choose_banding
from tabled import words

STORY = "level", "story"


def write_news(path: Path, texts: dict[str, str | None]) -> Path:
    lines = [
        {"id": doc_id, "text": text, "date": f"2025-03-0{k + 1}"}
        for k, (doc_id, text) in enumerate(texts.items())
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def explained(folder: Path, texts: dict[str, str | None], ids: Sequence[str], **settings: Any) -> Explanation:
    """Cluster some texts and explain two of them."""
    path = write_news(folder / "news.jsonl", texts)
    config = samestory.Config(threads=1, **{"boilerplate": False, **settings})
    samestory.cluster(str(path), config).write(folder / "out", overwrite=True)
    told = explain(folder / "out", ids[0], ids[1])
    json.dumps(told.as_dict())
    return told


def codes(told: Explanation) -> list[str]:
    return [reason.code for reason in told.reasons]


def text(name: str, *numbers: range) -> str:
    return " ".join(words(name, [i for part in numbers for i in part]))


# --- Reasons ------------------------------------------------------------------


def test_the_same_text(tmp_path: Path) -> None:
    told = explained(tmp_path, {"a": text("w", range(30)), "b": text("W", range(30)).upper()}, "ab")
    assert (told.relation, codes(told), told.in_one_cluster) == ("exact", ["exact"], True)
    assert (told.comparison.jaccard, told.chance) == (1.0, 1.0)


def test_near_copies(tmp_path: Path) -> None:
    told = explained(tmp_path, {"a": text("w", range(100)), "b": text("w", range(95))}, "ab")
    assert (told.relation, codes(told)) == ("near", ["near"])
    assert "94.9%" in told.reasons[0].text
    assert told.chance == choose_banding(0.7, 0.99, 128).chance(told.comparison.jaccard)


@pytest.mark.parametrize(("ids", "said"), [("ab", "A has 100.0%"), ("ba", "B has 100.0%")])
def test_partial_copies(ids: str, said: str, tmp_path: Path) -> None:
    told = explained(tmp_path, {"a": text("w", range(100)), "b": text("w", range(30))}, ids)
    assert (told.relation, codes(told)) == ("partial", ["partial"])
    assert said in told.reasons[0].text


def test_an_article_and_itself(tmp_path: Path) -> None:
    told = explained(tmp_path, {"a": text("w", range(30)), "b": text("v", range(30))}, "aa")
    assert (told.relation, codes(told), told.chain, told.story) == ("same", ["same"], (), None)


def test_linked_by_others(tmp_path: Path) -> None:
    texts = {f"c{i}": text("w", range(10 * i, 10 * i + 50)) for i in range(5)}
    told = explained(tmp_path, texts, ("c4", "c0"))
    assert (told.relation, told.in_one_cluster) == ("linked", True)
    assert codes(told) == ["below_threshold", "below_containment", "linked"]
    assert "one other article" in told.reasons[-1].text
    ends = [(link.doc_id_a, link.doc_id_b) for link in told.chain]
    assert (len(ends), ends[0][0], ends[-1][1], ends[0][1]) == (2, "c4", "c0", ends[1][0])
    assert all(link.relation == "partial" for link in told.chain)


def test_nothing_in_common(tmp_path: Path) -> None:
    told = explained(tmp_path, {"a": text("w", range(30)), "b": text("v", range(30))}, "ab")
    assert (told.relation, codes(told), told.chance) == (None, ["nothing_shared"], 0.0)
    assert not told.in_one_cluster


def test_below_both_thresholds(tmp_path: Path) -> None:
    told = explained(tmp_path, {"a": text("w", range(100)), "b": text("w", range(18)) + " " +
                                text("v", range(82))}, "ab")  # fmt: skip
    assert codes(told) == ["below_threshold", "below_containment"]
    assert "0.163 is 0.087 short of 0.25" in told.reasons[1].text  # 16 of 98 shingles


def test_a_stock_phrase_is_no_evidence(tmp_path: Path) -> None:
    told = explained(tmp_path, {"a": text("w", range(100)), "b": text("w", range(10))}, "ab")
    assert codes(told) == ["below_threshold", "too_little_evidence"]
    assert "share 8 shingles only" in told.reasons[1].text


def test_partial_copies_were_not_looked_for(tmp_path: Path) -> None:
    texts = {"a": text("w", range(100)), "b": text("w", range(30))}
    told = explained(tmp_path, texts, "ab", partial=False)
    assert (told.relation, codes(told)) == (None, ["below_threshold", "partial_not_asked"])


@pytest.mark.parametrize(("texts", "said"), [((None, "a b c d"), "A does not"), (("!", " ..."), "Neither")])
def test_no_words(texts: tuple[str | None, str], said: str, tmp_path: Path) -> None:
    told = explained(tmp_path, {"a": texts[0], "b": texts[1]}, "ab")
    assert (told.relation, codes(told)) == (None, ["no_words"])
    assert said in told.reasons[0].text


def test_a_pair_that_never_met(tmp_path: Path) -> None:
    texts = {"a": text("w", range(100)), "b": text("w", range(3, 96))}
    told = explained(tmp_path, texts, "ab", partial=False, recall=0.001, num_perm=64)
    assert (told.relation, told.comparison.relation, codes(told)) == (None, "near", ["not_met"])
    assert 0 < told.chance < 0.5


def test_a_round_up(tmp_path: Path) -> None:
    stories = Newsroom(4).stories(4, 60)
    texts = {**{f"s{k}": story for k, story in enumerate(stories)}, "digest": " ".join(stories)}
    told = explained(tmp_path, texts, ("s1", "digest"))
    assert (told.relation, told.comparison.relation, codes(told)) == (None, "partial", ["kept_apart"])
    assert "round-up" in told.reasons[0].text


def test_split_from_the_founder(tmp_path: Path) -> None:
    texts = {f"c{i}": text("w", range(20 * i, 20 * i + 100)) for i in range(5)}
    told = explained(tmp_path, texts, ("c2", "c3"), founder_overlap=0.5)
    assert (told.relation, told.comparison.relation, codes(told)) == (None, "partial", ["split"])


def test_order_changes_no_score(tmp_path: Path) -> None:
    texts = {"a": text("w", range(100)), "b": text("w", range(10, 60), range(200, 230))}
    one = explained(tmp_path, texts, "ab").as_dict()
    other = explain(tmp_path / "out", "b", "a").as_dict()
    for name in ("relation", "in_one_cluster", "candidate"):
        assert one[name] == other[name]
    assert one["scores"]["jaccard"] == other["scores"]["jaccard"]
    assert one["scores"]["containment_a_in_b"] == other["scores"]["containment_b_in_a"]
    assert one["a"]["n_shingles"] == other["b"]["n_shingles"]


def test_inputs_that_have_changed(tmp_path: Path) -> None:
    texts: dict[str, str | None] = {"a": text("w", range(50)), "b": text("w", range(49))}
    explained(tmp_path, texts, "ab")
    write_news(tmp_path / "news.jsonl", {**texts, "b": text("w", range(30))})
    told = explain(tmp_path / "out", "a", "b")
    assert len(told.warnings) == 1
    assert "'b' is not what it was" in told.warnings[0]
    assert told.comparison.shared_shingles == 28
    write_news(tmp_path / "news.jsonl", {"a": texts["a"]})
    with pytest.raises(InputError, match="'b' is there no longer"):
        explain(tmp_path / "out", "a", "b")


# --- Ways and names -----------------------------------------------------------


def link(a: str, b: str, containment: float = 0.5) -> Link:
    return Link(a, b, "near", 0.5, containment)


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ([link("a", "b")], ["ab"]),
        ([link("b", "a")], ["ab"]),
        ([link("a", "c"), link("c", "d"), link("d", "b"), link("e", "b"), link("a", "e")], ["ae", "eb"]),
        ([link("a", "c", 0.3), link("c", "b"), link("a", "d", 0.9), link("b", "d")], ["ad", "db"]),
        ([link("a", "c")], []),
        ([], []),
    ],
)
def test_the_shortest_way(links: list[Link], expected: list[str]) -> None:
    found = shortest_chain(links, "a", "b")
    assert [one.doc_id_a + one.doc_id_b for one in found] == expected


@pytest.mark.parametrize(
    ("doc_id", "expected"),
    [
        ("article-0017", "article-00017"),
        ("articel-00017", "article-00017"),
        ("ARTICLE-00017", "article-00017"),
        ("zzzz", None),
        ("", None),
        ("x" * 1_000_000, None),
    ],
)
@pytest.mark.parametrize("count", [100, 20_000])
def test_close_ids(doc_id: str, expected: str | None, count: int) -> None:
    ids = pa.chunked_array([pa.array([f"article-{k:05}" for k in range(count)] + ["y" * 5000], pa.string())])
    found = close_ids(ids, doc_id)
    if expected is None:
        assert found == []
    else:
        assert expected in found
        assert len(found) <= 3


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (("a", "bb"), "no article 'bb'"),
        (("x", "y"), "no articles 'x' and 'y'"),
        (("x", "x"), "no article 'x'"),
    ],
)
def test_unknown_ids(ids: tuple[str, str], message: str, tmp_path: Path) -> None:
    texts = {"a": text("w", range(30)), "b": text("v", range(30))}
    explained(tmp_path, texts, "ab")
    with samestory.Index.open(tmp_path / "index", create=True) as index:
        index.ingest(str(tmp_path / "news.jsonl"))
    for folder in ("out", "index"):
        with pytest.raises(InputError, match=message) as caught:
            explain(tmp_path / folder, *ids)
        assert ("'b'" in str(caught.value.hint)) == (ids[1] == "bb")


@pytest.mark.parametrize("name", ["nowhere", "file", "empty"])
def test_neither_a_run_nor_an_index(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=name) as caught:
        explain(tmp_path / name, "a", "b")
    assert "samestory ingest" in str(caught.value.hint)


# --- The example articles, as a run and as an index -----------------------------


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs and indexes over the example articles: copies alone, and stories too."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "news.jsonl").write_text(example_text(), encoding="utf-8")
    for level in ("duplicate", "story"):
        config = samestory.Config(level=level, threads=2)
        samestory.cluster(str(folder / "news.jsonl"), config).write(folder / f"{level}.out")
        with samestory.Index.open(folder / f"{level}.index", config, create=True) as index:
            index.ingest(str(folder / "news.jsonl"))
    return folder


def test_a_run_tells_what_it_wrote(examples: Path) -> None:
    rows = FinishedRun.open(examples / "duplicate.out").pairs(
        ["doc_id_a", "doc_id_b", "relation", "jaccard", "containment_a_in_b", "containment_b_in_a",
         "shared_shingles"]
    ).to_pylist()  # fmt: skip
    assert len(rows) >= 20
    for row in rows:
        told = explain(examples / "duplicate.out", row.pop("doc_id_a"), row.pop("doc_id_b")).as_dict()
        assert (told["relation"], told["in_one_cluster"], told["warnings"]) == (row.pop("relation"), True, [])
        assert told["scores"] == row
        assert [one["doc_id_b"] for one in told["chain"]] == [told["b"]["doc_id"]]


ARTICLES = ("dam-tidewire", "dam-gazette", "ferry-courier", "library-ledger", "digest-lantern", "voice-bees",
            "voice-choir", "zh-youlu-ribao", "zh-youlu-wang", "tunnel-live")  # fmt: skip


def test_an_index_tells_the_same(examples: Path) -> None:
    for a, b in itertools.combinations(ARTICLES, 2):
        told = [explain(examples / name, a, b) for name in ("duplicate.out", "duplicate.index")]
        one, other = (item.as_dict() for item in told)
        for name in (
            "scores",
            "relation",
            "in_one_cluster",
            "in_one_story",
            "candidate",
            "reasons",
            "warnings",
        ):
            assert one[name] == other[name], (a, b)
        assert one["chain"] == other["chain"]
        for side in "ab":
            # A run looks for furniture of small corpora in one go, an index page by page.
            for name in ("doc_id", "title", "source", "url", "published_at", "cluster_id", "n_shingles",
                         "boilerplate_ratio", "n_words", "n_words_removed"):  # fmt: skip
                assert one[side][name] == other[side][name], (a, b, name)
            spans = other[side]["spans"]
            assert "".join(other[side]["text"][s["begin"] : s["end"]] for s in spans) == other[side]["text"]
            removed = sum(len(other[side]["text"][s["begin"] : s["end"]].split()) for s in spans
                          if s["kind"] == "furniture")  # fmt: skip
            assert removed <= other[side]["n_words_removed"]


@pytest.mark.parametrize("kind", ["out", "index"])
def test_one_story(kind: str, examples: Path) -> None:
    told = explain(examples / f"story.{kind}", "velaro-tidewire", "velaro-standard")
    assert (told.relation, told.as_dict()["in_one_story"]) == ("story", True)
    assert codes(told)[-1] == "story"
    assert told.story is not None
    assert told.story.terms is not None
    assert told.story.score == pytest.approx(0.7514, abs=1e-4)
    assert [term.term for term in told.story.terms[:3]] == ["costamar", "velaro", "punta"]
    assert sum(term.share for term in told.story.terms) == pytest.approx(1.0, abs=1e-4)
    weights = [term.share for term in told.story.terms]
    assert weights == sorted(weights, reverse=True)


def test_what_holds_a_story_together(examples: Path) -> None:
    told = explain(examples / "story.out", "velaro-tidewire", "velaro-standard", terms=False)
    assert told.story is not None
    assert (told.story.terms, told.story.held_together_by[:2]) == (None, ("costamar", "velaro"))
    assert told.story.score == pytest.approx(0.7514, abs=1e-4)  # the run wrote it


@pytest.mark.parametrize("kind", ["out", "index"])
def test_two_stories(kind: str, examples: Path) -> None:
    told = explain(examples / f"story.{kind}", "marun-tidewire", "marun-standard")
    assert (told.relation, told.as_dict()["in_one_story"]) == (None, False)
    assert codes(told) == ["nothing_shared", "below_story_threshold"]
    told = explain(examples / f"story.{kind}", "marun-tidewire", "ja-ekiben", terms=False)
    assert codes(told)[-1] == "other_story"
    copies = explain(examples / f"story.{kind}", "dam-tidewire", "dam-gazette")
    assert (copies.relation, copies.story) == ("near", None)


def test_terms_that_cannot_be_weighed_are_a_warning(examples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "samestory.explain.terms.shared_terms", lambda *_, **__: (_ for _ in ()).throw(InputError("gone"))
    )
    told = explain(examples / "story.out", "velaro-tidewire", "velaro-standard")
    assert told.story is not None
    assert told.story.terms is None
    assert "cannot be weighed again: gone" in told.warnings[0]


def test_an_index_takes_no_inputs(examples: Path) -> None:
    with pytest.raises(ConfigError, match="takes no inputs"):
        explain(examples / "duplicate.index", "dam-tidewire", "dam-gazette", inputs=["x.jsonl"])


def test_withdrawn_articles_are_not_there(tmp_path: Path) -> None:
    path = write_news(tmp_path / "n.jsonl", {"a": text("w", range(30)), "b": text("v", range(30))})
    with samestory.Index.open(tmp_path / "index", create=True) as index:
        index.ingest(str(path))
        index.delete(["b"])
    with pytest.raises(InputError, match="no article 'b'"):
        explain(tmp_path / "index", "a", "b")
