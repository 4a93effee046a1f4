"""The corpus generator of the benchmarks: the same again, of the promised shape, with exact truth."""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
try:
    import corpus
    import exact_join
    import planted
    import shingle_sets
finally:
    sys.path.remove(str(BENCHMARKS))

pytestmark = pytest.mark.slow  # its own kernels are compiled for it

N_DOCS = 1_500
SEED = 5


def naive_shingles(text: str, ngram: int = 5) -> set[str]:
    """Return the shingles of a text, the obvious way."""
    words = re.findall(r"\w+", text.lower())
    if not words:
        return set()
    n = min(ngram, len(words))
    return {" ".join(words[i : i + n]) for i in range(len(words) - n + 1)}


def naive_jaccard(a: str, b: str) -> float:
    """Return the Jaccard of two texts, the obvious way."""
    left, right = naive_shingles(a), naive_shingles(b)
    return len(left & right) / len(left | right) if left | right else 0.0


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small corpus on disk."""
    path = tmp_path_factory.mktemp("corpus") / "ordinary.parquet"
    corpus.write_corpus(path, N_DOCS, SEED)
    return path


@pytest.fixture(scope="module")
def articles(written: Path) -> pa.Table:
    """Return its articles."""
    return pq.read_table(written)


def test_same_seed_same_corpus(articles: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "ROW_GROUP_ROWS", 400)
    corpus.write_corpus(tmp_path / "again.parquet", N_DOCS, SEED, threads=3)
    again = pq.read_table(tmp_path / "again.parquet")
    assert again.equals(articles)


def test_other_seed_other_corpus(articles: pa.Table, tmp_path: Path) -> None:
    corpus.write_corpus(tmp_path / "other.parquet", 100, SEED + 1)
    other = set(pq.read_table(tmp_path / "other.parquet")["text"].to_pylist())
    assert not other & set(articles["text"].to_pylist())


def test_columns_and_ids(articles: pa.Table) -> None:
    assert articles.schema == corpus.SCHEMA
    assert len(set(articles["doc_id"].to_pylist())) == N_DOCS
    assert all(column.null_count == 0 for column in articles.columns)
    articles.validate(full=True)


def test_lengths(articles: pa.Table) -> None:
    texts = articles["text"].to_pylist()
    n_words = np.array([len(re.findall(r"\w+", text)) for text in texts])
    assert 300 < np.median(n_words) < 400
    assert 1_900 < np.mean([len(text.encode()) for text in texts]) < 3_000


def test_some_articles_are_not_ascii(articles: pa.Table) -> None:
    share = np.mean([not text.isascii() for text in articles["text"].to_pylist()])
    assert 0.01 < share < 0.15


def test_share_and_sizes_of_clusters(written: Path) -> None:
    cluster = planted.cluster_of_rows(written)
    assert np.mean(cluster >= 0) == pytest.approx(0.3, abs=0.01)
    sizes = np.unique(cluster[cluster >= 0], return_counts=True)[1]
    assert sizes.min() >= 2
    assert sizes.max() <= 20


def test_vocabulary_is_large_and_distinct() -> None:
    vocabulary = corpus.make_vocabulary(SEED)
    letters = vocabulary.letters.tobytes().decode()
    assert len(vocabulary.offsets) == 200_001
    bounds = vocabulary.offsets.tolist()
    raw = letters.encode()
    words = {raw[start:end] for start, end in pairwise(bounds)}
    assert len(words) == 200_000
    assert all(re.fullmatch(r"\w+", word.decode()) for word in list(words)[::50])


def test_planted_jaccard_is_exact(written: Path, articles: pa.Table) -> None:
    pairs = planted.planted_pairs(written)
    texts = articles["text"].to_pylist()
    expected = [naive_jaccard(texts[a], texts[b]) for a, b in zip(*_places(pairs), strict=True)]
    assert len(pairs) > 100
    assert pairs["jaccard"].to_pylist() == expected
    assert max(expected) > 0.7


def _places(pairs: pa.Table) -> tuple[list[int], list[int]]:
    return pairs["a"].to_pylist(), pairs["b"].to_pylist()


@pytest.mark.parametrize(
    "text", ["", "   ", "One", "one two three four", "Ab cd. Ef, gh? “Ij” kl", "a b c d e a b c d e a"]
)
def test_word_sets_of_odd_texts(text: str) -> None:
    sets = shingle_sets.word_sets(pa.array([text, "x y z u v w", text]))
    assert sets.sizes[0] == len(naive_shingles(text))
    assert shingle_sets.jaccard(sets, 0, 2) == (1.0 if naive_shingles(text) else 0.0)


@pytest.mark.parametrize("kind", ["identical", "footer", "short"])
def test_other_kinds(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.parquet"
    corpus.write_corpus(path, 200, SEED, kind)
    texts = pq.read_table(path)["text"].to_pylist()
    if kind == "identical":
        assert len(set(texts)) == 1
    elif kind == "footer":
        n_words = [len(text.split()) for text in texts]
        footer = texts[0].split()[-252:]
        assert all(text.split()[-252:] == footer for text in texts)
        assert 252 / np.mean(n_words) == pytest.approx(0.6, abs=0.02)
    else:
        assert np.mean([len(text.encode()) for text in texts]) == pytest.approx(500, abs=60)


def test_perfect_answer_scores_one_and_singletons_score_nothing(written: Path, tmp_path: Path) -> None:
    cluster = planted.cluster_of_rows(written)
    doc_id = pq.read_table(written, columns=["doc_id"])["doc_id"]
    alone = np.where(cluster >= 0, cluster, 10_000 + np.arange(N_DOCS))
    answers = {"right": alone, "single": np.arange(N_DOCS), "all": np.zeros(N_DOCS, np.int64)}
    scores = {}
    for name, labels in answers.items():
        pq.write_table(pa.table({"doc_id": doc_id, "cluster_id": labels}), tmp_path / f"{name}.parquet")
        scores[name] = planted.score(written, tmp_path / f"{name}.parquet")
    assert (scores["right"]["recall"], scores["right"]["pair_precision"]) == (1.0, 1.0)
    assert (scores["single"]["recall"], scores["single"]["pair_precision"]) == (0.0, None)
    assert scores["all"]["recall"] == 1.0
    assert scores["all"]["pair_precision"] < 0.01


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 1.0])
def test_exact_join_is_all_pairs(threshold: float) -> None:
    rng = np.random.default_rng(8)
    sets = [set(rng.integers(0, 12, rng.integers(0, 10)).tolist()) for _ in range(120)]
    flat = np.array([element for row in sets for element in row], np.uint64)
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in sets])]).astype(np.int64)
    a, b, shared = exact_join.near_pairs(*exact_join.ranked(flat, offsets), threshold)
    expected = [
        (i, j, len(sets[i] & sets[j]))
        for i in range(120)
        for j in range(i + 1, 120)
        if sets[i] and sets[j] and len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= threshold
    ]
    assert list(zip(a.tolist(), b.tolist(), shared.tolist(), strict=True)) == expected
