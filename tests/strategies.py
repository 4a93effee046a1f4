"""Hypothesis strategies: Unicode that people don't think of, and small sets of articles with copies."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Final

from hypothesis import strategies as st

Article = dict[str, Any]

SCRIPTS: Final = {
    "latin": "abcXYZéßſıİIiÅŒœĳŁđñŷ",
    "greek": "αβΣσςΆάΐῬᾳᾼΩΩ",
    "cyrillic": "абвЙйЁёҐґѐ",
    "arabic": "ابتمحدؤئآأإىيكةهلٱپچگھہۃی",
    "arabic_marks": "\u0610\u064b\u064e\u0651\u0652\u0653\u0654\u0655\u0670\u06d6\u06dd\u06e5\u08f0\u0640",
    "hebrew": "אבגדשׂשׁלםן\u05b0\u05b8\u05bc\u05be\u05c1",
    "devanagari": "कखगरयज़ड़क्षज्ञ\u0902\u093e\u093f\u094d\u0951०१२",
    "bengali": "কখগরযয়ড়\u09be\u09c7\u09cb\u09cd০১",
    "thai": "กขคนมยเแใำ\u0e31\u0e34\u0e48\u0e49\u0e4d๐๑๒ๆฯ",
    "lao": "ກຂຄງເໜ\u0eb3\u0eb4\u0ec8\u0ecd໐໑",
    "khmer": "កខគឃអ\u17b4\u17b6\u17c1\u17c6\u17d2០១។",
    "myanmar": "ကခဂငအ\u102b\u102c\u1031\u1039\u103a၀၁။ꧠꩠ",
    "han": "新闻報道中国日本〇々〻〡㐀龦豈𠀀𠮷⼀⺟㊥㍿",
    "kana": "あいがぱゞゟアイガヷーヿㇰ\u3099\u309a𛀀𛅐",
    "kana_halfwidth": "ｱｲｶﾞﾊﾟｰﾞﾟ･",
    "hangul": "한국어뉴스각\u1100\u1161\u11a8\u115f\u1160\u3164\uffa0ㄱㅏﾡ",
    "tibetan": "ཀཁགང\u0f71\u0f72\u0f90\u0f0b༠",
    "mongolian": "ᠮᠣᠩᠭᠣᠯ\u180b\u180e\u180f",
    "digits": "0123456789٠١۲۳²½Ⅷ①௧𝟘",
    "compatibility": "ﬁﬃﬅﷺﷲＡｚ０℡㎏™𝔸ﹰﹱﹳﹷ\ufe76",
    "marks": "\u0300\u0301\u0307\u0323\u0345\u034f\u0489\u20dd\u20e3\ufe20\U0001d165\u302a",
    "controls": "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff",
    "selectors": "\ufe00\ufe0f\U000e0020\U000e0100\U000e01ef",
    "emoji": "😀👩🚀🏽❤☃🇫🇷🏳",
    "separators": " \t\n\r\u00a0\u2003\u2028\u3000\x00\x1f.,'’\"“”-–—…/、。，؟،।·_",
    "private": "\ue000\U000f0000\uffff\U0010ffff\u0378",
}
"""Characters of each script, chosen to be awkward; the name is only for the reader."""

SPECIMENS: Final = (
    "ab中c", "İstanbul", "ΟΔΥΣΣΕΥΣ", "Straße STRASSE", "ﬁnance", "e\u0301te\u0301", "\u0301lone",
    "مُحَمَّد", "محـــمد", "الرَّحْمٰنِ", "می\u200cخواهم", "क्षत्रिय", "ज\u094d\u200dञ", "ภาษาไทย ๒๕๖๘", "น้ำ",
    "ភាសា\u200bខ្មែរ", "မြန်မာ\u1039က", "ﾆｭｰｽ", "ニュース", "ガ", "カ\u3099", "한글",
    "\u1112\u1161\u11ab", "東京2025年",
    "👩\u200d🚀", "❤\ufe0f", "1️⃣", "🏳\ufe0f\u200d🌈", "x\u0323\u0307", "x\u0307\u0323", "\u202eabc\u202c",
    "don't", "don’t", "\ufeffstart", "co\u00adoperate", "12,345.67", "½kg", "ᾳι", "\u0345", "\u1e9e",
    "ǆǅǄ", "K℃Å",
)  # fmt: skip

SEPARATORS: Final = (" ", " ", " ", "  ", "\n", "\n\n", ", ", ". ", "\u00a0", "\u3000", " — ", "...")


def characters() -> st.SearchStrategy[str]:
    """Any character but a surrogate."""
    return st.characters(exclude_categories=["Cs"])


def pieces() -> st.SearchStrategy[str]:
    """A few characters of one script, an awkward specimen, a separator, a long word or anything at all."""
    runs = [st.text(alphabet=alphabet, min_size=1, max_size=8) for alphabet in SCRIPTS.values()]
    long_word = st.builds(lambda char, size: char * size, characters(), st.integers(60, 600))
    mixed = st.text(alphabet="".join(SCRIPTS.values()), min_size=1, max_size=8)
    return st.one_of(
        st.sampled_from(SEPARATORS),
        st.sampled_from(SPECIMENS),
        st.one_of(runs),
        mixed,
        st.text(alphabet=characters(), max_size=6),
        long_word,
    )


def wild_text(max_pieces: int = 24) -> st.SearchStrategy[str]:
    """Text of mixed scripts without surrogates; it may be empty or hold no word."""
    return st.lists(pieces(), max_size=max_pieces).map("".join)


def shingle_shapes() -> st.SearchStrategy[tuple[str, int]]:
    """What a shingle is: ``("word", n)`` or ``("char", n)``."""
    return st.tuples(st.sampled_from(("word", "char")), st.integers(1, 9))


def thresholds() -> st.SearchStrategy[float]:
    """Thresholds, among them fractions that small sets of shingles meet exactly."""
    return st.one_of(st.sampled_from((0.3, 1 / 3, 0.5, 2 / 3, 0.7, 0.75, 0.8, 1.0)), st.floats(0.05, 1.0))


# --- Articles ----------------------------------------------------------------

VOCABULARY: Final = (
    "the", "river", "dam", "Council", "vote", "Straße", "straßen", "école", "niño", "река", "город",
    "مَدِينَة", "مدينة", "نہر", "नदी", "शहर", "şehir", "İzmir", "thành", "phố", "新闻", "河水", "ダム", "แม่น้ำ",
    "12", "2025",
)  # fmt: skip
DAY_ONE: Final = datetime(2025, 4, 1, 6, tzinfo=timezone.utc)


def moments() -> st.SearchStrategy[datetime | None]:
    """Few different times, so that some are equal, and sometimes none."""
    return st.none() | st.integers(0, 5).map(lambda hours: DAY_ONE + timedelta(hours=hours))


def story_words(min_size: int = 1, max_size: int = 48) -> st.SearchStrategy[list[str]]:
    """The words of a small article."""
    return st.lists(st.sampled_from(VOCABULARY), min_size=min_size, max_size=max_size)


@st.composite
def edited(draw: st.DrawFn, original: list[str]) -> list[str]:
    """The words of an article that was made from another: a copy, or one with a few edits."""
    parts = list(original)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(parts)))
        word = draw(st.sampled_from(VOCABULARY))
        edit = draw(st.sampled_from(("replace", "insert", "delete", "append", "prepend", "cut")))
        if edit == "replace":
            parts[place : place + 1] = [word]
        elif edit == "insert":
            parts.insert(place, word)
        elif edit == "delete":
            del parts[place : place + 1]
        elif edit == "append":
            parts += draw(story_words(max_size=6))
        elif edit == "prepend":
            parts = draw(story_words(max_size=6)) + parts
        else:
            parts = parts[: max(place, len(parts) // 2)]
    return parts


@st.composite
def typeset(draw: st.DrawFn, parts: list[str]) -> str:
    """Words as a text: the spacing, punctuation, case and invisible characters differ from copy to copy."""
    style = draw(st.sampled_from(("plain", "plain", "upper", "spaced", "marked")))
    if style == "upper":
        return " ".join(parts).upper()
    if style == "spaced":
        return " \u00a0".join(parts) + "!"
    if style == "marked":
        return "“" + ", ".join("\u200e" + part + "\u00ad" for part in parts) + "”"
    return " ".join(parts)


@st.composite
def bodies(draw: st.DrawFn, size: int) -> list[str | None]:
    """So many texts: some new, most made from an earlier one, a few with nothing in them, a few wild."""
    originals: list[list[str]] = []
    found: list[str | None] = []
    for _ in range(size):
        kind = draw(st.sampled_from(("new", "edit", "edit", "edit", "none", "wild")))
        if kind == "none":
            found.append(draw(st.sampled_from((None, "", " \n\t", "\u3000", "...", "\u0301"))))
        elif kind == "wild":
            found.append(draw(wild_text(max_pieces=8)))
        else:
            if kind == "new" or not originals:
                words = draw(story_words())
            else:
                words = draw(edited(draw(st.sampled_from(originals))))
            originals.append(words)
            found.append(draw(typeset(words)))
    return found


@st.composite
def articles(draw: st.DrawFn, min_size: int = 0, max_size: int = 10) -> list[Article]:
    """Small articles with planted copies and edits; ids are unique and not in input order."""
    size = draw(st.integers(min_size, max_size))
    names = draw(st.permutations([f"{'aZé中'[place % 4]}{place}" for place in range(size)]))
    titles = st.none() | st.just("") | story_words(max_size=6).map(" ".join)
    return [
        {
            "doc_id": name,
            "text": text,
            "title": draw(titles),
            "source": draw(st.sampled_from((None, "harbourpost.example", "tidewire.example"))),
            "url": None,
            "published_at": draw(moments()),
        }
        for name, text in zip(names, draw(bodies(size)), strict=True)
    ]
