"""Early stopping: Ray's ASHA, Hyperband and median rule between guards.

Traps closed here (each has a test): a loss that is not finite passes every rung of Ray's, so it ends the trial; rungs
are short numbers in budget units instead of powers from floating-point logarithms; a report between rungs never enters
one; and the rungs are rebuilt from our own rows on resume, since Ray's restore forgets them.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from typing import Any, Protocol

from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, MedianStoppingRule, TrialScheduler

from results.halving import REDUCTION
from search_spaces.objectives import MEASURED_AT_THE_END
from trainable.config import WHOLE_UNITS, Budget

# No rung comes before this part of the budget; one trial in REDUCTION goes on at each. Both were chosen with
# benchmarks.simulator (random points, 4 slots, 40 seeds; mean regret at 10, 15, 20, 30 trials' compute as a part of the
# gap between the median and the best row). 127 random parameter_golf proxies: one in three at 1/9 and 1/3 .23 .18 .15
# .12, one in two at 2/9 and 4/9 .15 .11 .07 .05, no stopping .20 .16 .14 .09. The Shakespeare factorial: .29 .19 .11
# .04; .37 .21 .16 .07; .45 .27 .19 .13. What a run has at a ninth says little where schedules differ.
FIRST_RUNG_FRACTION = 1 / 5


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
    """Why a trial was stopped: at this rung its value was over the cutoff, which is what ``against`` says."""

    rung: float
    value: float
    cutoff: float
    against: str = ""

    def __str__(self) -> str:
        compared = f"rung {self.rung:.10g}: {self.value:.4f} > {self.cutoff:.4f}"
        return f"{compared} ({self.against})" if self.against else compared


@dataclass(frozen=True)
class Known:
    """A trial as Ray's schedulers are to know it: by its key, so that a resumed one keeps its place."""

    trial_id: str


def _known(key: str) -> Any:
    return Known(key)


_NOBODY: Any = None  # Ray's controller, which none of these decisions asks


class Rule(Protocol):
    """One of Ray's schedulers, asked about one value at one rung. Values of one trial come in ascending rungs."""

    def has(self, key: str, rung: float) -> bool:
        """Whether the trial need not be judged at the rung: it has been, or the rung is none of its own."""

    def judge(self, key: str, rung: float, value: float) -> Stop | None:
        """Enter the value into the rung; what stops the trial there, if anything does."""

    def record(self, key: str, rung: float, value: float) -> None:
        """Enter the value into the rung without judging it."""

    def forget(self, key: str) -> None:
        """Take the trial out of every rung."""

    def reached(self, rung: float) -> int:
        """How many trials have a value at the rung."""


class Halving:
    """Ray's AsyncHyperBandScheduler: with one bracket ASHA, with all of them asynchronous Hyperband.

    Bracket k leaves out the first k rungs, the last one has none. A trial's bracket is drawn by its key, with the
    chances that Ray draws by, so that a resume finds it again.
    """

    def __init__(self, milestones: list[float], budget: float, reduction: int, brackets: int) -> None:
        self.ray = AsyncHyperBandScheduler(
            time_attr="milestone",
            metric="value",
            mode="min",
            max_t=math.ceil(budget),
            reduction_factor=reduction,
            brackets=brackets,
        )
        self.shares, self.reduction = bracket_shares(brackets - 1), reduction  # of one bracket: all of it
        for k, bracket in enumerate(self.ray._brackets):
            bracket._rungs = [(rung, {}) for rung in reversed(milestones[k:])]

    def bracket(self, key: str) -> Any:
        """The trial's own one."""
        drawn = zlib.crc32(key.encode()) / 2**32
        chosen = sum(drawn >= upto for upto in accumulate(self.shares[:-1]))
        return self.ray._brackets[chosen]

    def rung(self, key: str, rung: float) -> dict[str, float]:
        """What the trial is compared with there: key -> value, negated, since Ray maximises."""
        found: dict[str, float] = dict(self.bracket(key)._rungs)[rung]
        return found

    def has(self, key: str, rung: float) -> bool:
        rungs = dict(self.bracket(key)._rungs)
        return rung not in rungs or key in rungs[rung]

    def judge(self, key: str, rung: float, value: float) -> Stop | None:
        bracket, others = self.bracket(key), len(self.rung(key, rung))
        cutoff = bracket.cutoff(self.rung(key, rung))
        self.ray._trial_info[key] = bracket
        if self.ray.on_trial_result(_NOBODY, _known(key), {"milestone": rung, "value": value}) != TrialScheduler.STOP:
            return None
        return Stop(rung, value, -float(cutoff), f"best 1/{self.reduction} of {others} there")

    def record(self, key: str, rung: float, value: float) -> None:
        if not self.has(key, rung):
            self.rung(key, rung)[key] = -value

    def forget(self, key: str) -> None:
        for _, recorded in self.bracket(key)._rungs:
            recorded.pop(key, None)

    def reached(self, rung: float) -> int:
        return sum(len(dict(bracket._rungs).get(rung, ())) for bracket in self.ray._brackets)


class Median:
    """Ray's MedianStoppingRule: a trial's best value against the median of the others' means over rungs so far."""

    def __init__(self, milestones: list[float]) -> None:
        self.ray = MedianStoppingRule(
            time_attr="milestone",
            metric="value",
            mode="min",
            grace_period=min(milestones, default=0.0),
            min_samples_required=MEDIAN_OF,
            min_time_slice=math.inf,  # type: ignore[arg-type]  # never pauses a trial
        )

    def has(self, key: str, rung: float) -> bool:
        return any(r["milestone"] >= rung for r in self.ray._results.get(_known(key), ()))

    def judge(self, key: str, rung: float, value: float) -> Stop | None:
        trial = _known(key)
        if self.ray.on_trial_result(_NOBODY, trial, {"milestone": rung, "value": value}) != TrialScheduler.STOP:
            return None
        self.ray._stopped_trials.discard(trial)  # a protected one goes on, and is judged again
        means = [float(self.ray._running_mean(o, rung)) for o in self.ray._trials_beyond_time(rung) if o != trial]
        best = float(min(r["value"] for r in self.ray._results[trial]))
        return Stop(rung, best, median(means), f"median of the means of {len(means)}")

    def record(self, key: str, rung: float, value: float) -> None:
        self.ray._results[_known(key)].append({"milestone": rung, "value": value})

    def forget(self, key: str) -> None:
        self.ray._results.pop(_known(key), None)

    def reached(self, rung: float) -> int:
        return sum(any(r["milestone"] == rung for r in results) for results in self.ray._results.values())


STOPPERS = {  # and what each does, for --dry-run
    "asha": f"one trial in {REDUCTION} goes on at each",
    "hyperband": f"one trial in {REDUCTION} goes on at each; a part of the trials leaves out the first ones",
    "median": "the better half goes on at each",
    "none": "every trial runs to its end",
}
MEDIAN_OF = 3  # trials that must be there before a median judges


class Stopper(FIFOScheduler):  # type: ignore[misc]
    """Ends trials at rungs by a rule of the given name, between guards. Minimises the objective."""

    def __init__(
        self,
        name: str,
        objective: str,
        milestones: list[float],
        budget: float,
        reduction: int = REDUCTION,
        protected: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        assert name in STOPPERS, name
        self.objective, self.milestones = objective, milestones
        self.protected = protected  # keys never stopped: a leaderboard without its base would say nothing
        self.stops: dict[str, Stop] = {}
        self.rule: Rule | None = None
        if name == "median":
            self.rule = Median(milestones)
        elif name != "none":
            brackets = 1 if name == "asha" else len(milestones) + 1
            self.rule = Halving(milestones, budget, reduction, brackets)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        value, milestone, key = result.get(self.objective), result["milestone"], trial.config["key"]
        if self.objective in MEASURED_AT_THE_END:
            return str(TrialScheduler.CONTINUE)  # nothing to judge by, and there are no rungs
        if value is None or not math.isfinite(value):
            return str(TrialScheduler.STOP)
        if self.rule is None or milestone not in self.milestones or self.rule.has(key, milestone):
            return str(TrialScheduler.CONTINUE)  # a resumed trial repeats what it was judged by before
        stop = self.rule.judge(key, milestone, value)
        if stop is None or key in self.protected:
            return str(TrialScheduler.CONTINUE)
        self.stops[key] = stop
        return str(TrialScheduler.STOP)

    def record(self, milestone: float, key: str, value: float) -> None:
        """Put an earlier trial's value into its rung: how a resume rebuilds them. A trial's rungs come ascending."""
        if self.rule is not None and milestone in self.milestones and math.isfinite(value):
            self.rule.record(key, milestone, value)

    def forget(self, key: str) -> None:
        """Take a trial out of every rung: it starts again from nothing."""
        if self.rule is not None:
            self.rule.forget(key)

    def reached(self, milestone: float) -> int:
        """How many trials have reported at a rung."""
        return 0 if self.rule is None else self.rule.reached(milestone)


def bracket_shares(num_rungs: int) -> list[float]:
    """Chances of Hyperband's brackets, as Ray draws them: e^(number of its rungs), normalised. One more than rungs."""
    weights = [math.exp(num_rungs - k) for k in range(num_rungs + 1)]
    return [weight / sum(weights) for weight in weights]
