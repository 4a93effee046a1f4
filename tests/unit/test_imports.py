"""Importing the package, or asking for help, loads nothing heavy; and every public name is there."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import samestory

HEAVY = ("numba", "pyarrow", "numpy", "datasketch", "scipy", "rich", "llvmlite")
TELL = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def modules_after(code: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\n{TELL}"], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(run.stdout.splitlines()[-1]))


def call(*arguments: str) -> str:
    """Code that calls the command line and goes on after it."""
    return (
        f"import sys\nsys.argv = {['samestory', *arguments]!r}\n"
        "from samestory.cli import main\n"
        "try:\n    main()\nexcept SystemExit as leave:\n    assert not leave.code"
    )


@pytest.mark.parametrize(
    "code",
    [
        "import samestory",
        "import samestory; samestory.__version__; dir(samestory)",
        "import samestory; samestory.Config(threshold=0.5); samestory.InputError",
        call("--help"),
        call("--version"),
        call("cluster", "--help"),
        call("dedup", "--help"),
        call("evaluate", "--help"),
        call("example", "--help"),
    ],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    loaded = modules_after(code)
    assert "samestory" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_the_probe_sees_what_is_heavy() -> None:
    assert "numpy" in modules_after("import samestory; samestory.signatures")


def test_loading_the_pipeline_needs_no_oracle() -> None:
    assert modules_after("import samestory; samestory.cluster").isdisjoint(
        {"datasketch", "networkx", "sklearn"}
    )


def test_every_public_name_resolves() -> None:
    for name in samestory.__all__:
        assert getattr(samestory, name) is not None
    assert set(samestory.__all__) <= set(dir(samestory))


def test_the_promised_names_are_public() -> None:
    promised = {"cluster", "signatures", "shingles", "base_hash", "Config", "Result", "SamestoryError"}
    assert promised <= set(samestory.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'clutser'"):
        samestory.clutser  # noqa: B018
