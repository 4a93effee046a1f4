"""Stage 2c: the site of each article, since page furniture is a site's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from samestory.buffers import string_buffers
from samestory.kernels.sites import host_keys, name_keys

MOST_OUTLETS: Final = 8
"""A host with more outlets than this is an aggregator, where the outlet is the site."""


@dataclass(frozen=True)
class SiteNames:
    """Keys of the outlet and of the address's host of each article of a batch; 0 where there is none."""

    outlets: NDArray[np.uint64]
    hosts: NDArray[np.uint64]


@dataclass(frozen=True)
class Sites:
    """The site of each of n articles.

    Attributes
    ----------
    of_article : int32 array of shape (n,)
        0 where it is not known.
    keys : uint64 array
        Of each site; that of site 0 is 0.
    is_host : bool array of shape (n,)
        Whether the site is the host of the article's address, not its outlet.
    """

    of_article: NDArray[np.int32]
    keys: NDArray[np.uint64]
    is_host: NDArray[np.bool_]


def read_names(source: Any, url: Any) -> SiteNames:
    """Return the keys of a batch's columns `source` and `url`."""
    return SiteNames(name_keys(*string_buffers(source)), host_keys(*string_buffers(url)))


def find_sites(batches: list[SiteNames]) -> Sites:
    """Decide what is one site: a host, unless many outlets share it; else the outlet."""
    aggregators = _find_aggregators(batches)
    names, is_host = [np.zeros(1, np.uint64)], [np.zeros(0, np.bool_)]
    for batch in batches:
        has_own = (batch.hosts != 0) & ~np.isin(batch.hosts, aggregators)
        is_host.append(has_own)
        names.append(np.unique(np.where(has_own, batch.hosts, batch.outlets)))
    keys = np.unique(np.concatenate(names))
    of_article = [np.zeros(0, np.int32)]
    for batch, has_own in zip(batches, is_host[1:], strict=True):
        own = np.where(has_own, batch.hosts, batch.outlets)
        of_article.append(np.searchsorted(keys, own).astype(np.int32))
    return Sites(np.concatenate(of_article), keys, np.concatenate(is_host))


def _find_aggregators(batches: list[SiteNames]) -> NDArray[np.uint64]:
    """Return the keys of the hosts that many outlets share."""
    hosts, mixed = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    for batch in batches:
        both = np.flatnonzero((batch.hosts != 0) & (batch.outlets != 0))
        own = batch.hosts[both] * np.uint64(0x9E3779B97F4A7C15) ^ batch.outlets[both]
        distinct, firsts = np.unique(own, return_index=True)
        mixed.append(distinct)
        hosts.append(batch.hosts[both[firsts]])
    _, firsts = np.unique(np.concatenate(mixed), return_index=True)
    shared, counts = np.unique(np.concatenate(hosts)[firsts], return_counts=True)
    return np.asarray(shared[counts > MOST_OUTLETS])


def name_sites(
    sites: Sites, wanted: NDArray[np.int64], told_of: Callable[[NDArray[np.int64]], Any]
) -> list[str]:
    """Return the names of some sites: the host, or the outlet, in lower case; empty for site 0.

    Parameters
    ----------
    sites : Sites
    wanted : int64 array
        Numbers of sites.
    told_of : callable
        Of the numbers of some articles, in order: a table of their columns `source` and `url`.
    """
    firsts = np.zeros(len(sites.keys), dtype=np.int64)
    firsts[sites.of_article[::-1]] = np.arange(len(sites.of_article))[::-1]
    named = np.unique(wanted[wanted != 0])
    rows = firsts[named]
    told = told_of(np.sort(rows))
    places = np.searchsorted(np.sort(rows), rows)
    names = {0: ""}
    for site, row, place in zip(named.tolist(), rows.tolist(), places.tolist(), strict=True):
        is_host = sites.is_host[row]
        names[site] = host_of(told["url"][place].as_py()) if is_host else told["source"][place].as_py()
    return [_lower(names[site]) for site in wanted.tolist()]


def host_of(url: str) -> str:
    """Return the host of an address, without ``www.``, user and port."""
    scheme, found, rest = url.partition("://")
    if not found or any(mark in scheme for mark in "/?#"):
        rest = url
    for mark in "/?#":
        rest = rest.partition(mark)[0]
    host = rest.rpartition("@")[2].partition(":")[0]
    return host[4:] if host[:4].lower() == "www." and len(host) > 4 else host


def _lower(name: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in name)
