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
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.05
FOLDER_SECONDS = 0.5

Probe = Callable[[list[int]], None]
"""Is shown the processes of the tree with every sample."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run of one program."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    exit_code: int
    timed_out: bool
    errors: str  # the end of stderr


def tree_of(pid: int) -> list[psutil.Process]:
    """Return a process and all that it has started."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def end_tree(pid: int) -> None:
    """End a process, its group, and what it has started that has another, as Spark's workers do."""
    tree = tree_of(pid)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    for process in tree:
        with suppress(psutil.NoSuchProcess):
            process.kill()


class _Watch(threading.Thread):
    """Sample the memory of a process tree, and end the tree when its time is over."""

    def __init__(self, pid: int, timeout: float | None, probe: Probe | None) -> None:
        super().__init__(daemon=True)
        self.pid, self.timeout, self.probe = pid, timeout, probe
        self.peak_bytes, self.timed_out = 0, False
        self.done = threading.Event()

    def run(self) -> None:
        """Sample until told to stop."""
        started = time.perf_counter()
        while not self.done.wait(SAMPLE_SECONDS):
            self.sample()
            if self.timeout is not None and time.perf_counter() - started > self.timeout:
                self.timed_out = True
                end_tree(self.pid)
                return

    def sample(self) -> None:
        """Look at the resident memory of every process of the tree."""
        pids = [process.pid for process in tree_of(self.pid)]
        total = 0
        for pid in pids:
            resident, high_water = _memory(pid)
            total += resident
            self.peak_bytes = max(self.peak_bytes, high_water)
        self.peak_bytes = max(self.peak_bytes, total)
        if self.probe is not None:
            self.probe(pids)


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


class FolderWatch:
    """A probe that notes the most bytes a folder has taken on disk, in nameless files too."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder.resolve())
        self.most_bytes = 0
        self._due = 0.0

    def __call__(self, pids: list[int]) -> None:
        """Look, if it is time to look again."""
        now = time.perf_counter()
        if now >= self._due:
            self._due = now + FOLDER_SECONDS
            self.most_bytes = max(self.most_bytes, self._named() + self._nameless(pids))

    def _named(self) -> int:
        total = 0
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with suppress(OSError):
                    total += (Path(folder) / name).lstat().st_blocks * 512
        return total

    def _nameless(self, pids: list[int]) -> int:
        """Return the bytes of files that have no name any more and are held open by one of the processes."""
        found: dict[tuple[int, int], int] = {}
        for pid in pids:
            with suppress(OSError):
                for entry in os.scandir(f"/proc/{pid}/fd"):
                    with suppress(OSError):
                        place = str(Path(entry.path).readlink())
                        if place.startswith(self.folder + "/") and place.endswith(" (deleted)"):
                            about = Path(entry.path).stat()
                            found[about.st_dev, about.st_ino] = about.st_blocks * 512
        return sum(found.values())


def run_measured(
    command: Sequence[str],
    *,
    timeout: float | None = None,
    environment: Mapping[str, str] | None = None,
    probe: Probe | None = None,
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
        watch = _Watch(process.pid, timeout, probe)
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
