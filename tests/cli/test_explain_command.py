"""`samestory explain`: what it prints on terminals of several widths, in colour and without, and as JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from command import Ran, call, environment, read_terminal, run, write_lines
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

import samestory
from samestory.cli.explained import View
from samestory.cli.extracts import LEFT_OUT, Piece, displayed, is_right_to_left, pieces_of, rows_of
from samestory.cli.wrapping import wrapped
from samestory.examples import example_text
from samestory.passages import Article, compare

EVIL = "\x1b]0;owned\x07\x1b[2J\u202egnp\x9b31m\u2066"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069]")
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over the example articles."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "news.jsonl").write_text(example_text(), encoding="utf-8")
    config = samestory.Config(level="story", threads=2)
    samestory.cluster(str(folder / "news.jsonl"), config).write(folder / "out")
    return folder / "out"


def explain(out: Path, *arguments: str, columns: int = 80, **changes: str) -> Ran:
    return call("explain", out, *arguments, COLUMNS=str(columns), **changes)


def flat(text: str) -> str:
    return " ".join(text.split())


# --- What it says -------------------------------------------------------------


def test_near_copies(out: Path) -> None:
    ran = explain(out, "dam-tidewire", "dam-gazette")
    assert (ran.code, ran.err) == (0, "")
    said = flat(ran.out)
    assert said.startswith("near copies in one cluster of 5 articles A id dam-tidewire")
    assert "Jaccard similarity 0.890 0.7 or more: near copies" in said
    assert "share of A in B 0.975 0.25 or more: partial copies" in said
    assert "shared shingles 268 of 275 in A and 294 in B, runs of 3 words" in said
    assert "chance to meet > 99.99 % in MinHash, 17 bands of 4 rows" in said
    assert "home, but] 2,300 [2: households" in said
    assert "home, but] 3,200 [2: households" in said
    assert "Correction: an earlier version" in said
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("columns", [40, 80, 99, 100, 140])
@pytest.mark.parametrize("other", ["dam-gazette", "zh-youlu-wang", "voice-bees", "th-nang"])
def test_lines_fit(columns: int, other: str, out: Path) -> None:
    ran = explain(out, "zh-youlu-ribao", other, "--full", columns=columns)
    assert ran.code == 0
    assert max(cell_len(line) for line in ran.out.splitlines()) <= columns


@pytest.mark.parametrize(("columns", "option", "beside"), [
    (99, None, False), (100, None, True), (140, "--stacked", False), (80, "--beside", True),
])  # fmt: skip
def test_one_beside_the_other(columns: int, option: str | None, beside: bool, out: Path) -> None:
    ran = explain(out, "dam-tidewire", "dam-gazette", *([option] if option else []), columns=columns)
    lines = ran.out.splitlines()
    assert any(re.search(r"^A  dam-tidewire +B  dam-gazette", line) for line in lines) == beside
    if beside:
        both = [line for line in lines if line.count("The crack was noticed by a") == 2]
        assert len(both) == 1


def test_columns_hold_with_wide_letters(out: Path) -> None:
    ran = explain(out, "zh-youlu-ribao", "zh-youlu-wang", columns=110)
    lines = ran.out.splitlines()
    begin = next(k for k, line in enumerate(lines) if line.startswith("A  zh-youlu-ribao"))
    at = lines[begin].index("B  zh")
    texts = [line for line in lines[begin + 1 : -1] if line.strip()]
    assert len(texts) >= 8
    for line in texts:
        cells = [cell_len(line[:k]) for k in range(len(line) + 1)]
        assert at in cells or cell_len(line) < at
        gap = line[cells.index(at) - 2 : cells.index(at)] if at in cells else ""
        assert gap.strip() == ""
    assert "".join(re.findall("[一-鿿]+", ran.out)).count("药品和包裹送到山上") == 2


@pytest.mark.parametrize("doc_id", ["zh-youlu-ribao", "ja-ekiben", "th-nang"])
def test_lines_are_full_where_words_need_no_spaces(doc_id: str, out: Path) -> None:
    ran = explain(out, doc_id, "tr-kedi", "--full", columns=60)
    shown = ran.out.split(f"A  {doc_id}\n")[1].split("B  tr-kedi")[0].strip()
    for paragraph in shown.split("\n\n"):
        for line in paragraph.split("\n")[:-1]:
            assert cell_len(line) >= 50


def test_scripts_from_right_to_left_stand_alone(out: Path) -> None:
    ran = explain(out, "ar-souq-sahil", "ar-souq-marsa", columns=140)
    assert "\nA  ar-souq-sahil\n" in ran.out
    assert "مرسى الياقوت" in ran.out


def test_furniture_is_in_braces_and_long_stretches_are_left_out(out: Path) -> None:
    ran = explain(out, "voice-bees", "train-lantern")
    said = flat(ran.out)
    assert "189 words; 97 more (33.9%) are page furniture" in said
    assert re.search(
        r"\{The Orrin Valley Voice is a newsroom.* … 73 words … .*registered charity 20417\}", said
    )
    assert "switched themselves off at ten [1: in the evening], and" in said
    assert "105 words" in said
    full = flat(explain(out, "voice-bees", "train-lantern", "--full").out)
    assert LEFT_OUT not in full
    assert "words …" not in full
    assert "Two winters ago they lost a third of their colonies" in full


def test_why_not(out: Path) -> None:
    said = flat(explain(out, "marun-tidewire", "ja-ekiben").out)
    assert said.startswith("not the same A id")
    assert "They have no shingle in common." in said


def test_the_way_between_linked_articles(out: Path) -> None:
    said = flat(explain(out, "library-ledger", "digest-lantern").out)
    assert said.startswith("linked by way of others in one cluster of 3 articles")
    assert "way from A to B relation Jaccard share" in said
    assert "library-ledger library-tidewire partial 0.371 1.000 library-tidewire digest-lantern" in said


def test_stories(out: Path) -> None:
    said = flat(explain(out, "velaro-tidewire", "velaro-standard").out)
    assert said.startswith("one story, told in other words")
    assert "Their story is held together by costamar, velaro" in said
    assert "shared terms, of 15 in A in B share costamar 0.168 0.162 15%" in said
    assert len(explain(out, "velaro-tidewire", "velaro-standard", "-v").out) > len(said)
    assert "--terms weighs" in explain(out, "velaro-tidewire", "velaro-standard", "--no-terms").out


def test_one_article(out: Path) -> None:
    ran = explain(out, "dam-tidewire", "dam-tidewire")
    assert ran.code == 0
    assert ran.out.startswith("one article\n")
    assert ran.out.count("Engineers began") == 1


def test_a_title_for_a_text(out: Path) -> None:
    assert "8 words; of the title, for there is no text" in flat(explain(out, "tunnel-live", "tr-kedi").out)


def test_json(out: Path) -> None:
    ran = explain(out, "dam-tidewire", "dam-gazette", "--json")
    found = json.loads(ran.out)
    assert (ran.code, ran.err, ran.out.count("\n")) == (0, "", 1)
    assert list(found) == [
        "folder", "kind", "settings", "relation", "in_one_cluster", "in_one_story", "scores", "candidate",
        "reasons", "chain", "story", "warnings", "a", "b", "passages",
    ]  # fmt: skip
    assert (found["kind"], found["relation"], found["settings"]["evidence"]) == ("run", "near", 12)
    assert found["candidate"] == {"chance": pytest.approx(1.0), "bands": 17, "rows_per_band": 4}
    for side in "ab":
        spans = found[side]["spans"]
        assert "".join(found[side]["text"][s["begin"] : s["end"]] for s in spans) == found[side]["text"]
    (begin, end), (other_begin, other_end) = found["passages"][0]["a"][0], found["passages"][0]["b"][0]
    assert found["a"]["text"][begin:end] == found["b"]["text"][other_begin:other_end]


def test_an_index(out: Path, tmp_path: Path) -> None:
    with samestory.Index.open(tmp_path / "index", create=True) as index:
        index.ingest(str(out.parent / "news.jsonl"))
    said = flat(explain(tmp_path / "index", "dam-tidewire", "dam-gazette").out)
    assert "An index keeps texts as they were folded" in said
    assert "home but] 2 300 [2: households" in said


# --- Errors and warnings --------------------------------------------------------


def test_unknown_ids(out: Path) -> None:
    ran = explain(out, "dam-tidewir", "dam-gazette")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no article 'dam-tidewir'" in ran.err
    assert "Hint: did you mean 'dam-tidewire'" in ran.err
    ran = explain(out, EVIL, EVIL + "x" * 5000)
    assert ran.code == 2
    assert not OBEYED.search(ESCAPES.sub("", ran.err))
    assert len(ran.err) < 1500


def test_inputs_that_have_moved(out: Path, tmp_path: Path) -> None:
    moved = write_lines(tmp_path / "moved.jsonl", [json.loads(line) for line in example_text().splitlines()])
    path = out.parent / "news.jsonl"
    kept = path.read_bytes()
    path.unlink()
    try:
        ran = explain(out, "dam-tidewire", "dam-gazette")
        assert (ran.code, ran.out) == (2, "")
        assert "cannot be read again" in ran.err
        assert "Hint: name the files that hold them with --input" in ran.err
        assert explain(out, "dam-tidewire", "dam-gazette", "--input", str(moved)).code == 0
    finally:
        path.write_bytes(kept)


def test_a_warning_where_the_inputs_have_changed(tmp_path: Path) -> None:
    rows = [{"id": i, "text": f"{i} " + " ".join(f"w{k}" for k in range(50))} for i in "ab"]
    path = write_lines(tmp_path / "news.jsonl", rows)
    samestory.cluster(str(path), samestory.Config(threads=1)).write(tmp_path / "out")
    write_lines(path, [rows[0], {**rows[1], "text": "other words altogether now"}])
    ran = explain(tmp_path / "out", "a", "b")
    assert ran.code == 0
    assert "Warning: 'b' is not what it was" in ran.err
    assert explain(tmp_path / "out", "a", "b", "-q").err == ""


@pytest.mark.parametrize("folder", ["nowhere", ""])
def test_no_run(folder: str, tmp_path: Path) -> None:
    ran = explain(tmp_path / folder, "a", "b")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: ")
    assert "Hint: " in ran.err


# --- Hostile articles -----------------------------------------------------------


def hostile(tmp_path: Path) -> Path:
    words = " ".join(f"w{k}" for k in range(60))
    texts = {
        "control": f"{words} {EVIL} " + "\x1b" * 20_000 + " tail",
        "word": f"{words} " + "x" * 100_000 + " end",
        "marks": f"{words} a" + "\u0301" * 50_000 + " b",
        "lines": f"{words}" + "\nline" * 20_000,
        "markup": f"{words} [bold]x[/bold] [red]y[/] \\[z] :smile:",
        EVIL: f"{words} {EVIL}",
    }
    rows = [
        {"id": name, "title": EVIL + name, "text": text, "source": f"{EVIL}{k}", "url": f"javascript:{EVIL}"}
        for k, (name, text) in enumerate(texts.items())
    ]
    path = write_lines(tmp_path / "news.jsonl", rows)
    samestory.cluster(str(path), samestory.Config(threads=1)).write(tmp_path / "out")
    return tmp_path / "out"


def test_nothing_of_an_article_is_obeyed(tmp_path: Path) -> None:
    out = hostile(tmp_path)
    for k, other in enumerate(("word", "marks", "lines", "markup", EVIL)):
        for options in ((), ("--full", "-v"), ("--json",))[: 3 if k in (1, 4) else 2]:
            for columns in (60, 120)[k % 2 :]:
                ran = explain(out, "control", other, *options, columns=columns)
                assert ran.code == 0
                assert not OBEYED.search(ran.out)
                if not options:
                    assert len(ran.out) < 12_000
                if "--json" not in options:
                    assert max(cell_len(line) for line in ran.out.splitlines()) <= columns
    assert "[bold]x[/bold] [red]y[/] \\[z] :smile:" in flat(explain(out, "control", "markup").out)


def test_what_is_displayed() -> None:
    assert displayed("a\r\nb\rc\td\u2028e\u00a0f") == "a\nb\nc d\ne f"
    assert displayed("a\n\n \n\nb      c") == "a\n\nb c"
    assert displayed("\x1b[31m\x9b \x00") == "\\x1b[31m\\x9b \\x00"
    assert displayed("می\u200cخواهم 👩\u200d🚀 ❤\ufe0f \ue000") == "میخواهم 👩🚀 ❤ \\ue000"
    assert not is_right_to_left(["Straße 新闻 12", None])
    assert is_right_to_left(["abc שלום"])


# --- Pieces and rows ------------------------------------------------------------


def shown(texts: tuple[str, str], *, full: bool = False) -> tuple[list[Any], list[Any]]:
    compared = compare(Article("a", texts[0]), Article("b", texts[1]))
    pieces = [pieces_of(side, full=full) for side in (compared.a, compared.b)]
    for text, own in zip(texts, pieces, strict=True):
        assert [piece.begin for piece in own] == [0, *(piece.end for piece in own[:-1])][: len(own)]
        assert (own[-1].end if own else 0) == len(text)
    rows = rows_of(compared, *pieces)
    for k in range(2):
        flattened = [(p.begin, p.end) for row in rows for p in row[k]]
        assert flattened == sorted(flattened)
        assert "".join(texts[k][begin:end] for begin, end in flattened) == texts[k]
    return pieces, rows


def words(name: str, n: int) -> str:
    return " ".join(f"{name}{k}" for k in range(n))


def test_long_stretches_are_left_out() -> None:
    pieces, _ = shown((words("a", 500), words("b", 85)))
    assert [(piece.kind, piece.note) for piece in pieces[0]] == [
        ("plain", ""), (LEFT_OUT, "440 words"), ("plain", ""),
    ]  # fmt: skip
    assert [piece.kind for piece in pieces[1]] == ["plain"]
    assert [piece.kind for piece in shown((words("a", 500), ""), full=True)[0][0]] == ["plain"]


def test_long_words_are_left_out() -> None:
    text = f"one {'x' * 1000} two {'!' * 1000}"
    notes = [piece.note for piece in shown((text, "b"))[0][0] if piece.kind == LEFT_OUT]
    assert notes == ["910 characters", "911 characters"]


def test_no_more_than_some_pieces_are_shown() -> None:
    a = " ".join(f"p q r x{k}" for k in range(2000))
    b = " ".join(f"p q r y{k}" for k in range(2000))
    pieces, _ = shown((a, b))
    assert len(pieces[0]) == 301
    assert pieces[0][-1].note == "7,400 words"


def test_like_paragraphs_stand_in_one_row() -> None:
    paragraphs = [words(name, 12) for name in "klmn"]
    a = "\n\n".join(paragraphs)
    b = words("z", 9) + "\n\n" + "\n\n".join([paragraphs[0], words("y", 9), *paragraphs[2:]])
    _, rows = shown((a, b))
    found = [(cut(a, left), cut(b, right)) for left, right in rows]
    assert (paragraphs[3], paragraphs[3]) in found
    assert (paragraphs[2], paragraphs[2]) in found
    assert all((paragraphs[0] in left) == (paragraphs[0] in right) for left, right in found)


@pytest.mark.parametrize("last", [5, 40])
def test_what_is_longest_stands_in_one_row(last: int) -> None:
    one, two, three = words("k", 12), words("l", 12), words("m", last)
    a, b = "\n".join([one, two, three]), "\n".join([three, one, two])
    _, rows = shown((a, b))
    found = [(cut(a, left), cut(b, right)) for left, right in rows]
    assert ((f"{two}\n{three}", two) in found) == (last == 5)
    assert ((three, f"{three}\n{one}\n{two}") in found) == (last == 40)


def cut(text: str, pieces: list[Piece]) -> str:
    return "".join(text[piece.begin : piece.end] for piece in pieces).strip()


# --- On a terminal --------------------------------------------------------------


def on_terminal(out: Path, *arguments: str, columns: int, **changes: str) -> str:
    """Run the command with standard output on a terminal; what it wrote there."""
    import fcntl
    import os
    import pty
    import struct
    import subprocess
    import sys
    import termios

    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "samestory", "explain", str(out), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=environment(TERM="xterm-256color", **changes),
    )
    os.close(theirs)
    shown = read_terminal(mine)
    assert process.wait(timeout=180) == 0
    return shown


def test_colours_on_a_terminal(out: Path) -> None:
    text = on_terminal(out, "dam-tidewire", "dam-gazette", "--no-progress", columns=120)
    assert "\x1b[7;32m1\x1b[0m \x1b[32mLAKE ORRIN" in text
    assert "[1:" not in text
    assert "A  dam-tidewire" in ESCAPES.sub("", text)
    furniture = on_terminal(out, "voice-bees", "voice-choir", "--no-progress", columns=80)
    assert re.search("\x1b\\[2;9mThe Orrin Valley Voice", furniture)


def test_brackets_where_colours_are_not_wanted(out: Path) -> None:
    text = on_terminal(out, "dam-tidewire", "dam-gazette", columns=80, NO_COLOR="1")
    assert "[1: LAKE ORRIN" in ESCAPES.sub("", text)
    assert "\x1b[32m" not in text


def test_help_is_quick_and_has_examples() -> None:
    ran = run("explain", "--help")
    assert ran.code == 0
    assert "Examples:\n  samestory explain out" in ran.out.replace("  Examples:\n    ", "Examples:\n  ")


def test_short_lines_of_long_texts_are_not_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["short", "", "a longer line of words that is wrapped", "x" * 50, "two  spaces ", "  begins"]
    lines += ["字" * 30, ""]
    text = Text("\n".join(lines), overflow="fold")
    text.stylize("bold", 3, 60)
    view = View(Console(width=20, color_system=None), full=True, verbose=False, stacked=None)
    wanted = wrapped(text, 20).wrap(view._console, 20, overflow="fold")
    assert list(view._lines(text, 20)) == list(wanted)
    monkeypatch.delattr(Text, "wrap")
    assert len(list(view._lines(Text("short line\n" * 1000), 20))) == 1001
