"""Two articles compared: the words and their places, the scores of a run, the passages, hostile texts."""

from __future__ import annotations

import random
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
import samestory
from newsroom import Newsroom, first_part, news, typeset
from samestory.errors import InputError
from samestory.furniture import BLOCKS, Furniture
from samestory.normalise import normalise
from samestory.passages import Article, Comparison, Reader, Recorded, compare, compare_readings
from samestory.passages.match import find_shared
from samestory.passages.places import place
from samestory.passages.shingles import count_distinct, number_shingles
from strategies import articles, shingle_shapes, wild_text
from tabled import never_missing, to_table
from unicode_versions import shared_text

UNITS = ("word", "char")
PRINTED = "jaccard", "containment_a_in_b", "containment_b_in_a", "shared_shingles"

# --- Words and their places ---------------------------------------------------


def folded(text: str, unit: str) -> str:
    return normalise(pa.array([text], pa.large_string()), unit=unit).text(0)


def placed_words(text: str, unit: str = "word") -> list[tuple[str, int, int]]:
    """Each word with where it begins and ends."""
    placed = place(text, [], unit=unit)
    assert placed.folded == folded(text, unit)
    found, at = [], 0
    for word in placed.folded.split(" ") if placed.folded else []:
        last = at + len(word) - 1
        found.append((word, int(placed.begins[at]), int(placed.ends[last])))
        at = last + 2
    return found


@pytest.mark.parametrize("unit", UNITS)
@given(text=wild_text())
def test_each_word_is_made_from_its_place_and_nothing_else_makes_words(unit: str, text: str) -> None:
    at = 0
    for word, begin, end in placed_words(text, unit):
        assert 0 <= begin < end <= len(text)
        assert word in folded(text[begin:end], unit).split(" ")
        if begin > at:
            assert folded(text[at:begin], unit) == ""
        at = max(at, end)
    assert folded(text[at:], unit) == ""


@given(text=shared_text())
def test_words_are_those_of_the_reference(text: str) -> None:
    assert [word for word, _, _ in placed_words(text)] == reference.words(text)


@given(st.text(alphabet="aZ\u00e9-\r\n \tb\u0301", max_size=40))
def test_words_parted_at_line_ends(text: str) -> None:
    assert [word for word, _, _ in placed_words(text)] == reference.words(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A govern-\r\n  ment fell.", [("a", "A"), ("government", "govern-\r\n  ment"), ("fell", "fell")]),
        ("½kg", [("1", "½"), ("2kg", "½kg")]),
        ("co\u00adoperate!", [("cooperate", "co\u00adoperate")]),
        ("E\u0301te\u0301", [("été", "E\u0301te\u0301")]),
        ("ab中c", [("ab", "ab"), ("中", "中"), ("c", "c")]),
        ("مُحَمَّد ﷺ", [("محمد", "مُحَمَّد"), ("صلى", "ﷺ"), ("الله", "ﷺ"), ("عليه", "ﷺ"), ("وسلم", "ﷺ")]),
        ("Straße\u200b \u0301x", [("strasse", "Straße"), ("x", "x")]),
        ("👩\u200d🚀 ﬁn", [("fin", "ﬁn")]),
    ],
)
def test_known_places(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(word, text[begin:end]) for word, begin, end in placed_words(text)] == expected


@given(wild_text(), st.data())
def test_what_is_left_out_is_not_there(text: str, data: st.DataObject) -> None:
    cut = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    rest = text[: cut[0]] + text[cut[1] :]
    placed = place(text, [(cut[0], cut[1])], unit="word")
    assert placed.folded == folded(rest, "word")
    is_letter = np.array([c != " " for c in placed.folded], dtype=np.bool_)
    for begin in placed.begins[is_letter].tolist():
        assert not cut[0] <= begin < cut[1]


# --- The scores of a run ------------------------------------------------------


def as_article(row: dict[str, Any]) -> Article:
    return Article(row["doc_id"], row["text"], row.get("title"), row.get("source"), row.get("url"))


def check_against_run(found: list[dict[str, Any]], config: samestory.Config) -> int:
    """Compare every pair that a run prints with its own figures; return how many there were."""
    result = samestory.cluster(to_table(found), config)
    furniture = Furniture(result.furniture, config.shingle_unit == "char")
    reader = Reader(config, furniture)
    told = {row["doc_id"]: row for row in result.clusters.to_pylist()}
    readings = {}
    for row in found:
        figures = told[row["doc_id"]]
        recorded = Recorded(figures["n_shingles"], figures["boilerplate_ratio"])
        reading = reader.read(as_article(row), recorded=recorded)
        assert reading.is_as_recorded
        readings[row["doc_id"]] = reading
    pairs = result.pairs.to_pylist()
    for row in pairs:
        compared = compare_readings(readings[row["doc_id_a"]], readings[row["doc_id_b"]])
        assert {name: getattr(compared, name) for name in PRINTED} == {name: row[name] for name in PRINTED}
        assert compared.relation == row["relation"]
        check_spans(compared)
    return len(pairs)


def check_spans(compared: Comparison) -> None:
    """The spans cover both texts, and what has a number has it on both sides."""
    for side in (compared.a, compared.b):
        text = side.reading.text
        assert "".join(text[span.begin : span.end] for span in side.spans) == text
        assert all(span.begin < span.end for span in side.spans)
        assert {span.passage for span in side.spans if span.kind == "shared"} == {
            passage.number for passage in compared.passages
        }
        assert all((span.passage is None) == (span.kind != "shared") for span in side.spans)
    assert [passage.number for passage in compared.passages] == list(range(1, len(compared.passages) + 1))
    begins = [passage.a[0][0] for passage in compared.passages]
    assert begins == sorted(begins)


@settings(max_examples=20)
@given(articles(min_size=2, max_size=6), shingle_shapes())
def test_wild_articles_have_the_scores_of_a_run(found: list[dict[str, Any]], shape: tuple[str, int]) -> None:
    check_against_run(found, never_missing(shingle=f"{shape[0]}:{shape[1]}", threshold=0.2, num_perm=128,
                                           recall=0.999))  # fmt: skip


@pytest.mark.parametrize("shingle", ["word:3", "char:9"])
@pytest.mark.parametrize("known", [True, False], ids=["site", "no site"])
def test_pages_with_furniture_have_the_scores_of_a_run(shingle: str, known: bool) -> None:
    assert check_against_run(pages(known), samestory.Config(shingle=shingle, threads=2)) >= 24


def pages(known: bool) -> list[dict[str, Any]]:
    """Two sites that print menus and notices around stories which they share: whole, edited, in parts."""
    room = Newsroom(7)
    footers = [typeset(room.words(50)) for _ in range(2)]
    menus = ["Skip to content\nMenu\nSearch\n\n", "Please wait...\n"]
    found = []
    for k, story in enumerate(room.stories(30, 150)):
        copy = (room.edited, lambda text: first_part(text, 0.4), room.expanded)[k % 3](story)
        for site, text in ((0, story), (1, copy)):
            whole = f"{menus[site]}{text}\r\n\r\n{footers[site]}\nAll rights reserved."
            name = f"Site {site}" if known else None
            found.append(news(f"{site}.{k}", whole, k, name))
    return found


def test_spans_of_a_page() -> None:
    room = Newsroom(9)
    footer = typeset(room.words(40))
    story, other = room.stories(2, 60)
    tables = pa.table([["paper.example"], [folded(footer, "word")], [5], ["many pages"]], schema=BLOCKS)
    a = Article("a", f"Skip to content\n{story}\n{footer}\nShare this", url="https://www.paper.example/x")
    b = Article("b", f"{other}\n\n{story}")
    compared = compare(a, b, samestory.Config(), Furniture(tables))
    check_spans(compared)
    shown = [(span.kind, a.text[span.begin : span.end]) for span in compared.a.spans]  # type: ignore[index]
    assert shown == [
        ("chrome", "Skip to content"),
        ("plain", "\n"),
        ("shared", story.rstrip(".")),
        ("plain", ".\n"),
        ("furniture", footer.rstrip(".")),
        ("plain", ".\n"),
        ("chrome", "Share this"),
    ]
    assert compared.a.reading.n_removed == 3 + 40 + 2
    kinds = [span.kind for span in compared.b.spans]
    assert kinds == ["plain", "shared", "plain"]
    assert compared.passages[0].n_units == 60


def test_a_passage_on_both_sides_of_a_line_that_was_taken_out() -> None:
    story = "One two three four five six seven.\n{}\nEight nine ten eleven twelve.\n" + Newsroom(2).story(60)
    a, b = Article("a", story.format("Skip to content")), Article("b", story.format(""))
    compared = compare(a, b)
    check_spans(compared)
    kinds = [(span.kind, span.passage) for span in compared.a.spans if span.kind != "plain"]
    assert kinds == [("shared", 1), ("chrome", None), ("shared", 1)]
    assert compared.relation == "exact"


def test_furniture_is_left_in_where_the_run_left_it() -> None:
    room = Newsroom(9)
    footer = typeset(room.words(40))
    text = f"{room.story(60)} {footer}"
    table = pa.table([["paper"], [folded(footer, "word")], [5], ["many pages"]], schema=BLOCKS)
    reader = Reader(samestory.Config(), Furniture(table))
    article = Article("a", text, source="Paper")
    assert reader.read(article).n_units == 60
    assert reader.read(article, site="elsewhere").n_units == 100
    kept = reader.read(article, recorded=Recorded(98, 0.0))
    assert (kept.n_units, kept.is_as_recorded) == (100, True)
    changed = reader.read(article, recorded=Recorded(57, 0.0))
    assert (changed.n_units, changed.is_as_recorded) == (60, False)


def test_a_title_stands_for_a_text_that_is_not_there() -> None:
    compared = compare(Article("a", "  \n", "One two three four"), Article("b", "one, two, three", None))
    assert (compared.a.reading.judged_on, compared.a.reading.text) == ("title", "One two three four")
    assert (compared.b.reading.judged_on, compared.shared_shingles) == ("text", 1)


@pytest.mark.parametrize("texts", [("", ""), (None, "words are here"), ("...", "…"), ("\u0301", "x")])
def test_nothing_is_shared_with_an_empty_text(texts: tuple[str | None, str | None]) -> None:
    compared = compare(Article("a", texts[0]), Article("b", texts[1]))
    assert (compared.relation, compared.jaccard, compared.containment_a_in_b) == (None, 0.0, 0.0)
    assert compared.passages == ()
    check_spans(compared)


def test_order_changes_no_score() -> None:
    room = Newsroom(3)
    story = room.story(80)
    a, b = Article("a", story + " " + room.story(30)), Article("b", room.edited(story, 15))
    one, other = compare(a, b), compare(b, a)
    assert (one.jaccard, one.shared_shingles, one.relation) == (
        other.jaccard, other.shared_shingles, other.relation,
    )  # fmt: skip
    assert (one.containment_a_in_b, one.containment_b_in_a) == (
        other.containment_b_in_a, other.containment_a_in_b,
    )  # fmt: skip


def test_half_a_surrogate_pair_is_an_error() -> None:
    with pytest.raises(InputError, match="half a surrogate pair") as caught:
        compare(Article("a", "bad \ud800 text"), Article("b", "x"))
    assert caught.value.hint


# --- Shingles and passages ----------------------------------------------------


def naive_shingles(units: list[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(units[i : i + size]) for i in range(max(1, len(units) - size + 1))] if units else []


few_words = st.lists(st.sampled_from("abcd"), max_size=30)


@given(few_words, few_words, st.integers(1, 7))
def test_equal_shingles_have_one_number(a: list[str], b: list[str], size: int) -> None:
    numbers = number_shingles(pa.array(a, pa.string()), pa.array(b, pa.string()), size)
    named = naive_shingles(a, size) + naive_shingles(b, size)
    flat = np.concatenate(numbers).tolist()
    assert [len(part) for part in numbers] == [len(naive_shingles(units, size)) for units in (a, b)]
    assert len(set(zip(flat, named, strict=True))) == len(set(flat)) == len(set(named))
    assert count_distinct(pa.array(a, pa.string()), size) == len(set(naive_shingles(a, size)))


@given(few_words, few_words, st.integers(1, 7))
def test_passages_cover_what_is_shared(a: list[str], b: list[str], size: int) -> None:
    shingles = naive_shingles(a, size), naive_shingles(b, size)
    numbers = number_shingles(pa.array(a, pa.string()), pa.array(b, pa.string()), size)
    shared = find_shared(*numbers, len(a), len(b))
    assert shared.n_shared == len(set(shingles[0]) & set(shingles[1]))
    for own, other, units, passages in (
        (*shingles, a, shared.a),
        (shingles[1], shingles[0], b, shared.b),
    ):
        covered = {i + k for i, shingle in enumerate(own) if shingle in other for k in range(len(shingle))}
        assert set(np.flatnonzero(passages).tolist()) == covered
        assert len(passages) == len(units)
    assert set(shared.a.tolist()) - {0} == set(shared.b.tolist()) - {0}
    firsts = list(dict.fromkeys(n for n in shared.a.tolist() if n))
    assert firsts == list(range(1, len(firsts) + 1))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("k l m n o", "k l m n o", ([1] * 5, [1] * 5)),
        ("k l m x p q r", "p q r y k l m", ([1, 1, 1, 0, 2, 2, 2], [2, 2, 2, 0, 1, 1, 1])),
        ("k l m x k l m", "k l m", ([1, 1, 1, 0, 1, 1, 1], [1, 1, 1])),
        ("k l m", "k l m x k l m", ([1, 1, 1], [1, 1, 1, 0, 1, 1, 1])),
        # "k l m" is twice in b: the second goes on as a does.
        ("x k l m n o", "k l m y z k l m n o", ([0] + [1] * 5, [1, 1, 1, 0, 0] + [1] * 5)),
    ],
)
def test_known_passages(a: str, b: str, expected: tuple[list[int], list[int]]) -> None:
    units = [pa.array(text.split(), pa.string()) for text in (a, b)]
    shared = find_shared(*number_shingles(*units, 3), len(units[0]), len(units[1]))
    assert (shared.a.tolist(), shared.b.tolist()) == expected


# --- Hostile texts ------------------------------------------------------------

_N = 60_000


def _hostile() -> dict[str, tuple[str, str]]:
    rng = random.Random(4)
    words = " ".join("".join(rng.choices("abcdefgh", k=rng.randint(2, 8))) for _ in range(_N // 5))
    return {
        "one word": ("w" * _N, "w" * (_N + 1)),
        "equal lines": ("same line here\n" * (_N // 15), "same line here\n" * (_N // 15 + 1)),
        "equal words": ("a " * _N, "a " * (_N + 2)),
        "control characters": ("a b c " + "\x1b" * _N, "a b c " + "\x9b" * _N),
        "marks": ("a b c" + "\u0301" * _N, "a b c" + "\u0301" * _N + " d"),
        "hyphens": ("a-\n" * (_N // 3), "a-\n" * (_N // 3) + "b"),
        "fragments": (
            " ".join(f"a b c x{k}" for k in range(_N // 10)),
            " ".join(f"a b c y{k}" for k in range(_N // 10)),
        ),
        "shuffled": (words, " ".join(rng.sample(words.split(), _N // 5))),
        "han": ("新闻报道中国" * (_N // 6), "新闻报道中国" * (_N // 6) + "北京"),
        "decomposed": ("e\u0301t " * (_N // 4), "e\u0301t " * (_N // 4 + 1)),
    }


@pytest.mark.parametrize("name", _hostile())
@pytest.mark.parametrize("shingle", ["word:3", "char:9"])
def test_work_does_not_grow_with_the_square_of_a_text(shingle: str, name: str) -> None:
    texts = _hostile()[name]
    begin = time.process_time()
    compared = compare(Article("a", texts[0]), Article("b", texts[1]), samestory.Config(shingle=shingle))
    assert time.process_time() - begin < 10.0  # the square would be a matter of hours
    check_spans(compared)
