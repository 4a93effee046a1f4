"""Pages as rows: what HTML files and WARC records have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from samestory.read.chunk import Broken, Chunk, Wanted
from samestory.read.dates import parse_date
from samestory.read.kept import Keeper, KeptRows
from samestory.read.pagepool import Found, PagePool, Task
from samestory.schema import ARTICLE

_CHUNK_PAGES: Final = 32  # Few, so that an interrupt is not long in coming through.
_CHUNK_BYTES: Final = 1 << 20


class PageStudio:
    """What the readers of one source share: the processes, and the articles they made.

    Parameters
    ----------
    n_threads : int
    scratch : Path, optional
        Directory for a temporary file.
    """

    def __init__(self, n_threads: int, scratch: Path | None) -> None:
        self.pool = PagePool(n_threads)
        self.keeper = Keeper(scratch)

    def close(self) -> None:
        """End the processes, delete the file."""
        self.pool.close()
        self.keeper.close()


class PageReader(ABC):
    """Articles made of pages, in the columns of `samestory.schema.ARTICLE`.

    They are made once; later passes get what was kept.

    Parameters
    ----------
    name : str
    n_bytes : int
    studio : PageStudio

    Attributes
    ----------
    skipped : Counter
        What is no article and was passed over, by kind, as far as the input was read.
    """

    def __init__(self, name: str, n_bytes: int, studio: PageStudio) -> None:
        self.name = name
        self.n_bytes = n_bytes
        self.skipped: Counter[str] = Counter()
        self._studio = studio
        self._kept: KeptRows | None = None
        self._plain: list[int] = []
        self._cut: list[int] = []

    def count_rows(self) -> int | None:
        """Rows: only reading all of them tells."""
        return None

    @abstractmethod
    def place(self, row: int) -> tuple[str, int]:
        """File and row by which a user finds a row."""

    @abstractmethod
    def _tasks(self) -> Iterator[Task | Broken]:
        """The pages in order, and what is none but should be; counts what it passes over."""

    def fields(self) -> pa.Schema:
        """Always the same columns."""
        return ARTICLE

    @property
    def remarks(self) -> dict[str, list[int]]:
        """Rows that are not as good as they should be, by what is the matter."""
        return {
            "of which all text was taken, the main text not found in time or among too many elements": (
                self._plain
            ),
            "longer than 8 MiB, of which only the beginning was looked at": self._cut,
        }

    def chunks(self, wanted: Wanted | None) -> Iterator[Chunk]:
        """The articles in order, with all columns."""
        if self._kept is not None:
            yield from self._kept.chunks()
            return
        self.skipped, self._plain, self._cut = Counter(), [], []
        kept: KeptRows | None = KeptRows(self._studio.keeper)
        for chunk in self._made():
            if kept is not None:
                try:
                    kept.add(chunk)
                except OSError:  # no room: they are made again, then
                    kept = None
            yield chunk
        self._kept = kept

    def _made(self) -> Iterator[Chunk]:
        found: list[Found] = []
        broken: list[Broken] = []
        n_bytes = 0
        for item in self._studio.pool.extract(self._tasks()):
            if isinstance(item, Broken):
                broken.append(item)
            else:
                found.append(item)
                n_bytes += len(item.fields["text"] or "")
                if item.is_plain:
                    self._plain.append(item.row)
                if item.is_cut:
                    self._cut.append(item.row)
            if len(found) + len(broken) >= _CHUNK_PAGES or n_bytes >= _CHUNK_BYTES:
                yield _chunk(found, broken)
                found, broken, n_bytes = [], [], 0
        if found or broken:
            yield _chunk(found, broken)


def _chunk(found: list[Found], broken: list[Broken]) -> Chunk:
    columns = {
        "doc_id": [_clean(item.doc_id) for item in found],
        **{name: [item.fields[name] for item in found] for name in ("text", "title", "source", "url")},
        "published_at": [parse_date(item.fields["date"] or "") for item in found],
    }
    arrays = [pa.array(columns[field.name], field.type) for field in ARTICLE]
    rows = np.array([item.row for item in found], dtype=np.int64)
    return Chunk(pa.RecordBatch.from_arrays(arrays, schema=ARTICLE), rows, tuple(broken))


def _clean(name: str) -> str:
    """A name that can be encoded, as those of files need not be."""
    with suppress(UnicodeEncodeError):
        name.encode()
        return name
    return name.encode("utf-8", "replace").decode()
