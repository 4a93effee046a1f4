"""The version of the package, in one place for code that must not import the rest."""

from __future__ import annotations

from typing import Final

__version__: Final = "0.1.0"
