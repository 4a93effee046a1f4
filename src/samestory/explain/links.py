"""The shortest way between two articles by pairs that were verified."""

from __future__ import annotations

from collections.abc import Iterable

from samestory.explain.explanation import Link


def shortest_chain(links: Iterable[Link], begin: str, end: str) -> tuple[Link, ...]:
    """Return the fewest links that lead from one article to another, none if there is no way.

    Of several links the stronger is followed first. Each link is turned in the direction of the way.
    """
    neighbours: dict[str, list[Link]] = {}
    for link in links:
        neighbours.setdefault(link.doc_id_a, []).append(link)
        neighbours.setdefault(link.doc_id_b, []).append(_turned(link))
    came_by: dict[str, Link | None] = {begin: None}
    reached = [begin]
    while reached and end not in came_by:
        following = []
        for doc_id in reached:
            for link in sorted(neighbours.get(doc_id, []), key=_weakness):
                if link.doc_id_b not in came_by:
                    came_by[link.doc_id_b] = link
                    following.append(link.doc_id_b)
        reached = following
    chain: list[Link] = []
    step = came_by.get(end)
    while step is not None:
        chain.append(step)
        step = came_by[step.doc_id_a]
    return tuple(reversed(chain))


def _turned(link: Link) -> Link:
    return Link(link.doc_id_b, link.doc_id_a, link.relation, link.jaccard, link.containment, link.story_score)


def _weakness(link: Link) -> tuple[float, float, str]:
    return -link.containment, -(link.story_score or 0.0), link.doc_id_b
