"""Files, directories, globs and URIs."""

from __future__ import annotations

from pathlib import Path

import pytest

from samestory.config import Config
from samestory.errors import InputError, SamestoryError
from samestory.read import open_source
from samestory.read.discover import _translate

LINE = '{"text": "Nevica a Bolzano."}\n'


@pytest.fixture
def tree(tmp_path) -> Path:
    for name in ("b.jsonl", "a/z.jsonl", "a/y.txt", "a-b/x.jsonl", "a/deep/w.ndjson", "10.jsonl", "9.jsonl"):
        path = tmp_path / "news" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(LINE)
    for name in (
        ".hidden.jsonl",
        "_part.jsonl",
        "_tmp/v.jsonl",
        ".git/u.jsonl",
        "README.md",
        "a/data.jsonl.crc",
    ):
        path = tmp_path / "news" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not to be read")
    return tmp_path


def ids(data, **settings):
    with open_source(data, Config(**settings)) as source:
        return [value for batch in source.batches() for value in batch["doc_id"].to_pylist()]


ALL = ["10.jsonl:1", "9.jsonl:1", "a/deep/w.ndjson:1", "a/y.txt", "a/z.jsonl:1", "a-b/x.jsonl:1", "b.jsonl:1"]


def test_directory_in_fixed_order_without_hidden_or_unknown(tree):
    assert ids(tree / "news") == ALL
    assert ids(str(tree / "news") + "/") == ALL
    with open_source(tree / "news", Config()) as source:
        assert source.inputs == [str(tree / "news")]
        assert source.n_bytes == len(LINE) * len(ALL)


def test_uri(tree):
    assert ids((tree / "news").as_uri()) == ALL
    uri = (tree / "news" / "b.jsonl").as_uri()
    assert ids(uri) == [f"{uri}:1"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("news/*.jsonl", ["10", "9", "_part", "b"]),
        ("news/[!_]*.jsonl", ["10", "9", "b"]),
        ("news/?.jsonl", ["9", "b"]),
        ("news/*/?.jsonl", ["x", "z", "v"]),
        ("news/**/x.*", ["x"]),
        ("news/a*/x.jsonl", ["x"]),
    ],
)
def test_globs(tree, monkeypatch, pattern, names):
    monkeypatch.chdir(tree)
    (tree / "news" / "_part.jsonl").write_text(LINE)
    (tree / "news" / "_tmp" / "v.jsonl").write_text(LINE)
    for given in (pattern, tree.as_uri() + "/" + pattern):
        assert sorted(Path(value.rpartition(":")[0]).stem for value in ids(given)) == sorted(names)
    assert all(value.startswith("news/") for value in ids(pattern))


def test_glob_of_directories(tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert ids("news/a*") == ["news/a/deep/w.ndjson:1", "a/y.txt", "news/a/z.jsonl:1", "news/a-b/x.jsonl:1"]


def test_name_with_brackets_is_a_name_first(tmp_path):
    (tmp_path / "[1].jsonl").write_text(LINE)
    assert len(ids(tmp_path / "[1].jsonl")) == 1


def test_list_keeps_its_order(tree):
    news = tree / "news"
    got = ids([news / "b.jsonl", news / "9.jsonl"])
    assert [Path(value).name for value in got] == ["b.jsonl:1", "9.jsonl:1"]


def test_same_names_in_two_directories_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("may", "june"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jsonl").write_text(LINE)
    assert ids(["may", "june"]) == ["may/x.jsonl:1", "june/x.jsonl:1"]


def test_format_setting_reads_files_of_any_name(tmp_path):
    (tmp_path / "part-0").write_text(LINE)
    with pytest.raises(InputError, match="empty"):
        ids(tmp_path)
    assert ids(tmp_path, format="jsonl") == ["part-0:1"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("absent.jsonl", "no such file"),
        ("absent/*.jsonl", "matches no file"),
        ("news.xyz", "--format"),
        ("barren", "empty"),
        ("crawl.warc.gz", "not the beginning of a record"),
        ("file:///no/such/place.jsonl", "no such file"),
        ("nosuchscheme://x/y.jsonl", "nosuchscheme"),
    ],
)
def test_what_cannot_be_found_or_read(tmp_path, monkeypatch, given, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "barren").mkdir()
    (tmp_path / "barren" / "notes.md").touch()
    for name in ("news.xyz", "crawl.warc.gz"):
        (tmp_path / name).write_text("x")
    with pytest.raises(SamestoryError, match=message) as caught:
        ids(given)
    assert caught.value.hint


def test_no_input_at_all():
    with pytest.raises(InputError, match="no input"):
        ids([])


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("a/*.csv", "a/b.csv", True),
        ("a/*.csv", "a/b/c.csv", False),
        ("a/**/c.csv", "a/c.csv", True),
        ("a/**/c.csv", "a/b/d/c.csv", True),
        ("a/[!x].csv", "a/x.csv", False),
        ("a.csv", "aXcsv", False),
        ("a/*.csv", "a/.b.csv", False),
        ("a/**/c.csv", "a/.git/c.csv", False),
        ("a/**/*.csv", "a/b/d/c.csv", True),
    ],
)
def test_remote_patterns(pattern, path, expected):
    assert bool(_translate(pattern).fullmatch(path)) is expected
