"""Progress on a terminal: a line a stage with a bar, a rate and the time left; all gone at the end.

Stages report as often as they like: they only leave figures here, and a thread of its own draws them a
few times a second.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import click
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from samestory.progress import Observer, Stage, describe

_DRAWN_A_SECOND: Final = 8
_SAMPLE_SECONDS: Final = 0.5
_SAMPLES: Final = 40  # twenty seconds: what is left is judged by the pace of late
_SETTLED_SECONDS: Final = 1.0
_LEAST_BAR: Final = 8
_MOST_BAR: Final = 30
_WIDE: Final = 72
_SPINNER: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_SPINNER: Final = "-\\|/"


@contextmanager
def shown_progress() -> Iterator[Observer]:
    """Show stages on standard error: bars where it is a terminal, else a line a stage."""
    console = Console(stderr=True)
    if not sys.stderr.isatty() or console.is_dumb_terminal:
        yield Lines()
        return
    board = Board()
    live = Live(board, console=console, transient=True, refresh_per_second=_DRAWN_A_SECOND)
    try:
        with _interrupts_later():
            live.start()
        yield board
    finally:
        with _interrupts_later():
            live.stop()


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Let an interrupt wait: half way into drawing, or out of it, it would leave the cursor hidden."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
    if came:
        raise KeyboardInterrupt


class Lines:
    """An observer that writes a line a stage, where there is no terminal to draw on."""

    def __init__(self) -> None:
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Note it: see `Observer`."""
        if stage != self._stage:
            self._stage = stage
            shown = describe(stage)
            of = f" {total:,} {shown.unit}" if total and shown.unit and not shown.is_step else ""
            click.echo(f"{shown.words}{of} ...", err=True)


@dataclass
class Pace:
    """How far one stage has come, and how fast.

    Attributes
    ----------
    stage : Stage
    began : float
        In seconds of some clock.
    """

    stage: Stage
    began: float
    done: int = 0
    total: int | None = None
    ended: float | None = None
    _seen: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_SAMPLES))

    def note(self, now: float, done: int, total: int | None) -> None:
        """Note how far it is."""
        self.done, self.total = done, total
        if not self._seen or now - self._seen[-1][0] >= _SAMPLE_SECONDS:
            self._seen.append((now, done))

    def seconds(self, now: float) -> float:
        """Return how long it has taken."""
        return (now if self.ended is None else self.ended) - self.began

    def rate(self, now: float) -> float | None:
        """Return units a second; None while it is too early to say."""
        seconds = self.seconds(now)
        if self.stage.is_step or not self.done or seconds < _SETTLED_SECONDS:
            return None
        return self.done / seconds

    def left(self, now: float) -> float | None:
        """Return the seconds left, by the pace of late; None where nobody can say."""
        if not self.total or self.ended is not None or self.rate(now) is None:
            return None
        then, done_then = self._seen[0]
        if self.done <= done_then or now - then < _SETTLED_SECONDS:
            return None
        return max(0.0, (self.total - self.done) * (now - then) / (self.done - done_then))


class Board:
    """An observer that is drawn: the stages done, dim, and the one that is under way."""

    def __init__(self) -> None:
        self._paces: list[Pace] = []
        self._name = ""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Note it: see `Observer`."""
        now = time.monotonic()
        if stage != self._name or not self._paces:
            if self._paces:
                self._paces[-1].ended = now
            self._name = stage
            self._paces = [*self._paces, Pace(describe(stage), now)]  # a new list: another thread draws
        self._paces[-1].note(now, done, total)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        now = time.monotonic()
        most = max(1, (options.height or console.height) - 2)
        for pace in self._paces[-most:]:
            yield line_of(pace, now, options.max_width, plain=options.ascii_only)


def line_of(pace: Pace, now: float, width: int, *, plain: bool = False) -> Text:
    """Return a stage as one line that fits.

    Parameters
    ----------
    pace : Pace
    now : float
        In seconds of the clock of the stage.
    width : int
        Cells of the terminal.
    plain : bool
        Whether to do with ASCII.
    """
    under_way = pace.ended is None
    line = Text(no_wrap=True, overflow="crop", end="\n", style="" if under_way else "dim")
    line.append(_mark(pace, now, plain=plain) + " ", style="cyan" if under_way else "")
    line.append(f"{pace.stage.words:<18}", style="bold" if under_way else "")
    cells = [cell for cell in _cells(pace, now, wide=width >= _WIDE) if cell]
    tail = Text("".join(f"  {cell}" for cell in cells))
    room = width - line.cell_len - tail.cell_len - 1
    if width >= _WIDE and room > _LEAST_BAR:
        line.append(" ")
        line.append_text(_bar(pace, min(_MOST_BAR, room - 1), plain=plain))
    line.append_text(tail)
    line.rstrip()
    line.truncate(max(1, width - 1))
    return line


def _mark(pace: Pace, now: float, *, plain: bool) -> str:
    if pace.ended is not None:
        return "*" if plain else "✓"
    frames = _PLAIN_SPINNER if plain else _SPINNER
    return frames[int(now * _DRAWN_A_SECOND) % len(frames)]


def _cells(pace: Pace, now: float, *, wide: bool) -> Iterator[str]:
    """Yield what is said of a stage; of little room, what matters most."""
    rate, left = pace.rate(now), pace.left(now)
    share = f"{min(pace.done / pace.total, 1.0):4.0%}" if pace.total and pace.ended is None else ""
    count = _count(pace)
    if not wide:
        yield share or (count if pace.ended is None else "")
        yield _time(pace.seconds(now)) if left is None else f"{_time(left)} left"
        return
    yield f"{count:>18}"
    yield f"{_compact(rate)}/s".rjust(7) if rate is not None else " " * 7
    yield f"{_time(pace.seconds(now)):>5}"
    yield f"{_time(left):>5} left" if left is not None else " " * 10


def _count(pace: Pace) -> str:
    if not pace.stage.unit or not (pace.done or pace.total):
        return ""
    if pace.ended is not None:
        return f"{_compact(max(pace.done, pace.total or 0))} {pace.stage.unit}"
    of = f"/{_compact(pace.total)}" if pace.total else ""
    return f"{_compact(pace.done)}{of} {pace.stage.unit}"


def _bar(pace: Pace, width: int, *, plain: bool) -> Text:
    """Return a bar; nothing, but as wide, where the total is not known or all is done."""
    if not pace.total or pace.ended is not None:
        return Text(" " * width)
    full = int(width * min(pace.done / pace.total, 1.0))
    done, left = ("#", "-") if plain else ("━", "╌")
    return Text.assemble((done * full, "green"), (left * (width - full), "dim"))


def _compact(number: float) -> str:
    """Write a count in five characters or so: 934, 12.3k, 412k, 1.24M."""
    if number < 1000:
        return f"{number:,.0f}"
    for limit, unit in ((1e6, "k"), (1e9, "M"), (1e12, "G")):
        value = number / (limit / 1e3)
        if number < limit * 0.9995:
            return f"{value:.2f}{unit}" if value < 9.995 else f"{value:.{1 if value < 99.95 else 0}f}{unit}"
    return f"{number:.2e}"


def _time(seconds: float) -> str:
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
