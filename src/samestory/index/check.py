"""Whether an index is sound: what it says of its articles follows from the texts that it keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from samestory.config import Config
from samestory.fingerprints import Runs
from samestory.index.compare import count_pairs, decode
from samestory.index.prints import take_prints
from samestory.index.state import BAND, TEXT, Ints, State, salted
from samestory.index.view import View
from samestory.kernels.clusters import join_edges
from samestory.params import Banding
from samestory.progress import Observer, each, ignore_progress
from samestory.signature import sketch

AT_ONCE: Final = 8192


def check_state(
    state: State,
    view: View,
    config: Config,
    banding: Banding,
    executor: Executor,
    observer: Observer = ignore_progress,
) -> list[str]:
    """Return what is wrong with the state of an index, in words; nothing if it is sound."""
    wrong = _check_values(state, view)
    if wrong:
        return wrong
    checks: list[Callable[[], Iterator[str]]] = [
        lambda: _check_articles(state, observer),
        lambda: _check_merges(state),
        lambda: _check_texts(state, config, banding, observer),
        lambda: _check_prints(state, config, observer),
        lambda: _check_near(state),
        lambda: _check_edges(state, config, observer),
        lambda: _check_clusters(state, config),
    ]
    for check in checks:
        wrong += list(check())
        if wrong:  # what follows rests on what was checked
            return wrong
    return wrong


def _check_values(state: State, view: View) -> list[str]:
    """Look at the runs of keys, and for values that nothing names."""
    wrong = [fault for runs in (state.keys, state.prints, state.id_keys) for fault in runs.check()]
    facts = state.facts
    known = {name for runs in (state.keys, state.prints, state.id_keys) for name in runs.names()}
    known |= {b"facts"}
    known |= {b"texts/%08x" % k for k in range(facts["first_chunk"], facts["n_chunks"])}
    known |= {b"log/%012d" % k for k in range(facts["log_begin"], facts["n_logs"])}
    pieces = range(facts["base_begin"], facts["n_bases"])
    known |= {b"base/%s/%08d" % (kind, k) for kind in (b"words", b"ids") for k in pieces}
    if facts["n_bases"]:
        tables = state.tables.items()
        known |= {f"base/{name}/{column}".encode() for name, table in tables for column in table.names}
    found = {name for name in view.names() if not name.startswith((b"meta/", b"furniture"))}
    wrong += [f"its value {name!r} is missing" for name in sorted(known - found)]
    wrong += [f"its value {name!r} belongs to nothing" for name in sorted(found - known)]
    return wrong


def _told(n: int, observer: Observer, stage: str) -> Iterator[int]:
    """Yield where each piece of n rows begins, and tell how many are done."""
    return each(range(0, n, AT_ONCE), observer, stage, n, lambda begin: min(AT_ONCE, n - begin))


def _some(what: str, rows: Any) -> Iterator[str]:
    rows = np.atleast_1d(np.asarray(rows))
    if len(rows):
        more = f" and {len(rows) - 1:,} more" if len(rows) > 1 else ""
        yield f"{what}: {rows[0]}{more}"


def _check_articles(state: State, observer: Observer) -> Iterator[str]:
    columns, texts = state.articles, state.texts
    alive = np.flatnonzero(columns["is_alive"])
    ends = columns["id_end"]
    if (np.diff(ends, prepend=0) < 0).any() or (len(ends) and ends[-1] != len(state.ids)):
        yield "the ids of the articles do not fit together"
        return
    counts = np.bincount(columns["text"][alive], minlength=len(texts))
    yield from _some("texts with a wrong number of articles", np.flatnonzero(counts != texts["n_articles"]))
    there = np.flatnonzero(texts["n_articles"] > 0)
    offsets, listed = state.articles_of(there)
    owner = np.repeat(there, np.diff(offsets))
    if not np.array_equal(np.sort(listed), alive) or (columns["text"][listed] != owner).any():
        yield "the articles of the texts are not those that there are"
    if state.facts["n_articles"] != len(alive):
        yield f"it counts {state.facts['n_articles']:,} articles, but has {len(alive):,}"
    n_bytes = int((texts["n_bytes"].astype(np.int64) * texts["n_articles"]).sum())
    if state.facts["n_bytes"] != n_bytes:
        yield f"it counts {state.facts['n_bytes']:,} bytes of text, but has {n_bytes:,}"
    for begin in _told(len(alive), observer, "check ids"):
        part = alive[begin : begin + AT_ONCE]
        found = state.find_articles([state.id_bytes(article) for article in part.tolist()])
        yield from _some("articles that are not found by their ids", part[found != part])


def _check_merges(state: State) -> Iterator[str]:
    articles, founders = state.merges["article"], state.merges["founder"]
    for numbers in (articles, founders):
        yield from _some("merges of no article", numbers[(numbers < 0) | (numbers >= state.articles.n)])
    yield from _some("merges out of order", articles[1:][np.diff(articles) < 0])


def _check_texts(state: State, config: Config, banding: Banding, observer: Observer) -> Iterator[str]:
    """Sketch all texts again, and look their keys up."""
    texts = state.texts
    there = np.flatnonzero(texts["n_articles"] > 0)
    for begin in _told(len(there), observer, "check texts"):
        part = there[begin : begin + AT_ONCE]
        folded = decode(state, part)
        sketches = sketch(folded, config, banding)
        for name, values in (
            ("n_shingles", sketches.n_shingles),
            ("n_units", sketches.n_units),
            ("text_key", sketches.text_keys),
            ("n_bytes", np.diff(folded.offsets)),
        ):
            yield from _some(f"texts of which {name} is wrong", part[texts[name][part] != values])
        filled = sketches.n_shingles > 0
        numbers = np.arange(len(sketches.band_keys))[:, None]
        keys = salted(sketches.band_keys[:, filled], BAND, numbers).T.ravel()
        owners = np.repeat(part[filled], len(sketches.band_keys))
        yield from _some("texts that a band key does not find", owners[~_finds(state.keys, keys, owners)])
        keys = salted(sketches.text_keys, TEXT)
        yield from _some("texts that their key does not find", part[~_finds(state.keys, keys, part)])


def _finds(runs: Any, keys: NDArray[np.uint64], members: Ints) -> NDArray[np.bool_]:
    """Return for each key whether the member is among those that it finds."""
    offsets, found = runs.lookup(keys)
    owner = np.repeat(np.arange(len(keys)), np.diff(offsets))
    hits = np.zeros(len(keys), dtype=np.bool_)
    hits[owner[found == members[owner]]] = True
    return hits


def _check_prints(state: State, config: Config, observer: Observer) -> Iterator[str]:
    if not config.partial:
        return
    texts = state.texts
    runs = Runs.of_corpus(config.shingle_unit == "char", *(() if state.facts["is_sampled"] else (0, 0)))
    there = np.flatnonzero((texts["n_articles"] > 0) & (texts["is_delegate"] > 0))
    yield from _some("texts whose fingerprints are not there", there[texts["is_posted"][there] == 0])
    for begin in _told(len(there), observer, "check fingerprints"):
        part = there[begin : begin + AT_ONCE]
        prints = take_prints(state, part, runs)
        owners = np.repeat(part, np.diff(prints.offsets))
        missed = owners[~_finds(state.prints, prints.keys, owners)]
        yield from _some("texts that a fingerprint does not find", np.unique(missed))


def _check_near(state: State) -> Iterator[str]:
    """Look at components and near clusters, and who stands for these."""
    texts = state.texts
    there = np.flatnonzero(texts["n_articles"] > 0)
    yield from _check_rings(state, "component", there)
    near = texts["near"][there]
    order = np.lexsort((texts["text_key"][there], -texts["n_units"][there].astype(np.int64), near))
    longest = there[order[np.flatnonzero(np.diff(near[order], prepend=-1))]]
    stands = np.flatnonzero(texts["is_delegate"])
    yield from _some(
        "texts that wrongly stand for their near cluster, or do not", np.setxor1d(stands, longest)
    )


def _check_rings(state: State, name: str, there: Ints) -> Iterator[str]:
    labels = np.unique(state.texts[name][there])
    offsets, members = state.members(name, labels)
    owner = np.repeat(labels, np.diff(offsets))
    if not np.array_equal(np.sort(members), there) or (state.texts[name][members] != owner).any():
        yield f"the texts of the {name}s are not those that there are"


def _check_edges(state: State, config: Config, observer: Observer) -> Iterator[str]:
    texts, edges = state.texts, state.edges
    alive = np.flatnonzero(edges["is_alive"])
    first, second = (edges[name][alive].astype(np.int64) for name in ("first", "second"))
    ends = np.concatenate([first, second])
    yield from _some(
        "edges of texts that do not stand for a near cluster", ends[texts["is_delegate"][ends] == 0]
    )
    listed = np.unique(state.edges_of(np.unique(ends))[1])
    yield from _some("edges that their ends do not list", np.setxor1d(listed, alive))
    for begin in _told(len(alive), observer, "check edges"):
        part = slice(begin, begin + AT_ONCE)
        shared = count_pairs(state, first[part], second[part], config)
        yield from _some("edges with a wrong overlap", alive[part][shared != edges["shared"][alive[part]]])


def _check_clusters(state: State, config: Config) -> Iterator[str]:
    texts, edges = state.texts, state.edges
    there = np.flatnonzero(texts["n_articles"] > 0)
    yield from _check_rings(state, "cluster", there)
    kept = np.flatnonzero((edges["is_alive"] > 0) & (edges["is_kept"] > 0))
    roots = np.arange(len(texts), dtype=np.int64)
    ends = np.concatenate([there, edges["first"][kept]]).astype(np.int64)
    others = np.concatenate([texts["near"][there], edges["second"][kept]]).astype(np.int64)
    join_edges(ends, others, roots)
    label = texts["cluster"][there].astype(np.int64)
    pairs = np.unique(roots[there] << np.int64(32) | label)
    if len(pairs) != len(np.unique(roots[there])) or len(pairs) != len(np.unique(label)):
        yield "the clusters are not those that near copies and edges make"
    own = np.flatnonzero(state.articles["is_alive"])
    groups = texts["cluster"][state.articles["text"][own]].astype(np.int64)
    labels, counts = np.unique(groups, return_counts=True)
    yield from _some("clusters of wrong size", labels[texts["n_members"][labels] != counts])
    n_texts = np.bincount(label, minlength=len(texts))[labels]
    yield from _some("clusters with a wrong number of texts", labels[texts["n_texts"][labels] != n_texts])
    for name, rule in (("founder", "earliest"), ("kept", config.representative)):
        found, best = state.earliest(groups, own, rule)
        yield from _some(f"clusters with a wrong {name}", found[texts[name][found] != best])
