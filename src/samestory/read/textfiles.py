"""Text files: one article a file, many files a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from samestory.read.chunk import MAX_ROWS, TARGET_BYTES, Chunk, Wanted, numbered
from samestory.read.files import Part, reading

_BOM = b"\xef\xbb\xbf"


class TextFilesReader:
    """Text files in a row as one input of the columns ``doc_id`` (the file's name) and ``text``.

    Parameters
    ----------
    parts : sequence of Part
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.name = parts[0].name
        self.n_bytes = sum(part.n_bytes for part in parts)
        self._parts = parts

    def count_rows(self) -> int | None:
        """Rows: one a file."""
        return len(self._parts)

    def place(self, row: int) -> tuple[str, int]:
        """The file of a row, in which it is the only one."""
        return self._parts[row - 1].name, 1

    def fields(self) -> pa.Schema:
        """Always the same two columns."""
        return pa.schema([("doc_id", pa.string()), ("text", pa.large_string())])

    def chunks(self, wanted: Wanted | None) -> Iterator[Chunk]:
        """The articles in order; files are opened only where the text is wanted."""
        if wanted is not None and "text" not in wanted.values():
            ids = pa.array([part.name for part in self._parts], pa.string())
            yield Chunk(pa.RecordBatch.from_arrays([ids], names=["doc_id"]), numbered(1, len(ids)))
            return
        names: list[str] = []
        texts: list[bytes] = []
        n_bytes, first = 0, 1
        for part in self._parts:
            with reading(part.name, "text"), part.open_stream() as stream:
                text = stream.read().removeprefix(_BOM)
            if texts and (n_bytes + len(text) > TARGET_BYTES or len(texts) == MAX_ROWS):
                yield _chunk(names, texts, first)
                first += len(texts)
                names, texts, n_bytes = [], [], 0
            names.append(part.name)
            texts.append(text)
            n_bytes += len(text)
        yield _chunk(names, texts, first)


def _chunk(names: list[str], texts: list[bytes], first: int) -> Chunk:
    # Looked at as strings as they are: what is not UTF-8 is found where all formats are checked.
    columns = [pa.array(names, pa.string()), pa.array(texts, pa.large_binary()).view(pa.large_string())]
    return Chunk(pa.RecordBatch.from_arrays(columns, names=["doc_id", "text"]), numbered(first, len(names)))
