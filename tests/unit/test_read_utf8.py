"""The check for UTF-8 agrees with Python's decoder."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pyarrow as pa
import pytest

from samestory.read.utf8 import invalid_rows, is_valid

# Bytes on both sides of every border that RFC 3629 draws.
EDGES = [
    0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1,
    0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFC, 0xFE, 0xFF,
]  # fmt: skip


def decodes(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def checked(data: bytes, shift: int = 0) -> bool:
    """The answer for the data between enough ASCII on both sides, at a place `shift` from a word's start."""
    whole = np.frombuffer(b"." * (32 + shift) + data + b"." * 70, np.uint8)
    return is_valid(whole[shift:])


def test_all_short_sequences():
    for k in (1, 2, 3):
        for values in itertools.product(EDGES, repeat=k):
            assert checked(bytes(values)) == decodes(bytes(values)), bytes(values)


def test_random_sequences_at_every_place():
    draw = random.Random(5)
    for _ in range(20_000):
        data = b"x" * draw.randrange(9) + bytes(draw.choices(EDGES, k=4))
        assert checked(data, draw.randrange(8)) == decodes(data), data


def test_every_kind_of_character():
    text = "".join(map(chr, itertools.chain(range(0xD800), range(0xE000, 0x110000, 5)))).encode()
    assert is_valid(np.frombuffer(text, np.uint8))


@pytest.mark.parametrize("end", [b"\xc3", b"\xe4\xba", b"\xf0\x9f\x98"])
@pytest.mark.parametrize("n", range(60, 80))
def test_cut_off_at_the_end(n, end):
    assert not is_valid(np.frombuffer(b"a" * n + end, np.uint8))
    assert not is_valid(np.frombuffer(end + b"a" * n, np.uint8))


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@pytest.mark.parametrize("filler", ["plain ", "ünïcödé "])
def test_rows(kind, filler):
    binary = pa.large_binary() if kind == pa.large_string() else pa.binary()
    good = (filler * 50).encode()
    rows = [good, None, b"", b"half \xd0", b"\xbc rest", good, b"latin \xe9", good]
    values = pa.array(rows, binary).view(kind)
    assert invalid_rows(values) == [3, 4, 6]
    assert invalid_rows(values.slice(4, 3)) == [0, 2]
    assert invalid_rows(values.slice(0, 3)) == []
    assert invalid_rows(values.slice(5, 1)) == []
    assert invalid_rows(values.slice(0, 0)) == []


def test_what_a_null_row_holds_does_not_matter():
    offsets, data = pa.py_buffer(np.array([0, 2, 4, 6], np.int32)), pa.py_buffer(b"\xc3\xbc\xff\xff\xc3\xa4")
    valid = pa.py_buffer(bytes([0b101]))
    values = pa.Array.from_buffers(pa.string(), 3, [valid, offsets, data])
    assert invalid_rows(values) == []


@pytest.mark.parametrize("ends", [[0, 2, 90], [0, 5, 3], [-4, 1, 2]])
def test_damaged_layout(ends):
    buffers = [None, pa.py_buffer(np.array(ends, np.int32)), pa.py_buffer(b"abcdef")]
    with pytest.raises(pa.ArrowInvalid):
        invalid_rows(pa.Array.from_buffers(pa.string(), 2, buffers))
