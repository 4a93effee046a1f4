"""What LMDB's errors mean for an index, in words."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

import lmdb

from samestory.errors import IndexFormatError, InputError, OutputError, SamestoryError

MOST_READERS: Final = 512
RESTORE_HINT: Final = "restore a copy of the index, or build it again"
NO_RIGHTS: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
# LMDB reports what it could write only in part, as on a full disk, as EIO.
_NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def damaged(folder: Path, what: object) -> IndexFormatError:
    """Return the error that an index is damaged, and how."""
    return IndexFormatError(f"the index at {folder} is damaged: {what}", hint=RESTORE_HINT)


def replaced(folder: Path) -> IndexFormatError:
    """Return the error that the data file is no longer the one that was opened."""
    return IndexFormatError(
        f"the index at {folder} was deleted or replaced after it had been opened",
        hint="close the index and open it again",
    )


def read_failure(folder: Path, error: lmdb.Error | OSError) -> SamestoryError:
    """Return what to raise where an index cannot be read."""
    if isinstance(error, lmdb.ReadersFullError):
        return InputError(
            f"the index at {folder} has as many readers as it can have, {MOST_READERS}",
            hint="close it in some of them",
        )
    if error_code(error) > 0:
        return InputError(
            f"cannot read the index at {folder}: {error}", hint=_reading_hint(error_code(error))
        )
    return damaged(folder, error)


def write_failure(folder: Path, error: lmdb.Error | OSError) -> SamestoryError:
    """Return what to raise where an index cannot be written."""
    code = error_code(error)
    message = f"cannot write to the index at {folder}: {error}"
    if isinstance(error, lmdb.DiskError) or code in _NO_SPACE:
        hint = "the disk may be full, or a limit of space or file size be reached: free some and try again"
        return OutputError(f"{message}; nothing was changed", hint=hint)
    if code in NO_RIGHTS or isinstance(error, lmdb.ReadonlyError):
        return OutputError(message, hint="check that you may write to it; an index can be read without")
    if code > 0:
        return OutputError(message, hint=_reading_hint(code))
    return read_failure(folder, error)


def _reading_hint(code: int) -> str:
    if code == errno.ENOMEM:
        return "raise the limit on the process's address space (ulimit -v)"
    if code in (errno.EMFILE, errno.ENFILE):
        return "raise the limit on open files (ulimit -n)"
    return "check the folder, its rights and its disk"


def error_code(error: lmdb.Error | OSError) -> int:
    """Return the system's number of an error; 0 or less for LMDB's own."""
    return (error.errno or 0) if isinstance(error, OSError) else error.code
