"""Cost of a search, before any of it is spent."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

from results.statistics.halving import REDUCTION
from trainable.config import TrainConfig
from trainable.data.preparation import known_vocab_size
from trainable.scaling import ratio_tokens
from trainable.worker.fidelity import BRANCH_FRACTION
from tuner.early_stopping import PREDICTIVE, bracket_shares, rungs
from tuner.plan.trial_cost import Beside

PREDICTED_ON = (
    0.7  # part of the trials that goes on at a rung by predictive termination: benchmarks.stopping's mean cost
)


@dataclass(frozen=True)
class Plan:
    """Cost of a search. Tokens and seconds are of one trial; totals are over all of them."""

    trials: int
    slots: int
    rungs: list[float]
    unit: str
    budget: float
    tokens: int | None  # at most; None where the budget does not say
    seconds: float | None
    expected_share: float  # of the full cost, if every rung stops the share that it is made for
    beside: Beside = Beside()  # seconds of a trial beside its training
    reports: int = 0  # evaluations on its way, beside those at rungs

    @property
    def whole_seconds(self) -> float | None:
        """A trial that goes to its end, with its start and evaluations."""
        return None if self.seconds is None else self.seconds + self.beside.of(len(self.rungs) + self.reports)

    @property
    def evaluation_share(self) -> float | None:
        """Part of a whole trial's seconds that its evaluations take; None where they are not known."""
        if not self.whole_seconds or self.seconds is None or not self.beside.known:
            return None
        return (self.whole_seconds - self.seconds - self.beside.start) / self.whole_seconds

    @property
    def run_seconds(self) -> float | None:
        """A run after the search, which is judged at no rung."""
        return None if self.seconds is None else self.seconds + self.beside.of(self.reports)

    def costs(self, fidelity: str) -> list[float]:
        """Return the cost of a trial's way to each rung and to its end, in whole trials."""
        trained = legs(self.rungs, self.budget, fidelity)
        if self.seconds is None or not self.whole_seconds:
            return trained
        each = self.reports * self.beside.on_the_way / len(trained)
        ends = [self.beside.on_the_way] * len(self.rungs) + [self.beside.at_the_end]
        found = [leg * self.seconds + each + end for leg, end in zip(trained, ends, strict=True)]
        found[0] += self.beside.start
        return [seconds / self.whole_seconds for seconds in found]


def waves(costs: Sequence[float], slots: int) -> float:
    """Return the time after which trials of these costs have ended that start in order as slots get free (a replay)."""
    free = [0.0] * min(slots, len(costs))
    for cost in costs:
        heapq.heapreplace(free, free[0] + cost)
    return max(free)


def plan_search(
    config: TrainConfig,
    trials: int,
    slots: int,
    stopper: str,
    tokens_per_second: float | None,
    fidelity: str = "truncate",
    beside: Beside | None = None,
    reports: int = 0,
    pass_tokens: int | None = None,
) -> Plan:
    """The plan of a search whose trials all cost what the base costs; ``pass_tokens`` as for :func:`tokens_of`."""
    budget, unit = config.budget.amount, config.budget.unit
    tokens, limits = tokens_of(config, pass_tokens), [config.budget.seconds]
    if tokens is not None and tokens_per_second:
        limits.append(tokens / tokens_per_second)
    seconds = min((limit for limit in limits if limit is not None), default=None)
    if tokens is not None and config.budget.seconds is not None and tokens_per_second:
        tokens = min(tokens, round(config.budget.seconds * tokens_per_second))
    milestones = rungs(config.budget) if stopper != "none" or fidelity != "truncate" else []
    share = expected_share(milestones, budget, stopper, fidelity)
    return Plan(trials, slots, milestones, unit, budget, tokens, seconds, share, beside or Beside(), reports)


def expected_share(milestones: list[float], budget: float, stopper: str = "asha", fidelity: str = "truncate") -> float:
    """Mean compute of a trial, in budgets, if every rung stops its share; the first arrivals cost more."""
    if stopper == "hyperband":
        parts = enumerate(bracket_shares(len(milestones)))
        return sum(part * _share(milestones[first:], budget, REDUCTION, fidelity) for first, part in parts)
    goes_on = {"none": 1, "median": 2, PREDICTIVE: 1 / PREDICTED_ON}.get(stopper, REDUCTION)  # one in so many
    return _share(milestones, budget, goes_on, fidelity)


def _share(milestones: list[float], budget: float, reduction: float, fidelity: str) -> float:
    return float(sum(leg / reduction**k for k, leg in enumerate(legs(milestones, budget, fidelity))))


def legs(milestones: list[float], budget: float, fidelity: str) -> list[float]:
    """Return a trial's training on the way to each milestone and to its end, in budgets of one trial."""
    found, last = [], 0.0
    for milestone in [*milestones, budget]:
        trained = milestone if fidelity == "complete" else milestone - last
        if fidelity == "branch" and milestone < budget:
            trained += BRANCH_FRACTION * milestone
        found.append(trained / budget)
        last = milestone
    return found


def tokens_of(config: TrainConfig, pass_tokens: int | None = None) -> int | None:
    """Training tokens of a whole run, by the first of its limits; None where they cannot be counted beforehand.

    ``pass_tokens`` are those of all the data, where these are prepared: at most so many are in a pass (an epoch).

    Seconds depend on the machine. FLOPs and tokens a parameter depend on the vocabulary, which is not known of a folder
    of shards without one that can be read. An epoch is as long as all the data, which may not be prepared yet and must
    not be cut to fewer tokens: with a limit or a horizon in epochs the answer is None without ``pass_tokens``, whatever
    the other limits say.
    """
    budget, vocab = config.budget, known_vocab_size(config.data)
    in_passes = budget.epochs is not None or (config.horizon is not None and config.horizon.epochs is not None)
    if in_passes and pass_tokens is None:
        return None
    limits = [None if budget.steps is None else budget.steps * config.data.batch_tokens, budget.tokens]
    if budget.flops is not None and vocab is not None:
        limits.append(budget.flops // config.model.flops_per_token(vocab, config.data.seq_len))
    if budget.param_data_ratio is not None and vocab is not None:
        limits.append(ratio_tokens(config.model, vocab, budget.param_data_ratio))
    if budget.epochs is not None and pass_tokens is not None:
        limits.append(math.ceil(budget.epochs * pass_tokens))
    known = [limit for limit in limits if limit is not None]
    return max(config.data.batch_tokens, min(known)) if known else None  # a run has one step at least
