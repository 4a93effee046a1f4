"""The page as bytes: the same every time, closed to the network, honest about what it leaves out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_reports import Page, page_of, run_on, write_articles

import samestory
from newsroom import Newsroom
from samestory.errors import InputError, OutputError
from samestory.finished import FinishedRun
from samestory.report import listing, texts, write_report
from tabled import NOON

ROOM = Newsroom(21)
STORY = ROOM.story(120)
ROWS = [
    {"id": "a", "text": STORY, "title": "First", "source": "one.example", "date": NOON.isoformat()},
    {"id": "b", "text": ROOM.edited(STORY), "title": "Second", "source": "two.example", "date": "2025-03-10"},
    {"id": "c", "text": ROOM.story(90), "title": "Alone", "source": "two.example", "date": "2025-03-11"},
]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two copies and an article alone."""
    return run_on(tmp_path_factory.mktemp("page"), ROWS)


@pytest.fixture(scope="module")
def page(out: Path) -> Page:
    return page_of(out, out.parent / "report.html")


def test_the_same_run_gives_the_same_bytes(out: Path, page: Page, example: Path, tmp_path: Path) -> None:
    assert page_of(out, tmp_path / "again.html").content == page.content
    pages = [page_of(example, tmp_path / f"{k}.html").content for k in range(2)]
    assert pages[0] == pages[1]


def test_the_figures_are_those_of_the_run(out: Path, page: Page) -> None:
    assert "1 of 3 articles repeats another" in page.words
    assert "3 articles from 2 sources, published from 9 Mar 2025 to 11 Mar 2025." in page.words
    assert "With one of each cluster kept, 2 stay and 1 is redundant." in page.words
    assert "two.example took 1 from one.example." in page.words
    (cluster,) = page.data["clusters"]
    row = samestory_clusters(out)["b"]
    assert cluster[:4] == ["a", 2, 2, round(row["jaccard"], 4)]
    article = page.data["articles"][cluster[-1][1]]
    assert article[:2] == ["b", "Second"]
    assert page.data["sources"][article[2]] == "two.example"
    assert article[6:8] == [round(row["jaccard"], 4), round(row["containment"], 4)]


def samestory_clusters(out: Path) -> dict[str, Any]:
    return {row["doc_id"]: row for row in pq.read_table(out / "clusters.parquet").to_pylist()}


def test_the_policy_lets_in_this_style_and_this_script_alone(page: Page) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page.html)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].replace("&#39;", "'").split("; "))
    assert rules["default-src"] == "'none'"
    for name, tag in (("style-src", "style"), ("script-src", "script")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert (rules["img-src"], rules["base-uri"], rules["form-action"]) == ("data:", "'none'", "'none'")
    assert len(rules) == 6


def test_nothing_in_it_refers_to_elsewhere(page: Page) -> None:
    markup = re.sub(r"<(script|style)\b.*?</\1>", "", page.html, flags=re.DOTALL)
    references = re.findall(r'(?:href|src|srcset|action|poster|data|xlink:href)="([^"]*)"', markup)
    assert references
    assert [each for each in references if not each.startswith(("#", "data:image/svg+xml,"))] == []
    assert re.findall(r'\s(?:style|on\w+)="', markup) == []
    ids = re.findall(r'\sid="([^"]*)"', markup)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'(?:href="#|url\(#|aria-labelledby=")([^")]+)', markup):
        assert target in ids


def test_charts_have_the_colours_of_the_page_and_no_others(example_page: Path) -> None:
    drawn = re.findall(r"<svg.*?</svg>", example_page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(drawn) == 14
    for svg in drawn:
        assert set(re.findall(r'\s(?:fill|stroke)="([^"]*)"', svg)) <= {"none"}
        assert set(re.findall(r'class="([^"]*)"', svg))
        assert "aria-hidden" in svg


def test_texts_are_there_or_left_out_on_purpose(out: Path, page: Page, tmp_path: Path) -> None:
    first = STORY.split(".")[0]
    assert first in page.html
    assert len(page.texts["comparisons"]) == 1
    bare = page_of(out, tmp_path / "bare.html", text=False)
    assert first not in bare.html
    assert bare.texts == {"texts": {}, "comparisons": {}}
    assert "The articles' texts are left out of this page on purpose." in bare.words
    assert bare.data == page.data


def test_inputs_that_are_gone_or_moved_or_changed(tmp_path: Path) -> None:
    out = run_on(tmp_path, ROWS)
    file = tmp_path / "report.html"
    whole = page_of(out, file)
    moved = (tmp_path / "news.jsonl").rename(tmp_path / "moved.jsonl")
    made = write_report(out, file, overwrite=True)
    assert "cannot be read again" in made["why_no_texts"]
    gone = page_of(out, file)
    assert "There are no texts in this page: the articles of" in gone.words
    assert gone.texts["texts"] == {}
    assert page_of(out, file, inputs=[str(moved)]).texts == whole.texts
    changed = [{**row, "text": f"{row['text']} One sentence was added since."} for row in ROWS]
    write_articles(tmp_path / "news.jsonl", changed)
    assert "2 articles changed since the run" in page_of(out, file).words


def test_a_run_on_a_table_in_memory_has_no_texts(tmp_path: Path) -> None:
    import pyarrow as pa

    samestory.cluster(pa.Table.from_pylist(ROWS)).write(tmp_path / "out")
    page = page_of(tmp_path / "out", tmp_path / "report.html")
    assert "There are no texts in this page" in page.words
    assert len(page.data["clusters"]) == 1


@pytest.mark.parametrize(
    ("rows", "headline"),
    [
        ([], "There are no articles"),
        (ROWS[2:], "No article repeats another"),
        ([{"id": "a", "text": STORY}, {"id": "b", "text": STORY}], "1 of 2 articles repeats another"),
        ([{"id": str(k), "text": ""} for k in range(3)], None),
    ],
)
@pytest.mark.parametrize("level", ["duplicate", "story"])
def test_small_and_bare_runs(
    rows: list[dict[str, Any]], headline: str | None, level: str, tmp_path: Path
) -> None:
    if rows:
        out = run_on(tmp_path, rows, level=level)
    else:
        out = tmp_path / "out"
        empty = samestory.schema.ARTICLE.empty_table()
        samestory.cluster(empty, samestory.Config(level=level)).write(out)
    page = page_of(out, tmp_path / "report.html")
    assert headline is None or headline in page.words
    assert "The articles have no dates that differ." in page.words
    assert "No copy has known sources on both sides." in page.words


def test_what_does_not_fit_is_left_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []
    for k in range(12):
        text = ROOM.story(80)
        rows += [{"id": f"{k}-{n}", "text": copy} for n, copy in enumerate((text, ROOM.edited(text)))]
    out = run_on(tmp_path, rows)
    file = tmp_path / "report.html"
    assert "All 12 clusters." in page_of(out, file).words
    monkeypatch.setattr(listing, "CLUSTER_BYTES", 900)
    monkeypatch.setattr(texts, "TEXT_BYTES", 2500)
    page = page_of(out, file)
    n_listed = len(page.data["clusters"])
    assert 1 < n_listed < 12
    assert f"{n_listed} of 12 clusters: the {n_listed} largest." in page.words
    assert 0 < len(page.texts["comparisons"]) < n_listed
    places = {place for row in page.data["clusters"] for place in row[-1]}
    assert max(places) < len(page.data["articles"])
    for pair in page.texts["comparisons"]:
        assert set(pair.split("-")) <= set(page.texts["texts"])


def test_a_level_of_stories_lists_them(example: Path, tmp_path: Path) -> None:
    page = page_of(example, tmp_path / "report.html")
    assert [row[0] for row in page.data["stories"]] == ["marun-tidewire", "marun-standard", "velaro-tidewire"]
    assert "All 8 clusters; 3 stories." in page.words
    assert "Clusters and stories" in page.words


@pytest.mark.parametrize("name", ["report.txt", "report", "none/report.html"])
def test_files_that_cannot_be(out: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError):
        write_report(out, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_only_when_asked(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        write_report(out, file)
    with pytest.raises(OutputError, match="exists already"):  # before anything is read
        write_report(tmp_path / "none", file)
    assert file.read_text() == "mine"
    write_report(out, file, overwrite=True)
    assert file.read_bytes().startswith(b"<!DOCTYPE html>")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_folders_that_hold_no_run(tmp_path: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError):
            write_report(folder, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_was_exported_has_a_page_without_texts(tmp_path: Path) -> None:
    import pyarrow as pa

    with samestory.Index.open(tmp_path / "index", create=True) as index:
        index.ingest(pa.Table.from_pylist(ROWS))
        index.export().write(tmp_path / "out")
    page = page_of(tmp_path / "out", tmp_path / "report.html")
    assert "There are no texts in this page" in page.words
    assert len(page.data["clusters"]) == 1


def test_private_folders_stay_private(tmp_path: Path) -> None:
    out = run_on(tmp_path / "secret-place", ROWS)
    page = page_of(out, tmp_path / "report.html")
    assert "news.jsonl" in page.words
    assert "secret-place" not in page.html
    stats = json.loads((out / "run.json").read_text())
    assert "secret-place" in stats["inputs"][0]


def test_without_a_script_the_largest_are_told(example: Path, tmp_path: Path) -> None:
    page = page_of(example, tmp_path / "report.html")
    (table,) = re.findall(r"<noscript>(.*?)</noscript>", page.html, re.DOTALL)
    rows = re.findall(r'<tr role="row" class="row">(.*?)</tr>', table)
    assert len(rows) == len(page.data["clusters"]) + len(page.data["stories"]) == 11
    assert "Engineers lower Lake Orrin" in rows[0]
    assert "Cluster: 4 near" in rows[0]
    assert '<td role="cell" class="number" data-label="articles">5</td>' in rows[0]
    assert "8 Apr 2025" in rows[0]
    assert sum("Story of 2 clusters: " in row for row in rows) == 3


def test_the_table_without_a_script_is_bounded_and_escaped(hostile: Path, tmp_path: Path) -> None:
    page = page_of(hostile, tmp_path / "report.html")
    (table,) = re.findall(r"<noscript>(.*?)</noscript>", page.html, re.DOTALL)
    assert "&lt;script&gt;" in table
    assert not re.search(r"<(script|img|svg|style)", table)
    assert len(table) < 40 * 2500


def test_it_says_when_the_run_was_finished(out: Path, page: Page, tmp_path: Path) -> None:
    stats = json.loads((out / "run.json").read_text())
    assert re.search(r"Finished \d+ [A-Z][a-z]{2} 2\d{3}, \d\d:\d\d UTC", page.words)
    later = tmp_path / "out"
    shutil.copytree(out, later)
    for value, said in (("2025-03-09T23:30:00-02:00", "10 Mar 2025, 01:30 UTC"), ("soon", ""), (None, "")):
        (later / "run.json").write_text(json.dumps({**stats, "finished_at": value}))
        words = page_of(later, tmp_path / "report.html", text=False).words
        assert f"Finished {said}" in words if said else "Finished" not in words


def test_a_run_of_nothing_is_told_as_such(tmp_path: Path) -> None:
    page = page_of(run_on(tmp_path, [], level="story"), tmp_path / "report.html")
    assert "There are no articles 0 articles." in page.words
    assert "All of them stay" not in page.words
    assert "told in more than one text" not in page.words
    assert "<noscript>" not in page.html


def test_dates_far_off_stop_nothing_and_flatten_nothing(tmp_path: Path) -> None:
    texts = [text for text in (ROOM.story(60) for _ in range(120)) for _ in range(2)]
    noon = int(NOON.timestamp()) * 1_000_000
    dates = [noon + k * 3_600_000_000 for k in range(len(texts))]
    dates[0], dates[3] = 2**62, -(2**62)
    ids = [str(k) for k in range(len(texts))]
    columns = {"id": ids, "text": texts, "date": pa.array(dates, pa.timestamp("us"))}
    pq.write_table(pa.table(columns), tmp_path / "n.parquet")
    samestory.cluster(tmp_path / "n.parquet").write(tmp_path / "out")
    page = page_of(tmp_path / "out", tmp_path / "report.html")
    assert page.texts["comparisons"]
    (lanes,) = re.findall(r"<h3>The largest clusters</h3>(.*?)</figure>", page.html, re.DOTALL)
    assert "2025" in lanes
    assert "9999" not in lanes


def test_no_more_is_read_than_there_is_time_to_compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    for k in range(9):
        text = ROOM.story(200)
        rows += [{"id": f"{k}-{n}", "text": text} for n in range(2)]
    out = run_on(tmp_path, rows)
    read, seen = FinishedRun.read, []
    monkeypatch.setattr(FinishedRun, "read", lambda run, some: seen.append(len(some)) or read(run, some))
    monkeypatch.setattr(texts, "MOST_WORK", 3 * 2 * max(len(row["text"]) for row in rows))
    page = page_of(out, tmp_path / "report.html")
    assert len(page.texts["comparisons"]) == 3
    assert seen == [6]
