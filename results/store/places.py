"""Paths of a campaign's data and of earlier campaigns, as its files keep them: relative to the campaign's folder.

So ``campaign.json`` and the configs of the trials name no folder of their user's that can be left out, and a campaign
that is moved together with what it needs still finds it. A path that has nothing but the root in common with the folder
stays whole, as do names and URLs. In memory all of them are whole. (The rows of trials: row_places.py.)
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

Change = Callable[[str], str]


def relative(folder: Location, campaign: Mapping[str, Any]) -> dict[str, Any]:
    """The campaign as it is written into ``folder``."""
    return _changed(campaign, from_home(folder)) if isinstance(folder, Path) else dict(campaign)


def whole(folder: Location, campaign: Mapping[str, Any]) -> dict[str, Any]:
    """The campaign as it is read from ``folder``."""
    return _changed(campaign, to_whole(folder)) if isinstance(folder, Path) else dict(campaign)


def from_home(folder: Path) -> Change:
    """The change of a path to the one from ``folder``."""
    home = folder.resolve()

    def shortened(text: str) -> str:
        if not text.startswith("/") or os.path.commonpath([home, text]) == "/":
            return text
        short = os.path.relpath(text, home)
        return short if short.startswith("..") else os.path.join(".", short)

    return shortened


def to_whole(folder: Path) -> Change:
    """The change back: of a path from ``folder`` to the whole one."""
    home = folder.resolve()

    def lengthened(text: str) -> str:
        return os.path.normpath(home / text) if text.split("/")[0] in (".", "..") else text

    return lengthened


def _changed(campaign: Mapping[str, Any], change: Change) -> dict[str, Any]:
    found = copy.deepcopy(dict(campaign))
    change_sources(found.get("overrides"), found.get("base"), change)
    for name in ("reuse", "warm_start"):
        if isinstance(found.get(name), list):
            found[name] = [text if text == RECORDED else change(text) for text in found[name]]
    return found


def change_sources(overrides: Any, config: Any, change: Change) -> bool:
    """Change where the data are, in settings by dotted path and in a config; whether that made a difference."""
    differs = False
    for holder, name in ((overrides, SOURCE), (config.get("data") if isinstance(config, dict) else None, "source")):
        if isinstance(holder, dict) and isinstance(before := holder.get(name), str):
            holder[name] = change(before)
            differs |= holder[name] != before
    return differs
