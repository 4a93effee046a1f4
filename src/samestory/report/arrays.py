"""A run's clusters as numbers, so that a million rows cost a few NumPy passes and no loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from samestory import schema
from samestory.errors import InputError
from samestory.finished import FinishedRun
from samestory.runfiles import CLUSTERS_FILE

RELATIONS: Final = (
    schema.UNIQUE, schema.REPRESENTATIVE, schema.EXACT, schema.NEAR, schema.PARTIAL, schema.LINKED,
)  # fmt: skip
UNDATED: Final = np.iinfo(np.int64).min
_HOST: Final = r"^(?i:[a-z][a-z0-9+.-]*://)(?:[^/?#@]*@)?(?i:www\.)?(?P<host>[^/?#:]+)"

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Arrays:
    """n articles, of which some lie in C clusters of two or more.

    Attributes
    ----------
    ids : pyarrow.ChunkedArray of string
        Of the n articles.
    cluster : int64 array of shape (n,)
        Number of the article's cluster, -1 for one that is alone.
    relation : int64 array of shape (n,)
        Place in `RELATIONS`.
    jaccard, boilerplate : float32 arrays of shape (n,)
    n_shingles : int32 array of shape (n,)
    source : int64 array of shape (n,)
        Place in `source_names`: the outlet, or the host of the address. The last name is empty: it is
        that of articles of which neither is known.
    published : int64 array of shape (n,)
        Microseconds since 1970, `UNDATED` where not known.
    sizes, founders, representatives : int64 arrays of shape (C,)
        Articles of each cluster, and rows of two of them.
    story : int64 array of shape (n,), or None
        Number of the article's story in stories.parquet, -1 where its story is one cluster.
    """

    ids: pa.ChunkedArray
    cluster: Ints
    relation: Ints
    jaccard: NDArray[np.float32]
    boilerplate: NDArray[np.float32]
    n_shingles: NDArray[np.int32]
    source: Ints
    source_names: list[str]
    published: Ints
    sizes: Ints
    founders: Ints
    representatives: Ints
    story: Ints | None

    def __len__(self) -> int:
        return len(self.cluster)

    @property
    def is_redundant(self) -> NDArray[np.bool_]:
        """Which articles are neither alone nor kept."""
        return self.relation > RELATIONS.index(schema.REPRESENTATIVE)


def read_arrays(run: FinishedRun) -> Arrays:
    """Read what the figures need of clusters.parquet.

    Raises
    ------
    InputError
        A relation, or a cluster's founding article, is not there.
    """
    table = run.clusters(["doc_id", "cluster_id", "relation", "jaccard", "n_shingles", "boilerplate_ratio"])
    relation = _codes(table["relation"], pa.array(RELATIONS))
    if (relation < 0).any():
        raise InputError(f"{run.folder / CLUSTERS_FILE}: a relation is not known", hint="cluster again")
    kept = np.flatnonzero(relation == RELATIONS.index(schema.REPRESENTATIVE))
    cluster = _codes(table["cluster_id"], table["cluster_id"].take(pa.array(kept)).combine_chunks())
    is_founder = np.asarray(pc.equal(table["doc_id"], table["cluster_id"])) & (cluster >= 0)
    founders = np.full(len(kept), -1, dtype=np.int64)
    founders[cluster[is_founder]] = np.flatnonzero(is_founder)
    if (founders < 0).any():
        raise InputError(
            f"{run.folder / CLUSTERS_FILE}: a cluster lacks its founding article", hint="cluster again"
        )
    source, names = _sources(run)
    return Arrays(
        ids=table["doc_id"],
        cluster=cluster,
        relation=relation,
        jaccard=np.asarray(table["jaccard"], dtype=np.float32),
        boilerplate=np.asarray(table["boilerplate_ratio"], dtype=np.float32),
        n_shingles=np.asarray(table["n_shingles"], dtype=np.int32),
        source=source,
        source_names=names,
        published=_microseconds(run.clusters(["published_at"])["published_at"]),
        sizes=np.bincount(cluster[cluster >= 0], minlength=len(kept)),
        founders=founders,
        representatives=kept,
        story=_stories(run),
    )


def _codes(values: Any, among: Any) -> Ints:
    """Place of each value among others, -1 where it is not there."""
    return np.asarray(pc.fill_null(pc.index_in(values, value_set=among), -1), dtype=np.int64)


def _microseconds(moments: Any) -> Ints:
    return np.asarray(pc.fill_null(moments.cast(pa.int64()), UNDATED), dtype=np.int64)


def _sources(run: FinishedRun) -> tuple[Ints, list[str]]:
    """Outlet of each article, by number; the address is only read where an outlet is missing."""
    outlets = run.clusters(["source"])["source"]
    outlets = pc.if_else(pc.equal(pc.utf8_trim_whitespace(outlets), ""), None, outlets)
    if outlets.null_count:
        hosts = pc.struct_field(pc.extract_regex(run.clusters(["url"])["url"], _HOST), "host")
        outlets = pc.coalesce(outlets, pc.ascii_lower(hosts))
    encoded = pa.chunked_array(outlets).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    names = encoded.dictionary.to_pylist()
    codes = np.asarray(pc.fill_null(encoded.indices.cast(pa.int64()), len(names)), dtype=np.int64)
    return codes, [*names, ""]


def _stories(run: FinishedRun) -> Ints | None:
    stories = run.stories(["story_id"])
    if stories is None:
        return None
    return _codes(run.clusters(["story_id"])["story_id"], stories["story_id"].combine_chunks())
