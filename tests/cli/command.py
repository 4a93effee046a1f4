"""The command as a user runs it: in this process for speed, or in one of its own, or on a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

from samestory.cli import app
from samestory.cli.failures import exit_code_of, run_guarded

SAMESTORY: Final = (sys.executable, "-m", "samestory")
FERRY: Final = "The ferry between the two islands will run again from Monday after a month of repairs."
BRIDGE: Final = "Engineers have closed the old bridge to lorries because of cracks in two of its arches."
ROWS: Final = (
    {"id": "a", "text": FERRY, "title": "Ferry back", "date": "2025-03-01T08:00:00Z"},
    {"id": "b", "text": FERRY.upper(), "title": "Ferry", "date": "2025-03-01T09:00:00Z"},
    {"id": "c", "text": BRIDGE, "title": "Bridge shut", "date": "2025-03-02T08:00:00Z"},
)


@dataclass(frozen=True)
class Ran:
    """What a run said, and with which code it left."""

    code: int
    out: str
    err: str


def environment(**changes: str) -> dict[str, str]:
    """The environment of a run: as here, but for settings of the terminal and of samestory."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SAMESTORY_") and name not in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
    }
    return {**kept, "PYTHONUTF8": "1", **changes}


def run(*arguments: str | Path, stdin: str = "", **changes: str) -> Ran:
    """Run `samestory` without a terminal."""
    done = subprocess.run(
        [*SAMESTORY, *map(str, arguments)],
        input=stdin.encode("utf-8"),
        capture_output=True,
        env=environment(**changes),
        timeout=180,
    )
    return Ran(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


def call(*arguments: str | Path, stdin: str = "", **changes: str) -> Ran:
    """Do in this process what `samestory` does in its own, but for what it does to a process."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    given = io.TextIOWrapper(io.BytesIO(stdin.encode("utf-8")), "utf-8")
    handler = signal.getsignal(signal.SIGTERM)
    with (
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
        mock.patch("sys.stdin", given),
        mock.patch("samestory.cli.jobs.lighten_startup"),
        mock.patch.dict(os.environ, environment(**changes), clear=True),
    ):
        words = [str(word) for word in arguments]
        code = exit_code_of(
            run_guarded(lambda: app.main(words, prog_name="samestory", standalone_mode=False))
        )
    signal.signal(signal.SIGTERM, handler)
    out, err = (stream.buffer.getvalue().decode("utf-8") for stream in streams)  # type: ignore[attr-defined]
    return Ran(code, out, err)


def run_on_terminal(*arguments: str | Path, columns: int = 80) -> Ran:
    """Run `samestory` with standard error on a terminal of so many columns."""
    import fcntl
    import pty
    import struct
    import termios

    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [*SAMESTORY, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(TERM="xterm-256color"),
    )
    os.close(theirs)
    shown = read_terminal(mine)
    out = process.communicate(timeout=180)[0]
    return Ran(process.returncode, out.decode(), shown)


def read_terminal(mine: int) -> str:
    """Everything that is written to the other end of a terminal until it is closed."""
    pieces = []
    while True:
        try:
            piece = os.read(mine, 65536)
        except OSError:  # what Linux says when the other end has gone
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(mine)
    return b"".join(pieces).decode("utf-8", "replace")


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]] = ROWS) -> Path:
    """Write rows as JSON Lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def read_lines(text: str) -> list[dict[str, Any]]:
    """Rows of JSON Lines."""
    return [json.loads(line) for line in text.splitlines()]


def wait_for(condition: Any, seconds: float = 60.0) -> bool:
    """Wait until a condition holds; whether it did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False
