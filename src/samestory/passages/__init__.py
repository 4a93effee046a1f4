"""What two articles have in common, as places in their texts as they were handed in.

Two articles at a time and exact: an article is read as a run reads it, each word
that is compared keeps its place, and a passage is a stretch of words that lie in
shingles which the other article has too.
"""

from samestory.passages.compare import Comparison, Passage, Side, Span, compare, compare_readings
from samestory.passages.reading import Article, Reader, Reading, Recorded

__all__ = [
    "Article",
    "Comparison",
    "Passage",
    "Reader",
    "Reading",
    "Recorded",
    "Side",
    "Span",
    "compare",
    "compare_readings",
]
