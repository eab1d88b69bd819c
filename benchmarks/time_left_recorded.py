"""The time left of real campaigns, said against true: ``python -m benchmarks.time_left_recorded FOLDER ...``

Each folder is a campaign that has ended, with its own trials, reports and times. It is put back to what its files said
after a quarter, a half and three quarters of its time, and asked from there as ``tuner.status`` asks; of a replay, the
runs still to come are those that came. Stretches in which nothing ran (it was interrupted) do not count. A single run
tells little, and two campaigns of one machine on one day share its speed: read the median of several.
"""

from __future__ import annotations

from terminal import program

if __name__ == "__main__":
    program.begin("python -m benchmarks.time_left_recorded")

import json
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from benchmarks.time_left import PARTS
from results import load
from results.store.row_types import ReportRow, TrialRow
from results.store.statuses import SEARCH
from terminal.command_line import OneLineParser
from terminal.console import Console
from trainable.component_json import decode
from trainable.config import TrainConfig
from tuner.plan.known import ToCome
from tuner.plan.seen_from_files import last_round, to_come_from_files, values_at_rungs
from tuner.plan.time_left import Span, time_left
from tuner.plan.trial_cost import work_of

PAUSE = 60.0  # seconds without any run, beyond which a campaign was interrupted

Spans = list[tuple[datetime, datetime]]


@dataclass(frozen=True)
class Answer:
    """Estimate that a campaign gave after a part of its time, and the truth; seconds."""

    part: float
    true: float
    said: Span | None

    @property
    def error(self) -> float:
        """Return what was said minus what was true, as a part of the true."""
        return math.inf if self.said is None else self.said.middle / self.true - 1

    @property
    def within(self) -> bool:
        return self.said is not None and self.said.low <= self.true <= self.said.high


def stretches(rows: Sequence[TrialRow]) -> Spans:
    """The times in which the campaign ran, without its interruptions."""
    found: Spans = []
    for start, end in sorted((row["started_at"], row["ended_at"]) for row in rows if _has_run(row)):
        assert start is not None and end is not None
        if found and (start - found[-1][1]).total_seconds() <= PAUSE:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def moment(running: Spans, seconds: float) -> datetime:
    """The moment at which the campaign had run for so many seconds."""
    for start, end in running:
        length = (end - start).total_seconds()
        if seconds <= length:
            return start + timedelta(seconds=seconds)
        seconds -= length
    return running[-1][1]


def as_of(rows: Sequence[TrialRow], reports: Mapping[str, Sequence[ReportRow]], now: datetime) -> list[TrialRow]:
    """The rows as the files had them at a moment."""
    found = []
    for row in rows:
        assert row["started_at"] is not None
        if row["started_at"] > now:
            continue
        assert row["ended_at"] is not None
        found.append(row if row["ended_at"] <= now else _running(row, reports.get(row["key"], ()), now))
    return found


def _has_run(row: TrialRow) -> bool:
    return row["started_at"] is not None and row["ended_at"] is not None and not row["reused_from"]


def _running(row: TrialRow, reports: Sequence[ReportRow], now: datetime) -> TrialRow:
    """A run that has not ended, as its reports until now say."""
    told = [report for report in reports if report.get("at") is not None and cast(datetime, report["at"]) <= now]
    none = dict.fromkeys(("ended_at", "value", "spent", "train_seconds", "eval_seconds", "wall_seconds", "rung"))
    found = {**row, **none, "status": "running"}
    if told and row["budget"]:
        last = max(told, key=lambda report: report["step"])
        trained = float(last["seconds"] or 0.0)
        wall = (cast(datetime, last["at"]) - cast(datetime, row["started_at"])).total_seconds()
        whole = (row["wall_seconds"] or 0.0) - (row["train_seconds"] or 0.0) - (row["eval_seconds"] or 0.0)
        spent = (row["spent"] or 0.0) * trained / row["train_seconds"] if row["train_seconds"] else 0.0
        if row["budget_unit"] in ("steps", "tokens"):
            spent = float(last["step"] if row["budget_unit"] == "steps" else last["tokens"] or 0)
        evaluated = max(0.0, wall - trained - max(0.0, whole))
        found |= {"spent": spent, "train_seconds": trained, "eval_seconds": evaluated, "wall_seconds": wall}
    return cast(TrialRow, found)


def _of_a_replay(come: ToCome, rows: Sequence[TrialRow], then: Sequence[TrialRow]) -> ToCome:
    """Name the runs that are still to come, with their sizes, as the driver of a replay knows them."""
    begun = {row["key"] for row in then}
    left = [row for row in sorted(rows, key=lambda row: row["number"]) if row["key"] not in begun]
    work = {str(row["recorded_id"]): work_of(config) for row in rows if (config := _config(row)) is not None}
    planned = tuple((str(row["recorded_id"]), float(row["budget"] or come.budget)) for row in left)
    return replace(come, planned=planned, to_start=len(planned), work=work)


def _config(row: TrialRow) -> TrainConfig | None:
    found: Any = decode(json.loads(row["config"]))
    return found if isinstance(found, TrainConfig) else None


def answers(folder: str) -> tuple[float, list[Answer]]:
    """The seconds that a campaign ran, and what it said on its way."""
    results = load(folder)
    rows = [row for row in results.store.trials() if _has_run(row)]
    reports, running = results.store.reports_by_key(), stretches(rows)
    whole, found = sum((end - start).total_seconds() for start, end in running), list[Answer]()
    for part in PARTS:
        now = moment(running, part * whole)
        then = as_of(rows, reports, now)
        come = to_come_from_files(results.campaign, then)
        assert come is not None, "it has a record"
        if results.campaign.get("replay") is not None:
            come = _of_a_replay(come, rows, then)
        live = {row["key"] for row in then if row["status"] == "running"}
        searching = come.to_start or any(r["status"] == "running" and r["stage"] in (None, SEARCH) for r in then)
        told = [
            r
            for of_one in reports.values()
            for r in of_one
            if r.get("at") is not None and cast(datetime, r["at"]) <= now
        ]
        left = time_left(come, then, live, now, values_at_rungs(then, told), None if searching else last_round(then))
        found.append(Answer(part, (1 - part) * whole, left))
    return whole, found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a campaign, and the medians."""
    parser = OneLineParser(prog="python -m benchmarks.time_left_recorded", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="campaigns that have ended")
    console, everything = Console(), list[list[Answer]]()
    for folder in parser.parse_args(arguments).folders:
        whole, found = answers(folder)
        everything.append(found)
        said = "  ".join(
            f"{'-' if a.said is None else f'{a.said.middle:,.0f}'}/{a.true:,.0f} {a.error:+.0%}" for a in found
        )
        held = "".join("y" if a.within else "n" for a in found)
        console.print(f"{folder.rstrip('/').split('/')[-1]:24} {whole:8,.0f} s  {said}  range holds it: {held}")
    for place, part in enumerate(PARTS):
        errors = [abs(found[place].error) for found in everything]
        held = sum(found[place].within for found in everything)
        middle = f"median error {statistics.median(errors):.0%}, largest {max(errors):.0%}"
        console.print(f"after {part:.0%}: {middle}; the range holds the true time {held} times of {len(errors)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
