"""Why two articles are, or are not, together: in words, from the figures."""

from __future__ import annotations

from typing import Final

from samestory import schema
from samestory.config import Config
from samestory.explain.explanation import SAME, Reason, StoryFacts
from samestory.passages import Comparison


def find_reasons(
    compared: Comparison,
    relation: str | None,
    config: Config,
    chance: float,
    n_between: int,
    story: StoryFacts | None,
    is_round_up: bool | None = None,
) -> tuple[Reason, ...]:
    """Say why two articles are, or are not, together.

    Parameters
    ----------
    compared : Comparison
    relation : str, optional
        As `Explanation.relation` has it.
    config : Config
    chance : float
        That MinHash brings such a pair together.
    n_between : int
        Articles on the way from one to the other.
    story : StoryFacts, optional
    is_round_up : bool, optional
        Whether one of them is a round-up; None where that is not known.
    """
    if relation == SAME:
        return (Reason("same", "Both ids are of one article."),)
    if relation in (schema.EXACT, schema.NEAR, schema.PARTIAL):
        return (_why_copies(compared, relation, config),)
    if not compared.a.reading.n_shingles or not compared.b.reading.n_shingles:
        reasons = [_no_words(compared)]
    elif compared.relation is None:
        reasons = [_below_threshold(compared, config), *_below_containment(compared, config)]
    elif relation == schema.LINKED:
        reasons = []
    else:
        reasons = [_why_apart(compared, config, chance, is_round_up)]
    if relation == schema.LINKED:
        reasons.append(Reason("linked", _linked(n_between)))
    elif story is not None:
        reasons.append(_why_story(story, config))
    return tuple(reasons)


def _why_copies(compared: Comparison, relation: str, config: Config) -> Reason:
    if relation == schema.EXACT:
        return Reason("exact", "Both are the same text, once case, punctuation and page furniture are gone.")
    if relation == schema.NEAR:
        return Reason(
            "near",
            f"Of all their shingles {compared.jaccard:.1%} are in both; near copies have"
            f" {config.threshold:.1%} or more.",
        )
    in_b = compared.containment_a_in_b >= compared.containment_b_in_a
    share = max(compared.containment_a_in_b, compared.containment_b_in_a)
    inner, outer = ("A", "B") if in_b else ("B", "A")
    return Reason(
        "partial",
        f"{outer} has {share:.1%} of the shingles of {inner}; partial copies have {config.containment:.1%}"
        f" or more, and {config.evidence:,} of them at least: here {compared.shared_shingles:,}.",
    )


def _no_words(compared: Comparison) -> Reason:
    empty = [name for name, side in (("A", compared.a), ("B", compared.b)) if not side.reading.n_shingles]
    what = "Neither has" if len(empty) == 2 else f"{empty[0]} does not have"
    return Reason("no_words", f"{what} a word to compare.")


def _below_threshold(compared: Comparison, config: Config) -> Reason:
    if not compared.shared_shingles:
        return Reason("nothing_shared", "They have no shingle in common.")
    short = config.threshold - compared.jaccard
    return Reason(
        "below_threshold",
        f"Their Jaccard similarity {compared.jaccard:.3f} is {short:.3f} short of {config.threshold:g},"
        " which makes near copies.",
    )


def _below_containment(compared: Comparison, config: Config) -> list[Reason]:
    share = max(compared.containment_a_in_b, compared.containment_b_in_a)
    if not compared.shared_shingles:
        return []
    if not config.partial:
        return [Reason("partial_not_asked", "The run did not look for partial copies (--no-partial).")]
    if share < config.containment:
        short = config.containment - share
        text = (
            f"Neither holds enough of the other: the larger containment {share:.3f} is {short:.3f} short"
            f" of {config.containment:g}, which makes partial copies."
        )
        return [Reason("below_containment", text)]
    return [
        Reason(
            "too_little_evidence",
            f"One holds {share:.1%} of the other, but they share {compared.shared_shingles:,} shingles only;"
            f" as evidence {config.evidence:,} are needed, for a stock phrase has fewer.",
        )
    ]


def _why_apart(compared: Comparison, config: Config, chance: float, is_round_up: bool | None) -> Reason:
    """Say why two articles are apart whose own scores would make them copies."""
    if config.founder_overlap:
        return Reason(
            "split",
            "Their scores would make them copies, but clusters were split: whatever shares less than"
            f" {config.founder_overlap:g} with the founding article is clustered anew (--founder-overlap).",
        )
    if compared.relation == schema.PARTIAL:
        return Reason(
            "kept_apart", f"Their scores would make them partial copies. {_KEPT_APART[is_round_up]}"
        )
    return Reason(
        "not_met",
        f"Their scores would make them copies, but they never met: MinHash brings {chance:.2%} of such pairs"
        " together (--recall).",
    )


_ROUND_UP: Final = (
    "the longer one is a round-up: it holds parts of stories that have nothing else to do with one another,"
    " and joins the main one of these or none"
)
_BY_OTHERS: Final = "clusters are compared by their longest articles, and those share less"
_KEPT_APART: Final = {
    True: f"They are apart because {_ROUND_UP}.",
    False: f"They are apart because {_BY_OTHERS}.",
    None: f"They are apart because {_ROUND_UP}; or because {_BY_OTHERS}.",
}


def _linked(n_between: int) -> str:
    if not n_between:
        return "They are in one cluster by way of other articles."
    others = "one other article" if n_between == 1 else f"{n_between:,} other articles"
    return f"They are in one cluster by way of {others}."


def _why_story(story: StoryFacts, config: Config) -> Reason:
    least = config.story_threshold
    if story.together:
        said = f"their score is {story.score:.2f}" if story.score is not None else "by way of others in it"
        return Reason("story", f"They are in one story: {said}; a mean of {least:g} makes one.")
    if story.score is None:
        return Reason("other_story", f"They are in different stories; a mean score of {least:g} makes one.")
    if story.score >= least:
        return Reason(
            "other_story",
            f"Their own score {story.score:.2f} reaches {least:g}, but they are in different stories: what"
            " counts is the mean score of whole groups.",
        )
    return Reason(
        "below_story_threshold",
        f"As reports of an event they score {story.score:.2f}; a mean of {least:g} makes one story.",
    )
