"""Line of the report about the weights that a campaign keeps: of which trials, and the command that exports them."""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from storage.location import Location
from terminal.counted import counted

from results.store.find import RUNS
from results.store.frames import Results
from results.store.resume_command import EXPORT_PROGRAM, from_anywhere
from results.store.statuses import ABLATE, CONFIRM

SHOWN = 4  # that are named; more are counted
_LATER = {CONFIRM: "on a fresh seed", ABLATE: "of the ablation"}  # stages after the search, in words


def weights_line(results: Results, folder: Location) -> str | None:
    """Say whose weights are kept, and how to export them; None where none are."""
    rows = results.rows
    kept = rows[rows["weights"].notna()] if "weights" in rows else rows[:0]
    if kept.empty:
        return None
    whose = _counted(kept) if len(kept) > SHOWN else ", ".join(_name(row) for row in kept.to_dict("records"))
    return f"Weights of {whose}: {EXPORT_PROGRAM} {shlex.quote(name_in_commands(folder))} writes them out"


def _name(row: Mapping[Hashable, Any]) -> str:
    """Name a run as ``--trial`` of an export takes it, and say what it is of."""
    stage = row.get("stage")
    said = ", ".join((["the base"] if row["is_base"] else []) + ([_LATER[stage]] if stage in _LATER else []))
    return f"trial {row['number']} ({said})" if said else f"trial {row['number']}"


def _counted(kept: pd.DataFrame) -> str:
    """Count trials as the rest of the report does, which are those of the search, apart from the runs after it."""
    later = int(kept["stage"].isin(list(_LATER)).sum()) if "stage" in kept else 0
    searched = [counted(len(kept) - later, "trial")] if later < len(kept) else []
    return " and ".join([*searched, f"{counted(later, 'run')} after the search"] if later else searched)


def name_in_commands(folder: Location) -> str:
    """Return what a command calls the campaign, from wherever it is typed: its name where that finds it."""
    place = from_anywhere(folder)
    return place.name if place.parent == RUNS else str(place)
