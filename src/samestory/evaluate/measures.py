"""Measures of a clustering against another, from their contingency counts: never pair by pair.

A ratio of which nothing can be said, since its denominator is zero, is None:
precision where no pair was found, recall where there was none to find. F1 is
``2 * right / (found + true)``, which is 0 where there were pairs to find and
none was found, and None where there was neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
"""Cluster of each article, as numbers from 0."""


@dataclass(frozen=True, kw_only=True)
class Pairwise:
    """Pairs that were found, against those there are.

    Parameters
    ----------
    true, found, right : int
        Pairs to find, pairs found, and those found that are true.
    precision, recall, f1 : float or None
        Where None, the counts decide nothing.
    """

    true: int
    found: int
    right: int
    precision: float | None
    recall: float | None
    f1: float | None

    @classmethod
    def of(cls, *, true: int, found: int, right: int) -> Pairwise:
        """Return the ratios of some counts."""
        return cls(
            true=true,
            found=found,
            right=right,
            precision=_ratio(right, found),
            recall=_ratio(right, true),
            f1=_ratio(2 * right, found + true),
        )


@dataclass(frozen=True, kw_only=True)
class BCubed:
    """Means over the articles: see `bcubed`."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Contingency:
    """How many articles each found cluster shares with each true one.

    Parameters
    ----------
    cells : ndarray of int64
        Articles in each combination that occurs.
    found, true : ndarray of int64
        Articles in each cluster of the one and of the other.
    cell_found, cell_true : ndarray of int64
        Size of the found and of the true cluster that each cell belongs to.
    """

    cells: Codes
    found: Codes
    true: Codes
    cell_found: Codes
    cell_true: Codes

    @classmethod
    def of(cls, found: Codes, true: Codes) -> Contingency:
        """Count the articles of two clusterings; the time goes with n log n.

        Parameters
        ----------
        found, true : ndarray of int64, of one length
            Cluster of each article, as any numbers from 0.
        """
        _, found_codes, found_sizes = np.unique(found, return_inverse=True, return_counts=True)
        _, true_codes, true_sizes = np.unique(true, return_inverse=True, return_counts=True)
        n_true = np.int64(max(1, len(true_sizes)))
        combined = found_codes.astype(np.int64) * n_true + true_codes
        keys, cells = np.unique(combined, return_counts=True)
        return cls(cells, found_sizes, true_sizes, found_sizes[keys // n_true], true_sizes[keys % n_true])

    @property
    def n(self) -> int:
        """Number of articles."""
        return int(self.cells.sum())


def pairwise(table: Contingency) -> Pairwise:
    """Return precision, recall and F1 of the pairs that are in one cluster.

    Examples
    --------
    >>> pairwise(Contingency.of(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))).right
    1
    """
    return Pairwise.of(true=_pairs(table.true), found=_pairs(table.found), right=_pairs(table.cells))


def bcubed(table: Contingency) -> BCubed:
    """Return BCubed precision, recall and F1.

    The precision of an article is the share of its found cluster that is truly with it, its recall
    the share of its true cluster that was found with it, itself included in both; the measures are
    the means over the articles, F1 the harmonic mean of the two.

    References
    ----------
    A. Bagga and B. Baldwin (1998), Entity-based cross-document coreferencing using the vector space
    model. E. Amigó, J. Gonzalo, J. Artiles and F. Verdejo (2009), A comparison of extrinsic
    clustering evaluation metrics based on formal constraints.
    """
    cells = table.cells.astype(np.float64)
    precision = float((cells * cells / table.cell_found).sum() / table.n)
    recall = float((cells * cells / table.cell_true).sum() / table.n)
    return BCubed(precision=precision, recall=recall, f1=2 * precision * recall / (precision + recall))


def adjusted_rand_index(table: Contingency) -> float:
    """Return the Rand index adjusted for chance: 1 for equal clusterings, about 0 for unrelated ones.

    It is 1 as well where both are one cluster, or all singles, and chance leaves nothing to adjust.

    References
    ----------
    L. Hubert and P. Arabie (1985), Comparing partitions.
    """
    right, found, true = _pairs(table.cells), _pairs(table.found), _pairs(table.true)
    if right == found == true:
        return 1.0
    # In Python's integers: the products pass 64 bits at some hundred thousand articles.
    n_pairs = table.n * (table.n - 1) // 2
    return 2 * (n_pairs * right - found * true) / (n_pairs * (found + true) - 2 * found * true)


def _pairs(sizes: Codes) -> int:
    """Pairs of articles within groups of these sizes; exact up to three thousand million articles."""
    return int((sizes * (sizes - 1) // 2).sum())


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
