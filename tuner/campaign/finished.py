"""Trials that an earlier campaign has finished, as a campaign takes them over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from results.store.curves import TrainingCurve
from results.store.row_parts import given, measure_of, on_the_way, reusable
from results.store.row_types import ReportRow, TrialRow

ENDED_WITH = "it ended with"  # how the reason of a trial begins that has trained to its end, and has no finite value


@dataclass(frozen=True)
class Finished:
    """A trial that need not be trained again."""

    campaign: str
    row: TrialRow
    reports: Sequence[ReportRow]  # of rungs only where they were judged by the same fidelity
    curve: TrainingCurve | None  # None too of a compacted campaign, and of one from before there were curves

    def columns(self, objective: str) -> TrialRow:
        """Make the columns of the row of the trial that reuses it."""
        return {**reusable(self.row), "last_value": measure_of(self.row, objective), "reused_from": self.campaign}

    def milestones(self, objective: str) -> dict[float, float]:
        """Milestone -> objective or the score that stands for it, of those before the end of the budget."""
        judged = on_the_way(objective)
        found = {at: measure_of(report, judged) for report in self.reports if (at := report["milestone"]) is not None}
        return {at: value for at, value in found.items() if value is not None and at < given(self.row["budget"])}
