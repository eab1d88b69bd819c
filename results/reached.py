"""Marks of how far a trial had come when its value was measured: ``@N`` behind the status of one without an end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from results.plain_rows import plain_rows
from results.store.frames import Results
from results.store.row_parts import measured_at
from results.store.row_types import ReportRow

_OF_WHOLE_RUNS = ("completed", "infeasible")  # whose value is of the whole run


def reached(results: Results, shown: pd.DataFrame) -> list[str]:
    """The mark of each row, empty where its value is of a whole run or it has none.

    N is the rung of a stopped trial (unit of the budget), and of all others the step of the last report with a value.
    """
    steps = _steps(results, shown)
    return [_mark(row, steps) for row in shown.to_dict("records")]


def notes_on(shown: pd.DataFrame, marks: Sequence[str], cut: bool) -> list[str]:
    """Say what the marks mean, once for each status that has one; ``cut`` where a schedule of one was cut short."""
    found = []
    marked = dict.fromkeys(status for status, mark in zip(shown["status"], marks, strict=True) if mark)
    if "stopped" in set(shown["status"]):
        unit = next(iter(shown["budget_unit"].dropna()), "budget units")
        schedule = ", before its schedule had finished" if cut else ""
        found.append(f"stopped @N: ended early after N {unit}{schedule}, with the value it had there.")
    if others := [status for status in marked if status != "stopped"]:
        found.append(f"{', '.join(f'{status} @N' for status in others)}: the value is of step N, on the way.")
    return found


def amount(number: float) -> str:
    """A rung or budget: in full up to 99,999, then in thousands or millions with 3 digits; fractions with 4."""
    for factor, suffix in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= max(factor, 10**5):
            return f"{number / factor:.3g}{suffix}"
    return f"{number:.0f}" if number == round(number) else f"{number:.4g}"


def _mark(row: Mapping[Any, Any], steps: Mapping[str, int]) -> str:
    if row["status"] == "stopped":
        return "" if pd.isna(row["rung"]) else f" @{amount(row['rung'])}"
    return f" @{amount(steps[row['key']])}" if row["key"] in steps else ""


def _steps(results: Results, shown: pd.DataFrame) -> dict[str, int]:
    """Key -> step of the last report with a value, of trials that show one and are neither whole nor stopped."""
    on_the_way = shown[~shown["status"].isin([*_OF_WHOLE_RUNS, "stopped"]) & shown["last_value"].notna()]
    objectives = dict(zip(on_the_way["key"], on_the_way["objective"], strict=True))
    reports = results.reports[results.reports["key"].isin(objectives)]
    found = {}
    for report in plain_rows(reports):
        told = cast(ReportRow, report)
        if measured_at(told, objectives[told["key"]]) is not None:
            found[told["key"]] = told["step"]
    return found
