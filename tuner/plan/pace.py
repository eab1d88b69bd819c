"""The pace of a campaign's own trials, from its rows: seconds of a start, a unit of training and an evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median

from results.store.row_types import TrialRow
from results.store.statuses import SEARCH
from trainable.worker.fidelity import BRANCH_FRACTION
from tuner.plan.trial_cost import START_SECONDS

FULL = 3  # gaps at least, of which the median says how long a slot stays empty between two trials


@dataclass(frozen=True)
class TrialCourse:
    """The way of a trial to its end, in budget units: where it reports, and where it may be stopped."""

    rungs: tuple[float, ...] = ()
    reports: int = 0  # evenly over the budget, beside those at rungs
    fidelity: str = "truncate"  # a name in trainable/worker/fidelity.py
    at_the_end: float = 1.0  # evaluations of a trial's end, in evaluations on its way

    def milestones(self, budget: float) -> list[float]:
        """List where a trial of this budget reports before its end, ascending (unit of the budget)."""
        between = {budget * part / (self.reports + 1) for part in range(1, self.reports + 1)}
        return sorted(m for m in between | set(self.rungs) if m < budget)

    def trained(self, upto: float, budget: float) -> float:
        """Budget units that a trial trains until it has come so far, those beside it for its fidelity included."""
        passed = sum(m for m in self.milestones(budget) if m <= upto)
        if self.fidelity == "complete":
            return passed + (budget if upto >= budget else 0.0)
        return upto + (BRANCH_FRACTION * passed if self.fidelity == "branch" else 0.0)

    def evaluations(self, upto: float, budget: float) -> float:
        """Evaluations until there, in those on the way."""
        passed = sum(m <= upto for m in self.milestones(budget))
        return passed + (self.at_the_end if upto >= budget else 0.0)


AFTER_THE_SEARCH = TrialCourse()  # of runs that nobody judges on their way


@dataclass(frozen=True)
class Pace:
    """Seconds of a trial's start, of a budget unit of its training, and of an evaluation on its way."""

    start: float
    training: float
    evaluation: float
    work: float = 1.0  # arithmetic of a budget unit, in any unit that is the same for all

    def seconds(self, course: TrialCourse, budget: float, after: float, upto: float) -> float:
        """Return the seconds from one place of a trial's course (``after``) to another, without its start."""
        trained = course.trained(upto, budget) - course.trained(after, budget)
        evaluated = course.evaluations(upto, budget) - course.evaluations(after, budget)
        return self.training * trained + self.evaluation * evaluated

    def slower(self, factor: float) -> Pace:
        """Return the pace on a device that takes ``factor`` times as long."""
        return Pace(self.start * factor, self.training * factor, self.evaluation * factor, self.work)

    def for_work(self, work: float) -> Pace:
        """Return the pace of a config whose budget unit has so much arithmetic, at the same speed."""
        return replace(self, training=self.training * work / self.work, work=work)

    @staticmethod
    def mean(paces: Sequence[Pace]) -> Pace:
        count = len(paces)
        return Pace(
            sum(p.start for p in paces) / count,
            sum(p.training for p in paces) / count,
            sum(p.evaluation for p in paces) / count,
            sum(p.work for p in paces) / count,
        )


def course_of(row: TrialRow, searched: TrialCourse) -> TrialCourse:
    """The course of a row's trial; ``searched`` is that of the search's own, which the runs after it do without."""
    return searched if row["stage"] in (None, SEARCH) else replace(AFTER_THE_SEARCH, at_the_end=searched.at_the_end)


def pace_of(row: TrialRow, searched: TrialCourse) -> Pace | None:
    """The pace of a trial of this campaign; None before its first report, and where it was not trained here."""
    spent, budget, trained = row["spent"], row["budget"], row["train_seconds"]
    if row["reused_from"] or not spent or not budget or not trained:
        return None
    course = course_of(row, searched)
    units = course.trained(min(spent, budget), budget)
    if units <= 0:
        return None
    evaluating = row["eval_seconds"] or 0.0
    evaluations = course.evaluations(min(spent, budget), budget)
    start = START_SECONDS
    if row["attempt"] == 1 and row["wall_seconds"]:  # a later attempt has only its own part of the time
        start = max(0.0, row["wall_seconds"] - trained - evaluating)
    return Pace(start, trained / units, evaluating / evaluations if evaluations else 0.0)


def between_trials(rows: Iterable[TrialRow]) -> float:
    """Seconds for which a slot stays empty after a trial: the median from an end to the next start; 0 if unknown."""
    events: list[tuple[datetime, bool]] = []
    for row in rows:
        if row["started_at"] and not row["reused_from"]:
            events.append((row["started_at"], True))
            if row["ended_at"]:
                events.append((row["ended_at"], False))
    free: list[datetime] = []  # ends whose slot has not been taken again
    gaps: list[float] = []
    for at, starts in sorted(events):
        if not starts:
            free.append(at)
        elif free:
            gaps.append((at - free.pop()).total_seconds())
    return median(gaps) if len(gaps) >= FULL else 0.0
