"""Early stopping: predictive termination, asynchronous successive halving (ASHA), Hyperband and the median rule.

The latter three decide as Ray's schedulers of these names do, which the tests hold. Those are not used, since a rung
of theirs lets a loss pass that is not finite, takes in reports between rungs, lies at a power from floating-point
logarithms, and is empty after a resume. Here a rung is a short number in budget units, a value that is not finite ends
its trial, and a resume enters what the rows hold. Nothing here knows Ray: ``cluster/ray_tune.py`` tells it the
decisions.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice
from statistics import fmean, median
from typing import Any, Protocol

from results.statistics.halving import REDUCTION
from results.statistics.predictive_termination import (
    FEWEST_FINISHED,
    PART_OF_A_CHANCE,
    Extrapolation,
    chance_told,
    evidence,
    least_chance,
    order_told,
    promotes,
)
from results.store.row_parts import on_the_way
from search_spaces.objectives import MEASURED_AT_THE_END
from terminal.counted import counted
from terminal.short import decimals
from trainable.config import WHOLE_UNITS, Budget
from tuner.rung_values import RungValues, best_part

# No rung comes before this part of the budget; one trial in REDUCTION goes on at each. Both were chosen with
# benchmarks.simulator (random points, 4 slots, 40 seeds; mean regret at 10, 15, 20, 30 trials' compute as a part of the
# gap between the median and the best row). 127 random parameter_golf proxies: one in three at 1/9 and 1/3 .23 .18 .15
# .12, one in two at 2/9 and 4/9 .15 .11 .07 .05, no stopping .20 .16 .14 .09. The Shakespeare factorial: .29 .19 .11
# .04; .37 .21 .16 .07; .45 .27 .19 .13. What a run has at a ninth says little where schedules differ.
FIRST_RUNG_FRACTION = 1 / 5
PREDICTIVE = "predictive"
PARTS = 100  # a line is laid anew once a hundredth of the finished trials are new: at once while there are few


def rungs(budget: Budget, reduction: int = REDUCTION) -> list[float]:
    """Milestones in budget units, ascending, without the budget itself: budget / reduction^k, rounded."""
    found: list[float] = []
    rung = rounded(budget.amount / reduction, budget.unit)
    while rung >= FIRST_RUNG_FRACTION * budget.amount:
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
    """Reason of a stopped trial: at this rung its value was over the cutoff, which is what ``against`` says."""

    rung: float
    value: float
    cutoff: float
    against: str = ""

    def __str__(self) -> str:
        compared = f"rung {self.rung:.10g}: {decimals(self.value)} > {decimals(self.cutoff)}"
        return f"{compared} ({self.against})" if self.against else compared


@dataclass(frozen=True)
class Promise:
    """Promise of a stopped trial, by the trials that have finished since: its chance of ending as the best."""

    rung: float
    chance: float
    came: int  # trials to its rung
    pairs: Sequence[tuple[float, float]]  # values there of the finished ones, each with its end

    @property
    def against_a_new_one(self) -> float:
        """Its chance as a multiple of the one that a trial has before its value is known."""
        return self.chance * self.came

    @property
    def is_enough(self) -> bool:
        """Tell whether it is worth more training than a new trial is."""
        return promotes(self.chance, self.came)

    def __str__(self) -> str:
        told = order_told(self.rung, self.pairs)
        return f"{told} now: its chance of ending as the best is {chance_told(self.chance)}"


class Rule(Protocol):
    """The decisions of one kind of early stopping. Values of one trial come in ascending rungs."""

    def has(self, key: str, rung: float) -> bool:
        """Tell whether the trial need not be judged at the rung: it has been, or the rung is none of its own."""

    def judge(self, key: str, rung: float, value: float) -> Stop | None:
        """Enter the value into the rung; what stops the trial there, if anything does."""

    def record(self, key: str, rung: float, value: float) -> None:
        """Enter the value into the rung without judging it."""

    def forget(self, key: str) -> None:
        """Take the trial out of every rung."""

    def reached(self, rung: float) -> int:
        """Count the trials with a value at the rung."""


class Halving:
    """Asynchronous successive halving (Li et al. 2018, arXiv:1810.05934); with several brackets, Hyperband.

    A trial stops at a rung if its value is over the point that one in ``reduction`` of the values there lie below; the
    first one always goes on. Bracket k leaves out the first k rungs, the last one has none. A trial's bracket is drawn
    by its key, so that a resume finds it again.
    """

    def __init__(self, milestones: list[float], reduction: int, brackets: int) -> None:
        self.reduction = reduction
        self.shares = bracket_shares(brackets - 1)  # of one bracket: all of it
        self.brackets = [{rung: RungValues() for rung in milestones[k:]} for k in range(brackets)]

    def bracket(self, key: str) -> dict[float, RungValues]:
        """The trial's own one: rung -> key -> value."""
        drawn = zlib.crc32(key.encode()) / 2**32
        return self.brackets[sum(drawn >= upto for upto in accumulate(self.shares))]

    def cutoff(self, key: str, rung: float) -> float | None:
        """The value that the trial must not exceed there; None where nobody has been."""
        values = self.bracket(key)[rung]
        return best_part(values.ascending, self.reduction) if values else None

    def has(self, key: str, rung: float) -> bool:
        bracket = self.bracket(key)
        return rung not in bracket or key in bracket[rung]

    def judge(self, key: str, rung: float, value: float) -> Stop | None:
        others, cutoff = len(self.bracket(key)[rung]), self.cutoff(key, rung)
        self.record(key, rung, value)
        if cutoff is None or value <= cutoff:
            return None
        return Stop(rung, value, cutoff, _best_of(others, self.reduction))

    def record(self, key: str, rung: float, value: float) -> None:
        if not self.has(key, rung):
            self.bracket(key)[rung][key] = value

    def forget(self, key: str) -> None:
        for values in self.bracket(key).values():
            values.forget(key)

    def reached(self, rung: float) -> int:
        return sum(len(bracket.get(rung, ())) for bracket in self.brackets)


class Median:
    """The median stopping rule of Vizier (Golovin et al. 2017): a trial's best value so far against the median of the
    others' means over the rungs up to here.

    Those count that have come at least as far, and it judges where there are ``MEDIAN_OF`` of them.
    """

    def __init__(self) -> None:
        self.values: dict[str, dict[float, float]] = {}  # key -> rung -> value, ascending rungs

    def has(self, key: str, rung: float) -> bool:
        return any(seen >= rung for seen in self.values.get(key, ()))

    def judge(self, key: str, rung: float, value: float) -> Stop | None:
        self.record(key, rung, value)
        others = [values for other, values in self.values.items() if other != key and max(values) >= rung]
        so_far = [[value for seen, value in values.items() if seen <= rung] for values in others]
        means = [fmean(values) for values in so_far if values]  # one may have come past without a value here
        best = min(self.values[key].values())
        if len(means) < MEDIAN_OF or best <= median(means):
            return None
        return Stop(rung, best, median(means), f"median of the means of {len(means)}")

    def record(self, key: str, rung: float, value: float) -> None:
        self.values.setdefault(key, {})[rung] = value

    def forget(self, key: str) -> None:
        self.values.pop(key, None)

    def reached(self, rung: float) -> int:
        return sum(rung in values for values in self.values.values())


class Predictive:
    """Predictive termination (results/statistics/predictive_termination.py): by the values that the finished trials had
    at the rung and at their end, it stops a trial whose chance of ending as the best is small.
    """

    fewest, part = FEWEST_FINISHED, PART_OF_A_CHANCE

    def __init__(self, milestones: list[float]) -> None:
        self.values = {rung: RungValues() for rung in milestones}
        self.ends: dict[str, float] = {}  # of finished trials
        self.beaten: dict[str, float] = {}  # of those among them that may be the best
        self.best = math.inf  # of these
        self._known: dict[float, tuple[int, list[tuple[float, float]], Extrapolation | None]] = {}  # of so many ends
        self.said: dict[float, bool] = {}  # of a rung, once it has been told: that it stops

    def line(self, rung: float) -> Extrapolation | None:
        """Return what the finished trials tell at the rung."""
        found = self._told(rung)[1]
        return None if found is None else replace(found, best=self.best)

    def pairs(self, rung: float) -> list[tuple[float, float]]:
        """The finished trials' values at the rung, each with its end."""
        return self._told(rung)[0]

    def _told(self, rung: float) -> tuple[list[tuple[float, float]], Extrapolation | None]:
        """The pairs at a rung and the line through them, of the first so many ends: all, or all but a hundredth."""
        count = len(self.ends) - len(self.ends) % max(1, len(self.ends) // PARTS)
        known = self._known.get(rung)
        if known is None or known[0] != count:
            values = self.values[rung]
            pairs = [(values[key], end) for key, end in islice(self.ends.items(), count) if key in values]
            line = Extrapolation.through(pairs, self.best, self.fewest) if self.beaten else None
            known = self._known[rung] = count, pairs, line
        return known[1:]

    def has(self, key: str, rung: float) -> bool:
        return rung not in self.values or key in self.values[rung]

    def judge(self, key: str, rung: float, value: float) -> Stop | None:
        self.record(key, rung, value)
        line, least = self.line(rung), least_chance(len(self.values[rung]), self.part)
        if line is None or (chance := line.chance(value)) >= least:
            return None
        cutoff = line.cutoff(least)
        by = f"its chance of ending as the best is {chance_told(chance)}, by {counted(line.finished, 'finished trial')}"
        return Stop(rung, value, value if cutoff is None else min(cutoff, value), by)

    def promise(self, key: str, rung: float) -> Promise | None:
        """Judge a trial anew that stopped at the rung; None where nothing is known of it or of the rung."""
        line, values = (self.line(rung), self.values[rung]) if rung in self.values else (None, RungValues())
        if line is None or key not in values:
            return None
        return Promise(rung, line.chance(values[key]), len(values), self.pairs(rung))

    def record(self, key: str, rung: float, value: float) -> None:
        if not self.has(key, rung):
            self.values[rung][key] = value

    def finished(self, key: str, end: float, counts: bool) -> None:
        """Take in the end of a trial that ran to it; one that does not count tells of others, but is none to beat."""
        again = key in self.ends
        self.ends[key] = end
        if counts:
            self.beaten[key] = end
        if again or len(self.beaten) == 1:
            self._forget_lines()
        elif counts:
            self.best = min(self.best, end)

    def forget(self, key: str) -> None:
        for values in self.values.values():
            values.forget(key)
        for ends in (self.ends, self.beaten):
            ends.pop(key, None)
        self._forget_lines()

    def _forget_lines(self) -> None:
        self._known.clear()
        self.best = min(self.beaten.values(), default=math.inf)

    def reached(self, rung: float) -> int:
        return len(self.values.get(rung, ()))

    def news(self) -> list[str]:
        """Say of each rung what it tells of the ends, where that has begun to stop trials or no longer does."""
        found = []
        for rung, values in self.values.items():
            if (line := self.line(rung)) is None:
                continue
            cutoff = line.cutoff(least_chance(len(values) + 1, self.part))
            stops = cutoff is not None and cutoff < values.ascending[-1]
            if self.said.get(rung) != stops:
                self.said[rung] = stops
                found.append(evidence(rung, self.pairs(rung), cutoff if stops else None))
        return found


STOPPERS = {  # and what each does, for --dry-run
    PREDICTIVE: "a trial stops whose chance of ending as the best is small, by the trials that have finished",
    "asha": f"one trial in {REDUCTION} goes on at each",
    "hyperband": f"one trial in {REDUCTION} goes on at each; a part of the trials leaves out the first ones",
    "median": "the better half goes on at each",
    "none": "every trial runs to its end",
}
DEFAULT_STOPPER = PREDICTIVE  # of new searches
MEDIAN_OF = 3  # trials that must be there before a median judges


class Stopper:
    """Ends trials at rungs by a rule of the given name, between guards. Minimises the objective."""

    def __init__(
        self,
        name: str,
        objective: str,
        milestones: list[float],
        reduction: int = REDUCTION,
        protected: frozenset[str] = frozenset(),
    ) -> None:
        assert name in STOPPERS, name
        self.objective, self.judged_by, self.milestones = objective, on_the_way(objective), milestones
        self.protected = protected  # keys never stopped: a leaderboard without its base would say nothing
        self.stops: dict[str, Stop] = {}
        self.rule: Rule | None = None
        if name == "median":
            self.rule = Median()
        elif name == PREDICTIVE:
            self.rule = Predictive(milestones)
        elif name != "none":
            self.rule = Halving(milestones, reduction, brackets=1 if name == "asha" else len(milestones) + 1)

    def ends(self, key: str, result: Mapping[str, Any]) -> bool:
        """Tell whether the trial is over with this report; the reason, where a rule gives one, is then in ``stops``."""
        value, milestone = result.get(self.judged_by), result["milestone"]
        if self.judged_by in MEASURED_AT_THE_END:
            return False  # nothing to judge by, and there are no rungs
        if value is None or not math.isfinite(value):
            return True
        if self.rule is None or milestone not in self.milestones or self.rule.has(key, milestone):
            return False  # a resumed trial repeats what it was judged by before
        stop = self.rule.judge(key, milestone, value)
        if stop is None or key in self.protected:
            return False
        self.stops[key] = stop
        return True

    def record(self, milestone: float, key: str, value: float) -> None:
        """Put an earlier trial's value into its rung: how a resume rebuilds them. A trial's rungs come ascending."""
        if self.rule is not None and milestone in self.milestones and math.isfinite(value):
            self.rule.record(key, milestone, value)

    def finished(self, key: str, end: float, counts: bool = True) -> None:
        """Tell the rule how a trial ended that ran to its end; one that is no candidate does not count as the best."""
        if isinstance(self.rule, Predictive) and math.isfinite(end):
            self.rule.finished(key, end, counts)

    def promise(self, key: str, rung: float) -> Promise | None:
        """Judge a stopped trial anew, where the rule can."""
        return self.rule.promise(key, rung) if isinstance(self.rule, Predictive) else None

    def news(self) -> list[str]:
        """Lines on what is decided by from now on, where that has changed."""
        return self.rule.news() if isinstance(self.rule, Predictive) else []

    def forget(self, key: str) -> None:
        """Take a trial out of every rung: it starts again from nothing."""
        if self.rule is not None:
            self.rule.forget(key)

    def reached(self, milestone: float) -> int:
        """Count the trials that have reported at a rung."""
        return 0 if self.rule is None else self.rule.reached(milestone)


def _best_of(others: int, reduction: int) -> str:
    """Return what a trial is compared with at a rung where ``others`` have been before it."""
    part = {2: "half", 3: "third", 4: "quarter"}.get(reduction, f"1/{reduction}")
    return "the one trial there before it" if others == 1 else f"the best {part} of {others} there before it"


def bracket_shares(num_rungs: int) -> list[float]:
    """Chances of Hyperband's brackets, as Ray draws them: e^(number of its rungs), normalised. One more than rungs."""
    weights = [math.exp(num_rungs - k) for k in range(num_rungs + 1)]
    return [weight / sum(weights) for weight in weights]
