"""Where a campaign's data and earlier campaigns are, as ``campaign.json`` keeps it: relative to the campaign's folder.

So the file names no folder of its user's that can be left out, and a campaign that is moved together with what it needs
still finds it. A path that has nothing but the root in common with the folder stays whole, as do names and URLs. In
memory all of them are whole.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from storage.location import Location

SOURCE = "data.source"  # the setting that says which data a campaign trains on
RECORDED = "recorded"  # among the folders that a search starts from: the space's own recorded runs


def relative(folder: Location, campaign: Mapping[str, Any]) -> dict[str, Any]:
    """The campaign as it is written into ``folder``."""
    if not isinstance(folder, Path):
        return dict(campaign)
    home = folder.resolve()

    def from_home(text: str) -> str:
        if not text.startswith("/") or os.path.commonpath([home, text]) == "/":
            return text
        short = os.path.relpath(text, home)
        return short if short.startswith("..") else os.path.join(".", short)

    return _changed(campaign, from_home)


def whole(folder: Location, campaign: Mapping[str, Any]) -> dict[str, Any]:
    """The campaign as it is read from ``folder``."""
    if not isinstance(folder, Path):
        return dict(campaign)
    home = folder.resolve()

    def to_whole(text: str) -> str:
        return os.path.normpath(home / text) if text.split("/")[0] in (".", "..") else text

    return _changed(campaign, to_whole)


def _changed(campaign: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    found = copy.deepcopy(dict(campaign))
    for holder, name in (
        (found.get("overrides"), SOURCE),
        ((found.get("base") or {}).get("data"), "source"),
    ):
        if isinstance(holder, dict) and isinstance(holder.get(name), str):
            holder[name] = change(holder[name])
    for name in ("reuse", "warm_start"):
        if isinstance(found.get(name), list):
            found[name] = [text if text == RECORDED else change(text) for text in found[name]]
    return found
