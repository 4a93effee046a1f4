"""The lock that one writer of an index holds, across processes and threads."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from samestory.errors import IndexLockedError, OutputError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_NAME: Final = "write.lock"
_PAUSE_SECONDS: Final = 0.01
_MOST_BYTES: Final = 300
_HELD: Final = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextmanager
def write_lock(folder: Path, timeout: float) -> Iterator[None]:
    """Hold the writer's lock of a folder; the system frees it when the process ends, however it ends.

    Each call opens the lock file anew, and so threads of one process exclude each other as well; the lock
    is not reentrant.

    Parameters
    ----------
    folder : Path
        Of the index; must exist.
    timeout : float
        Seconds to wait for another holder; 0 tries once.

    Raises
    ------
    IndexLockedError
        If another process or thread still holds the lock after `timeout`.
    OutputError
        If the lock file cannot be written, or its file system knows no locks.
    """
    path = folder / LOCK_NAME
    descriptor = _open(path)
    pid = os.getpid()
    try:
        _wait(path, descriptor, timeout)
        try:
            _leave_name(descriptor)
            yield
        finally:
            # A child that was forked meanwhile shares the lock, and must not free it.
            if os.getpid() == pid:
                _unlock(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OutputError(
            f"cannot write to the index at {path.parent}: {error.strerror} ({path.name})",
            hint="check that you may write to the folder; an index can be read without",
        ) from error


def _wait(path: Path, descriptor: int, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not _try_lock(path, descriptor):
        left = deadline - time.monotonic()
        if left <= 0:
            raise IndexLockedError(
                f"{_holder(descriptor)} is writing to the index at {path.parent}",
                hint="wait until it is done, or wait longer with a larger --lock-timeout",
            )
        time.sleep(min(_PAUSE_SECONDS, left))


def _try_lock(path: Path, descriptor: int) -> bool:
    try:
        _lock(descriptor)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise OutputError(
            f"cannot lock the index at {path.parent}: {error.strerror}",
            hint="keep the index on a file system that supports locks, such as a local disk",
        ) from error
    return True


if sys.platform == "win32":
    # Locked bytes cannot be read by others there: lock one far behind the holder's name.
    _FAR: Final = 1 << 20

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        # Closing alone would not free it while a forked child has the descriptor too.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _leave_name(descriptor: int) -> None:
    """Write who holds the lock, for the message of those who wait; a full disk must not matter."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()} {socket.gethostname()}\n".encode())


def _holder(descriptor: int) -> str:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        pid, host = os.read(descriptor, _MOST_BYTES).decode(errors="replace").split()
    except (OSError, ValueError):
        return "another process"
    if pid == str(os.getpid()) and host == socket.gethostname():
        return "this process (in another thread, or twice)"
    return f"another process (pid {pid} on {host})"
