"""The parts of a row that belong together, told by the facts of its columns: what is copied, taken back and reused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from results.store import row_types
from results.store.column import FilledBy
from results.store.row_types import ReportRow, TrialRow

T = TypeVar("T")
# An objective that is known at the end only -> the score on the way that stands for it: of the weights as they are,
# before they are rounded.
ON_THE_WAY = {"val_bpb_quantised": "val_bpb", "val_loss_quantised": "val_loss"}
_SENT = (FilledBy.REPORT, FilledBy.WORKER)


def with_all_columns(cells: TrialRow) -> TrialRow:
    """The row with null in all other columns, as rows have it that were read."""
    empty = cast(TrialRow, dict.fromkeys(column.name for column in row_types.TRIAL_COLUMNS))
    return {**empty, **cells}


def of_trial(sent: Mapping[str, Any]) -> TrialRow:
    """The columns of a trial that its worker sent; what is null or not there stays as it was."""
    fields = {c.name: c.field for c in row_types.TRIAL_COLUMNS if c.source in _SENT}
    return cast(TrialRow, {name: sent[field] for name, field in fields.items() if sent.get(field) is not None})


def of_report(sent: Mapping[str, Any]) -> ReportRow:
    """The columns of a report that the worker sent."""
    fields = {c.name: c.field for c in row_types.REPORT_COLUMNS if c.source in _SENT}
    return cast(ReportRow, {name: sent.get(field) for name, field in fields.items()})


def taken_back() -> TrialRow:
    """Null for all that an attempt says of itself: the next one begins at the first step."""
    return cast(TrialRow, {c.name: None for c in row_types.TRIAL_COLUMNS if c.of_attempt})


def reusable(row: TrialRow) -> TrialRow:
    """Select what a campaign takes over of the row of a finished trial: how it trained and what came of it."""
    cells: Mapping[str, Any] = row
    return cast(TrialRow, {c.name: cells.get(c.name) for c in row_types.TRIAL_COLUMNS if c.reusable})


def identity_of(row: Mapping[Any, Any] | TrialRow) -> tuple[Any, ...] | None:
    """Identify the run that a row tells of, also in a copy of its campaign or where another has reused it.

    None where it has not ended, or was never trained. Two runs of one config begin at other moments.
    """
    cells: Mapping[Any, Any] = row
    found = tuple(cells[name] for name in ("key", "started_at", "ended_at", "train_seconds"))
    return None if any(cell is None or cell != cell for cell in found) else found  # NaN and NaT of a frame


def given(cell: T | None) -> T:
    """A cell that every row of its kind has, as rows.py holds when it is read and when it is written."""
    assert cell is not None
    return cell


def measure_of(row: TrialRow | ReportRow, name: str) -> float | None:
    """The measure of that name, as an objective is one; None where the row has none."""
    cells: Mapping[str, Any] = row
    found: float | None = cells.get(name)
    return found


def on_the_way(objective: str) -> str:
    """Name the measure that trials are judged by on the way: the objective, unless it is known at the end only."""
    return ON_THE_WAY.get(objective, objective)


def value_of(sent: Mapping[str, Any], objective: str) -> float | None:
    """The objective in what a worker sent, before the end the score that stands for it; None where it has none."""
    found: float | None = sent.get(on_the_way(objective) if sent["status"] == "running" else objective)
    return found


def measured_at(report: ReportRow, objective: str) -> float | None:
    """The objective at a report, or the score that stands for it there; None where neither was measured."""
    value = report["reported_value"]
    return measure_of(report, on_the_way(objective)) if value is None else value


def with_knobs(row: TrialRow, values: Mapping[str, object]) -> TrialRow:
    """The row with the sampled ``values``: columns too, but which there are is the space's to say, not the type's."""
    return cast(TrialRow, {**row, **values})
