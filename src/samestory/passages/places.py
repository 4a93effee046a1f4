"""The characters of a folded text, each with its place in the text as it was handed in.

The folded text itself is that of `samestory.normalise`. What each character of
it was made from is found by folding the text once more, character by character
where they fold alone, else by the shortest stretch that folds alone; the two
must agree.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.buffers import string_buffers
from samestory.kernels.tokenise import DROPPED, EXPANDED, LINKER, MARK, SEPARATOR, find_hard
from samestory.normalise import normalise
from samestory.tables import unicode_table
from samestory.tables.build import fold

Ints = NDArray[np.int64]

_LINE_END: Final = re.compile(r"-\r?\n[ \t]*")
_SPACE: Final = 32
_KIND: Final = 255
_PAGE: Final = 128


@dataclass(frozen=True)
class Placed:
    """A folded text and where its characters come from.

    Attributes
    ----------
    folded : str
        As `samestory.normalise.normalise` gives it.
    begins, ends : int64 arrays
        For each character of it, the stretch of the original text that it was made from; of a
        space, what stands between the words.
    """

    folded: str
    begins: Ints
    ends: Ints


@dataclass(frozen=True)
class _Folded:
    """Characters, with the stretch of the text each was made from, from one step to the next."""

    characters: Ints
    begins: Ints
    ends: Ints

    def only(self, kept: NDArray[np.bool_]) -> _Folded:
        if kept.all():
            return self
        return _Folded(self.characters[kept], self.begins[kept], self.ends[kept])

    def repeated(self, characters: Ints, counts: Ints) -> _Folded:
        return _Folded(characters, np.repeat(self.begins, counts), np.repeat(self.ends, counts))


def place(text: str, left_out: list[tuple[int, int]], *, unit: str) -> Placed:
    """Fold a text without some stretches of it.

    Parameters
    ----------
    text : str
    left_out : list of (int, int)
        Stretches to leave out, in order.
    unit : {"word", "char"}
        What shingles are made of.
    """
    places = np.delete(np.arange(len(text)), _within(left_out))
    cut = _taken(text, places) if left_out else text
    folded = normalise(pa.array([cut], pa.large_string()), unit=unit).text(0)
    parted = _within(_line_ends(cut))
    if len(parted):
        places = np.delete(places, parted)
        cut = _taken(text, places)
    made = _emitted(_folded(cut, places))
    return _spaced(folded, made)


def _within(stretches: list[tuple[int, int]]) -> Ints:
    """Return all places in some stretches."""
    return np.concatenate([np.zeros(0, dtype=np.int64), *(np.arange(*stretch) for stretch in stretches)])


def _taken(text: str, places: Ints) -> str:
    """Return the characters at some places, in order."""
    breaks = np.flatnonzero(np.diff(places) != 1) + 1
    begins = places[np.concatenate([[0], breaks])] if len(places) else places
    ends = places[np.concatenate([breaks - 1, [-1]])] + 1 if len(places) else places
    return "".join(text[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True))


def _line_ends(text: str) -> list[tuple[int, int]]:
    """Find what parts words at the ends of lines: see `samestory.kernels.hyphens`."""
    found = []
    for match in _LINE_END.finditer(text):
        begin, end = match.span()
        before, after = text[max(begin - 1, 0) : begin], text[end : end + 1]
        joins = _is_letter(before) and (_is_letter(after) and not "A" <= after <= "Z")
        if joins:
            found.append((begin, end))
    return found


def _is_letter(character: str) -> bool:
    return bool(character) and (not character.isascii() or character.isalpha())


def _code_points(text: str) -> Ints:
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.int64)


def _folded(text: str, places: Ints) -> _Folded:
    """Return the characters of a text folded, but for the parting into words."""
    plain = _Folded(_code_points(text), places, places + 1)
    table = unicode_table()
    data, offsets = string_buffers(pa.array([text], pa.large_string()))
    if find_hard(data, offsets, table.pages, table.entries, table.hardness)[0]:
        plain = _fold_stretches(text, plain)
    return _by_table(plain)


@functools.cache
def _dropped() -> dict[int, None]:
    return {int(code_point): None for code_point in unicode_table().dropped}


@functools.cache
def _entries() -> NDArray[np.int32]:
    """Return the entry of every code point, without pages: see `samestory.tables.build`."""
    table = unicode_table()
    return table.entries.reshape(-1, _PAGE)[table.pages].reshape(-1)


@functools.cache
def _hardness() -> NDArray[np.uint8]:
    table = unicode_table()
    return table.hardness.reshape(-1, _PAGE)[table.pages].reshape(-1)


def _fold_stretches(text: str, plain: _Folded) -> _Folded:
    """Fold a text whose characters depend on one another, by the stretches that do not.

    A character begins one if what it is made of, and what it folds to, begin with a
    character that composes with none before it and cannot be put in another order.
    """
    alone = _hardness()[plain.characters] == 0
    others = np.unique(plain.characters[~alone]).tolist()
    heads = [code for code in others if _begins_alone(chr(code))]
    is_dropped = _entries()[plain.characters] & _KIND == DROPPED
    begins_one = alone & ~is_dropped
    begins_one |= np.isin(plain.characters, heads)
    begins_one[:1] = True
    starts = np.flatnonzero(begins_one)
    stops = np.append(starts[1:], len(text))
    known: dict[str, str] = {}
    counts = np.ones(len(starts), dtype=np.int64)
    pieces: list[str] = []
    several = np.flatnonzero((stops - starts > 1) | ~alone[starts])
    for k, begin, end in zip(
        several.tolist(), starts[several].tolist(), stops[several].tolist(), strict=True
    ):
        piece = text[begin:end]
        if piece not in known:
            known[piece] = fold(piece, _dropped())
        pieces.append(known[piece])
        counts[k] = len(known[piece])
    lasts = np.maximum.accumulate(np.where(is_dropped, 0, np.arange(len(text))))[stops - 1]
    by_stretch = _Folded(
        plain.characters[starts], plain.begins[starts], plain.ends[np.maximum(lasts, starts)]
    )
    folded = np.repeat(by_stretch.characters, counts)
    is_piece = np.zeros(len(starts), dtype=np.bool_)
    is_piece[several] = True
    folded[np.repeat(is_piece, counts)] = _code_points("".join(pieces))
    return by_stretch.repeated(folded, counts)


def _begins_alone(character: str) -> bool:
    forms = unicodedata.normalize("NFKD", character), fold(character, _dropped())
    return all(form and not _hardness()[ord(form[0])] for form in forms)


def _by_table(plain: _Folded) -> _Folded:
    """Fold characters one by one, as `samestory.kernels.tokenise.tokenise_text` does."""
    entries = _entries()[plain.characters]
    kinds, shifts = entries & _KIND, entries >> 8
    simple = plain.characters + shifts
    is_expanded = kinds == EXPANDED
    if not is_expanded.any():
        return _Folded(simple, plain.begins, plain.ends).only(kinds != DROPPED)
    expansions = unicode_table().expansions
    counts = np.where(kinds == DROPPED, 0, 1)
    counts[is_expanded] = expansions[shifts[is_expanded]]
    firsts = np.cumsum(counts) - counts
    folded = np.repeat(simple, counts)
    within = np.arange(len(folded)) - np.repeat(firsts, counts)
    expanded = np.repeat(is_expanded, counts)
    folded[expanded] = expansions[(np.repeat(shifts, counts) + 1 + within)[expanded]]
    return plain.repeated(folded, counts)


def _emitted(folded: _Folded) -> _Folded:
    """Return the characters that are part of words: no separators, and no marks that stand on nothing."""
    kinds = _entries()[folded.characters] & _KIND
    is_mark = (kinds == MARK) | (kinds == LINKER)
    separates = kinds == SEPARATOR
    bearer = np.maximum.accumulate(np.where(is_mark, -1, np.arange(len(kinds))))
    stands = np.where(bearer >= 0, ~separates[bearer], False) if len(kinds) else separates
    return folded.only(np.where(is_mark, stands, ~separates))


def _spaced(folded: str, made: _Folded) -> Placed:
    """Put the spaces between the words."""
    characters = _code_points(folded)
    is_space = characters == _SPACE
    if not np.array_equal(characters[~is_space], made.characters):
        raise RuntimeError("the places of a text's words are not those of its folded text")
    begins, ends = np.zeros(len(folded), dtype=np.int64), np.zeros(len(folded), dtype=np.int64)
    begins[~is_space], ends[~is_space] = made.begins, made.ends
    spaces = np.flatnonzero(is_space)
    begins[spaces] = ends[spaces - 1]
    ends[spaces] = np.maximum(begins[spaces], begins[spaces + 1])
    return Placed(folded, begins, ends)
