"""Articles that come after a generated corpus: of its language and sites, some of them copies of its own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corpus import N_DAYS, Corpus, make_batch, plan_corpus, rows_of
from corpus_kernels import Plan
from vocabulary import make_vocabulary

COPY_SHARE = 1 / 3
OTHER_PLAN = 1_000  # added to the seed: lengths, sites and styles are drawn anew
FIRST_COPY = 1_000  # over any copy number of a corpus, so that the edits are others


def fresh_articles(n_known: int, seed: int, n: int) -> tuple[pa.Table, NDArray[np.bool_]]:
    """Return articles to follow the ordinary corpus of `n_known` articles, and which are copies of its own.

    Parameters
    ----------
    n_known, seed : int
        Size and seed of the corpus.
    n : int
        Articles to make. A third are copies of articles drawn from all of the corpus (1 to 15 % of the words
        edited, one in four with paragraphs dropped, as in the corpus); the others are of the same seed but of
        numbers that the corpus has not reached: new texts in its vocabulary.

    Returns
    -------
    articles : pa.Table
        Columns as of the corpus, shuffled; published after all of the corpus, one a minute.
    is_copy : bool array of shape (n,)
    """
    known = plan_corpus(n_known, seed).plan
    rng = np.random.default_rng([seed, OTHER_PLAN])
    is_copy = rng.permutation(n) < round(n * COPY_SHARE)
    drawn = rows_of(known, rng.integers(0, n_known, n))
    own = plan_corpus(n, seed + OTHER_PLAN).plan
    first = int(known.base.max()) + 1
    plan = Plan(
        base=np.where(is_copy, drawn.base, first + np.arange(n)).astype(np.int32),
        copy=np.where(is_copy, FIRST_COPY + np.arange(n), 0).astype(np.int32),
        n_words=np.where(is_copy, drawn.n_words, own.n_words).astype(np.int32),
        edit_rate=own.edit_rate,
        drop_rate=own.drop_rate,
        site=own.site,
        style=own.style,
    )
    published = N_DAYS * 86_400 + 60 * np.arange(n, dtype=np.int64)
    cluster = np.where(is_copy, plan.base, -1).astype(np.int32)
    table = make_batch(Corpus(plan, published, cluster), make_vocabulary(seed), seed, "ordinary", 0, n)
    place = table.schema.get_field_index("doc_id")
    doc_id = pc.binary_join_element_wise("fresh", table["doc_id"], "-")
    return table.set_column(place, "doc_id", doc_id), is_copy
