"""A Redis server of our own for as long as it is measured: on a free port of this machine only."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 10.0  # seconds


class RedisFailedError(Exception):
    """The server did not start; the message is its last word."""


def redis_version(program: str) -> str:
    """Return the version of a server."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    words = dict(word.split("=", 1) for word in told.split() if "=" in word)
    return words.get("v", "unknown")


@contextmanager
def running(program: str, folder: Path) -> Iterator[int]:
    """Run a server that keeps what it saves in `folder`; give its port, and end it afterwards.

    It writes nothing to the disk unless it is told to: that is Redis at its fastest.
    """
    port = _free_port()
    options = {"port": port, "bind": "127.0.0.1", "dir": folder, "appendonly": "no", "daemonize": "no"}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with (folder / "server.log").open("w+", encoding="utf-8") as log:
        server = subprocess.Popen(
            [program, *words, "--save", ""], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            if not _answers(server, port):
                log.seek(0)
                raise RedisFailedError((log.read().strip().splitlines() or ["no message"])[-1])
            yield port
        finally:
            server.terminate()
            server.wait()


def _free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server takes connections; return whether it does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1.0):
                return True
        except OSError:
            time.sleep(0.05)
    return False
