"""Signatures equal datasketch's, bit for bit, over the same shingles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import datasketch
import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

import samestory
from samestory import inspect
from strategies import wild_text

TEXTS = [
    "The dam opened its gates before dawn, the council said on Friday.",
    "",
    None,
    "洪水在黎明前到达大坝 and the sirens did not sound",
    "x",
    "rain " * 400,
    "…",
]
EMPTY = 0xFFFFFFFF


def by_datasketch(text: str | None, config: samestory.Config) -> list[int]:
    minhash = datasketch.MinHash(
        num_perm=config.num_perm, seed=config.seed, scheme="affine32", hashfunc=samestory.base_hash
    )
    for shingle in samestory.shingles(text or "", config):
        minhash.update(shingle.encode("utf-8"))
    return [int(value) for value in minhash.hashvalues]


def check(texts: Any, plain: list[str | None], config: samestory.Config) -> None:
    found = samestory.signatures(texts, config)
    assert found.type == pa.list_(pa.uint32(), config.num_perm)
    assert found.to_pylist() == [by_datasketch(text, config) for text in plain]


def test_base_hash_is_the_low_half_of_xxh3() -> None:
    for data in (b"", b"a", b"the council said on friday", bytes(range(256)) * 3):
        assert samestory.base_hash(data) == xxhash.xxh3_64_intdigest(data) & 0xFFFFFFFF


@given(
    st.lists(wild_text() | st.none(), max_size=5),
    st.sampled_from(("word:1", "word:5", "char:1", "char:9")),
    st.integers(2, 256),
    st.integers(0, 2**32 - 1),
)
def test_equal_datasketch(texts: list[str | None], shingle: str, num_perm: int, seed: int) -> None:
    check(texts, texts, samestory.Config(shingle=shingle, num_perm=num_perm, seed=seed, threads=1))


@pytest.mark.parametrize("n_words", [*range(1, 26), 63, 64, 65, 1000])
def test_any_number_of_shingles(n_words: int) -> None:
    # The kernel takes eight hashes in one pass, and the last ones apart.
    text = " ".join(f"w{i}" for i in range(n_words))
    check([text], [text], samestory.Config(shingle="word:1", num_perm=16, threads=1))


@pytest.mark.parametrize("n_repeats", [1, 2, 17, 200])
def test_repeated_shingles_count_once(n_repeats: int) -> None:
    text = "the river rose over the bank " * n_repeats + "and fell"
    check([text], [text], samestory.Config(shingle="word:3", threads=1))


@pytest.mark.parametrize("text", ["", None, "\u3000", "?!"])
def test_nothing_to_sign_leaves_the_initial_values(text: str | None) -> None:
    found = samestory.signatures([text], samestory.Config(num_perm=8))
    assert found.to_pylist() == [[EMPTY] * 8]
    assert found.to_pylist()[0] == [int(v) for v in datasketch.MinHash(8, scheme="affine32").hashvalues]


FORMS: dict[str, Callable[[], Any]] = {
    "list": lambda: TEXTS,
    "tuple": lambda: tuple(TEXTS),
    "string": lambda: pa.array(TEXTS, pa.string()),
    "large_string": lambda: pa.array(TEXTS, pa.large_string()),
    "string_view": lambda: pa.array(TEXTS, pa.string_view()),
    "dictionary": lambda: pa.array(TEXTS, pa.string()).dictionary_encode(),
    "dictionary of large_string": lambda: pa.array(TEXTS, pa.large_string()).dictionary_encode(),
    "sliced": lambda: pa.array(["before", *TEXTS, "after"], pa.string()).slice(1, len(TEXTS)),
    "chunked": lambda: pa.chunked_array([TEXTS[:2], [], TEXTS[2:5], TEXTS[5:]], pa.string()),
    "chunked string_view": lambda: pa.chunked_array([TEXTS[:3], TEXTS[3:]], pa.string_view()),
    "numpy": lambda: np.array(TEXTS, dtype=object),
}


@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_input(form: str) -> None:
    check(FORMS[form](), TEXTS, samestory.Config(num_perm=32))


@pytest.mark.parametrize(
    "nothing", [[], pa.array([], pa.string()), pa.chunked_array([], pa.string()), pa.nulls(0)]
)
def test_no_texts(nothing: Any) -> None:
    assert samestory.signatures(nothing, samestory.Config(num_perm=4)).to_pylist() == []


def test_nulls_alone() -> None:
    assert samestory.signatures(pa.nulls(2), samestory.Config(num_perm=2)).to_pylist() == [[EMPTY] * 2] * 2


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect, "_BATCH_ROWS", 3)
    texts = [f"Article {i} says that the water of river {i % 7} is rising again." for i in range(50)]
    one, three = (samestory.signatures(texts, samestory.Config(threads=n)) for n in (1, 3))
    assert one.equals(three)
    assert one.to_pylist() == [by_datasketch(text, samestory.Config()) for text in texts]


def test_a_single_string_is_an_error() -> None:
    with pytest.raises(samestory.SchemaError, match="one string"):
        samestory.signatures("not a list")


def test_numbers_are_an_error() -> None:
    with pytest.raises(samestory.SchemaError, match="int64"):
        samestory.signatures([1, 2])
