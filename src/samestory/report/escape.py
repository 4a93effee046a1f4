"""Values as JSON that may stand inside a page's script element."""

from __future__ import annotations

import json
from typing import Any, Final

_ESCAPES: Final = {
    ord(c): f"\\u{ord(c):04x}" for c in ("<", ">", "&", "\u2028", "\u2029")
}  # in JSON they occur in strings only


def page_json(value: Any) -> str:
    r"""Return a value as JSON in which nothing can end the element or begin another.

    Examples
    --------
    >>> page_json(["</script>", 1])
    '["\\u003c/script\\u003e",1]'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_ESCAPES)


def json_size(value: Any) -> int:
    """Return how many bytes a value takes in the page, with a comma."""
    return len(page_json(value).encode("utf-8", "replace")) + 1
