"""How common words are in news at large: the table that comes with the package."""

from __future__ import annotations

import re
from importlib import resources

import pyarrow as pa
import pytest

from samestory.normalise import normalise
from samestory.story.background import background_shares, parse_shares

TABLE = resources.files("samestory.story").joinpath("background.txt").read_text(encoding="utf-8")


def read_languages() -> dict[str, list[tuple[str, float]]]:
    languages: dict[str, list[tuple[str, float]]] = {}
    for line in TABLE.splitlines():
        if line.startswith("["):
            words = languages.setdefault(line[1:-1], [])
        elif line and not line.startswith("#"):
            share, *listed = line.split()
            words.extend((word, float(share)) for word in listed)
    return languages


LANGUAGES = read_languages()


def test_every_word_folds_to_itself():
    words = [word for listed in LANGUAGES.values() for word, _ in listed]
    folded = normalise(pa.array(words, pa.large_string()), unit="word")
    assert [folded.text(i) for i in range(len(folded))] == words


def test_shares_are_shares():
    assert all(0 < share <= 1 for share in background_shares().values())


def test_the_commonest_word():
    assert background_shares()["the"] >= 0.9


@pytest.mark.parametrize(
    "words",
    [
        "of and said government police centre center favour labor",
        "في على قال الحكومة",
        "de que gobierno según",
        "les dans gouvernement selon",
        "und der regierung sagte",
        "della che governo",
        "uma não governo",
        "het van regering",
        "och att regeringen",
        "og ikke regjeringen regeringen",
        "että hallitus",
        "się nie rząd",
        "které vláda",
        "hogy kormány",
        "și pentru guvernul",
        "και κυβέρνηση",
        "что правительство",
        "що уряд",
        "че правителството",
        "koji vlada predsednik predsjednik",
        "који влада председник",
        "bir hükümet",
        "که دولت",
        "کے حکومت",
        "के सरकार",
        "এই সরকার",
        "של הממשלה",
        "của chính phủ",
        "yang pemerintah kerajaan",
        "katika serikali",
        "있다 정부",
        "的 是 國 国",
        "の は ン",
        "ที่ ก",
    ],
)
def test_each_language_has_its_common_words(words):
    assert set(words.split()) <= background_shares().keys()


@pytest.mark.parametrize(
    "word", ["reuter", "reuters", "bbc", "blah", "syria", "aleppo", "london", "egypt", "مصر"]
)
def test_names_are_not_common(word):
    assert background_shares().get(word, 0.0) == 0.0


def test_months_and_weekdays_are_common():
    assert {"monday", "sunday", "january", "december"} <= background_shares().keys()


def test_languages_are_many():
    assert len(LANGUAGES) >= 25
    assert all(len(listed) >= 80 for listed in LANGUAGES.values())


def test_no_digits():
    assert not any(re.search(r"\d", word) for word in background_shares())


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_twice_in_a_language(language):
    words = [word for word, _ in LANGUAGES[language]]
    assert sorted(set(words)) == sorted(words)


def test_the_table_is_small():
    assert len(TABLE.encode()) < 80_000
    assert all(len(line) <= 110 for line in TABLE.splitlines())


def test_a_word_of_several_languages_has_its_largest_share():
    assert parse_shares("# a table\n[aa]\n0.10 die\n\n[bb]\n0.90 die und\n[cc]\n0.20 die\n") == {
        "die": 0.9,
        "und": 0.9,
    }
