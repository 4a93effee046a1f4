"""samestory at its defaults, which do more than the peers: page furniture and partial copies too."""

from __future__ import annotations

import os

from job import parse_job
from samestory_cli import command


def main() -> None:
    """Run one job."""
    arguments = command(parse_job(__doc__))
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main()
