"""The time left of a campaign that another process drives, from its files alone: its record and its rows.

Two things are in no file: on how many slots it runs, which is taken from how many trials have run at once, and until
when (``--hours``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from results.statistics.confirmation import Round, rounds
from results.store.row_parts import measured_at
from results.store.row_types import NEVER_A_TRIAL, ReportRow, TrialRow
from results.store.statuses import ENDED, SEARCH
from search_spaces.objectives import JUDGED_ON_THE_WAY
from trainable.component_json import decode
from trainable.config import WHOLE_UNITS, Budget, TrainConfig
from tuner.early_stopping import rungs
from tuner.plan.known import ToCome, is_confirming
from tuner.plan.pace import TrialCourse
from tuner.plan.time_left import Span, time_left
from tuner.plan.trial_cost import evaluations_at_the_end
from tuner.spec import CampaignSpec

LAST_TRIALS = 20  # trials, of which the most that ran at once are the slots


def left_from_files(
    campaign: Mapping[str, Any], rows: Sequence[TrialRow], reports: Iterable[ReportRow], now: datetime
) -> Span | None:
    """The time left of a campaign that runs now; None before any trial has reported, and of an incomplete record."""
    come = to_come_from_files(campaign, rows)
    if come is None:
        return None
    known = [row for row in rows if row["config"] != NEVER_A_TRIAL]
    live = {row["key"] for row in known if row["status"] == "running"}
    searched = [row for row in known if row["stage"] in (None, SEARCH)]
    searching = come.to_start or any(row["status"] not in ENDED for row in searched)
    return time_left(come, known, live, now, values_at_rungs(known, reports), None if searching else last_round(known))


def to_come_from_files(campaign: Mapping[str, Any], rows: Sequence[TrialRow]) -> ToCome | None:
    """Return what a campaign has still to do; None of an incomplete record."""
    spec = CampaignSpec.of_json(campaign)
    known = [row for row in rows if row["config"] != NEVER_A_TRIAL]
    searched = [row for row in known if row["stage"] in (None, SEARCH)]
    first = next((row for row in searched if row["budget"] and row["budget_unit"]), None)
    if spec.trials is None or first is None:
        return None
    budget = _budget(str(first["budget_unit"]), first["budget"])
    own = campaign.get("own_train") is not None
    judged = "," not in (spec.objective or "") and (own or spec.objective in JUDGED_ON_THE_WAY)
    course = TrialCourse(
        tuple(rungs(budget)) if judged else (), spec.reports or 0, spec.fidelity, _end_of(campaign.get("base"))
    )
    confirms = any(row["status"] == "running" and is_confirming(row) for row in known)
    to_start = 0 if confirms else max(0, spec.trials - len(searched))  # a small space may have had no more of them
    return ToCome(
        course, budget.amount, slots_seen(known), to_start, spec.stopper or "none", spec.confirm or None, spec.ablate
    )


def values_at_rungs(rows: Sequence[TrialRow], reports: Iterable[ReportRow]) -> dict[str, dict[float, float]]:
    """Collect the values by which trials were judged: key -> rung -> value."""
    by_key, found = {row["key"]: row for row in rows}, dict[str, dict[float, float]]()
    for report in reports:
        row, rung = by_key.get(report["key"]), report["milestone"]
        if row is None or rung is None or rung > (row["spent"] or 0.0) or rung >= (row["budget"] or 0.0):
            continue
        if (value := measured_at(report, row["objective"])) is not None:
            found.setdefault(row["key"], {})[rung] = value
    return found


def slots_seen(rows: Sequence[TrialRow]) -> int:
    """The most trials that ran at once when one of the latest began."""
    spans = [(row["started_at"], row["ended_at"]) for row in rows if row["started_at"]]
    latest = sorted(start for start, _ in spans)[-LAST_TRIALS:]
    at_once = (sum(a <= start and (b is None or start < b) for a, b in spans) for start in latest)
    return max(1, max(at_once, default=1))


def last_round(rows: Sequence[TrialRow]) -> Round | None:
    """The confirmation that has begun, once all its candidates have: before, who they are is in no file."""
    found = rounds(rows)
    return found[-1] if found and found[-1].complete else None


def _end_of(base: Any) -> float:
    try:
        config = decode(base)
    except (ValueError, ArithmeticError, TypeError):  # components of somebody's own
        return 1.0
    return evaluations_at_the_end(config) if isinstance(config, TrainConfig) else 1.0


def _budget(unit: str, amount: float | None) -> Budget:
    assert amount is not None
    found: dict[str, Any] = {unit: int(amount) if unit in WHOLE_UNITS else amount}
    return Budget(**found)
