"""What normalisation promises about any text: once is enough, and no grapheme cluster is cut.

Grapheme clusters are the extended ones of Unicode Standard Annex #29, as the `regex` package finds them.
"""

from __future__ import annotations

import unicodedata
from typing import Final

import pyarrow as pa
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

import reference
from samestory.normalise import normalise
from strategies import wild_text
from unicode_versions import known_to_one

UNITS: Final = ("word", "char")
IOTA_SUBSCRIPT: Final = "\u0345"

CLUSTERS: Final = {
    "combining": "e\u0301 a\u0323\u0307\u0331 x\u0489 q\u20dd 1\u20e3 ζ\u0308\u0301 ŗ\u0304 中\u0301",
    "thai": "น้ำ นำ น\u0e4dา น\u0e4d\u0e49า ที่ ป\u0e48\u0e33 กํ เ แ ำ า a\u0e33 ๕\u0e33 中\u0e33",
    "lao": "ນ້ຳ ຄຳ ຄ\u0ecdາ ຂ\u0ecd\u0ec9 ໜ ໝາ ເ ຳ ກ\u0ebaຂ",
    "khmer": "ក្ខ ស្ត្រី ខ្មែរ ញ៉ាំ ក\u17d2\u200dខ ក\u17d2 \u17d2ក ក\u17b4ខ ១ ក\u17d2中",
    "myanmar": "မြန် ဗုဒ္ဓ က\u1039\u1039ခ င်္က ကျွန်ုပ်တို့ ါ ဿ ၁ ꩠ က\u103a\u1039က",
    "devanagari": "क्ष क्\u200dष क्\u200cष स्त्री र्थ्य ज्ञा क\u093c\u094dख ि क\u094dက ड़ ॐ १",
    "other_indic": "ক্ষ র\u200d্য ક્ષ କ୍ଷ క్ష ക്ഷ ൎക ൎ中 ക്\u200d க்ஷ ಕ್ಷ ꦏ꧀ꦏ ᬓ᭄ᬓ ᩣ\u1a60ᨠ",
    "prepended": "\u0600١٢ \u06ddب \u070fܐ ൎക ൎน \U000111c2\U00011183 \u08e2ك \U00011a84中",
    "hangul": "각 \u1100\u1161\u11a8 \u1100\u1100\u1161\u1161\u11a8\u11a8 가\u11a8 ﾡￂ ㄱㅏ 한\u302e",
    "emoji": "👍🏽 1\ufe0f\u20e3 ❤\ufe0f ™\ufe0f a🏽 ㊙\ufe0f ㊗\u200d㊙",
    "emoji_sequences": "👩\u200d🚀 👨\u200d👩\u200d👧 🏳\ufe0f\u200d🌈",
    "flags": "🇫🇷 🇫🇷🇩 🇦 🏴\U000e0067\U000e0062\U000e007f a🇫🇷b",
    "arabic": "مُحَمَّد ا\u0654 ا\u0653 بــ\u0651 ﷺ ﷲ ﹷ ب\ufe77 لا\u0670 ﻻ ۝ ہٗ کٔ",
    "turkish": "İ I ı i i\u0307 I\u0307 İ\u0301 Iı",
    "german": "ß ẞ ss a\u0308 Ä ſ ﬅ",
    "ligatures": "ﬁ ﬃ ﬀ ŉ ǆ ǅ ᾳ α\u0345 中\u0345 ΐ և ﬗ",
    "kana": "ｶﾞ ﾊﾟ ｱﾞ 中ﾞ カ\u3099 は\u309a か゛ ゟ ヿ ーﾟ aﾞ",
    "selectors": "葛\U000e0100 辻\U000e0101 中\ufe00 ᠠ\u180b 豈 龍\U000e01ef\u3099",
    "several_words": "㍿ ㋀ ½ ㎏ ℀ ㌀ ½\u0301 ㏠\u3099 Ⅷ ②",
}
"""Clusters that could come apart, and their neighbours in spirit; the name is only for the reader."""

MARKS: Final = (
    "\u0301\u0323\u0345\u0651\u093c\u094d\u0e33\u0e49\u0eb3\u1039\u17d2\u3099\uff9e"
    "\u200c\u200d\ufe0f\U0001f3fd"
)


def clusters() -> st.SearchStrategy[str]:
    """One cluster, or two run together, and now and then a mark too many."""
    known = st.sampled_from(" ".join(CLUSTERS.values()).split())
    return st.one_of(known, known, st.sampled_from(MARKS), st.sampled_from((" ", ". ", "\n", "x", "中", "น")))


def hostile_text() -> st.SearchStrategy[str]:
    """Clusters side by side, and wild text; only of characters that both versions of Unicode know."""
    both = st.one_of(st.lists(clusters(), max_size=8).map("".join), wild_text(max_pieces=8))
    return both.map(lambda text: "".join(char for char in text if char not in known_to_one()))


def normalised(text: str, unit: str) -> str:
    return normalise(pa.array([text]), unit=unit).text(0)


def words(text: str, unit: str) -> list[str]:
    return normalised(text, unit).split(" ") if normalised(text, unit) else []


def split_in_clusters(text: str) -> list[str]:
    return regex.findall(r"\X", text)


def holds_separator(cluster: str) -> bool:
    """Whether a cluster holds punctuation, a symbol or white space, if need be as part of a sign like ½.

    A pictograph on another counts: ㊗ and ㊙ are letters in a circle, and no emoji sequence has both.
    """
    folded = reference.fold(cluster)
    is_sequence = len(regex.findall(r"\p{Extended_Pictographic}", cluster)) > 1
    return is_sequence or any(unicodedata.category(char)[0] not in "LMN" for char in folded)


@pytest.mark.parametrize("unit", UNITS)
@given(text=hostile_text())
def test_once_is_enough(unit: str, text: str) -> None:
    folded = normalised(text, unit)
    assert normalised(folded, unit) == folded
    assert folded == reference.normalised(text, unit)


def check_cluster(cluster: str, unit: str) -> None:
    """A cluster is one word, or as many as one of its characters stands for: ㍿ is four."""
    at_most = max(1, *(len(words(char, unit)) for char in cluster))
    assert len(words(cluster, unit)) <= at_most, (cluster, ascii(cluster))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("group", CLUSTERS)
def test_known_clusters_are_one_word(group: str, unit: str) -> None:
    for specimen in CLUSTERS[group].split():
        for cluster in split_in_clusters(specimen):
            if not holds_separator(cluster) and IOTA_SUBSCRIPT not in cluster:
                check_cluster(cluster, unit)


@pytest.mark.parametrize("unit", UNITS)
@given(text=hostile_text())
def test_a_cluster_is_one_word(unit: str, text: str) -> None:
    for cluster in split_in_clusters(text):
        # Case folding itself makes a letter of the iota subscript.
        if not holds_separator(cluster) and IOTA_SUBSCRIPT not in cluster:
            check_cluster(cluster, unit)


def ends_of_words(found: list[str]) -> tuple[str, set[int]]:
    """The words run together, decomposed, and the places where one ends and the next begins."""
    ends = {0}
    joined = ""
    for word in found:
        joined += unicodedata.normalize("NFD", word)
        ends.add(len(joined))
    return joined, ends


def cut_between_clusters(text: str) -> str:
    """The text with a line feed between every two clusters, but before no mark, which needs its letter.

    Not every mark is part of a cluster: the Myanmar sign AA is not.
    """
    cut = ""
    for cluster in split_in_clusters(text):
        first = reference.fold(cluster)[:1] or cluster[0]
        stands_on = cut[-1:] and reference.is_mark(first, reference.fold(cut)[-1:] or " ")
        cut += cluster if stands_on or not cut else "\n" + cluster
    return cut


def is_between_clusters(char: str) -> bool:
    """Whether a character folds to nothing and belongs to no cluster: without it its neighbours may meet."""
    return not reference.fold(char) and split_in_clusters("a" + char) != ["a" + char]


@pytest.mark.parametrize("unit", UNITS)
@given(text=hostile_text())
def test_words_end_only_where_clusters_end(unit: str, text: str) -> None:
    # A text cut at every cluster must have all ends of words that it has uncut.
    text = "".join(char for char in text if not is_between_clusters(char))
    whole, ends = ends_of_words(words(text, unit))
    cut, possible_ends = ends_of_words(words(cut_between_clusters(text), unit))
    assert cut == whole
    assert ends <= possible_ends


@given(text=hostile_text())
def test_spaces_stand_between_words_only(text: str) -> None:
    for unit in UNITS:
        assert all(words(text, unit))


@given(text=hostile_text())
def test_characters_and_words_differ_in_spaces_only(text: str) -> None:
    assert normalised(text, "word").replace(" ", "") == normalised(text, "char").replace(" ", "")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@given(text=hostile_text())
def test_canonical_forms_are_equal(form: str, text: str) -> None:
    assert normalised(unicodedata.normalize(form, text), "word") == normalised(text, "word")
