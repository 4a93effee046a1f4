"""What is told of two articles: figures and reasons, as one value."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from samestory.config import Config
from samestory.params import Banding
from samestory.passages import Comparison, Reading, Side

SAME: Final = "same"
"""Relation of an article to itself."""

MOST_WEIGHED: Final = 20_000
"""Among more articles terms are weighed anew only where that is asked for."""

_SETTINGS: Final = ("threshold", "containment", "evidence", "shingle", "partial", "boilerplate", "level")
_STORY_SETTINGS: Final = ("story_threshold", "story_window")


@dataclass(frozen=True)
class Standing:
    """What a run or an index has decided of one article: columns of clusters.parquet."""

    cluster_id: str
    cluster_size: int
    representative_id: str
    relation: str
    story_id: str | None
    story_size: int | None
    story_score: float | None


@dataclass(frozen=True)
class Link:
    """A pair of the chain that connects two articles; the containment is the larger one of both ways."""

    doc_id_a: str
    doc_id_b: str
    relation: str
    jaccard: float
    containment: float
    story_score: float | None = None


@dataclass(frozen=True)
class Reason:
    """Why two articles are, or are not, together: a word for programs and a sentence for people."""

    code: str
    text: str


@dataclass(frozen=True)
class SharedTerm:
    """A term that two articles share, its weight in each and its share of their cosine."""

    term: str
    weight_a: float
    weight_b: float
    share: float


@dataclass(frozen=True)
class StoryFacts:
    """What is known of two articles as reports of events.

    Attributes
    ----------
    together : bool
        Whether they are in one story.
    score : float, optional
        The score of the two, from 0 to 1.
    cosine : float, optional
        Of their weighted terms.
    terms : tuple of SharedTerm, optional
        The weightiest first; None where they were not weighed.
    held_together_by : tuple of str
        The terms that hold their story together.
    """

    together: bool
    score: float | None = None
    cosine: float | None = None
    terms: tuple[SharedTerm, ...] | None = None
    held_together_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Why two articles are, or are not, the same.

    Attributes
    ----------
    folder : str
    kind : {"run", "index"}
        Of an index the texts are folded, as it keeps them: in lower case, without marks.
    config : Config
    banding : Banding
    standing_a, standing_b : Standing
    comparison : Comparison
        Exact scores, and the passages that they share.
    relation : str, optional
        ``same`` (the same article), ``exact``, ``near`` or ``partial`` (copies), ``linked`` (in one
        cluster by way of others), ``story``, or None where they are not together.
    chance : float
        That MinHash brings a pair of this Jaccard similarity together.
    chain : tuple of Link
        The shortest way from one to the other by pairs that were verified.
    reasons : tuple of Reason
    warnings : tuple of str
    story : StoryFacts, optional
        Where stories were looked for.
    """

    folder: str
    kind: str
    config: Config
    banding: Banding
    standing_a: Standing
    standing_b: Standing
    comparison: Comparison
    relation: str | None
    chance: float
    chain: tuple[Link, ...]
    reasons: tuple[Reason, ...]
    warnings: tuple[str, ...] = ()
    story: StoryFacts | None = None

    @property
    def in_one_cluster(self) -> bool:
        """Whether the two are in one duplicate cluster."""
        return self.standing_a.cluster_id == self.standing_b.cluster_id

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values.

        Returns
        -------
        dict
            ``folder``, ``kind``; ``settings`` (threshold, containment, evidence, ... of the run);
            ``relation``, ``in_one_cluster``, ``in_one_story`` (null unless stories were looked for);
            ``scores`` (jaccard, containment_a_in_b, containment_b_in_a, shared_shingles);
            ``candidate`` (chance, bands, rows_per_band); ``reasons`` (code, text), ``chain``, ``story``,
            ``warnings``; ``a`` and ``b`` (metadata, cluster, counts, ``text`` and its ``spans``: begin
            and end in characters of it, kind, passage); ``passages`` (number, places in a and in b,
            and how many words or characters it has).
        """
        compared = self.comparison
        names = (*_SETTINGS, *(_STORY_SETTINGS if self.story else ()))
        return {
            "folder": self.folder,
            "kind": self.kind,
            "settings": {name: getattr(self.config, name) for name in names},
            "relation": self.relation,
            "in_one_cluster": self.in_one_cluster,
            "in_one_story": self.story.together if self.story else None,
            "scores": {
                "jaccard": compared.jaccard,
                "containment_a_in_b": compared.containment_a_in_b,
                "containment_b_in_a": compared.containment_b_in_a,
                "shared_shingles": compared.shared_shingles,
            },
            "candidate": {"chance": self.chance, **dataclasses.asdict(self.banding)},
            "reasons": [dataclasses.asdict(reason) for reason in self.reasons],
            "chain": [dataclasses.asdict(link) for link in self.chain],
            "story": dataclasses.asdict(self.story) if self.story else None,
            "warnings": list(self.warnings),
            "a": _side(compared.a, self.standing_a),
            "b": _side(compared.b, self.standing_b),
            "passages": [dataclasses.asdict(passage) for passage in compared.passages],
        }


def _side(side: Side, standing: Standing) -> dict[str, Any]:
    reading = side.reading
    article = reading.article
    return {
        "doc_id": article.doc_id,
        "title": article.title,
        "source": article.source,
        "url": article.url,
        "published_at": _iso(article.published_at),
        **dataclasses.asdict(standing),
        **_counts(reading),
        "text": reading.text,
        "spans": [dataclasses.asdict(span) for span in side.spans],
    }


def _counts(reading: Reading) -> dict[str, Any]:
    unit = "characters" if reading.config.shingle_unit == "char" else "words"
    return {
        "judged_on": reading.judged_on,
        f"n_{unit}": reading.n_units,
        f"n_{unit}_removed": reading.n_removed,
        "boilerplate_ratio": reading.boilerplate_ratio,
        "n_shingles": reading.n_shingles,
        "is_as_recorded": reading.is_as_recorded,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
