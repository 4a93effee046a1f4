"""Why two articles are, or are not, of one story: `samestory.shared_terms`."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest

import samestory

_TEXTS = {
    "wire": "The Orlesk bridge fell into the river Tamme at dawn and 214 people were rescued by boats",
    "paper": "Boats saved 214 people after the bridge at Orlesk broke; divers search the Tamme for a lorry",
    "other": "The orchestra of Varn opened its season with a symphony that had been lost for a century",
    "copy": "The orchestra of Varn opened its season with a symphony that had been lost for a century",
}


def _articles() -> pa.Table:
    return pa.table({"id": list(_TEXTS), "text": list(_TEXTS.values())})


def test_shared_terms_are_words_of_both_heaviest_first() -> None:
    table = samestory.shared_terms(_articles(), "wire", "paper")
    terms = table["term"].to_pylist()
    assert {"orlesk", "tamme", "214", "bridge", "boats"} <= set(terms)
    products = [
        a * b for a, b in zip(*(table[name].to_pylist() for name in ("weight_a", "weight_b")), strict=True)
    ]
    assert products == sorted(products, reverse=True)
    assert math.isclose(sum(table["share"].to_pylist()), 1.0, abs_tol=1e-6)
    assert math.isclose(float(table.schema.metadata[b"cosine"]), sum(products), abs_tol=1e-5)


def test_the_score_is_that_of_pairs() -> None:
    pairs = samestory.cluster(_articles(), samestory.Config(level="story")).pairs.to_pylist()
    told = [pair for pair in pairs if pair["relation"] == "story"]
    assert [(pair["doc_id_a"], pair["doc_id_b"]) for pair in told] == [("wire", "paper")]
    table = samestory.shared_terms(_articles(), "paper", "wire")
    assert math.isclose(float(table.schema.metadata[b"story_score"]), told[0]["story_score"], abs_tol=1e-5)


def test_unrelated_articles_share_little() -> None:
    related = samestory.shared_terms(_articles(), "wire", "paper").schema.metadata
    unrelated = samestory.shared_terms(_articles(), "wire", "other").schema.metadata
    assert float(unrelated[b"story_score"]) < 0.3 < 0.5 <= float(related[b"story_score"])


@pytest.mark.parametrize(
    ("pair", "message"),
    [(("wire", "nobody"), "no article 'nobody'"), (("other", "copy"), "one duplicate cluster")],
)
def test_errors_name_the_ids(pair: tuple[Any, Any], message: str) -> None:
    with pytest.raises(samestory.InputError, match=message):
        samestory.shared_terms(_articles(), *pair)
