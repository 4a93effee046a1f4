"""The page in a real browser: what a reader does with it, and what hostile articles do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile import LINKS
from made_reports import read_page, run_on

from newsroom import Newsroom
from samestory.report import write_report

Open = Callable[..., Any]


def titles(page: Any) -> list[str]:
    return page.locator("#rows .open").all_inner_texts()


def column(page: Any, css: str) -> list[str]:
    return [text.split()[0] for text in page.locator(f"#rows .row .{css}").all_inner_texts()]


def search(page: Any, words: str) -> None:
    page.locator("#query").fill(words)
    page.wait_for_timeout(250)


def violations(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


def test_search_filter_and_clear(open_page: Open, example_page: Path) -> None:
    page = open_page(example_page)
    everything = titles(page)
    assert len(everything) == 11
    assert page.locator("#found").inner_text() == "11 listed"
    search(page, "dam ORRIN")
    assert titles(page) == ["Engineers lower Lake Orrin after crack found in dam"]
    assert page.locator("#found").inner_text() == "1 of 11 listed"
    search(page, "aceituna")
    assert len(titles(page)) == 1
    search(page, "سوق")
    assert len(titles(page)) == 1
    search(page, "nothing has this")
    assert titles(page) == []
    page.locator("#clear").click()
    assert titles(page) == everything
    assert page.evaluate("document.activeElement.id") == "query"
    page.locator("#kind").select_option("story")
    assert len(titles(page)) == 3
    page.locator("#kind").select_option("cluster")
    page.locator("#relation").select_option("exact")
    assert titles(page) == ["Harrow Island ferry to resume after eleven weeks"]


def test_sorting(open_page: Open, example_page: Path) -> None:
    page = open_page(example_page)
    sizes = [int(size) for size in column(page, "number:not(.sources)")]
    assert sizes == sorted(sizes, reverse=True)
    assert page.locator("th[aria-sort]").inner_text() == "Articles"
    page.get_by_role("button", name="Least overlap").click()
    shown = column(page, "overlap")
    known = [float(score) for score in shown if score != "–"]
    assert known == sorted(known)
    assert shown[len(known) :] == ["–"] * 3
    assert page.locator("th[aria-sort=ascending]").inner_text() == "Least overlap"
    page.get_by_role("button", name="Least overlap").click()
    assert [float(score) for score in column(page, "overlap")[: len(known)]] == known[::-1]
    page.get_by_role("button", name="Title").click()
    latin = [title for title in titles(page) if title.isascii()]
    assert latin == sorted(latin, key=str.casefold)


def test_a_cluster_opens_to_its_articles_side_by_side(open_page: Open, example_page: Path) -> None:
    page = open_page(example_page)
    page.locator(".open", has_text="Engineers lower").click()
    assert page.locator(".open[aria-expanded=true]").count() == 1
    assert page.locator(".members .member").count() == 5
    sides = page.locator(".side")
    assert sides.count() == 2
    for number in page.locator(".side >> nth=0 >> mark").evaluate_all(
        "all => all.map(m => m.dataset.passage)"
    ):
        assert sides.nth(1).locator(f"mark[data-passage='{number}']").count() >= 1
    held = read_page(example_page)
    place = next(k for k, row in enumerate(held.data["articles"]) if row[0] == "dam-tidewire")
    whole = held.texts["texts"][str(place)][2]
    assert sides.nth(0).locator(".pane").evaluate("pane => pane.textContent") == whole
    page.locator("button.member", has_text="Province on watch").click()
    assert sides.nth(1).locator("h4").inner_text() == "Province on watch as cracked dam is drained"
    assert page.locator(".member[aria-pressed=true]").count() == 1
    row = next(row for row in held.data["articles"] if row[0] == "dam-standard")
    said = page.locator(".verdict").inner_text()
    assert said.startswith(f"{row[7] * 100:.0f} % of this article's phrases are in the representative, ")
    assert said.endswith(f"Jaccard similarity {row[6]:.2f}.")


def test_passages_are_walked_through_on_both_sides(open_page: Open, example_page: Path) -> None:
    page = open_page(example_page)
    page.locator(".open", has_text="Engineers lower").click()
    where = page.locator(".steps [role=status]")
    page.wait_for_function(
        "document.querySelector('.steps [role=status]').textContent.startsWith('Passage 1 of')"
    )
    n = int(where.inner_text().split()[-1])
    assert n > 1
    now = (
        "[...document.querySelectorAll('.side')].map((side) =>"
        " [...new Set([...side.querySelectorAll('.now')].map((mark) => mark.dataset.passage))])"
    )
    first = page.evaluate(now)
    assert first[0] == first[1]
    assert len(first[0]) == 1
    page.locator(".next").click()
    assert where.inner_text() == f"Passage 2 of {n}"
    second = page.evaluate(now)
    assert second[0] == second[1] != first[0]
    seen = page.evaluate(
        "[...document.querySelectorAll('.side')].every((s) => {"
        " const pane = s.querySelector('.pane').getBoundingClientRect();"
        " const mark = s.querySelector('.now').getClientRects()[0];"
        " return mark.top >= pane.top - 1 && mark.top < pane.bottom; })"
    )
    assert seen
    page.locator(".previous").click()
    page.locator(".previous").click()
    assert where.inner_text() == f"Passage {n} of {n}"


def test_furniture_is_greyed_out(open_page: Open, tmp_path: Path) -> None:
    room = Newsroom(5)
    footer = "Subscribe to the evening letter of the Gazette for only one crown a month and support our desk"
    stories = room.stories(8, 90)
    rows = [
        {"id": f"s{k}", "text": f"{text}\n\n{footer}", "url": f"https://gazette.example/{k}"}
        for k, text in enumerate(stories)
    ]
    rows.append({"id": "copy", "text": room.edited(stories[0]), "url": "https://else.example/"})
    file = tmp_path / "report.html"
    write_report(run_on(tmp_path, rows), file)
    page = open_page(file)
    page.locator(".open").first.click()
    assert page.locator(".side .furniture").first.inner_text().startswith("Subscribe to the evening letter")
    assert page.locator(".side mark", has_text="Subscribe").count() == 0
    grey, ink = (
        page.locator(css).first.evaluate("e => getComputedStyle(e).color")
        for css in (".side .furniture", ".pane")
    )
    assert grey != ink


def test_a_story_opens_to_its_reports(open_page: Open, example_page: Path) -> None:
    page = open_page(example_page)
    page.locator(".open", has_text="Strong quake rattles").click()
    assert page.locator(".terms li").count() > 3
    assert page.locator(".badge").all_inner_texts() == ["first report", "report"]
    assert page.locator(".side").count() == 2


def test_the_matrix_leads_to_its_clusters(open_page: Open, example_page: Path) -> None:
    page = open_page(example_page)
    page.locator(".flow[data-from='tidewire.example'][data-to='harbourpost.example']").click()
    found = titles(page)
    assert len(found) == 2
    assert "Harrow Island ferry to resume after eleven weeks" in found
    assert "tidewire.example copied by harbourpost.example" in page.locator("#clear").inner_text()
    page.locator("#clear").click()
    assert len(titles(page)) == 11


def test_the_keyboard_is_enough(open_page: Open, example_page: Path) -> None:
    page = open_page(example_page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.locator("#query").focus()
    page.keyboard.type("ferry")
    page.wait_for_timeout(250)
    steps = 0
    while page.evaluate("document.activeElement.className") != "open" and steps < 20:
        page.keyboard.press("Tab")
        steps += 1
    page.keyboard.press("Enter")
    assert page.locator(".detail:not([hidden]) .side").count() == 2
    reached = {"open"}
    while "pane" not in reached and len(reached) < 9:
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.className"))
    assert {"member", "visit", "previous", "next", "pane"} <= reached
    assert page.evaluate("document.activeElement.closest('.detail') !== null")
    # Where the focus is can be seen.
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Escape")
    assert page.locator(".detail:not([hidden])").count() == 0
    assert page.evaluate("document.activeElement.className") == "open"


def test_light_and_dark(open_page: Open, example_page: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    dark, light = (open_page(example_page, scheme=scheme) for scheme in ("dark", "light"))
    colours = dark.evaluate(paper), light.evaluate(paper)
    assert colours[0] != colours[1]
    button = light.locator("#theme")
    assert button.inner_text() == "Theme: as the system"
    button.click()
    assert light.evaluate(paper) == colours[1]
    button.click()
    assert button.inner_text() == "Theme: dark"
    assert light.evaluate(paper) == colours[0]
    for page in (light, dark):  # on paper it is never dark, whatever was chosen or the system has
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate(paper) == "rgb(255, 255, 255)"
        assert page.locator("h1").evaluate("h1 => getComputedStyle(h1).color") == "rgb(0, 0, 0)"
        assert not page.locator("#tools").is_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing(open_page: Open, example_page: Path, width: int, scheme: str) -> None:
    page = open_page(example_page, width, scheme)
    page.locator(".open").nth(2).click()
    page.locator(".open").last.click()
    page.locator(".figures summary").first.click()
    assert violations(page) == []


def test_a_phone_scrolls_down_only(open_page: Open, example_page: Path) -> None:
    page = open_page(example_page, 390)
    for k in (0, 2, 6, 10):
        page.locator(".open").nth(k).click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("#order").is_visible()
    page.locator("#order").select_option("title false")
    assert titles(page)[0] == "Dozens dead as quake levels old quarter of Kalaat Marun"


def test_nothing_runs(open_page: Open, hostile_page: Path) -> None:
    page = open_page(hostile_page)
    n_groups = page.locator(".open").count()
    assert n_groups > 5
    for k in range(n_groups):
        page.locator(".open").nth(k).click()
        assert page.locator(f".detail >> nth={k} >> .side").count() == 2
    page.locator("button.member", has_text="<img src=x").first.click()
    search(page, "<script>")
    page.locator("#clear").click()
    page.locator(".flow").first.click()
    page.locator("#clear").click()
    links = page.evaluate(
        "[...document.querySelectorAll('a.visit')].map((a) => [a.getAttribute('href'), a.rel])"
    )
    assert {href for href, _ in links} <= {LINKS[3], LINKS[5]}
    assert {rel for _, rel in links} == {"noopener noreferrer nofollow"}
    page.evaluate(
        "document.querySelectorAll('*').forEach((e) => e.dispatchEvent(new MouseEvent('mouseover')))"
    )
    assert page.evaluate("document.querySelectorAll('script').length") == 3
    assert page.evaluate("document.querySelectorAll('img, iframe, object, embed, [onload]').length") == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_words_stay_within_the_page(open_page: Open, hostile_page: Path, width: int) -> None:
    page = open_page(hostile_page, width)
    page.evaluate("document.querySelectorAll('.open').forEach((button) => button.click())")
    assert page.locator(".side").count() > 10
    assert page.evaluate("document.documentElement.scrollWidth") == width
    wide = (
        "[...document.querySelectorAll('main *')].filter((e) => !e.closest('svg, .matrix, .unseen')"
        " && e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 90))"
    )
    assert page.evaluate(wide) == []


def test_links_open_elsewhere_and_tell_nothing(open_page: Open, example_page: Path) -> None:
    page = open_page(example_page)
    page.locator(".open").first.click()
    for link in page.locator("a.visit").all():
        assert link.get_attribute("target") == "_blank"
        assert link.get_attribute("rel") == "noopener noreferrer nofollow"
        assert link.get_attribute("href").startswith("https://")


@pytest.mark.slow
def test_twenty_thousand_articles_are_usable_within_a_second(
    open_page: Open, tmp_path: Path, large_run: Path
) -> None:
    file = tmp_path / "report.html"
    write_report(large_run, file)
    assert file.stat().st_size < 5_000_000
    # The best of a few, since other processes may hold the machine up.
    pages = [open_page(file) for _ in range(3)]
    ready = "performance.getEntriesByName('ready')[0].startTime"
    assert min(page.evaluate(ready) for page in pages) < 1000
    page = pages[0]
    assert not page.locator("#kind").is_visible()  # there are no stories to choose
    began = page.evaluate("performance.now()")
    search(page, "harbour")
    assert page.evaluate("performance.now()") - began < 1500
    assert page.locator("#found").inner_text().endswith("listed")


@pytest.mark.parametrize("width", [1280, 390])
def test_without_a_script_it_still_tells(browser: Any, example_page: Path, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.goto(example_page.as_uri())
    assert page.locator("h1").inner_text() == "28 % of the articles repeat others"
    rows = page.locator("noscript .row")
    assert rows.count() == 11
    assert rows.first.locator("b").inner_text() == "Engineers lower Lake Orrin after crack found in dam"
    assert not page.locator("#tools").is_visible()
    boxes = [box for box in (row.bounding_box() for row in rows.all()) if box]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    context.close()


def test_marks_upon_marks_stay_in_their_line(open_page: Open, tmp_path: Path) -> None:
    text = Newsroom(8).story(60)
    title = "Zeitung" + "\u0301" * 150
    rows = [{"id": str(k), "text": text, "title": title} for k in range(2)]
    file = tmp_path / "report.html"
    write_report(run_on(tmp_path, rows), file)
    page = open_page(file)
    assert page.locator("#rows .open").evaluate("e => e.textContent.match(/\u0301/g).length") == 8
