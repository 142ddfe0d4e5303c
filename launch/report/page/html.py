"""A page from its data: one HTML file that needs no network."""

import html
import json
from functools import cache
from importlib.resources import files
from typing import Any

from launch.report.terminal import json_text

_SCRIPTS = ("uplot.min.js", "echarts.min.js", "tabulator.min.js")
_STYLES = ("uplot.min.css", "tabulator.min.css")

OWN_SCRIPTS = (
    "data.js",
    "colours.js",
    "choice.js",
    "summary.js",
    "curves.js",
    "charts.js",
    "table.js",
    "compare.js",
    "page.js",
)
"""In the order in which they need each other."""


def page(data: dict[str, Any]) -> str:
    """The whole file."""
    parts = {
        "title": html.escape(str(data["title"])),
        "styles": "\n".join([*map(_vendored, _STYLES), _asset("page.css")]),
        "data": script_safe(json_text(data, indent=None)),
        "libraries": "\n".join(f"<script>{_vendored(name)}</script>" for name in _SCRIPTS),
        "scripts": "\n".join(map(_asset, OWN_SCRIPTS)),
        "licences": html.escape(licences()),
    }
    text = _asset("page.html")
    # One after the other, in pieces: what data holds is never taken for a place to fill.
    head, *rest = text.split("{{")
    return head + "".join(
        parts[name] + after for name, _, after in (p.partition("}}") for p in rest)
    )


def script_safe(text: str) -> str:
    """JSON that stays JSON inside of a script element, whatever strings it holds."""
    signs = ("<", ">", "&", "\u2028", "\u2029")
    for sign in signs:
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def manifest() -> dict[str, Any]:
    """Names, versions, licences and hashes of what others have written."""
    record: dict[str, Any] = json.loads(_vendored("manifest.json"))
    return record


def licences() -> str:
    """The licences of what a page contains, since each page is a copy of it."""
    parts = []
    for package in manifest()["packages"]:
        texts = [
            _vendored(name) for name in package["files"] if name.endswith(("NOTICE", "LICENSE"))
        ]
        parts.append(f"{package['name']} {package['version']}\n\n" + "\n".join(texts))
    return "\n\n".join(parts)


@cache
def _vendored(name: str) -> str:
    return (files(__package__) / "vendor" / name).read_text("utf-8")


@cache
def _asset(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text("utf-8")
