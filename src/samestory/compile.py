"""Compile every kernel ahead of time: ``python -m samestory.compile``.

For image builds, and wherever the first job should not wait: Numba keeps the
compiled code on disk (see `samestory.kernels.jit`), and later processes load it.
"""

from __future__ import annotations

import sys
import time
from typing import Final

import pyarrow as pa

from samestory.config import Config
from samestory.inspect import signatures
from samestory.pipeline import cluster

_N_VARIANTS: Final = 80
_N_COPIES: Final = 80
_N_WORDS: Final = 120


def _articles() -> pa.Table:
    """Return articles that send the pipeline down each of its ways.

    A crowd of variants of one text, a large cluster of copies, a pair of near
    copies, and texts beyond ASCII, hard ones among them.
    """
    words = [f"w{i}" for i in range(_N_WORDS)]
    variants = [" ".join([f"v{k}", *words[: k % 7], *words[k % 7 + 1 :]]) for k in range(_N_VARIANTS)]
    copies = [" ".join(reversed(words))] * _N_COPIES
    pair = [" ".join(f"x{i}" for i in range(40 + k)) for k in range(2)]
    beyond = ["Crème brûlée à Qalʿat Marūn", "e\u0301te\u0301 \u0928\u093c", ""]
    texts = [*variants, *copies, *pair, *beyond]
    return pa.table({"id": [str(i) for i in range(len(texts))], "text": texts})


def compile_kernels() -> float:
    """Compile what is not compiled yet; return the seconds it took."""
    start = time.perf_counter()
    cluster(_articles(), Config(threads=1))
    signatures(["one two three four five six"], Config(threads=1))
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.stdout.write(f"kernels ready in {compile_kernels():.1f} s\n")
