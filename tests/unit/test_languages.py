"""Copies of a news article are found in each of ten languages, and an article like it is left alone."""

from __future__ import annotations

import unicodedata
from typing import Any, Final

import pyarrow as pa
import pytest

import samestory
from languages import LANGUAGES, Language

CASES: Final = [
    pytest.param(language, shingle, id=f"{language.name}-{shingle}")
    for language in LANGUAGES
    for shingle in language.shingles
]


def clustered(texts: dict[str, str], shingle: str, threshold: float = 0.7) -> dict[str, dict[str, Any]]:
    """The rows of `clusters` by doc_id; practically no pair at the threshold is missed."""
    table = pa.table({"doc_id": list(texts), "text": list(texts.values())})
    config = samestory.Config(shingle=shingle, threshold=threshold, recall=0.9999)
    return {row["doc_id"]: row for row in samestory.cluster(table, config).clusters.to_pylist()}


def joined(texts: dict[str, str], shingle: str) -> bool:
    """Whether all the texts come to be in one cluster."""
    return len({row["cluster_id"] for row in clustered(texts, shingle).values()}) == 1


@pytest.mark.parametrize(("language", "shingle"), CASES)
def test_retyped_is_the_same_text(language: Language, shingle: str) -> None:
    found = clustered({"article": language.article, "copy": language.retyped}, shingle)
    assert found["copy"]["relation"] == language.retyped_relation
    assert found["copy"]["jaccard"] > 0.85


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_retyping_changed_much(language: Language) -> None:
    plain, again = language.article, language.retyped
    assert sum(a != b for a, b in zip(plain, again, strict=False)) > len(plain) // 2
    assert set(again) - set(plain) > {"\ufeff", "\u200b", "\u00ad"}


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_forms_of_unicode_are_the_same_text(language: Language, form: str) -> None:
    texts = {"article": language.article, "copy": unicodedata.normalize(form, language.article)}
    assert clustered(texts, "word:5")["copy"]["relation"] == "exact"


@pytest.mark.parametrize(("language", "shingle"), CASES)
def test_light_rewrite_joins(language: Language, shingle: str) -> None:
    assert joined({"article": language.article, "copy": language.rewrite}, shingle)


@pytest.mark.parametrize(("language", "shingle"), CASES)
def test_other_spellings_join(language: Language, shingle: str) -> None:
    assert language.respelt != language.article
    assert joined({"article": language.article, "copy": language.respelt}, shingle)


@pytest.mark.parametrize("shingle", ["word:5", "char:5", "char:9"])
def test_other_articles_stay_apart(shingle: str) -> None:
    # Also those in one language about one kind of event, at a threshold far under the default.
    texts = {language.name: language.article for language in LANGUAGES}
    texts |= {f"other {language.name}": language.other_article for language in LANGUAGES}
    found = clustered(texts, shingle, threshold=0.1)
    assert {row["relation"] for row in found.values()} == {"unique"}


@pytest.mark.parametrize("shingle", ["word:5", "char:9"])
def test_each_language_is_a_cluster(shingle: str) -> None:
    texts: dict[str, str] = {}
    for language in LANGUAGES:
        versions = (language.article, language.rewrite, language.retyped, language.respelt)
        texts |= {f"{language.name} {place}": text for place, text in enumerate(versions)}
    found = clustered(texts, shingle)
    assert {doc_id: row["cluster_id"] for doc_id, row in found.items()} == {
        doc_id: doc_id.split()[0] + " 0" for doc_id in texts
    }


@pytest.mark.skipif(
    not hasattr(samestory.Config(), "containment"), reason="excerpts are not found by this version"
)
@pytest.mark.parametrize(("language", "shingle"), CASES)
def test_excerpt_is_partial(language: Language, shingle: str) -> None:
    found = clustered({"article": language.article, "excerpt": language.excerpt}, shingle)
    assert found["excerpt"]["cluster_id"] == "article"
    assert found["excerpt"]["relation"] == "partial"
    assert found["excerpt"]["containment"] > 0.9


def test_sharp_s_has_three_spellings() -> None:
    texts = {"a": "Schloßgasse außen", "b": "Schlossgasse aussen", "c": "SCHLOẞGASSE AUSSEN"}
    assert clustered(texts, "word:5")["c"]["cluster_size"] == 3


def test_turkish_letters_differ_in_words_of_upper_case_only() -> None:
    # Case folding knows nothing of dotless i: a word in upper case is another word.
    texts = {"lower": "istasyon ve ırmak", "same": "istasyon VE ırmak", "upper": "İSTASYON VE IRMAK"}
    found = clustered(texts, "word:1")
    assert found["same"]["relation"] == "exact"
    assert found["upper"]["relation"] == "unique"
