"""Code compiled ahead is loaded from a folder that may only be read, as in a container."""

import os
import subprocess
import sys
from pathlib import Path

CALL = """
import numpy as np
from samestory.kernels.buckets import pack_keys
pack_keys(np.zeros(2, np.uint64), 0, 1, np.zeros(2, np.uint64))
print(sum(pack_keys.stats.cache_hits.values()), sum(pack_keys.stats.cache_misses.values()))
"""

READ_ONLY = """
from pathlib import Path
import numba.core.caching as caching
import samestory.kernels.jit as jit

def refuse(self):
    raise PermissionError("read only")

for locator in (caching.UserProvidedCacheLocator, caching.InTreeCacheLocator):
    locator.ensure_cache_path = refuse
"""


def call(code: str, ahead: Path, home: Path) -> str:
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(ahead),
        "XDG_CACHE_HOME": str(home),
        "HOME": str(home),
    }
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_loaded_from_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    assert call(CALL, tmp_path / "ahead", tmp_path) == "0 1"
    assert call(READ_ONLY + CALL, tmp_path / "ahead", tmp_path) == "1 0"
