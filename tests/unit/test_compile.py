"""Compiling ahead leaves no kernel for the first job to compile."""

import subprocess
import sys

CHECK = """
import importlib, pkgutil
import samestory.kernels
from samestory.compile import compile_kernels

compile_kernels()
for info in pkgutil.walk_packages(samestory.kernels.__path__, "samestory.kernels."):
    module = importlib.import_module(info.name)
    for name, value in vars(module).items():
        if not hasattr(value, "signatures") or value.__module__ != module.__name__:
            continue
        if type(value._cache).__name__ == "_Cache":  # else only kernels call it
            print(f"{info.name}.{name}", len(value.signatures))
"""


def test_every_kernel_is_compiled_once() -> None:
    ran = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=True)
    compiled = {name: int(n) for name, n in (line.split() for line in ran.stdout.splitlines())}
    assert len(compiled) > 15
    assert {name: n for name, n in compiled.items() if n != 1} == {}
