"""How a value is stored: behind a header with its checksum."""

from __future__ import annotations

import struct
from typing import Any, Final, TypeAlias

from numpy.typing import NDArray
from xxhash import xxh3_64, xxh3_64_intdigest

Buffer: TypeAlias = "bytes | bytearray | memoryview | NDArray[Any]"

FORMAT: Final = 1
# LMDB's large values begin 16 or 24 bytes into a page, so that payloads behind these 32 are aligned to 8.
HEADER_BYTES: Final = 32
LARGEST_PAYLOAD: Final = (1 << 32) - 1 - HEADER_BYTES

_HEADER: Final = struct.Struct("<4sIQQQ")  # magic, format, bytes of payload, number of commit, checksum
_MAGIC: Final = b"sstV"
_CHECKSUM_START: Final = 24


def n_bytes_of(buffers: list[Buffer]) -> int:
    """Return how many bytes buffers have together."""
    # Arrays are buffers, which their types say only from Python 3.12 on.
    anything: list[Any] = list(buffers)
    return sum(memoryview(buffer).nbytes for buffer in anything)


def seal(name: bytes, buffers: list[Buffer], number: int) -> bytes:
    """Return a value as it is stored: its buffers, joined, behind a header.

    Parameters
    ----------
    name : bytes
    buffers : list of contiguous buffers
    number : int
        Of the commit, so that versions of a value differ even where their payloads do not.

    Raises
    ------
    ValueError
        If the payload has more than 4 GiB - 33 bytes.
    """
    n_bytes = n_bytes_of(buffers)
    if n_bytes > LARGEST_PAYLOAD:
        raise ValueError(f"value {name!r} has {n_bytes:,} bytes, more than {LARGEST_PAYLOAD:,}")
    start = _HEADER.pack(_MAGIC, FORMAT, n_bytes, number, 0)[:_CHECKSUM_START]
    parts: list[Any] = [start, _checksum(name, start, buffers).to_bytes(8, "little"), *buffers]
    return b"".join(parts)


def fault(name: bytes, raw: memoryview) -> str | None:
    """Return what is wrong with a stored value, in words; None if nothing is."""
    if len(raw) < HEADER_BYTES:
        return f"its value {name!r} has {len(raw)} bytes, too few for a header"
    magic, version, n_bytes, _, checksum = _HEADER.unpack_from(raw)
    if magic != _MAGIC:
        return f"its value {name!r} does not begin as values do"
    if version != FORMAT:
        return f"its value {name!r} is of format {version}, where {FORMAT} is known"
    if n_bytes != len(raw) - HEADER_BYTES:
        return f"its value {name!r} has {len(raw) - HEADER_BYTES:,} bytes instead of {n_bytes:,}"
    if checksum != _checksum(name, bytes(raw[:_CHECKSUM_START]), [raw[HEADER_BYTES:]]):
        return f"the checksum of its value {name!r} is wrong"
    return None


def version_of(raw: memoryview) -> bytes:
    """Return what tells a version of a value from all others of its name."""
    return bytes(raw[:HEADER_BYTES])


def number_of(raw: memoryview) -> int:
    """Return the number of the commit that stored a value without fault."""
    number: int = _HEADER.unpack_from(raw)[3]
    return number


def format_of(raw: memoryview) -> int | None:
    """Return the format of a stored value; None if it is none of ours."""
    if len(raw) < HEADER_BYTES:
        return None
    magic, version, _, _, _ = _HEADER.unpack_from(raw)
    return version if magic == _MAGIC else None


def mark(name: bytes, raw: memoryview | bytes) -> int:
    """Return a 64-bit number of a value and its version; their sum over all values is the digest."""
    return xxh3_64_intdigest(bytes(raw[:HEADER_BYTES]) + name)


def _checksum(name: bytes, start: bytes, buffers: list[Any]) -> int:
    # The lengths keep the name, of any length, and the payload apart.
    hasher = xxh3_64(start + len(name).to_bytes(8, "little") + name)
    for buffer in buffers:
        hasher.update(buffer)
    return hasher.intdigest()
