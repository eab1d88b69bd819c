"""Campaigns on a surrogate's device: a method proposes points, slots train them, and the clock is in device seconds.

A campaign is charged for the seconds of all its slots, of runs that fail too. What it has found is the config with the
lowest end that it measured, and is worth what that config is expected to be, not the lucky end of one seed. Every
method begins with the base. A method may stop a run at a rung, and is then charged for what it has trained.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np
import optuna
from optuna.trial import TrialState

from benchmarks.surrogate.device import INVALID, Device, Outcome
from benchmarks.surrogate.peers import METHODS, Peer
from benchmarks.surrogate.priors import PRIORS
from benchmarks.surrogate.ray_defaults import RayDefaults
from benchmarks.surrogate.small_spaces import RUNGS
from benchmarks.tune_defaults import define
from search_spaces.domains import Value
from search_spaces.space import Space
from trainable.seeds import derived
from tuner.early_stopping import PREDICTIVE, Stopper, rungs
from tuner.plan.simulated_clock import SimulatedClock
from tuner.proposals.model.observations import TOLD_SECONDS
from tuner.proposals.optuna_samplers import tpe
from tuner.proposals.sampler import Sampler
from tuner.search_methods import GP, TPE, TPE_UNIFORM

LOSS, STOPPED = "loss", "stopped"
MOST_TRIALS = 20  # in the time of one base run: points that are no valid run cost nothing


class Method(Protocol):
    """A method under test: it is asked for points and told each one's end."""

    def ask(self) -> tuple[int, Mapping[str, Value]]:
        """The number of a trial, and its point."""

    def stops(self, number: int, rung: float, value: float) -> bool:
        """Take the value of a trial after such a part of its run, and tell whether it ends there."""

    def tell(self, number: int, outcome: Outcome) -> None:
        """Take the end of a trial."""


class Ours:
    """The product's sampler, by one of its methods, with one of its stoppers and one of the priors or none."""

    def __init__(self, device: Device, seed: int, method: str, stopper: str = "none", prior: str | None = None) -> None:
        budget = device.small.base.budget
        known = None if prior is None else PRIORS[prior](device, seed)
        self.sampler = Sampler(device.searched, device.base_point, seed, method=method, prior=known)
        self.stopper = Stopper(stopper, LOSS, rungs(budget), protected=frozenset(["0"]))
        self.amount = budget.amount

    def ask(self) -> tuple[int, Mapping[str, Value]]:
        suggestion = self.sampler.ask()
        return suggestion.number, suggestion.values

    def stops(self, number: int, rung: float, value: float) -> bool:
        milestone = rung * self.amount
        if self.stopper.rule is None or milestone not in self.stopper.milestones:
            return False
        self.sampler.report(number, milestone, value)
        return self.stopper.ends(str(number), {LOSS: value, "milestone": milestone})

    def tell(self, number: int, outcome: Outcome) -> None:
        seconds = {TOLD_SECONDS: outcome.seconds}
        self.sampler.tell(number, outcome.status, outcome.final, attributes=seconds)
        if outcome.final is not None:
            self.stopper.finished(str(number), outcome.final)


class WholeHistory(Ours):
    """The product's TPE as Optuna has it, with all trials in view: what the bounded view is compared with.

    Both make the same campaign until ``bounded_history.MOST`` trials have ended.
    """

    def __init__(self, device: Device, seed: int) -> None:
        super().__init__(device, seed, TPE_UNIFORM)
        self.sampler.study.sampler = tpe(derived(seed, "search", 0), optuna.samplers.TPESampler)


class OptunaAlone:
    """A study with one of Optuna's samplers, written as its users would: a run that fails is told as FAIL.

    With ``fails_are_worst`` it is told as the worst end so far: some samplers learn nothing of a FAIL.
    """

    def __init__(
        self, space: Space, base: Mapping[str, Value], sampler: optuna.samplers.BaseSampler, fails_are_worst: bool
    ) -> None:
        self.space, self.fails_are_worst, self.worst = space, fails_are_worst, -math.inf
        self.study = optuna.create_study(sampler=sampler)
        self.study.enqueue_trial(dict(base))
        self.open: dict[int, optuna.Trial] = {}

    def ask(self) -> tuple[int, Mapping[str, Value]]:
        trial = self.study.ask()
        self.open[trial.number] = trial
        return trial.number, define(trial, self.space)

    def stops(self, number: int, rung: float, value: float) -> bool:
        return False

    def tell(self, number: int, outcome: Outcome) -> None:
        trial = self.open.pop(number)
        if outcome.final is not None:
            self.worst = max(self.worst, outcome.final)
            self.study.tell(trial, outcome.final)
        elif self.fails_are_worst and math.isfinite(self.worst):
            self.study.tell(trial, self.worst)
        else:
            self.study.tell(trial, state=TrialState.FAIL)


def methods(peers: str | None = None) -> dict[str, Callable[[Device, int], Method]]:
    """Name -> a method made from a device and a seed; with an interpreter that has them, those of other tools too."""
    kinds: dict[str, tuple[Callable[[int], optuna.samplers.BaseSampler], bool]] = {
        "random": (lambda seed: optuna.samplers.RandomSampler(seed=seed), False),
        "Optuna TPE": (lambda seed: optuna.samplers.TPESampler(seed=seed), False),
        "Optuna CMA-ES": (
            lambda seed: optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False),
            True,
        ),
        "Optuna GP": (
            lambda seed: optuna.samplers.GPSampler(seed=seed, warn_independent_sampling=False),
            True,
        ),
    }
    found: dict[str, Callable[[Device, int], Method]] = {
        "ours, gp": partial(Ours, method=GP),
        "ours, tpe": partial(Ours, method=TPE),
        "ours, tpe, random first": partial(Ours, method=TPE_UNIFORM),
        "ours, tpe, random first, whole history": WholeHistory,
    }
    for name, method in (("ours, gp", GP), ("ours, tpe, random first", TPE_UNIFORM)):
        for stopper in ("asha", PREDICTIVE):
            found[f"{name}, {stopper}"] = partial(Ours, method=method, stopper=stopper)
        for prior in PRIORS:
            found[f"{name}, {prior}"] = partial(Ours, method=method, prior=prior)
    for name, (make, worst) in kinds.items():
        found[name] = lambda device, seed, make=make, worst=worst: OptunaAlone(  # type: ignore[misc]
            device.searched, device.base_point, make(seed), worst
        )
    found["Ray OptunaSearch + ASHA"] = RayDefaults
    for name in METHODS if peers else ():
        found[name] = partial(Peer, method=name, python=str(peers))
    return found


@dataclass
class Trace:
    """A campaign: after each finished run the device seconds spent, and the expected end of the best config so far."""

    seconds: list[float] = field(default_factory=list)
    best: list[float] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    proposing: float = 0.0  # seconds of CPU, all proposals together

    @property
    def valid(self) -> int:
        """Runs that could be built: the trials that a campaign's budget counts."""
        return sum(status != INVALID for status in self.statuses)

    def best_after(self, trials: int) -> float:
        """The best config's expected end once so many valid trials have ended; NaN before the first."""
        counted = np.cumsum([status != INVALID for status in self.statuses])
        at = int(np.searchsorted(counted, trials, side="left"))
        return self.best[min(at, len(self.best) - 1)] if self.best else math.nan

    def best_at(self, seconds: float) -> float:
        """The best config's expected end after so many device seconds; NaN before the first."""
        at = int(np.searchsorted(self.seconds, seconds, side="right")) - 1
        return self.best[at] if at >= 0 else math.nan


def run(device: Device, method: Method, slots: int, budget: float, seed: int, trials: float = math.inf) -> Trace:
    """A campaign until its runs have taken ``budget`` device seconds, or so many valid ones have ended.

    All runs of one have the same seed.
    """
    trace, clock = Trace(), SimulatedClock()
    spent, best_measured, best = 0.0, math.inf, math.nan

    def train(number: int, values: Mapping[str, Value]) -> Iterator[float]:
        nonlocal spent, best_measured, best
        outcome = yield from watched(method, number, device.train(values, seed))
        spent += outcome.seconds
        started = time.process_time()
        method.tell(number, outcome)
        trace.proposing += time.process_time() - started
        if outcome.final is not None and outcome.final < best_measured:
            best_measured, best = outcome.final, device.expected(values)
        trace.seconds.append(spent)
        trace.best.append(best)
        trace.statuses.append(outcome.status)

    def start() -> Iterator[float]:
        started = time.process_time()
        number, values = method.ask()
        trace.proposing += time.process_time() - started
        return train(number, values)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        most = MOST_TRIALS * budget / device.base_seconds
        clock.run(start, slots, lambda: spent >= budget or len(trace.statuses) >= most or trace.valid >= trials)
    return trace


def watched(method: Method, number: int, outcome: Outcome) -> Generator[float, None, Outcome]:
    """A run under the eyes of a method, as pieces of its seconds; returns what it came to."""
    past = 0.0
    for rung, value in zip(RUNGS[:-1], outcome.rungs, strict=False):  # a run that failed has none
        yield (rung - past) * outcome.seconds
        past = rung
        if method.stops(number, rung, value):
            return Outcome(STOPPED, rung * outcome.seconds)
    yield (1 - past) * outcome.seconds
    return outcome
