"""What forks the Python workers of a session of our own: the package is loaded once, not in each of them."""

from __future__ import annotations

import gc

import samestory.engines.furnishing
import samestory.engines.partials
import samestory.engines.reading
import samestory.engines.stories  # noqa: F401

if __name__ == "__main__":
    from pyspark.daemon import manager

    # A worker collects garbage after each task, for which it would look through the whole package.
    gc.freeze()
    manager()
