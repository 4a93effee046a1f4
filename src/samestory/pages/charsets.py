"""From a page's bytes to its characters: as declared, else as guessed, and never a page lost."""

from __future__ import annotations

import codecs
import re
from typing import Final

_HEAD_BYTES: Final = 8192
_DECLARED: Final = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,400}?(?:charset|encoding)\s{0,9}=\s{0,9}["']?\s{0,9}([A-Za-z0-9_.:-]{1,40})""",
    re.IGNORECASE,
)
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# What browsers take these names for: everybody writes the larger set under the smaller one's name.
_LARGER: Final = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
# Codecs that are no charset of a page; some of them take quadratic time.
_REFUSED: Final = ("idna", "punycode", "unicode", "raw", "utf-7", "undefined", "mbcs", "oem")
_SEVEN_BITS: Final = ("iso2022", "hz")
_MOST_WRONG: Final = 0.1  # Share of the characters beyond ASCII; with a wrong charset it is nearly all.
_MOST_GUESSED_BYTES: Final = 1 << 16
_TAG: Final = re.compile(rb"<[^<>]*>")
_WORD: Final = re.compile(rb"[A-Za-z\x80-\xff]+")
_FOREIGN: Final = 0.6  # Share of the bytes of such words that are beyond ASCII.


def decode(data: bytes, declared: str | None) -> str:
    """Return the characters of a page.

    Parameters
    ----------
    data : bytes
    declared : str, optional
        Charset that the HTTP header names; it goes before the page's own.

    Returns
    -------
    str
        With replacement characters where a byte fits nothing, and without null characters.

    Notes
    -----
    A byte order mark decides, then UTF-8 if the bytes are that: other text is not valid UTF-8 by
    chance, while servers declare Latin-1 for anything. Then what is declared, then a guess.
    """
    return _decoded_somehow(data, declared).replace("\0", "")


def _decoded_somehow(data: bytes, declared: str | None) -> str:
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return data.decode(codec, "replace").removeprefix("\ufeff")
    found = _DECLARED.search(data, 0, _HEAD_BYTES)
    inside = found[1].decode("ascii") if found else None
    names = [name for label in (declared, inside) if (name := _codec(label)) is not None]
    if not names or not names[0].startswith((*_SEVEN_BITS, "utf-16", "utf-32")):
        names.insert(0, "utf-8")
    for name in [*names, *_guessed(data)]:
        text = _decoded(data, name)
        if text is not None:
            return text
    return data.decode("utf-8", "replace")


def _codec(label: str | None) -> str | None:
    """Python's name for a charset, None for what is none."""
    try:
        name = codecs.lookup((label or "").strip()[:40]).name
        "".encode(name)
    except (LookupError, ValueError):  # unknown, or a codec that does not make text
        return None
    return None if name.startswith(_REFUSED) else _LARGER.get(name, name)


def _decoded(data: bytes, name: str) -> str | None:
    """The characters, None where too many bytes are wrong for this charset."""
    try:
        text = data.decode(name, "replace")
    except (LookupError, ValueError):
        return None
    n_wrong = text.count("\ufffd")
    n_beyond = len(text) - len(text.encode("ascii", "ignore"))
    # The last character may be cut in two.
    return text if n_wrong <= 1 + _MOST_WRONG * n_beyond and (n_wrong < n_beyond or n_wrong == 0) else None


def _guessed(data: bytes) -> list[str]:
    """What the library takes it for, where words are of other letters altogether; else as browsers do.

    In European words a few letters are beyond ASCII, and these few mislead the library.
    """
    text = _TAG.sub(b" ", data[:_MOST_GUESSED_BYTES])
    words = b"".join(word for word in _WORD.findall(text) if not word.isascii())
    n_beyond = sum(byte >= 0x80 for byte in words)
    if n_beyond < _FOREIGN * len(words):
        return ["cp1252"]
    from trafilatura.utils import detect_encoding

    return [name for label in detect_encoding(text) if (name := _codec(label))]
