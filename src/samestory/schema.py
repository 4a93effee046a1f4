"""Every column name, Arrow schema and format version of the project."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

TIMESTAMP: Final = pa.timestamp("us", tz="UTC")

ARTICLE: Final = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("text", pa.large_string()),
        pa.field("title", pa.string()),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("published_at", TIMESTAMP),
    ]
)
"""What every reader yields, whatever the input's own columns are called."""

METADATA_COLUMNS: Final = ("title", "source", "url", "published_at")

CLUSTERS: Final = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("cluster_id", pa.string(), nullable=False),
        pa.field("cluster_size", pa.int32(), nullable=False),
        pa.field("representative_id", pa.string(), nullable=False),
        pa.field("relation", pa.string(), nullable=False),
        pa.field("jaccard", pa.float32(), nullable=False),
        pa.field("containment", pa.float32(), nullable=False),
        pa.field("story_id", pa.string()),
        pa.field("story_size", pa.int32()),
        pa.field("story_score", pa.float32()),
        pa.field("n_shingles", pa.int32(), nullable=False),
        pa.field("boilerplate_ratio", pa.float32(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("source", pa.string()),
        pa.field("url", pa.string()),
        pa.field("published_at", TIMESTAMP),
    ]
)

ASSIGNED: Final = pa.schema(
    [
        *CLUSTERS,
        pa.field("matched_id", pa.string()),
        pa.field("is_new", pa.bool_(), nullable=False),
        pa.field("merged_cluster_ids", pa.list_(pa.string()), nullable=False),
    ]
)
"""What `samestory ingest` tells of each article."""

PAIRS: Final = pa.schema(
    [
        pa.field("doc_id_a", pa.string(), nullable=False),
        pa.field("doc_id_b", pa.string(), nullable=False),
        pa.field("relation", pa.string(), nullable=False),
        pa.field("jaccard", pa.float32(), nullable=False),
        pa.field("containment_a_in_b", pa.float32(), nullable=False),
        pa.field("containment_b_in_a", pa.float32(), nullable=False),
        pa.field("shared_shingles", pa.int32(), nullable=False),
        pa.field("story_score", pa.float32()),
        pa.field("cluster_id", pa.string(), nullable=False),
    ]
)

STORIES: Final = pa.schema(
    [
        pa.field("story_id", pa.string(), nullable=False),
        pa.field("story_size", pa.int32(), nullable=False),
        pa.field("n_clusters", pa.int32(), nullable=False),
        pa.field("first_published_at", TIMESTAMP),
        pa.field("last_published_at", TIMESTAMP),
        pa.field("title", pa.string()),
        pa.field(
            "terms",
            pa.list_(
                pa.struct(
                    [
                        pa.field("term", pa.string(), nullable=False),
                        pa.field("share", pa.float32(), nullable=False),
                    ]
                )
            ),
            nullable=False,
        ),
    ]
)
"""Stories of two duplicate clusters or more, the largest first."""

SHARED_TERMS: Final = pa.schema(
    [
        pa.field("term", pa.string(), nullable=False),
        pa.field("weight_a", pa.float32(), nullable=False),
        pa.field("weight_b", pa.float32(), nullable=False),
        pa.field("share", pa.float32(), nullable=False),
    ]
)
"""Terms that two articles share, the weightiest first; the share is of their cosine."""

# Relations of two articles, strongest first, then those of one article to its representative.
EXACT: Final = "exact"
NEAR: Final = "near"
PARTIAL: Final = "partial"
STORY: Final = "story"
REPRESENTATIVE: Final = "representative"
UNIQUE: Final = "unique"
LINKED: Final = "linked"

FORMAT_VERSION: Final = 1
"""Version of the files written; raised when a reader of the old one would misread the new."""

ROLES: Final[dict[str, tuple[str, ...]]] = {
    "doc_id": ("doc_id", "id", "docid", "document_id", "article_id", "uid", "guid", "uuid"),
    "text": (
        "text", "content", "body", "article", "maintext", "article_text", "full_text",
        "fulltext", "plain_text", "content_text", "raw_content", "raw_text", "story",
    ),
    "title": ("title", "headline", "head", "article_title", "subject"),
    "source": ("source", "publisher", "domain", "outlet", "site", "source_domain", "newspaper"),
    "url": ("url", "link", "uri", "permalink", "source_url"),
    "published_at": (
        "published_at", "date", "published", "datetime", "publish_date", "date_publish",
        "published_date", "pub_date", "pubdate", "publication_date", "timestamp", "time",
    ),
}  # fmt: skip
"""Names by which the input's columns are found, for each role the first that is present."""
