"""Duplicate clusters: near clusters and the edges between them that join, kept up to date."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from samestory.index.state import Ints, State
from samestory.kernels.clusters import join_edges

_NONE: Final = np.zeros(0, dtype=np.int64)


def regroup(
    state: State,
    moved: Ints,
    is_parted: NDArray[np.bool_],
    joined: Ints,
    parted: Ints,
    gone: Ints,
    came: Ints,
    lost: Ints,
    rule: str,
    everything: bool,
) -> Ints:
    """Bring the clusters up to date.

    Parameters
    ----------
    state : State
    moved : int64 array
        Texts whose near cluster may have changed, new ones among them.
    is_parted : bool array
        Of each, whether near clusters may have been parted.
    joined, parted : int64 arrays
        Edges that join now, and that do no longer.
    gone : int64 array
        Texts that no article has any more.
    came : int64 array
        Articles that are new, or have another text now.
    lost : int64 array
        Texts that have lost an article.
    rule : str
        Which article is kept: `Config.representative`.
    everything : bool
        Whether to find all clusters anew.

    Returns
    -------
    int64 array
        Labels of the clusters that have changed.
    """
    texts, edges = state.texts, state.edges
    is_new = texts["cluster"][moved] < 0
    loose_texts = np.concatenate(
        [
            moved[is_parted & ~is_new],
            gone,
            edges["first"][parted],
            edges["second"][parted],
            lost,
        ]
    ).astype(np.int64)
    labels = np.unique(texts["cluster"][loose_texts])
    labels = labels[labels >= 0]
    _, loose = state.members("cluster", labels)
    loose = np.concatenate([loose[texts["n_articles"][loose] > 0], moved[is_new]])
    loose = np.flatnonzero(texts["n_articles"] > 0) if everything else np.unique(loose)
    nodes, roots = _join(state, loose, moved, joined)
    return _write(state, loose, nodes, roots, came, rule)


def _join(state: State, loose: Ints, moved: Ints, joined: Ints) -> tuple[Ints, Ints]:
    """Join what belongs together: texts that are loose, and clusters otherwise.

    Returns
    -------
    nodes : int64 array
        In order: texts that are loose; of other clusters their labels, less than 0: ``-1 - label``.
    roots : int64 array
    """
    texts, edges = state.texts, state.edges

    def node_of(wanted: Ints) -> Ints:
        is_loose = np.isin(wanted, loose)
        return np.where(is_loose, wanted, -1 - texts["cluster"][wanted].astype(np.int64))

    both = np.union1d(loose, moved)
    near = texts["near"][both]
    order = np.argsort(near, kind="stable")
    same = np.flatnonzero(near[order][1:] == near[order][:-1])
    ends = [(both[order[same]], both[order[same + 1]])]
    # A loose text whose near cluster has others that are not: none, for they are of one cluster.
    own = np.unique(np.concatenate([state.edges_of(loose)[1], joined]))
    own = own[(edges["is_kept"][own] > 0) & (edges["is_alive"][own] > 0)]
    ends.append((edges["first"][own].astype(np.int64), edges["second"][own].astype(np.int64)))
    first = node_of(np.concatenate([a for a, _ in ends]))
    second = node_of(np.concatenate([b for _, b in ends]))
    nodes = np.unique(np.concatenate([loose, first, second]))
    roots = np.arange(len(nodes), dtype=np.int64)
    join_edges(np.searchsorted(nodes, first), np.searchsorted(nodes, second), roots)
    return nodes, roots


def _write(state: State, loose: Ints, nodes: Ints, roots: Ints, came: Ints, rule: str) -> Ints:
    """Give each group of nodes a label, its ring, and its founder, kept article and size."""
    texts = state.texts
    labels = -1 - nodes
    is_label = nodes < 0
    label_of_root = np.full(len(nodes), -1, dtype=np.int64)
    # The label of the largest cluster that is not loose stays, so that a large one is not written again.
    order = np.flatnonzero(is_label)
    order = order[np.lexsort((-labels[order], texts["n_texts"][labels[order]]))]
    label_of_root[roots[order]] = labels[order]
    rest = np.flatnonzero((label_of_root[roots] < 0) & ~is_label)
    label_of_root[roots[rest[::-1]]] = nodes[rest[::-1]]
    target = label_of_root[roots]
    merged = np.flatnonzero(is_label & (labels != target))
    _absorb(state, labels[merged], target[merged], nodes[~is_label], target[~is_label])
    return _describe(
        state, labels[is_label], target[is_label], nodes[~is_label], target[~is_label], came, rule
    )


def _absorb(state: State, merged: Ints, into: Ints, loose: Ints, label_of_loose: Ints) -> None:
    """Put the texts of merged clusters, and loose ones, into the rings of their clusters."""
    texts = state.texts
    offsets, members = state.members("cluster", merged)
    members = np.concatenate([members, loose])
    target = np.concatenate([np.repeat(into, np.diff(offsets)), label_of_loose])
    order = np.lexsort((members, target))
    members, target = members[order], target[order]
    if not len(members):
        return
    starts = np.flatnonzero(np.diff(target, prepend=-1))
    own_labels = target[starts]
    ends = np.append(starts[1:], len(members)) - 1
    stays = ~np.isin(own_labels, members)  # the label's own ring goes on after these
    following = np.append(members[1:], -1)
    following[ends] = members[starts]
    after = texts["next_in_cluster"][own_labels[stays]]
    following[ends[stays]] = after
    texts.put("next_in_cluster", members, following)
    texts.put("next_in_cluster", own_labels[stays], members[starts[stays]])
    texts.put("cluster", members, target)


def _describe(
    state: State, labels: Ints, target: Ints, loose: Ints, label_of_loose: Ints, came: Ints, rule: str
) -> Ints:
    """Write the founder, the kept article and the sizes of the clusters that have changed.

    Parameters
    ----------
    labels, target : int64 arrays
        Clusters whose numbers are right but for the articles that came, and what each is part of now.
    loose, label_of_loose : int64 arrays
        Texts whose articles are to be counted, and the cluster of each.
    came : int64 array
        New articles.
    rule : str
    """
    texts = state.texts
    came_to = texts["cluster"][state.articles["text"][came]].astype(np.int64)
    others = np.setdiff1d(came_to, np.concatenate([target, label_of_loose]))
    known, into = np.concatenate([labels, others]), np.concatenate([target, others])
    offsets, articles = state.articles_of(loose)
    extra = ~np.isin(state.articles["text"][came], loose)
    candidates = np.concatenate([articles, came[extra]])
    groups = np.concatenate([np.repeat(label_of_loose, np.diff(offsets)), came_to[extra]])
    changed = np.unique(np.concatenate([into, label_of_loose]))
    at_groups, at_into, at_loose = (np.searchsorted(changed, rows) for rows in (groups, into, label_of_loose))
    n = len(changed)
    n_members = np.bincount(at_groups, minlength=n)
    n_members += np.bincount(at_into, texts["n_members"][known], n).astype(np.int64)
    n_texts = np.bincount(at_loose, minlength=n)
    n_texts += np.bincount(at_into, texts["n_texts"][known], n).astype(np.int64)
    for name, own_rule in (("founder", "earliest"), ("kept", rule)):
        own = texts[name][known].astype(np.int64)
        _, best = state.earliest(np.concatenate([groups, into]), np.concatenate([candidates, own]), own_rule)
        texts.put(name, changed, best)
    texts.put("n_members", changed, n_members)
    texts.put("n_texts", changed, n_texts)
    return changed
