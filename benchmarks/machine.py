"""What a measurement was made with: versions and the size of the machine, no names and no paths."""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import psutil

PACKAGES = (
    "samestory",
    "datasketch",
    "rensa",
    "gaoya",
    "daft",
    "polars",
    "numpy",
    "numba",
    "pyarrow",
    "xxhash",
)
SPARK_PACKAGES = ("samestory", "pyspark", "pandas", "numpy", "numba", "pyarrow")


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Return the version of Python and of every package that takes part, where installed."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = _imported(name)
    return found


def _imported(name: str) -> str:
    """Return the version of a package that is on the path without being installed."""
    try:
        return str(importlib.import_module(name).__version__)
    except (ImportError, AttributeError):
        return "not installed"


def revision() -> str:
    """Return the commit that was measured, with a plus where files have been changed since."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        name = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], check=True, capture_output=True, text=True
        )
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--", ":/src"], check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name.stdout.strip() + ("+" if changed.stdout.strip() else "")


def java_version() -> str:
    """Return the version of the Java that Spark would run on."""
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else "java"
    try:
        told = subprocess.run([program, "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "not installed"
    first = (told.stderr or told.stdout).splitlines()[0]
    return first.split('"')[1] if '"' in first else first


def machine() -> dict[str, str | int | float]:
    """Return cores, memory and model of the processor."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "processor": processor_model(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def processor_model() -> str:
    """Return the model name of the processor and whether it has AVX-512."""
    model, flags = platform.machine(), ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    model = value.strip()
                elif name.strip() == "flags":
                    flags = value
    except OSError:
        return model
    return f"{model} ({'with' if 'avx512f' in flags else 'without'} AVX-512)" if flags else model
