"""HTML files: one article a file, many files an input."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa

from samestory.pages.worker import MOST_BYTES
from samestory.read.chunk import Broken
from samestory.read.files import Part, reading
from samestory.read.pagepool import Body, Task
from samestory.read.pages import PageReader, PageStudio

_RAW_CHARACTERS: Final = 200


class HtmlFilesReader(PageReader):
    """HTML files in a row as one input; the id of an article is its file's name.

    Parameters
    ----------
    parts : sequence of Part
    studio : PageStudio
    """

    def __init__(self, parts: Sequence[Part], studio: PageStudio) -> None:
        super().__init__(parts[0].name, sum(part.n_bytes for part in parts), studio)
        self._parts = parts

    def count_rows(self) -> int | None:
        """Rows: one a file."""
        return len(self._parts)

    def place(self, row: int) -> tuple[str, int]:
        """The file of a row, in which it is the only one."""
        return self._parts[row - 1].name, 1

    def _tasks(self) -> Iterator[Task]:
        for row, part in enumerate(self._parts, 1):
            yield Task(row, part.name, None, _Loading(part, row))


class _Loading:
    """Reads one file when it is its turn."""

    def __init__(self, part: Part, row: int) -> None:
        self._part = part
        self._row = row

    def __call__(self) -> Body | Broken:
        with reading(self._part.name, "HTML"), self._part.open_raw() as stream:
            data = bytes(stream.read(MOST_BYTES + 1))
        if self._part.compression is None:
            return Body(data)
        # Unpacked by itself: damage is of this article, while what cannot be reached is of the run.
        try:
            with pa.CompressedInputStream(io.BytesIO(data), self._part.compression) as stream:
                return Body(bytes(stream.read(MOST_BYTES + 1)))
        except (pa.ArrowException, OSError, EOFError) as error:
            detail = str(error).strip().splitlines()[:1]
            raw = repr(data[:_RAW_CHARACTERS])
            return Broken(self._row, f"damaged, cannot be unpacked: {''.join(detail)}", raw)
