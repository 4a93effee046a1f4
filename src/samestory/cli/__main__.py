"""``python -m samestory.cli``: the same as ``samestory``."""

from samestory.cli import main

main()
