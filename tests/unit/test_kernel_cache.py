"""Code compiled ahead is loaded from a folder that may only be read, as in a container."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import samestory

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


def call(code: str, folder: Path) -> str:
    """Run code on the copy of the package in a folder, which holds nothing that was compiled before."""
    home = str(folder)
    environment = {**os.environ, "HOME": home, "XDG_CACHE_HOME": home}
    environment |= {"PYTHONPATH": home, "NUMBA_CACHE_DIR": str(folder / "ahead")}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_loaded_from_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    package = Path(samestory.__file__).parent
    shutil.copytree(package, tmp_path / "samestory", ignore=shutil.ignore_patterns("__pycache__"))
    assert call(CALL, tmp_path) == "0 1"
    assert call(READ_ONLY + CALL, tmp_path) == "1 0"
