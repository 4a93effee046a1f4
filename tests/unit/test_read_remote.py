"""Inputs elsewhere: in a store that speaks S3, and on the web; and what cannot be reached."""

from __future__ import annotations

import bz2
import gzip
import logging
import os
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from loopback import KEY, SECRET, Store, s3_server, silent_server, web_server
from samestory.config import Config
from samestory.errors import InputError, MissingDependencyError, OutputError, SamestoryError
from samestory.read import open_source, remote
from samestory.read.addresses import presentable, refuse_address, without_secrets
from samestory.read.remote import promptly
from samestory.read.troubles import explain
from webpages import Response, page, stories, write_warc

TEXT = stories(1)[0]
LINE = b'{"text": "Nevica a Bolzano."}\n'


def write_tree(folder: Path) -> None:
    """One article in each of the formats, told by the file's name."""
    table = pa.table({"id": ["t"], "text": ["Nevica a Bolzano."]})
    (folder / "deep").mkdir(parents=True)
    (folder / "lang=it").mkdir()
    pq.write_table(table, folder / "lang=it" / "a.parquet")
    pa.feather.write_feather(table.set_column(0, "id", [["f"]]), folder / "b.feather")
    (folder / "c.jsonl").write_bytes(LINE)
    (folder / "d.jsonl.gz").write_bytes(gzip.compress(LINE))
    (folder / "e.jsonl.zst").write_bytes(pa.Codec("zstd").compress(LINE).to_pybytes())
    (folder / "f.csv.bz2").write_bytes(bz2.compress(b"text\nNevica a Bolzano.\n"))
    (folder / "deep" / "g h.txt").write_bytes(b"Nevica a Bolzano.")
    (folder / "deep" / "i.html").write_text(page(TEXT))
    (folder / "deep" / "_hidden.jsonl").write_bytes(b"not to be read")
    write_warc(folder / "deep" / "j.warc.gz", [Response(page(TEXT).encode())], packed=True)


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tree") / "news"
    write_tree(folder)
    return folder


@pytest.fixture(scope="module")
def server(tree):
    with s3_server() as store:
        store.put_tree("news", tree)
        yield store


@pytest.fixture
def store(server, monkeypatch) -> Store:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


def rows(data, **settings):
    with open_source(data, Config(**settings)) as source:
        return [row for batch in source.batches() for row in batch.to_pylist()]


def ids(data, **settings):
    return [row["doc_id"] for row in rows(data, **settings)]


def test_a_store_gives_what_the_folder_gives(tree, store):
    assert rows("s3://news") == rows(tree)
    assert ids("s3://news/deep/") == ids(tree / "deep") == ["g h.txt", "i.html", "<urn:uuid:1>"]
    with open_source("s3://news", Config()) as source, open_source(tree, Config()) as local:
        assert source.n_bytes == local.n_bytes > 0
        batches = zip(source.raw_batches(), local.raw_batches(), strict=True)
        assert all(theirs.equals(ours) for theirs, ours in batches)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("s3://news/c.jsonl", ["s3://news/c.jsonl:1"]),
        ("s3://news/*.jsonl*", [f"s3://news/{name}:1" for name in ("c.jsonl", "d.jsonl.gz", "e.jsonl.zst")]),
        ("s3://news/?.csv.bz2", ["s3://news/f.csv.bz2:1"]),
        ("s3://news/**/*.txt", ["deep/g h.txt"]),
        ("s3://news/deep/g h.txt", ["s3://news/deep/g h.txt"]),
        ("s3://news/deep/g%20h.txt", ["s3://news/deep/g%20h.txt"]),
        ("s3://news/*/a.parquet", ["t"]),
        ("S3://news/c.jsonl", ["S3://news/c.jsonl:1"]),
    ],
)
def test_files_and_globs(store, pattern, expected):
    assert ids(pattern) == expected


def test_several_inputs_of_several_places(store, tmp_path):
    (tmp_path / "c.jsonl").write_bytes(LINE)
    assert ids(["s3://news/c.jsonl", tmp_path / "c.jsonl"]) == [
        "s3://news/c.jsonl:1",
        f"{tmp_path}/c.jsonl:1",
    ]


def test_the_endpoint_for_s3_alone_counts_more(store, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", store.url + "/")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert ids("s3://news/c.jsonl") == ["s3://news/c.jsonl:1"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("s3://news/absent.jsonl", "no such file"),
        ("s3://news/absent/*.jsonl", "matches no file"),
        ("s3://elsewhere/c.jsonl", "there is no bucket 'elsewhere'"),
        ("s3://elsewhere", "there is no bucket 'elsewhere'"),
        ("s3://elsewhere/*.jsonl", "there is no bucket 'elsewhere'"),
        ("s3://", "names no bucket"),
        ("s3://n*/c.jsonl", "cannot hold wildcards"),
    ],
)
def test_what_is_not_there(store, given, message):
    check_error(given, message)


def check_error(given: str, message: str, seconds: float = 20.0) -> SamestoryError:
    """One line and a hint, soon enough, and no secret in either."""
    start = time.monotonic()
    with pytest.raises(SamestoryError, match=message) as caught:
        rows(given)
    assert time.monotonic() - start < seconds
    assert caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint
    assert SECRET not in str(caught.value)
    return caught.value


def test_without_rights(store):
    with store.locked():
        for given in ("s3://news/c.jsonl", "s3://news", "s3://news/*.jsonl"):
            error = check_error(given, "access is denied")
            assert "AWS_ACCESS_KEY_ID" in str(error.hint)
            assert KEY not in str(error)


def test_rights_that_end_while_it_is_read(store):
    with (
        open_source("s3://news/c.jsonl", Config()) as source,
        store.locked(),
        pytest.raises(InputError, match="access is denied"),
    ):
        list(source.batches())


def test_no_server(store, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "AWS_ENDPOINT_URL" in str(check_error("s3://news/c.jsonl", "there is no connection").hint)


@pytest.mark.slow
def test_a_server_that_says_nothing(store, monkeypatch):
    monkeypatch.setattr(remote, "_SILENT_SECONDS", 1.0)
    monkeypatch.setattr(remote, "_WEB_SILENT_SECONDS", 1.0)
    with silent_server() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        check_error("s3://news/c.jsonl", "there is no connection")
        check_error(f"{url}/c.jsonl", "there is no connection")


def test_a_place_that_does_not_answer_in_time(monkeypatch):
    monkeypatch.setattr(remote, "CONTACT_SECONDS", 0.1)
    with pytest.raises(OSError, match="no answer within"):
        promptly(lambda: time.sleep(0.5))
    with pytest.raises(KeyError):
        promptly(lambda: {}["x"])
    assert promptly(lambda: 3) == 3


@pytest.mark.parametrize("gives_parts", [True, False])
def test_files_of_the_web(tree, gives_parts):
    with web_server(tree, gives_parts=gives_parts) as site:
        for name in ("c.jsonl", "d.jsonl.gz", "e.jsonl.zst", "f.csv.bz2"):
            assert ids(f"{site.url}/{name}") == [f"{site.url}/{name}:1"]
        assert ids(f"{site.url}/deep/j.warc.gz") == ["<urn:uuid:1>"]
        assert not any("bytes=" in request for request in site.asked)  # each in one piece
        if gives_parts:
            assert ids(f"{site.url}/lang=it/a.parquet") == ["t"]
        assert ids(f"{site.url}/c.jsonl?page=1") == [f"{site.url}/c.jsonl?page=1:1"]
        assert "GET /c.jsonl?page=1" in site.asked
        check_error(f"{site.url}/absent.jsonl", "no such file")


def test_a_file_of_the_web_that_needs_parts_and_gets_none(tmp_path):
    table = pa.table({"text": [os.urandom(60).hex() for _ in range(200_000)]})
    pq.write_table(table, tmp_path / "a.parquet", compression="none")
    with web_server(tmp_path, gives_parts=False) as site:
        check_error(f"{site.url}/a.parquet", "does not give parts")


def test_secrets_of_addresses_are_not_shown(tree, caplog):
    caplog.set_level(logging.DEBUG, "samestory")
    with web_server(tree, secret=SECRET) as site:
        given = f"{site.url}/c.jsonl?page=2&X-Amz-Signature={SECRET}"
        shown = f"{site.url}/c.jsonl?page=2&X-Amz-Signature=***"
        with open_source(given, Config()) as source:
            assert source.inputs == [shown]
            assert [batch["doc_id"].to_pylist() for batch in source.batches()] == [[f"{shown}:1"]]
        wrong = check_error(given.replace(SECRET, SECRET[::-1]), "access is denied")
        assert SECRET[::-1] not in str(wrong)
        host = site.url.removeprefix("http://")
        check_error(f"http://reader:{SECRET}@{host}/c.jsonl", "holds a password")
    check_error(f"s3://{KEY}:{SECRET}@news/c.jsonl", "holds a password")
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a/b?sig=1", "a/b?sig=1"),
        ("https://h/p?sig=abc&x=1", "https://h/p?sig=***&x=1"),
        ("https://h/p?AccessKeyId=a&token=b&Policy", "https://h/p?AccessKeyId=***&token=***&Policy***"),
        ("s3://k:s@b/p", "s3://***@b/p"),
        ("s3://k:s/e+c@b/p", "s3://***@b/p"),
        ("http://h:80/a@b", "http://h:80/a@b"),
        ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
        ("gs://anonymous@b/p", "gs://anonymous@b/p"),
        ("s3://b/p?.jsonl", "s3://b/p?.jsonl"),
        ("https://h/a:b@c?x=1", "https://h/a:b@c?x=1"),
    ],
)
def test_presentable(given, shown):
    assert presentable(given) == shown


@pytest.mark.parametrize("target", ["s3://b/out", Path("s3://b/out"), "gs://b/out", "file:///tmp/out"])
def test_outputs_are_of_this_machine(target):
    with pytest.raises(OutputError, match=r"://.*/?out: outputs are written to this machine"):
        refuse_address(target)


@pytest.mark.parametrize("target", ["out", Path("a/b"), "/tmp/out", "C:/out", "a:b", "-", "-:/x"])
def test_outputs_that_are_paths(target):
    refuse_address(target)


def test_messages_of_libraries_without_secrets(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    said = without_secrets(f"key {SECRET}: url='https://h/p?sig={SECRET[:9]}' failed")
    assert said == "key ***: url='https://h/p?sig=***' failed"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("http://127.0.0.1:9/x.jsonl", "there is no connection"),
        ("https://nosuch.invalid/x.jsonl", "there is no connection"),
        ("hdfs://127.0.0.1:9/x.jsonl", "x.jsonl: "),
        ("nosuch://x/y.jsonl", "no file system is known for nosuch"),
        ("memory://absent.jsonl", "no such file"),
    ],
)
def test_other_places_that_cannot_be_reached(given, message):
    check_error(given, message)


def test_place_of_another_library():
    import fsspec

    with fsspec.open("memory://folder/x.jsonl", "wb") as file:
        file.write(LINE)
    assert ids("memory://folder/x.jsonl") == ["memory://folder/x.jsonl:1"]
    assert ids("memory://folder") == ["x.jsonl:1"]


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingDependencyError) as caught:
        rows("https://h/x.jsonl")
    assert caught.value.hint == "pip install 'samestory[remote]'"


def test_long_messages_are_cut():
    said, hint = explain(OSError("x" * 5000 + "\nmore"), "CSV")
    assert len(said) < 400
    assert "damaged" in hint
