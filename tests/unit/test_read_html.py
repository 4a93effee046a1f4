"""Pages as articles: what is taken of them, in which characters, and what hostile ones may cost."""

from __future__ import annotations

import bz2
import gzip
import time
import tracemalloc
from datetime import datetime, timezone
from pathlib import Path

import pytest

from samestory.config import Config
from samestory.errors import InputError
from samestory.pages.bodies import unwrap
from samestory.pages.charsets import decode
from samestory.pages.worker import MOST_BYTES
from samestory.read import open_source, pagepool
from samestory.schema import ARTICLE
from webpages import page, stories

TEXTS = stories(4)


def read(data, **settings):
    with open_source(data, Config(**settings)) as source:
        return [row for batch in source.batches() for row in batch.to_pylist()]


def one(tmp_path: Path, content: str | bytes, name: str = "a.html", **settings):
    data = content.encode() if isinstance(content, str) else content
    (tmp_path / name).write_bytes(data)
    (row,) = read(tmp_path, **settings)
    return row


def test_main_text_and_what_the_page_says_of_itself(tmp_path):
    row = one(tmp_path, page(TEXTS[0]))
    assert row["doc_id"] == "a.html"
    assert row["title"] == "Ferry back on Monday"
    assert row["source"] == "Tide Wire"
    assert row["url"] == "https://tide.example/ferry.html"
    assert row["published_at"] == datetime(2025, 3, 1, 7, 5, tzinfo=timezone.utc)
    assert row["text"].split() == ["Ferry", "back", "on", "Monday", *TEXTS[0].split()]


def test_canonical_address_and_host(tmp_path):
    head = '<link rel="canonical" href="https://www.lantern.example/n/1">'
    row = one(tmp_path, page(TEXTS[0], site="", url="", head=head))
    assert row["url"] == "https://www.lantern.example/n/1"
    assert row["source"] == "lantern.example"


def test_structured_data_tells_time_and_outlet(tmp_path):
    head = (
        '<script type="application/ld+json">{"@context": "https://schema.org", "@type": "NewsArticle",'
        '"dateModified": "2025-03-09T10:00:00Z", "datePublished": "2025-03-02T10:30:00Z",'
        '"publisher": {"@type": "Organization", "name": "Harbour Post"}}</script>'
    )
    row = one(tmp_path, page(TEXTS[0], site="", date="", head=head))
    assert row["published_at"] == datetime(2025, 3, 2, 10, 30, tzinfo=timezone.utc)
    assert row["source"] == "Harbour Post"


def test_no_date_is_made_up(tmp_path):
    assert one(tmp_path, page(f"On 12 May 1998 they met.\n\n{TEXTS[0]}", date=""))["published_at"] is None


def test_script_is_no_address(tmp_path):
    assert one(tmp_path, page(TEXTS[0], url="javascript:alert(1)"))["url"] is None


def test_names_of_files(tmp_path):
    data = page(TEXTS[0]).encode()
    packers = {".gz": gzip.compress, ".bz2": bz2.compress}
    names = ["A.HTML", "a.htm", "b.html.gz", "c.html.bz2", "deep/er/a.html"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(packers.get(path.suffix, bytes)(data))
    rows = read(tmp_path)
    assert [row["doc_id"] for row in rows] == names
    assert len({row["text"] for row in rows}) == 1
    assert TEXTS[0].split()[-1] in rows[0]["text"]


def test_format_setting(tmp_path):
    row = one(tmp_path, page(TEXTS[0]), name="index.php", format="html")
    assert row["doc_id"] == "index.php"
    assert TEXTS[0].split()[-1] in row["text"]


WORDS = {
    "windows-1251": "Паром между двумя островами снова пойдёт с понедельника после месяца ремонта. ",
    "iso-8859-1": "Die Fähre zwischen den beiden Inseln fährt ab Montag wieder für alle. ",
    "gb2312": "渡轮公司宣布，经过一个月的维修，两岛之间的渡轮将于星期一恢复通航。",
    "shift_jis": "会社は、一か月の修理を経て、二つの島を結ぶフェリーが月曜日から再開すると発表した。",
    "euc-kr": "두 섬을 잇는 여객선이 한 달간의 수리를 마치고 월요일부터 다시 운항한다. ",
    "windows-1256": "أعلنت الشركة أن العبارة بين الجزيرتين ستعود للعمل يوم الاثنين بعد شهر. ",
    "utf-16": "Die Fähre zwischen den beiden Inseln fährt ab Montag wieder. ",
}


@pytest.mark.parametrize("charset", WORDS)
@pytest.mark.parametrize("declared", ["in the page", "by the server", "nowhere"])
def test_charsets(charset, declared):
    text = WORDS[charset] * 6
    inside = f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">'
    head = f"<html><head>{inside if declared == 'in the page' else ''}</head><body><p>"
    data = (head + text).encode(charset)
    assert decode(data, charset if declared == "by the server" else None) == head + text


@pytest.mark.parametrize(
    ("data", "declared", "expected"),
    [
        ("Fähre ".encode() * 20, "iso-8859-1", "Fähre " * 20),  # what servers say of everything
        ("Fähre ".encode() * 20 + b"\xff", "utf-8", "Fähre " * 20 + "�"),
        ("Fähre ".encode() * 20 + "ä".encode()[:1], None, "Fähre " * 20 + "�"),  # cut in a character
        (b"\xef\xbb\xbfx", "utf-16", "x"),
        ("Fähre".encode("cp1252"), "nonsense", "Fähre"),
        ("Fähre".encode("cp1252"), "punycode", "Fähre"),
        ("Fähre".encode("cp1252"), "base64", "Fähre"),
        ("フェリー".encode("iso2022_jp"), "iso-2022-jp", "フェリー"),
        (b"a\0b", None, "ab"),
        (b"", None, ""),
    ],
)
def test_wrong_and_broken_charsets(data, declared, expected):
    assert decode(data, declared) == expected


def test_broken_bytes_never_lose_the_article(tmp_path):
    data = page(TEXTS[0]).encode().replace(b"</p>", b" \xff\xfe\x80</p>", 1)
    row = one(tmp_path, data)
    assert TEXTS[0].split()[-1] in row["text"]


LITTLE = [
    (b"", "", None),
    (b"\0" * 1000, "", None),
    (b"Just a text without a tag.", "Just a text without a tag.", None),
    (b"<p>A single paragraph only.</p>", "A single paragraph only.", None),
    (b"<html><head><title>Ferry news</title></head><body></body></html>", "", "Ferry news"),
    (b"<html><head><title>Ferry news</title>", "", "Ferry news"),
]


def test_pages_with_little_in_them_stay_rows(tmp_path):
    for k, (content, _, _) in enumerate(LITTLE):
        (tmp_path / f"{k}.html").write_bytes(content)
    found = [(row["text"], row["title"]) for row in read(tmp_path)]
    assert found == [(text, title) for _, text, title in LITTLE]


def test_directory_of_several_formats(tmp_path):
    (tmp_path / "a.html").write_text(page(TEXTS[0]))
    (tmp_path / "b.txt").write_text(TEXTS[1])
    (tmp_path / "c.jsonl").write_text('{"id": "j", "body": "From lines.", "headline": "H"}\n')
    (tmp_path / "d.html").write_text(page(TEXTS[2]))
    with open_source(tmp_path, Config()) as source:
        rows = [row for batch in source.batches() for row in batch.to_pylist()]
        assert [row["doc_id"] for row in rows] == ["a.html", "b.txt", "j", "d.html"]
        assert source.locate(3) == "d.html:1"
        assert [len(batch) for batch in source.raw_batches()] == [1, 1, 1, 1]


def test_columns_that_are_named_are_not_those_of_pages(tmp_path):
    (tmp_path / "a.html").write_text(page(TEXTS[0]))
    (tmp_path / "c.jsonl").write_text('{"key": "j", "said": "From lines."}\n')
    rows = read(tmp_path, id_column="key", text_column="said")
    assert [row["doc_id"] for row in rows] == ["a.html", "j"]
    assert rows[1]["text"] == "From lines."


def test_threads_and_passes_change_nothing(tmp_path):
    for k in range(30):
        (tmp_path / f"{k:02}.html").write_text(page(TEXTS[k % 4], title=f"Number {k}"))
    rows = read(tmp_path, threads=1)
    assert [row["title"] for row in rows] == [f"Number {k}" for k in range(30)]
    with open_source(tmp_path, Config(threads=3)) as source:
        for _ in range(2):
            assert [row for batch in source.batches() for row in batch.to_pylist()] == rows
        assert [row for batch in source.raw_batches() for row in batch.to_pylist()] == rows
        texts = [row["text"] for batch in source.batches(["text"]) for row in batch.to_pylist()]
        assert texts == [row["text"] for row in rows]


def test_pages_are_taken_apart_once_and_kept_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("samestory.read.kept.MEMORY_BYTES", 1000)
    monkeypatch.setattr("samestory.read.pages._CHUNK_PAGES", 2)
    for k in range(7):
        (tmp_path / f"{k}.html").write_text(page(TEXTS[k % 4]))
    with open_source(tmp_path, Config()) as source:
        rows = [row for batch in source.batches() for row in batch.to_pylist()]
        for path in tmp_path.iterdir():
            path.unlink()
        assert [row for batch in source.batches() for row in batch.to_pylist()] == rows
        assert len(rows) == 7


def test_reading_that_is_broken_off_begins_again(tmp_path, monkeypatch):
    monkeypatch.setattr("samestory.read.pages._CHUNK_BYTES", 1 << 18)
    for k in range(120):
        (tmp_path / f"{k:03}.html").write_text(page(TEXTS[k % 4] * 10))
    with open_source(tmp_path, Config(threads=2)) as source:
        batches = source.batches()
        next(batches)
        batches.close()
        assert sum(len(batch) for batch in source.batches()) == 120


def test_damaged_packing_is_named_or_set_aside(tmp_path):
    (tmp_path / "a.html").write_text(page(TEXTS[0]))
    (tmp_path / "b.html.gz").write_bytes(gzip.compress(page(TEXTS[1]).encode())[:-30])
    with pytest.raises(InputError, match=r"b\.html\.gz:1: damaged, cannot be unpacked") as caught:
        read(tmp_path)
    assert "--on-error skip" in str(caught.value.hint)
    with open_source(tmp_path, Config(on_error="skip")) as source:
        assert sum(len(batch) for batch in source.batches()) == 1
        (reject,) = source.rejects
        assert (reject.file, reject.row) == ("b.html.gz", 1)


def test_schema_is_that_of_articles(tmp_path):
    (tmp_path / "a.html").write_text(page(TEXTS[0]))
    with open_source(tmp_path, Config()) as source:
        assert list(source.raw_schemas()) == [ARTICLE]


HOSTILE = {
    "deep": b"<html><body>" + b"<div>" * 100_000 + b"deep",
    "nulls": b"<html><body><p>" + b"\0" * 1_000_000 + b"after</p>",
    "word": b"<html><body><p>" + b"x" * 1_000_000 + b"</p>",
    "marks": b"<html><body>" + b"<" * 500_000,
    "entities": b"<html><body><p>" + b"&#x202e;&amp;" * 100_000,
    "scripts": b"<html><body>" + b"<script>" * 50_000,
    "brackets": b'<html><head><script type="application/ld+json">' + b"[" * 100_000 + b"</script></head>",
    "noise": bytes(range(256)) * 2000,
}


def test_hostile_pages_stay_rows(tmp_path):
    for kind, data in HOSTILE.items():
        (tmp_path / f"{kind}.html").write_bytes(data)
    start = time.monotonic()
    rows = {row["doc_id"].removesuffix(".html"): row for row in read(tmp_path)}
    assert time.monotonic() - start < 60
    assert rows.keys() == HOSTILE.keys()
    assert rows["word"]["text"] == "x" * 1_000_000
    assert rows["nulls"]["text"] == "after"
    for row in rows.values():
        row["text"].encode()


def test_all_text_of_a_page_with_too_many_elements(tmp_path):
    (tmp_path / "a.html").write_text(page(TEXTS[0]))
    head = '<title>Many</title><meta property="og:site_name" content="Tide Wire"><style>p {}</style>'
    (tmp_path / "b.html").write_text(f"<html><head>{head}</head><body>{'<p>x <b>y</b></p>' * 30_000}")
    with open_source(tmp_path, Config()) as source:
        rows = [row for batch in source.batches() for row in batch.to_pylist()]
        (warning,) = source.warnings
    assert warning.startswith("1 page of which all text was taken")
    assert warning.endswith("first b.html:1")
    assert (rows[1]["title"], rows[1]["source"]) == ("Many", "Tide Wire")
    assert rows[1]["text"].split() == ["x", "y"] * 30_000


def test_text_too_deep_for_the_parser_is_not_lost(tmp_path):
    deep = "<div>" * 400
    for name, text in (("a", TEXTS[0]), ("b", TEXTS[1])):
        (tmp_path / f"{name}.html").write_text(f"<html><title>News</title><body>{deep}<p>{text}</p></body>")
    # What else is deep on a page does not cost the search for its main text.
    (tmp_path / "c.html").write_text(page(TEXTS[2]).replace("</body>", f"{deep}x</body>"))
    with open_source(tmp_path, Config()) as source:
        rows = [row for batch in source.batches() for row in batch.to_pylist()]
        assert [warning.partition(",")[0] for warning in source.warnings] == [
            "2 pages of which all text was taken"
        ]
    for row, text in zip(rows, TEXTS, strict=False):
        assert text.split()[5:] == row["text"].split()[-len(text.split()) + 5 :]
    assert rows[2]["text"].split() == ["Ferry", "back", "on", "Monday", *TEXTS[2].split()]


def test_of_a_page_that_is_too_long_the_beginning(tmp_path):
    (tmp_path / "a.html").write_bytes(b"words and words\n" * (MOST_BYTES // 16 * 3))
    with open_source(tmp_path, Config()) as source:
        (row,) = [row for batch in source.batches() for row in batch.to_pylist()]
        (warning,) = source.warnings
    assert warning.startswith("1 page longer than 8 MiB")
    assert MOST_BYTES // 2 < len(row["text"]) <= MOST_BYTES


def test_a_page_that_hangs_its_reader_is_taken_bare(tmp_path, monkeypatch):
    # So many attributes keep the parser itself busy, so that two ways fail before the third.
    monkeypatch.setattr(pagepool, "PAGE_SECONDS", 2.0)
    attributes = " ".join(f"a{k}=1" for k in range(200_000))
    head = "<head><title>Ferry &amp; more</title><script>var x</script></head>"
    hanging = f"<html>{head}<div {attributes}>text</div>"
    (tmp_path / "a.html").write_text(hanging)
    (tmp_path / "b.html").write_text(page(TEXTS[0]))
    with open_source(tmp_path, Config()) as source:
        rows = [row for batch in source.batches() for row in batch.to_pylist()]
        assert source.warnings[0].startswith("1 page of which all text was taken")
    assert rows[0]["title"] == "Ferry & more"
    assert rows[0]["text"].split() == ["Ferry", "&", "more", "text"]
    assert rows[1]["title"] == "Ferry back on Monday"


def test_processes_end_with_the_source(tmp_path):
    (tmp_path / "a.html").write_text(page(TEXTS[0]))
    with open_source(tmp_path, Config()) as source:
        list(source.batches())
        studio = source._spools[0]
        workers = list(studio.pool._workers)
        assert [worker.is_alive for worker in workers] == [True]
    assert not any(worker.is_alive for worker in workers)


BODY = page(TEXTS[0]).encode()


@pytest.mark.parametrize(
    ("body", "chunked", "encodings", "expected"),
    [
        (b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", True, "", b"hello world"),
        (b"not in chunks at all", True, "", b"not in chunks at all"),
        (gzip.compress(BODY), False, "gzip", BODY),
        (gzip.compress(BODY[:50]) + gzip.compress(BODY[50:]), False, "GZIP", BODY),
        (BODY, False, "gzip", BODY),  # unpacked by the crawler, under the old header
        (BODY, False, "snappy", BODY),
        (b"", False, "gzip", b""),
    ],
)
def test_bodies_of_responses(body, chunked, encodings, expected):
    assert unwrap(body, chunked=chunked, encodings=encodings, most=1 << 20) == expected


def test_other_packings_of_bodies():
    import zlib

    import brotli

    deflate = zlib.compressobj(wbits=-15)
    bare = deflate.compress(BODY) + deflate.flush()
    for body, encodings in (
        (zlib.compress(BODY), "deflate"),
        (bare, "deflate"),
        (brotli.compress(BODY), "br"),
        (brotli.compress(gzip.compress(BODY)), "gzip, br"),
    ):
        assert unwrap(body, chunked=False, encodings=encodings, most=1 << 20) == BODY


def test_of_a_body_that_is_cut_off_what_is_there():
    packed = gzip.compress(BODY * 50, 1)
    cut = unwrap(packed[: len(packed) // 2], chunked=False, encodings="gzip", most=1 << 20)
    assert len(cut) > 1000
    assert (BODY * 50).startswith(cut)


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_body_that_unpacks_to_far_too_much(encoding):
    import brotli

    zeros = bytes(200 << 20)
    bomb = gzip.compress(zeros, 9) if encoding == "gzip" else brotli.compress(zeros, quality=5)
    tracemalloc.start()
    try:
        assert len(unwrap(bomb, chunked=False, encodings=encoding, most=1 << 20)) == 1 << 20
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
