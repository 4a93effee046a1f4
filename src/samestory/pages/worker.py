"""A process that takes pages apart: one after another from standard input, answers to standard output.

A message is eight bytes, the lengths of its two parts; then facts as JSON, and the bytes of a page.
Answers are JSON for a reason: what hostile pages make of this process must not run in the other.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import struct
import sys
from typing import IO, Any, Final

MOST_BYTES: Final = 8 << 20
"""Of a page, unpacked; what comes after is not looked at."""

_LENGTHS: Final = struct.Struct("<II")
_LONGEST_SECONDS: Final = 60


def send(stream: IO[bytes], facts: dict[str, Any], data: bytes = b"") -> None:
    """Write a message."""
    text = json.dumps(facts).encode("ascii")
    stream.write(_LENGTHS.pack(len(text), len(data)) + text)
    if data:
        stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read a message, None where the stream has ended."""
    head = stream.read(_LENGTHS.size)
    if len(head) < _LENGTHS.size:
        return None
    n_text, n_data = _LENGTHS.unpack(head)
    text, data = stream.read(n_text), stream.read(n_data)
    if len(text) < n_text or len(data) < n_data:
        return None
    return json.loads(text), data


def main() -> None:
    """Answer until standard input ends."""
    # The interrupt of a terminal reaches all processes; the other one ends this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing but answers goes there
    logging.disable(logging.CRITICAL)
    try:
        from samestory.pages import extract  # noqa: F401
    except ImportError as error:
        send(answers, {"missing": str(error)})
        return
    send(answers, {"ready": True})
    while (message := receive(sys.stdin.buffer)) is not None:
        _end_in(_LONGEST_SECONDS)
        send(answers, _answer(*message))
        _end_in(0)


def _end_in(seconds: int) -> None:
    """End this process after so many seconds, whatever it does then; never for 0.

    The other process ends it earlier, if that is still there.
    """
    if hasattr(signal, "alarm"):  # not on Windows
        signal.alarm(seconds)


def _answer(facts: dict[str, Any], body: bytes) -> dict[str, Any]:
    from samestory.pages.bodies import unwrap
    from samestory.pages.charsets import decode
    from samestory.pages.extract import read_page

    # One more, by which it shows whether there are any.
    data = unwrap(body, chunked=facts["chunked"], encodings=facts["encodings"], most=MOST_BYTES + 1)
    html = decode(data[:MOST_BYTES], facts["charset"])
    page = read_page(html, facts["url"], facts["way"])
    found = {name: _clean(value) for name, value in vars(page).items()}
    return {**found, "is_cut": len(data) > MOST_BYTES}


def _clean(value: Any) -> Any:
    """A value that can be encoded: lone surrogates become question marks."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


if __name__ == "__main__":
    main()
