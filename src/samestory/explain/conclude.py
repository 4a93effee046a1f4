"""From what is known of two articles to what is told of them."""

from __future__ import annotations

from samestory.config import Config
from samestory.explain.explanation import Explanation, Link, Standing, StoryFacts
from samestory.explain.reasons import find_reasons
from samestory.params import choose_banding
from samestory.passages import Comparison


def conclude(
    folder: str,
    kind: str,
    config: Config,
    standings: list[Standing],
    compared: Comparison,
    *,
    relation: str | None,
    chain: tuple[Link, ...],
    story: StoryFacts | None,
    is_round_up: bool | None,
    warnings: list[str],
) -> Explanation:
    """Add the chance to meet and the reasons; the parameters are as `Explanation` has them."""
    banding = choose_banding(config.threshold, config.recall, config.num_perm)
    chance = banding.chance(compared.jaccard)
    n_between = max(len(chain) - 1, 0)
    return Explanation(
        folder=folder,
        kind=kind,
        config=config,
        banding=banding,
        standing_a=standings[0],
        standing_b=standings[1],
        comparison=compared,
        relation=relation,
        chance=chance,
        chain=chain,
        reasons=find_reasons(compared, relation, config, chance, n_between, story, is_round_up),
        warnings=tuple(warnings),
        story=story,
    )
