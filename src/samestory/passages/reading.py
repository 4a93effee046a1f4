"""One article as a run reads it: what is compared of it, and where that stands in its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.buffers import string_buffers
from samestory.chrome import find_chrome
from samestory.config import Config
from samestory.errors import InputError
from samestory.furniture import Furniture, Remover
from samestory.kernels.sites import name_keys
from samestory.normalise import FoldedTexts, judged_text
from samestory.passages.places import Placed, place
from samestory.passages.shingles import count_distinct
from samestory.sites import host_of

Ints = NDArray[np.int64]
Stretches = list[tuple[int, int]]

_ROOM: Final = 64
"""Bytes after a text that kernels may read ahead."""


@dataclass(frozen=True)
class Article:
    """An article as it was handed in."""

    doc_id: str
    text: str | None
    title: str | None = None
    source: str | None = None
    url: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True)
class Recorded:
    """What a run wrote of an article: columns of clusters.parquet."""

    n_shingles: int
    boilerplate_ratio: float


@dataclass(frozen=True)
class Units:
    """The words (or characters) of a text and where each stands in it.

    Attributes
    ----------
    values : pyarrow.Array
        The words as strings, the characters as numbers.
    begins, ends : int64 arrays
    is_kept : bool array
        Whether it is compared; it is furniture otherwise.
    """

    values: Any
    begins: Ints
    ends: Ints
    is_kept: NDArray[np.bool_]

    @property
    def compared(self) -> Any:
        """The values of those that are compared."""
        return self.values.filter(pa.array(self.is_kept))


@dataclass(frozen=True)
class Reading:
    """An article and what is compared of it.

    Attributes
    ----------
    article : Article
    text : str
        What copies are judged on, as it stands in the input.
    judged_on : str
        ``"text"``, or ``"title"`` where there is no text.
    n_shingles : int
        Distinct shingles.
    n_removed : int
        Words (or characters) taken out as page furniture.
    boilerplate_ratio : float
        Their share of all, as clusters.parquet has it.
    is_as_recorded : bool
        Whether a run counted the same; False means that the article is not what it was then.
    units : Units
    chrome : list of (int, int)
        Lines of `text` that are known from menus and notices.
    config : Config
    """

    article: Article
    text: str
    judged_on: str
    n_shingles: int
    n_removed: int
    boilerplate_ratio: float
    is_as_recorded: bool
    units: Units = field(repr=False)
    chrome: Stretches = field(repr=False)
    config: Config = field(repr=False)

    @property
    def n_units(self) -> int:
        """Words (or characters) that are compared."""
        return int(np.count_nonzero(self.units.is_kept))


class Reader:
    """Reads articles as a run with the same settings and furniture does.

    Parameters
    ----------
    config : Config
    furniture : Furniture, optional
        What the run learnt.
    """

    def __init__(self, config: Config, furniture: Furniture | None = None) -> None:
        self._config = config
        self._by_character = config.shingle_unit == "char"
        has_any = furniture is not None and len(furniture) > 0 and config.boilerplate
        self._remover = Remover(furniture) if has_any and furniture is not None else None

    def read(self, article: Article, *, site: str | None = None, recorded: Recorded | None = None) -> Reading:
        """Read an article.

        Parameters
        ----------
        article : Article
        site : str, optional
            The site whose furniture is taken out; by default the host of the address, else the outlet.
        recorded : Recorded, optional
            What a run wrote of it. A run looks for furniture only where one of its fingerprints
            of furniture occurs, which the table does not tell: where it found none, none is taken out here.

        Raises
        ------
        InputError
            The text is not valid Unicode.
        """
        text, judged_on = _judged(article)
        chrome, n_chrome = self._find_chrome(text)
        placed = place(text, chrome, unit=self._config.shingle_unit)
        units = _units(placed, by_character=self._by_character)
        variants = [self._without_furniture(units, placed, _site_of(article) if site is None else site)]
        if not variants[0].is_kept.all():
            variants.append(units)
        readings = [
            _counted(article, text, judged_on, own, chrome, n_chrome, recorded, self._config)
            for own in variants
        ]
        return next((reading for reading in readings if reading.is_as_recorded), readings[0])

    def read_folded(
        self, article: Article, whole: str, compared: str, n_removed: int, sites: list[int]
    ) -> Reading:
        """Read an article of an index, which keeps folded texts only.

        Parameters
        ----------
        article : Article
        whole, compared : str
            The folded text with and without its furniture.
        n_removed : int
            Words (or characters) taken out of it in all.
        sites : list of int
            Keys of what may be its site.
        """
        n = len(whole)
        units = _units(Placed(whole, np.arange(n), np.arange(1, n + 1)), by_character=self._by_character)
        wanted = _units(
            Placed(compared, *(np.zeros(len(compared), np.int64),) * 2), self._by_character
        ).values
        tried = [self._cut(units, whole, key) for key in sites] if wanted != units.values else [units]
        own = next((one for one in tried if one.compared == wanted), None)
        own = own or _aligned(units, wanted)
        return _counted(
            article, whole, "text", own, [], n_removed - int((~own.is_kept).sum()), None, self._config
        )

    def _find_chrome(self, text: str) -> tuple[Stretches, int]:
        """Find the lines that are chrome, and count their words."""
        if not self._config.boilerplate:
            return [], 0
        texts = pa.array([text], pa.large_string())
        found = find_chrome(texts, by_character=self._by_character)
        if not len(found.cuts):
            return [], 0
        data, _ = string_buffers(texts)
        starts_one = (data[: int(found.cuts[-1, 1])] & 0xC0) != 0x80
        places = np.concatenate([[0], np.cumsum(starts_one)])  # characters before each byte
        return [tuple(cut) for cut in places[found.cuts].tolist()], int(found.n_removed[0])

    def _without_furniture(self, units: Units, placed: Placed, site: str) -> Units:
        if self._remover is None:
            return units
        (key,) = name_keys(*string_buffers(pa.array([site], pa.large_string()))).tolist()
        return self._cut(units, placed.folded, key)

    def _cut(self, units: Units, folded: str, site_key: int) -> Units:
        """Mark the furniture of a site in a folded text."""
        if self._remover is None or not folded:
            return units
        # A copy, for kernels are compiled anew for what cannot be written.
        data = np.frombuffer(folded.encode() + bytes(_ROOM), dtype=np.uint8).copy()
        n_bytes = len(data) - _ROOM
        texts = FoldedTexts(data, np.array([0, n_bytes], dtype=np.int64))
        found = self._remover.find(texts, np.zeros(1, np.int64), np.array([site_key], dtype=np.uint64))
        # A unit begins after a space, or with each character.
        data = data[:n_bytes]
        begins = (data & 0xC0) != 0x80 if self._by_character else np.append(True, data[:-1] == ord(" "))
        unit_of_byte = np.cumsum(begins) - 1
        is_kept = units.is_kept.copy()
        for begin, end in found.cuts.tolist():
            is_kept[unit_of_byte[begin] : unit_of_byte[end - 1] + 1] = False
        return Units(units.values, units.begins, units.ends, is_kept)


def _judged(article: Article) -> tuple[str, str]:
    """Return what copies are judged on, and which of text and title that is."""
    try:
        text, title = pa.array([article.text], pa.large_string()), pa.array([article.title], pa.string())
    except UnicodeEncodeError as error:
        half = error.object[error.start : error.end]
        raise InputError(
            f"article {article.doc_id!r} holds half a surrogate pair: {half!a}",
            hint="decode it with errors='replace'",
        ) from error
    judged = judged_text(text, title)
    return judged[0].as_py() or "", "text" if judged is text else "title"


def _site_of(article: Article) -> str:
    return host_of(article.url or "") or (article.source or "")


def _units(placed: Placed, by_character: bool) -> Units:
    """Return the units of a folded text."""
    folded, begins, ends = placed.folded, placed.begins, placed.ends
    if by_character:
        values = pa.array(np.frombuffer(folded.encode("utf-32-le"), dtype=np.uint32))
        return Units(values, begins, ends, np.ones(len(begins), dtype=np.bool_))
    words = folded.split(" ") if folded else []
    lasts = np.cumsum(np.array([len(word) + 1 for word in words], dtype=np.int64)) - 2
    firsts = np.append(0, lasts[:-1] + 2)[: len(words)]
    values = pa.array(words, pa.large_string())
    return Units(values, begins[firsts], ends[lasts], np.ones(len(words), dtype=np.bool_))


def _aligned(units: Units, wanted: Any) -> Units:
    """Mark as furniture what must be left out for the wanted units to be left, from the first on."""
    is_kept = np.zeros(len(units.values), dtype=np.bool_)
    left = wanted.to_pylist()
    at = 0
    for k, value in enumerate(units.values.to_pylist()):
        if at < len(left) and left[at] == value:
            is_kept[k] = True
            at += 1
    return Units(units.values, units.begins, units.ends, is_kept)


def _counted(
    article: Article,
    text: str,
    judged_on: str,
    units: Units,
    chrome: Stretches,
    n_chrome: int,
    recorded: Recorded | None,
    config: Config,
) -> Reading:
    """Count the shingles and what was taken out, and compare both with what a run wrote."""
    n_units = int(np.count_nonzero(units.is_kept))
    n_removed = n_chrome + len(units.is_kept) - n_units
    ratio = float(np.float32(n_removed / max(n_removed + n_units, 1)))
    n_shingles = count_distinct(units.compared, config.shingle_size)
    as_recorded = recorded is None or (
        n_shingles == recorded.n_shingles and ratio == np.float32(recorded.boilerplate_ratio)
    )
    return Reading(
        article, text, judged_on, n_shingles, n_removed, ratio, bool(as_recorded), units, chrome, config
    )
