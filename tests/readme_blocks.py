"""The blocks of the README: what it tells to run, and what it says that comes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parents[1] / "README.md"
_BLOCK: Final = re.compile(
    r"(?:^<!-- ci: (?P<mark>[^\n]*?) -->\n)?"
    r"^```(?P<kind>\w+)\n(?P<code>.*?)^```\n"
    r"(?:\n```text\n(?P<shown>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
# Lines with figures that are no two times the same.
_VARYING: Final = re.compile(r"^(time|peak memory|size|threads) .*$")


@dataclass(frozen=True)
class Block:
    """A block of code, the mark that `.ci/run` knows it by, its section, and what it prints."""

    kind: str
    code: str
    shown: str | None
    mark: str | None
    section: str


def blocks_of(text: str) -> list[Block]:
    """Return the blocks of a README, in their order."""
    return [
        Block(
            kind=found["kind"],
            code=found["code"],
            shown=found["shown"],
            mark=found["mark"],
            section=_section(text, found.start()),
        )
        for found in _BLOCK.finditer(text)
    ]


def _section(text: str, at: int) -> str:
    heads = re.findall(r"^## (.*)$", text[:at], re.MULTILINE)
    return heads[-1] if heads else ""


def comparable(printed: str) -> list[str]:
    """Return lines without what differs from run to run, a wider column for a longer figure among it."""
    return [re.sub(" +", " ", _VARYING.sub(r"\1", line.rstrip())) for line in printed.rstrip().splitlines()]
