"""The command line: parse, call, print, and map errors to exit codes.

Nothing heavy is imported here, so that ``samestory --help`` answers at once.
"""

from __future__ import annotations

import sys

from samestory.cli.app import app
from samestory.cli.failures import exit_code_of, run_guarded


def main() -> None:
    """Run the command line and leave with its exit code: 0 done, 2 any error, 130 interrupted."""
    sys.exit(exit_code_of(run_guarded(lambda: app.main(prog_name="samestory", standalone_mode=False))))


__all__ = ["app", "main"]
