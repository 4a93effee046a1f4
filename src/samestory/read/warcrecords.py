"""Records of WARC files one after another, also past damage; gzip member by member, as they are packed."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from warcio.limitreader import LimitReader
from warcio.recordloader import ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser

from samestory.read.chunk import shown

GZIP_MAGIC: Final = b"\x1f\x8b"
_MEMBER_MAGIC: Final = b"\x1f\x8b\x08"
_READ_BYTES: Final = 1 << 16
_BUFFER_BYTES: Final = 1 << 18
_MOST_HEADER_BYTES: Final = 1 << 16
_BEGINNINGS: Final = tuple(f"{version}".encode("ascii") for version in ArcWarcRecordLoader.WARC_TYPES)
_RAW: Final = 1000  # Characters that are kept of what cannot be read.
_PACKED: Final = 31  # zlib's word for gzip's header and check sum


class ByteSource(Protocol):
    """Gives bytes in order."""

    def read(self, size: int, /) -> bytes:
        """Return up to so many; none at the end."""


class DamagedError(Exception):
    """Bytes that are no record where one should be: what is wrong, and what is there, if it is known."""

    def __init__(self, reason: str, raw: str = "") -> None:
        super().__init__(reason)
        self.raw = raw


class _PackingError(DamagedError):
    """Bytes that cannot be unpacked: nothing more can be read of the same member."""


@dataclass(frozen=True)
class Record:
    """One record.

    Attributes
    ----------
    number : int
        In the file, from 1.
    headers : StatusAndHeaders
        Its own; values are text.
    http : StatusAndHeaders, optional
        Of a response.
    body : bytes
        The first bytes of what follows, of a response.
    """

    number: int
    headers: StatusAndHeaders
    http: StatusAndHeaders | None
    body: bytes


@dataclass(frozen=True)
class DamagedRecord:
    """A place where a record cannot be read, and what is known of it."""

    number: int
    reason: str
    raw: str


class GzipMembers(io.RawIOBase):
    """Bytes of gzip members one after another, unpacked.

    Parameters
    ----------
    raw : ByteSource
    """

    def __init__(self, raw: ByteSource) -> None:
        self._raw = raw
        self._window = b""  # the last bytes read, in which a next member is looked for
        self._n_read = 0
        self._pending = b""
        self._fresh = 0  # of these, those that the last read brought
        self._member = 0  # where the present one begins
        self._inflate: Any = None

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Unpack some bytes; raises `DamagedError`."""
        while True:
            if self._inflate is None and not self._begin():
                return 0
            data = self._unpack(len(buffer))
            if self._inflate.eof:
                self._pending = self._inflate.unused_data
                self._inflate = None
            if data:
                buffer[: len(data)] = data
                return len(data)

    def skip(self) -> bool:
        """After damage go to the next member; whether there is one."""
        self._inflate = None
        start = max(0, self._member + 1 - (self._n_read - len(self._window)))
        while (found := self._window.find(_MEMBER_MAGIC, start)) < 0:
            if not self._fetch(len(_MEMBER_MAGIC) - 1):
                return False
            start = 0
        self._pending = self._window[found:]
        return True

    def _begin(self) -> bool:
        """Begin a member; whether there is one."""
        while not self._pending.lstrip(b"\0"):  # padding after the last is allowed
            if not self._fetch(_READ_BYTES):
                return False
            self._pending = self._window[-self._fresh :]
        self._pending = self._pending.lstrip(b"\0")
        self._member = self._n_read - len(self._pending)
        self._inflate = zlib.decompressobj(_PACKED)
        return True

    def _unpack(self, size: int) -> bytes:
        try:
            data = self._inflate.decompress(self._pending, size)
            self._pending = self._inflate.unconsumed_tail
            while not data and not self._inflate.eof:
                if not self._pending:
                    if not self._fetch(_READ_BYTES):
                        raise _PackingError("the file ends within a packed record")
                    self._pending = self._window[-self._fresh :]
                data = self._inflate.decompress(self._pending, size)
                self._pending = self._inflate.unconsumed_tail
        except zlib.error as error:
            raise _PackingError(f"packed bytes are damaged ({error})") from error
        return bytes(data)

    def _fetch(self, n_kept: int) -> int:
        """Read on, keeping some of what came before; how many bytes came."""
        data = self._raw.read(_READ_BYTES)
        self._window = self._window[-n_kept:] + data
        self._n_read += len(data)
        self._fresh = len(data)
        return len(data)


class WarcRecords:
    """Records of one file.

    Parameters
    ----------
    raw : ByteSource
        Its bytes, packed by gzip or not.
    most : int
        Bytes of a response's body to give.
    """

    def __init__(self, raw: ByteSource, most: int) -> None:
        self._most = most
        first = raw.read(_READ_BYTES)
        whole = _Prefixed(first, raw)
        self._members = GzipMembers(whole) if first.startswith(GZIP_MAGIC) else None
        self._lines = _Lines(self._members or whole)
        self._records = StatusAndHeadersParser(ArcWarcRecordLoader.WARC_TYPES)
        self._responses = StatusAndHeadersParser(ArcWarcRecordLoader.HTTP_TYPES, verify=False)

    def __iter__(self) -> Iterator[Record | DamagedRecord]:
        """Every record in order, damaged ones too; goes on after damage where it finds a record."""
        number = 0
        line: bytes | None = None
        while True:
            number += 1
            headers: StatusAndHeaders | None = None
            try:
                line = line or self._first_line()
                if line is None:
                    return
                headers = self._headers(line)
                yield self._record(number, headers)
                line = None
            except DamagedError as error:
                yield DamagedRecord(number, str(error), error.raw or _known(headers, line))
                line = self._next_beginning(error)
                if line is None:
                    return

    def _first_line(self) -> bytes | None:
        """The line with which a record begins, None at the end of the file."""
        while line := self._lines.begin():
            if line.startswith(_BEGINNINGS):
                return line
            if line.strip():
                raise DamagedError("not the beginning of a record", line[:_RAW].decode("latin-1"))
        return None

    def _next_beginning(self, error: DamagedError) -> bytes | None:
        """After damage, the first line of the next record that can be found."""
        while True:
            if isinstance(error, _PackingError):
                if self._members is None or not self._members.skip():
                    return None
                self._lines = self._lines.again()
            try:
                while line := self._lines.begin():
                    if line.startswith(_BEGINNINGS):
                        return line
                return None
            except _PackingError as another:
                error = another

    def _headers(self, line: bytes) -> StatusAndHeaders:
        headers = self._records.parse(self._lines, line)
        length = headers.get_header("Content-Length") or ""
        if not (length.isascii() and length.isdigit() and len(length) < 16):
            raise DamagedError(f"its header tells no length ({shown(length)})")
        return headers

    def _record(self, number: int, headers: StatusAndHeaders) -> Record:
        content = LimitReader(self._lines, int(headers.get_header("Content-Length")))
        http, body = None, b""
        if (headers.get_header("WARC-Type") or "").lower() == "response" and content.limit:
            self._lines.renew()
            http = self._responses.parse(content)
            body = content.read(self._most)
        while content.limit and content.read(_READ_BYTES):
            pass
        if content.limit:
            raise DamagedError(f"the file ends {content.limit:,} bytes before the record does")
        return Record(number, headers, http, body)


class _Prefixed(io.RawIOBase):
    """Bytes that were looked at, then those that follow."""

    def __init__(self, first: bytes, raw: ByteSource) -> None:
        self._first = memoryview(first)
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._first:
            self._first = memoryview(self._raw.read(len(buffer)))
        n = min(len(buffer), len(self._first))
        buffer[:n] = self._first[:n]
        self._first = self._first[n:]
        return n


class _Lines:
    """Lines of headers, of a bounded length, and bytes."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._stream = io.BufferedReader(raw, _BUFFER_BYTES)
        self._room = _MOST_HEADER_BYTES

    def again(self) -> _Lines:
        """The same bytes, less what is buffered."""
        return _Lines(self._stream.detach())

    def begin(self) -> bytes:
        """Read a line where a header may begin; a longer one in pieces."""
        self._room = _MOST_HEADER_BYTES
        return self._stream.readline(_READ_BYTES)

    def renew(self) -> None:
        """Allow for another header."""
        self._room = _MOST_HEADER_BYTES

    def readline(self, size: int = -1) -> bytes:
        """Read a line of a header; one that never ends is damage."""
        line = self._stream.readline(self._room if size < 0 else min(size, self._room))
        if not line:
            raise DamagedError("the file ends within a header")
        self._room -= len(line)
        if self._room <= 0:
            raise DamagedError("its header is too long")
        return line

    def read(self, size: int) -> bytes:
        """Read so many bytes, fewer at the end."""
        return self._stream.read(size)


def _known(headers: StatusAndHeaders | None, line: bytes | None) -> str:
    """What to keep of a record that cannot be read: what its header says."""
    if headers is not None:
        return "\n".join(f"{name}: {value}" for name, value in headers.headers)[:_RAW]
    return (line or b"")[:_RAW].decode("latin-1")
