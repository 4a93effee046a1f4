"""BCubed: of every article, how pure and how whole the cluster is in which it is found.

An article's precision is the share of its cluster (itself included) that tells its story, its recall
the share of its story that is in its cluster; both are averaged over the articles whose story is
known, and only those count as members. F1 is the harmonic mean of the two averages.
"""

from __future__ import annotations

import numpy as np

from judging.answers import Figures, Ints


def bcubed(clusters: Ints, truth: Ints) -> Figures:
    """Return F1, precision and recall; a truth of -1 is an article whose story is not known."""
    known = truth >= 0
    given, true = clusters[known], truth[known]
    if not len(true):
        return {"f1": 0.0, "precision": None, "recall": None}
    both = _sizes(np.stack([given, true], axis=1))
    precision = float((both / _sizes(given)).mean())
    recall = float((both / _sizes(true)).mean())
    return {"f1": 2 * precision * recall / (precision + recall), "precision": precision, "recall": recall}


def _sizes(labels: Ints) -> Ints:
    """Return of every row how many rows have its label (or its row of labels)."""
    _, place, count = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    return count[place.ravel()]
