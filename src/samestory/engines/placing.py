"""The sites of articles, by the rule of `samestory.sites.find_sites`, in the workers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory.engines.blobs import SENT
from samestory.engines.bundles import (
    ROUTED,
    Numbering,
    articles_in,
    collected,
    numbered_in,
    rows_of_bundles,
    send,
)
from samestory.engines.rows import PLACED, Ints, numbers_of

HOSTS: Final = pa.schema([pa.field("host", pa.int64()), pa.field("outlet", pa.int64())])
"""A host and an outlet that have an article in common."""
PLACED_BUNDLES: Final = rows_of_bundles(PLACED.names, ROUTED, pa.field("payload", SENT))
"""Bundles on their way to their sites; counts on the same way are a `payload`."""


def pair_hosts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield hosts with their outlets, each once for the whole partition."""
    held = HOSTS.empty_table()
    for articles in collected(articles_in(batches)):
        both = pa.concat_tables([held, pa.Table.from_batches([articles]).select(HOSTS.names).cast(HOSTS)])
        held = both.group_by(HOSTS.names).aggregate([]).select(HOSTS.names)
    hosts, outlets = (numbers_of(held[name], np.int64) for name in HOSTS.names)
    yield from held.filter(pa.array((hosts != 0) & (outlets != 0))).to_batches()


def route_sites(
    batches: Iterable[pa.RecordBatch], n_partitions: int, numbering: Numbering, shared: Ints
) -> Iterator[pa.RecordBatch]:
    """Send articles to the partitions of their sites.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Of `samestory.engines.bundles.READ_BUNDLES`.
    n_partitions : int
    numbering : Numbering
    shared : int64 array
        Hosts that many outlets share.
    """
    for articles in collected(with_sites(batches, numbering, shared)):
        sites = numbers_of(articles.column("site"), np.int64)
        yield send(articles, PLACED_BUNDLES, sites, n_partitions)


def with_sites(
    batches: Iterable[pa.RecordBatch], numbering: Numbering, shared: Ints
) -> Iterator[pa.RecordBatch]:
    """Yield articles, by number, with `site` and `is_host` instead of host and outlet."""
    for articles in numbered_in(batches, numbering):
        hosts, outlets = (numbers_of(articles.column(name), np.int64) for name in HOSTS.names)
        sites, is_host = _sites(hosts, outlets, shared)
        articles = articles.drop_columns(HOSTS.names)
        yield articles.append_column("site", pa.array(sites)).append_column("is_host", pa.array(is_host))


def _sites(hosts: Ints, outlets: Ints, shared: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    is_host = (hosts != 0) & ~np.isin(hosts, shared)
    return np.where(is_host, hosts, outlets), is_host
