"""The measures: right and wrong pairs of clusters, of labelled pairs, and of planted copies."""

from __future__ import annotations

import numpy as np

from judging.answers import Answer, Asked, Figures, Flags, Ints, Judge
from planted import n_pairs


def _shares(right: int, given: int, wanted: int) -> Figures:
    """Return F1, precision and recall of `right` among `given` and `wanted`."""
    return {
        "f1": 2 * right / (given + wanted) if given + wanted else 0.0,
        "precision": right / given if given else None,
        "recall": right / wanted if wanted else None,
        "right": right,
        "wrong": given - right,
    }


def cluster_figures(clusters: Ints, truth: Ints) -> Figures:
    """Return the pairwise figures of clusters; a truth of -1 is an article without copies."""
    labelled = truth >= 0
    both = clusters * (int(truth.max(initial=0)) + 1) + truth
    return _shares(n_pairs(both[labelled]), n_pairs(clusters), n_pairs(truth[labelled]))


def clusters_judge(truth: Ints) -> Judge:
    """Judge clusters by all pairs of articles."""
    return Judge(
        "clusters: F1 / precision / recall",
        ("f1", "precision", "recall"),
        lambda answer: cluster_figures(answer.clusters, truth),
    )


def pairs_judge(asked: Asked) -> Judge:
    """Judge labelled pairs only: joined or not."""

    def figures(answer: Answer) -> Figures:
        joined = joined_flags(answer, asked)
        return _shares(int((joined & asked.wanted).sum()), int(joined.sum()), int(asked.wanted.sum()))

    return Judge("pairs: F1 / precision / recall", ("f1", "precision", "recall"), figures)


def joined_flags(answer: Answer, asked: Asked) -> Flags:
    """Return which asked pairs an answer joins: as the tool says, or by its clusters."""
    if answer.joined is not None:
        return answer.joined
    return answer.clusters[asked.a] == answer.clusters[asked.b]


def copies_judge(asked: Asked) -> Judge:
    """Judge a set where all labelled pairs are copies: those found, and the other pairs joined."""

    def figures(answer: Answer) -> Figures:
        right = int((answer.clusters[asked.a] == answer.clusters[asked.b]).sum())
        return _shares(right, n_pairs(answer.clusters), len(asked.a))

    return Judge("recall / other pairs joined", ("recall", "wrong"), figures)


def planted_judge(truth: Ints, aside: Flags | None = None) -> Judge:
    """Judge planted copies: recall and wrong pairs.

    Articles `aside` (digests) count for no pair, only how many of them are joined to anything.
    """
    if aside is None:
        return Judge(
            "recall / wrong pairs",
            ("recall", "wrong"),
            lambda answer: cluster_figures(answer.clusters, truth),
        )

    def figures(answer: Answer) -> Figures:
        size = np.unique(answer.clusters, return_inverse=True, return_counts=True)
        joined = size[2][size[1].ravel()][aside] > 1
        return {
            **cluster_figures(answer.clusters[~aside], truth[~aside]),
            "aside": int(joined.sum()),
        }

    return Judge("recall / wrong pairs / digests joined", ("recall", "wrong", "aside"), figures)
