"""What can be asked for by name: measures, and scores to sweep over."""

from __future__ import annotations

from typing import Final

MEASURES: Final = ("f1", "precision", "recall", "bcubed_f1", "bcubed_precision", "bcubed_recall", "ari")
"""Measures that a limit can be set for; the first three are of pairs, and the only ones for pair labels."""

SCORES: Final = (
    "jaccard", "containment", "containment_a_in_b", "containment_b_in_a", "story_score",
)  # fmt: skip
"""Scores of a pair; ``containment`` is the larger of the two directions."""
