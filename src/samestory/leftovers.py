"""The hidden names under which outputs are written, and what killed runs left under them."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from pathlib import Path
from typing import Final

SUFFIX: Final = ".samestory-tmp"
_MOST_CHARACTERS: Final = 100


def hidden_prefix(target: Path) -> str:
    """Return how the hidden names beside a target begin; a process number and `SUFFIX` follow."""
    return f".{target.name[:_MOST_CHARACTERS]}.{socket.gethostname()}."


def remove_left_over(target: Path) -> None:
    """Remove what runs of this machine that were killed left beside a target."""
    prefix = hidden_prefix(target)
    with contextlib.suppress(OSError):
        for path in list(target.parent.iterdir()):
            if path.name.startswith(prefix) and path.name.endswith(SUFFIX):
                pid = path.name[len(prefix) : -len(SUFFIX)]
                if pid.isdigit() and not _is_alive(int(pid)):
                    _remove(path)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
