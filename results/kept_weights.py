"""Line of the report about the weights that a campaign keeps: of which trials, and the command that exports them."""

from __future__ import annotations

import shlex

from storage.location import Location
from terminal.counted import counted

from results.store.find import RUNS
from results.store.frames import Results
from results.store.resume_command import EXPORT_PROGRAM, from_anywhere

SHOWN = 4  # trials that are named; more are counted


def weights_line(results: Results, folder: Location) -> str | None:
    """Say whose weights are kept, and how to export them; None where none are."""
    rows = results.rows
    kept = rows[rows["weights"].notna()] if "weights" in rows else rows[:0]
    if kept.empty:
        return None
    pairs = zip(kept["number"], kept["is_base"], strict=True)
    names = [f"trial {number}{' (the base)' if is_base else ''}" for number, is_base in pairs]
    whose = counted(len(names), "trial") if len(names) > SHOWN else ", ".join(names)
    return f"Weights of {whose}: {EXPORT_PROGRAM} {shlex.quote(name_in_commands(folder))} writes them out"


def name_in_commands(folder: Location) -> str:
    """Return what a command calls the campaign, from wherever it is typed: its name where that finds it."""
    place = from_anywhere(folder)
    return place.name if place.parent == RUNS else str(place)
