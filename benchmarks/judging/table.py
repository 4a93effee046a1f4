"""The one table: its columns, and how it is shown and written."""

from __future__ import annotations

from typing import Any

from report import Columns

Row = dict[str, Any]

WIDTH = 220  # characters on the terminal

NOTES = """\
Every peer is tried at every setting (thresholds 0.02 to 0.95, Hamming distances 0 to 24; word shingles of one
to five where the tool leaves that to the user) and shown at the best by F1 **on the very labels it is judged
on**, with the setting in brackets: no user can do as well without labels. `exact` is the Jaccard of all pairs
without estimates, tried in the same way. The last rows are the mean F1 with one setting for all sets, again
the best. `samestory` is one run as it comes; `its best score` cuts the scores which that run prints (jaccard,
containments) at the best threshold. A dash: not there, or not asked.
"""


def _shown(value: Any) -> str:
    """Format one cell."""
    return "-" if value is None else value["text"]


COLUMNS: Columns = (
    ("set", "set", str),
    ("measure", "measure", str),
    ("samestory", "samestory", _shown),
    ("its best score", "samestory_best", _shown),
    ("exact", "exact", _shown),
    ("datasketch", "datasketch", _shown),
    ("rensa", "rensa", _shown),
    ("text-dedup's way", "text_dedup", _shown),
    ("SimHash", "simhash", _shown),
)
