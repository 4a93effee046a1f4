"""``python -m samestory``: the same as ``samestory``."""

from samestory.cli import main

main()
