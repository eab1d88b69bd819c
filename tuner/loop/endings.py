"""Meanings of a trial's end: completed, stopped, diverged, infeasible or interrupted; crashed, or lost."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from results.store.row_parts import on_the_way, value_of
from results.store.row_types import TrialRow
from results.store.statuses import Status
from search_spaces import constraints
from search_spaces.space import Space
from tuner.campaign.entry import Entry
from tuner.campaign.finished import ENDED_WITH
from tuner.early_stopping import Stop, Stopper
from tuner.failures import Loss

SAME_ERRORS = 3  # trials in a row that end with one error: then it is everyone's, and the campaign ends


@dataclass(frozen=True)
class Ending:
    """An end as the trial's row has it. One that was interrupted has not ended: it is gone on with."""

    status: Status
    reason: str = ""
    columns: TrialRow = field(default_factory=TrialRow)


def ending(row: TrialRow, result: Mapping[str, Any], stop: Stop | None, space: Space) -> Ending:
    """The end of a trial that ended by itself with ``result``, or that early stopping ended (``stop``)."""
    status: Status = result.get("status", "interrupted")
    if stop is not None:
        return Ending("stopped", str(stop), {"rung": stop.rung, "cutoff": stop.cutoff})
    if status == "running" and not _is_finite(value_of(result, space.objective)):
        judged = on_the_way(space.objective)
        return Ending("diverged", f"{judged} is not finite at milestone {result['milestone']:g}")
    if status in ("running", "interrupted"):
        return Ending("interrupted")
    if status == "completed" and not _is_finite(row["last_value"]):
        return Ending("diverged", f"{ENDED_WITH} {space.objective} {row.get('last_value')}")
    if violation := _violation(row, result, space):
        return Ending("infeasible", violation)
    return Ending(status, str(result.get("reason", "")))


def tell_end(stopper: Stopper, entry: Entry) -> None:
    """Tell early stopping of a trial of the search that came to its end, beyond its limits or within them."""
    row, counts = entry.row, entry.status == "completed"
    came = counts or (entry.status == "infeasible" and (row["spent"] or 0.0) >= (row["budget"] or math.inf))
    if entry.is_trial and came and row["last_value"] is not None:
        stopper.finished(entry.key, row["last_value"], counts)


def _violation(row: TrialRow, result: Mapping[str, Any], space: Space) -> str:
    """Say why a trial may not count, even though it may have completed; empty where it may."""
    own = constraints.violation(space.constraints, row) if result.get("status") == "completed" else ""
    return "; ".join(said for said in (str(result.get("violation") or ""), own) if said)


def _is_finite(value: Any) -> bool:
    return value is not None and math.isfinite(value)


class Losses:
    """Counts how often each trial was lost in this start of the campaign, and in which way."""

    def __init__(self) -> None:
        self._times: Counter[tuple[str, str]] = Counter()

    def count(self, key: str, loss: Loss) -> str:
        """Enter one more; why the trial is given up with it, empty where it is tried again."""
        self._times[key, loss.why] += 1
        times = self._times[key, loss.why]
        return f"gave up: {loss.why} {times} times" if times > loss.limit else ""


class SameErrors:
    """Watches for one error that ends trial after trial."""

    def __init__(self) -> None:
        self._reasons: list[str] = []

    def crashed(self, reason: str) -> str:
        """A trial crashed; why the campaign should end, empty where it may go on."""
        self._reasons.append(reason)
        if len(self._reasons) >= SAME_ERRORS and len(set(self._reasons[-SAME_ERRORS:])) == 1:
            return f"{SAME_ERRORS} trials in a row ended with the same error: {reason}"
        return ""

    def worked(self) -> None:
        """A trial ended in another way."""
        self._reasons.clear()
