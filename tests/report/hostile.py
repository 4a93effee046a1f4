"""Articles that try everything against a page: markup, links that run, control codes, endless words."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Final

from newsroom import Newsroom

SCRIPT: Final = "<script>window.hit='script'</script>"
IMAGE: Final = "<img src=x onerror=\"window.hit='image'\">"
CLOSING: Final = "</script></style></textarea><svg onload=window.hit='svg'>"
ATTRIBUTE: Final = "\" onmouseover=\"window.hit='attribute'\" x='"
TEMPLATE: Final = "{{ 7 * 7 }}{% raw %}${7*7}"
FORMULA: Final = "$\\frac{1}{0}$ \\N{bad} _x_"
OVERRIDE: Final = "\u202egpj.live\u2066\u2069\u2069\u200f"
CONTROLS: Final = "\x00\x01\x07\x08\x1b[31mred\x1b]0;owned\x07\x7f\x85\x9b31m\ufeff\ufffe"
LINES: Final = "\u2028\u2029\r\n\r\x0b\x0c"
LONG: Final = "w" * 1_000_000
ALL: Final = SCRIPT + IMAGE + CLOSING + ATTRIBUTE + TEMPLATE + FORMULA + OVERRIDE + CONTROLS + LINES
LINKS: Final = (
    "javascript:window.hit='link'",
    "JaVaScRiPt://host/%0awindow.hit='link'",
    "data:text/html,<script>window.hit='link'</script>",
    "https://host.example/\"onclick=\"window.hit='link'",
    " javascript:window.hit='link'",
    "http://ok.example/path?a=1&b=<2>",
    "https://" + "h" * 200_000 + ".example/",
)


def hostile_articles() -> list[dict[str, Any]]:
    """Clusters of copies whose every field is hostile, one of them with a word of a million letters."""
    room = Newsroom(7)
    moment = datetime(2025, 3, 1, tzinfo=timezone.utc)
    rows = []
    for k, link in enumerate(LINKS):
        text = f"{ALL}\n{room.story(90)}\n{IMAGE}{room.story(60)}{OVERRIDE}"
        for n, copy in enumerate((text, room.edited(text, 25), f"{text} {room.story(20)}")):
            rows.append(
                {
                    "id": f"{k}-{n}{ALL if n else SCRIPT}",
                    "title": (ALL, f"{IMAGE}{OVERRIDE}", LONG[:5000])[n],
                    "text": copy,
                    "source": f"{ALL}{k}" if n else f"{'s' * 4000}{k}",
                    "url": link,
                    "published_at": (moment + timedelta(hours=5 * k + n)).isoformat(),
                }
            )
    words = room.story(120)
    rows += [
        {
            "id": f"long{n}{'i' * 4000}",
            "title": LONG,
            "text": f"{words} {LONG} {room.story(9)}",
            "source": None,
        }
        for n in range(2)
    ]
    rows.append({"id": "controls", "title": None, "text": f"{words} {CONTROLS * 4000}", "source": "\x1b[2J"})
    rows.append({"id": "lines", "title": "", "text": f"{words}\n" + "same line\n" * 100_000, "source": ""})
    return rows
