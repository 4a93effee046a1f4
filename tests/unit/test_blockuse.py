"""furniture.parquet has every block that something was cut from: with it the same is found again."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import samestory
from newsroom import Newsroom, news, typeset
from samestory.blockuse import BlockUse
from samestory.fingerprints import Runs
from samestory.furniture import Furniture
from samestory.kernels.furniture import hash_blocks
from samestory.normalise import FoldedTexts
from samestory.passages import Article, Reader, Recorded
from tabled import to_table

_SALT = np.array([5], dtype=np.uint64)


def pages_of_pieced_footers(seed: int) -> list[dict[str, Any]]:
    """Pages of one site, each with some of six notices that follow one another."""
    room, rng = Newsroom(seed), random.Random(seed)
    notices = [typeset(room.words(12)) for _ in range(6)]
    found = []
    for k in range(60):
        n = rng.randint(2, 4)
        begin = rng.randint(0, len(notices) - n)
        footer = " ".join(notices[begin : begin + n])
        found.append(news(f"{seed}.{k}", f"{room.story(80)} {footer}", k, f"site {seed}"))
    return found


@pytest.mark.parametrize("shingle", ["word:3", "char:9"])
def test_what_a_run_cut_is_found_again_with_its_table(shingle: str) -> None:
    config = samestory.Config(shingle=shingle, threads=2)
    found = pages_of_pieced_footers(1) + pages_of_pieced_footers(2)
    result = samestory.cluster(to_table(found), config)
    reader = Reader(config, Furniture(result.furniture, shingle.startswith("char")))
    told = result.clusters.to_pylist()
    assert all(row["boilerplate_ratio"] > 0 for row in told)
    for article, row in zip(found, told, strict=True):
        recorded = Recorded(row["n_shingles"], row["boilerplate_ratio"])
        reading = reader.read(
            Article(article["doc_id"], article["text"], source=article["source"]), recorded=recorded
        )
        assert reading.is_as_recorded


def texts_of(texts: list[str]) -> FoldedTexts:
    data = np.frombuffer("".join(texts).encode() + bytes(64), dtype=np.uint8).copy()
    return FoldedTexts(data, np.cumsum([0, *(len(text.encode()) for text in texts)]).astype(np.int64))


def test_each_block_is_counted_once_an_article() -> None:
    blocks = ["a b c d e f g", "c d e f g h", "p q r s t u", "c d e f g"]
    texts = texts_of(blocks)
    runs = Runs.of_corpus(False)
    keys, offsets = hash_blocks(texts.data, texts.offsets, np.repeat(_SALT, len(blocks)), False, runs.size)
    use = BlockUse(keys, offsets, np.array([False, True, False, True]), runs)
    pages = texts_of(["x a b c d e f g h y p q r s t u", "c d e f g z", "nothing of it here at all"])
    cuts = np.array([[2, 17], [20, 31], [2, 17], [0, 9]], dtype=np.int64)
    found = use.count(
        pages, np.arange(3), np.repeat(_SALT, 3), cuts[[0, 1, 3]], np.array([0, 2, 3, 3], dtype=np.int64)
    )
    # The run "c d e f g" is the first block's, and strong by the second: both are needed for it.
    assert found.tolist() == [2, 2, 1, 0]


def test_nothing_is_counted_where_nothing_is_known() -> None:
    use = BlockUse(
        np.zeros(0, np.uint64), np.zeros(1, np.int64), np.zeros(0, np.bool_), Runs.of_corpus(False)
    )
    nothing = np.zeros((0, 2), dtype=np.int64)
    found = use.count(texts_of(["a b c"]), np.arange(1), _SALT, nothing, np.zeros(2, np.int64))
    assert found.tolist() == []
