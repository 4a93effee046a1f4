"""Stories: what is one event and what is not, hostile input, settings, and what is written."""

from __future__ import annotations

import itertools
import json
import random
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import reference
import samestory
from samestory import Config, ConfigError
from samestory.schema import STORIES
from samestory.story.grouping import FLOOR
from storyteller import Storyteller, event_of
from tabled import Article, article, to_table

STORY_FILES = ["clusters.parquet", "pairs.parquet", "run.json", "stories.parquet"]


def run(found: list[Article], **settings: Any) -> samestory.Result:
    return samestory.cluster(to_table(found), Config(level="story", threads=1, **settings))


def parts(found: list[Article], **settings: Any) -> list[list[str]]:
    """The stories of articles as sorted lists of ids."""
    stories: dict[str, list[str]] = {}
    for row in run(found, **settings).clusters.to_pylist():
        stories.setdefault(row["story_id"], []).append(row["doc_id"])
    return sorted(sorted(part) for part in stories.values())


def headlines(titles: list[str], prefix: str = "h") -> list[Article]:
    return [article(f"{prefix}{k}", None, title=title) for k, title in enumerate(titles)]


FERRY_HEADLINES = [
    "Ferry sinks off Marmora island, 41 dead",
    "At least 41 die as Marmora ferry goes down",
    "Marmora ferry disaster: 41 bodies recovered",
    "Divers search for survivors after ferry sinks near Marmora",
    "Captain of sunken Marmora ferry arrested",
    "Marmora mourns 41 victims of ferry sinking",
]
OTHER_HEADLINES = [
    "Central bank of Tolmeria raises rates to 9 percent",
    "Veldt wins third Alpine cycling crown",
    "Museum of Quennby reopens with Roman mosaics",
    "Wheat harvest in Dorvania falls by a third",
    "Orlena Castrick named head of weather office",
]

QUAKE = """A magnitude 6.3 earthquake struck the hill district of Karvanta before dawn on Tuesday, killing
at least 87 people and burying hundreds under collapsed homes, officials said. Governor Imre Taldosh said
soldiers and rescue dogs had been flown to the town of Belusk, where the hospital lost its roof. Roads into
the valley were cut by landslides."""
QUAKE_RETOLD = """Rescuers dug with bare hands through the ruins of Belusk yesterday as the toll from
the quake rose to 87. The tremor, measured at 6.3, flattened whole streets in Karvanta, a region of
hills and goat farms. "We hear voices", a volunteer told this newspaper. Imre Taldosh, who governs
the province, asked neighbouring states for tents and blankets, since nights are cold."""
QUAKE_TITLES = ("Karvanta earthquake kills 87", "Digging for the living in Belusk after quake")

RAID = """Gunmen on motorcycles attacked the market of Dolubi on Friday, killing 14 traders
and burning stalls, witnesses said. Police chief Haruna Seb said the attackers had come from the
forest of Ganza. The governor ordered a curfew from dusk until dawn and promised that the dead would
be buried at the state's expense."""
OTHER_RAID = """A bomb hidden in a lorry of onions exploded at the bus station of Dolubi on Sunday, killing 53
passengers and wounding more than 120, a hospital said. No group claimed the blast. Transport minister Oyelan
Brock visited the wounded and said that scanners would be set up at every station in the country."""


def test_six_headlines_of_one_event_meet_and_others_do_not() -> None:
    found = headlines(FERRY_HEADLINES) + headlines(OTHER_HEADLINES, "o")
    assert parts(found) == [sorted(f"h{k}" for k in range(6)), *([f"o{k}"] for k in range(5))]


def test_two_outlets_without_a_phrase_in_common_meet() -> None:
    assert not reference.shingles(QUAKE) & reference.shingles(QUAKE_RETOLD)
    found = [
        article("one", QUAKE, 0, QUAKE_TITLES[0]),
        article("two", QUAKE_RETOLD, 20, QUAKE_TITLES[1]),
        article("raid", RAID, 3, "Market attack leaves 14 dead"),
    ]
    result = run(found)
    assert result.stats["counts"]["clusters"] == 0
    assert result.clusters["story_id"].to_pylist() == ["one", "one", "raid"]
    (pair,) = result.pairs.to_pylist()
    assert (pair["doc_id_a"], pair["doc_id_b"], pair["relation"]) == ("one", "two", "story")


@pytest.mark.parametrize("hours", [(None, None), (0, 48), (0, 4000)])
def test_two_events_of_one_subject_and_place_do_not_meet(hours: tuple[int | None, int | None]) -> None:
    titles = ("Gunmen kill 14 in Dolubi market", "Bomb at Dolubi bus station kills 53")
    found = [article("raid", RAID, hours[0], titles[0]), article("bomb", OTHER_RAID, hours[1], titles[1])]
    assert parts(found) == [["bomb"], ["raid"]]


@pytest.mark.parametrize("days", [-4000, -40, 40, 4000])
def test_a_wrong_date_alone_does_not_part(days: int) -> None:
    found = headlines(FERRY_HEADLINES) + headlines(OTHER_HEADLINES, "o")
    dated = [article(row["doc_id"], None, k, row["title"]) for k, row in enumerate(found)]
    dated[2] = article("h2", None, 24 * days, FERRY_HEADLINES[2])
    assert parts(dated)[0] == [f"h{k}" for k in range(6)]


def test_time_takes_most_of_a_similarity_but_never_all() -> None:
    titles = ["Volcano Harrun erupts", "Eruption of Harrun closes airport"]
    similarities = []
    for hours in (0, 3000, 90_000):
        found = [article(f"w{k}", f"{title}. Ash fell.", hours * k, title) for k, title in enumerate(titles)]
        score = run(found, story_threshold=0.05).pairs["story_score"][0].as_py()
        similarities.append((score / (1 - score)) ** 0.5)
    assert similarities[1] / similarities[0] == pytest.approx(FLOOR, rel=1e-4)
    assert similarities[2] == pytest.approx(similarities[1])


def test_a_longer_window_fades_less() -> None:
    found = [article("a", QUAKE, 0, QUAKE_TITLES[0]), article("b", QUAKE_RETOLD, 72, QUAKE_TITLES[1])]
    scores = [
        run(found, story_threshold=0.05, story_window=window).pairs["story_score"][0].as_py()
        for window in ("24h", "3d", "7d", "4w", "99w")
    ]
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


def test_five_unrelated_articles_are_five_stories() -> None:
    found = headlines(OTHER_HEADLINES)
    result = run(found)
    assert result.clusters["story_id"].to_pylist() == [row["doc_id"] for row in found]
    assert result.clusters["story_score"].to_pylist() == [1.0] * 5
    assert len(result.stories) == 0
    teller = Storyteller(4)
    assert len(parts(teller.articles([1] * 5, days=0))) == 5


def test_five_reports_of_one_event_are_one_story() -> None:
    result = run(Storyteller(4).articles([5]))
    assert len(result.stories) == 1
    assert result.clusters["story_size"].to_pylist() == [5] * 5
    assert result.stats["counts"]["clusters"] == 0


@pytest.mark.parametrize("dated", [True, False])
def test_events_in_a_day_of_news_are_told_apart(dated: bool) -> None:
    found = Storyteller(9).articles([6, 5, 1, 4, 8, 1, 1, 3, 2, 2, *([1] * 30)], dated=dated, days=0)
    for part in parts(found):
        assert len({event_of(name) for name in part}) == 1
    assert len(parts(found)) == 40


@pytest.mark.xfail(strict=True, reason="the level of a story's own reports counts as its topic's")
@pytest.mark.parametrize("n", [30, 60, 120])
def test_a_large_event_stays_together(n: int) -> None:
    found = Storyteller(9).articles([n, 5, 1, 4, 8, 1], days=9)
    assert max(map(len, parts(found))) >= 0.9 * n


SPELLINGS = [
    ("Raqqa", "Deir Ezzor"),
    ("Raqqah", "Deir ez-Zor"),
    ("Raqa", "Deir al-Zor"),
    ("Rakka", "Dayr az Zawr"),
]


def test_spellings_of_names_do_not_part() -> None:
    sentences = [
        "Air strikes hit {} and a bridge near {}, and a war monitor counted 38 dead.",
        "Planes bombed {}, the monitor said; 38 people died there and on the bridge outside {}.",
        "38 killed as jets strike bridge: residents of {} and of {} spoke of hours of bombing.",
        "In {} a school was hit. On the bridge of {} a bus burnt, a monitor said, and 38 lost their lives.",
    ]
    titles = [
        "Strikes on {} kill 38",
        "38 dead in {} bombing",
        "Jets hit {}",
        "{}: school hit in air strikes",
    ]
    found = [
        article(f"s{k}", sentences[k].format(*names), k, titles[k].format(names[0]))
        for k, names in enumerate(SPELLINGS)
    ]
    assert parts([*found, *headlines(OTHER_HEADLINES, "o")])[-1] == [f"s{k}" for k in range(4)]


@pytest.mark.parametrize(
    "names", [*itertools.combinations(["Raqqa", "Raqqah", "Raqa", "raqqa's", "RAQQA"], 2)]
)
def test_spellings_of_one_name_are_one_term(names: tuple[str, str]) -> None:
    found = [
        article(f"s{k}", f"{name} {word}") for k, (name, word) in enumerate(zip(names, "xy", strict=True))
    ]
    assert len(run(found, story_threshold=0.05).stories) == 1


FOOTER = """Sign up to our newsletter Morning Harbour for the day in brief. Harbour Post is
owned by Tidewire Media Holdings of 12 Quay Street. Read our code of conduct and how we use cookies.
Advertise with Harbour Post. Contact the newsdesk of Harbour Post by letter or telephone at any hour
of the day or of the night."""


@pytest.mark.parametrize("partial", [True, False])
def test_a_footer_that_pages_share_does_not_join_their_stories(partial: bool) -> None:
    found = Storyteller(6).articles([1] * 20, days=0, n_words=150)
    pages = [{**row, "text": f"{row['text']}.\n\n{FOOTER}", "source": "harbourpost.example"} for row in found]
    assert len(parts(pages, partial=partial)) == 20


def test_copies_and_reports_of_one_event_are_one_story() -> None:
    found = [
        article("a", QUAKE, 1, QUAKE_TITLES[0]),
        article("b", QUAKE.upper(), 2, QUAKE_TITLES[0]),
        article("c", QUAKE_RETOLD, 3, QUAKE_TITLES[1]),
        article("d", QUAKE_RETOLD + " It will snow.", 0, "Karvanta quake"),
    ]
    result = run(found)
    assert result.clusters["cluster_id"].to_pylist() == ["a", "a", "d", "d"]
    assert result.clusters["story_id"].to_pylist() == ["d"] * 4
    (story,) = result.stories.to_pylist()
    assert (story["story_size"], story["n_clusters"], story["title"]) == (4, 2, "Karvanta quake")
    assert [row["relation"] for row in result.pairs.to_pylist()].count("story") == 1


def test_one_wrong_date_within_a_cluster_does_not_move_it() -> None:
    found = [article(f"a{k}", QUAKE, hours, QUAKE_TITLES[0]) for k, hours in enumerate((0, 1, 9000))]
    found.append(article("b", QUAKE_RETOLD, 5, QUAKE_TITLES[1]))
    right = [article(f"a{k}", QUAKE, hours, QUAKE_TITLES[0]) for k, hours in enumerate((0, 1, 2))] + found[3:]
    scores = [run(rows).clusters["story_score"].to_pylist() for rows in (found, right)]
    assert scores[0] == scores[1]


# --- Awkward and hostile input ---------------------------------------------------


@pytest.mark.parametrize("dated", [True, False])
def test_nothing_and_next_to_nothing(dated: bool) -> None:
    texts = [None, "", " ", "...", "\u0301", "rain", "rain", "snow", "87", "the", "a" * 5000]
    found = [article(f"d{k}", text, k if dated else None) for k, text in enumerate(texts)]
    assert parts(found) == sorted([["d5", "d6"], *([f"d{k}"] for k in (0, 1, 2, 3, 4, 7, 8, 9, 10))])


def test_a_title_without_a_text_meets_a_text_without_a_title() -> None:
    found = [article("a", None, title=FERRY_HEADLINES[0]), article("b", FERRY_HEADLINES[1])]
    assert parts(found) == [["a", "b"]]


def test_identical_articles_are_one_story_of_one_cluster() -> None:
    result = run([article(f"d{k}", QUAKE, k) for k in range(300)])
    assert result.clusters["story_id"].to_pylist() == ["d0"] * 300
    assert result.clusters["story_score"].to_pylist() == [1.0] * 300
    assert len(result.stories) == 0
    assert result.stats["stories"]["stories"] == 1


def timed(found: list[Article], **settings: Any) -> tuple[float, samestory.Result]:
    run(headlines(OTHER_HEADLINES), **settings)  # what is compiled or loaded first does not count
    start = time.perf_counter()
    result = run(found, **settings)
    return time.perf_counter() - start, result


def test_a_huge_article_is_judged_by_its_beginning() -> None:
    rng = random.Random(3)
    more = " ".join(rng.choices([f"w{k}" for k in range(5000)], k=200_000))
    found = [
        article("huge", f"{QUAKE} {more}", 0, QUAKE_TITLES[0]),
        article("short", QUAKE_RETOLD, 1, QUAKE_TITLES[1]),
        article("long word", "x" * 1_000_000),
        article("long title", None, title=f"{FERRY_HEADLINES[0]} {more}"),
        article("short title", None, title=FERRY_HEADLINES[1]),
    ]
    seconds, result = timed(found)
    stories = dict(zip(*(result.clusters[name].to_pylist() for name in ("doc_id", "story_id")), strict=True))
    assert stories["huge"] == stories["short"] == "huge"
    assert stories["long word"] == "long word"
    assert seconds < 10


FEW_WORDS = ("river", "dam", "council", "vote", "storm", "city", "police", "fire")


def few_words(rng: random.Random, number: int) -> str:
    return " ".join(rng.choices(FEW_WORDS, k=40))


def one_template(rng: random.Random, number: int) -> str:
    a, b, c = (rng.randint(32, 99999) for _ in range(3))
    shares = f"Shares of firm {number} closed at {a} on Tuesday, up {b} percent"
    return f"{shares}, on a volume of {c}, the exchange said."


def one_vocabulary(rng: random.Random, number: int) -> str:
    return " ".join(f"word{rng.randint(0, 300)}" for _ in range(200))


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("partial", [True, False])
@pytest.mark.parametrize("write", [few_words, one_template, one_vocabulary])
def test_hostile_articles_take_no_time(write: Any, dated: bool, partial: bool) -> None:
    rng = random.Random(5)
    found = [article(f"d{k}", write(rng, k), k % 400 if dated else None) for k in range(3000)]
    seconds, result = timed(found, partial=partial)
    assert len(result.clusters) == 3000
    assert result.clusters["story_id"].null_count == 0
    assert result.stats["stories"]["postings_read_per_cluster"] < 20_000
    assert len(result.pairs) <= 64 * 3000
    assert seconds < 20


def test_titles_of_one_template_are_not_one_story() -> None:
    titles = [
        f"Weather forecast for {name} on Tuesday" for name in Storyteller(2).rng.sample(range(9999), 1000)
    ]
    assert max(map(len, parts(headlines(titles)))) < 20


# --- Scripts ---------------------------------------------------------------------

CHINESE = [
    "卡尔万塔发生地震八十七人遇难",
    "贝卢斯克搜救继续,卡尔万塔地震致八十七人死亡",
    "卡尔万塔地震:省长塔尔多什求援",
]
CHINESE_OTHERS = ["央行上调基准利率", "小麦收成下降三成", "罗马马赛克博物馆重新开放"]
THAI = ["แผ่นดินไหวที่การ์วันตา ตาย 87 ศพ", "เบลุสก์หลังแผ่นดินไหวการ์วันตา ยอดตาย 87", "ผู้ว่าการการ์วันตาขอเต็นท์หลังแผ่นดินไหว"]
THAI_OTHERS = ["ธนาคารกลางขึ้นดอกเบี้ย", "ข้าวสาลีราคาตกหนัก", "พิพิธภัณฑ์เปิดอีกครั้ง"]
ARABIC = [
    "زلزال يضرب كارفانتا ويقتل 87 شخصا",
    "ارتفاع حصيلة زلزال كارفانتا الى 87 قتيلا",
    "حاكم كارفانتا يطلب خياما بعد الزلزال الذي قتل 87",
]
ARABIC_OTHERS = ["البنك المركزي يرفع الفائدة", "تراجع محصول القمح هذا العام", "المتحف يفتح ابوابه من جديد"]


@pytest.mark.parametrize("shingle", ["word:3", "char:9", "char:3"])
@pytest.mark.parametrize(
    ("event", "others"),
    [(CHINESE, CHINESE_OTHERS), (THAI, THAI_OTHERS), (ARABIC, ARABIC_OTHERS)],
    ids=["Chinese", "Thai", "Arabic"],
)
def test_headlines_in_other_scripts(event: list[str], others: list[str], shingle: str) -> None:
    found = headlines(event) + headlines(others, "o")
    assert parts(found, shingle=shingle) == [["h0", "h1", "h2"], ["o0"], ["o1"], ["o2"]]


def test_shingles_decide_nothing_about_terms() -> None:
    found = Storyteller(8).articles([4, 3, 1, 2]) + headlines(CHINESE)
    results = [run(found, shingle=shingle) for shingle in ("word:3", "word:5", "char:9")]
    for result in results[1:]:
        assert result.clusters["story_score"].equals(results[0].clusters["story_score"])
        assert result.stories.equals(results[0].stories)


# --- Settings --------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 0.049, 0.991, 1, -1, float("nan"), float("inf"), "0.5", True, None])
def test_a_story_threshold_out_of_range(value: Any) -> None:
    with pytest.raises(ConfigError, match="story_threshold is") as caught:
        Config(story_threshold=value)
    assert repr(value) in str(caught.value) or repr(float(value)) in str(caught.value)
    assert "0.05" in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["7", "0d", "0.0d", "-1d", "d", "", "7 d", "7D", "7m", "7days", "1e3d", "٧d", "7d\n", "999999d", 7, None],
)
def test_a_story_window_that_is_no_time(value: Any) -> None:
    with pytest.raises(ConfigError, match="story_window is") as caught:
        Config(story_window=value)
    assert repr(value) in str(caught.value)
    assert "Hint: " in str(caught.value)
    assert "36h" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "days"),
    [("7d", 7), ("36h", 1.5), ("2w", 14), ("0.5d", 0.5), ("1.25h", 1.25 / 24), ("99999w", 699993)],
)
def test_story_windows(value: str, days: float) -> None:
    assert Config(story_window=value).story_window_days == pytest.approx(days)


@pytest.mark.parametrize("window", ["0.000001h", "99999w"])
def test_the_ends_of_the_windows_run(window: str) -> None:
    found = Storyteller(8).articles([4, 3, 1, 2])
    assert len(run(found, story_window=window).clusters) == 10


@pytest.mark.parametrize("threshold", [0.05, 0.99])
def test_the_ends_of_the_thresholds_run(threshold: float) -> None:
    found = Storyteller(8).articles([4, 3, 1, 2])
    assert len(run(found, story_threshold=threshold).clusters) == 10


# --- What is written ---------------------------------------------------------------


@pytest.fixture(scope="module")
def result() -> samestory.Result:
    rows = [article(row["doc_id"], None, k, row["title"]) for k, row in enumerate(headlines(FERRY_HEADLINES))]
    return run([*rows, *headlines(OTHER_HEADLINES, "o")])


def test_four_files(result: samestory.Result, tmp_path: Path) -> None:
    result.write(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == STORY_FILES
    stories = pq.read_table(tmp_path / "out/stories.parquet")
    assert stories.equals(result.stories)
    assert stories.schema.equals(STORIES)
    footer = pq.read_metadata(tmp_path / "out/stories.parquet").metadata
    assert footer[b"samestory.fingerprint"].decode() == result.stats["fingerprint"]
    assert pq.read_table(tmp_path / "out/clusters.parquet").equals(result.clusters)
    assert pq.read_table(tmp_path / "out/pairs.parquet").equals(result.pairs)


def test_no_story_of_several_clusters_is_an_empty_file(tmp_path: Path) -> None:
    run(headlines(OTHER_HEADLINES)).write(tmp_path / "out")
    assert pq.read_table(tmp_path / "out/stories.parquet").equals(STORIES.empty_table())


def test_a_result_without_stories_takes_them_away(result: samestory.Result, tmp_path: Path) -> None:
    result.write(tmp_path / "out")
    without = samestory.cluster(to_table(headlines(FERRY_HEADLINES)), Config(threads=1))
    without.write(tmp_path / "out", overwrite=True)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == STORY_FILES[:-1]
    result.write(tmp_path / "out", overwrite=True)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == STORY_FILES


def test_run_json_has_the_facts(result: samestory.Result, tmp_path: Path) -> None:
    result.write(tmp_path / "out")
    facts = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))
    assert facts == result.stats
    assert facts["config"]["level"] == "story"
    assert (facts["config"]["story_threshold"], facts["config"]["story_window"]) == (0.5, "7d")
    stories = facts["stories"]
    assert (stories["stories"], stories["of_several_clusters"], stories["pairs"]) == (6, 1, len(result.pairs))
    assert stories["postings_read"] > 0
    (largest,) = stories["largest"]
    assert (largest["story_id"], largest["story_size"], largest["n_clusters"]) == ("h0", 6, 6)
    assert largest["title"] == FERRY_HEADLINES[0]
    assert {"marmora", "ferry", "41"} <= set(largest["terms"])
    assert "stories" in facts["seconds"]


def test_terms_are_words_of_the_articles(result: samestory.Result) -> None:
    (story,) = result.stories.to_pylist()
    texts = [f" {reference.normalised(title, 'word')} " for title in FERRY_HEADLINES]
    assert story["terms"]
    for term in story["terms"]:
        assert any(f" {term['term']} " in text for text in texts)
    assert [term["term"] for term in story["terms"][:3]] != ["the", "of", "at"]


def test_progress_is_told_stage_by_stage() -> None:
    seen: list[str] = []
    samestory.cluster(
        to_table(Storyteller(8).articles([4, 3, 1, 2])),
        Config(level="story", threads=1),
        observer=lambda stage, done, total: seen.append(stage),
    )
    stages = [stage for stage, _ in itertools.groupby(seen)]
    found = [stage for stage in stages if stage in ("count terms", "weigh terms", "neighbours", "group")]
    assert found == ["count terms", "weigh terms", "neighbours", "group"]


def test_an_article_without_text_still_has_its_story_columns() -> None:
    result = run([article("a", None), article("b", "")])
    assert result.clusters["story_id"].to_pylist() == ["a", "b"]
    assert result.clusters["story_size"].to_pylist() == [1, 1]
