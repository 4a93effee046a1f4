"""The reference implementation against examples worked out by hand."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timezone
from typing import Any

import pytest
import xxhash

import reference
from reference import cluster, containment, fold, jaccard, normalised, shingles, words

# --- Folding -----------------------------------------------------------------

FOLDED = {
    "case": ("Tidewire NEWS", "tidewire news"),
    "german sharp s": ("Straße", "strasse"),
    "capital sharp s": ("GROẞ", "gross"),
    "greek final sigma": ("ΟΔΟΣ οδός", "οδοσ οδόσ"),
    "turkish dotted capital": ("İzmir", "i\u0307zmir"),
    "ligature": ("ﬁnance", "finance"),
    "fullwidth": ("ＡＢ１２", "ab12"),
    "halfwidth kana": ("ﾆｭｰｽ ｶﾞ", "ニュース ガ"),
    "decomposed accent": ("e\u0301te\u0301", "été"),
    "hangul jamo": ("\u1112\u1161\u11ab", "한"),
    "no-break space": ("a\u00a0b", "a b"),
    "soft hyphen": ("co\u00adoperate", "cooperate"),
    "bidi controls": ("\u202eabc\u202c", "abc"),
    "zero width joiners": ("می\u200cخواهم", "میخواهم"),
    "variation selector": ("葛\U000e0100", "葛"),
    "grapheme joiner": ("a\u034fb", "ab"),
    "hangul filler": ("가\u3164나", "가나"),
    "halfwidth hangul filler": ("가\uffa0나", "가나"),
    "khmer inherent vowel": ("ក\u17b4ខ", "កខ"),
    "mongolian selector": ("ᠮ\u180bᠣ", "ᠮᠣ"),
    "arabic vowel marks": ("مُحَمَّد", "محمد"),
    "arabic tatweel": ("محـــمد", "محمد"),
    "superscript alef": ("الرَّحْمٰنِ", "الرحمن"),
    "quranic mark": ("قل\u06d6", "قل"),
    "extended arabic mark": ("ب\u08f0", "ب"),
    "hamza above is kept": ("ا\u0654", "أ"),
    "madda is kept": ("ا\u0653", "آ"),
    "hamza below is kept": ("ا\u0655", "إ"),
    "arabic presentation form of a vowel mark": ("ب\ufe77ت", "بت"),
    "hebrew points stay": ("שָ", "שָ"),
    "ypogegrammeni turns iota": ("\u0345", "ι"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "expected"), FOLDED.values(), ids=FOLDED.keys())
def test_fold(text: str, expected: str) -> None:
    assert fold(text) == expected
    assert fold(expected) == expected


def test_folding_any_assigned_character_again_changes_nothing() -> None:
    for char in map(chr, range(0x20000)):
        if unicodedata.category(char) not in ("Cn", "Co", "Cs") and not "\u3400" <= char <= "\u9fff":
            folded = fold(char)
            assert fold(folded) == folded


# --- Words -------------------------------------------------------------------

WORDS = {
    "latin": ("The ferry sails.", ["the", "ferry", "sails"]),
    "apostrophes separate": ("Qal'at don’t", ["qal", "at", "don", "t"]),
    "numbers": ("12,345.67 m²", ["12", "345", "67", "m2"]),
    "underscore separates": ("a_b", ["a", "b"]),
    "symbols separate": ("a+b=c 😀d", ["a", "b", "c", "d"]),
    "han between latin": ("ab中c", ["ab", "中", "c"]),
    "chinese": ("新闻，報道", ["新", "闻", "報", "道"]),
    "japanese": ("東京タワー2025年", ["東", "京", "タ", "ワ", "ー", "2025", "年"]),
    "iteration mark and zero": ("人々〇", ["人", "々", "〇"]),
    "rare han": ("𠮷野", ["𠮷", "野"]),
    "radical of category So becomes han": ("⼀", ["一"]),
    "kana mark stays with its letter": ("か\u309a", ["か\u309a"]),
    "thai marks": ("ที่นี่", ["ที่", "นี่"]),
    "thai sara am stays with its letter": ("น้ำ", ["น\u0e49\u0e4dา"]),
    "lao sara am in two parts": ("ຄ\u0ecdາ ຄຳ", ["ຄ\u0ecdາ", "ຄ\u0ecdາ"]),
    "sara am on nothing": ("\u0e33ก", ["า", "ก"]),
    "thai digits are one word": ("ปี๒๕๖๘", ["ป\u0e35", "๒๕๖๘"]),
    "unspaced digits join with latin": ("๒๕a", ["๒๕a"]),
    "lao": ("ລາວ", ["ລ", "າ", "ວ"]),
    "khmer letters linked by coeng": ("ខ្មែរ", ["ខ\u17d2ម\u17c2", "រ"]),
    "myanmar letters stacked": ("ဗုဒ္ဓ", ["ဗ\u102f", "ဒ\u1039ဓ"]),
    "myanmar": ("မြန်မာ", ["မ\u103c", "န\u103a", "မ\u102c"]),
    "hangul has spaces": ("한국 뉴스", ["한국", "뉴스"]),
    "what links takes in any letter": ("ក\u17d2\u0301a中", ["ក\u17d2\u0301a", "中"]),
    "nothing to link": ("\u17d2ក ខ\u17d2 គ", ["ក", "ខ\u17d2", "គ"]),
    "prepended letter": ("ൎക\u0d4e中", ["ൎക\u0d4e中"]),
    "hindi marks are inside words": ("हिन्दी समाचार", ["हिन्दी", "समाचार"]),
    "arabic": ("قَالَتْ، مصر؟", ["قالت", "مصر"]),
    "russian": ("Река-мать", ["река", "мать"]),
    "vietnamese": ("chợ nổi", ["chợ", "nổi"]),
    "lone mark is a separator": ("\u0323abc", ["abc"]),
    "mark after a separator": ("ab \u0323cd", ["ab", "cd"]),
    "several lone marks": (" \u0323\u0331 ", []),
    "mark on a digit": ("1\u20e3", ["1\u20e3"]),
    "latin after a marked thai letter": ("กี่a", ["ก\u0e35\u0e48", "a"]),
    "nothing": ("", []),
    "no words": ("... —", []),
}


@pytest.mark.parametrize(("text", "expected"), WORDS.values(), ids=WORDS.keys())
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_normalised_by_word_splits_unspaced_scripts() -> None:
    assert normalised("Das «東京»-Haus, ภาษา!", "word") == "das 東 京 haus ภ า ษ า"


def test_normalised_by_character_leaves_their_runs_whole() -> None:
    assert normalised("Das «東京»-Haus, ภาษา!", "char") == "das 東京 haus ภาษา"
    assert normalised("ab中c", "char") == "ab中c"


# --- Shingles ----------------------------------------------------------------


def test_word_shingles() -> None:
    assert shingles("One two three, four!", "word", 3) == {"one two three", "two three four"}


def test_fewer_words_than_a_shingle_make_one() -> None:
    assert shingles("One two", "word", 5) == {"one two"}
    assert shingles("中文", "word", 5) == {"中 文"}


def test_no_words_make_no_shingle() -> None:
    assert shingles("...", "word", 5) == set()
    assert shingles("", "char", 3) == set()


def test_character_shingles_cross_words() -> None:
    assert shingles("Ab, c", "char", 3) == {"ab ", "b c"}
    assert shingles("ab", "char", 3) == {"ab"}


def test_repeated_shingles_count_once() -> None:
    assert shingles("a b a b a b", "word", 2) == {"a b", "b a"}


# --- Scores and signatures ---------------------------------------------------


def test_scores_of_sets() -> None:
    assert jaccard({"a", "b", "c"}, {"b", "c", "d"}) == 0.5
    assert containment({"a", "b", "c", "d"}, {"a"}) == 0.25
    assert containment({"a"}, {"a", "b", "c", "d"}) == 1.0


def test_scores_of_empty_sets_are_zero() -> None:
    assert jaccard(set(), set()) == jaccard(set(), {"a"}) == 0.0
    assert containment(set(), {"a"}) == containment({"a"}, set()) == 0.0


def test_base_hash_is_the_low_half_of_xxh3() -> None:
    assert xxhash.xxh3_64_intdigest(b"") == 0x2D06800538D394C2
    assert reference.base_hash(b"") == 0x38D394C2


def test_signature_of_nothing_is_all_ones() -> None:
    assert reference.signature("", num_perm=4) == [0xFFFFFFFF] * 4


def test_signature_does_not_see_punctuation_and_order_of_equal_shingles() -> None:
    assert reference.signature("A b. C d e f!") == reference.signature("“a b c d e — f”")
    assert reference.signature("a b c d e f", seed=1) != reference.signature("a b c d e f", seed=2)


# --- Clusters ----------------------------------------------------------------

LONG = "one two three four five six seven eight nine ten eleven twelve"
EDITED = LONG + " thirteen"  # 8 of 9 shingles shared
TWICE_EDITED = "zero " + EDITED  # 9 of 10 with EDITED, 8 of 10 with LONG


def article(
    doc_id: str, text: str | None, published_at: str | None = None, title: str | None = None
) -> reference.Row:
    return {"doc_id": doc_id, "text": text, "title": title, "published_at": published_at}


def column(rows: list[reference.Row], name: str) -> list[Any]:
    return [row[name] for row in rows]


def test_exact_near_and_unique() -> None:
    rows = cluster(
        [article("a", LONG), article("b", LONG.upper() + "."), article("c", EDITED), article("d", "no")]
    )
    assert column(rows, "relation") == ["representative", "exact", "near", "unique"]
    assert column(rows, "cluster_id") == column(rows, "representative_id") == ["a", "a", "a", "d"]
    assert column(rows, "cluster_size") == [3, 3, 3, 1]
    assert column(rows, "jaccard") == [1.0, 1.0, 8 / 9, 1.0]
    assert column(rows, "containment") == [1.0, 1.0, 8 / 9, 1.0]
    assert column(rows, "n_shingles") == [8, 8, 9, 1]


def test_threshold_is_inclusive() -> None:
    pair = [article("a", LONG), article("b", EDITED)]
    assert column(cluster(pair, threshold=8 / 9), "cluster_size") == [2, 2]
    assert column(cluster(pair, threshold=0.9), "cluster_size") == [1, 1]


def test_article_joined_through_another_is_linked() -> None:
    rows = cluster(
        [article("a", LONG), article("b", EDITED), article("c", TWICE_EDITED)],
        threshold=0.85,
    )
    assert column(rows, "relation") == ["representative", "near", "linked"]
    assert rows[2]["jaccard"] == 0.8
    assert rows[2]["containment"] == 0.8


def test_founding_article_is_the_earliest_dated() -> None:
    rows = cluster(
        [
            article("undated", LONG),
            article("late", LONG, "2025-04-02T00:00:00Z"),
            article("z", LONG, "2025-04-01T02:00:00+02:00"),
            article("y", LONG, "2025-04-01T00:00:00Z"),
        ]
    )
    assert set(column(rows, "cluster_id")) == {"y"}


def test_undated_articles_are_founded_in_input_order() -> None:
    assert set(column(cluster([article("b", LONG), article("a", LONG)]), "cluster_id")) == {"b"}


def test_dates_may_be_datetimes() -> None:
    rows = cluster(
        [
            {**article("b", LONG), "published_at": datetime(2025, 4, 2, tzinfo=timezone.utc)},
            {**article("a", LONG), "published_at": datetime(2025, 4, 1, tzinfo=timezone.utc)},
        ]
    )
    assert column(rows, "cluster_id") == ["a", "a"]


@pytest.mark.parametrize(("rule", "kept"), [("earliest", "c"), ("longest", "b"), ("first", "a")])
def test_representative_rules(rule: str, kept: str) -> None:
    rows = cluster(
        [
            article("a", LONG),
            article("b", EDITED, "2025-04-02T00:00:00Z"),
            article("c", LONG, "2025-04-01T00:00:00Z"),
        ],
        rule=rule,
    )
    assert set(column(rows, "representative_id")) == {kept}
    assert set(column(rows, "cluster_id")) == {"c"}


def test_ties_of_the_longest_fall_to_the_earliest() -> None:
    rows = cluster([article("a", LONG), article("b", LONG.title(), "2025-04-01T00:00:00Z")], rule="longest")
    assert column(rows, "relation") == ["exact", "representative"]


def test_length_is_in_words_not_distinct_shingles() -> None:
    repeated = "a b " * 10
    longer = "a b " * 11
    rows = cluster([article("short", repeated), article("long", longer)], rule="longest")
    assert column(rows, "representative_id") == ["long", "long"]
    assert column(rows, "relation") == ["near", "representative"]
    assert column(rows, "jaccard") == [1.0, 1.0]
    assert column(rows, "n_shingles") == [2, 2]


def test_title_is_judged_where_there_is_no_text() -> None:
    rows = cluster(
        [
            article("a", None, title="Headline only"),
            article("b", " \n", title="HEADLINE ONLY"),
            article("c", "headline only"),
        ]
    )
    assert column(rows, "relation") == ["representative", "exact", "exact"]


def test_title_is_not_judged_where_there_is_text() -> None:
    rows = cluster([article("a", "...", title="Headline"), article("b", "Headline")])
    assert column(rows, "relation") == ["unique", "unique"]
    assert rows[0]["n_shingles"] == 0


def test_articles_without_words_are_unique() -> None:
    rows = cluster([article("a", ""), article("b", None), article("c", "!!!")])
    assert column(rows, "relation") == ["unique"] * 3
    assert column(rows, "jaccard") == column(rows, "containment") == [1.0] * 3
    assert column(rows, "n_shingles") == [0] * 3


def test_candidate_pairs_limit_near_but_not_exact_copies() -> None:
    docs = [article("a", LONG), article("b", EDITED), article("c", LONG)]
    assert column(cluster(docs, pairs=[]), "cluster_size") == [2, 1, 2]
    assert column(cluster(docs, pairs=[("b", "a")]), "cluster_size") == [3, 3, 3]


def test_character_shingles_cluster_unspaced_text() -> None:
    docs = [article("a", "东京新闻报道"), article("b", "东京新闻报道员")]
    rows = cluster(docs, unit="char", size=3, threshold=0.8)
    assert column(rows, "relation") == ["representative", "near"]
    assert rows[1]["jaccard"] == 0.8


def test_no_articles_make_no_rows() -> None:
    assert cluster([]) == []
