"""WARC files: which records become articles, what of them, and what is left where they are damaged."""

from __future__ import annotations

import gzip
import random
import re
import subprocess
import sys
from pathlib import Path

import brotli
import pytest

from samestory.config import Config
from samestory.errors import InputError
from samestory.read import open_source
from samestory.read.warcrecords import DamagedRecord, Record, WarcRecords
from webpages import Response, page, stories, without_ids, write_warc

TEXTS = stories(6)
SKIP = Config(on_error="skip")


def responses(count: int) -> list[Response]:
    """Pages of three sites."""
    return [
        Response(
            page(TEXTS[k % 6], title=f"Number {k}", site="", url="").encode(),
            url=f"https://www.site{k % 3}.example/{k}.html",
            record_id=f"<urn:uuid:{k}>",
        )
        for k in range(count)
    ]


def read(data, **settings):
    with open_source(data, Config(**settings)) as source:
        return [row for batch in source.batches() for row in batch.to_pylist()]


def records(path: Path) -> list[Record | DamagedRecord]:
    with path.open("rb") as file:
        return list(WarcRecords(file, 1 << 20))


@pytest.fixture
def crawl(tmp_path):
    return write_warc(tmp_path / "crawl.warc", responses(4))


def test_every_page_that_was_fetched(crawl):
    with open_source(crawl, Config()) as source:
        rows = [row for batch in source.batches() for row in batch.to_pylist()]
        assert source.skipped == {"request": 4, "warcinfo": 1}
        assert source.locate(1) == f"{crawl}:4"
        assert source.warnings == []
    assert [row["doc_id"] for row in rows] == [f"<urn:uuid:{k}>" for k in range(4)]
    assert [row["title"] for row in rows] == [f"Number {k}" for k in range(4)]
    assert rows[1]["url"] == "https://www.site1.example/1.html"
    assert rows[1]["source"] == "site1.example"
    assert rows[1]["text"].split()[-1] == TEXTS[1].split()[-1]


def test_the_time_is_the_page_s_own_never_the_crawl_s(tmp_path):
    undated = Response(page(TEXTS[0], date="").encode())
    dated = Response(page(TEXTS[1]).encode(), record_id="<urn:uuid:2>")
    rows = read(write_warc(tmp_path / "a.warc", [undated, dated]))
    assert [str(row["published_at"]) for row in rows] == ["None", "2025-03-01 07:05:00+00:00"]


def test_what_is_no_address_of_the_web_is_none(tmp_path):
    row = Response(page(TEXTS[0], url="").encode(), url="urn:pageinfo:https://tide.example/b")
    assert read(write_warc(tmp_path / "a.warc", [row]))[0]["url"] is None


def test_the_address_is_that_of_the_record(tmp_path):
    row = Response(page(TEXTS[0], url="https://other.example/x").encode(), url="https://tide.example/b")
    assert read(write_warc(tmp_path / "a.warc", [row]))[0]["url"] == "https://tide.example/b"


def test_however_it_is_packed_the_articles_are_the_same(tmp_path, crawl):
    plain = crawl.read_bytes()
    by_record = write_warc(tmp_path / "by_record.warc.gz", responses(4), packed=True)
    (tmp_path / "whole.warc.gz").write_bytes(gzip.compress(plain))
    (tmp_path / "misnamed.warc").write_bytes(by_record.read_bytes())
    (tmp_path / "padded.warc.gz").write_bytes(by_record.read_bytes() + bytes(512))
    rows = read(crawl)
    for name in ("by_record.warc.gz", "whole.warc.gz", "misnamed.warc", "padded.warc.gz"):
        assert read(tmp_path / name) == rows, name
    (tmp_path / "any").write_bytes(plain)
    assert read(tmp_path / "any", format="warc") == rows


def test_places_are_the_ids_where_there_are_none(tmp_path):
    data = write_warc(tmp_path / "b.warc", responses(3)).read_bytes()
    (tmp_path / "b.warc").write_bytes(without_ids(data))
    found = [row["doc_id"] for row in read(tmp_path)]
    assert found == ["b.warc:2", "b.warc:4", "b.warc:6"]


HTML = ("Content-Type", "text/html")
UMLAUT = page(TEXTS[0] + "\n\nDie Fähre fährt für alle.", site="", url="")
CHUNKED = b"".join(
    b"%x\r\n%s\r\n" % (len(part), part)
    for part in (*[UMLAUT.encode()[k : k + 50] for k in range(0, len(UMLAUT.encode()), 50)], b"")
)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([HTML], UMLAUT.encode()),
        ([("content-type", "TEXT/HTML; Charset='ISO-8859-1'")], UMLAUT.encode("iso-8859-1")),
        ([("Content-Type", "application/xhtml+xml; charset=utf-8")], UMLAUT.encode()),
        ([], UMLAUT.encode()),
        ([HTML, ("Content-Encoding", "gzip")], gzip.compress(UMLAUT.encode())),
        ([HTML, ("Content-Encoding", "br")], brotli.compress(UMLAUT.encode())),
        ([HTML, ("Transfer-Encoding", "chunked")], CHUNKED),
    ],
)
def test_bodies_as_servers_send_them(tmp_path, headers, body):
    (row,) = read(write_warc(tmp_path / "a.warc", [Response(body, headers=headers)]))
    said = f"Ferry back on Monday {TEXTS[0]} Die Fähre fährt für alle."
    assert row["text"].split() == said.split()


def test_what_is_no_article_is_passed_over_and_counted(tmp_path):
    good = Response(page(TEXTS[0]).encode())
    others = [
        Response(b"gone", status="404 Not Found", record_id="<urn:uuid:2>"),
        Response(b"moved", status="301 Moved", record_id="<urn:uuid:3>"),
        Response(b"{}", headers=[("Content-Type", "application/json")], record_id="<urn:uuid:4>"),
        Response(b"bare", headers=[], record_id="<urn:uuid:5>"),
    ]
    path = write_warc(tmp_path / "a.warc.gz", [*others, good], packed=True)
    with open_source(path, Config()) as source:
        assert sum(len(batch) for batch in source.batches()) == 1
        assert source.skipped == {
            "request": 5,
            "of another status than 200": 2,
            "not HTML": 2,
            "warcinfo": 1,
        }


def test_records_of_any_type_are_of_few_kinds(tmp_path):
    path = write_warc(tmp_path / "a.warc", responses(3))
    path.write_bytes(path.read_bytes().replace(b"WARC-Type: request", b"WARC-Type: \x1b[31mred"))
    with open_source(path, Config()) as source:
        assert sum(len(batch) for batch in source.batches()) == 3
        assert source.skipped == {"of unknown type": 3, "warcinfo": 1}


def test_a_page_with_nothing_in_it_stays_a_row(tmp_path):
    (row,) = read(write_warc(tmp_path / "a.warc", [Response(b"")]))
    assert (row["text"], row["url"]) == ("", "https://tide.example/a.html")


def test_file_with_nothing_in_it(tmp_path):
    (tmp_path / "a.warc").touch()
    assert read(tmp_path) == []


@pytest.mark.parametrize("packed", [False, True])
def test_file_that_is_cut_off(tmp_path, packed):
    path = write_warc(tmp_path / "a.warc", responses(6), packed=packed)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    whole = [item for item in records(path) if isinstance(item, Record)]
    (damaged,) = [item for item in records(path) if isinstance(item, DamagedRecord)]
    assert damaged.number == len(whole) + 1
    with pytest.raises(InputError, match=rf"a\.warc:{damaged.number}: the file ends ") as caught:
        read(path)
    assert "--on-error skip" in str(caught.value.hint)
    with open_source(path, SKIP) as source:
        n_articles = sum(len(batch) for batch in source.batches())
        (reject,) = source.rejects
        assert (reject.file, reject.row) == (str(path), damaged.number)
        assert n_articles == sum(1 for record in whole if record.http is not None)
        assert sum(len(batch) for batch in source.raw_batches()) == n_articles


@pytest.mark.parametrize("packed", [False, True])
def test_wherever_it_is_cut_off(tmp_path, packed):
    path = write_warc(tmp_path / "a.warc", responses(6), packed=packed)
    data = path.read_bytes()
    # A record ends before two empty lines, and where it is packed with them.
    ends = [found.start() for found in re.finditer(b"\r\n\r\n(WARC/|$)", data)]
    if packed:
        ends = [*[found.start() for found in re.finditer(b"\x1f\x8b\x08", data)][1:], len(data)]
    for size in range(1, len(data) - 4, max(1, len(data) // 300)):
        path.write_bytes(data[:size])
        found = records(path)
        n_found = sum(isinstance(item, Record) for item in found)
        n_whole = sum(end <= size for end in ends)
        # Of one that is packed nothing but its check sum may be missing.
        assert n_found - n_whole in ((0, 1) if packed else (0,))
        assert [item.number for item in found] == list(range(1, len(found) + 1))
        begins_another = size > (ends[n_whole - 1] + (0 if packed else 4) if n_whole else 0)
        assert isinstance(found[-1], DamagedRecord) is begins_another


def test_one_wrong_byte_costs_one_record(tmp_path):
    path = write_warc(tmp_path / "a.warc.gz", responses(10), packed=True)
    data = path.read_bytes()
    rng = random.Random(7)
    for _ in range(40):
        at = rng.randrange(len(data))
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        found = records(path)
        n_damaged = sum(isinstance(item, DamagedRecord) for item in found)
        assert n_damaged <= 1
        # What is wrong with the check sum of the last is found only when it has been read.
        assert len(found) - n_damaged >= 20


def test_a_hole_costs_what_was_in_it(tmp_path):
    path = write_warc(tmp_path / "a.warc.gz", responses(10), packed=True)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3] + data[len(data) // 2 :])
    with open_source(path, SKIP) as source:
        ids = [value for batch in source.batches() for value in batch["doc_id"].to_pylist()]
        assert len(source.rejects) == 1
    assert {"<urn:uuid:0>", "<urn:uuid:9>"} <= set(ids)
    assert 7 <= len(ids) <= 9


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"Content-Length:", b"Kontent-Length:", "its header tells no length"),
        (b"Content-Length: ", b"Content-Length: -", "its header tells no length"),
        (
            rb"Content-Length: (\d+)",
            lambda found: b"Content-Length: %d" % (int(found[1]) + 50),
            "not the beg",
        ),
        (b"\r\n\r\nWARC/", b"\r\n\r\nsome dirt\r\nWARC/", "not the beginning of a record"),
        (b"WARC-Date:", b"x" * 100_000 + b":", "its header is too long"),
        (b"WARC-Date:", b"a: b\r\n" * 20_000 + b":", "its header is too long"),
    ],
)
def test_damage_in_a_file_that_is_not_packed(tmp_path, old, new, reason):
    path = write_warc(tmp_path / "a.warc", responses(5))
    head, mark, rest = path.read_bytes().partition(b"<urn:uuid:2>")
    before, _, after = (head + mark).rpartition(b"WARC/1.0")
    path.write_bytes(before + re.sub(old, new, b"WARC/1.0" + after + rest, count=1))
    found = records(path)
    (damaged,) = [item for item in found if isinstance(item, DamagedRecord)]
    assert damaged.number in (6, 7)
    assert re.search(reason, damaged.reason)
    assert len(damaged.raw) <= 1000
    ids = [item.headers.get_header("WARC-Record-ID") for item in found if isinstance(item, Record)]
    assert {"<urn:uuid:0>", "<urn:uuid:1>", "<urn:uuid:3>", "<urn:uuid:4>"} <= set(ids)


@pytest.mark.parametrize(
    "data",
    [
        b"hello\n" * 9,
        b"\x1f\x8b\x08" + b"x" * 300_000,
        b"\x1f\x8b\x08\x00" * 100_000,
        b"WARC/1.0\r\n" + b"x" * (8 << 20),
    ],
    ids=["text", "noise", "marks", "line"],
)
def test_what_is_no_warc_at_all(tmp_path, data):
    (tmp_path / "a.warc").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.warc:1: "):
        read(tmp_path)
    assert [item.number for item in records(tmp_path / "a.warc")] == [1]


def test_the_same_id_twice(tmp_path):
    path = write_warc(tmp_path / "a.warc", [Response(page(text).encode()) for text in TEXTS[:2]])
    with open_source(path, SKIP) as source:
        assert sum(len(batch) for batch in source.batches()) == 1
        assert "is that of" in source.rejects[0].reason


_MEASURE = """
import resource, sys
from samestory.config import Config
from samestory.read import open_source
with open_source(sys.argv[1], Config(threads=2)) as source:
    n = sum(len(batch) for batch in source.batches())
print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    # Twenty pages of 5 MB are 100 MB, of which no more than a few may be held at once.
    filler = b"<html><body><!--" + b" " * (5 << 20) + b"--><p>A short article.</p>"
    many = [Response(filler, record_id=f"<urn:uuid:{k}>") for k in range(20)]
    peaks = []
    for count in (4, 20):
        path = write_warc(tmp_path / f"{count}.warc", many[:count])
        done = subprocess.run([sys.executable, "-c", _MEASURE, str(path)], capture_output=True, check=True)
        n_articles, peak = map(int, done.stdout.split())
        assert n_articles == count
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 40
