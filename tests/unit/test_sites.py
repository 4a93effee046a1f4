"""Which articles are of one site: by the host of the address, or by the outlet."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samestory.buffers import string_buffers
from samestory.kernels.sites import host_keys, name_keys
from samestory.sites import MOST_OUTLETS, Sites, find_sites, host_of, name_sites, read_names
from strategies import wild_text

HOSTS = {
    "https://harbour.example/news/1": "harbour.example",
    "http://www.harbour.example/": "harbour.example",
    "HTTPS://WWW.Harbour.Example/news": "Harbour.Example",
    "https://harbour.example:8080/news": "harbour.example",
    "https://desk:secret@harbour.example:80/news": "harbour.example",
    "harbour.example/news": "harbour.example",
    "www.harbour.example": "harbour.example",
    "https://harbour.example?page=2": "harbour.example",
    "https://harbour.example#top": "harbour.example",
    "https://harbour.example/mail@elsewhere.example": "harbour.example",
    "https://harbour.example/?from=http://elsewhere.example/": "harbour.example",
    "https://wwww.example/": "wwww.example",
    "https://www./": "www.",
    "https://news.www.example/": "news.www.example",
    "https://порт.example/новости": "порт.example",
    "https:///news": "",
    "": "",
}


def keys_of(names: list[str | None]) -> list[int]:
    return [int(key) for key in name_keys(*string_buffers(pa.array(names, pa.string())))]


def keys_of_hosts(urls: list[str | None]) -> list[int]:
    return [int(key) for key in host_keys(*string_buffers(pa.array(urls, pa.string())))]


@pytest.mark.parametrize(("url", "host"), HOSTS.items())
def test_host(url: str, host: str) -> None:
    assert host_of(url) == host
    assert keys_of_hosts([url]) == keys_of([host])


def addresses() -> st.SearchStrategy[str]:
    """Texts that are nearly addresses."""
    pieces = st.sampled_from(
        (
            "http",
            "https",
            "://",
            ":",
            "/",
            "//",
            "@",
            "?",
            "#",
            "www.",
            "WWW.",
            "w",
            ".",
            "a",
            "É",
            "例",
            "[::1]",
            " ",
            "\0",
        )
    )
    return st.lists(pieces, max_size=12).map("".join)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://", ""),
        ("harbour.example/?from=http://elsewhere.example/", "harbour.example"),
    ],
)
def test_host_of_odd_addresses(url: str, host: str) -> None:
    assert host_of(url) == host
    assert keys_of_hosts([url]) == keys_of([host])


@given(st.lists(st.one_of(addresses(), wild_text(max_pieces=4)), min_size=1, max_size=5))
@example(["a://b://c", "x@y@z:1:2", "www.www.www."])
def test_key_of_the_host_is_that_of_its_name(urls: list[str]) -> None:
    urls = [url for url in urls if not url.endswith("://")]  # see test_host_of_odd_addresses
    assert keys_of_hosts(urls) == keys_of([host_of(url) for url in urls])


@given(st.text(max_size=12), st.text(max_size=12))
def test_key_of_a_name(one: str, other: str) -> None:
    def lower(name: str) -> str:
        return "".join(char.lower() if char.isascii() else char for char in name)

    first, second = keys_of([one, other])
    assert (first == second) == (lower(one) == lower(other))
    assert (first == 0) == (one == "")


def test_keys_of_slices_and_nulls() -> None:
    names = pa.array(["x", None, "Tide", "", "tide", "y"], pa.string())
    keys = [int(key) for key in name_keys(*string_buffers(names.slice(1, 4)))]
    assert keys == [0, keys_of(["tide"])[0], 0, keys_of(["TIDE"])[0]]


def sites_of(rows: list[tuple[str | None, str | None]], n_batches: int = 1) -> Sites:
    """Sites of articles given by outlet and address."""
    parts = np.array_split(np.arange(len(rows)), n_batches)
    batches = [
        read_names(
            pa.array([rows[i][0] for i in part], pa.string()),
            pa.array([rows[i][1] for i in part], pa.string()),
        )
        for part in parts
    ]
    return find_sites(batches)


_TOLD = ("source", "url")


def names_of(rows: list[tuple[str | None, str | None]], n_batches: int = 1) -> list[str]:
    """The name of the site of each article."""
    sites = sites_of(rows, n_batches)
    table = pa.table({name: pa.array([row[k] for row in rows], pa.string()) for k, name in enumerate(_TOLD)})
    return name_sites(sites, sites.of_article.astype(np.int64), lambda rows: table.take(pa.array(rows)))


@pytest.mark.parametrize("n_batches", [1, 2, 7])
def test_host_before_outlet_and_none_where_there_is_neither(n_batches: int) -> None:
    rows = [
        ("Tidewire", "https://www.Harbour.example/1"),
        ("Lantern", "http://harbour.example:80/2"),
        ("Tidewire", None),
        ("TIDEWIRE", ""),
        (None, None),
        ("", ""),
        (None, "https://courier.example/3"),
    ]
    expected = ["harbour.example", "harbour.example", "tidewire", "tidewire", "", "", "courier.example"]
    assert names_of(rows, n_batches) == expected
    sites = sites_of(rows, n_batches)
    assert sites.of_article[4] == sites.of_article[5] == 0
    assert sites.keys[0] == 0
    assert not sites.is_host[[2, 3, 4, 5]].any()


@pytest.mark.parametrize("more", [0, 1])
def test_a_host_of_many_outlets_is_an_aggregator(more: int) -> None:
    rows: list[tuple[str | None, str | None]] = [
        (f"outlet {i}", f"https://collected.example/{i}") for i in range(MOST_OUTLETS + more)
    ]
    rows += [
        ("outlet 0", None),
        (None, "https://collected.example/x"),
        ("OUTLET 0", "https://collected.example/y"),
    ]
    sites = sites_of(rows)
    own = (
        [f"outlet {i}" for i in range(MOST_OUTLETS + more)] if more else ["collected.example"] * MOST_OUTLETS
    )
    # Where the aggregator's own article names no outlet, its site is not known.
    expected = [*own, "outlet 0", *(["", "outlet 0"] if more else ["collected.example"] * 2)]
    assert names_of(rows) == expected
    assert len(set(sites.of_article.tolist())) == len(set(expected))


def test_no_articles() -> None:
    sites = find_sites([])
    assert (len(sites.of_article), sites.keys.tolist()) == (0, [0])
