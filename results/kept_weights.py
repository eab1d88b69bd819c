"""Line of the report about the weights that a campaign keeps: of which trials, and the command that exports them."""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
from storage.location import Location
from terminal.counted import counted

from results.questions.framed import second_objective_of
from results.questions.pareto import pareto
from results.questions.winner import winner
from results.store.find import RUNS
from results.store.frames import Results
from results.store.resume_command import EXPORT_PROGRAM, from_anywhere
from results.store.row_types import TrialRow
from results.store.statuses import ABLATE, CONFIRM
from results.verdicts import plain_rows_of

SHOWN = 4  # that are named; more are counted
_LATER = {CONFIRM: "on a fresh seed", ABLATE: "of the ablation"}  # stages after the search, in words


def weights_line(results: Results, folder: Location) -> str | None:
    """Say whose weights are kept, and how to export them; None where none are."""
    rows = results.rows
    kept = rows[rows["weights"].notna()] if "weights" in rows else rows[:0]
    if kept.empty:
        return None
    whose = _counted(kept) if len(kept) > SHOWN else ", ".join(_name(row) for row in kept.to_dict("records"))
    return f"Weights of {whose}: {EXPORT_PROGRAM} {shlex.quote(name_in_commands(folder))}{_writes(results, kept)}"


def _writes(results: Results, kept: pd.DataFrame) -> str:
    """Say which of them the export writes without an option; where it would have none to write, with which it does."""
    numbers = [int(number) for number in kept["number"]]
    chosen = taken_alone(results, plain_rows_of(results))
    if chosen is not None and chosen.get("weights"):
        written, option = int(chosen["number"]), ""
    else:
        written = next((number for number in _front(results) if number in numbers), numbers[0])
        option = f" --trial {written}"
    if len(numbers) == 1:
        return f"{option} writes them out"
    return f"{option} writes out those of trial {written} (others: --trial N)"


def _front(results: Results) -> list[int]:
    return [] if second_objective_of(results) is None else [int(number) for number in pareto(results)["trial"]]


def taken_alone(results: Results, rows: Sequence[TrialRow]) -> TrialRow | None:
    """The run that an export takes where none is named; None where there is no winner, as of two objectives.

    It is the winner's own trial, else a run of its config on a fresh seed, else what an ablation has left of it; where
    none of these has weights, the first of them.
    """
    if second_objective_of(results) is not None or (won := winner(results)).empty:
        return None
    key = won["key"].iloc[0]
    of_winner = [row for row in rows if key in (row["key"], row.get("arm"))]
    of_winner += [row for row in rows if row.get("stage") == ABLATE and not row["is_base"]]
    with_weights = [row for row in of_winner if row.get("weights")]
    with_weights.sort(key=lambda row: (row["key"] != key, row.get("stage") == ABLATE, row["number"]))
    return with_weights[0] if with_weights else of_winner[0]


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
