"""How common words are in news at large: what a corpus of a few articles cannot tell."""

from __future__ import annotations

import functools
from importlib import resources


@functools.cache
def background_shares() -> dict[str, float]:
    """Return the share of news articles, of some 300 words, that contain a word, for common words.

    English and Arabic were counted, over two decades of agency, broadcaster and regional news; names
    were left out, and an English share is the median of three collections, so that what one of them
    writes about does not count as common. Parts of contractions, short names of months and second
    spellings were added by hand, and all other languages were judged by hand. The shares are rounded
    to some dozen classes, fine enough for their logarithm.

    Returns
    -------
    dict of str to float
        By folded word. A word of several languages has its largest share. The dict is shared: do not
        change it.
    """
    table = resources.files(__package__).joinpath("background.txt").read_text(encoding="utf-8")
    return parse_shares(table)


def parse_shares(table: str) -> dict[str, float]:
    """Return the largest share of each word of a table such as ``background.txt``."""
    lines = [line.split() for line in table.splitlines() if line and line[0] not in "#["]
    shares: dict[str, float] = {}
    for share, *words in sorted(lines, key=lambda line: float(line[0])):  # the largest share comes last
        shares.update(dict.fromkeys(words, float(share)))
    return shares
