"""The facts that a time left is made of: what is to come, and what the campaign's rows tell of its own trials.

Rows alone: the driver has them in its book, and whoever watches reads them from the files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import fmean, median, variance

from results.design import Design
from results.statistics.confirmation import Round
from results.store.row_types import NEVER_A_TRIAL, TrialRow
from results.store.statuses import ABLATE, CONFIRM, ENDED, SEARCH
from tuner.plan.pace import Pace, TrialCourse, between_trials, pace_of

RECENT = 24  # trials, the latest, that those to come are like: a shared machine is at times twice as slow
DRIFT = 0.08  # SD of the machine's speed from stretch to stretch (of its logarithm), where nothing is seen of it
STRETCHES, FEWEST_IN_A_STRETCH = 3, 2  # of the latest trials; trials of each
FAILED_STATUSES = ("crashed", "diverged", "plateaued")


@dataclass(frozen=True)
class ToCome:
    """Work that a campaign has still to do, as it is set.

    ``planned`` are a replay's rows to come: (recorded id, budget). Its runs are of different sizes: ``work`` is the
    arithmetic of a budget unit of each, by recorded id, those that have run among them.
    """

    course: TrialCourse
    budget: float
    slots: int
    to_start: int  # trials of the search
    stopper: str = "none"  # a name in tuner/early_stopping.py
    confirm: Design | None = None
    ablate: bool = False
    planned: tuple[tuple[str, float], ...] = ()
    work: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Underway:
    """A trial that runs: how far it has come, and how long ago that was in seconds."""

    row: TrialRow
    spent: float
    since: float
    pace: Pace | None  # None before its first report

    @property
    def searched(self) -> bool:
        return self.row["stage"] in (None, SEARCH)


@dataclass(frozen=True)
class Known:
    """The campaign so far."""

    come: ToCome
    paces: list[Pace]  # of the search's latest trials, or where there are none of the runs after it
    arms: dict[str, Pace]  # key of a config at the campaign's seed -> its pace
    recorded: dict[str, Pace]  # id of a recorded run -> its pace
    running: list[Underway]
    waiting: list[TrialRow]  # trials of the search that were interrupted and go on
    at_rungs: Mapping[str, Mapping[float, float]]  # key -> rung -> value, of the search's trials that came there
    failed: list[float]  # parts of their budget that failed trials came through
    ended: int  # trials of the search
    completed: list[tuple[float, str]]  # values and keys of the search's completed trials, without the base
    base: tuple[str, float | None]  # key and value
    changes: dict[str, int]  # key -> number of changes from the base
    between: float  # seconds for which a slot stays empty after a trial
    round: Round | None  # the confirmation as it stands, once the search is over
    ablated: int  # runs of an ablation that have ended

    @classmethod
    def of(
        cls,
        come: ToCome,
        rows: Sequence[TrialRow],
        live: Container[str],
        now: datetime,
        at_rungs: Mapping[str, Mapping[float, float]],
        round: Round | None = None,
    ) -> Known:
        """Collect it, as for ``time_left``."""
        searched = [row for row in rows if row["stage"] in (None, SEARCH) and row["config"] != NEVER_A_TRIAL]
        ordered = sorted(rows, key=lambda row: row["number"])
        paced = [
            (row, replace(pace, work=come.work.get(str(row["recorded_id"]), 1.0)))
            for row in ordered
            if (pace := pace_of(row, come.course)) is not None
        ]
        of_search = [pace for row, pace in paced if row["stage"] in (None, SEARCH)]
        completed = [r for r in searched if r["status"] == "completed" and r["value"] is not None]
        base = next((row for row in searched if row["is_base"]), None)
        return cls(
            come=come,
            paces=(of_search or [pace for _, pace in paced])[-RECENT:],
            arms=_means([(str(row["arm"] or row["key"]), pace) for row, pace in paced]),
            recorded=_means([(str(row["recorded_id"]), pace) for row, pace in paced if row["recorded_id"]]),
            running=[_underway(row, come.course, now) for row in rows if row["key"] in live],
            waiting=[r for r in searched if r["status"] not in ENDED and r["key"] not in live],
            at_rungs={row["key"]: at_rungs.get(row["key"], {}) for row in searched},
            failed=[
                (row["spent"] or 0.0) / (row["budget"] or 1.0) for row in searched if row["status"] in FAILED_STATUSES
            ],
            ended=sum(row["status"] in ENDED for row in searched),
            completed=sorted((float(r["value"] or 0.0), r["key"]) for r in completed if not r["is_base"]),
            base=("", None) if base is None else (base["key"], base["value"]),
            changes={row["key"]: len(json.loads(row["overrides"])) for row in completed},
            between=between_trials(rows),
            round=round,
            ablated=sum(row["stage"] == ABLATE and row["status"] in ENDED for row in rows),
        )

    @property
    def drift(self) -> float:
        """SD of the logarithm of how much slower the machine is in what is to come: as from stretch to stretch so far.

        The part of it that the trials' own differences make is taken out.
        """
        speeds = [math.log(pace.training / pace.work) for pace in self.paces if pace.training > 0]
        size = len(speeds) // STRETCHES
        if size < FEWEST_IN_A_STRETCH:
            return DRIFT
        stretches = [speeds[size * number : size * (number + 1)] for number in range(STRETCHES)]
        between = variance(fmean(stretch) for stretch in stretches)
        within = fmean(variance(stretch) for stretch in stretches) / size
        return math.sqrt(DRIFT**2 + max(0.0, between - within))

    @property
    def start(self) -> float:
        """Seconds from the end of a trial to the first step of the next one; a worker's first start takes longer."""
        return self.between + median(pace.start for pace in self.paces)


def _means(found: list[tuple[str, Pace]]) -> dict[str, Pace]:
    by_name: dict[str, list[Pace]] = {}
    for name, pace in found:
        by_name.setdefault(name, []).append(pace)
    return {name: Pace.mean(paces) for name, paces in by_name.items()}


def _underway(row: TrialRow, searched: TrialCourse, now: datetime) -> Underway:
    """Return a running trial's place: what it has reported, and the time since."""
    pace = pace_of(row, searched)
    at = 0.0 if row["started_at"] is None else max(0.0, (now - row["started_at"]).total_seconds())
    reported = row["wall_seconds"] if pace is not None else None
    return Underway(row, row["spent"] or 0.0, max(0.0, at - (reported or 0.0)), pace)


def is_confirming(row: TrialRow) -> bool:
    """Tell whether a row is a run of a confirmation."""
    return row["stage"] == CONFIRM
