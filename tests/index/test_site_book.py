"""Which articles are of which site: the same however they came, as hosts turn out to be shared."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from samestory.index.furnish import SiteBook
from samestory.index.state import State
from samestory.sites import MOST_OUTLETS


def expected(names: list[tuple[int, int]]) -> dict[int, list[int]]:
    """Return the articles of each site, told from all names at once."""
    outlets: dict[int, set[int]] = {}
    for outlet, host in names:
        if outlet and host:
            outlets.setdefault(host, set()).add(outlet)
    pages: dict[int, list[int]] = {}
    for article, (outlet, host) in enumerate(names):
        is_own = host and len(outlets.get(host, ())) <= MOST_OUTLETS
        pages.setdefault(host if is_own else outlet, []).append(article)
    return pages


def enter(state: State, names: list[tuple[int, int]]) -> None:
    outlets, hosts = (np.array(column, dtype=np.uint64) for column in zip(*names, strict=True))
    state.articles.extend(len(names), outlet=outlets, host=hosts)


@given(st.randoms(use_true_random=False))
def test_pages_of_sites(rng: random.Random) -> None:
    outlets = rng.randint(1, 3 * MOST_OUTLETS)
    names = [
        (rng.choice([0, *range(1, outlets + 1)]), rng.choice([0, 1001, 1002, 1002, 1003]))
        for _ in range(rng.randint(1, 120))
    ]
    state, book = State(), SiteBook()
    begin = 0
    while begin < len(names):
        end = begin + rng.randint(1, 40)
        enter(state, names[begin:end])
        book.catch_up(state)
        begin = end
    told = expected(names)
    for site in {0, *range(1, outlets + 1), 1001, 1002, 1003}:
        assert book.pages(site).tolist() == told.get(site, [])


def test_a_book_that_is_ahead_begins_anew() -> None:
    state, book = State(), SiteBook()
    enter(state, [(1, 0), (2, 0)])
    state.begin()
    enter(state, [(1, 0)])
    book.catch_up(state)
    assert book.pages(1).tolist() == [0, 2]
    state.undo()
    book.catch_up(state)
    assert (book.n, book.pages(1).tolist()) == (2, [0])
