"""Stories on Spark: one task has the articles of all duplicate clusters, with a bound on its memory.

What a term weighs depends on all articles, and who is whose neighbour on whole lists of postings in the
order of time. So the stages of `samestory.storyline` run as they are, in one worker, which keeps texts, terms
and postings in temporary files where they do not fit in ``memory``. Nothing passes through the driver.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from samestory.budget import Budget
from samestory.config import Config
from samestory.corpus import Corpus, Room
from samestory.engines import rows
from samestory.engines.bundles import KIND, ROUND, ROUTED, articles_in, bundle_up, cuts_of, rows_of_bundles
from samestory.engines.finishing import in_order, route_articles, route_verdicts
from samestory.engines.gathered import Gathered, gather
from samestory.engines.rows import Ints, numbers_of, rows_from
from samestory.engines.writing import Rows
from samestory.identity import times_of
from samestory.metadata import Metadata
from samestory.params import choose_banding
from samestory.pipeline import count_shared
from samestory.progress import ignore_progress
from samestory.schema import STORIES, TIMESTAMP
from samestory.scratch import Scratch
from samestory.signature import Sketches
from samestory.story.blocks import StoryRoom
from samestory.storyline import find_stories, weigh_units
from samestory.summary import stories_stats
from samestory.tabulate import Stories, gather_clusters, gather_pairs, pairs_table, stories_table
from samestory.textstore import TextStore
from samestory.threads import threads

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from samestory.engines.job import Job

ARTICLE: Final = 0
PAIR: Final = 1
STORY: Final = 2
FACTS: Final = 3
_AT_ONCE: Final = 1 << 14
"""Rows of a batch that is sent on."""
SENT: Final = ("doc", "doc_id", "title", "time", "text", "n_shingles", "n_units")
_SENT_ON: Final = rows_of_bundles([*SENT, "other"], ROUTED, KIND, ROUND)
_IN_ORDER: Final = rows_of_bundles([*SENT, "founder"], pa.field("key", pa.int64()))

TOLD: Final = pa.schema(
    [
        pa.field("kind", pa.int32(), nullable=False),
        pa.field("doc", pa.int64()),
        pa.field("other", pa.int64()),
        pa.field("story_id", pa.string()),
        pa.field("story_size", pa.int32()),
        pa.field("story_score", pa.float32()),
        pa.field("cluster_id", pa.string()),
        pa.field("relation", pa.string()),
        pa.field("jaccard", pa.float32()),
        pa.field("containment", pa.float32()),
        pa.field("back", pa.float32()),
        pa.field("shared", pa.int32()),
        pa.field("id_a", pa.string()),
        pa.field("id_b", pa.string()),
        pa.field("payload", pa.binary()),
    ]
)
"""What is told, by `kind`.

`ARTICLE`: the story of `doc`. `PAIR`: of articles of one story, as in `samestory.engines.rows.VERDICT`.
`STORY`: some rows of `samestory.schema.STORIES` as Arrow's stream; `doc` is the place of the first. `FACTS`:
those of `samestory.summary.stories_stats` as JSON.
"""


def tell(articles: DataFrame, verdicts: DataFrame, job: Job) -> DataFrame:
    """Return what is told of the stories of all articles.

    Parameters
    ----------
    articles : DataFrame
        Bundles of the columns `SENT`.
    verdicts : DataFrame
        `samestory.engines.bundles.VERDICT_BUNDLES`.
    job : Job
    """
    routed = job.frames.map(articles, route_articles, _SENT_ON, rows=_SENT_ON, **job.in_order)
    founders = job.frames.map(
        verdicts,
        route_verdicts,
        _SENT_ON,
        rows=_SENT_ON,
        wanted={rows.ARTICLE: ["doc", "other"]},
        **job.in_order,
    )
    both = routed.union(founders)
    ordered = job.frames.map(both.repartition(job.n_partitions, "slot"), put_in_order, _IN_ORDER)
    in_one = ordered.repartition(1).sortWithinPartitions("key")
    config = dataclasses.replace(job.config, scratch=None)  # a folder of the driver's machine
    return job.frames.map(in_one, tell_stories, TOLD, config=config)


def stories_rows(told: DataFrame) -> Rows:
    """Return the table of stories, the largest first."""
    rows = told.where(f"kind = {STORY}").select("doc", "payload").repartition(1).sortWithinPartitions("doc")
    return Rows(rows, read_stories, STORIES, {})


def facts_of(told: DataFrame) -> dict[str, Any]:
    """Return the facts of the stories."""
    row = told.where(f"kind = {FACTS}").select("payload").first()
    found: dict[str, Any] = json.loads(bytes(row["payload"])) if row is not None else {}
    return found


def put_in_order(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a partition in order, in bundles, each with its cluster's founder."""
    table = in_order(batches, {rows.ARTICLE: ["other"]})
    if table is None:
        return
    for batch in table.to_batches():
        founders = pc.coalesce(batch.column("other"), batch.column("doc"))
        articles = batch.drop_columns(["other"]).append_column("founder", founders)
        cuts = cuts_of(articles)
        docs = numbers_of(articles.column("doc"), np.int64)
        yield bundle_up(articles, _IN_ORDER, cuts, key=docs[cuts[:-1]])


def tell_stories(batches: Iterable[pa.RecordBatch], config: Config) -> Iterator[pa.RecordBatch]:
    """Find the stories of all articles, which come in order.

    Parameters
    ----------
    batches : iterable of RecordBatch
        Of bundles of the columns `SENT`, and `founder`.
    config : Config
    """
    with TextStore() as store, Scratch() as scratch, threads(config.n_threads) as executor:
        gathered = gather(articles_in(batches), store)
        if gathered is None:
            gathered = _nobody(store)
        budget = Budget.of(config.memory_bytes, config.n_threads, len(gathered))
        corpus = _corpus(gathered, config, executor, Room(budget, scratch, store))
        founders = _founders(gathered)
        times = times_of(corpus.articles)
        room = StoryRoom(budget.stories, scratch)
        weighed = weigh_units(corpus, founders, times, ignore_progress, room)
        stories = find_stories(weighed, times, ignore_progress)
        del weighed
        shared = count_shared(stories, corpus, ignore_progress)
        yield from _article_rows(gathered, stories)
        yield from _pair_rows(gathered, corpus, stories, shared, founders)
        yield from _story_rows(corpus, stories, times)


def read_stories(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Turn payloads into rows of `samestory.schema.STORIES`."""
    for batch in batches:
        for payload in batch.column("payload"):
            yield from pa.ipc.open_stream(payload.as_buffer())


def _nobody(store: TextStore) -> Gathered:
    """Return no articles."""
    nothing = np.zeros(0, dtype=np.int64)
    fields = {"doc": pa.int64(), "doc_id": pa.string(), "title": pa.string(), "time": pa.int64()}
    numbers = {"n_shingles": pa.int32(), "n_units": pa.int32(), "founder": pa.int64()}
    schema = pa.schema([*fields.items(), *numbers.items()])
    return Gathered(schema.empty_table(), nothing, nothing, nothing, store)


def _corpus(gathered: Gathered, config: Config, executor: Any, room: Room) -> Corpus:
    """Return the articles as `samestory.storyline` takes them."""
    n = len(gathered)
    banding = choose_banding(config.threshold, config.recall, config.num_perm)
    times = gathered.column("time").cast(TIMESTAMP)
    columns = {"doc_id": gathered.column("doc_id"), "title": gathered.column("title"), "published_at": times}
    sketches = Sketches(
        np.zeros((n, 0), dtype=np.uint64),
        np.zeros(0, dtype=np.uint64),
        gathered.numbers("n_shingles", np.int32),
        gathered.numbers("n_units", np.int32),
    )
    nowhere: Any = None  # the texts are in the store, and are never read again
    return Corpus(
        source=nowhere,
        config=config,
        banding=banding,
        executor=executor,
        articles=Metadata.of(pa.table(columns)),
        sketches=sketches,
        samples=[],
        names=[],
        batch_sizes=[len(batch) for _, batch in room.texts.numbered()],
        folded_sizes=gathered.sizes,
        room=room,
        n_bytes=0,
        n_removed=np.zeros(n, dtype=np.int32),
    )


def _founders(gathered: Gathered) -> Ints:
    """Return the founder of each article's cluster; all are numbered from 0 on, as they come."""
    if not np.array_equal(gathered.docs, np.arange(len(gathered))):
        raise RuntimeError("not all articles came to the task that tells stories")
    return gathered.numbers("founder", np.int64)


def _article_rows(gathered: Gathered, stories: Stories) -> Iterator[pa.RecordBatch]:
    ids = gathered.column("doc_id")
    for begin in range(0, len(gathered), _AT_ONCE):
        own = slice(begin, begin + _AT_ONCE)
        founders = stories.founders[own]
        yield rows_from(
            TOLD,
            len(founders),
            kind=np.full(len(founders), ARTICLE),
            doc=gathered.docs[own],
            story_id=ids.take(pa.array(founders)),
            story_size=stories.sizes[own],
            story_score=stories.scores[own],
        )


def _pair_rows(
    gathered: Gathered, corpus: Corpus, stories: Stories, shared: Any, founders: Ints
) -> Iterator[pa.RecordBatch]:
    ids = gathered.column("doc_id")
    pairs = stories.pairs[np.lexsort((stories.pairs[:, 1], stories.pairs[:, 0]))]  # as they are tabulated
    alone = gather_clusters([], corpus.sketches.n_shingles)  # whose clusters are told below
    table = pairs_table(corpus.articles.ids, alone, gather_pairs([], stories, shared)).table()
    for begin in range(0, len(pairs), _AT_ONCE):
        own, rows = pairs[begin : begin + _AT_ONCE], table.slice(begin, _AT_ONCE).combine_chunks()
        told = {name: _chunk(rows[name]) for name in ("relation", "jaccard", "story_score")}
        yield rows_from(
            TOLD,
            len(own),
            kind=np.full(len(own), PAIR),
            doc=own[:, 0].copy(),
            other=own[:, 1].copy(),
            cluster_id=ids.take(pa.array(founders[own[:, 0]])),
            containment=_chunk(rows["containment_a_in_b"]),
            back=_chunk(rows["containment_b_in_a"]),
            shared=_chunk(rows["shared_shingles"]),
            id_a=_chunk(rows["doc_id_a"]),
            id_b=_chunk(rows["doc_id_b"]),
            **told,
        )


def _story_rows(corpus: Corpus, stories: Stories, times: Ints) -> Iterator[pa.RecordBatch]:
    table = stories_table(corpus.articles, stories, times)
    begin = 0
    for piece in table:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, piece.schema) as writer:
            writer.write_table(piece)
        yield _payload_row(STORY, begin, sink.getvalue().to_pybytes())
        begin += len(piece)
    yield _payload_row(FACTS, 0, json.dumps(stories_stats(stories, table)).encode())


def _payload_row(kind: int, place: int, payload: bytes) -> pa.RecordBatch:
    numbers = {"kind": np.array([kind]), "doc": np.array([place])}
    return rows_from(TOLD, 1, payload=pa.array([payload], pa.binary()), **numbers)


def _chunk(column: Any) -> Any:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
