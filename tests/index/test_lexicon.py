"""Coded texts come back letter for letter, and share the shingles that their words say."""

from __future__ import annotations

import itertools
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from samestory.errors import ConfigError, IndexFormatError
from samestory.index import lexicon
from samestory.index.lexicon import Coded, Lexicon, count_distinct_coded, count_shared_coded, gather
from samestory.kernels.overlap import count_merged_pairs, hash_sorted
from samestory.normalise import FoldedTexts, normalise
from strategies import edited, story_words

ANY_WORDS = st.lists(
    st.one_of(
        st.sampled_from(
            ["", "a", "b", "the", "Ü", "日本", "s" * 16, "s" * 17, "t" * 40, "t" * 41, "ü" * 200]
        ),
        st.text(max_size=50),
    ),
    max_size=30,
).map(" ".join)
FEW_WORDS = st.lists(st.sampled_from(["a", "b", "c", "", "é" * 20, "é" * 21, "z" * 41]), max_size=12)


def folded(texts: list[str]) -> FoldedTexts:
    values = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, values)]).astype(np.int64)
    return FoldedTexts(np.frombuffer(b"".join(values) + b"\xff" * 64, dtype=np.uint8).copy(), offsets)


def strings(texts: FoldedTexts) -> list[str]:
    return [texts.text(i) for i in range(len(texts))]


def code_of(words: Lexicon, text: str) -> bytes:
    coded = words.encode(folded([text]))
    return coded.codes[: coded.n_bytes].tobytes()


def shingles(text: str, size: int) -> set[tuple[str, ...]]:
    words = text.split(" ") if text else []
    size = min(size, len(words))
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)} if words else set()


def every_pair(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.repeat(np.arange(n), n), np.tile(np.arange(n), n)


def check_counts(words: Lexicon, texts: list[str], size: int) -> None:
    coded = words.encode(folded(texts))
    sets = [shingles(text, size) for text in texts]
    found = count_shared_coded(*every_pair(len(texts)), coded, size)
    assert found.tolist() == [len(a & b) for a in sets for b in sets]
    assert count_distinct_coded(coded, size).tolist() == [len(a) for a in sets]


# --- Coding ------------------------------------------------------------------


@given(st.lists(st.lists(ANY_WORDS, max_size=8), max_size=4))
def test_any_texts_come_back(batches: list[list[str]]) -> None:
    words = Lexicon()
    coded = [words.encode(folded(texts)) for texts in batches]
    for texts, codes in zip(batches, coded, strict=True):
        decoded = words.decode(codes)
        assert strings(decoded) == texts
        assert len(decoded.data) >= decoded.n_bytes + 64
        assert len(codes.codes) >= codes.n_bytes + 16


def test_many_words_make_the_lexicon_grow() -> None:
    texts = [" ".join(f"word{i}x{j}" for j in range(200)) for i in range(120)]
    words = Lexicon()
    coded = words.encode(folded([*texts, *texts]))
    assert words.n_words == 24_000
    assert words.n_bytes == sum(len(word) for text in texts for word in text.split())
    assert strings(words.decode(coded)) == texts * 2
    # One byte for the first 127 words, two for the next 16,256, and three.
    expected = 127 + 2 * 16_256 + 3 * (24_000 - 127 - 16_256)
    assert coded.n_bytes == 2 * expected


def test_numbers_of_four_bytes() -> None:
    numbers = np.arange(2_100_000)
    letters = (97 + numbers[:, None] // 26 ** np.arange(5) % 26).astype(np.uint8)
    words = Lexicon()
    words.extend(letters.ravel(), np.full(len(numbers), 5, dtype=np.uint8))
    texts = [" ".join(letters[i].tobytes().decode() for i in (0, 2_097_150, 2_097_151, 2_099_999))]
    coded = words.encode(folded(texts))
    assert (words.n_words, coded.n_bytes) == (2_100_000, 1 + 3 + 4 + 4)
    assert strings(words.decode(coded)) == texts
    assert count_distinct_coded(coded, 1).tolist() == [4]


def test_no_texts_and_empty_texts() -> None:
    words = Lexicon()
    nothing = words.encode(folded([]))
    assert len(nothing) == 0
    assert strings(words.decode(nothing)) == []
    assert count_distinct_coded(nothing, 3).tolist() == []
    empty = words.encode(folded(["", "", "one", ""]))
    assert empty.offsets.tolist() == [0, 0, 0, 1, 1]
    assert strings(words.decode(empty)) == ["", "", "one", ""]


def test_a_part_of_a_batch() -> None:
    texts = ["one two", "three four", "five", "one six"]
    words = Lexicon()
    whole = folded(texts)
    part = FoldedTexts(whole.data[: whole.n_bytes], whole.offsets[1:])  # begins later; no padding
    coded = words.encode(part)
    assert strings(words.decode(coded)) == texts[1:]
    later = Coded(coded.codes[: coded.n_bytes], coded.offsets[1:])
    assert strings(words.decode(later)) == texts[2:]
    assert count_distinct_coded(later, 1).tolist() == [1, 2]


def test_arrays_that_cannot_be_written() -> None:
    words = Lexicon()
    texts = folded(["one two one", "y" * 60])
    texts.data.flags.writeable = False
    texts.offsets.flags.writeable = False
    coded = words.encode(texts)
    coded.codes.flags.writeable = False
    coded.offsets.flags.writeable = False
    assert strings(words.decode(coded)) == ["one two one", "y" * 60]
    assert count_distinct_coded(coded, 1).tolist() == [2, 1]


# --- The limits --------------------------------------------------------------


def test_a_long_word_is_kept_in_letters() -> None:
    words = Lexicon()
    for length, known in ((40, 1), (41, 1), (200, 1), (40_000, 1)):
        text = "x" * length
        assert strings(words.decode(words.encode(folded([text])))) == [text]
        assert words.n_words == known


@pytest.mark.parametrize(("most", "value"), [("MOST_WORDS", 3), ("MOST_BYTES", 12)])
def test_a_full_lexicon_takes_no_words(most: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, most, value)
    words = Lexicon()
    texts = ["one two", "three four five", "four two one three"]
    coded = words.encode(folded(texts))
    assert words.n_words == 3
    assert strings(words.decode(coded)) == texts
    check_counts(words, texts, 1)
    check_counts(words, texts, 2)


def test_a_word_once_refused_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, "MOST_BYTES", 10)
    words = Lexicon()
    words.encode(folded(["aaaa bbbb"]))
    refused = code_of(words, "cccc")
    words.encode(folded(["dd"]))  # for which there is room
    assert words.n_words == 3
    words.forget(2)
    words.encode(folded(["e f"]))
    other = Lexicon()
    other.extend(*words.added_since(0))
    assert code_of(words, "cccc") == refused == code_of(other, "cccc")


# --- Going back, and saving --------------------------------------------------


@given(st.lists(ANY_WORDS, max_size=4), st.lists(ANY_WORDS, max_size=4), st.lists(ANY_WORDS, max_size=4))
def test_forgetting_is_as_if_it_had_not_been(
    before: list[str], forgotten: list[str], after: list[str]
) -> None:
    words, plain = Lexicon(), Lexicon()
    coded = words.encode(folded(before))
    plain.encode(folded(before))
    n_words, n_bytes = words.n_words, words.n_bytes
    words.encode(folded(forgotten))
    words.forget(n_words)
    assert (words.n_words, words.n_bytes) == (n_words, n_bytes)
    assert [code_of(words, text) for text in after] == [code_of(plain, text) for text in after]
    assert strings(words.decode(coded)) == before


def test_forgetting_after_growth() -> None:
    words = Lexicon()
    words.encode(folded([" ".join(map(str, range(300)))]))
    words.encode(folded([" ".join(map(str, range(250, 5000)))]))
    words.forget(300)
    text = " ".join(map(str, range(5000, -1, -1)))
    assert strings(words.decode(words.encode(folded([text])))) == [text]
    assert words.n_words == 5001


def test_forgetting_what_is_not_there() -> None:
    for n_words in (-1, 1):
        with pytest.raises(ConfigError, match="cannot go back"):
            Lexicon().forget(n_words)


@given(st.lists(st.lists(ANY_WORDS, max_size=4), max_size=4), st.lists(ANY_WORDS, max_size=3))
def test_saved_in_parts_and_read_back(batches: list[list[str]], more: list[str]) -> None:
    words, read = Lexicon(), Lexicon()
    for texts in batches:
        n_words = words.n_words
        coded = words.encode(folded(texts))
        letters, lengths = words.added_since(n_words)
        assert len(letters) == lengths.sum()
        read.extend(letters, lengths)
        assert strings(read.decode(coded)) == texts
    assert (read.n_words, read.n_bytes) == (words.n_words, words.n_bytes)
    assert [code_of(read, text) for text in more] == [code_of(words, text) for text in more]


def saved(*words: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    letters = np.frombuffer(b"".join(words), dtype=np.uint8)
    return letters, np.array([len(word) for word in words], dtype=np.uint8)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([b"new", b"one"], "word 3, 'one', is there twice"),
        ([b"new", b"newer", b"new"], "word 4, 'new', is there twice"),
        ([b"new", b""], "a word has 0 bytes"),
        ([b"new", b"x" * 41], "a word has 41 bytes"),
        ([b"new word"], "a space"),
    ],
)
def test_damaged_words_change_nothing(words: list[bytes], message: str) -> None:
    known = Lexicon()
    known.encode(folded(["one two"]))
    with pytest.raises(IndexFormatError, match=message):
        known.extend(*saved(*words))
    assert (known.n_words, known.n_bytes) == (2, 6)
    assert strings(known.decode(known.encode(folded(["new one newer"])))) == ["new one newer"]
    assert known.n_words == 4


def test_letters_and_lengths_that_do_not_fit() -> None:
    letters, lengths = saved(b"one", b"two")
    with pytest.raises(IndexFormatError, match="add up to 6 bytes, but it has 5"):
        Lexicon().extend(letters[:5], lengths)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5))
def test_damaged_codes_are_told_or_read(values: list[bytes]) -> None:
    """Whatever the bytes, nothing outside the arrays is touched."""
    words = Lexicon()
    words.encode(folded(["one two three"]))
    offsets = np.cumsum([0, *map(len, values)]).astype(np.int64)
    coded = Coded(np.frombuffer(b"".join(values), dtype=np.uint8), offsets)
    count_shared_coded(*every_pair(len(values)), coded, 2)
    with suppress(IndexFormatError):
        words.decode(coded)


@pytest.mark.parametrize(
    "code",
    [b"\x04", b"\x80", b"\x00", b"\x01\x89", b"\x01\x05\x81", b"\x01\x01\x61\x02\x81", b"\xff" * 5 + b"\x01"],
)
def test_codes_of_another_lexicon(code: bytes) -> None:
    words = Lexicon()
    words.encode(folded(["one two three"]))
    coded = Coded(np.frombuffer(b"\x01" + code, dtype=np.uint8), np.array([0, 1, 1 + len(code)]))
    with pytest.raises(IndexFormatError, match="text 1 of 2"):
        words.decode(coded)


# --- Shared shingles ---------------------------------------------------------


@given(st.lists(FEW_WORDS.map(" ".join), max_size=6), st.integers(1, 10))
def test_counts_of_few_words(texts: list[str], size: int) -> None:
    check_counts(Lexicon(), texts, size)


@given(st.lists(ANY_WORDS, max_size=5), st.integers(1, 4))
def test_counts_of_any_words(texts: list[str], size: int) -> None:
    check_counts(Lexicon(), texts, size)


@given(st.data(), st.integers(1, 9))
def test_counts_are_those_of_the_letters(data: st.DataObject, size: int) -> None:
    versions = [data.draw(story_words())]
    for _ in range(data.draw(st.integers(1, 5))):
        versions.append(data.draw(edited(data.draw(st.sampled_from(versions)))))
    texts = normalise(pa.array([" ".join(words) for words in versions], pa.large_string()), unit="word")
    coded = Lexicon().encode(texts)
    n_distinct = count_distinct_coded(coded, size)
    members = np.arange(len(texts), dtype=np.int64)
    lists, offsets = hash_sorted(members, texts.data, texts.offsets, False, size, n_distinct)
    assert np.diff(offsets).tolist() == n_distinct.tolist()
    first, second = every_pair(len(texts))
    expected = count_merged_pairs(first, second, lists, offsets)
    assert count_shared_coded(first, second, coded, size).tolist() == expected.tolist()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8, 9, 13])
def test_order_and_repeats_make_other_shingles(size: int) -> None:
    texts = ["a b c", "b a c", "a a a", "a a", "a", "a b", "b a", "a b a b", "b a b a", "a a b b", "c"]
    check_counts(Lexicon(), [*texts, " ".join("ab" * 9), " ".join("ba" * 9), " ".join("abc" * 6)], size)


@pytest.mark.parametrize("longer", ["", "x" * 41])
def test_no_two_shingles_in_one(longer: str) -> None:
    """Each order of each choice of words, so also all that a sloppy mixture would confuse."""
    letters = [chr(97 + i) + longer for i in range(20)]
    for size in (2, 3, 5):
        choice = itertools.islice(itertools.product(letters, repeat=size), 40_000)
        text = " ".join(itertools.chain.from_iterable(choice))
        assert count_distinct_coded(Lexicon().encode(folded([text])), size).tolist() == [
            len(shingles(text, size))
        ]


def test_pairs_in_any_order() -> None:
    texts = ["one two three four", "two three", "nine", "three four one two three", ""]
    coded = Lexicon().encode(folded(texts))
    first, second = every_pair(len(texts))
    shuffled = np.random.default_rng(1).permutation(len(first))
    in_order = count_shared_coded(first, second, coded, 2)
    assert (
        count_shared_coded(first[shuffled], second[shuffled], coded, 2).tolist()
        == in_order[shuffled].tolist()
    )


def test_what_cannot_be_counted() -> None:
    coded = Lexicon().encode(folded(["one", "two"]))
    with pytest.raises(ConfigError, match="at least 1 word, not 0"):
        count_distinct_coded(coded, 0)
    for wrong in (-1, 2):
        with pytest.raises(IndexError):
            count_shared_coded(np.array([0]), np.array([wrong]), coded, 1)


# --- From memory -------------------------------------------------------------


@given(st.lists(st.binary(max_size=70), max_size=6))
def test_gather(values: list[bytes]) -> None:
    memory = np.frombuffer(b"".join(values) + b"x", dtype=np.uint8)
    lengths = np.array([len(value) for value in values], dtype=np.int64)
    begins = np.cumsum(lengths) - lengths
    order = np.arange(len(values))[::-1]
    found = gather(memory.ctypes.data + begins[order], lengths[order])
    assert len(found) == len(values)
    assert len(found.codes) >= found.n_bytes + 16
    pieces = [found.codes[found.offsets[i] : found.offsets[i + 1]].tobytes() for i in range(len(found))]
    assert pieces == values[::-1]


def test_gathered_texts_are_read() -> None:
    words = Lexicon()
    texts = ["one two", "", "z" * 50, "two one two"]
    coded = words.encode(folded(texts))
    addresses = coded.codes.ctypes.data + coded.offsets[:-1]
    found = gather(addresses, np.diff(coded.offsets))
    assert strings(words.decode(found)) == texts
