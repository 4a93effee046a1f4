"""WARC files: every page that was fetched becomes an article."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from samestory.pages.worker import MOST_BYTES
from samestory.read.chunk import Broken
from samestory.read.files import Part, reading
from samestory.read.pagepool import Body, Task
from samestory.read.pages import PageReader, PageStudio
from samestory.read.warcrecords import DamagedRecord, Record, WarcRecords

_PAGES: Final = ("text/html", "application/xhtml+xml")
_OTHER_KINDS: Final = (
    "warcinfo",
    "request",
    "metadata",
    "resource",
    "revisit",
    "conversion",
    "continuation",
)
_SNIFFED_BYTES: Final = 1024


class WarcReader(PageReader):
    """The pages of one WARC file; a row's number is its record's.

    Parameters
    ----------
    part : Part
    studio : PageStudio
    """

    def __init__(self, part: Part, studio: PageStudio) -> None:
        super().__init__(part.name, part.n_bytes, studio)
        self._part = part

    def place(self, row: int) -> tuple[str, int]:
        """File and record by which a user finds a row."""
        return self.name, row

    def _tasks(self) -> Iterator[Task | Broken]:
        with reading(self.name, "WARC"), self._part.open_raw() as raw:
            # Gzip is unpacked there, since its members are where to go on after damage.
            packed = self._part.compression in (None, "gzip")
            stream = raw if packed else pa.CompressedInputStream(raw, self._part.compression)
            for item in WarcRecords(stream, MOST_BYTES + 1):
                if isinstance(item, DamagedRecord):
                    yield Broken(item.number, item.reason, item.raw)
                elif (kind := _why_not(item)) is not None:
                    self.skipped[kind] += 1
                else:
                    yield self._task(item)

    def _task(self, record: Record) -> Task:
        address = (record.headers.get_header("WARC-Target-URI") or "").strip("<>")
        # Its place is unique where it has no id of its own.
        doc_id = record.headers.get_header("WARC-Record-ID") or f"{self.name}:{record.number}"
        body = _body(record)
        return Task(record.number, doc_id, address or None, lambda: body)


def _why_not(record: Record) -> str | None:
    """Why a record is no article, None if it is one."""
    kind = (record.headers.get_header("WARC-Type") or "").lower()
    if kind != "response":
        return kind if kind in _OTHER_KINDS else "of unknown type"
    if record.http is None:
        return "without HTTP"
    if record.http.get_statuscode() != "200":
        return "of another status than 200"
    media = (record.http.get_header("Content-Type") or "").partition(";")[0].strip().lower()
    is_page = media in _PAGES or (not media and b"<html" in record.body[:_SNIFFED_BYTES].lower())
    return None if is_page else "not HTML"


def _body(record: Record) -> Body:
    http = record.http
    if http is None:
        return Body(b"")
    _, found, charset = (http.get_header("Content-Type") or "").lower().partition("charset=")
    return Body(
        record.body,
        charset.split(";")[0].strip(" \"'") if found else None,
        "chunked" in (http.get_header("Transfer-Encoding") or "").lower(),
        http.get_header("Content-Encoding") or "",
    )
