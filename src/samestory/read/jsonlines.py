"""JSON Lines: PyArrow's parser for blocks of lines, and line by line only for a block it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from samestory.read.chunk import RAW_LIMIT, Broken, Chunk, RowNumbers, Wanted
from samestory.read.files import Part, reading
from samestory.read.jsonslow import columns_of, head_fields, known_types, parse_lines, wanted_types

_PARSE_BYTES: Final = 4 << 20  # Parsed in one go, which makes one batch.
_PIECES: Final = 4  # In a block, where several threads may parse.
_HEAD_BYTES: Final = 1 << 20
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Lines:
    """Lines of a block that are not blank: the bytes from `starts` to `ends`, and their numbers."""

    data: bytes
    starts: RowNumbers
    ends: RowNumbers
    numbers: RowNumbers

    def __len__(self) -> int:
        return len(self.starts)

    def line(self, i: int) -> bytes:
        """The i-th line, without its end."""
        return self.data[self.starts[i] : self.ends[i]].rstrip(b"\r\n")

    def text(self, i: int) -> str:
        """The i-th line as text, with replacement characters where it is not valid UTF-8."""
        return self.line(i).decode("utf-8", "replace")


class JsonLinesReader:
    """Rows of one JSON Lines file; a row's number is its line's.

    Parameters
    ----------
    part : Part
    threads : bool
        Whether parts of a block may be parsed at the same time.
    """

    def __init__(self, part: Part, *, threads: bool) -> None:
        self.name = part.name
        self.n_bytes = part.n_bytes
        self._part = part
        self._threads = threads
        self._block_bytes = _PARSE_BYTES * (_PIECES if threads else 1)
        self._fields: pa.Schema | None = None

    def count_rows(self) -> int | None:
        """Rows: only reading all of them tells."""
        return None

    def place(self, row: int) -> tuple[str, int]:
        """File and line by which a user finds a row."""
        return self.name, row

    def fields(self) -> pa.Schema | None:
        """Columns of the first objects, with the types that their values have in common."""
        if self._fields is None:
            head: list[bytes] = []
            for lines in self._lines(_HEAD_BYTES):
                head += [lines.line(i) for i in range(len(lines))]
                # Broken lines may come first: go on until there is an object to look at.
                self._fields = head_fields(head)
                if self._fields is not None:
                    break
                head.clear()
        return self._fields

    def chunks(self, wanted: Wanted | None) -> Iterator[Chunk]:
        """The rows in order; broken lines are named, blank ones passed over."""
        head = self.fields()
        types = known_types(head) if wanted is None else wanted_types(wanted, head)
        for lines in self._lines(self._block_bytes):
            table = self._parse(lines, types, everything=wanted is None)
            if table is None:
                yield self._slowly(lines, wanted)
                continue
            first = 0
            for batch in table.to_batches():
                yield _chunk(lines, batch, np.arange(first, first + batch.num_rows))
                first += batch.num_rows

    def line_blocks(self) -> Iterator[tuple[pa.Array, RowNumbers]]:
        """The lines themselves, each with its end, as binary arrays that share the block's bytes."""
        for lines in self._lines(self._block_bytes):
            if lines.data.endswith(b"\n") and _adjoining(lines):
                bounds = pa.py_buffer(np.append(lines.starts, len(lines.data)))
                buffers = [None, bounds, pa.py_buffer(lines.data)]
                yield pa.Array.from_buffers(pa.large_binary(), len(lines), buffers), lines.numbers
            else:
                whole = [lines.data[start:end] for start, end in zip(lines.starts, lines.ends, strict=True)]
                ended = [line if line.endswith(b"\n") else line + b"\n" for line in whole]
                yield pa.array(ended, pa.large_binary()), lines.numbers

    def _lines(self, block_bytes: int) -> Iterator[Lines]:
        with reading(self.name, "JSON Lines"), self._part.open_stream() as stream:
            first = 1
            for data in _blocks(stream, block_bytes):
                lines, n_lines = _split(data, first)
                first += n_lines
                yield lines

    def _parse(self, lines: Lines, types: pa.Schema, *, everything: bool) -> pa.Table | None:
        """The block as a table, None if PyArrow cannot read all its lines as objects."""
        if not len(lines) or not _all_objects(lines):
            return None
        longest = int((lines.ends - lines.starts).max())
        try:
            table = pj.read_json(
                pa.BufferReader(lines.data),
                read_options=pj.ReadOptions(
                    use_threads=self._threads,
                    block_size=max(_PARSE_BYTES, 2 * longest) if self._threads else len(lines.data) + 1,
                ),
                parse_options=pj.ParseOptions(
                    explicit_schema=types,
                    newlines_in_values=False,
                    unexpected_field_behavior="infer" if everything else "ignore",
                ),
            )
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return None
        # Two objects on one line would pass unnoticed.
        return table if table.num_rows == len(lines) else None

    def _slowly(self, lines: Lines, wanted: Wanted | None) -> Chunk:
        objects, faults = parse_lines([lines.line(i) for i in range(len(lines))], wanted)
        broken = [
            Broken(int(lines.numbers[i]), reason, lines.text(i)[:RAW_LIMIT]) for i, reason in faults.items()
        ]
        good = np.array(list(objects), dtype=np.int64)
        head = self.fields()
        names = list(wanted.values()) if wanted is not None else head.names if head is not None else []
        batch = columns_of(list(objects.values()), names, as_strings=wanted is not None)
        return _chunk(lines, batch, good, tuple(broken))


def _chunk(lines: Lines, batch: pa.RecordBatch, which: RowNumbers, broken: tuple[Broken, ...] = ()) -> Chunk:
    def raw_text(i: int, /) -> str:
        return lines.text(int(which[i]))

    return Chunk(batch, lines.numbers[which], broken, raw_text)


def _blocks(stream: Any, block_bytes: int) -> Iterator[bytes]:
    """Blocks of whole lines of about `block_bytes`, a longer line in one piece; without a BOM."""
    held: list[bytes] = []
    fresh = True
    while data := stream.read(block_bytes):
        if fresh:
            data, fresh = data.removeprefix(_BOM), False
        cut = data.rfind(b"\n") + 1
        if cut:
            # A view, so that the block is copied once and not twice.
            yield b"".join([*held, memoryview(data)[:cut]])
            held = []
        held.append(data[cut:])
    if any(held):
        yield b"".join(held)


def _split(data: bytes, first: int) -> tuple[Lines, int]:
    """Lines of a block that are not blank, and how many there are with the blank ones."""
    codes = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(codes == 10).astype(np.int64) + 1
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    n_lines = len(ends)
    starts = np.append(np.zeros(1, np.int64), ends[:-1])
    # Most lines begin with the object's brace; only the others may be blank.
    odd = np.flatnonzero(codes[starts] != ord("{"))
    blank = [i for i in odd if not data[starts[i] : ends[i]].strip()]
    numbers = np.arange(first, first + len(starts), dtype=np.int64)
    if blank:
        starts, ends, numbers = (np.delete(values, blank) for values in (starts, ends, numbers))
    return Lines(data, starts, ends, numbers), n_lines


def _all_objects(lines: Lines) -> bool:
    """Whether all lines begin with a brace: PyArrow's parser crashes on some lines that don't."""
    codes = np.frombuffer(lines.data, np.uint8)
    odd = np.flatnonzero(codes[lines.starts] != ord("{"))
    return all(lines.line(int(i)).lstrip(b" \t\r").startswith(b"{") for i in odd)


def _adjoining(lines: Lines) -> bool:
    """Whether no blank line stands before or between the lines or after them."""
    if not len(lines) or lines.starts[0] != 0 or lines.ends[-1] != len(lines.data):
        return False
    return bool((lines.starts[1:] == lines.ends[:-1]).all())
