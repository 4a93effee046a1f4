"""Two articles of a run that is done."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from os import PathLike
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from samestory import schema
from samestory.errors import InputError, SamestoryError
from samestory.explain.conclude import conclude
from samestory.explain.explanation import MOST_WEIGHED, SAME, Explanation, Link, Standing, StoryFacts
from samestory.explain.links import shortest_chain
from samestory.explain.suggest import require_ids
from samestory.finished import FinishedRun
from samestory.passages import Comparison, compare_readings
from samestory.progress import Observer

_STANDING = [field.name for field in dataclasses.fields(Standing)]
_LINK = [
    "doc_id_a",
    "doc_id_b",
    "relation",
    "jaccard",
    "containment_a_in_b",
    "containment_b_in_a",
    "story_score",
]


def explain_in_run(
    folder: str | PathLike[str],
    doc_id_a: str,
    doc_id_b: str,
    inputs: Sequence[str] | None,
    terms: bool | None,
    observer: Observer,
) -> Explanation:
    """Explain two articles of a run: see `samestory.explain.explain`."""
    observer("read a run", 0, None)
    run = FinishedRun.open(folder, inputs=inputs)
    rows = run.rows_of([doc_id_a, doc_id_b])
    if doc_id_a == doc_id_b:
        rows[1] = rows[0]
    require_ids(run.clusters(["doc_id"])["doc_id"], [doc_id_a, doc_id_b], rows, str(folder))
    standings = [Standing(**row) for row in run.clusters(_STANDING).take(pa.array(rows)).to_pylist()]
    compared, warnings = _compare(run, doc_id_a, doc_id_b, observer)
    relation = _relation(doc_id_a == doc_id_b, standings, compared)
    chain = () if relation in (None, SAME) else shortest_chain(_links(run, standings), doc_id_a, doc_id_b)
    story = None
    if run.config.level == "story":
        story, failure = _story(run, doc_id_a, doc_id_b, standings, chain, terms, observer)
        warnings += failure
    is_round_up = None if run.stats.get("counts", {}).get("round_ups", 1) else False
    return conclude(
        str(folder),
        "run",
        run.config,
        standings,
        compared,
        relation=relation,
        chain=chain,
        story=story,
        is_round_up=is_round_up,
        warnings=warnings,
    )


def _compare(
    run: FinishedRun, doc_id_a: str, doc_id_b: str, observer: Observer
) -> tuple[Comparison, list[str]]:
    """Compare two articles as they are in the inputs now; warn if they were others in the run."""
    readings = run.readings([doc_id_a, doc_id_b], observer)
    gone = [doc_id for doc_id in dict.fromkeys((doc_id_a, doc_id_b)) if doc_id not in readings]
    if gone:
        names = " and ".join(map(repr, gone))
        told = f"the article {names} is" if len(gone) == 1 else f"the articles {names} are"
        raise InputError(
            f"{', '.join(run.inputs)}: {told} there no longer",
            hint="the inputs have changed since the run; name those that it read with --input",
        )
    changed = [doc_id for doc_id, reading in readings.items() if not reading.is_as_recorded]
    warnings = [f"{doc_id!r} is not what it was: the inputs have changed since the run" for doc_id in changed]
    return compare_readings(readings[doc_id_a], readings[doc_id_b]), warnings


def _relation(is_same: bool, standings: list[Standing], compared: Comparison) -> str | None:
    one, other = standings
    if is_same:
        return SAME
    if one.cluster_id == other.cluster_id:
        return compared.relation or schema.LINKED
    if one.story_id is not None and one.story_id == other.story_id:
        return schema.STORY
    return None


def _links(run: FinishedRun, standings: list[Standing]) -> list[Link]:
    """Return the pairs within the cluster of both, or within their story."""
    one, other = standings
    pairs = run.pairs([*_LINK, "cluster_id"])
    if one.cluster_id == other.cluster_id:
        is_within = pc.equal(pairs["cluster_id"], one.cluster_id)
        is_within = pc.and_(is_within, pc.not_equal(pairs["relation"], schema.STORY))
    else:
        clusters = run.clusters(["cluster_id", "story_id"])
        own = clusters.filter(pc.equal(clusters["story_id"], one.story_id))
        is_within = pc.is_in(pairs["cluster_id"], value_set=pc.unique(own["cluster_id"]))
    return [_link(row) for row in pairs.select(_LINK).filter(is_within).to_pylist()]


def _link(row: dict[str, Any]) -> Link:
    share = max(row["containment_a_in_b"], row["containment_b_in_a"])
    return Link(row["doc_id_a"], row["doc_id_b"], row["relation"], row["jaccard"], share, row["story_score"])


def _story(
    run: FinishedRun,
    doc_id_a: str,
    doc_id_b: str,
    standings: list[Standing],
    chain: tuple[Link, ...],
    terms: bool | None,
    observer: Observer,
) -> tuple[StoryFacts | None, list[str]]:
    """Return what is known of two articles as reports of events, and what went wrong."""
    one, other = standings
    if one.cluster_id == other.cluster_id:
        return None, []
    together = one.story_id == other.story_id
    held_by = _held_together_by(run, one.story_id) if together else ()
    score = chain[0].story_score if len(chain) == 1 else None
    known = StoryFacts(together, score, held_together_by=held_by)
    if not (run.clusters(["doc_id"]).num_rows <= MOST_WEIGHED if terms is None else terms):
        return known, []
    from samestory.explain.terms import weigh_shared

    try:
        return weigh_shared(
            run.inputs,
            doc_id_a,
            doc_id_b,
            run.config,
            together=together,
            held_by=held_by,
            observer=observer,
        ), []
    except SamestoryError as error:
        return known, [f"the terms that they share cannot be weighed again: {error.message}"]


def _held_together_by(run: FinishedRun, story_id: str | None) -> tuple[str, ...]:
    stories = run.stories(["story_id", "terms"])
    if stories is None:
        return ()
    own = stories.filter(pc.equal(stories["story_id"], story_id))["terms"].to_pylist()
    return tuple(term["term"] for term in own[0]) if own else ()
