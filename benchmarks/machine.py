"""What a measurement was made with: versions and the size of the machine, no names and no paths."""

from __future__ import annotations

import os
import platform
from importlib import metadata

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


def versions() -> dict[str, str]:
    """Return the version of Python and of every package that takes part, where installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


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
