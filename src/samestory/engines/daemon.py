"""What forks the Python workers of a session of our own: the package is loaded once, not in each of them."""

from __future__ import annotations

import samestory.engines.furnishing
import samestory.engines.partials
import samestory.engines.reading
import samestory.engines.stories  # noqa: F401

if __name__ == "__main__":
    from pyspark.daemon import manager

    manager()
