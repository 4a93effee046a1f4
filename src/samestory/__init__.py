"""Find duplicate and near-duplicate news stories.

>>> import samestory
>>> result = samestory.cluster("articles.parquet", samestory.Config(threshold=0.7))
>>> result.clusters, result.pairs      # pyarrow.Table
>>> result.write("out/")

Everything is loaded when it is first used, so that importing the package, or
asking the command line for help, costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from samestory.version import __version__

if TYPE_CHECKING:
    from samestory.config import Config as Config
    from samestory.errors import ConfigError as ConfigError
    from samestory.errors import IndexFormatError as IndexFormatError
    from samestory.errors import IndexLockedError as IndexLockedError
    from samestory.errors import IndexMismatchError as IndexMismatchError
    from samestory.errors import InputError as InputError
    from samestory.errors import MissingDependencyError as MissingDependencyError
    from samestory.errors import OutputError as OutputError
    from samestory.errors import SamestoryError as SamestoryError
    from samestory.errors import SchemaError as SchemaError
    from samestory.index.durable import Index as Index
    from samestory.inspect import base_hash as base_hash
    from samestory.inspect import shingles as shingles
    from samestory.inspect import signatures as signatures
    from samestory.pipeline import cluster as cluster
    from samestory.pipeline import shared_terms as shared_terms
    from samestory.result import Result as Result

_HOMES: Final = {
    "Config": "config",
    "Index": "index.durable",
    "Result": "result",
    "cluster": "pipeline",
    "shared_terms": "pipeline",
    "base_hash": "inspect",
    "shingles": "inspect",
    "signatures": "inspect",
    **dict.fromkeys(
        (
            "ConfigError",
            "IndexFormatError",
            "IndexLockedError",
            "IndexMismatchError",
            "InputError",
            "MissingDependencyError",
            "OutputError",
            "SamestoryError",
            "SchemaError",
        ),
        "errors",
    ),
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'samestory' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"samestory.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
