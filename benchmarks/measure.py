"""Run a program as a process of its own and measure time, processor time and memory.

Peak memory is that of the whole process tree: the largest sum of resident memory seen (sampled every
50 ms; pages that processes share count in each), or the high-water mark of a single process where
that is larger.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

SAMPLE_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run of one program."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    exit_code: int
    timed_out: bool
    errors: str  # the end of stderr


class _Watch(threading.Thread):
    """Sample the memory of a process tree, and end the tree when its time is over."""

    def __init__(self, pid: int, timeout: float | None) -> None:
        super().__init__(daemon=True)
        self.pid, self.timeout = pid, timeout
        self.peak_bytes, self.timed_out = 0, False
        self.done = threading.Event()

    def run(self) -> None:
        """Sample until told to stop."""
        started = time.perf_counter()
        while not self.done.wait(SAMPLE_SECONDS):
            self.sample()
            if self.timeout is not None and time.perf_counter() - started > self.timeout:
                self.timed_out = True
                os.killpg(self.pid, signal.SIGKILL)
                return

    def sample(self) -> None:
        """Look at the resident memory of every process of the tree."""
        try:
            root = psutil.Process(self.pid)
            tree = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        total = 0
        for process in tree:
            resident, high_water = _memory(process.pid)
            total += resident
            self.peak_bytes = max(self.peak_bytes, high_water)
        self.peak_bytes = max(self.peak_bytes, total)


def _memory(pid: int) -> tuple[int, int]:
    """Return the resident bytes of a process and their high-water mark (0, 0 when it is gone)."""
    found = {"VmRSS": 0, "VmHWM": 0}
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                name, _, value = line.partition(":")
                if name in found:
                    found[name] = int(value.split()[0]) * 1024
    except OSError:
        pass
    return found["VmRSS"], found["VmHWM"]


def run_measured(
    command: Sequence[str], *, timeout: float | None = None, environment: Mapping[str, str] | None = None
) -> Measured:
    """Run a command to its end (or its timeout) and measure it. Linux only."""
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=dict(os.environ, **(environment or {})),
            start_new_session=True,
        )
        watch = _Watch(process.pid, timeout)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        watch.done.set()
        watch.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - 2000))
        message = errors.read().decode(errors="replace")
    return Measured(
        wall_seconds=wall,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_bytes=watch.peak_bytes,
        exit_code=process.returncode,
        timed_out=watch.timed_out,
        errors=message,
    )
