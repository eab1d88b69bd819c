"""Colours of trials in pictures for paper: those of Okabe and Ito (2008), as on the page."""

from __future__ import annotations

from typing import Any

from results.store.statuses import STAGE_NAMES

COLOURS = {
    "completed": "#0072b2", "stopped": "#e69f00", "diverged": "#d55e00", "crashed": "#cc79a7", "running": "#56b4e9",
    "confirm": "#6b7a90", "ablate": "#8a7550", "winner": "#009e73", "bad": "#d55e00",
    "soft": "#5b6470", "base": "#000000",
}  # fmt: skip
MARKERS = {"completed": "o", "stopped": "s", "diverged": "^", "crashed": "x", "running": "."}
Data = dict[str, Any]


def drawn_as(data: Data, place: int) -> str:
    """The winner, the base, or the status of a trial of the search, and the stage of other runs: a key of COLOURS,
    ``soft`` for the rare ones.
    """
    winner, stage = data["winner"], str(data["trials"]["stage"][place])
    if stage in STAGE_NAMES:
        return stage
    if winner is not None and data["trials"]["number"][place] == winner["trial"]:
        return "winner"
    if data["trials"]["is_base"][place]:
        return "base"
    status = str(data["statuses"][data["trials"]["status"][place]])
    return status if status in COLOURS else "soft"


def said_of(kind: str) -> str:
    """The name of what is drawn so, for a legend."""
    return STAGE_NAMES.get(kind, "other" if kind == "soft" else kind)


def marker_of(kind: str) -> str:
    return {"winner": "*", "base": "D"}.get(kind, MARKERS.get(kind, "."))


def searched_places(data: Data) -> list[int]:
    """Places of the trials of the search: the winner and the base last, on top."""
    stages = data["trials"]["stage"]
    places = [place for place, stage in enumerate(stages) if stage == "search"]
    return sorted(places, key=lambda place: ("winner", "base").count(drawn_as(data, place)))
