"""Runs, points and ends for trackers, made of a campaign's rows."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from results.store import row_types
from results.store.curves import TrainingCurve
from results.store.row_types import ReportRow
from results.store.statuses import ENDED, SEARCH
from tuner.trackers.tracker import THE_CAMPAIGN, Plain, TrackedEnd, TrackedPoint, TrackedRun

_Cells = Mapping[str, Any]
_LONG = ("config", "overrides")  # of a row: the run's config says both
_PLACES = ("step", "milestone", "extra_spent", "attempt")  # of a report: not measured, or what the others stand at
_ASKED = (
    "space", "question", "scale", "objective", "trials", "seed", "sampler", "stopper", "fidelity", "reports", "confirm",
    "ablate", "data_description", "code_version", "created_at",
)  # fmt: skip


def campaign_id(name: str, record: _Cells) -> str:
    """Make a text that tells this campaign from any other, one of the same name that was begun at another time too."""
    return hashlib.sha256(f"{name}\n{record.get('created_at')}".encode()).hexdigest()[:16]


def run_of(row: _Cells, record: _Cells, campaign: str, arm_number: int | None) -> TrackedRun:
    """The run of a trial's row; ``arm_number`` is the trial that a run on a fresh seed repeats."""
    stage, number = row["stage"] or SEARCH, row["number"]
    name = f"trial {number}" if stage == SEARCH else f"{stage} {number}"
    if stage != SEARCH and arm_number is not None:
        name += f": trial {arm_number} on seed {row['seed']}"
    marks = ["base"] * bool(row["is_base"]) + ["reused"] * bool(row["reused_from"])
    return TrackedRun(
        id=_id(campaign, record, str(row["key"])),
        name=name,
        place=f"{number:04}" if stage == SEARCH else f"{stage}-{number:04}",
        stage=stage,
        config=dict(flat(json.loads(row["config"]))),
        tags=(stage, *marks),
        began=_seconds(row["started_at"]),
    )


def run_of_campaign(record: _Cells, campaign: str) -> TrackedRun:
    """The run that stands for the campaign: its config is the question, its end the verdict."""
    asked = {name: record[name] for name in _ASKED if record.get(name) is not None}
    base = {f"base.{path}": value for path, value in flat(record.get("base") or {})}
    config = {**{name: value for name, value in flat(asked)}, **base}
    began = _seconds(record.get("created_at"))
    return TrackedRun(
        _id(campaign, record, THE_CAMPAIGN), campaign, THE_CAMPAIGN, THE_CAMPAIGN, config, (THE_CAMPAIGN,), began
    )


def end_of(row: _Cells) -> TrackedEnd:
    """The end of a trial, or where it stands for now."""
    said = {name: plain for name, value in row.items() if name not in _LONG and (plain := _plain(value)) is not None}
    over = row["status"] in ENDED
    mark = f"{row['status']} {row['attempt']} {said.get('ended_at')}" if over else ""
    return TrackedEnd(row["status"], said, mark, _seconds(row["ended_at"]))


def points_of(
    reports: Sequence[ReportRow], curve: TrainingCurve | None, after: int, until: int | None
) -> list[TrackedPoint]:
    """The numbers of each step after ``after`` and up to ``until`` (None: all), by step.

    A later attempt's report replaces an earlier one of the same step.
    """
    numbers: dict[int, dict[str, float]] = {}
    if curve is not None:
        for name, values in curve.values.items():
            for step, value in zip(curve.steps_of(name), values, strict=True):
                numbers.setdefault(step, {})[f"train/{name}"] = value
    times: dict[int, float] = {}
    for report in reports:
        numbers.setdefault(report["step"], {}).update(_measured(report))
        times[report["step"]] = _seconds(report["at"])
    marks = sorted(times)
    wanted = [step for step in sorted(numbers) if step > after and (until is None or step <= until)]

    def at(step: int) -> float:
        place = min(bisect_left(marks, step), len(marks) - 1)
        return times[marks[place]] if marks else 0.0

    return [TrackedPoint(step, at(step), numbers[step]) for step in wanted]


def flat(value: Any, path: str = "") -> Iterator[tuple[str, Plain]]:
    """Yield dotted paths and values of nested JSON; members of a list have their place as a name, null is left out."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from flat(each, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from flat(each, f"{path}.{place}" if path else str(place))
    elif value is not None:
        yield path, value


def _measured(report: ReportRow) -> dict[str, float]:
    cells: _Cells = dict(report)
    names = [c.name for c in row_types.REPORT_COLUMNS if c.kind in (int, float) and c.name not in _PLACES]
    found = {f"eval/{name}": float(cells[name]) for name in names if cells.get(name) is not None}
    logged = json.loads(cells.get("logged") or "{}")
    return found | {f"logged/{name}": float(n) for name, n in logged.items() if isinstance(n, int | float)}


def _plain(value: Any) -> Plain | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) else None


def _seconds(at: Any) -> float:
    """Seconds since the epoch of a time, or of its text; 0 where there is none."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return at.timestamp() if isinstance(at, datetime) else 0.0


def _id(campaign: str, record: _Cells, key: str) -> str:
    return hashlib.sha256(f"{campaign_id(campaign, record)}\n{key}".encode()).hexdigest()[:16]
