"""Early stopping: Ray's ASHA between guards.

Traps closed here (each has a test): a loss that is not finite passes every rung of Ray's, so it ends the trial; rungs
are short numbers in budget units instead of powers from floating-point logarithms; a report between rungs never enters
one; and the rungs are rebuilt from our own rows on resume, since Ray's restore forgets them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from search_spaces.objectives import MEASURED_AT_THE_END
from trainable.config import WHOLE_UNITS, Budget

REDUCTION = 3  # one trial in three goes on at each rung
FIRST_RUNG_FRACTION = 1 / 10  # no rung before this part of the budget: there is nothing to compare yet


def rungs(budget: Budget, reduction: int = REDUCTION) -> list[float]:
    """Milestones in budget units, ascending, without the budget itself: budget / reduction^k, rounded."""
    found: list[float] = []
    rung = rounded(budget.amount / reduction, budget.unit)
    while rung > 0 and rung >= FIRST_RUNG_FRACTION * budget.amount:
        found.insert(0, rung)
        rung = rounded(rung / reduction, budget.unit)
    return found


def rounded(amount: float, unit: str) -> float:
    """An amount that can be a milestone: a whole number, or of units that have fractions (epochs, ...) four digits.

    Rounding comes first and once. From then on a milestone is the same float everywhere (64 bits in JSON, Ray's
    messages and Parquet), so that rungs are looked up by equality.
    """
    return round(amount) if unit in WHOLE_UNITS else float(f"{amount:.4g}")


@dataclass(frozen=True)
class Stop:
    """Why a trial was stopped: at this rung its value was over the cutoff."""

    rung: float
    value: float
    cutoff: float

    def __str__(self) -> str:
        return f"rung {self.rung:.10g}: {self.value:.4f} > {self.cutoff:.4f}"


class GuardedAsha(AsyncHyperBandScheduler):
    """ASHA that minimises the objective at the given rungs. Trials are known by their key, so a resumed one keeps its
    place in them.
    """

    def __init__(
        self,
        objective: str,
        milestones: list[float],
        budget: float,
        reduction: int = REDUCTION,
        protected: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(
            time_attr="milestone", metric=objective, mode="min", max_t=math.ceil(budget), reduction_factor=reduction
        )
        self.objective = objective
        self.milestones = milestones
        self.protected = protected  # keys never stopped: a leaderboard without its base would say nothing
        self.stops: dict[str, Stop] = {}
        (self._bracket,) = self._brackets
        self._bracket._rungs = [(rung, {}) for rung in reversed(milestones)]

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        super().on_trial_add(tune_controller, _known_by_key(trial))

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        value, milestone = result.get(self.objective), result["milestone"]
        if self.objective in MEASURED_AT_THE_END:
            return str(TrialScheduler.CONTINUE)  # nothing to judge by, and there are no rungs
        if value is None or not math.isfinite(value):
            return str(TrialScheduler.STOP)
        known = _known_by_key(trial)
        if milestone not in self.milestones or known.trial_id in dict(self._bracket._rungs)[milestone]:
            return str(TrialScheduler.CONTINUE)  # judged here before: Ray would go on to a lower rung
        cutoff = self.cutoff(milestone)
        action = super().on_trial_result(tune_controller, known, result)
        if action == TrialScheduler.STOP and known.trial_id in self.protected:
            return str(TrialScheduler.CONTINUE)
        if action == TrialScheduler.STOP:
            assert cutoff is not None
            self.stops[known.trial_id] = Stop(milestone, value, cutoff)
        return str(action)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Forget the trial. Its rungs are filled already: a final value belongs to none of them."""
        self._trial_info.pop(_known_by_key(trial).trial_id, None)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        self._trial_info.pop(_known_by_key(trial).trial_id, None)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        self._trial_info.pop(_known_by_key(trial).trial_id, None)

    def cutoff(self, milestone: float) -> float | None:
        """What a trial must not exceed at a rung now; None where nobody has been yet."""
        cutoff: Any = self._bracket.cutoff(dict(self._bracket._rungs)[milestone])
        return None if cutoff is None else -float(cutoff)  # Ray maximises the negated metric

    def record(self, milestone: float, key: str, value: float) -> None:
        """Put an earlier trial's value into its rung: how a resume rebuilds them."""
        if milestone in self.milestones and math.isfinite(value):
            dict(self._bracket._rungs)[milestone][key] = -value

    def forget(self, key: str) -> None:
        """Take a trial out of every rung: it starts again from nothing."""
        for _, recorded in self._bracket._rungs:
            recorded.pop(key, None)

    def reached(self, milestone: float) -> int:
        """How many trials have reported at a rung."""
        return len(dict(self._bracket._rungs)[milestone])


def _known_by_key(trial: Any) -> Any:
    return SimpleNamespace(trial_id=trial.config["key"])
