"""Connected components by union-find; the root of a component is its least member."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from samestory.kernels.jit import inlined


@inlined
def find(parents, i):  # type: ignore[no-untyped-def]
    """Return the root of `i`, halving the path to it (van Leeuwen and van der Weide 1977)."""
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@inlined
def union(parents, i, j):  # type: ignore[no-untyped-def]
    """Join the components of `i` and `j`; return whether they were two."""
    i = find(parents, i)
    j = find(parents, j)
    if i == j:
        return False
    if i < j:
        parents[j] = i
    else:
        parents[i] = j
    return True
