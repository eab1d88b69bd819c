"""Puts the data of one campaign or several, the style and the scripts into one HTML file that refers to nothing else.

The data are JSON in a block that is never run, their ``<``, ``>``, ``&`` and line separators written as escapes, so
that no text can end the block. The page's policy (CSP) runs only its own script, known by its hash, and loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from importlib.resources import files as package_files
from string import Template
from typing import Any

from storage import inside
from storage.location import Location

from results.page import PAGE
from results.page.data import page_data
from results.store.frames import Results

# The scripts of a page, in this order, as one.
_SHARED = (
    "elements", "labels", "linked", "symbols", "scales", "outside", "chart", "tooltip", "filters", "lines",
    "intervals", "trial_table", "drawer", "theme",
)  # fmt: skip
_CAMPAIGN = (
    "state", "verdict", "progress", "curves", "confirmation", "effects", "parallel", "scatter", "replay", "transfer",
    "slots",
    "table", "trial", "page",
)  # fmt: skip
_COMPARISON = ("state", "side", "boards", "winners", "noise", "knobs", "trial", "page")
_MINUS = re.compile(r"(?<=[\s(])-(?=\d)")  # of a number, as the rest of the page writes it
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def write_page(results: Results, folder: Location) -> Location:
    """Write the page of a campaign into its folder, in place of an older one; returns where. An OSError if not."""
    inside.write(folder, PAGE, html_of(page_data(results, folder)).encode())
    return folder / PAGE


def html_of(data: dict[str, Any]) -> str:
    """The HTML of a page that shows the ``data`` of one campaign."""
    return _page(data, f"{data['name']}: {data['space']}", "campaign", _CAMPAIGN)


def html_of_comparison(data: dict[str, Any]) -> str:
    """The HTML of a page that shows the ``data`` of several campaigns."""
    return _page(data, data["name"], "comparison", _COMPARISON)


def _page(data: dict[str, Any], title: str, kind: str, scripts: Sequence[str]) -> str:
    style = _part("page.css")
    names = [*(f"shared/{name}" for name in _SHARED), *(f"{kind}/{name}" for name in scripts)]
    script = "\n".join(['"use strict";', "(() => {", *(_part(f"scripts/{name}.js") for name in names), "})();"])
    return Template(_part("frame.html")).substitute(
        title=html.escape(title),
        sentence=html.escape(_MINUS.sub("\u2212", data["verdict"]["sentence"])),
        sections=_part(f"{kind}.html"),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=embedded(data),
    )


def embedded(data: Any) -> str:
    """JSON that can stand in a script block of HTML, whatever texts it holds."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_ESCAPES)


def _part(name: str) -> str:
    return (package_files("results.page") / name).read_text("utf-8")


def _hash(text: str) -> str:
    """The hash of an inline block, as a content security policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
