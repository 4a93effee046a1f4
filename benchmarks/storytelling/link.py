"""Link the articles of a file by average linkage over cosine distances; a process of its own.

    python -m storytelling.link SOURCE.parquet TARGET.npy [--vectors VECTORS.npy]

The vectors are those given, or else the words of title and text by scikit-learn's TF-IDF. TARGET is the
tree that SciPy makes; cuts.py cuts it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from storytelling.sets import whole_texts


def similarities_of_words(texts: list[str]) -> NDArray[np.float64]:
    """Return the cosine similarity of all pairs of texts by their words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(sublinear_tf=True, min_df=1).fit_transform(texts)
    return (words @ words.T).toarray()


def tree(similarities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the tree of average linkage; its heights are 1 less the mean similarity."""
    distances = 1.0 - similarities
    np.clip(distances, 0.0, None, out=distances)
    np.fill_diagonal(distances, 0.0)
    return linkage(squareform(distances, checks=False), "average")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--vectors", type=Path)
    args = parser.parse_args()
    if args.vectors is None:
        similarities = similarities_of_words(whole_texts(args.source))
    else:
        vectors = np.load(args.vectors).astype(np.float64)
        similarities = vectors @ vectors.T
    np.save(args.target, tree(similarities))


if __name__ == "__main__":
    main()
