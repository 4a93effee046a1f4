"""Two articles of an index, whose texts are there as they were folded."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from samestory import schema
from samestory.buffers import string_array
from samestory.config import Config
from samestory.errors import InputError, SamestoryError
from samestory.explain.conclude import conclude
from samestory.explain.explanation import MOST_WEIGHED, SAME, Explanation, Link, Standing, StoryFacts
from samestory.explain.links import shortest_chain
from samestory.explain.suggest import require_ids
from samestory.index.compare import count_pairs, decode
from samestory.index.export import Stored, read_metadata
from samestory.index.rows import describe
from samestory.index.saved import FACTS, Saved, read_facts
from samestory.index.state import State
from samestory.index.store import Store
from samestory.kernels.clusters import UNDATED
from samestory.passages import Article, Comparison, Reader, Reading, compare_readings
from samestory.progress import Observer, ignore_progress
from samestory.read.dates import usual

Ints = NDArray[np.int64]

MOST_TEXTS: Final = 300
"""In a cluster of more texts no way from one to the other is looked for."""


@dataclass(frozen=True)
class _Opened:
    """An index open for reading."""

    folder: Path
    store: Store
    saved: Saved
    state: State
    config: Config


def explain_in_index(
    folder: Path, doc_id_a: str, doc_id_b: str, terms: bool | None, observer: Observer = ignore_progress
) -> Explanation:
    """Explain two articles of an index: see `samestory.explain.explain`."""
    observer("open the index", 0, None)
    with _opened(folder) as index:
        articles = _find(index, [doc_id_a, doc_id_b])
        standings = _standings(index, articles)
        compared = compare_readings(*_readings(index, articles))
        relation = _relation(articles, standings, compared)
        chain: tuple[Link, ...] = ()
        if relation not in (None, SAME, schema.STORY):
            chain = shortest_chain(_links(index, articles), doc_id_a, doc_id_b)
        story: StoryFacts | None = None
        warnings: list[str] = []
        if index.config.level == "story":
            story, warnings = _story(index, [doc_id_a, doc_id_b], standings, terms, observer)
        texts = index.state.articles["text"][articles]
        is_round_up = bool(index.state.texts["is_round_up"][texts].any())
        return conclude(
            str(folder),
            "index",
            index.config,
            standings,
            compared,
            relation=relation,
            chain=chain,
            story=story,
            is_round_up=is_round_up,
            warnings=warnings,
        )


@contextmanager
def _opened(folder: Path) -> Iterator[_Opened]:
    try:
        store = Store(folder, readonly=True)
    except InputError as error:
        hint = "name a folder that `samestory cluster` or `samestory ingest` made"
        raise InputError(f"{folder}: neither a result nor an index", hint=hint) from error
    try:
        if FACTS not in store.view:
            raise InputError(f"{folder}: the index is empty", hint="add articles with samestory ingest")
        config = Config(**read_facts(store.view, folder)["settings"])
        saved = Saved(store)
        yield _Opened(folder, store, saved, saved.load(), config)
    finally:
        store.close()


def _find(index: _Opened, doc_ids: list[str]) -> Ints:
    """Return the articles of some ids that are there."""
    state = index.state
    found = state.find_articles([doc_id.encode("utf-8", "surrogateescape") for doc_id in doc_ids])
    found[[k for k, a in enumerate(found.tolist()) if a >= 0 and not state.articles["is_alive"][a]]] = -1
    if (found < 0).any():
        ends = np.concatenate([[0], state.articles["id_end"]]).astype(np.int64)
        data = np.frombuffer(bytes(state.ids), dtype=np.uint8)
        alive = pa.array(state.articles["is_alive"] > 0)
        require_ids(string_array(data, ends).filter(alive), doc_ids, found, str(index.folder))
    return found


def _standings(index: _Opened, articles: Ints) -> list[Standing]:
    columns = describe(index.state, articles, index.config)
    names = Standing.__dataclass_fields__
    rows = pa.table({name: columns[name] for name in names}).to_pylist()
    return [Standing(**row) for row in rows]


def _readings(index: _Opened, articles: Ints) -> list[Reading]:
    """Return two articles with their folded texts."""
    state, columns = index.state, index.state.articles
    furniture = index.saved.remover(index.config.shingle_unit == "char").furniture
    reader = Reader(index.config, furniture)
    distinct = np.unique(articles)
    told = read_metadata(index.store.view, state, distinct).to_pylist()
    times = pa.array(columns["time"][distinct], mask=columns["time"][distinct] == UNDATED)
    dates = usual(times.cast(schema.TIMESTAMP)).to_pylist()
    readings = {}
    for article, row, date in zip(distinct.tolist(), told, dates, strict=True):
        compared = _text(state, int(columns["text"][article]))
        with_furniture = int(columns["whole"][article])
        whole = _text(state, with_furniture) if with_furniture >= 0 else compared
        known = Article(state.id_of(article), whole, row["title"], row["source"], row["url"], date)
        sites = [int(columns[name][article]) for name in ("host", "outlet")]
        n_removed = int(columns["n_removed"][article])
        readings[article] = reader.read_folded(known, whole, compared, n_removed, sites)
    return [readings[article] for article in articles.tolist()]


def _text(state: State, text: int) -> str:
    return decode(state, np.array([text], dtype=np.int64)).text(0)


def _relation(articles: Ints, standings: list[Standing], compared: Comparison) -> str | None:
    one, other = standings
    if articles[0] == articles[1]:
        return SAME
    if one.cluster_id == other.cluster_id:
        return compared.relation or schema.LINKED
    if one.story_id is not None and one.story_id == other.story_id:
        return schema.STORY
    return None


def _links(index: _Opened, articles: Ints) -> list[Link]:
    """Return the pairs that hold the cluster of two articles together; none if it is a large one."""
    state = index.state
    label = state.texts["cluster"][state.articles["text"][articles[:1]]].astype(np.int64)
    _, texts = state.members("cluster", label)
    if len(texts) > MOST_TEXTS:
        return []
    pairs = np.array(list(itertools.combinations(np.sort(texts).tolist(), 2)), dtype=np.int64).reshape(-1, 2)
    first, second = pairs[:, 0].copy(), pairs[:, 1].copy()
    shared = count_pairs(state, first, second, index.config)
    sizes = state.texts["n_shingles"].astype(np.int64)
    jaccard = shared / np.maximum(sizes[first] + sizes[second] - shared, 1)
    share = shared / np.maximum(np.minimum(sizes[first], sizes[second]), 1)
    is_near = jaccard >= index.config.threshold
    names = _names(state, texts, articles)
    links = [
        Link(
            names[int(first[k])],
            names[int(second[k])],
            schema.NEAR if is_near[k] else schema.PARTIAL,
            float(np.float32(jaccard[k])),
            float(np.float32(share[k])),
        )
        for k in np.flatnonzero(is_near | _is_edge(state, first, second)).tolist()
    ]
    return links + _same_text(state, articles)


def _is_edge(state: State, first: Ints, second: Ints) -> NDArray[np.bool_]:
    """Return which pairs of texts are joined as partial copies."""
    _, edges = state.edges_of(np.unique(np.concatenate([first, second])))
    edges = np.unique(edges)
    kept = edges[state.edges["is_kept"][edges] > 0]
    ends = [state.edges[name][kept].astype(np.int64) for name in ("first", "second")]
    width = np.int64(state.texts.n)
    return np.isin(first * width + second, np.minimum(*ends) * width + np.maximum(*ends))


def _names(state: State, texts: Ints, articles: Ints) -> dict[int, str]:
    """Return the id of an article of each text: of the two that are asked for, theirs."""
    names = {text: state.id_of(int(state.texts["first_article"][text])) for text in texts.tolist()}
    for article in articles.tolist()[::-1]:
        names[int(state.articles["text"][article])] = state.id_of(article)
    return names


def _same_text(state: State, articles: Ints) -> list[Link]:
    """Return the link of two articles of one text."""
    one, other = state.articles["text"][articles].tolist()
    if one != other:
        return []
    names = [state.id_of(article) for article in articles.tolist()]
    return [Link(names[0], names[1], schema.EXACT, 1.0, 1.0)]


def _story(
    index: _Opened, doc_ids: list[str], standings: list[Standing], terms: bool | None, observer: Observer
) -> tuple[StoryFacts | None, list[str]]:
    """Return what is known of two articles as reports of events, and what went wrong."""
    one, other = standings
    if one.cluster_id == other.cluster_id:
        return None, []
    together = one.story_id == other.story_id
    if not (index.state.facts["n_articles"] <= MOST_WEIGHED if terms is None else terms):
        return StoryFacts(together), []
    from samestory.explain.terms import weigh_shared

    config = dataclasses.replace(index.config, boilerplate=False)  # it is out already
    texts = _folded_articles(index)
    try:
        return weigh_shared(texts, doc_ids[0], doc_ids[1], config, together=together, observer=observer), []
    except SamestoryError as error:
        return StoryFacts(together), [f"the terms that they share cannot be weighed: {error.message}"]


def _folded_articles(index: _Opened) -> Any:
    """Return all articles of the index with their folded texts."""
    stored = Stored(index.state, index.store.view, index.folder)
    texts = [string_array(folded.data, folded.offsets) for _, folded in stored.texts()]
    return stored.table().append_column("text", pa.chunked_array(texts, pa.large_string()))
