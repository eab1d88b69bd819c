"""The courses of trials, thinned to what a page can hold: the objective at each report, and the training curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from results.page.plain import json_number, json_numbers
from results.store.row_types import REPORT_COLUMNS

MOST_POINTS = 150_000  # of all lines of one measure together: about 2 MB
POINTS_OF_A_TRIAL = 500
MOST_RUNGS = 8
DIGITS = 5


def objective_lines(trials: pd.DataFrame, reports: pd.DataFrame, objective: str) -> dict[str, Any] | None:
    """The objective of each trial over its steps, by the trial's place in ``trials``; None where nothing was measured.

    Where an earlier attempt reported further, the last attempt's reports are the ones that count.
    """
    return _measure(objective, _unit(objective), trials, _measured(reports, objective))


def at_rungs(trials: pd.DataFrame, reports: pd.DataFrame, objective: str) -> list[dict[str, Any]]:
    """The objective of every trial at each milestone that many came to, null for those that did not; ascending."""
    ends = trials.set_index("key")["budget"]
    measured = _measured(reports, objective)
    before = measured[measured["milestone"] < measured["key"].map(ends).astype(float)]
    often = before.drop_duplicates(["key", "milestone"])["milestone"].value_counts()
    found = []
    for milestone in sorted(often[often >= max(2, len(trials) / 10)].index[:MOST_RUNGS]):
        there = before[before["milestone"] == milestone].drop_duplicates("key", keep="last").set_index("key")["value"]
        found.append({"rung": json_number(milestone), "values": json_numbers(trials["key"].map(there))})
    return found


def curve_lines(trials: pd.DataFrame, curves: pd.DataFrame) -> list[dict[str, Any]]:
    """Each training curve (loss, gradient norm, learning rates) of the data set ``curves``."""
    found = []
    for name, table in curves.dropna(subset=["value"]).groupby("name", sort=False):
        unit = next(iter(table["unit"].dropna()), "")
        measure = _measure(str(name), str(unit), trials, table)
        found += [] if measure is None else [measure]
    return found


def _measured(reports: pd.DataFrame, objective: str) -> pd.DataFrame:
    """The reports that measured the objective, a row a step of each trial: as its last attempt has it."""
    own = reports["reported_value"]  # of a train function of the user's own
    table = reports.assign(value=own if objective not in reports else reports[objective].where(own.isna(), own))
    ordered = table.dropna(subset=["value", "step"]).sort_values(["attempt", "step"], kind="stable")
    return ordered.drop_duplicates(["key", "step"], keep="last")


def _measure(name: str, unit: str, trials: pd.DataFrame, table: pd.DataFrame) -> dict[str, Any] | None:
    if table.empty:
        return None
    places = {key: place for place, key in enumerate(trials["key"])}
    groups = dict(iter(table.sort_values("step", kind="stable").groupby("key", sort=False)))
    most = min(POINTS_OF_A_TRIAL, max(20, MOST_POINTS // max(1, len(groups))))
    of: dict[int, list[Sequence[Any]]] = {}
    for key, rows in groups.items():
        if key in places:
            kept = rows.iloc[thinned(len(rows), most)]
            tokens: Iterable[Any] = kept["tokens"] if kept["tokens"].notna().all() else []
            of[places[key]] = [json_numbers(kept["step"]), json_numbers(tokens, 7), json_numbers(kept["value"], DIGITS)]
    return {"name": name, "unit": unit, "of": of}


def thinned(count: int, most: int) -> list[int]:
    """Places of at most ``most`` of ``count`` rows, evenly, the first and the last of them included."""
    if count <= most:
        return list(range(count))
    return sorted({round(place * (count - 1) / (most - 1)) for place in range(most)})


def _unit(objective: str) -> str:
    return next((column.unit for column in REPORT_COLUMNS if column.name == objective), "")


def judged_at(campaign: Mapping[str, Any], trials: pd.DataFrame, reports: pd.DataFrame) -> list[float | int | None]:
    """The rungs at which trials were judged, ascending: milestones before a trial's end; none where nothing stops."""
    if campaign.get("stopper", "none") == "none" and trials["rung"].isna().all():
        return []
    ends = trials.set_index("key")["budget"]
    milestones = reports[["key", "milestone"]].dropna()
    before = milestones["milestone"] < milestones["key"].map(ends).astype(float)
    return json_numbers(sorted({*milestones.loc[before, "milestone"], *trials["rung"].dropna()}))
