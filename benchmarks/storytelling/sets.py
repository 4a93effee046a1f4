"""Sets of articles with true stories: story/*.parquet of a data directory, and changed copies of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from judging.answers import Ints, numbers
from planted import n_pairs


@dataclass(frozen=True)
class StorySet:
    """A file of articles; those without `truth` are input like the others, but are not judged."""

    file: Path

    @property
    def name(self) -> str:
        """The name of the set."""
        return self.file.stem

    @cached_property
    def table(self) -> pa.Table:
        """The articles."""
        return pq.read_table(self.file)

    @cached_property
    def truth(self) -> Ints:
        """The true story of every article, -1 where it is not known."""
        return numbers(self.table["truth"])

    @property
    def n(self) -> int:
        """The number of articles."""
        return self.table.num_rows

    def about(self) -> dict[str, int | str]:
        """Return what the reader of a table must know of the set."""
        labelled = self.truth[self.truth >= 0]
        return {
            "tool": self.name,
            "articles": self.n,
            "judged": len(labelled),
            "stories": len(set(labelled.tolist())),
            "pairs": n_pairs(labelled),
            "titled": self.n - self.table["title"].null_count,
            "dated": self.n - self.table["published_at"].null_count,
        }


def story_sets(data: Path) -> list[StorySet]:
    """Return the sets of a data directory."""
    files = sorted(data.glob("story/*.parquet"))
    return [StorySet(file) for file in files if "truth" in pq.read_schema(file).names]


def whole_texts(file: Path) -> list[str]:
    """Return title and text of every article as one; a title that the text begins with is not repeated."""
    table = pq.read_table(file, columns=["title", "text"])
    return [
        _whole(title or "", text or "")
        for title, text in zip(table["title"].to_pylist(), table["text"].to_pylist(), strict=True)
    ]


def _whole(title: str, text: str) -> str:
    """Return the two as one."""
    plain_title, beginning = " ".join(title.split()), text[: 2 * len(title) + 100]
    if " ".join(beginning.split()).casefold().startswith(plain_title.casefold()):
        return text
    return f"{plain_title}\n{text}"


def titled(source: StorySet, folder: Path) -> StorySet | None:
    """Return the articles that have a title, None where none has."""
    missing = source.table["title"].null_count
    if missing == source.n:
        return None
    kept = source.table.filter(pc.is_valid(source.table["title"]))
    return _written(source, kept, folder, "titled") if missing else source


def headlines(source: StorySet, folder: Path) -> StorySet | None:
    """Return the articles that have a title with nothing but it, None where none has."""
    kept = titled(source, folder)
    return None if kept is None else _written(source, _blanked(kept.table, "text"), folder, "headlines")


def undated(source: StorySet, folder: Path) -> StorySet:
    """Return the articles without their dates."""
    if source.table["published_at"].null_count == source.n:
        return source
    return _written(source, _blanked(source.table, "published_at"), folder, "undated")


def _blanked(table: pa.Table, name: str) -> pa.Table:
    """Return a table with nothing in one column."""
    place = table.schema.get_field_index(name)
    field = table.schema.field(place)
    return table.set_column(place, field, pa.nulls(table.num_rows, field.type))


def _written(source: StorySet, table: pa.Table, folder: Path, note: str) -> StorySet:
    """Write a changed copy of a set."""
    file = folder / f"{source.name}-{note}.parquet"
    pq.write_table(table, file)
    return StorySet(file)
