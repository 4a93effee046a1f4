"""Every error that samestory raises on purpose.

Each message says what is wrong, where, and the value seen; a remedy follows
on a line of its own that begins with ``Hint:``.
"""

from __future__ import annotations


class SamestoryError(Exception):
    """Base of all errors raised by samestory.

    Parameters
    ----------
    message : str
        What is wrong, where, and the value seen.
    hint : str, optional
        What to do about it; shown on a line of its own.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message if hint is None else f"{message}\nHint: {hint}")


class ConfigError(SamestoryError, ValueError):
    """A setting has a value that cannot be used."""


class SchemaError(SamestoryError, ValueError):
    """The input's columns are missing or of a type that cannot be used."""


class InputError(SamestoryError):
    """An input cannot be found or read, or one of its rows is broken."""


class OutputError(SamestoryError):
    """A result cannot be written."""


class IndexFormatError(SamestoryError):
    """An index is damaged, or of a format this version does not know."""


class IndexMismatchError(SamestoryError):
    """An index was made with another configuration."""


class IndexLockedError(SamestoryError):
    """Another process is writing to the index."""


class MissingDependencyError(SamestoryError, ImportError):
    """An optional dependency is not installed."""
