"""The page itself: template, style, script and data in one file that asks nothing of the network."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import Any, Final

from samestory.errors import MissingDependencyError
from samestory.report.escape import page_json

_FOLDER: Final = "page"
_SCRIPTS: Final = (
    "1_theme.js", "2_data.js", "3_elements.js", "4_compare.js", "5_detail.js", "6_list.js", "7_start.js",
)  # fmt: skip
_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect x='1' y='1' width='10' height='10' rx='2' fill='%230b6b74'/%3E"
    "%3Crect x='5' y='5' width='10' height='10' rx='2' fill='%2377b8be'/%3E%3C/svg%3E"
)


def check_jinja() -> None:
    """Raise `MissingDependencyError` unless pages can be made."""
    _environment_class()


def _environment_class() -> Any:
    try:
        from jinja2 import Environment
    except ImportError as error:
        raise MissingDependencyError(
            "a report needs Jinja2, which is not installed", hint="pip install 'samestory[report]'"
        ) from error
    return Environment


def render_page(values: dict[str, Any], data: dict[str, Any], texts: dict[str, Any]) -> bytes:
    """Return the whole page.

    Parameters
    ----------
    values : dict
        What the template names; strings are escaped.
    data, texts : dict
        What the script reads: the list, and what its rows open to.
    """
    from jinja2 import FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = _environment_class()(
        loader=FunctionLoader(_read), autoescape=True, undefined=StrictUndefined, trim_blocks=False
    )
    css, script = _read("page.css"), _script()
    page: str = environment.get_template("report.html").render(
        **values,
        css=Markup(css),
        script=Markup(script),
        data=Markup(page_json(data)),
        texts=Markup(page_json(texts)),
        icon=_ICON,
        policy=_policy(css, script),
    )
    return page.encode("utf-8", "replace")


def _script() -> str:
    """The page's script: what its parts declare is their own, none of it the window's."""
    parts = "\n".join(_read(name) for name in _SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def _policy(css: str, script: str) -> str:
    """A content security policy under which nothing runs or loads but this style and this script."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(css)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(_FOLDER).joinpath(name).read_text(encoding="utf-8")
