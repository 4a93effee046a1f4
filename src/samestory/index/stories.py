"""Stories of an index: found anew, with each batch, among the articles around its dates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa

from samestory.config import Config
from samestory.index.compare import decode
from samestory.index.state import Ints, State
from samestory.kernels.clusters import UNDATED
from samestory.metadata import Metadata
from samestory.normalise import FoldedTexts
from samestory.progress import ignore_progress
from samestory.signature import Sketches
from samestory.story.grouping import DAY
from samestory.storyline import find_stories, weigh_units
from samestory.threads import in_order

A = TypeVar("A")

AT_ONCE: Final = 4096
LEAST_AROUND: Final = 4000
"""Articles that are grouped anew at least, the nearest in time: fewer do not tell how common a word is."""
_NO_KEYS: Final = np.zeros(0, dtype=np.uint64)


@dataclass(frozen=True)
class _Around:
    """Articles of an index as `samestory.storyline` takes a corpus.

    Attributes
    ----------
    numbers : int64 array
        Articles, in order.
    """

    state: State
    numbers: Ints
    config: Config
    executor: Executor
    articles: Metadata
    sketches: Sketches

    @property
    def by_character(self) -> bool:
        """Whether shingles are runs of characters."""
        return self.config.shingle_unit == "char"

    def map_texts(self, docs: Ints, work: Callable[[int, int, FoldedTexts, Ints], A]) -> Iterator[A]:
        """Apply `work` in threads: see `samestory.corpus.Corpus.map_texts`."""

        def one(low: int) -> A:
            high = min(low + AT_ONCE, len(docs))
            texts = self.state.articles["text"][self.numbers[docs[low:high]]].astype(np.int64)
            return work(low, high, decode(self.state, texts), np.arange(high - low))

        begins = range(0, len(docs), AT_ONCE)
        for _, done in in_order(self.executor, one, begins, self.config.n_threads + 1):
            yield done


def regroup_stories(state: State, clusters: Ints, left: Ints, config: Config, executor: Executor) -> None:
    """Find the stories around clusters that have changed anew.

    Parameters
    ----------
    state : State
    clusters : int64 array
        Labels.
    left : int64 array
        Articles that are gone.
    config : Config
    executor : Executor

    Notes
    -----
    Within the window of any article of these clusters all others (`LEAST_AROUND` at least) are grouped again,
    as a run over them alone would do, with the rest of their stories. Of undated articles the time counts
    at which they came.
    """
    numbers = _find_around(state, clusters, left, config)
    if not len(numbers):
        return
    columns, texts = state.articles, state.texts
    own = columns["text"][numbers]
    founders = np.searchsorted(numbers, texts["founder"][texts["cluster"][own]])
    n_units = texts["n_units"][own]
    table = pa.table({"doc_id": _ids(state, numbers), "title": _titles(state, numbers)})
    nothing = np.zeros((0, len(numbers)), dtype=np.uint64)
    sketches = Sketches(nothing, _NO_KEYS, texts["n_shingles"][own], n_units)
    corpus: Any = _Around(state, numbers, config, executor, Metadata.of(table), sketches)
    times = columns["time"][numbers]
    weighed = weigh_units(corpus, founders.astype(np.int64), times, ignore_progress)
    stories = find_stories(weighed, times, ignore_progress, spelling=False)
    founding = numbers[stories.founders]
    columns.put("story", numbers, founding)
    columns.put("story_score", numbers, stories.scores)
    columns.put("story_size", founding, stories.sizes)


def _find_around(state: State, clusters: Ints, left: Ints, config: Config) -> Ints:
    """Return all articles of the clusters and stories that are near changed ones in time."""
    columns, texts = state.articles, state.texts
    alive = np.flatnonzero(columns["is_alive"])
    label = texts["cluster"][columns["text"][alive]]
    times = np.where(columns["time"][alive] == UNDATED, columns["seen"][alive], columns["time"][alive])
    changed = np.sort(times[np.isin(label, clusters)])
    window = int(config.story_window_days * DAY)
    if not len(alive) or not (len(changed) or len(left)):
        return alive[:0]
    distances = _distances(times, changed)
    place = min(LEAST_AROUND, len(times)) - 1
    window = max(window, int(np.partition(distances, place)[place]))
    near = distances <= window
    story = columns["story"][alive]
    lost = columns["story"][left]
    touched = np.unique(np.concatenate([story[near], lost]))
    near |= np.isin(story, touched[touched >= 0])
    return alive[np.isin(label, np.unique(label[near]))]


def _distances(times: Ints, others: Ints) -> Ints:
    """Return how far each time is from the nearest of others, which are in order."""
    if not len(others):
        return np.full(len(times), np.iinfo(np.int64).max)
    after = np.minimum(np.searchsorted(others, times), len(others) - 1)
    before = np.maximum(after - 1, 0)
    return np.asarray(np.minimum(np.abs(times - others[after]), np.abs(times - others[before])))


def _ids(state: State, numbers: Ints) -> Any:
    return pa.chunked_array([pa.array([state.id_of(a) for a in numbers.tolist()], pa.string())])


def _titles(state: State, numbers: Ints) -> Any:
    """Return the titles of articles, null where there are none."""
    title = state.articles["title"][numbers].astype(np.int64)
    has = np.flatnonzero(title >= 0)
    folded = decode(state, title[has])
    values: list[str | None] = [None] * len(numbers)
    for k, row in enumerate(has.tolist()):
        values[row] = folded.text(k)
    return pa.chunked_array([pa.array(values, pa.string())])
