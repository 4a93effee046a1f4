"""The shipped Unicode table, against the running Python's `unicodedata`."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from samestory.tables import unicode_table
from samestory.tables.build import (
    DROPPED,
    EXPANDED,
    HARD,
    SEPARATOR,
    build,
    classify,
    dropped_characters,
    fold,
)
from unicode_versions import RUNNING, SHIPPED, entry_of, known_to_one

SURROGATES = range(0xD800, 0xE000)


def hardness_of(code_point: int) -> int:
    table = unicode_table()
    page = int(table.pages[code_point >> 7])
    return int(table.hardness[page << 7 | code_point & 127])


def folded_by_table(code_point: int) -> str:
    entry = entry_of(code_point)
    kind, rest = entry & 255, entry >> 8
    if kind == DROPPED:
        return ""
    if kind == EXPANDED:
        expansions = unicode_table().expansions
        return "".join(map(chr, expansions[rest + 1 : rest + 1 + int(expansions[rest])]))
    return chr(code_point + rest)


def comparable() -> list[str]:
    """Assigned characters, but for those that another version of Unicode than the table's added."""
    chars = map(chr, range(0x110000))
    return [
        char
        for char in chars
        if unicodedata.category(char) not in ("Cn", "Co", "Cs") and char not in known_to_one()
    ]


def test_a_known_version() -> None:
    assert SHIPPED >= (15, 0)
    assert len(SHIPPED) == 3


def test_every_character_folds_as_unicodedata_says() -> None:
    dropped = dropped_characters()
    wrong = [
        f"U+{ord(char):04X}"
        for char in comparable()
        if hardness_of(ord(char)) != HARD and folded_by_table(ord(char)) != fold(char, dropped)
    ]
    assert wrong == []


def test_every_character_is_of_the_class_that_unicodedata_says() -> None:
    wrong = []
    for char in comparable():
        folded = folded_by_table(ord(char))
        plain = len(folded) == 1 and hardness_of(ord(char)) != HARD
        if plain and entry_of(ord(char)) & 255 != classify(ord(folded)):
            wrong.append(f"U+{ord(char):04X}")
    assert wrong == []


def test_what_expands_holds_only_folded_characters() -> None:
    for char in comparable():
        if entry_of(ord(char)) & 255 == EXPANDED:
            for part in folded_by_table(ord(char)):
                assert entry_of(ord(part)) >> 8 == 0
                assert entry_of(ord(part)) & 255 not in (DROPPED, EXPANDED)


def test_unassigned_and_private_characters_part_words() -> None:
    unassigned = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) in ("Cn", "Co")]
    wrong = [char for char in unassigned if char not in known_to_one() and entry_of(ord(char)) != SEPARATOR]
    assert wrong == []


def test_marks_carry_their_combining_class() -> None:
    wrong = []
    for char in comparable():
        own, found = unicodedata.combining(char), hardness_of(ord(char))
        if own and entry_of(ord(char)) & 255 != DROPPED and found not in (own, HARD):
            wrong.append(f"U+{ord(char):04X}")
    assert wrong == []


def test_what_composes_is_hard() -> None:
    # Without this mark a kernel would leave an accent beside its letter.
    for mark in "\u0301\u0308\u0327\u0345\u093c\u09be\u3099\u1161\u11a8":
        assert hardness_of(ord(mark)) == HARD


def test_dropped_are_those_of_the_table() -> None:
    shipped = {chr(int(c)) for c in unicode_table().dropped}
    own = {chr(c) for c in dropped_characters()}
    assert shipped - known_to_one() == own - known_to_one()


@pytest.mark.skipif(RUNNING != SHIPPED, reason="the table is of another version of Unicode")
def test_the_table_is_what_build_makes() -> None:
    table = unicode_table()
    for name, values in build().items():
        np.testing.assert_array_equal(np.asarray(getattr(table, name)), values, err_msg=name)
