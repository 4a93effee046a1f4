"""What a site prints on every page goes, what it prints because it is news stays."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import samestory
from newsroom import FUNCTION_WORDS, Article, Newsroom, first_part, news, typeset
from samestory.buffers import string_buffers
from samestory.furniture import BLOCKS, Furniture, Remover, cut
from samestory.kernels import furniture as kernel
from samestory.kernels.sites import name_keys
from samestory.normalise import FoldedTexts, normalise
from tabled import partition, to_table

WORDS = 320
JOINTS = {"lines": "\n\n", "glued": " "}
SETTINGS = {"threads": 2}


def run(found: list[Article], **settings: Any) -> samestory.Result:
    return samestory.cluster(to_table(found), samestory.Config(**{**SETTINGS, **settings}))


class Press:
    """Two sites with a footer each, stories on the one, copies of some of them on the other."""

    def __init__(self, share: float, joint: str, known: bool, seed: int = 1) -> None:
        room, print_room = Newsroom(seed), Newsroom(seed + 1000)
        self.footers = [print_room.words(round(share / (1 - share) * WORDS)) for _ in range(2)]
        self.stories = room.stories(36, WORDS)
        self.planted: set[frozenset[str]] = set()
        self.articles: list[Article] = []
        self._joint, self._known = joint, known
        for i, story in enumerate(self.stories):
            self._print(f"story{i:02}", story, 0, i)
        for i, story in enumerate(self.stories[:21]):
            copy = (room.edited, lambda text: first_part(text, 1 / 3), room.expanded)[i % 3](story)
            self._print(f"copy{i:02}", copy, 1, 100 + i)
            self.planted.add(frozenset((f"story{i:02}", f"copy{i:02}")))
        for i in range(8):
            self._print(f"other{i:02}", room.story(WORDS), 1, 200 + i)
        self.rows = {row["doc_id"]: row for row in self.articles}

    def _print(self, doc_id: str, text: str, site: int, hours: int) -> None:
        whole = f"{text}{self._joint}{typeset(self.footers[site])}"
        source = ("Harbour Post", "Tidewire")[site] if self._known else None
        self.articles.append({**news(doc_id, whole, hours, source), "body": text, "site": site})


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("joint", JOINTS.values(), ids=JOINTS.keys())
@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.4])
def test_footers_join_nothing_and_hide_nothing(share: float, joint: str, known: bool) -> None:
    press = Press(share, joint, known)
    result = run(press.articles)
    assert {part for part in partition(result.clusters) if len(part) > 1} == press.planted
    assert result.furniture is not None
    n_words = Counter[str]()
    for row, text in zip(press.articles, texts_left(result, press.articles), strict=True):
        body, footer = row["body"].lower(), press.footers[row["site"]]
        left, story = Counter(text.split()), Counter(words_of(body))
        n_words["story"] += story.total()
        n_words["story gone"] += (story - left).total()
        n_words["footer"] += len(footer)
        n_words["footer left"] += (left - story).total()
    assert n_words["story gone"] <= 0.03 * n_words["story"]
    assert n_words["footer left"] <= 0.2 * n_words["footer"]
    ratios = np.array(result.clusters["boilerplate_ratio"])
    expected = [
        len(press.footers[row["site"]]) / (len(words_of(row["body"])) + len(press.footers[row["site"]]))
        for row in press.articles
    ]
    assert np.abs(ratios - expected).max() < 0.03
    facts = result.stats["furniture"]
    assert facts["blocks"] == len(result.furniture)
    assert facts["articles"] == np.count_nonzero(ratios)
    gone = n_words["footer"] - n_words["footer left"] + n_words["story gone"]
    assert facts["words"] == gone
    assert facts["ratio"] == pytest.approx(gone / (n_words["story"] + n_words["footer"]), abs=1e-5)


def words_of(text: str) -> list[str]:
    return text.lower().replace(".", " ").split()


def folded(texts: list[str]) -> FoldedTexts:
    return normalise(pa.array(texts, pa.large_string()), unit="word")


def salts_of(found: list[Article]) -> np.ndarray[Any, Any]:
    return name_keys(*string_buffers(pa.array([row["source"] for row in found], pa.string())))


def remove(furniture: Furniture, found: list[Article]) -> list[str]:
    """What is left of articles, here those that furniture was learnt from, or others."""
    texts = folded([row["text"] for row in found])
    cuts = Remover(furniture).find(texts, np.arange(len(found)), salts_of(found))
    left = cut(texts, cuts, by_character=False)
    assert [len(left.text(i).split()) for i in range(len(found))] == [
        len(texts.text(i).split()) - n for i, n in enumerate(cuts.n_removed.tolist())
    ]
    return [left.text(i) for i in range(len(found))]


def texts_left(result: samestory.Result, found: list[Article]) -> list[str]:
    assert result.furniture is not None
    left = remove(Furniture(result.furniture), found)
    n_shingles = [len(set(samestory.shingles(text))) for text in left]
    assert n_shingles == result.clusters["n_shingles"].to_pylist()
    return left


def test_without_it_footers_hide_and_join() -> None:
    press = Press(0.4, "\n\n", known=True)
    result = run(press.articles, boilerplate=False)
    assert {part for part in partition(result.clusters) if len(part) > 1} != press.planted
    assert set(result.clusters["boilerplate_ratio"].to_pylist()) == {0.0}
    assert result.furniture is None or not len(result.furniture)


# --- On few pages -------------------------------------------------------------


@pytest.mark.parametrize(("size", "least"), [(12, 0.45), (24, 0.85), (48, 0.97)])
def test_a_block_that_two_pages_of_a_site_share(size: int, least: float) -> None:
    # One run of five words in eight is looked at: a short block may have none.
    room = Newsroom(5)
    found, blocks = [], []
    for site in range(60):
        block = room.words(size)
        for page in range(2):
            story = [*room.words(110), *block, *room.words(110)]
            blocks.append(block)
            found.append(news(f"{site}.{page}", typeset(story, 17), site, f"site {site}"))
    result = run(found)
    assert partition(result.clusters) == {frozenset((row["doc_id"],)) for row in found}
    left = texts_left(result, found)
    n_gone = 0
    for row, text, block in zip(found, left, blocks, strict=True):
        gone = Counter(words_of(row["text"])) - Counter(text.split())
        # Where the same common word follows the block on both pages, it goes with it.
        assert (gone - Counter(block)).total() <= 2
        assert set(gone - Counter(block)) <= set(FUNCTION_WORDS)
        n_gone += gone.total() >= 0.8 * size
    assert n_gone >= least * len(found)
    assert result.furniture is not None
    assert set(result.furniture["basis"].to_pylist()) == {"few pages"}


def test_a_paragraph_on_two_sites_stays() -> None:
    room = Newsroom(6)
    found = []
    for pair in range(30):
        passage = room.story(48)
        for page in range(2):
            text = f"{room.story(140)}\n\n{passage}\n\n{room.story(70)}"
            found.append(news(f"{pair}.{page}", text, pair, f"site {page}"))
    result = run(found)
    assert set(result.clusters["boilerplate_ratio"].to_pylist()) == {0.0}
    assert not len(result.furniture or ())


@pytest.mark.parametrize(("n_whole", "n_inside"), [(1, 1), (1, 2), (2, 2), (3, 3), (4, 4), (8, 8)])
@pytest.mark.parametrize("source", ["Harbour Post", None])
def test_a_syndicated_article_stays(n_whole: int, n_inside: int, source: str | None) -> None:
    room = Newsroom(8)
    wire = room.story(200)
    found = [news(f"whole{i}", room.edited(wire, 60) if i else wire, i, source) for i in range(n_whole)]
    found += [news(f"inside{i}", room.expanded(wire), 100 + i, source) for i in range(n_inside)]
    found += [news(f"other{i}", room.story(200), 200 + i, source) for i in range(30)]
    result = run(found)
    assert set(result.clusters["boilerplate_ratio"].to_pylist()) == {0.0}
    together = frozenset(row["doc_id"] for row in found[: n_whole + n_inside])
    assert {part for part in partition(result.clusters) if len(part) > 1} == {together}


def test_copies_on_one_site_stay() -> None:
    # A page printed again with an edit here and there is no page with furniture.
    room = Newsroom(9)
    found = []
    for i, story in enumerate(room.stories(20, 200)):
        found += [
            news(f"{i}.{k}", room.edited(story, 7) if k else story, i, "Harbour Post") for k in range(2)
        ]
    result = run(found, threshold=0.3)
    assert set(result.clusters["boilerplate_ratio"].to_pylist()) == {0.0}
    assert {len(part) for part in partition(result.clusters)} == {2}


def test_nineteen_pages_of_no_known_site_are_too_few() -> None:
    room = Newsroom(10)
    footer = typeset(room.words(60))
    found = [news(f"{i}", f"{room.story(200)}\n\n{footer}", i) for i in range(24)]
    assert set(run(found[:19]).clusters["boilerplate_ratio"].to_pylist()) == {0.0}
    assert min(run(found).clusters["boilerplate_ratio"].to_pylist()) > 0.2


def test_an_article_that_is_all_furniture_is_left_whole() -> None:
    room = Newsroom(11)
    footer = typeset(room.words(60))
    found = [news(f"{i}", f"{room.story(150)}\n\n{footer}", i, "Harbour Post") for i in range(12)]
    found.append(news("footer", footer, 30, "Harbour Post"))
    rows = run(found).clusters.to_pylist()
    assert rows[-1]["n_shingles"] == 58
    assert rows[-1]["boilerplate_ratio"] == 0.0
    assert min(row["boilerplate_ratio"] for row in rows[:-1]) > 0.2


# --- What changes nothing -----------------------------------------------------


@pytest.fixture(scope="module")
def press() -> list[Article]:
    """Footers of many and of few pages, on known sites and others, with copies."""
    room = Newsroom(23)  # not a seed of the articles below
    found = [
        {**row, "doc_id": f"{name}.{row['doc_id']}"}
        for name, known in (("known", True), ("unknown", False))
        for row in Press(0.25, "\n\n", known, seed=21 + known).articles
    ]
    for site in range(12):
        notice = typeset(room.words(40))
        found += [
            news(
                f"few.{site}.{k}",
                f"{room.story(150)}\n\n{notice}",
                400 + site,
                None,
                f"https://few{site}.example/{k}",
            )
            for k in range(2)
        ]
    return found


def written(found: list[Article], folder: Path, **settings: Any) -> dict[str, bytes]:
    run(found, **settings).write(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "run.json"}


def tiny_batches(patch: pytest.MonkeyPatch) -> None:
    for name, value in (("MAX_ROWS", 7), ("TARGET_BYTES", 9000), ("_SMALL_BYTES", 200), ("_SMALL_ROWS", 3)):
        patch.setattr(f"samestory.read.bounded.{name}", value)


def texts_read_again(patch: pytest.MonkeyPatch) -> None:
    tiny_batches(patch)
    patch.setattr("samestory.textstore.MEMORY_BYTES", 100)
    patch.setattr("samestory.textstore.FILE_BYTES", 100)


def tiny_rounds(patch: pytest.MonkeyPatch) -> None:
    for name in ("samestory.pipeline", "samestory.furniture"):
        patch.setattr(f"{name}.ROUND_BYTES", 3000)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("change", [None, tiny_batches, texts_read_again, tiny_rounds])
def test_same_bytes(
    press: list[Article], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, threads: int
) -> None:
    plain = written(press, tmp_path / "plain", threads=1)
    assert set(plain) == {"clusters.parquet", "pairs.parquet", "furniture.parquet"}
    if change is not None:
        change(monkeypatch)
    assert written(press, tmp_path / "out", threads=threads) == plain


def test_order_of_rows(press: list[Article]) -> None:
    answers = []
    for seed in range(3):
        shuffled = random.Random(seed).sample(press, len(press)) if seed else press
        result = run(shuffled)
        rows = sorted(result.clusters.to_pylist(), key=lambda row: str(row["doc_id"]))
        pairs = {
            (frozenset((row["doc_id_a"], row["doc_id_b"])), row["relation"], row["shared_shingles"])
            for row in result.pairs.to_pylist()
        }
        assert result.furniture is not None
        answers.append((rows, pairs, result.furniture.to_pylist()))
    assert answers[0] == answers[1] == answers[2]


def test_only_sites_named_in_the_table_lose_words(press: list[Article]) -> None:
    result = run(press)
    assert result.furniture is not None
    sites = {""} | {"harbour post", "tidewire"} | {f"few{i}.example" for i in range(12)}
    assert set(result.furniture["site"].to_pylist()) <= sites
    assert {"", "harbour post", "tidewire"} <= set(result.furniture["site"].to_pylist())


# --- Furniture as a value -----------------------------------------------------


def test_table(press: list[Article]) -> None:
    table = run(press).furniture
    assert table is not None
    assert table.schema == BLOCKS
    assert table.equals(table.sort_by([("site", "ascending"), ("block", "ascending")]))
    assert set(table["basis"].to_pylist()) == {"many pages", "few pages"}
    for row in table.to_pylist():
        assert normalise(pa.array([row["block"]], pa.large_string()), unit="word").text(0) == row["block"]
        assert 1 <= row["n_articles"] <= len(press)


def test_articles_are_counted_once_however_often_they_have_a_block() -> None:
    room = Newsroom(12)
    footer = typeset(room.words(40))
    found = [news(f"{i}", f"{footer}\n\n{room.story(150)}\n\n{footer}", i, "Harbour Post") for i in range(9)]
    table = run(found).furniture
    assert table is not None
    assert max(table["n_articles"].to_pylist()) <= 9


def test_saved_and_used_on_new_articles(press: list[Article], tmp_path: Path) -> None:
    run(press).write(tmp_path / "out")
    loaded = Furniture(pq.read_table(tmp_path / "out/furniture.parquet"))
    assert loaded.table.schema.equals(BLOCKS)
    footers = Press(0.25, "\n\n", known=True, seed=22).footers  # as the known sites among them have
    room = Newsroom(99)
    found = [
        news(f"{site}.{i}", f"{typeset(footer)} {body}", i, ("Harbour Post", "tidewire")[site])
        for site, footer in enumerate(footers)
        for i, body in enumerate(room.stories(5, 100))
    ]
    left = remove(loaded, found)
    assert [len(text.split()) for text in left] == pytest.approx([100] * 10, abs=3)
    elsewhere = [{**row, "source": "Courier"} for row in found]
    assert remove(loaded, elsewhere) == [folded([row["text"]]).text(0) for row in found]


def test_counted_leaves_out_what_was_not_found(press: list[Article]) -> None:
    table = run(press).furniture
    assert table is not None
    remover = Remover(Furniture(table))
    few = [row for row in press if row["doc_id"].startswith("few.3.")]
    salts = name_keys(*string_buffers(pa.array(["few3.example"] * 2, pa.string())))
    remover.find(folded([row["text"] for row in few]), np.arange(2), salts)
    counted = remover.counted()
    assert set(counted.table["site"].to_pylist()) == {"few3.example"}
    assert counted.table["n_articles"].to_pylist() == [2] * len(counted)


def tables() -> st.SearchStrategy[Furniture]:
    one = st.tuples(
        st.sampled_from(("", "a", "b")),
        st.sampled_from(("x y", "z")),
        st.integers(0, 5),
        st.sampled_from(("many pages", "few pages")),
    )

    def build(rows: list[tuple[str, str, int, str]]) -> Furniture:
        columns = [list(column) for column in zip(*sorted(rows), strict=True)] or [[], [], [], []]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, BLOCKS, strict=True)]
        return Furniture(pa.table(arrays, schema=BLOCKS))

    return st.lists(one, max_size=4, unique_by=lambda row: row[:2]).map(build)


@given(tables(), tables(), tables())
def test_merge(a: Furniture, b: Furniture, c: Furniture) -> None:
    assert a.merge(b).table.equals(b.merge(a).table)
    assert a.merge(b).merge(c).table.equals(a.merge(b.merge(c)).table)
    counts = Counter[tuple[str, str]]()
    for table in (a.table, b.table):
        for row in table.to_pylist():
            counts[row["site"], row["block"]] += row["n_articles"]
    merged = a.merge(b).table
    assert merged.schema == BLOCKS
    assert {(row["site"], row["block"]): row["n_articles"] for row in merged.to_pylist()} == dict(counts)
    keys = list(zip(merged["site"].to_pylist(), merged["block"].to_pylist(), strict=True))
    assert keys == sorted(set(keys))


def test_nothing() -> None:
    nothing = Furniture.nothing()
    assert (len(nothing), nothing.table.schema) == (0, BLOCKS)
    assert nothing.merge(nothing).table.equals(nothing.table)
    room = Newsroom(1)
    found = [news("a", room.story(50), 1, "x")]
    assert remove(nothing, found) == [folded([found[0]["text"]]).text(0)]


def test_pages_of_one_line_over_and_over_are_one_pair() -> None:
    # Not a pair for every two places of the line: of a million lines these would fill any memory.
    postings = np.repeat(np.array([6, 7], dtype=np.uint64), 500)
    on_one_site, keys = np.ones(2, dtype=np.int32), np.array([0, 5], dtype=np.uint64)
    _, few = kernel.judge(
        postings,
        0,
        1,
        on_one_site,
        keys,
        np.array([2, 2], dtype=np.int64),
        np.array([1, 2], dtype=np.uint64),
        np.zeros((2, kernel.N_BINS), dtype=np.uint16),
        0.5,
        np.zeros(2, dtype=np.bool_),
    )
    assert few.tolist() == [0 << 32 | 1]


# --- In a folder --------------------------------------------------------------


def test_furniture_is_written_only_where_there_is_some(press: list[Article], tmp_path: Path) -> None:
    result = run(press)
    result.write(tmp_path / "out")
    assert pq.read_table(tmp_path / "out/furniture.parquet").to_pylist() == result.furniture.to_pylist()  # type: ignore[union-attr]
    room = Newsroom(2)
    plain = run([news(str(i), text, i, "Harbour Post") for i, text in enumerate(room.stories(5, 80))])
    plain.write(tmp_path / "out", overwrite=True)  # nor does an old one stay
    run(press, boilerplate=False).write(tmp_path / "without")
    for folder in ("out", "without"):
        names = sorted(path.name for path in (tmp_path / folder).iterdir())
        assert names == ["clusters.parquet", "pairs.parquet", "run.json"]
