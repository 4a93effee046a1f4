"""Bodies of HTTP responses as the page's own bytes: chunks joined, compression undone, size bounded."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Final, TypeAlias

_PIECE_BYTES: Final = 1 << 14
_GZIP_OR_ZLIB: Final = 47
_BARE_DEFLATE: Final = -15

_Inflate: TypeAlias = Callable[[bytes, int], bytes]
"""Takes some compressed bytes and how many it may give, and gives what they hold."""


def unwrap(body: bytes, *, chunked: bool, encodings: str, most: int) -> bytes:
    """Return the bytes of a page.

    Parameters
    ----------
    body : bytes
        What followed the header.
    chunked : bool
        Whether it is said to come in chunks.
    encodings : str
        The header ``Content-Encoding``.
    most : int
        Bytes to return at most.

    Returns
    -------
    bytes
        As much of the page as is there and whole. What is not in the form that the header says is
        taken as it is: crawlers often store a body unpacked under its old header.
    """
    if chunked:
        body = _joined(body, most)
    for encoding in reversed([part.strip().lower() for part in encodings.split(",")]):
        for make in _MAKERS.get(encoding, ()):
            unpacked = _unpacked(make, body, most)
            if unpacked:
                body = unpacked
                break
    return body[:most]


def _joined(body: bytes, most: int) -> bytes:
    from warcio.bufferedreaders import ChunkedDataReader

    return bytes(ChunkedDataReader(io.BytesIO(body)).read(most))


def _unpacked(make: Callable[[], _Inflate], body: bytes, most: int) -> bytes:
    """What comes out before the end, damage or the limit."""
    out = bytearray()
    try:
        inflate = make()
        for start in range(0, len(body), _PIECE_BYTES):
            if len(out) >= most:
                break
            out += inflate(body[start : start + _PIECE_BYTES], most - len(out))
    except Exception:  # each library has errors of its own
        return bytes(out)
    return bytes(out)


class _Members:
    """Members of gzip one after another, or one stream of zlib."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)

    def __call__(self, piece: bytes, room: int) -> bytes:
        out = self._inflate.decompress(piece, room)
        while self._inflate.unused_data.startswith(b"\x1f\x8b") and room > len(out):
            rest = self._inflate.unused_data
            self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
            out += self._inflate.decompress(rest, room - len(out))
        return out


def _bare() -> _Inflate:
    return zlib.decompressobj(_BARE_DEFLATE).decompress


def _brotli() -> _Inflate:
    import brotli

    decompressor = brotli.Decompressor()
    return lambda piece, room: bytes(decompressor.process(piece, output_buffer_limit=room))


# Some servers send deflate without its header.
_MAKERS: Final[dict[str, tuple[Callable[[], _Inflate], ...]]] = {
    "gzip": (_Members,),
    "x-gzip": (_Members,),
    "deflate": (_Members, _bare),
    "br": (_brotli,),
}
