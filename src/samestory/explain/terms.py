"""The terms that two articles share, weighed anew over all articles."""

from __future__ import annotations

from typing import Any

from samestory.config import Config
from samestory.explain.explanation import SharedTerm, StoryFacts
from samestory.pipeline import shared_terms
from samestory.progress import Observer, ignore_progress


def weigh_shared(
    articles: Any,
    doc_id_a: str,
    doc_id_b: str,
    config: Config,
    *,
    together: bool,
    held_by: tuple[str, ...] = (),
    observer: Observer = ignore_progress,
) -> StoryFacts:
    """Return the terms that two articles of different clusters share, and the score that follows.

    Raises
    ------
    InputError, SchemaError
        The articles cannot be read, or do not hold the two.
    """
    table = shared_terms(articles, doc_id_a, doc_id_b, config, observer=observer)
    facts = table.schema.metadata
    return StoryFacts(
        together,
        float(facts[b"story_score"]),
        float(facts[b"cosine"]),
        tuple(SharedTerm(**row) for row in table.to_pylist()),
        held_by,
    )
