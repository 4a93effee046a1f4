"""Pages, crawls and other places through the commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import SAMESTORY, call, environment, read_lines, run, wait_for, write_lines

import samestory
from loopback import KEY, SECRET, s3_server
from webpages import Response, packed, page, stories, write_warc

TEXTS = stories(3, 200)
PLAIN = ("--no-boilerplate", "--no-progress")


def write_site(folder: Path) -> Path:
    """Two pages with one text, a text file with it too, and a page, a line and a file of their own."""
    folder.mkdir()
    (folder / "a.html").write_text(page(TEXTS[0], date="2025-03-01T08:00:00Z"))
    (folder / "b.htm").write_text(page(TEXTS[0], site="Harbour Post", date="2025-03-01T09:30:00Z"))
    (folder / "c.html").write_text(page(TEXTS[1], title="Bridge shut", url="https://tide.example/b"))
    (folder / "d.txt").write_text(TEXTS[0])
    write_lines(folder / "e.jsonl", [{"id": "e", "text": TEXTS[2], "title": "Third"}])
    return folder


@pytest.fixture
def site(tmp_path) -> Path:
    return write_site(tmp_path / "site")


def clusters_of(folder: Path) -> dict[str, str]:
    table = pq.read_table(folder / "clusters.parquet")
    return dict(zip(table["doc_id"].to_pylist(), table["cluster_id"].to_pylist(), strict=True))


def test_cluster_of_pages_and_others(site, tmp_path):
    ran = call("cluster", site, "-o", tmp_path / "out", "--json", *PLAIN)
    assert ran.code == 0, ran.err
    stats = json.loads(ran.out)
    assert stats["counts"]["articles"] == 5
    assert stats["columns"]["source"] == "source"
    assert clusters_of(tmp_path / "out") == {
        "a.html": "a.html",
        "b.htm": "a.html",
        "c.html": "c.html",
        "d.txt": "a.html",
        "e": "e",
    }
    rows = pq.read_table(tmp_path / "out" / "clusters.parquet").to_pylist()
    assert [row["source"] for row in rows[:3]] == ["Tide Wire", "Harbour Post", "Tide Wire"]
    assert rows[1]["published_at"].hour == 9


def test_dedup_of_pages_writes_what_was_taken_of_them(site, tmp_path):
    ran = call(
        "dedup", site / "a.html", site / "b.htm", site / "c.html", "-o", tmp_path / "kept.jsonl", *PLAIN
    )
    assert ran.code == 0, ran.err
    kept = read_lines((tmp_path / "kept.jsonl").read_text())
    assert [Path(row["doc_id"]).name for row in kept] == ["a.html", "c.html"]
    assert list(kept[0]) == ["doc_id", "text", "title", "source", "url", "published_at"]
    assert kept[1]["title"] == "Bridge shut"
    assert kept[1]["text"].split()[-1] == TEXTS[1].split()[-1]
    # What is written can be read: nothing in it is redundant.
    assert (
        call(
            "dedup", tmp_path / "kept.jsonl", "-o", tmp_path / "again.parquet", "--fail-on-duplicates", *PLAIN
        ).code
        == 0
    )


def test_dedup_of_several_formats_has_all_columns(site, tmp_path):
    assert call("dedup", site, "-o", tmp_path / "kept.parquet", *PLAIN).code == 0
    table = pq.read_table(tmp_path / "kept.parquet")
    assert table.column_names == ["doc_id", "text", "title", "source", "url", "published_at", "id"]
    assert table["id"].to_pylist() == [None, None, "e"]


def test_ingest_of_pages(site, tmp_path):
    ran = call("ingest", site, "--index", tmp_path / "index", "-o", tmp_path / "first.jsonl", *PLAIN)
    assert ran.code == 0, ran.err
    found = {row["doc_id"]: row for row in read_lines((tmp_path / "first.jsonl").read_text())}
    assert found["d.txt"]["matched_id"] == "a.html"
    again = call("ingest", site, "--index", tmp_path / "index", "--json", *PLAIN)
    assert json.loads(again.out)["in_index"] == 5


@pytest.fixture
def crawl(tmp_path) -> Path:
    pages = [
        Response(
            page(text, site="", url="").encode(), f"https://{host}.example/1", record_id=f"<urn:uuid:{host}>"
        )
        for host, text in zip(("tide", "post", "wire"), (TEXTS[0], TEXTS[1], TEXTS[0]), strict=True)
    ]
    return write_warc(tmp_path / "crawl.warc", pages)


def test_cluster_and_dedup_of_a_crawl(crawl, tmp_path):
    for k, path in enumerate([crawl, packed(crawl)]):
        assert call("cluster", path, "-o", tmp_path / f"out{k}", *PLAIN).code == 0
        assert clusters_of(tmp_path / f"out{k}") == {
            "<urn:uuid:tide>": "<urn:uuid:tide>",
            "<urn:uuid:post>": "<urn:uuid:post>",
            "<urn:uuid:wire>": "<urn:uuid:tide>",
        }
    assert call("dedup", crawl, "-o", tmp_path / "kept.csv", *PLAIN).code == 0
    lines = (tmp_path / "kept.csv").read_text().splitlines()
    assert lines[0] == '"doc_id","text","title","source","url","published_at"'
    assert "https://wire.example/1" not in "".join(lines)


def test_a_crawl_that_is_cut_off(crawl, tmp_path):
    crawl.write_bytes(crawl.read_bytes()[:-2000])
    ran = call("cluster", crawl, "-o", tmp_path / "out", *PLAIN)
    assert ran.code == 2
    assert f"{crawl}:6: the file ends " in ran.err
    assert "Hint: correct it, or set such rows aside with --on-error skip" in ran.err
    assert "Traceback" not in ran.err
    assert not (tmp_path / "out").exists()
    assert call("cluster", crawl, "-o", tmp_path / "out", "--on-error", "skip", *PLAIN).code == 0
    (reject,) = read_lines((tmp_path / "out" / "rejects.jsonl").read_text())
    assert (reject["file"], reject["row"]) == (str(crawl), 6)
    assert json.loads((tmp_path / "out" / "run.json").read_text())["counts"]["articles"] == 2


def test_format_of_files_of_other_names(tmp_path):
    (tmp_path / "index.php").write_text(page(TEXTS[0]))
    assert (
        call("cluster", tmp_path / "index.php", "--format", "html", "-o", tmp_path / "out", *PLAIN).code == 0
    )
    assert call("cluster", "-", "--format", "html", "-o", tmp_path / "out2", *PLAIN).code == 2


BLOCKER = """
import sys


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Blocker())
"""


@pytest.mark.parametrize(
    ("missing", "given", "extra"),
    [
        ("trafilatura", "site", "html"),
        ("warcio", "crawl.warc", "html"),
        ("lxml", "site/a.html", "html"),
        ("fsspec", "https://tide.example/a.jsonl", "remote"),
    ],
)
def test_without_an_extra(site, crawl, tmp_path, missing, given, extra):
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(BLOCKER.replace("{names!r}", repr({missing})))
    path = os.pathsep.join([str(tmp_path / "blocked"), os.environ.get("PYTHONPATH", "")])
    where = given if "://" in given else tmp_path / given
    ran = run("cluster", where, "-o", tmp_path / "out", "-q", PYTHONPATH=path)
    assert ran.code == 2
    error, hint = ran.err.splitlines()
    assert error.startswith("Error: ")
    assert hint == f"Hint: pip install 'samestory[{extra}]'"
    assert not (tmp_path / "out").exists()


def test_files_of_the_present_folder_are_not_run(site, tmp_path):
    (site / "json.py").write_text("raise SystemExit('run by mistake')")
    script = tmp_path / "start.py"  # as the installed command, which has its own folder on the path
    script.write_text("from samestory.cli import main\nmain()\n")
    done = subprocess.run(
        [sys.executable, script, "cluster", ".", "-o", tmp_path / "out", "-q"],
        cwd=site,
        env=environment(PYTHONPATH=str(Path(samestory.__file__).parents[1])),
        capture_output=True,
        timeout=180,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_other_formats_need_no_extra(site, tmp_path):
    (tmp_path / "blocked").mkdir()
    names = repr({"trafilatura", "warcio", "lxml", "fsspec", "brotli", "aiohttp"})
    (tmp_path / "blocked" / "sitecustomize.py").write_text(BLOCKER.replace("{names!r}", names))
    path = os.pathsep.join([str(tmp_path / "blocked"), os.environ.get("PYTHONPATH", "")])
    ran = run("cluster", site / "e.jsonl", site / "d.txt", "-o", tmp_path / "out", "-q", PYTHONPATH=path)
    assert (ran.code, ran.err) == (0, "")


def test_a_store_by_the_environment_alone(site, crawl, tmp_path):
    with s3_server() as store:
        store.put_tree("news", site)
        store.put("news", {"crawl.warc": crawl.read_bytes()})
        ran = run("cluster", "s3://news", "-o", tmp_path / "out", "-v", *PLAIN, **store.environment)
        assert ran.code == 0, ran.err
        assert call("cluster", site, crawl, "-o", tmp_path / "local", *PLAIN).code == 0
        theirs, ours = (pq.read_table(tmp_path / name / "clusters.parquet") for name in ("out", "local"))
        assert theirs.num_rows == ours.num_rows == 8
        written = ran.out + ran.err + (tmp_path / "out" / "run.json").read_text()
        assert SECRET not in written
        assert KEY not in written
        assert "s3://news" in written
        ran = call("dedup", "s3://news/*.htm*", "-o", "-", *PLAIN, **store.environment)
        assert [row["doc_id"] for row in read_lines(ran.out)] == ["a.html", "c.html"]
        ran = call(
            "ingest", "s3://news/e.jsonl", "--index", tmp_path / "index", "--json", **store.environment
        )
        assert json.loads(ran.out)["articles"] == 1
        ran = call("cluster", "s3://nowhere/x.jsonl", "-o", tmp_path / "none", **store.environment)
        assert ran.code == 2
        assert ran.err.splitlines()[0] == "Error: s3://nowhere/x.jsonl: there is no bucket 'nowhere'"
    ran = call("cluster", "s3://news", "-o", tmp_path / "none", **store.environment)
    assert ran.code == 2
    assert "there is no connection" in ran.err
    assert "Traceback" not in ran.err


def test_an_interrupt_ends_the_processes_of_pages(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    text = page("\n\n".join(TEXTS * 30))
    for k in range(3000):
        (folder / f"{k}.html").write_text(text)
    started = subprocess.Popen(
        [*SAMESTORY, "cluster", folder, "-o", tmp_path / "out", *PLAIN],
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert wait_for(lambda: len(children(started.pid)) > 0)
    workers = children(started.pid)
    started.send_signal(signal.SIGINT)
    err = started.communicate(timeout=60)[1].decode()
    assert started.returncode == 130
    assert err.splitlines()[-1] == "Error: interrupted"
    assert not (tmp_path / "out").exists()
    assert wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 10)


def children(pid: int) -> list[int]:
    """Processes that a process started."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    try:
        return [int(child) for path in found for child in path.read_text().split()]
    except OSError:  # a thread has ended
        return []
