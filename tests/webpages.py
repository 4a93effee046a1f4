"""Pages and WARC files that tests write themselves."""

from __future__ import annotations

import gzip
import html
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from newsroom import Newsroom


def page(
    text: str,
    title: str = "Ferry back on Monday",
    site: str = "Tide Wire",
    url: str = "https://tide.example/ferry.html",
    date: str = "2025-03-01T08:05:00+01:00",
    head: str = "",
) -> str:
    """A page with a menu and a footer around an article."""
    links = "".join(f'<li><a href="/section/{k}">Section {k}</a></li>' for k in range(12))
    paragraphs = "".join(f"<p>{html.escape(part)}</p>\n" for part in text.split("\n\n"))
    said = "".join(
        f'<meta property="{name}" content="{html.escape(value)}">'
        for name, value in (
            ("og:title", title),
            ("og:site_name", site),
            ("og:url", url),
            ("article:published_time", date),
        )
        if value
    )
    return (
        f"<!DOCTYPE html><html lang='en'><head><title>{html.escape(title)} | {site}</title>{said}{head}"
        f"</head><body><nav><ul>{links}</ul></nav><main><article><h1>{html.escape(title)}</h1>{paragraphs}"
        f"</article></main><footer><p>Copyright {site}. All rights reserved.</p></footer></body></html>"
    )


def stories(count: int, words: int = 150) -> list[str]:
    """So many texts."""
    return Newsroom(5).stories(count, words)


@dataclass
class Response:
    """What a server answered, as a WARC record has it."""

    body: bytes
    url: str = "https://tide.example/a.html"
    status: str = "200 OK"
    headers: list[tuple[str, str]] = field(
        default_factory=lambda: [("Content-Type", "text/html; charset=utf-8")]
    )
    record_id: str = "<urn:uuid:1>"


def write_warc(path: Path, responses: Iterable[Response], *, packed: bool = False) -> Path:
    """A WARC file: what made it, then each response with its request; each packed by itself, or none.

    The same responses make the same bytes.
    """
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=packed)
        records = [writer.create_warcinfo_record(path.name, {"software": "tests"})]
        for response in responses:
            records += _records(writer, response)
        for number, record in enumerate(records):
            record.rec_headers.replace_header("WARC-Date", "2025-03-05T00:00:00Z")
            if record.rec_type != "response":
                record.rec_headers.replace_header("WARC-Record-ID", f"<urn:uuid:of-{number}>")
            writer.write_record(record)
            record.raw_stream.close()  # a temporary file by now
    return path


def _records(writer: WARCWriter, response: Response) -> list[Any]:
    http = StatusAndHeaders(response.status, response.headers, protocol="HTTP/1.1")
    own = {"WARC-Record-ID": response.record_id}
    body = io.BytesIO(response.body)
    asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "tide.example")], is_http_request=True)
    return [
        writer.create_warc_record(
            response.url, "response", payload=body, http_headers=http, warc_headers_dict=own
        ),
        writer.create_warc_record(response.url, "request", payload=io.BytesIO(b""), http_headers=asked),
    ]


def without_ids(data: bytes) -> bytes:
    """A WARC file whose records have no ids."""
    lines = data.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.startswith(b"WARC-Record-ID"))


def packed(path: Path, suffix: str = ".gz") -> Path:
    """The same file packed as a whole, beside it."""
    other = path.with_name(path.name + suffix)
    other.write_bytes(gzip.compress(path.read_bytes()))
    return other
