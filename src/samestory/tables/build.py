"""Makes `unicode.npz` from the running Python's `unicodedata`: ``python -m samestory.tables.build``.

The table ships with the package, so that the words of an article are the same
on every Python; rebuild it with the newest Python supported. `fold` here is
also what the difficult articles go through at run time (see
`samestory.normalise`), and the definition that the kernels' table must equal.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

SEPARATOR: Final = 0
WORD: Final = 1
UNSPACED: Final = 2  # a word of its own: Han, Kana, Thai, Lao, Khmer, Myanmar
MARK: Final = 3
DROPPED: Final = 4
EXPANDED: Final = 5  # folds to several characters
LINKER: Final = 6  # a mark that holds the letter after it, of whatever script, in its own word
PREPENDED: Final = 7  # a letter that does
SARA_AA: Final = 8  # of class UNSPACED, but MARK after NIKHAHIT: together they are SARA AM taken apart

PAGE_BITS: Final = 7
N_CODE_POINTS: Final = 0x110000
HARD: Final = 255
"""In the `hardness` table: composes with what stands before it, so context decides."""

_UNSPACED_RANGES: Final = (
    (0x0E00, 0x0E7F), (0x0E80, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x19E0, 0x19FF),
    (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B), (0x3040, 0x30FF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF), (0x1AFF0, 0x1AFFF), (0x1B000, 0x1B16F), (0x20000, 0x3FFFF),
)  # fmt: skip
_ARABIC_RANGES: Final = ((0x0600, 0x06FF), (0x0750, 0x077F), (0x0870, 0x08FF))
# Hamza and madda are part of a letter; the other Arabic marks are vowels and recitation signs.
_ARABIC_KEPT: Final = frozenset((0x0653, 0x0654, 0x0655))
_SARA_AA: Final = (0x0E32, 0x0EB2)  # of Thai and Lao
# Signs that make one cluster of two letters (Unicode Standard Annex #29, rules GB9c and GB9b).
_LINKERS: Final = frozenset(
    [
        *(0x094D, 0x09CD, 0x0ACD, 0x0B4D, 0x0C4D, 0x0D4D, 0x1039, 0x17D2, 0x1A60, 0x1B44, 0x1BAB),
        *(0xA9C0, 0xAAF6, 0x10A3F, 0x11133, 0x1193E, 0x11A47, 0x11A99, 0x11F42),
    ]
)
_PREPENDED: Final = frozenset(
    [*(0x0D4E, 0x111C2, 0x111C3, 0x1193F, 0x11941, 0x11D46, 0x11F02), *range(0x11A84, 0x11A8A)]
)
_IGNORABLE: Final = frozenset(
    [
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x0640),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    ]
)


def is_dropped(code_point: int) -> bool:
    """Whether a character is left out of the text before anything else."""
    category = unicodedata.category(chr(code_point))
    if category == "Cf" or code_point in _IGNORABLE:
        return True
    return (
        category == "Mn"
        and code_point not in _ARABIC_KEPT
        and any(low <= code_point <= high for low, high in _ARABIC_RANGES)
    )


def dropped_characters() -> dict[int, None]:
    """Return the map for `str.translate` that leaves the dropped characters out."""
    return {cp: None for cp in range(N_CODE_POINTS) if is_dropped(cp)}


def fold(text: str, dropped: dict[int, None]) -> str:
    """Drop, compose (NFKC) and case-fold until nothing changes.

    One round is not enough: case folding may decompose and a dropped mark may
    bring two characters together that then compose. The loop ends because
    each round that changes anything makes the text simpler; on Unicode's own
    data two rounds suffice for nearly all characters.
    """
    while True:
        simpler = unicodedata.normalize("NFKC", text.translate(dropped)).casefold()
        if simpler == text:
            return text
        text = simpler


def classify(code_point: int) -> int:
    """Class of a folded character."""
    if is_dropped(code_point):
        return DROPPED
    category = unicodedata.category(chr(code_point))
    if category == "Cn":
        return SEPARATOR
    if code_point in _LINKERS:
        return LINKER
    if code_point in _PREPENDED:
        return PREPENDED
    if code_point in _SARA_AA:
        return SARA_AA
    if category[0] == "M":
        return MARK
    if category[0] not in "LN":
        return SEPARATOR
    unspaced = category != "Nd" and any(low <= code_point <= high for low, high in _UNSPACED_RANGES)
    return UNSPACED if unspaced else WORD


def _composing() -> set[int]:
    """Return the characters that may compose with what stands before them (NFKC_QC=Maybe)."""
    found = set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))  # Hangul vowels and finals
    for cp in range(N_CODE_POINTS):
        parts = unicodedata.decomposition(chr(cp)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            pair = "".join(chr(int(part, 16)) for part in parts)
            if unicodedata.normalize("NFC", pair) == chr(cp):
                found.add(int(parts[1], 16))
    return found


def build() -> dict[str, NDArray[np.generic]]:
    """Compute the tables.

    Returns
    -------
    dict
        `pages` and `entries`: of a code point c, ``entries[pages[c >> 7] << 7 | c & 127]`` holds
        its class in the low 8 bits and above them what to add to fold it (or, in class
        `EXPANDED`, its place in `expansions`, where its length stands before its characters).
        `hardness`: by the same place, its combining class, or `HARD`.
    """
    dropped = dropped_characters()
    composing = _composing()
    entries = np.zeros(N_CODE_POINTS, dtype=np.int32)
    hardness = np.zeros(N_CODE_POINTS, dtype=np.uint8)
    expansions: list[int] = [0]
    for cp in range(N_CODE_POINTS):
        if 0xD800 <= cp <= 0xDFFF or unicodedata.category(chr(cp)) in ("Cn", "Co"):
            continue
        if cp in dropped:
            entries[cp] = DROPPED
            continue
        folded = fold(chr(cp), dropped)
        first_class = unicodedata.combining(folded[0]) if folded else 0
        is_hard = cp in composing or any(ord(c) in composing for c in folded[:1])
        # The kernel has room for twice the bytes: of the characters, and of a space before each word.
        n_words = sum(classify(ord(char)) not in (MARK, LINKER, SARA_AA) for char in folded)
        is_long = len(folded.encode()) + n_words > 2 * len(chr(cp).encode())
        if is_hard or (is_long and len(folded) > 1) or (len(folded) > 1 and first_class):
            hardness[cp] = HARD
        elif folded:
            hardness[cp] = unicodedata.combining(folded[-1])
        if len(folded) == 1:
            entries[cp] = (ord(folded) - cp) * 256 + classify(ord(folded))
        elif hardness[cp] != HARD:
            entries[cp] = len(expansions) * 256 + EXPANDED if folded else DROPPED
            if folded:
                expansions += [len(folded), *map(ord, folded)]
    return _pack(entries, hardness, np.array(expansions, dtype=np.int32))


def _pack(
    entries: NDArray[np.int32], hardness: NDArray[np.uint8], expansions: NDArray[np.int32]
) -> dict[str, NDArray[np.generic]]:
    size = 1 << PAGE_BITS
    both = np.column_stack([entries.reshape(-1, size), hardness.reshape(-1, size).astype(np.int32)])
    unique, pages = np.unique(both, axis=0, return_inverse=True)
    return {
        "pages": pages.reshape(-1).astype(np.uint16),
        "entries": np.ascontiguousarray(unique[:, :size]).reshape(-1).astype(np.int32),
        "hardness": np.ascontiguousarray(unique[:, size:]).reshape(-1).astype(np.uint8),
        "expansions": expansions,
        "dropped": np.array(sorted(dropped_characters()), dtype=np.int32),
        "unicode_version": np.array([int(part) for part in unicodedata.unidata_version.split(".")]),
    }


if __name__ == "__main__":
    target = Path(__file__).with_name("unicode.npz")
    np.savez_compressed(target, **build())  # type: ignore[arg-type]
    sys.stdout.write(f"{target.name}: {target.stat().st_size} bytes, Unicode {unicodedata.unidata_version}\n")
