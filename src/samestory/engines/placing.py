"""The sites of articles, by the rule of `samestory.sites.find_sites`, in the workers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.engines.rows import Ints
from samestory.sites import MOST_OUTLETS

HOSTS: Final = pa.schema([pa.field("host", pa.int64()), pa.field("outlet", pa.int64())])
"""Columns of articles that tell their sites."""
_NONE: Final = np.zeros(0, np.int64)


def pairs_of(hosts: Ints, outlets: Ints) -> dict[str, Ints]:
    """Return the hosts of some articles with their outlets, each pair once."""
    both = np.flatnonzero((hosts != 0) & (outlets != 0))
    pairs = np.unique(np.column_stack([hosts[both], outlets[both]]), axis=0)
    return {"host": pairs[:, 0].copy(), "outlet": pairs[:, 1].copy()}


def crowded_hosts(pairs: list[dict[str, NDArray[Any]]]) -> Ints:
    """Return the hosts that many outlets share, of all pairs of some hosts: aggregators, few."""
    hosts, outlets = (
        np.concatenate([_NONE, *(arrays[name] for arrays in pairs)]) for name in ("host", "outlet")
    )
    found, counts = np.unique(pairs_of(hosts, outlets)["host"], return_counts=True)
    return np.asarray(found[counts > MOST_OUTLETS])


def sites_of(hosts: Ints, outlets: Ints, shared: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the sites of articles, and whether each is the host, where many outlets share some."""
    is_host = (hosts != 0) & ~np.isin(hosts, shared)
    return np.where(is_host, hosts, outlets), is_host
